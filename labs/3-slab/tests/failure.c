/* No memory, and all or nothing. */
#include "test/ktest/objects.h"
#include "mm/slab/backend.h"
#include "lib/errno.h"
#include "lib/string.h"

#define N	1600

static void *object[N];

static unsigned long settled(void)
{
	for (unsigned int i = 0; i < 3; i++)
		kmem_cache_shrink_all();
	return pages_in_use();
}

KTEST(failure, without_memory_the_answer_is_null,
      "a cache that can get no pages says NULL, and serves again as soon as an object is freed",
      100000000)
{
	static const size_t sizes[] = { 64, 700, 1024, 4096 };

	objects_world(512);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("null", sizes[s], 0, 0, objects_ctor);
		unsigned long n;

		ASSERT_TRUE(c != NULL);
		pages_allow(16);
		n = objects_take_many(c, object, N);
		ASSERT_TRUE(n > 4 && n < N);
		for (unsigned int i = 0; i < 5; i++) {
			EXPECT_EQ(objects_take(c, GFP_KERNEL), NULL);
			EXPECT_EQ(objects_take(c, GFP_ATOMIC), NULL);
			objects_give(c, object[i]);
			object[i] = objects_take(c, GFP_ATOMIC);
			ASSERT_TRUE(object[i] != NULL);
		}
		pages_allow(~0UL);
		objects_give_many(c, object, n);
		EXPECT_OK(objects_all_back(c));
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

/* The life of a cache, in which one allocation of pages fails. */
static void short_life(size_t size)
{
	struct kmem_cache *c = kmem_cache_create("short", size, 0, 0, objects_ctor);
	unsigned int n = 0;

	if (!c)
		return;
	for (unsigned int i = 0; i < 20; i++) {
		object[n] = objects_take(c, GFP_KERNEL | __GFP_NOWARN);
		n += object[n] != NULL;
	}
	cache_tune(c, "limit", 300);
	objects_give_many(c, object, n);
	EXPECT_OK(objects_all_back(c));
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

KTEST(failure, a_failed_page_leaks_nothing,
      "whichever allocation of pages fails while a cache is made, grows and is tuned, nothing "
      "is lost",
      400000000)
{
	static const size_t sizes[] = { 40, 700, 1024, 4096 };
	unsigned long before;

	objects_world(192);
	before = settled();
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned long k = 0, refused;

		do {
			refused = pages_refused();
			pages_fail(++k);
			short_life(sizes[s]);
			pages_fail(0);
		} while (pages_refused() > refused);	/* until its whole life needs fewer than k */
		EXPECT_GE(k, 2);
		EXPECT_EQ(settled(), before);
	}
	EXPECT_EQ(pages_check(), NULL);
	EXPECT_EQ(world_log_count("BUG"), 0);
}

KTEST(failure, tunables_without_memory,
      "tunables that there is no memory for say -ENOMEM, lose nothing, and the cache works on",
      100000000)
{
	struct slab_stats stats;
	struct kmem_cache *c;
	unsigned long before;

	objects_world(1024);
	c = kmem_cache_create("nomem", 200, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(kmem_cache_set_tunables("nomem", 20, 10, 1), 0);
	ASSERT_EQ(objects_take_many(c, object, 100), 100);
	objects_give_many(c, object + 50, 50);
	before = settled();
	/* Nothing at all; then enough for the first CPU's array and not for the second's. */
	for (unsigned long pages = 0; pages <= 4; pages += 4) {
		pages_allow(pages);
		EXPECT_EQ(cache_tune(c, "limit", 2000), -ENOMEM);
		pages_allow(~0UL);
		cache_stats(c, &stats);
		EXPECT_EQ(stats.limit, 20);
	}
	ASSERT_EQ(kmem_cache_set_tunables("nomem", 20, 10, 1), 0);
	EXPECT_EQ(settled(), before);
	objects_give_many(c, object, 50);
	EXPECT_OK(objects_all_back(c));
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

KTEST(failure, bulk_is_all_or_nothing,
      "kmem_cache_alloc_bulk() gives all objects asked for, or none and keeps none", 200000000)
{
	static const size_t sizes[] = { 48, 600, 2048 };

	objects_world(256);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("bulk", sizes[s], 0, 0, objects_ctor);
		unsigned long most;

		ASSERT_TRUE(c != NULL);
		pages_allow(8);
		most = objects_take_many(c, object, N);
		objects_give_many(c, object, most);
		kmem_cache_shrink(c);
		for (unsigned int n = 0; n <= most + 30; n += 1 + n / 3) {
			int got;

			memset(object, 0, n * sizeof(*object));
			got = kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_NOWARN, n, object);
			EXPECT_EQ(got, n <= most ? n : 0);
			for (int i = 0; i < got; i++)
				objects_took(c, object[i]);
			for (int i = 0; i < got; i++)
				objects_gave(c, object[i]);
			kmem_cache_free_bulk(c, got, object);
		}
		EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_NOWARN, most + 1, object), 0);
		EXPECT_EQ(objects_take_many(c, object, N), most);
		pages_allow(~0UL);
		objects_give_many(c, object, most);
		EXPECT_OK(objects_all_back(c));
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
	EXPECT_EQ(world_log_count("BUG"), 0);
}

KTEST(failure, bulk_zeroes, "objects allocated in bulk with __GFP_ZERO are all zero", 50000000)
{
	struct kmem_cache *c;

	objects_world(512);
	c = kmem_cache_create("zeroes", 72, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	for (unsigned int round = 0; round < 2; round++) {
		ASSERT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_ZERO, 200, object), 200);
		for (unsigned int i = 0; i < 200; i++) {
			for (unsigned int k = 0; k < 72; k++)
				ASSERT_EQ(((u8 *)object[i])[k], 0);
			memset(object[i], 0xff, 72);
		}
		kmem_cache_free_bulk(c, 200, object);
	}
	EXPECT_OK(objects_all_back(c));
}

/* Takes all that kmalloc's small classes have, so that nothing is left for management off the slab. */
static unsigned int empty_small_classes(void)
{
	unsigned int n = 0;

	pages_allow(0);
	for (size_t size = 8; size <= 512; size *= 2)
		while (n < N && (object[n] = kmem_cache_alloc(&kmalloc_caches[kmalloc_index(size)],
							      GFP_KERNEL | __GFP_NOWARN)))
			n++;
	return n;
}

KTEST(failure, a_slab_without_books_is_no_slab,
      "pages for which there is no management, as its cache has nothing left, are given back "
      "at once",
      100000000)
{
	objects_world(512);
	for (size_t size = 512; size <= 4096; size *= 2) {
		struct kmem_cache *c = kmem_cache_create("books", size, size, 0, NULL);
		unsigned long before;
		unsigned int n;
		void *got;

		ASSERT_TRUE(c != NULL);
		n = empty_small_classes();
		ASSERT_TRUE(n < N);
		before = settled();
		for (unsigned int i = 0; i < 3; i++) {
			pages_allow(1);
			got = kmem_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
			if (got)
				kmem_cache_free(c, got);
			else
				EXPECT_EQ(settled(), before);	/* or the management has it, and frees it */
		}
		pages_allow(~0UL);
		while (n)
			kfree(object[--n]);
		EXPECT_OK(objects_all_back(c));
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}
