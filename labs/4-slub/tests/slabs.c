/* Objects out of pages, on one CPU. */
#include "shadow.h"
#include "lib/string.h"

static void *objects[1200];

KTEST(slabs, objects_are_disjoint_and_aligned,
      "objects of all sizes lie in memory of their own, aligned, and keep what is written to them",
      50000000)
{
	static const struct { unsigned int size, align; } kinds[] = {
		{ 8, 8 }, { 16, 8 }, { 24, 8 }, { 40, 16 }, { 64, 64 }, { 100, 8 }, { 192, 64 },
		{ 500, 8 }, { 1000, 128 }, { 2048, 2048 }, { 4096, 4096 }, { 8192, 8 },
	};

	boot_slabs(1);
	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned long pages = slab_pages();
		struct kmem_cache *cache = new_cache("kind", kinds[k].size, kinds[k].align, 0, NULL);
		unsigned int n = min(200U, (unsigned int)(0x80000 / kinds[k].size));

		pages = max(pages, slab_pages());
		take_n(cache, objects, n);
		shuffle(&t->rng, objects, n);
		give_n(cache, objects, n / 2);
		take_n(cache, objects, n / 2);
		shuffle(&t->rng, objects, n);
		give_n(cache, objects, n);
		expect_all_back(cache, pages);
		if (ktest_failed())
			return;
	}
}

KTEST(slabs, slabs_are_filled_to_the_last_object,
      "n slabs' worth of objects takes n slabs: none of their memory is left unused",
      40000000)
{
	static const unsigned int sizes[] = { 8, 32, 64, 120, 256, 700, 1024, 3000 };

	boot_slabs(1);
	for (unsigned int k = 0; k < ARRAY_SIZE(sizes); k++) {
		struct kmem_cache *cache = new_cache("full", sizes[k], 8, 0, NULL);
		unsigned int per_slab = objects_per_slab(cache), slabs = max(2U, 300 / per_slab);
		unsigned long pages = slab_pages();

		take_n(cache, objects, slabs * per_slab);
		EXPECT_EQ(slabs_of(cache, slab_pages() - pages), slabs);
		give_n(cache, objects, slabs * per_slab);
		expect_all_back(cache, pages);
	}
}

/* ---- constructors --------------------------------------------------------------------------- */

struct thing {
	u64 made, used, end;
};

static unsigned long constructed;

static void make_thing(void *object)
{
	struct thing *thing = object;

	constructed++;
	thing->made = 0x1dea;
	thing->used = 0;
	thing->end = ~(u64)(unsigned long)thing;
}

static bool is_made(const struct thing *thing)
{
	return thing->made == 0x1dea && !thing->used && thing->end == ~(u64)(unsigned long)thing;
}

KTEST(slabs, constructed_once,
      "the constructor runs once for each object of a slab, and what it made survives free and reuse",
      20000000)
{
	struct kmem_cache *cache;
	unsigned long pages, made;
	struct thing *thing;
	unsigned int n;

	boot_slabs(1);
	constructed = 0;
	cache = new_cache("thing", sizeof(struct thing), 8, 0, make_thing);
	pages = slab_pages();
	n = 3 * objects_per_slab(cache);
	ASSERT_TRUE(n <= ARRAY_SIZE(objects));
	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < n; i++) {
			thing = objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			ASSERT_TRUE(thing != NULL);
			ASSERT_TRUE(is_made(thing));
			thing->used = 1;
		}
		made = slabs_of(cache, slab_pages() - pages) * objects_per_slab(cache);
		EXPECT_EQ(constructed, made);
		shuffle(&t->rng, objects, n);
		for (unsigned int i = 0; i < n; i++) {
			((struct thing *)objects[i])->used = 0;	/* as it was constructed */
			kmem_cache_free(cache, objects[i]);
		}
		constructed = 0;
		kmem_cache_shrink(cache);
	}
	expect_all_back(cache, pages);
}

/* ---- zero ----------------------------------------------------------------------------------- */

static void expect_zero(void **list, unsigned int n, size_t size)
{
	for (unsigned int i = 0; i < n; i++) {
		const u8 *p = list[i];
		size_t k = 0;

		ASSERT_TRUE(p != NULL);
		while (k < size && !p[k])
			k++;
		if (k < size) {
			ktest_fail(__FILE__, __LINE__, "object %u asked for with __GFP_ZERO: byte %lu is %#x",
				   i, k, p[k]);
			return;
		}
		memset(list[i], 0xee, size);
	}
}

KTEST(slabs, zeroed_when_asked,
      "with __GFP_ZERO each byte of an object is zero, one by one, in bulk, and for a node",
      20000000)
{
	struct kmem_cache *cache;
	unsigned int n;

	boot_slabs(1);
	cache = new_cache("zeroed", 100, 8, 0, NULL);
	n = 2 * objects_per_slab(cache) + 3;
	for (unsigned int round = 0; round < 4; round++) {
		gfp_t gfp = GFP_KERNEL | __GFP_ZERO;

		for (unsigned int i = 0; i < n; i++) {
			if (round == 3)
				break;
			objects[i] = round == 2 ? kmem_cache_alloc_node(cache, gfp, 0) :
						  kmem_cache_alloc(cache, gfp);
		}
		if (round == 3)
			ASSERT_EQ(kmem_cache_alloc_bulk(cache, gfp, n, objects), n);
		expect_zero(objects, n, 100);
		for (unsigned int i = 0; i < n; i++)
			kmem_cache_free(cache, objects[i]);
	}
}

KTEST(slabs, kmalloc_finds_its_way_back,
      "kfree() gives each kmalloc'd object back to its own class, and pages to the page allocator",
      20000000)
{
	static unsigned int sizes[300];
	unsigned long pages;

	boot_slabs(1);
	kmem_cache_shrink_all();
	pages = slab_pages();
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			sizes[i] = 1 + prng_below(&t->rng, prng_below(&t->rng, 20) ? 600 : 20000);
			objects[i] = kmalloc(sizes[i], GFP_KERNEL);
			ASSERT_TRUE(objects[i] != NULL);
			EXPECT_GE(ksize(objects[i]), sizes[i]);
			if (!took(objects[i], sizes[i], 8))
				return;
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			giving(objects[i], sizes[i]);
			kfree(objects[i]);
		}
	}
	kfree(NULL);
	EXPECT_EQ(world_log_count("BUG"), 0);
	kmem_cache_shrink_all();
	EXPECT_EQ(slab_pages(), pages);
}


KTEST(slabs, small_slabs_when_memory_is_in_pieces,
      "where no block of several pages is free, slabs of the least order serve", 20000000)
{
	static struct page *taken[WORLD_PAGES];
	struct kmem_cache *cache;
	unsigned int n = 0, got = 0;

	boot_slabs(1);
	cache = new_cache("pieces", 1000, 8, 0, NULL);
	ASSERT_TRUE(slub_of(cache)->order > slub_of(cache)->min_order);
	while (n < WORLD_PAGES && (taken[n] = alloc_pages(__GFP_NOWARN | __GFP_MEMALLOC, 0)))
		n++;
	for (unsigned int i = 0; i < n; i++) {
		/* By frame: no two free ones are neighbours. */
		if (page_to_pfn(taken[i]) % 2) {
			__free_page(taken[i]);
			taken[i] = NULL;
		}
	}
	for (; got < 300; got++) {
		objects[got] = kmem_cache_alloc(cache, GFP_KERNEL);
		ASSERT_TRUE(objects[got] != NULL);
		if (!took(objects[got], 1000, 8))
			return;
	}
	give_n(cache, objects, got);
	for (unsigned int i = 0; i < n; i++)
		if (taken[i])
			__free_page(taken[i]);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}
