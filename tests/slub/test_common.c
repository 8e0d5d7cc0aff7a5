/* What any allocator of small objects owes its callers. */
#include "test.h"

struct live {
	void *object;
	size_t size;
};

static size_t random_size(struct prng *rng)
{
	size_t limit = prng_below(rng, 16) ? 300 : 9000;

	return 1 + prng_below(rng, limit);
}

static size_t align_of(size_t size)
{
	return size & (size - 1) ? 8 : clamp(size, 8UL, (size_t)PAGE_SIZE);
}

static void *take(size_t size, gfp_t gfp)
{
	void *object = kmalloc(size, gfp | __GFP_NOWARN);

	if (!object)
		return NULL;
	EXPECT(ksize(object) >= size);
	if (gfp & __GFP_ZERO)
		EXPECT_EQ(memchr_inv(object, 0, size), NULL);
	took(object, size, align_of(size));
	return object;
}

static void give(void *object, size_t size)
{
	giving(object, size);
	kfree(object);
}

static void churn(struct prng *rng, unsigned int steps, unsigned int max)
{
	static struct live lives[TEST_CPUS][2048];
	struct live *mine = lives[smp_processor_id()];
	unsigned int n = 0;

	while (steps-- && !test_failed()) {
		/* Now it grows, now it shrinks. */
		if (n < max && (prng_below(rng, 100) < (steps / 2048 % 2 ? 60 : 45) || !n)) {
			size_t size = random_size(rng);
			void *object = take(size, prng_below(rng, 4) ? 0 : __GFP_ZERO);

			if (object)
				mine[n++] = (struct live){ object, size };
		} else {
			unsigned int i = prng_below(rng, n);

			give(mine[i].object, mine[i].size);
			mine[i] = mine[--n];
		}
	}
	while (n--)
		give(mine[n].object, mine[n].size);
}

static void test_kmalloc(struct prng *rng)
{
	unsigned long pages = pages_of_slabs();

	churn(rng, 60000, 2000);
	EXPECT_EQ(live_bytes(), 0);
	EXPECT_EQ(pages_of_slabs(), pages);
	EXPECT_EQ(log_count("BUG"), 0);
}

static u64 smp_seed;

static void churn_cpu(unsigned int cpu)
{
	struct prng rng;

	prng_seed(&rng, smp_seed + cpu);
	churn(&rng, 30000, 1000);
}

static void test_smp(struct prng *rng)
{
	unsigned long pages = pages_of_slabs();

	smp_seed = prng_next(rng);
	host_run_cpus(TEST_CPUS, churn_cpu);
	EXPECT_EQ(live_bytes(), 0);
	EXPECT_EQ(pages_of_slabs(), pages);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* ---- objects travel between CPUs ---------------------------------------------------------- */

#define BOXES	64
static void *boxes[BOXES];
#ifdef __SANITIZE_THREAD__
#define STEPS	8000
#else
#define STEPS	30000
#endif
static struct kmem_cache *traffic_cache;
static size_t traffic_size;

/* Each CPU puts new objects into boxes and frees what it finds there. */
static void trade(unsigned int cpu)
{
	struct prng rng;

	prng_seed(&rng, smp_seed + cpu);
	for (unsigned int step = 0; step < STEPS && !test_failed(); step++) {
		void *object = kmem_cache_alloc(traffic_cache, __GFP_NOWARN), *other;

		if (!object)
			continue;
		took(object, traffic_size, 8);
		other = __atomic_exchange_n(&boxes[prng_below(&rng, BOXES)], object,
					    __ATOMIC_SEQ_CST);
		if (other) {
			giving(other, traffic_size);
			kmem_cache_free(traffic_cache, other);
		}
		if (prng_below(&rng, 500) == 0)
			cache_reap(traffic_cache);
#ifdef CONFIG_SLAB_SLUB
		if (prng_below(&rng, 200) == 0)
			slub_flush_cpu(traffic_cache);
#endif
	}
}

static void destroy(struct kmem_cache *cache)
{
	shrink_everywhere(cache);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

static void traffic_of(struct prng *rng, size_t size)
{
	unsigned long pages = pages_of_slabs();

	traffic_size = size;
	traffic_cache = kmem_cache_create("traffic", size, 8, SLAB_NO_MERGE, NULL);
	smp_seed = prng_next(rng);
	host_run_cpus(TEST_CPUS, trade);
	for (unsigned int i = 0; i < BOXES; i++) {
		if (boxes[i]) {
			giving(boxes[i], size);
			kmem_cache_free(traffic_cache, boxes[i]);
		}
		boxes[i] = NULL;
	}
	destroy(traffic_cache);
	EXPECT_EQ(live_bytes(), 0);
	EXPECT_EQ(pages_of_slabs(), pages);
	EXPECT_EQ(log_count("BUG"), 0);
}

static void test_traffic(struct prng *rng)
{
	traffic_of(rng, 24);
	traffic_of(rng, 700);		/* few to a slab: full and empty at every turn */
	traffic_of(rng, 8000);
}

/* ---- constructors, bulk, shrink, destroy -------------------------------------------------- */

static unsigned int constructed;

static void construct(void *object)
{
	memset(object, 0xc7, 72);
	__atomic_fetch_add(&constructed, 1, __ATOMIC_RELAXED);
}

/* Every object is as the constructor or its last user left it, and that is the same here. */
static void test_constructor(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("constructed", 72, 8, 0, construct);
	void *objects[500];
	struct slab_stats stats;

	constructed = 0;
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = kmem_cache_alloc(cache, 0);
			EXPECT_EQ(memchr_inv(objects[i], 0xc7, 72), NULL);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
			unsigned int other = prng_below(rng, ARRAY_SIZE(objects));

			swap(objects[i], objects[other]);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
			kmem_cache_free(cache, objects[i]);
	}
	cache_stats(cache, &stats);
	EXPECT_EQ(stats.active_objects, 0);
	EXPECT(constructed >= 500);
	destroy(cache);
}

static void test_bulk(struct prng *rng)
{
	unsigned long pages = pages_of_slabs();
	struct kmem_cache *cache = kmem_cache_create("bulk", 40, 8, SLAB_NO_MERGE, NULL);
	void *objects[600];
	unsigned int n = 0;

	for (unsigned int step = 0; step < 3000; step++) {
		unsigned int some = 1 + prng_below(rng, 50);

		if (n + some <= ARRAY_SIZE(objects) && prng_below(rng, 2)) {
			EXPECT_EQ(kmem_cache_alloc_bulk(cache, __GFP_ZERO, some, objects + n), some);
			for (unsigned int i = n; i < n + some; i++) {
				EXPECT_EQ(memchr_inv(objects[i], 0, 40), NULL);
				took(objects[i], 40, 8);
			}
			n += some;
		} else if (n >= some) {
			for (unsigned int i = 0; i < some; i++) {
				unsigned int pick = prng_below(rng, n - i);

				swap(objects[pick], objects[n - i - 1]);
				giving(objects[n - i - 1], 40);
			}
			kmem_cache_free_bulk(cache, some, objects + n - some);
			n -= some;
		}
	}
	for (unsigned int i = 0; i < n; i++)
		giving(objects[i], 40);
	kmem_cache_free_bulk(cache, n, objects);
	destroy(cache);
	EXPECT_EQ(live_bytes(), 0);
	EXPECT_EQ(pages_of_slabs(), pages);
}

static void test_destroy(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("destroyed", 100, 8, SLAB_NO_MERGE, NULL);
	void *object = kmem_cache_alloc(cache, 0);
	struct slab_stats stats;

	(void)rng;
	took(object, 100, 8);
	EXPECT_EQ(kmem_cache_destroy(cache), -EBUSY);
	EXPECT_EQ(log_count("destroyed"), 1);
	giving(object, 100);
	kmem_cache_free(cache, object);
	object = kmem_cache_alloc(cache, 0);
	took(object, 100, 8);
	cache_stats(cache, &stats);
	EXPECT_EQ(stats.active_objects, 1);
	giving(object, 100);
	kmem_cache_free(cache, object);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

static void test_bad_frees(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("mine", 56, 8, SLAB_NO_MERGE, NULL);
	struct kmem_cache *other = kmem_cache_create("other", 560, 8, SLAB_NO_MERGE, NULL);
	void *object = kmem_cache_alloc(cache, 0), *local = NULL;

	(void)rng;
	kfree(NULL);
	kmem_cache_free(cache, NULL);
	EXPECT_EQ(log_count("BUG"), 0);
	kfree(&local);
	EXPECT_EQ(log_count("BUG"), 1);
	kfree((void *)0x1000);
	EXPECT_EQ(log_count("BUG"), 2);
	kmem_cache_free(cache, &local);
	EXPECT_EQ(log_count("BUG"), 3);
#ifdef CONFIG_SLAB_SLUB
	kmem_cache_free(other, object);
	EXPECT_EQ(log_count("another cache"), 1);
#endif
	kmem_cache_free(cache, object);
	destroy(cache);
	destroy(other);
}

/* Memory runs out, at every place where that can be, and is all there again later. */
static void test_exhaust(struct prng *rng)
{
	static void *objects[200000];
	unsigned long pages = pages_of_slabs(), bytes = 0;
	unsigned int n = 0;

	(void)rng;
	while (n < ARRAY_SIZE(objects)) {
		void *object = kmalloc(500, __GFP_NOWARN);

		if (!object)
			break;
		objects[n++] = object;
		bytes += 512;
	}
	EXPECT(n < ARRAY_SIZE(objects));
	/* Not only in large blocks: nearly all of it. */
	EXPECT(bytes > RAM_SIZE * 85 / 100);
	EXPECT_EQ(kmalloc(500, __GFP_NOWARN), NULL);
	while (n)
		kfree(objects[--n]);
	EXPECT_EQ(pages_of_slabs(), pages);
}

static void test_krealloc(struct prng *rng)
{
	size_t size = 1;
	u8 *p = kmalloc(1, 0);

	p[0] = 1;
	for (unsigned int round = 0; round < 2000; round++) {
		size_t more = random_size(rng);
		u8 *q = krealloc(p, more, 0);

		EXPECT(q);
		for (size_t i = 0; i < min(size, more); i++)
			EXPECT_EQ(q[i], (u8)(i * 3 + 1));
		p = q;
		size = more;
		for (size_t i = 0; i < size; i++)
			p[i] = i * 3 + 1;
	}
	kfree(p);
}

const struct test common_tests[] = {
	{ "random kmalloc and kfree agree with a shadow map, and all pages come back", test_kmalloc },
	{ "four CPUs do so at once", test_smp },
	{ "objects freed by other CPUs are not lost and not handed out twice", test_traffic },
	{ "a constructed object stays constructed", test_constructor },
	{ "bulk operations agree with a shadow map", test_bulk },
	{ "a cache with objects is not destroyed, and goes on working", test_destroy },
	{ "what is not an object of the cache is not freed", test_bad_frees },
	{ "when memory is out, allocations fail, and all comes back", test_exhaust },
	{ "krealloc keeps the contents", test_krealloc },
	{ NULL, NULL }
};
