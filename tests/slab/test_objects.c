/* What every allocator of small objects owes, on one CPU. */
#include "test.h"

static const size_t sizes[] = { 1, 8, 9, 24, 64, 72, 96, 100, 192, 200, 256, 300, 500, 1000, 1080, 2000,
				2600, 4096 };

/* ---- a shadow: which bytes of memory are somebody's --------------------------------------- */

#define NR_LIVE	3000

struct shadow {
	struct live {
		u8 *object;
		size_t size;
		u64 tag;
		struct kmem_cache *cache;	/* NULL: kmalloc's */
	} live[NR_LIVE];
	unsigned int nr;
};

/* An object that overlapped a live one would change its mark. */
static void shadow_add(struct shadow *s, void *object, size_t size, u64 tag,
		       struct kmem_cache *cache)
{
	s->live[s->nr++] = (struct live){ object, size, tag, cache };
	mark_object(object, size, tag);
}

static struct live shadow_remove(struct shadow *s, unsigned int i)
{
	struct live live = s->live[i];

	EXPECT(object_marked(live.object, live.size, live.tag));
	s->live[i] = s->live[--s->nr];
	return live;
}

static void release(struct live live)
{
	if (live.cache)
		kmem_cache_free(live.cache, live.object);
	else
		kfree(live.object);
}

/* ---- kmalloc ------------------------------------------------------------------------------ */

static void test_kmalloc_sizes(struct prng *rng)
{
	unsigned long before = pages_in_use();

	for (size_t size = 1; size <= 3 * 8192; size += 1 + prng_below(rng, size < 600 ? 3 : 500)) {
		size_t align = size & (size - 1) ? 8 : min(size, (size_t)PAGE_SIZE);
		u8 *object = kmalloc(size, GFP_KERNEL);

		EXPECT(object && (unsigned long)object % max(align, (size_t)8) == 0);
		EXPECT(ksize(object) >= size);
		if (size <= KMALLOC_MAX_CACHE_SIZE)
			EXPECT(PageSlab(virt_to_page(object)));
		memset(object, 0xff, ksize(object));
		kfree(object);
		object = kzalloc(size, GFP_KERNEL);
		EXPECT(object && !memchr_inv(object, 0, size));
		kfree(object);
	}
	kfree(NULL);
	EXPECT_EQ(ksize(NULL), 0);
	EXPECT(!kmalloc(64UL << 20, GFP_KERNEL | __GFP_NOWARN));
	EXPECT(!kmalloc_array(~0UL / 4, 8, GFP_KERNEL));
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* The class that the compiler chooses is the one that is chosen at run time. */
static void test_constant_sizes(struct prng *rng)
{
	(void)rng;
#define SAME_CLASS(n) do { volatile size_t _n = (n); void *_a = kmalloc(n, 0), *_b = kmalloc(_n, 0); \
	EXPECT_EQ(ksize(_a), ksize(_b)); kfree(_a); kfree(_b); } while (0)
	SAME_CLASS(1); SAME_CLASS(8); SAME_CLASS(9); SAME_CLASS(33); SAME_CLASS(64); SAME_CLASS(65);
	SAME_CLASS(96); SAME_CLASS(97); SAME_CLASS(128); SAME_CLASS(129); SAME_CLASS(192);
	SAME_CLASS(193); SAME_CLASS(256); SAME_CLASS(257); SAME_CLASS(1000); SAME_CLASS(2048);
	SAME_CLASS(4096); SAME_CLASS(4097); SAME_CLASS(8192); SAME_CLASS(8193);
}

static void test_krealloc(struct prng *rng)
{
	unsigned long before = pages_in_use();
	size_t size = 1;
	u8 *object = krealloc(NULL, size, GFP_KERNEL);

	object[0] = 7;
	while (size < 20000 && object) {
		size_t more = size + 1 + prng_below(rng, size);
		u8 *larger;

		mark_object(object, size, size);
		larger = krealloc(object, more, GFP_KERNEL);
		EXPECT(larger && object_marked(larger, size, size));
		object = larger;
		size = more;
	}
	EXPECT_EQ(krealloc(object, 10, GFP_KERNEL), object);
	EXPECT_EQ(krealloc(object, 0, GFP_KERNEL), NULL);
	EXPECT_EQ(pages_in_use(), before);
}

/* ---- caches ------------------------------------------------------------------------------- */

static void test_cache_layout(struct prng *rng)
{
	(void)rng;
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t align = 0; align <= 256; align = align ? 2 * align : 8) {
			struct kmem_cache *c = kmem_cache_create("layout", sizes[s], align, 0, NULL);
			void *objects[40];

			EXPECT(c);
			if (!c)
				continue;
			for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
				objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
				EXPECT(objects[i] &&
				       (unsigned long)objects[i] % max(align, (size_t)8) == 0);
				mark_object(objects[i], sizes[s], i);
			}
			for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
				EXPECT(object_marked(objects[i], sizes[s], i));
				kmem_cache_free(c, objects[i]);
			}
			EXPECT_EQ(kmem_cache_destroy(c), 0);
		}
	}
	EXPECT_EQ(log_count("BUG"), 0);
}

static void test_hwcache_align(struct prng *rng)
{
	(void)rng;
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("lines", sizes[s], 0, SLAB_HWCACHE_ALIGN,
							 NULL);
		void *objects[20];

		for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			if (sizes[s] <= 64)	/* never across a line */
				EXPECT((unsigned long)objects[i] % 64 + sizes[s] <= 64);
			else
				EXPECT_EQ((unsigned long)objects[i] % 64, 0);
		}
		kmem_cache_free_bulk(c, ARRAY_SIZE(objects), objects);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

static void test_create_refuses(struct prng *rng)
{
	(void)rng;
	EXPECT(!kmem_cache_create("none", 0, 0, 0, NULL));
	EXPECT(!kmem_cache_create("huge", KMALLOC_MAX_CACHE_SIZE + 1, 0, 0, NULL));
	EXPECT(!kmem_cache_create("odd", 100, 24, 0, NULL));
	EXPECT(!kmem_cache_create("wide", 100, 2 * PAGE_SIZE, 0, NULL));
	EXPECT_EQ(kmem_cache_destroy(NULL), 0);
}

static void test_busy(struct prng *rng)
{
	unsigned long before = pages_in_use();
	struct kmem_cache *c = kmem_cache_create("busy", 120, 0, 0, NULL);
	void *a = kmem_cache_alloc(c, GFP_KERNEL), *b = kmem_cache_alloc(c, GFP_KERNEL);

	(void)rng;
	kmem_cache_free(c, a);
	EXPECT_EQ(kmem_cache_destroy(c), -EBUSY);
	a = kmem_cache_alloc(c, GFP_KERNEL);		/* it works as before */
	EXPECT(a && a != b);
	kmem_cache_free(c, a);
	kmem_cache_free(c, b);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(pages_in_use(), before);
}

static void test_random(struct prng *rng)
{
	static struct shadow s;
	unsigned long before = pages_in_use();
	struct kmem_cache *caches[8];

	s.nr = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++)
		caches[i] = kmem_cache_create("random", sizes[prng_below(rng, ARRAY_SIZE(sizes))],
					      8UL << prng_below(rng, 5),
					      prng_below(rng, 2) ? SLAB_HWCACHE_ALIGN : 0, NULL);
	for (unsigned int step = 0; step < 60000 && !test_failed(); step++) {
		struct kmem_cache *c = prng_below(rng, 3) ?
				       caches[prng_below(rng, ARRAY_SIZE(caches))] : NULL;
		size_t size = c ? c->object_size : 1 + prng_below(rng, prng_below(rng, 8) ? 300 : 9000);
		/* The number of those alive goes up and down. */
		unsigned int want = step / 5000 % 2 ? 200 : NR_LIVE;

		if (prng_below(rng, 4096) == 0)
			kmem_cache_reap();
		if (prng_below(rng, 8192) == 0)
			kmem_cache_shrink_all();
		if (s.nr && (s.nr == NR_LIVE || prng_below(rng, want + s.nr) < s.nr)) {
			release(shadow_remove(&s, prng_below(rng, s.nr)));
		} else {
			bool zero = prng_below(rng, 4) == 0;
			gfp_t gfp = GFP_KERNEL | (zero ? __GFP_ZERO : 0);
			void *object = c ? kmem_cache_alloc(c, gfp) : kmalloc(size, gfp);

			EXPECT(object && (!zero || !memchr_inv(object, 0, size)));
			shadow_add(&s, object, size, prng_next(rng), c);
		}
	}
	while (s.nr)
		release(shadow_remove(&s, prng_below(rng, s.nr)));
	for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++)
		EXPECT_EQ(kmem_cache_destroy(caches[i]), 0);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* ---- constructed objects ------------------------------------------------------------------ */

static unsigned int constructed;

static void construct(void *object)
{
	constructed++;
	memset(object, 0x3c, 72);
}

static void test_ctor(struct prng *rng)
{
	struct kmem_cache *c = kmem_cache_create("ctor", 72, 0, 0, construct);
	void *objects[500];

	constructed = 0;
	for (unsigned int round = 0; round < 20; round++) {
		unsigned int n = 1 + prng_below(rng, ARRAY_SIZE(objects));

		for (unsigned int i = 0; i < n; i++) {
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			EXPECT(objects[i] && !memchr_inv(objects[i], 0x3c, 72));
		}
		for (unsigned int i = 0; i < n; i++)
			kmem_cache_free(c, objects[i]);
	}
#if defined(CONFIG_SLAB_SLAB) || defined(CONFIG_SLAB_SLUB)
	struct slab_stats stats;

	cache_stats(c, &stats);
	EXPECT(constructed <= 600 && constructed >= stats.total_objects);
#endif
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

/* ---- bulk --------------------------------------------------------------------------------- */

static void test_bulk(struct prng *rng)
{
	unsigned long before = pages_in_use();
	struct kmem_cache *c = kmem_cache_create("bulk", 88, 0, 0, NULL);
	static void *objects[1000];

	for (unsigned int round = 0; round < 50; round++) {
		unsigned int n = prng_below(rng, prng_below(rng, 2) ? 20 : ARRAY_SIZE(objects));
		gfp_t gfp = round % 3 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO;

		EXPECT_EQ(kmem_cache_alloc_bulk(c, gfp, n, objects), n);
		for (unsigned int i = 0; i < n; i++) {
			if (gfp & __GFP_ZERO)
				EXPECT(!memchr_inv(objects[i], 0, 88));
			mark_object(objects[i], 88, i);
		}
		for (unsigned int i = 0; i < n; i++)
			EXPECT(object_marked(objects[i], 88, i));
		kmem_cache_free_bulk(c, n, objects);
	}
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* ---- memory runs out ---------------------------------------------------------------------- */

static void test_exhaust(struct prng *rng)
{
	gfp_t gfp = __GFP_MEMALLOC | __GFP_NOWARN;
	unsigned long before = pages_in_use();
	struct kmem_cache *c = kmem_cache_create("exhaust", 2000, 0, 0, NULL);
	static void *bulk[60000];
	void **head = NULL, **object;
	unsigned long n = 0;

	(void)rng;
	while ((object = kmem_cache_alloc(c, gfp))) {
		*object = head;
		head = object;
		n++;
	}
	EXPECT(n > 1000);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, gfp, 10, bulk), 0);
	EXPECT(!kmalloc(16000, gfp));
	while ((object = head)) {
		head = *object;
		kmem_cache_free(c, object);
	}
	EXPECT_EQ(kmem_cache_alloc_bulk(c, gfp, ARRAY_SIZE(bulk), bulk), 0);	/* all or none */
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(log_count("BUG"), 0);
}

/* ---- what must not be freed --------------------------------------------------------------- */

static void expect_refused(struct kmem_cache *cache, const void *object)
{
	log_forget();
	if (cache)
		kmem_cache_free(cache, (void *)object);
	else
		kfree(object);
	EXPECT_EQ(log_count("BUG"), 1);
	log_forget();
}

static void test_bad_frees(struct prng *rng)
{
	unsigned long before = pages_in_use();
	struct kmem_cache *a = kmem_cache_create("good", 128, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("other", 128, 0, SLAB_NO_MERGE, NULL);
	char *object = kmem_cache_alloc(a, GFP_KERNEL), *page = page_address(alloc_page(GFP_KERNEL));
	char *block = kmalloc(20000, GFP_KERNEL);

	(void)rng;
	mark_object(object, 128, 1);
	expect_refused(NULL, (void *)0x1234);
	expect_refused(a, (void *)0x1234);
	expect_refused(NULL, (void *)0xffffffff80001000);
	expect_refused(NULL, &before);			/* on the stack */
	expect_refused(NULL, __va(100UL << 30));	/* no memory there */
	expect_refused(NULL, page);
	expect_refused(a, page);
	expect_refused(NULL, block + 64);
	expect_refused(a, block);
#ifndef CONFIG_SLAB_SLOB				/* caches share pages there */
	expect_refused(b, object);
	expect_refused(a, object + 8);
	expect_refused(NULL, object + 1);
#endif
	EXPECT(object_marked(object, 128, 1));
	kmem_cache_free(a, object);
	kfree(block);
	expect_refused(NULL, block);			/* twice */
	free_page(page);
	EXPECT_EQ(kmem_cache_destroy(a), 0);
	EXPECT_EQ(kmem_cache_destroy(b), 0);
	EXPECT_EQ(pages_in_use(), before);
}

/* ---- what /proc/meminfo shows ------------------------------------------------------------- */

static void test_counts(struct prng *rng)
{
	unsigned long slab = vm_stat_read(NR_SLAB_UNRECLAIMABLE);
	unsigned long reclaimable = vm_stat_read(NR_SLAB_RECLAIMABLE);
	struct kmem_cache *c = kmem_cache_create("dear", 1000, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	void *block = kmalloc(20000, GFP_KERNEL), *objects[100];

	(void)rng;
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 100, objects), 100);
	EXPECT(vm_stat_read(NR_SLAB_UNRECLAIMABLE) >= slab + 8);
	EXPECT(vm_stat_read(NR_SLAB_RECLAIMABLE) >= reclaimable + 24);
	kmem_cache_free_bulk(c, 100, objects);
	kfree(block);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(vm_stat_read(NR_SLAB_RECLAIMABLE), reclaimable);
	(void)pages_in_use();
	EXPECT(vm_stat_read(NR_SLAB_UNRECLAIMABLE) <= slab + 1);
}

const struct test object_tests[] = {
	{ "kmalloc: every size, aligned, large enough, zeroed if asked", test_kmalloc_sizes },
	{ "kmalloc: the compiler chooses the class that run time chooses", test_constant_sizes },
	{ "krealloc keeps what is there", test_krealloc },
	{ "caches: sizes and alignments", test_cache_layout },
	{ "caches: SLAB_HWCACHE_ALIGN keeps objects to as few lines as can be", test_hwcache_align },
	{ "caches: what cannot be is not created", test_create_refuses },
	{ "caches: destroy refuses while objects live", test_busy },
	{ "random use against a shadow", test_random },
	{ "constructed objects stay constructed", test_ctor },
	{ "bulk calls", test_bulk },
	{ "out of memory: NULL, all or none, nothing lost", test_exhaust },
	{ "bad frees are refused with one report each", test_bad_frees },
	{ "pages are counted, and uncounted", test_counts },
	{ NULL, NULL },
};
