/* Several CPUs at once: their own objects, and objects that others free. */
#include "test.h"
#include "base/percpu.h"

#define NR_OWN		400
#define NR_PASSED	64
#define STEPS		40000

static struct kmem_cache *caches[4];
static const unsigned int cache_size[] = { 40, 200, 700, 3000 };
static u64 seed;

/* Objects on their way from one CPU to another: a slot is taken and filled by exchange. */
static struct passed {
	void *object;
} passed[NR_PASSED];

/* Every object carries its cache in its first word, and its mark behind. */
static void *take(unsigned int kind, u64 tag)
{
	u64 *object = kmem_cache_alloc(caches[kind], GFP_NOWAIT | __GFP_NOWARN);

	if (!object)
		return NULL;
	object[0] = kind;
	object[1] = tag;
	mark_object(object + 2, cache_size[kind] - 16, tag);
	return object;
}

static void give(void *p)
{
	u64 *object = p;
	unsigned int kind = object[0];

	EXPECT(kind < ARRAY_SIZE(caches));
	if (kind >= ARRAY_SIZE(caches))
		return;
	EXPECT(object_marked(object + 2, cache_size[kind] - 16, object[1]));
	object[0] = ~0UL;
	if (object[1] & 1)
		kmem_cache_free(caches[kind], object);
	else
		kfree(object);
}

static void work(unsigned int cpu)
{
	void *own[NR_OWN] = { NULL };
	struct prng rng;

	prng_seed(&rng, seed + cpu);
	for (unsigned int step = 0; step < STEPS && !test_failed(); step++) {
		void **slot = &own[prng_below(&rng, NR_OWN)];

		if (!*slot) {
			*slot = take(prng_below(&rng, ARRAY_SIZE(caches)), prng_next(&rng));
		} else if (prng_below(&rng, 2)) {
			give(*slot);
			*slot = NULL;
		} else {
			*slot = __atomic_exchange_n(&passed[prng_below(&rng, NR_PASSED)].object,
						    *slot, __ATOMIC_ACQ_REL);
		}
		if (prng_below(&rng, 4096) == 0)
			for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++)
				cache_reap(caches[i]);
	}
	for (unsigned int i = 0; i < NR_OWN; i++)
		if (own[i])
			give(own[i]);
}

static void make_caches(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++)
		caches[i] = kmem_cache_create("cpus", cache_size[i], 0, SLAB_NO_MERGE, NULL);
}

static void destroy_caches(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++)
		EXPECT_EQ(kmem_cache_destroy(caches[i]), 0);
}

static void test_churn(struct prng *rng)
{
	unsigned long before = pages_in_use();

	make_caches();
	for (unsigned int round = 0; round < 4; round++) {
		seed = prng_next(rng);
		host_run_cpus(NR_TEST_CPUS, work);
		for (unsigned int i = 0; i < NR_PASSED; i++) {
			if (passed[i].object)
				give(passed[i].object);
			passed[i].object = NULL;
		}
		(void)pages_in_use();
	}
	destroy_caches();
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* One allocates all, the others free all: nothing gets stuck with who frees. */
static void *pipeline[1024];

static void produce_or_consume(unsigned int cpu)
{
	unsigned int done = 0;
	struct prng rng;

	prng_seed(&rng, seed + cpu);
	while (done < 30000 / (cpu ? NR_TEST_CPUS - 1 : 1) && !test_failed()) {
		void **slot = &pipeline[prng_below(&rng, ARRAY_SIZE(pipeline))];
		void *object;

		if (cpu) {
			object = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL);
			if (!object)
				continue;
			give(object);
		} else {
			if (__atomic_load_n(slot, __ATOMIC_ACQUIRE))
				continue;
			object = take(1, prng_next(&rng));
			EXPECT(object);
			__atomic_store_n(slot, object, __ATOMIC_RELEASE);
		}
		done++;
	}
}

static void test_producer(struct prng *rng)
{
	unsigned long before = pages_in_use();

	make_caches();
	seed = prng_next(rng);
	host_run_cpus(NR_TEST_CPUS, produce_or_consume);
	destroy_caches();
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

const struct test cpu_tests[] = {
	{ "four CPUs at random, objects passed among them", test_churn },
	{ "one CPU allocates, three free", test_producer },
	{ NULL, NULL },
};
