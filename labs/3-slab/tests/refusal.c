/* Bad frees: each is reported, and changes nothing. Whether that is so is learned by taking everything
 * afterwards: an object that was freed twice would be had by two. */
#include "test/ktest/objects.h"
#include "mm/slab/backend.h"
#include "lib/string.h"

#define N	250

static void *object[N], *more[N];
static const size_t sizes[] = { 32, 200, 700, 1024, 4096 };

/* @body must add to the log, once. */
#define REFUSED(body) do {								\
	unsigned int _before;								\
	world_log_forget();								\
	_before = world_log_count("BUG");						\
	body;										\
	EXPECT_EQ(world_log_count("BUG") - _before, 1);					\
	} while (0)

/* Takes many objects beside those that are live, gives all back and destroys the cache. */
static void check_and_destroy(struct kmem_cache *c, void **live, unsigned long n)
{
	unsigned long got = objects_take_many(c, more, c->object_size > 1000 ? 60 : N);

	objects_give_many(c, more, got);
	objects_give_many(c, live, n);
	EXPECT_OK(objects_all_back(c));
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

static struct kmem_cache *cache_with(size_t size, unsigned long n)
{
	struct kmem_cache *c = kmem_cache_create("refuse", size, 0, 0, NULL);

	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, n), n);
	return c;
}

KTEST(refusal, double_free_at_once,
      "an object that was just freed cannot be freed again", 100000000)
{
	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = cache_with(sizes[s], 20);

		objects_give(c, object[19]);
		REFUSED(kmem_cache_free(c, object[19]));
		objects_give(c, object[18]);
		REFUSED(kmem_cache_free(c, object[19]));
		REFUSED(kmem_cache_free(c, object[18]));
		check_and_destroy(c, object, 18);
	}
}

KTEST(refusal, double_free_after_a_while,
      "nor when it has gone back to its slab, or to the shared array", 200000000)
{
	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = cache_with(sizes[s], 60);
		void *neighbour = NULL;

		/* One object of each slab stays, so the slab does. */
		for (unsigned int i = 0; i < 60; i++)
			if (i != 30 && objects_slab_of(object[i]).serial ==
				       objects_slab_of(object[30]).serial)
				neighbour = object[i];
		objects_give(c, object[30]);
		kmem_cache_shrink(c);
		if (neighbour || objects_slab_of(object[30]).cache == c)
			REFUSED(kmem_cache_free(c, object[30]));
		memmove(object + 30, object + 31, 29 * sizeof(*object));
		check_and_destroy(c, object, 59);
	}
}

static void free_on_one(unsigned int cpu, void *arg)
{
	if (cpu == 1)
		kmem_cache_free(arg, object[5]);
}

KTEST(refusal, double_free_on_another_cpu,
      "nor on another CPU than the one in whose array it lies", 100000000)
{
	struct kmem_cache *c;

	objects_world(512);
	c = cache_with(100, 40);
	objects_give(c, object[5]);
	REFUSED(pages_on_cpus(2, t->seed, free_on_one, c));
	object[5] = object[39];
	check_and_destroy(c, object, 39);
}

KTEST(refusal, the_middle_of_an_object,
      "what is no start of an object is refused, wherever it points into a slab", 200000000)
{
	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = cache_with(sizes[s], 20);
		struct objects_slab slab = objects_slab_of(object[7]);
		char *start = __va(PFN_PHYS(slab.first)), *end = start + (PAGE_SIZE << slab.order);
		char *low = object[7], *high = object[7];

		REFUSED(kmem_cache_free(c, (char *)object[7] + 8));
		REFUSED(kmem_cache_free(c, (char *)object[7] + 1));
		REFUSED(kmem_cache_free(c, (char *)object[7] + sizes[s] - 1));
		/* In front of the first object and behind the last, if there is such a place. */
		while (low - c->size >= start)
			low -= c->size;
		while (high + 2 * c->size <= end)
			high += c->size;
		if (low > start)
			REFUSED(kmem_cache_free(c, low - 8));
		if (high + c->size < end)
			REFUSED(kmem_cache_free(c, high + c->size));
		check_and_destroy(c, object, 20);
	}
}

KTEST(refusal, an_object_never_handed_out,
      "an object that is free in its slab since the slab was made is refused", 100000000)
{
	objects_world(512);
	for (unsigned int s = 0; s < 4; s++) {
		struct kmem_cache *c = cache_with(sizes[s], 2);
		struct objects_slab slab = objects_slab_of(object[0]);
		char *start = __va(PFN_PHYS(slab.first));

		for (char *p = object[0]; p >= start; p -= c->size)
			if (p != object[0] && p != object[1] && p - c->size >= start)
				REFUSED(kmem_cache_free(c, p));
		for (char *p = object[0]; p + 2 * c->size <= start + (PAGE_SIZE << slab.order);
		     p += c->size)
			if (p != object[0] && p != object[1])
				REFUSED(kmem_cache_free(c, p));
		check_and_destroy(c, object, 2);
	}
}

KTEST(refusal, what_belongs_elsewhere,
      "objects of other caches, pages without slabs and wild addresses are refused by both frees",
      100000000)
{
	struct kmem_cache *c, *d;
	void *pages;

	objects_world(512);
	d = kmem_cache_create("elsewhere", 64, 0, 0, NULL);
	ASSERT_TRUE(d != NULL);
	c = cache_with(64, 20);
	more[0] = objects_take(d, GFP_KERNEL);
	pages = objects_kmalloc(20000, GFP_KERNEL);
	ASSERT_TRUE(more[0] && pages);
	REFUSED(kmem_cache_free(c, more[0]));
	REFUSED(kmem_cache_free(c, pages));
	REFUSED(kmem_cache_free(c, (void *)0x1234560UL));
	REFUSED(kfree((char *)pages + 8));
	REFUSED(kfree((char *)object[3] + 8));
	kmem_cache_free(c, NULL);
	objects_give(d, more[0]);
	objects_kfree(pages, 20000);
	REFUSED(kfree(pages));
	check_and_destroy(c, object, 20);
	EXPECT_EQ(kmem_cache_destroy(d), 0);
}
