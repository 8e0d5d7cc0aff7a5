/*
 * libFuzzer's way into an allocator of small objects: bytes become calls of what slab.h offers, on
 * any of several CPUs, now and then with no memory; the oracle of objects judges every answer.
 *
 * An input is a small world. Its first byte is the command line, its second how many pages there
 * are; the rest are operations, each a byte and its arguments (a missing one is 0). A world ends
 * with everything freed, and must then be as it began: every page given back, nothing logged that
 * was not asked for.
 *
 * What the oracle does not know is asked here: memory is refused only if a page was refused;
 * statistics tell how many objects are in use, and the counters of pages how many pages; a bad free
 * is reported and changes nothing; a cache with objects is not destroyed; interrupts are left as
 * they were.
 */
#include "test/ktest/objects.h"
#include "arch/host/host.h"
#include "base/irq.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/backend.h"

#define PAGES		512UL
#define NR_CACHES	8
#define NR_OBJECTS	400		/* of one cache */
#define NR_BLOCKS	200		/* of kmalloc() */
#define MAX_OPS		1500

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *input, *input_end;

static unsigned int next(void)
{
	return input < input_end ? *input++ : 0;
}

static unsigned int next16(void)
{
	return next() | next() << 8;
}

static struct handle {
	struct kmem_cache *cache;	/* NULL: none */
	size_t align;			/* asked for */
	void *objects[NR_OBJECTS];
	unsigned int n;
} handles[NR_CACHES];

static struct block {
	void *p;
	size_t size;
} blocks[NR_BLOCKS];
static unsigned int nr_blocks;
static bool debugging;			/* slub_debug= asks for all checks */

/* ---- choices -------------------------------------------------------------------------------- */

/* One of the caches that there are, or NULL. */
static struct handle *pick(void)
{
	unsigned int first = next();

	for (unsigned int i = 0; i < NR_CACHES; i++) {
		struct handle *h = &handles[(first + i) % NR_CACHES];

		if (h->cache)
			return h;
	}
	return NULL;
}

/* With interrupts off nothing may sleep. */
static gfp_t pick_gfp(unsigned int byte)
{
	static const gfp_t kinds[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL, GFP_NOFS };

	return kinds[irqs_disabled() ? byte & 1 : byte & 3] | __GFP_NOWARN | (byte & 4 ? __GFP_ZERO : 0);
}

/* Near a power of two, as often as anything else. */
static size_t pick_size(unsigned int max_log)
{
	unsigned int byte = next(), log = (byte & 15) % (max_log + 1);
	size_t size = 1UL << log;

	return byte & 128 ? size + next16() % size : size + (byte >> 4 & 7) - 3;
}

/* The log has room for few lines. */
static void check_log(void)
{
	EXPECT_EQ(world_log_count("BUG") + world_log_count("WARNING"), 0);
	world_log_forget();
}

/* Nothing was had: that is right if a page was refused meanwhile. */
static void check_refusal(bool got, unsigned long refused, const char *what)
{
	if (!got && pages_refused() == refused)
		ktest_fail("fuzz", 0, "%s failed, and no page was refused", what);
}

/* ---- caches --------------------------------------------------------------------------------- */

static size_t expected_align(size_t size, size_t align, slab_flags_t flags)
{
	size_t line = 64;

	while (flags & SLAB_HWCACHE_ALIGN && size <= line / 2)
		line /= 2;
	return max(max(align, sizeof(long)), flags & SLAB_HWCACHE_ALIGN ? line : 1);
}

static void create(void)
{
	static const char *const names[NR_CACHES] = { "fuzz0", "fuzz1", "fuzz2", "fuzz3", "fuzz4",
						      "fuzz5", "fuzz6", "fuzz7" };
	unsigned int i = next() % NR_CACHES, kind = next();
	size_t size = pick_size(14), align = kind & 8 ? 1UL << (next() & 15) : next() % 5 * 8;
	slab_flags_t flags = (kind & 1 ? SLAB_HWCACHE_ALIGN : 0) | (kind & 2 ? SLAB_NO_MERGE : 0) |
			     (kind & 4 ? SLAB_RECLAIM_ACCOUNT : 0);
	bool valid = size && size <= KMALLOC_MAX_CACHE_SIZE && !(align & (align - 1)) &&
		     align <= PAGE_SIZE;
	void (*ctor)(void *) = kind & 16 ? objects_ctor : NULL;
	unsigned long refused = pages_refused();
	struct kmem_cache *cache;

	if (handles[i].cache)
		return;
	cache = kmem_cache_create(names[i], size, align, flags, ctor);
	if (!valid)
		EXPECT_TRUE(!cache);
	/* With red zones around it, or with its alignment, an object may be too large. */
	else if (ALIGN(size, max(align, 1UL)) <= PAGE_SIZE && !debugging)
		check_refusal(cache != NULL, refused, "kmem_cache_create()");
	if (!cache)
		return;
	EXPECT_GE(cache->object_size, size);
	handles[i] = (struct handle){ .cache = cache, .align = expected_align(size, align, flags) };
}

static bool is_kmalloc_cache(const struct kmem_cache *cache)
{
	return cache >= kmalloc_caches && cache < kmalloc_caches + NR_KMALLOC_CLASSES;
}

/* Objects of the cache that anybody here has. */
static unsigned long live_in(const struct kmem_cache *cache)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < NR_CACHES; i++)
		n += handles[i].cache == cache ? handles[i].n : 0;
	return n;
}

static void check_stats(struct kmem_cache *cache)
{
	struct slab_stats stats;

	cache_stats(cache, &stats);
	EXPECT_LE(stats.active_objects, stats.total_objects);
	EXPECT_LE(stats.active_slabs, stats.total_slabs);
	if (!is_kmalloc_cache(cache))		/* whose objects the allocator itself may use */
		EXPECT_EQ(stats.active_objects, live_in(cache));
}

static void check_pages(void)
{
	EXPECT_EQ(vm_stat_read(NR_SLAB_UNRECLAIMABLE) + vm_stat_read(NR_SLAB_RECLAIMABLE),
		  pages_in_use());
}

static void destroy(struct handle *h)
{
	struct kmem_cache *cache = h->cache;
	bool last = cache->users == 1;
	unsigned long live = live_in(cache);

	if (!last && h->n)
		return;				/* its objects would be nobody's */
	EXPECT_EQ(kmem_cache_destroy(cache), last && live ? -EBUSY : 0);
	if (last && live)
		return;
	if (last)
		EXPECT_EQ(objects_slabs(cache), 0);
	h->cache = NULL;
}

static void tune(struct handle *h)
{
	unsigned int key = next(), a = next(), b = next();
	unsigned long refused = pages_refused();
	int err;

	if (is_kmalloc_cache(h->cache))
		return;				/* it would stay larger than it was */
	err = key & 1 ? kmem_cache_set_tunables(h->cache->name, a, b, key >> 4) :
		  cache_tune(h->cache, key & 2 ? "min_partial" : "cpu_partial", a);

	EXPECT_TRUE(err == 0 || err == -EINVAL || err == -EIO || err == -ENOENT || err == -ENOMEM);
	check_refusal(err != -ENOMEM, refused, "kmem_cache_set_tunables()");
}

/* ---- objects -------------------------------------------------------------------------------- */

static void check_aligned(const struct handle *h, const void *object)
{
	if ((unsigned long)object % h->align)
		ktest_fail("fuzz", 0, "%p of %s is not aligned to %lu", object, h->cache->name, h->align);
}

static void take(struct handle *h, unsigned int n)
{
	unsigned int byte = next();
	gfp_t gfp = pick_gfp(byte);

	if (h->cache->ctor)
		gfp &= ~__GFP_ZERO;
	while (n-- && h->n < NR_OBJECTS && !ktest_failed()) {
		unsigned long refused = pages_refused();
		void *object = byte & 8 ? objects_take_node(h->cache, gfp, 0) : objects_take(h->cache, gfp);

		check_refusal(object != NULL, refused, "kmem_cache_alloc()");
		if (!object)
			return;
		check_aligned(h, object);
		h->objects[h->n++] = object;
	}
}

static void give(struct handle *h, unsigned int n)
{
	unsigned int at = next16();

	while (n-- && h->n) {
		unsigned int i = at % h->n;

		objects_give(h->cache, h->objects[i]);
		h->objects[i] = h->objects[--h->n];
	}
}

static void take_bulk(struct handle *h)
{
	unsigned int n = next() % 64;
	unsigned long refused = pages_refused();
	gfp_t gfp = pick_gfp(next());
	int got;

	if (h->n + n > NR_OBJECTS)
		return;
	if (h->cache->ctor)
		gfp &= ~__GFP_ZERO;
	got = kmem_cache_alloc_bulk(h->cache, gfp, n, h->objects + h->n);
	EXPECT_TRUE(got == 0 || got == (int)n);
	check_refusal(got || !n, refused, "kmem_cache_alloc_bulk()");
	while (got-- > 0) {
		void *object = h->objects[h->n++];

		check_aligned(h, object);
		if (gfp & __GFP_ZERO)
			EXPECT_TRUE(!memchr_inv(object, 0, h->cache->object_size));
		objects_took(h->cache, object);
	}
}

static void give_bulk(struct handle *h)
{
	unsigned int n = min(next() % 64, h->n);

	h->n -= n;
	for (unsigned int i = 0; i < n; i++)
		objects_gave(h->cache, h->objects[h->n + i]);
	kmem_cache_free_bulk(h->cache, n, h->objects + h->n);
}

/* Which bad frees does the allocator see? Plain SLUB looks at the page, and not at the object. */
#ifdef CONFIG_SLAB_SLUB
#define SEES_DOUBLE	debugging
#define SEES_MIDDLE	debugging
#else
#define SEES_DOUBLE	true
#define SEES_MIDDLE	(!SHARES_PAGES)
#endif
#ifdef CONFIG_SLAB_SLOB			/* a header may be anywhere */
#define SHARES_PAGES	true
#else
#define SHARES_PAGES	false
#endif

/* It is refused, with a report. */
static void free_badly(struct handle *h)
{
	unsigned int kind = next() % 4, other = next() % NR_CACHES, at = next();
	struct kmem_cache *wrong = handles[other].cache;
	void *object;

	if (!h->n)
		return;
	object = h->objects[at % h->n];
	if (kind == 0 && wrong && wrong != h->cache) {
		kmem_cache_free(wrong, object);
	} else if (kind == 1) {
		kmem_cache_free(h->cache, &kind);
	} else if (kind == 2 && SEES_MIDDLE && h->cache->object_size > 1) {
		kmem_cache_free(h->cache, (char *)object + 1 + at % (h->cache->object_size - 1));
	} else if (kind == 3 && SEES_DOUBLE) {
		h->objects[at % h->n] = h->objects[h->n - 1];
		h->n--;
		objects_give(h->cache, object);
		check_log();
		kmem_cache_free(h->cache, object);
	} else {
		return;
	}
	EXPECT_GE(world_log_count("BUG"), 1);
	world_log_forget();
}

/* ---- kmalloc -------------------------------------------------------------------------------- */

static void take_block(void)
{
	size_t size = pick_size(16);
	gfp_t gfp = pick_gfp(next());
	unsigned long refused = pages_refused();
	void *p;

	if (nr_blocks == NR_BLOCKS)
		return;
	p = objects_kmalloc(size, gfp);
	check_refusal(p != NULL, refused, "kmalloc()");
	if (!p)
		return;
	EXPECT_GE(ksize(p), size);
	blocks[nr_blocks++] = (struct block){ p, size };
}

static struct block *pick_block(void)
{
	unsigned int i = next();

	return nr_blocks ? &blocks[i % nr_blocks] : NULL;
}

static void give_block(struct block *block)
{
	objects_kfree(block->p, block->size);
	*block = blocks[--nr_blocks];
}

/* To another size, to nothing, or to all that ksize() says is there: then it may not move. */
static void change_block(struct block *block)
{
	unsigned int kind = next();
	size_t usable = ksize(block->p), size = kind & 1 ? usable : kind == 0 ? 0 : pick_size(15);
	unsigned long refused = pages_refused();
	void *p = objects_krealloc(block->p, block->size, size, pick_gfp(0));

	if (!size) {
		EXPECT_TRUE(!p);
		*block = blocks[--nr_blocks];
		return;
	}
	check_refusal(p != NULL, refused, "krealloc()");
	if (size <= usable)
		EXPECT_EQ((unsigned long)p, (unsigned long)block->p);
	if (p)
		*block = (struct block){ p, size };
}

/* ---- an input ------------------------------------------------------------------------------- */

static void memory_is_short(unsigned int kind)
{
	if (kind & 1)
		pages_fail(next() % 16);
	else
		pages_allow(kind & 2 ? next() % 32 : ~0UL);
}

static void on_cache(unsigned int op, struct handle *h)
{
	switch (op) {
	case 0 ... 4:
		take(h, 1 + next() % 2);
		break;
	case 5 ... 6:
		take(h, next());
		break;
	case 7 ... 11:
		give(h, 1 + next() % 2);
		break;
	case 12 ... 13:
		give(h, next());
		break;
	case 14 ... 15:
		take_bulk(h);
		break;
	case 16 ... 17:
		give_bulk(h);
		break;
	case 18:
		destroy(h);
		break;
	case 19:
		kmem_cache_shrink(h->cache);
		break;
	case 20:
		tune(h);
		break;
	case 21:
		check_stats(h->cache);
		check_pages();
		break;
	case 22:
		free_badly(h);
		break;
	}
}

/* What needs no cache. */
static void on_nothing(unsigned int op)
{
	struct block *block;

	switch (op) {
	case 23 ... 24:
		create();
		break;
	case 25 ... 26:
		take_block();
		break;
	case 27 ... 28:
		block = pick_block();
		if (block)
			give_block(block);
		break;
	case 29:
		block = pick_block();
		if (block)
			change_block(block);
		break;
	case 30:
		memory_is_short(next());
		break;
	case 31:
		if (next() & 1)
			kmem_cache_reap();
		else
			kmem_cache_shrink_all();
		break;
	}
}

/* Two bits choose a CPU (or to stay), one if interrupts are off: then nothing may sleep. */
static void operation(void)
{
	unsigned int byte = next(), op = byte % 32, cpu = byte >> 5 & 3;
	bool atomic = byte & 128 && op < 18;
	struct handle *h;

	if (cpu < ktest_nr_cpus())
		ktest_migrate(cpu);
	if (op >= 23) {
		on_nothing(op);
	} else {
		h = pick();
		if (!h)
			return;
		if (atomic)
			local_irq_disable();
		on_cache(op, h);
		EXPECT_EQ(irqs_disabled(), atomic);
		local_irq_enable();
	}
	EXPECT_FALSE(irqs_disabled());
	check_log();
}

static void give_all(void)
{
	pages_allow(~0UL);
	pages_fail(0);
	for (unsigned int i = 0; i < NR_CACHES; i++)
		if (handles[i].cache)
			give(&handles[i], handles[i].n);
	for (unsigned int i = 0; i < NR_CACHES; i++)
		if (handles[i].cache)
			destroy(&handles[i]);
	while (nr_blocks)
		give_block(&blocks[nr_blocks - 1]);
}

static unsigned long pages_needed(void)
{
	kmem_cache_shrink_all();
	kmem_cache_shrink_all();	/* the first may have freed objects of caches already shrunk */
	return pages_in_use();
}

static void world(unsigned int kind)
{
	static const char *const lines[] = { NULL, "slab_nomerge", "slab_merge", "slub_debug=FZPU", "slub_debug=F",
					     NULL, "slub_debug=ZP", "slub_debug=U,fuzz1" };
	unsigned long pages;

	memset(handles, 0, sizeof(handles));
	nr_blocks = 0;
	pages_cmdline = lines[kind % 8];
	debugging = kind % 8 == 3 || kind % 8 == 4;
	objects_world(PAGES);
	pages_cmdline = lines[kind % 8];	/* for caches that come later, too */
	pages = pages_needed();
	memory_is_short(next());
	for (unsigned int i = 0; i < MAX_OPS && input < input_end && !ktest_failed(); i++)
		operation();
	if (ktest_failed())
		return;
	give_all();
	EXPECT_EQ(pages_needed(), pages);
	check_pages();
	EXPECT_OK(pages_check());
	check_log();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	host_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input = data;
	input_end = data + size;
	ktest_forget();
	world_reset();
	ktest_migrate(0);
	world(next());
	if (ktest_failed())
		ktest_abort();
	return 0;
}
