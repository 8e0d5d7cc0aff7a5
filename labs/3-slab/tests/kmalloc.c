/* The general caches, as everybody uses them. */
#include "test/ktest/objects.h"
#include "lib/string.h"

KTEST(kmalloc, every_size_has_its_class,
      "kmalloc() of any size gives memory of that size, aligned, zeroed if asked for", 300000000)
{
	objects_world(1024);
	for (size_t size = 1; size <= 20000; size += size < 300 ? 1 : 1 + prng_below(&t->rng, 400)) {
		void *a = objects_kmalloc(size, GFP_KERNEL);
		void *b = objects_kmalloc(size, GFP_KERNEL | __GFP_ZERO);

		ASSERT_TRUE(a && b);
		EXPECT_GE(ksize(a), size);
		if (size > 8 && size <= 8192)
			EXPECT_LE(ksize(a), 2 * size);
		objects_kfree(a, size);
		objects_kfree(b, size);
	}
	kfree(NULL);
	EXPECT_EQ(world_log_count("BUG"), 0);
}

KTEST(kmalloc, all_of_ksize_may_be_used,
      "what ksize() names can be written, to the last byte, without touching another object",
      200000000)
{
	static void *p[64];
	static const size_t sizes[] = { 5, 30, 90, 100, 150, 200, 400, 900, 3000, 8000 };

	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned int n = sizes[s] < 1000 ? 64 : 16;

		for (unsigned int i = 0; i < n; i++) {
			p[i] = __kmalloc(sizes[s], GFP_KERNEL);
			ASSERT_TRUE(p[i] != NULL);
			memset(p[i], i, ksize(p[i]));
		}
		for (unsigned int i = 0; i < n; i++) {
			EXPECT_EQ(memchr_inv(p[i], i, ksize(p[i])), NULL);
			kfree(p[i]);
		}
	}
}

/* What slabs keep in other caches they give back first, perhaps to one that was shrunk already. */
static unsigned long settled(void)
{
	for (unsigned int i = 0; i < 3; i++)
		kmem_cache_shrink_all();
	return pages_in_use();
}

KTEST(kmalloc, krealloc_keeps_contents,
      "krealloc() keeps what was written, whether or not the object moves", 100000000)
{
	unsigned long before;
	u8 *p = NULL;

	objects_world(1024);
	before = settled();
	for (size_t size = 1, old = 0; size < 30000; old = size, size += 1 + prng_below(&t->rng, size)) {
		p = krealloc(p, size, GFP_KERNEL);
		ASSERT_TRUE(p != NULL);
		for (size_t i = 0; i < old; i++)
			if (p[i] != (u8)(i * 7))
				ASSERT_EQ(p[i], (u8)(i * 7));
		for (size_t i = 0; i < size; i++)
			p[i] = i * 7;
	}
	EXPECT_EQ(krealloc(p, 0, GFP_KERNEL), NULL);
	EXPECT_EQ(settled(), before);
}

KTEST(kmalloc, caches_are_not_merged_unasked,
      "two caches of the same kind share no slabs, unless slab_merge is on the command line",
      50000000)
{
	struct kmem_cache *a, *b;
	void *p, *q;

	objects_world(512);
	a = kmem_cache_create("one", 64, 0, 0, NULL);
	b = kmem_cache_create("two", 64, 0, 0, NULL);
	ASSERT_TRUE(a && b);
	EXPECT_NE(a, b);
	p = objects_take(a, GFP_KERNEL);
	q = objects_take(b, GFP_KERNEL);
	ASSERT_TRUE(p && q);
	EXPECT_NE(objects_slab_of(p).serial, objects_slab_of(q).serial);
	objects_give(a, p);
	objects_give(b, q);
	EXPECT_EQ(kmem_cache_destroy(a), 0);
	EXPECT_EQ(kmem_cache_destroy(b), 0);
}
