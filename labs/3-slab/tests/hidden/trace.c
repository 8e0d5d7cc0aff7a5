/* Long random rows of everything; the oracle says whether each step was right. */
#include "test/ktest/objects.h"
#include "lib/string.h"

#define CACHES	5

static struct trace_cache {
	struct kmem_cache *cache;
	void *live[150];
	unsigned int n;
} traced[CACHES];

static void trace_step(struct prng *rng, struct trace_cache *tc)
{
	unsigned int what = prng_below(rng, 100), many = prng_below(rng, 20);

	if (what < 45 && tc->n < ARRAY_SIZE(tc->live)) {
		tc->live[tc->n] = objects_take(tc->cache, GFP_KERNEL);
		tc->n += tc->live[tc->n] != NULL;
	} else if (what < 90 && tc->n) {
		unsigned int i = prng_below(rng, tc->n);

		objects_give(tc->cache, tc->live[i]);
		tc->live[i] = tc->live[--tc->n];
	} else if (what < 95 && tc->n + many <= ARRAY_SIZE(tc->live)) {
		if (kmem_cache_alloc_bulk(tc->cache, GFP_KERNEL, many, tc->live + tc->n))
			while (many--)
				objects_took(tc->cache, tc->live[tc->n++]);
	} else if (what < 98 && tc->n >= many) {
		for (unsigned int i = tc->n - many; i < tc->n; i++)
			objects_gave(tc->cache, tc->live[i]);
		tc->n -= many;
		kmem_cache_free_bulk(tc->cache, many, tc->live + tc->n);
	} else if (what == 98) {
		kmem_cache_shrink(tc->cache);
	} else {
		kmem_cache_reap();
	}
}

KTEST_SEEDS(lists, random_trace_of_objects,
	    "a long random row of operations on several caches: no object is lost, shared or changed",
	    600000000, 3)
{
	static const struct { size_t size, align; bool ctor; } kind[CACHES] = {
		{ 40, 0, false }, { 256, 64, true }, { 700, 0, true }, { 1024, 1024, false },
		{ 3000, 8, false },
	};
	static char names[CACHES][8] = { "trace0", "trace1", "trace2", "trace3", "trace4" };

	objects_world(1024);
	memset(traced, 0, sizeof(traced));
	for (unsigned int i = 0; i < CACHES; i++) {
		traced[i].cache = kmem_cache_create(names[i], kind[i].size, kind[i].align, 0,
						    kind[i].ctor ? objects_ctor : NULL);
		ASSERT_TRUE(traced[i].cache != NULL);
	}
	for (unsigned int step = 0; step < 1600; step++)
		trace_step(&t->rng, &traced[prng_below(&t->rng, CACHES)]);
	for (unsigned int i = 0; i < CACHES; i++) {
		objects_give_many(traced[i].cache, traced[i].live, traced[i].n);
		EXPECT_OK(objects_all_back(traced[i].cache));
		EXPECT_EQ(kmem_cache_destroy(traced[i].cache), 0);
	}
	EXPECT_EQ(world_log_count("BUG"), 0);
}

KTEST(kmalloc, random_trace_of_sizes,
      "a long random row of kmalloc() and kfree(): no two objects overlap, none is changed",
      400000000)
{
	static struct { void *p; size_t size; } live[300];
	unsigned int n = 0;

	objects_world(2048);
	for (unsigned int step = 0; step < 4000; step++) {
		if (n < ARRAY_SIZE(live) && (!n || prng_below(&t->rng, 100) < 52)) {
			size_t size = 1 + prng_below(&t->rng, 1UL << prng_below(&t->rng, 14));

			live[n].size = size;
			live[n].p = objects_kmalloc(size, GFP_KERNEL);
			n += live[n].p != NULL;
		} else {
			unsigned int i = prng_below(&t->rng, n);

			objects_kfree(live[i].p, live[i].size);
			live[i] = live[--n];
		}
	}
	while (n--)
		objects_kfree(live[n].p, live[n].size);
	EXPECT_EQ(world_log_count("BUG"), 0);
}
