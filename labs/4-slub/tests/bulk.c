/* Allocating and freeing many objects at once. */
#include "shadow.h"

#define MAX_OBJECTS	1200
#define BULK		20
#define CHUNK		10

extern const unsigned int ktest_limit_bulk_pair[2];

static struct kmem_cache *cache;
static void *objects[MAX_OBJECTS];
static unsigned int per_slab;
static unsigned long pages, calls_left;

static void boot(size_t size)
{
	boot_slabs(1);
	cache = new_cache("bulk", size, 8, 0, NULL);
	per_slab = objects_per_slab(cache);
	pages = slab_pages();
}

static bool few_pages(struct kmem_cache *c, gfp_t gfp)
{
	(void)c, (void)gfp;
	return calls_left && calls_left--;
}

static void took_all(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!took(objects[i], cache->object_size, cache->align))
			ktest_abort();
}

KTEST(bulk, bulk_is_all_or_nothing,
      "a bulk allocation gives all objects or none, and what it had is free again", 20000000)
{
	boot(128);
	for (unsigned int have = 0; have < 4; have++) {
		before_pages = few_pages;
		calls_left = have;
		EXPECT_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4 * per_slab, objects), 0);
		EXPECT_FALSE(irqs_disabled());
		before_pages = NULL;
		kmem_cache_shrink(cache);
		EXPECT_EQ(slab_pages(), pages);
	}
	EXPECT_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4 * per_slab, objects), 4 * per_slab);
	took_all(4 * per_slab);
	give_n(cache, objects, 4 * per_slab);
	EXPECT_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 0, objects), 0);
	kmem_cache_free_bulk(cache, 0, objects);
	expect_all_back(cache, pages);
}

struct batch {
	unsigned int from, n;
};

static void bulk_free(void *arg)
{
	struct batch *batch = arg;

	for (unsigned int i = batch->from; i < batch->from + batch->n; i++)
		giving(objects[i], cache->object_size);
	kmem_cache_free_bulk(cache, batch->n, objects + batch->from);
}

KTEST_SEEDS(bulk, bulk_takes_and_frees_any_mixture,
	    "objects taken in bulk or singly are freed in bulk, in any order, from several slabs, by any CPU",
	    40000000, 2)
{
	unsigned int n;

	boot(200);
	n = 12 * per_slab;
	for (unsigned int round = 0; round < 4 && !ktest_failed(); round++) {
		struct batch first = { 0, n / 3 }, rest = { n / 3, n - n / 3 };

		if (round % 2) {
			ASSERT_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, objects), n);
			took_all(n);
		} else {
			take_n(cache, objects, n);
		}
		if (round > 1)
			shuffle(&t->rng, objects, n);
		run_on(round % 3, t->seed, bulk_free, &first);
		take_n(cache, objects, n / 3);
		run_on(0, t->seed, bulk_free, &first);
		run_on(1, t->seed, bulk_free, &rest);
	}
	expect_all_back(cache, pages);
}

KTEST(bulk, bulk_stays_inside_its_budget,
      "in bulk, an object's allocation and free cost no more instructions than lab.toml's limits allow",
      20000000)
{
	u64 least = ~0UL;

	boot(64);
	for (unsigned int i = 0; i < 60; i++) {
		unsigned long flags = local_irq_save();
		u64 start = ktest_clock();

		for (unsigned int k = 0; k < CHUNK; k++) {
			if (kmem_cache_alloc_bulk(cache, GFP_ATOMIC, BULK, objects) != BULK)
				break;
			kmem_cache_free_bulk(cache, BULK, objects);
		}
		least = min(least, ktest_clock() - start);
		local_irq_restore(flags);
	}
	if (MACHINE >= 0)
		EXPECT_LE(least / (CHUNK * BULK), ktest_limit_bulk_pair[MACHINE]);
}
