/* Kinds of objects that the other tests of several CPUs leave out. */
#include "../shadow.h"
#include "lib/string.h"

#define NR_SLOTS	30
#define STEPS		500

static struct kmem_cache *cache;
static void *slots[NR_SLOTS];
static u64 seed;

static void boot(size_t size, slab_flags_t flags, void (*ctor)(void *))
{
	boot_slabs(1);
	shadow_depth = 16;
	cache = new_cache("kind", size, 8, flags, ctor);
	memset(slots, 0, sizeof(slots));
}

/* Each CPU puts what make() gives, or nothing, into slots, and what was there goes to drop(). */
static void *(*make)(struct prng *rng);
static void (*drop)(void *object);

static void exchange_many(unsigned int cpu, void *arg)
{
	struct prng rng;

	(void)arg;
	prng_seed(&rng, seed + 1000 * cpu);
	for (unsigned int i = 0; i < STEPS && !ktest_failed(); i++) {
		void **slot = &slots[prng_below(&rng, NR_SLOTS)];
		void *object = prng_below(&rng, 3) ? make(&rng) : NULL;

		object = __atomic_exchange_n(slot, object, __ATOMIC_ACQ_REL);
		if (object)
			drop(object);
	}
}

static void exchange_objects(struct ktest_run *t)
{
	seed = t->seed;
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exchange_many, NULL);
	for (unsigned int i = 0; i < NR_SLOTS && !ktest_failed(); i++)
		if (slots[i])
			drop(slots[i]);
}

/* ---- constructed ---------------------------------------------------------------------------- */

struct point {
	u64 x, y, sum;
};

static void construct(void *object)
{
	struct point *p = object;

	p->x = 3;
	p->y = 4;
	p->sum = 7;
}

static void *make_point(struct prng *rng)
{
	struct point *p = kmem_cache_alloc(cache, GFP_KERNEL);

	ASSERT_TRUE(p && p->x == 3 && p->y == 4 && p->sum == 7);
	p->x = prng_below(rng, 1000);
	p->sum = p->x + p->y;
	return p;
}

static void drop_point(void *object)
{
	struct point *p = object;

	ASSERT_EQ(p->sum, p->x + p->y);
	construct(p);
	kmem_cache_free(cache, p);
}

KTEST_SEEDS(races, constructed_objects_travel,
	    "an object with a constructor is as constructed on whatever CPU it comes back", 30000000, 3)
{
	unsigned long pages;

	boot(sizeof(struct point), 0, construct);
	pages = slab_pages();
	make = make_point;
	drop = drop_point;
	exchange_objects(t);
	expect_all_back(cache, pages);
}

/* ---- debugged ------------------------------------------------------------------------------- */

static void *make_debugged(struct prng *rng)
{
	void *object = kmem_cache_alloc(cache, prng_below(rng, 2) ? GFP_KERNEL : GFP_ATOMIC);

	ASSERT_TRUE(object && took(object, cache->object_size, 8));
	return object;
}

static void drop_debugged(void *object)
{
	give_n(cache, &object, 1);
}

KTEST_SEEDS(races, debugged_caches_are_shared,
	    "several CPUs use a cache with all debug options, and nothing is reported", 120000000, 2)
{
	unsigned long pages;

	boot(50, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON, NULL);
	pages = slab_pages();
	make = make_debugged;
	drop = drop_debugged;
	exchange_objects(t);
	expect_all_back(cache, pages);
}

/* ---- of all sizes --------------------------------------------------------------------------- */

/* Its size is kept in the third word, which the shadow map does not look at. */
static void *make_any(struct prng *rng)
{
	unsigned long size = 24 + prng_below(rng, prng_below(rng, 8) ? 300 : 9000);
	unsigned long *object = kmalloc(size, GFP_KERNEL);

	ASSERT_TRUE(object && ksize(object) >= size && took(object, size, 8));
	object[2] = size;
	return object;
}

static void drop_any(void *object)
{
	giving(object, ((unsigned long *)object)[2]);
	kfree(object);
}

KTEST_SEEDS(races, kmalloc_is_shared,
	    "several CPUs kmalloc objects of all sizes, and each is freed by whoever comes", 50000000, 3)
{
	unsigned long pages;

	boot(8, 0, NULL);
	kmem_cache_shrink_all();
	pages = slab_pages();
	make = make_any;
	drop = drop_any;
	exchange_objects(t);
	EXPECT_EQ(world_log_count("BUG"), 0);
	kmem_cache_shrink_all();
	EXPECT_EQ(slab_pages(), pages);
}
