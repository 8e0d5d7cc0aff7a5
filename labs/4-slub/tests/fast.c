/* The fast path: what it writes, what it costs, and who may come in between. */
#include "shadow.h"
#include "base/irq.h"
#include "lib/string.h"

#define PAIRS		10000
#define CHUNK		100

extern const unsigned int ktest_limit_hot_pair[2], ktest_limit_held_pair[2];

static struct kmem_cache *cache;
static void *objects[2000];

/* ---- another CPU looks on -------------------------------------------------------------------- */

static struct {
	const struct page *slab;
	struct page page;
	struct slub slub;
	unsigned int looks, changes;
	u32 ready, done;
} watch;

static bool looks_the_same(void)
{
	const u64 *page = (const u64 *)watch.slab, *old_page = (const u64 *)&watch.page;
	const u64 *slub = (const u64 *)slub_of(cache), *old_slub = (const u64 *)&watch.slub;
	bool same = true;

	for (unsigned int i = 0; i < sizeof(struct page) / 8; i++)
		same &= READ_ONCE(page[i]) == old_page[i];
	for (unsigned int i = 0; i < sizeof(struct slub) / 8; i++)
		same &= READ_ONCE(slub[i]) == old_slub[i];
	return same;
}

/* CPU 1 sees CPU 0 stand still at any instruction, with interrupts off, too. */
static void pairs_and_looks(unsigned int cpu, void *arg)
{
	(void)arg;
	if (cpu == 1) {
		__atomic_store_n(&watch.ready, 1, __ATOMIC_RELEASE);
		while (!__atomic_load_n(&watch.done, __ATOMIC_ACQUIRE)) {
			watch.looks++;
			watch.changes += !looks_the_same();
			ktest_relax();
		}
		return;
	}
	while (!__atomic_load_n(&watch.ready, __ATOMIC_ACQUIRE))
		ktest_relax();
	for (unsigned int i = 0; i < PAIRS || (watch.looks < 50 && i < 50 * PAIRS); i++)
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	__atomic_store_n(&watch.done, 1, __ATOMIC_RELEASE);
}

KTEST_SEEDS(fast, hot_pairs_lock_nothing_and_write_nothing_shared,
	    "10000 hot pairs take no lock and write to nothing that CPUs share, as another CPU sees that looks on",
	    50000000, 3)
{
	void *object;

	boot_slabs(1);
	cache = new_cache("watched", 64, 8, 0, NULL);
	take_n(cache, objects, 5);
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	watch.slab = virt_to_page(object)->slab_mem;
	watch.page = *watch.slab;
	watch.slub = *slub_of(cache);
	kmem_cache_free(cache, object);
	watch.looks = watch.changes = watch.ready = watch.done = 0;
	EXPECT_TRUE(looks_the_same());		/* a free, too, writes nothing */
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	EXPECT_TRUE(looks_the_same());
	kmem_cache_free(cache, object);
	ktest_unlocks = ktest_atomics = 0;
	ktest_on_cpus(2, t->seed, pairs_and_looks, NULL);
	EXPECT_EQ(ktest_unlocks, 0);
	EXPECT_EQ(ktest_atomics, 0);
	EXPECT_EQ(watch.changes, 0);
	EXPECT_TRUE(looks_the_same());
}

/* ---- cost ------------------------------------------------------------------------------------ */

static void hot_pairs(void)
{
	for (unsigned int i = 0; i < CHUNK; i++)
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

static void kmalloc_pairs(void)
{
	for (unsigned int i = 0; i < CHUNK; i++)
		kfree(kmalloc(64, GFP_KERNEL));
}

static void held_pairs(void)
{
	for (unsigned int i = 0; i < CHUNK; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < CHUNK; i++)
		kmem_cache_free(cache, objects[i]);
}

/* The clock counts what other CPUs do, too: the least of many runs is one that nobody cut in two. */
static unsigned int cost(void (*fn)(void))
{
	u64 least = ~0UL;

	for (unsigned int i = 0; i < 60; i++) {
		unsigned long flags = local_irq_save();
		u64 start = ktest_clock();

		fn();
		least = min(least, ktest_clock() - start);
		local_irq_restore(flags);
	}
	return (least + CHUNK / 2) / CHUNK;
}

KTEST(fast, hot_pairs_stay_inside_their_budget,
      "an allocation and its free, hot, cost no more instructions than lab.toml's limits allow",
      20000000)
{
	boot_slabs(1);
	cache = new_cache("cost", 64, 8, 0, NULL);
	take_n(cache, objects, 5);
	hot_pairs();
	kmalloc_pairs();
	if (MACHINE < 0)
		return;			/* no instructions are counted on the host */
	EXPECT_LE(cost(hot_pairs), ktest_limit_hot_pair[MACHINE]);
	EXPECT_LE(cost(kmalloc_pairs), ktest_limit_hot_pair[MACHINE]);
	EXPECT_LE(cost(held_pairs), ktest_limit_held_pair[MACHINE]);
	ktest_note("hot %u, kmalloc %u, held %u", cost(hot_pairs), cost(kmalloc_pairs), cost(held_pairs));
}

/* ---- interrupts ------------------------------------------------------------------------------- */

KTEST(fast, interrupts_are_left_as_they_were,
      "allocation and free, fast and slow, leave interrupts on if they were on, and off if they were off",
      20000000)
{
	unsigned int n;

	boot_slabs(1);
	cache = new_cache("flags", 256, 8, 0, NULL);
	n = 3 * objects_per_slab(cache);
	for (unsigned int off = 0; off < 2 && !ktest_failed(); off++) {
		gfp_t gfp = off ? GFP_ATOMIC : GFP_KERNEL;
		unsigned int wrong = 0;

		if (off)
			local_irq_disable();
		for (unsigned int i = 0; i < n; i++) {
			objects[i] = i % 4 == 3 ? kmem_cache_alloc_node(cache, gfp, 0) :
						  kmem_cache_alloc(cache, gfp | (i % 2 ? __GFP_ZERO : 0));
			wrong += irqs_disabled() != off;
		}
		for (unsigned int i = 0; i < n; i++) {
			if (i % 2)
				kmem_cache_free(cache, objects[i]);
			else
				kfree(objects[i]);
			wrong += irqs_disabled() != off;
		}
		wrong += kmem_cache_alloc_bulk(cache, gfp, n, objects) != (int)n;
		wrong += irqs_disabled() != off;
		kmem_cache_free_bulk(cache, n, objects);
		wrong += irqs_disabled() != off;
		local_irq_enable();
		EXPECT_EQ(wrong, 0);
	}
}

#define IN_INTERRUPT	8
#define MAX_HELD	40

static struct {
	void *mine[IN_INTERRUPT];
	struct prng rng;
} interrupt[NR_CPUS];
static bool flushes;

/* What an interrupt handler would do; to give the slabs up comes from another CPU that shrinks the cache. */
static void use_cache(unsigned int cpu)
{
	void **slot = &interrupt[cpu].mine[prng_below(&interrupt[cpu].rng, IN_INTERRUPT)];

	if (ktest_failed())
		return;
	if (flushes && !prng_below(&interrupt[cpu].rng, 4))
		slub_flush_cpu(cache);
	if (*slot) {
		give_n(cache, slot, 1);
		*slot = NULL;
	} else {
		*slot = kmem_cache_alloc(cache, GFP_ATOMIC);
		if (*slot && !took(*slot, cache->object_size, 8))
			*slot = NULL;
	}
}

#define HELD		6

/* Most pairs without took() and giving(): an interrupt is to come into the allocator's code. */
static void interrupted_pairs(unsigned int cpu, void *arg)
{
	void *held[HELD] = { NULL };
	struct prng rng;

	prng_seed(&rng, *(u64 *)arg + cpu);
	for (unsigned int i = 0; i < 600 && !ktest_failed(); i++) {
		void **slot = &held[prng_below(&rng, HELD)];

		for (unsigned int k = 0; k < 2; k++) {
			kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
			kfree(kmem_cache_alloc(cache, GFP_KERNEL));
		}
		if (*slot) {
			give_n(cache, slot, 1);
			*slot = NULL;
		} else {
			take_n(cache, slot, 1);
		}
	}
	for (unsigned int at = 0; at < HELD; at++)
		if (held[at] && !ktest_failed())
			give_n(cache, &held[at], 1);
}

/* With many objects held slabs are full: each free and each allocation goes past the freelist. */
static void interrupted_slabs(unsigned int cpu, void *arg)
{
	void *held[MAX_HELD];
	struct prng rng;

	prng_seed(&rng, *(u64 *)arg + cpu);
	for (unsigned int at = 0; at < MAX_HELD; at++)
		held[at] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < (flushes ? 400 : 1200) && !ktest_failed(); i++) {
		void **slot = &held[prng_below(&rng, MAX_HELD)];

		kmem_cache_free(cache, *slot);
		*slot = kmem_cache_alloc(cache, GFP_KERNEL);
		ASSERT_TRUE(*slot != NULL);
		if (flushes && i % 4 == 0)
			slub_flush_cpu(cache);
	}
	for (unsigned int at = 0; at < MAX_HELD && !ktest_failed(); at++) {
		took(held[at], cache->object_size, 8);
		give_n(cache, &held[at], 1);
	}
}

static void interrupted(struct ktest_run *t, size_t size, void (*fn)(unsigned int cpu, void *arg))
{
	unsigned long pages;

	memset(interrupt, 0, sizeof(interrupt));
	cache = new_cache("interrupted", size, 8, 0, NULL);
	pages = slab_pages();
	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
		prng_seed(&interrupt[cpu].rng, t->seed + cpu);
	ktest_jitter_hook = use_cache;
	ktest_on_cpus(2, t->seed, fn, &t->seed);
	ktest_jitter_hook = NULL;
	for (unsigned int cpu = 0; cpu < 2 && !ktest_failed(); cpu++)
		for (unsigned int i = 0; i < IN_INTERRUPT; i++)
			if (interrupt[cpu].mine[i])
				give_n(cache, &interrupt[cpu].mine[i], 1);
	expect_all_back(cache, pages);
}

KTEST_SEEDS(fast, an_interrupt_may_come_at_any_instruction,
	    "an interrupt handler that allocates and frees may come between any two instructions",
	    160000000, 2)
{
	boot_slabs(1);
	flushes = false;
	interrupted(t, 64, interrupted_pairs);		/* the fast path */
	for (unsigned int i = 0; i < 2 && !ktest_failed(); i++, flushes = true)
		interrupted(t, 1024, interrupted_slabs);
}

/* ---- scaling ---------------------------------------------------------------------------------- */

#define OWN		20
#define ROUNDS		50

static void own_objects(unsigned int cpu, void *arg)
{
	void *mine[OWN];

	(void)cpu, (void)arg;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < OWN; i++)
			mine[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		for (unsigned int i = 0; i < OWN; i++)
			kmem_cache_free(cache, mine[i]);
	}
}

/* Changes of state words since the slabs were made. */
static u64 generations(void)
{
	u64 sum = 0;

	for (unsigned long i = 0; i < WORLD_PAGES; i++) {
		struct page *page = world_page(WORLD_FIRST + i);

		if (PageSlab(page) && page->slab_mem == page && page->slab_cache == cache)
			sum += page->slab_state >> 32;
	}
	return sum;
}

KTEST_SEEDS(fast, own_objects_do_not_meet,
	    "CPUs that use objects of their own take no lock and change no state word, however many they are",
	    30000000, 2)
{
	unsigned int n = ktest_nr_cpus();
	unsigned long locks[4];
	u64 changes[4];

	boot_slabs(1);
	cache = new_cache("own", 64, 8, 0, NULL);
	ktest_on_cpus(n, t->seed, own_objects, NULL);	/* each CPU gets its slab */
	for (unsigned int cpus = 1; cpus <= n; cpus++) {
		u64 before = generations();

		ktest_unlocks = 0;
		ktest_on_cpus(cpus, t->seed, own_objects, NULL);
		locks[cpus] = ktest_unlocks;
		changes[cpus] = generations() - before;
		EXPECT_EQ(locks[cpus], 0);
		EXPECT_EQ(changes[cpus], 0);
	}
}
