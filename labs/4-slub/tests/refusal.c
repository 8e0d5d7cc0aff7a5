/* No memory, bad frees, and what the debug options find. */
#include "shadow.h"
#include "lib/string.h"

#define MAX_OBJECTS	4000

static void *objects[MAX_OBJECTS];
static unsigned long calls_left;

static bool few_pages(struct kmem_cache *cache, gfp_t gfp)
{
	(void)cache, (void)gfp;
	return calls_left && calls_left--;
}

KTEST(refusal, without_memory_nothing_is_lost,
      "an allocation fails only when there is no memory, and then no object, page or interrupt flag is lost",
      80000000)
{
	struct kmem_cache *cache;
	unsigned int first = 0;
	unsigned long pages;

	boot_slabs(1);
	cache = new_cache("none", 2048, 8, 0, NULL);
	pages = slab_pages();
	for (unsigned int round = 0; round < 3; round++) {
		unsigned int n = 0;

		while (n < MAX_OBJECTS && (objects[n] = kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN))) {
			if (!took(objects[n], 2048, 8))
				return;
			n++;
		}
		EXPECT_FALSE(irqs_disabled());
		ASSERT_TRUE(n > 0 && n < MAX_OBJECTS);
		first = first ? first : n;
		EXPECT_EQ(n, first);
		/* One is free again, and is found. */
		give_n(cache, objects + n / 2, 1);
		take_n(cache, objects + n / 2, 1);
		give_n(cache, objects, n);
		kmem_cache_shrink(cache);
		EXPECT_EQ(slab_pages(), pages);
	}
	before_pages = few_pages;
	calls_left = 0;
	EXPECT_TRUE(kmem_cache_alloc(cache, GFP_KERNEL) == NULL);
	EXPECT_TRUE(kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO) == NULL);
	EXPECT_TRUE(kmem_cache_alloc_node(cache, GFP_KERNEL, 0) == NULL);
	EXPECT_FALSE(irqs_disabled());
	before_pages = NULL;
	expect_all_back(cache, pages);
}

KTEST(refusal, bad_frees_are_refused,
      "what is not the cache's object is reported once and left alone; NULL is ignored", 20000000)
{
	struct kmem_cache *mine, *other;
	void *a[3], *b[3], *block;
	unsigned long pages;

	boot_slabs(1);
	mine = new_cache("mine", 64, 8, 0, NULL);
	other = new_cache("other", 64, 8, 0, NULL);
	pages = slab_pages();
	take_n(mine, a, 3);
	take_n(other, b, 3);
	block = (void *)__get_free_pages(GFP_KERNEL, 0);
	world_log_forget();
	kmem_cache_free(mine, NULL);
	kfree(NULL);
	EXPECT_EQ(world_log_count("BUG"), 0);
	kmem_cache_free(mine, b[0]);
	EXPECT_EQ(world_log_count("BUG"), 1);
	kmem_cache_free(mine, (void *)&pages);		/* no memory of the world's */
	EXPECT_EQ(world_log_count("BUG"), 2);
	kmem_cache_free(mine, block);
	EXPECT_EQ(world_log_count("BUG"), 3);
	giving(a[0], 64);
	giving(a[1], 64);
	kmem_cache_free_bulk(mine, 3, (void *[]){ a[0], b[1], a[1] });
	EXPECT_EQ(world_log_count("BUG"), 4);
	world_log_forget();
	give_n(mine, a + 2, 1);
	give_n(other, b, 3);
	free_page(block);
	EXPECT_EQ(world_log_count("BUG"), 0);
	EXPECT_EQ(live_objects(), 0);
	EXPECT_EQ(kmem_cache_destroy(mine), 0);
	EXPECT_EQ(kmem_cache_destroy(other), 0);
}

/* ---- debug options --------------------------------------------------------------------------- */

struct batch {
	struct kmem_cache *cache;
	void **objects;
	unsigned int n;
};

static void give_batch(void *arg)
{
	struct batch *batch = arg;

	give_n(batch->cache, batch->objects, batch->n);
}

KTEST(refusal, debugged_caches_work,
      "with every mixture of debug options objects are as disjoint, and as lasting, as without", 60000000)
{
	boot_slabs(1);
	for (unsigned int mix = 1; mix < 16 && !ktest_failed(); mix++) {
		size_t size = 1 + prng_below(&t->rng, 300);
		struct kmem_cache *cache = new_cache("debugged", size, 8, mix * SLAB_CONSISTENCY_CHECKS, NULL);
		unsigned long pages = slab_pages();
		struct batch batch = { cache, objects, 40 };

		take_n(cache, objects, 60);
		shuffle(&t->rng, objects, 60);
		run_on(1, t->seed, give_batch, &batch);
		ASSERT_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 40, objects), 40);
		for (unsigned int i = 0; i < 40; i++)
			ASSERT_TRUE(took(objects[i], size, 8));
		give_n(cache, objects, 30);
		for (unsigned int i = 30; i < 60; i++)
			giving(objects[i], size);
		kmem_cache_free_bulk(cache, 30, objects + 30);
		expect_all_back(cache, pages);
	}
}

static void overflow(struct kmem_cache *cache, u8 *object)
{
	object[60] = 1;
	kmem_cache_free(cache, object);
}

static void underflow(struct kmem_cache *cache, u8 *object)
{
	object[-1] = 1;
	kmem_cache_free(cache, object);
}

static void free_twice(struct kmem_cache *cache, u8 *object)
{
	kmem_cache_free(cache, object);
	kmem_cache_free(cache, object);
}

static void free_inside(struct kmem_cache *cache, u8 *object)
{
	kmem_cache_free(cache, object + 8);
	kmem_cache_free(cache, object);
}

static void write_late(struct kmem_cache *cache, u8 *object)
{
	unsigned int n = 0;

	kmem_cache_free(cache, object);
	object[20] = 1;
	while (n < 400 && !world_log_count("BUG"))
		objects[n++] = kmem_cache_alloc(cache, GFP_KERNEL);
	while (n)
		kmem_cache_free(cache, objects[--n]);
}

/* @what, done to an object of a cache with @flags, ends in one report that says @text. */
static void provoke(slab_flags_t flags, void (*what)(struct kmem_cache *, u8 *), const char *text)
{
	struct kmem_cache *cache = new_cache("provoked", 60, 8, flags, NULL);
	void *mine[20];

	for (unsigned int i = 0; i < ARRAY_SIZE(mine); i++) {
		mine[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		ASSERT_TRUE(mine[i] != NULL);
	}
	world_log_forget();
	what(cache, mine[5]);
	EXPECT_EQ(world_log_count("BUG provoked"), 1);
	EXPECT_EQ(world_log_count(text), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(mine); i++)
		if (i != 5)
			kmem_cache_free(cache, mine[i]);
	/* Nothing is handed out twice afterwards. */
	take_n(cache, mine, ARRAY_SIZE(mine));
	give_n(cache, mine, ARRAY_SIZE(mine));
	EXPECT_EQ(world_log_count("BUG provoked"), 1);
	world_log_forget();
}

KTEST(refusal, misuse_is_reported_once,
      "double frees, frees inside, writes beyond and after the free end in one report each, and are survived",
      30000000)
{
	boot_slabs(1);
	provoke(SLAB_RED_ZONE, overflow, "Right Redzone overwritten");
	provoke(SLAB_RED_ZONE, underflow, "Left Redzone overwritten");
	provoke(SLAB_CONSISTENCY_CHECKS, free_twice, "double free");
	provoke(SLAB_CONSISTENCY_CHECKS, free_inside, "not the start of an object");
	provoke(SLAB_POISON, write_late, "Poison overwritten");
	provoke(SLUB_DEBUG_FLAGS, overflow, "Allocated by CPU");
	provoke(SLUB_DEBUG_FLAGS, write_late, "Freed by CPU");
}
