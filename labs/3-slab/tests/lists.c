/* Slabs that are full, partial and free: which one serves, and what is kept. */
#include "test/ktest/objects.h"
#include "mm/slab/backend.h"
#include "lib/string.h"

#define N	1200

static void *object[N];

/* The places of @n objects sorted by slab; the number of slabs. */
static unsigned int number_of_slabs(void **objects, unsigned int n, unsigned long *serial)
{
	unsigned int slabs = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned long s = objects_slab_of(objects[i]).serial;
		unsigned int k = 0;

		while (k < slabs && serial[k] != s)
			k++;
		if (k == slabs)
			serial[slabs++] = s;
	}
	return slabs;
}

KTEST(lists, holes_are_filled_before_memory_is_taken,
      "as long as a slab has a free object, the cache takes no new pages", 100000000)
{
	struct kmem_cache *c;
	unsigned long got;
	unsigned int holes = 0;

	objects_world(1024);
	c = kmem_cache_create("holes", 200, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, N), N);
	for (unsigned int i = 0; i < N; i += 3, holes++) {
		objects_give(c, object[i]);
		object[i] = NULL;
	}
	kmem_cache_shrink(c);		/* the arrays' objects go back to the slabs */
	got = objects_slabs_got();
	for (unsigned int i = 0; i < N; i += 3) {
		object[i] = objects_take(c, GFP_KERNEL);
		ASSERT_TRUE(object[i] != NULL);
	}
	EXPECT_EQ(objects_slabs_got(), got);
	objects_give_many(c, object, N);
	EXPECT_OK(objects_all_back(c));
}

KTEST(lists, every_object_of_a_slab_is_used,
      "a cache that can get no more pages hands out all objects of those it has, each once",
      100000000)
{
	static const size_t sizes[] = { 24, 200, 512, 700, 2048 };

	objects_world(256);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("all", sizes[s], 0, 0, NULL);
		unsigned long n, first = 0;

		ASSERT_TRUE(c != NULL);
		for (unsigned int round = 0; round < 3; round++) {
			pages_allow(12);
			n = objects_take_many(c, object, N);
			if (n < N)
				EXPECT_EQ(n, objects_slabs(c) * objects_beside(object[0], object, n));
			first = first ? first : n;
			EXPECT_GE(n, first);	/* management elsewhere may have its page by now */
			pages_allow(~0UL);
			objects_give_many(c, object, n);
			kmem_cache_shrink(c);
		}
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(lists, partial_slabs_come_first,
      "an allocation is served by a slab that is in use already rather than by a free one",
      100000000)
{
	static unsigned long serial[N];
	struct kmem_cache *c;
	unsigned int slabs, freed = 0, holes = 0;
	unsigned long got;

	objects_world(1024);
	c = kmem_cache_create("partial", 500, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(kmem_cache_set_tunables("partial", 1, 1, 0), 0);
	ASSERT_EQ(objects_take_many(c, object, 300), 300);
	slabs = number_of_slabs(object, 300, serial);
	ASSERT_TRUE(slabs > 8);
	/* All of two slabs, then one object of each of the others. */
	for (unsigned int i = 0; i < 300; i++) {
		unsigned long s = objects_slab_of(object[i]).serial;

		if (s == serial[0] || s == serial[1]) {
			objects_give(c, object[i]);
			object[i] = NULL;
			freed++;
		}
	}
	for (unsigned int k = 2; k < slabs; k++) {
		for (unsigned int i = 0; i < 300; i++) {
			if (object[i] && objects_slab_of(object[i]).serial == serial[k]) {
				objects_give(c, object[i]);
				object[i] = NULL;
				holes++;
				break;
			}
		}
	}
	got = objects_slabs_got();
	for (unsigned int i = 0; i < 300 && holes > 2; i++) {
		if (object[i])
			continue;
		object[i] = objects_take(c, GFP_KERNEL);
		ASSERT_TRUE(object[i] != NULL);
		EXPECT_TRUE(objects_slab_of(object[i]).serial != serial[0] &&
			    objects_slab_of(object[i]).serial != serial[1]);
		holes--;
	}
	EXPECT_EQ(objects_slabs_got(), got);
	for (unsigned int i = 0; i < 300; i++)
		if (object[i])
			objects_give(c, object[i]);
	EXPECT_OK(objects_all_back(c));
}

KTEST(lists, free_slabs_serve_before_new_ones,
      "what was freed is used again: a row of allocations and frees, repeated, takes no new pages",
      100000000)
{
	struct kmem_cache *c;
	unsigned long most;

	objects_world(1024);
	c = kmem_cache_create("again", 300, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, 100), 100);
	most = objects_slabs(c);
	objects_give_many(c, object, 100);
	for (unsigned int round = 0; round < 10; round++) {
		ASSERT_EQ(objects_take_many(c, object, 100), 100);
		EXPECT_LE(objects_slabs(c), most + 1);
		objects_give_many(c, object, 100);
	}
}

KTEST(lists, surplus_is_given_back_at_once,
      "of many free slabs a cache keeps some, and gives the others back without being asked",
      100000000)
{
	struct kmem_cache *c;
	unsigned long most;

	objects_world(2048);
	c = kmem_cache_create("surplus", 1000, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, N), N);
	most = objects_pages(c);
	objects_give_many(c, object, N);
	EXPECT_LE(objects_pages(c), most * 7 / 10);
	EXPECT_GE(objects_pages(c), 1);
	EXPECT_OK(objects_all_back(c));
}

KTEST(lists, a_slab_in_use_stays,
      "shrinking gives back free slabs only, while objects of the others are in use", 100000000)
{
	struct kmem_cache *c;
	unsigned int kept = 0;

	objects_world(1024);
	c = kmem_cache_create("stay", 100, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, N), N);
	for (unsigned int i = 0; i < N; i++) {
		if (i % 97 == 5)
			object[kept++] = object[i];
		else
			objects_give(c, object[i]);
	}
	kmem_cache_shrink(c);
	EXPECT_LE(objects_slabs(c), kept);
	EXPECT_EQ(pages_check(), NULL);
	objects_give_many(c, object, kept);
	EXPECT_OK(objects_all_back(c));
}

/* ---- statistics ----------------------------------------------------------------------------- */

static void check_stats(struct kmem_cache *c, unsigned long live, unsigned long used_slabs)
{
	struct slab_stats stats;

	cache_stats(c, &stats);
	EXPECT_EQ(stats.total_slabs, objects_slabs(c));
	EXPECT_EQ(stats.total_slabs * stats.pages_per_slab, objects_pages(c));
	EXPECT_EQ(stats.total_objects, stats.total_slabs * stats.objects_per_slab);
	EXPECT_EQ(stats.active_objects, live);
	EXPECT_GE(stats.active_slabs, used_slabs);
	EXPECT_LE(stats.active_slabs, stats.total_slabs);
}

KTEST(lists, statistics_are_true,
      "cache_stats() counts slabs and objects as they are, live and free", 100000000)
{
	static unsigned long serial[N];
	struct kmem_cache *c;
	unsigned int live = 0;

	objects_world(1024);
	c = kmem_cache_create("stats", 120, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	check_stats(c, 0, 0);
	while (live < 700) {
		object[live++] = objects_take(c, GFP_KERNEL);
		if (live % 100 == 1)
			check_stats(c, live, number_of_slabs(object, live, serial));
	}
	while (live) {
		objects_give(c, object[--live]);
		if (live % 100 == 1)
			check_stats(c, live, number_of_slabs(object, live, serial));
	}
	kmem_cache_shrink(c);
	check_stats(c, 0, 0);
}
