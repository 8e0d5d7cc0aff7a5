/* Constructed objects: the oracle's own constructor counts, marks and recognises. */
#include "test/ktest/objects.h"

#define N	900

static void *object[N];

KTEST(ctor, each_object_is_constructed_once,
      "the constructor runs once for each object of a new slab, before any of them is handed out",
      100000000)
{
	static const size_t sizes[] = { 20, 64, 300, 1024, 2000 };

	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("once", sizes[s], 0, 0, objects_ctor);
		unsigned long before = objects_constructed(), n;

		ASSERT_TRUE(c != NULL);
		pages_allow(32);
		n = objects_take_many(c, object, N);	/* judges each */
		pages_allow(~0UL);
		if (n < N)
			EXPECT_EQ(objects_constructed() - before, n);
		else
			EXPECT_GE(objects_constructed() - before, n);
		objects_give_many(c, object, n);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(ctor, constructed_objects_stay_constructed,
      "an object that was freed as it was constructed is handed out like that, and not "
      "constructed again",
      100000000)
{
	static const size_t sizes[] = { 16, 100, 512, 1400 };

	objects_world(512);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("stays", sizes[s], 0, 0, objects_ctor);
		unsigned long after_first, slabs;

		ASSERT_TRUE(c != NULL);
		ASSERT_EQ(objects_take_many(c, object, 200), 200);
		after_first = objects_constructed();
		slabs = objects_slabs_got();
		for (unsigned int round = 0; round < 3; round++) {
			for (unsigned int i = 0; i < 200; i++)
				if ((i + round) % 5)
					objects_give(c, object[i]);
			for (unsigned int i = 0; i < 200; i++)
				if ((i + round) % 5)
					object[i] = objects_take(c, GFP_KERNEL);
		}
		if (objects_slabs_got() == slabs)
			EXPECT_EQ(objects_constructed(), after_first);
		objects_give_many(c, object, 200);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(ctor, new_slabs_are_constructed_anew,
      "what comes from pages that were given back and taken again is constructed again", 100000000)
{
	struct kmem_cache *c;

	objects_world(512);
	c = kmem_cache_create("anew", 250, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	for (unsigned int round = 0; round < 4; round++) {
		unsigned long before = objects_constructed();

		ASSERT_EQ(objects_take_many(c, object, 300), 300);
		EXPECT_GE(objects_constructed() - before, 300);
		objects_give_many(c, object, 300);
		ASSERT_OK(objects_all_back(c));
	}
}

static unsigned int plain_calls;

static void count_call(void *unused)
{
	(void)unused;
	plain_calls++;
}

KTEST(ctor, freeing_constructs_nothing,
      "neither a free nor an allocation from what there is calls the constructor", 50000000)
{
	struct kmem_cache *c;
	unsigned int before;

	objects_world(512);
	plain_calls = 0;
	c = kmem_cache_create("calls", 64, 0, 0, count_call);
	ASSERT_TRUE(c != NULL);
	EXPECT_EQ(plain_calls, 0);
	object[0] = kmem_cache_alloc(c, GFP_KERNEL);
	before = plain_calls;
	EXPECT_GE(before, 1);
	for (unsigned int i = 0; i < 100; i++) {
		kmem_cache_free(c, object[0]);
		object[0] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	EXPECT_EQ(plain_calls, before);
	kmem_cache_free(c, object[0]);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(plain_calls, before);
}
