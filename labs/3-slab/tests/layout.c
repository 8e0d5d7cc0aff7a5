/* Where objects lie, and what a slab wastes: all of it seen from outside, by addresses and by pages. */
#include "test/ktest/objects.h"
#include "mm/slab/backend.h"
#include "lib/string.h"

static const size_t sizes[] = { 1, 8, 9, 24, 40, 64, 72, 96, 100, 192, 200, 256, 300, 500, 512, 700, 1000,
				1024, 1400, 2048, 2600, 4096, 5000, 8192 };

KTEST(layout, objects_are_aligned_and_disjoint,
      "objects of every size and alignment lie in one slab each, aligned, and overlap nothing",
      400000000)
{
	static void *object[30];

	objects_world(512);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t align = 0; align <= 1024; align = align ? 4 * align : 16) {
			unsigned int n = sizes[s] > 1024 ? 9 : 30;
			struct kmem_cache *c = kmem_cache_create("layout", sizes[s], align, 0, NULL);

			ASSERT_TRUE(c != NULL);
			EXPECT_GE(c->size, sizes[s]);
			EXPECT_EQ(c->size % c->align, 0);
			ASSERT_EQ(objects_take_many(c, object, n), n);
			objects_give_many(c, object, n);
			ASSERT_EQ(objects_take_many(c, object, n), n);
			objects_give_many(c, object, n);
			ASSERT_EQ(kmem_cache_destroy(c), 0);
		}
	}
	EXPECT_EQ(world_log_count("BUG"), 0);
}

KTEST(layout, hwcache_objects_cross_no_line,
      "with SLAB_HWCACHE_ALIGN a small object never lies across a cache line, and a large one "
      "begins one",
      100000000)
{
	static void *object[100];

	objects_world(512);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("lines", sizes[s], 0, SLAB_HWCACHE_ALIGN, NULL);
		unsigned long n;

		ASSERT_TRUE(c != NULL);
		n = objects_take_many(c, object, sizes[s] > 1024 ? 20 : 100);
		for (unsigned long i = 0; i < n; i++) {
			unsigned long in_line = (unsigned long)object[i] % 64;

			if (sizes[s] <= 64)
				EXPECT_LE(in_line + sizes[s], 64);
			else
				EXPECT_EQ(in_line, 0);
		}
		objects_give_many(c, object, n);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

/* What the page core gave for @n objects of @size, management and all, in percent of what they need. */
static unsigned long percent_taken(struct kmem_cache *c, void **object, unsigned long n)
{
	unsigned long before = pages_in_use(), taken;

	for (unsigned long i = 0; i < n; i++) {
		object[i] = kmem_cache_alloc(c, GFP_KERNEL);
		ASSERT_TRUE(object[i] != NULL);
	}
	taken = (pages_in_use() - before) * PAGE_SIZE * 100 / (n * c->object_size);
	while (n--)
		kmem_cache_free(c, object[n]);
	return taken;
}

/*
 * The bounds have room for other designs. Two bytes for each object and none lost is 125 percent at 8
 * bytes, 103 at 64. From 512 on, keeping management on the slab costs a whole object of each page.
 */
KTEST(layout, slabs_waste_little,
      "the pages taken for objects, management included, are little more than the objects",
      600000000)
{
	static const struct { unsigned int size, percent; } bound[] = {
		{ 8, 215 }, { 16, 165 }, { 32, 132 }, { 64, 118 }, { 96, 115 }, { 128, 112 },
		{ 192, 112 }, { 256, 112 }, { 512, 107 }, { 1024, 105 }, { 2048, 104 }, { 4096, 104 },
		{ 8192, 104 }, { 304, 115 }, { 480, 115 }, { 704, 115 }, { 1000, 115 }, { 1600, 115 },
		{ 3000, 115 }, { 5000, 125 },
	};
	unsigned long n;
	void **object;

	objects_world(2048);
	object = ktest_alloc(6000 * sizeof(*object));
	for (unsigned int i = 0; i < ARRAY_SIZE(bound); i++) {
		unsigned int size = bound[i].size;
		struct kmem_cache *c = kmem_cache_create("waste", size, size & (size - 1) ? 0 :
							 min(size, 4096U), 0, NULL);
		unsigned long percent;

		ASSERT_TRUE(c != NULL);
		n = clamp(200000UL / size, 200UL, 6000UL);
		percent = percent_taken(c, object, n);
		if (percent > bound[i].percent)
			ktest_fail(__FILE__, __LINE__, "%lu objects of %u bytes took %lu percent of "
				   "what they need; %u are enough", n, size, percent, bound[i].percent);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(layout, management_goes_where_it_costs_less,
      "large objects lose no room to management, and slabs of small ones need nothing but "
      "themselves",
      100000000)
{
	static void *object[3000];
	struct kmem_cache *large, *small;
	unsigned long n, others;

	objects_world(2048);
	for (unsigned int size = 512; size <= 4096; size *= 2) {
		large = kmem_cache_create("large", size, size, 0, NULL);
		ASSERT_TRUE(large != NULL);
		n = objects_take_many(large, object, 130);
		EXPECT_EQ(n, 130);
		EXPECT_EQ(objects_beside(object[0], object, n) * size,
			  PAGE_SIZE << objects_slab_of(object[0]).order);
		objects_give_many(large, object, n);
		EXPECT_EQ(kmem_cache_destroy(large), 0);
	}
	small = kmem_cache_create("small", 48, 0, 0, NULL);
	ASSERT_TRUE(small != NULL);
	objects_give(small, objects_take(small, GFP_KERNEL));
	others = objects_slabs(NULL) - objects_slabs(small);
	for (n = 0; n < ARRAY_SIZE(object); n++)
		object[n] = kmem_cache_alloc(small, GFP_KERNEL);
	EXPECT_EQ(objects_slabs(NULL) - objects_slabs(small), others);
	while (n--)
		kmem_cache_free(small, object[n]);
	EXPECT_OK(objects_all_back(small));
}

KTEST(layout, slabs_are_of_few_pages,
      "a slab has at most 8 pages, and not more than it needs to waste little", 100000000)
{
	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("order", sizes[s], 0, 0, NULL);
		struct objects_slab slab;
		void *object;

		ASSERT_TRUE(c != NULL);
		object = objects_take(c, GFP_KERNEL);
		ASSERT_TRUE(object != NULL);
		slab = objects_slab_of(object);
		EXPECT_LE(slab.order, 3);
		if (sizes[s] <= 512)
			EXPECT_EQ(slab.order, 0);
		objects_give(c, object);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(layout, zeroed_means_zeroed,
      "__GFP_ZERO gives zero bytes, in new memory and in used", 200000000)
{
	static void *object[24];

	objects_world(512);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("zero", sizes[s], 0, 0, NULL);

		ASSERT_TRUE(c != NULL);
		for (unsigned int round = 0; round < 2; round++) {
			for (unsigned int i = 0; i < ARRAY_SIZE(object); i++) {
				object[i] = objects_take(c, GFP_KERNEL | __GFP_ZERO);
				ASSERT_TRUE(object[i] != NULL);
			}
			objects_give_many(c, object, ARRAY_SIZE(object));
		}
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}
