/* See objects.h. */
#include "test/ktest/objects.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/backend.h"

#define GRANULE		8UL
#define PER_PAGE	(PAGE_SIZE / GRANULE)
#define WORDS_PER_PAGE	(PER_PAGE / 64)
#define MIX		0x9e3779b97f4a7c15UL
#define CONSTRUCTED	0xc0dec0dec0dec0deUL	/* what pattern an object is filled with */
#define LIVE		0x11ce11ce11ce11ceUL
#define MOVES		0x30b1e30b1e30b1e3UL

/* Allocators that keep nothing construct an object each time it is handed out; in SLOB's pages lie
 * objects of all caches. */
#if defined(CONFIG_SLAB_PAGE) || defined(CONFIG_SLAB_SLOB)
#define STAYS_CONSTRUCTED	false
#else
#define STAYS_CONSTRUCTED	true
#endif
#ifdef CONFIG_SLAB_SLOB
#define SHARED_PAGES		true
#else
#define SHARED_PAGES		false
#endif

static struct {
	char *memory;			/* of the first frame */
	pfn_t first;
	unsigned long pages;
	u64 *live, *constructed;	/* a bit for each granule; atomic */
	struct objects_slab *slab;	/* by frame */
	unsigned long serial, ctors;	/* atomic */
	unsigned long locks, locks_irqs_on;
} seen;

void objects_world(unsigned long pages)
{
	pages_world(pages);
	memset(&seen, 0, sizeof(seen));
	seen.first = world_first_pfn();
	seen.memory = __va(PFN_PHYS(seen.first));
	seen.pages = world_pages();
	seen.live = ktest_alloc(seen.pages * WORDS_PER_PAGE * sizeof(u64));
	seen.constructed = ktest_alloc(seen.pages * WORDS_PER_PAGE * sizeof(u64));
	seen.slab = ktest_alloc(seen.pages * sizeof(*seen.slab));
	kmem_cache_init();
	pages_cmdline = NULL;
}

/* ---- places -------------------------------------------------------------------------------- */

static unsigned long granule_of(const void *p)
{
	return ((unsigned long)p - (unsigned long)seen.memory) / GRANULE;
}

static bool in_memory(const void *p, size_t size)
{
	unsigned long offset = (unsigned long)p - (unsigned long)seen.memory;

	return offset < seen.pages * PAGE_SIZE && size <= seen.pages * PAGE_SIZE - offset;
}

struct objects_slab objects_slab_of(const void *address)
{
	struct objects_slab none = { .cache = NULL };

	return in_memory(address, 1) ? seen.slab[granule_of(address) / PER_PAGE] : none;
}

#define fail(...) do { ktest_fail("objects", 0, __VA_ARGS__); ktest_abort(); } while (0)

/* Of bits first … end - 1 those that lie in the word of bit @first. */
static u64 bits_in_word(unsigned long first, unsigned long end)
{
	u64 mask = ~0UL << (first % 64);

	return end - ALIGN_DOWN(first, 64UL) < 64 ? mask & ((1UL << (end % 64)) - 1) : mask;
}

/* Marks [p, p + size) as live. */
static void mark_live(const void *p, size_t size)
{
	unsigned long first = granule_of(p), end = first + DIV_ROUND_UP(size, GRANULE);

	for (unsigned long i = first; i < end; i = ALIGN_DOWN(i, 64UL) + 64) {
		u64 mask = bits_in_word(i, end);

		if (__atomic_fetch_or(&seen.live[i / 64], mask, __ATOMIC_ACQ_REL) & mask)
			fail("%p of %lu bytes was handed out and overlaps a live object", p, size);
	}
}

static void mark_dead(const void *p, size_t size)
{
	unsigned long first = granule_of(p), end = first + DIV_ROUND_UP(size, GRANULE);

	for (unsigned long i = first; i < end; i = ALIGN_DOWN(i, 64UL) + 64) {
		u64 mask = bits_in_word(i, end);

		if (~__atomic_fetch_and(&seen.live[i / 64], ~mask, __ATOMIC_ACQ_REL) & mask)
			fail("harness: %p of %lu bytes is freed and was not live", p, size);
	}
}

/* ---- contents ------------------------------------------------------------------------------ */

/* One word for all of an object, and another one for each: these loops are what most tests spend
 * their instructions on. */
static u64 pattern(const void *p, u64 kind)
{
	return ((unsigned long)p - (unsigned long)seen.memory) * MIX ^ kind;
}

static void fill(void *p, size_t size, u64 kind)
{
	u64 word = pattern(p, kind), *at = p;

	for (; size >= 8 * sizeof(word); size -= 8 * sizeof(word), at += 8) {
		at[0] = word;
		at[1] = word;
		at[2] = word;
		at[3] = word;
		at[4] = word;
		at[5] = word;
		at[6] = word;
		at[7] = word;
	}
	for (; size >= sizeof(word); size -= sizeof(word))
		*at++ = word;
	memcpy(at, &word, size);
}

/* The first byte of @p that is not as fill() left it at @origin; @size: none. */
static size_t first_change_of(const void *p, const void *origin, size_t size, u64 kind)
{
	u64 word = pattern(origin, kind);
	const u64 *at = p, *end = at + size / sizeof(word);

	for (; end - at >= 8; at += 8)
		if (((at[0] ^ word) | (at[1] ^ word) | (at[2] ^ word) | (at[3] ^ word) |
		     (at[4] ^ word) | (at[5] ^ word) | (at[6] ^ word) | (at[7] ^ word)))
			break;
	for (; at < end; at++)
		if (*at != word)
			return (const char *)at - (const char *)p;
	return memcmp(at, &word, size % sizeof(word)) ? (size_t)((const char *)at - (const char *)p) : size;
}

static size_t first_change(const void *p, size_t size, u64 kind)
{
	return first_change_of(p, p, size, kind);
}

/* ---- constructors -------------------------------------------------------------------------- */

/* A shared page does not tell how large an object in it is. */
static size_t constructed_size(const struct kmem_cache *cache)
{
	return SHARED_PAGES ? sizeof(u64) : cache->object_size;
}

void objects_ctor(void *object)
{
	struct objects_slab slab = objects_slab_of(object);
	unsigned long granule = granule_of(object);
	u64 bit = 1UL << (granule % 64);

	if (!slab.cache)
		fail("a constructor was called for %p, which is in no slab", object);
	__atomic_fetch_add(&seen.ctors, 1, __ATOMIC_RELAXED);
	if (READ_ONCE(seen.live[granule / 64]) & bit)
		fail("a constructor was called for %p, which is in use", object);
	if (__atomic_fetch_or(&seen.constructed[granule / 64], bit, __ATOMIC_ACQ_REL) & bit &&
	    STAYS_CONSTRUCTED)
		fail("object %p of %s was constructed a second time", object, slab.cache->name);
	fill(object, constructed_size(slab.cache), CONSTRUCTED);
}

unsigned long objects_constructed(void)
{
	return READ_ONCE(seen.ctors);
}

static void check_constructed(const struct kmem_cache *cache, const void *object)
{
	size_t size = min(constructed_size(cache), (size_t)cache->object_size);
	size_t at = first_change(object, size, CONSTRUCTED);
	unsigned long granule = granule_of(object);

	if (!(READ_ONCE(seen.constructed[granule / 64]) >> (granule % 64) & 1))
		fail("object %p of %s was handed out and never constructed", object, cache->name);
	if (at < size)
		fail("object %p of %s is not in its constructed state any more, at byte %lu", object,
		     cache->name, at);
}

/* ---- objects come and go ------------------------------------------------------------------- */

static void check_place(const struct kmem_cache *cache, const void *object, size_t size, size_t align)
{
	struct objects_slab slab;

	if (!in_memory(object, size))
		fail("%s gave %p, which is no memory of this world", cache->name, object);
	slab = objects_slab_of(object);
	if (SHARED_PAGES ? !slab.cache : slab.cache != cache)
		fail("%s gave %p, which lies in %s%s", cache->name, object,
		     slab.cache ? "a slab of " : "no slab", slab.cache ? slab.cache->name : "");
	if (objects_slab_of((const char *)object + max(size, 1UL) - 1).serial != slab.serial)
		fail("%s gave %p, which is not inside one slab", cache->name, object);
	if ((unsigned long)object % align)
		fail("%s gave %p, which is not aligned to %lu", cache->name, object, align);
}

void objects_took(struct kmem_cache *cache, void *object)
{
	check_place(cache, object, cache->object_size, max(cache->align, (unsigned int)GRANULE));
	mark_live(object, cache->object_size);
	if (cache->ctor == objects_ctor)
		check_constructed(cache, object);
	fill(object, cache->object_size, LIVE);
}

void objects_gave(struct kmem_cache *cache, void *object)
{
	size_t at = first_change(object, cache->object_size, LIVE);

	if (at < cache->object_size)
		fail("live object %p of %s was changed at byte %lu, and not by its owner", object,
		     cache->name, at);
	if (cache->ctor == objects_ctor && STAYS_CONSTRUCTED)
		fill(object, cache->object_size, CONSTRUCTED);
	else if (cache->ctor == objects_ctor)
		seen.constructed[granule_of(object) / 64] &= ~(1UL << (granule_of(object) % 64));
	mark_dead(object, cache->object_size);
}

static void check_zero(const void *object, size_t size)
{
	size_t i = 0;

	while (i + sizeof(u64) <= size && !*(const u64 *)((const char *)object + i))
		i += sizeof(u64);
	while (i < size && !((const u8 *)object)[i])
		i++;
	if (i < size)
		fail("object %p of %lu bytes was asked for with __GFP_ZERO, and byte %lu is not 0", object,
		     size, i);
}

static void *take(struct kmem_cache *cache, void *object, gfp_t gfp)
{
	if (object && gfp & __GFP_ZERO && !cache->ctor)
		check_zero(object, cache->object_size);
	if (object)
		objects_took(cache, object);
	return object;
}

void *objects_take(struct kmem_cache *cache, gfp_t gfp)
{
	return take(cache, kmem_cache_alloc(cache, gfp), gfp);
}

void *objects_take_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	return take(cache, kmem_cache_alloc_node(cache, gfp, nid), gfp);
}

void objects_give(struct kmem_cache *cache, void *object)
{
	objects_gave(cache, object);
	kmem_cache_free(cache, object);
}

unsigned long objects_take_many(struct kmem_cache *cache, void **objects, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		objects[i] = objects_take(cache, GFP_KERNEL | __GFP_NOWARN);
		if (!objects[i])
			return i;
	}
	return n;
}

void objects_give_many(struct kmem_cache *cache, void **objects, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		objects_give(cache, objects[i]);
}

unsigned long objects_beside(void *object, void **objects, unsigned long n)
{
	unsigned long serial = objects_slab_of(object).serial, together = 0;

	for (unsigned long i = 0; i < n; i++)
		together += objects_slab_of(objects[i]).serial == serial;
	return together;
}

/* Which cache it is from is the allocator's choice. */
static void kmalloc_took(void *object, size_t size, size_t align)
{
	struct objects_slab slab;

	if (!in_memory(object, size))
		fail("kmalloc(%lu) gave %p, which is no memory of this world", size, object);
	slab = objects_slab_of(object);
	if (slab.cache && slab.cache->object_size < size && !SHARED_PAGES)
		fail("kmalloc(%lu) gave an object of %s", size, slab.cache->name);
	if (slab.cache)
		check_place(slab.cache, object, size, align);
	mark_live(object, size);
}

static void kmalloc_gave(void *object, size_t size)
{
	size_t at = first_change(object, size, LIVE);

	if (at < size)
		fail("%p from kmalloc(%lu) was changed at byte %lu, and not by its owner", object, size,
		     at);
	mark_dead(object, size);
}

static size_t kmalloc_align(size_t size)
{
	return size & (size - 1) ? GRANULE : min(max(size, GRANULE), (unsigned long)PAGE_SIZE);
}

void *objects_kmalloc(size_t size, gfp_t gfp)
{
	void *object = __kmalloc(size, gfp);

	if (!object)
		return NULL;
	kmalloc_took(object, size, kmalloc_align(size));
	if (gfp & __GFP_ZERO)
		check_zero(object, size);
	fill(object, size, LIVE);
	return object;
}

void *objects_krealloc(void *object, size_t old, size_t size, gfp_t gfp)
{
	void *moved;
	size_t at;

	kmalloc_gave(object, old);
	fill(object, old, MOVES);
	moved = krealloc(object, size, gfp);
	if (!moved && size) {
		kmalloc_took(object, old, GRANULE);
		at = first_change(object, old, MOVES);
	} else if (moved) {
		kmalloc_took(moved, size, moved == object ? GRANULE : kmalloc_align(size));
		old = min(old, size);
		at = first_change_of(moved, object, old, MOVES);
	} else {
		return NULL;
	}
	if (at < old)
		fail("krealloc(%p, %lu) to %p: byte %lu is not as it was", object, size, moved, at);
	if (moved)
		fill(moved, size, LIVE);
	else
		fill(object, old, LIVE);
	return moved;
}

void objects_kfree(void *object, size_t size)
{
	kmalloc_gave(object, size);
	kfree(object);
}

/* ---- slabs come and go; calls of the files under test -------------------------------------- */

struct page *via_slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order);
void via_slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order);
void via_ktest_sched_point(void);

struct page *via_slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order)
{
	struct page *page = slab_pages_alloc(cache, gfp, nid, order);
	struct objects_slab slab = { .cache = cache, .order = order };

	if (!page)
		return NULL;
	slab.first = page_to_pfn(page);
	slab.serial = __atomic_add_fetch(&seen.serial, 1, __ATOMIC_RELAXED);
	for (unsigned long i = 0; i < 1UL << order; i++)
		seen.slab[slab.first - seen.first + i] = slab;
	return page;
}

void via_slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order)
{
	unsigned long frame = page_to_pfn(page) - seen.first, n = WORDS_PER_PAGE << order;
	struct objects_slab none = { .cache = NULL };

	if (frame >= seen.pages || seen.slab[frame].cache != cache ||
	    seen.slab[frame].first != seen.first + frame || seen.slab[frame].order != order)
		fail("%s gives back block %p of order %u, which is no slab of its own", cache->name,
		     page, order);
	for (unsigned long i = frame * WORDS_PER_PAGE; i < frame * WORDS_PER_PAGE + n; i++)
		if (READ_ONCE(seen.live[i]))
			fail("%s gives back a slab, and an object near %p is live", cache->name,
			     seen.memory + i * 64 * GRANULE);
	memset(seen.constructed + frame * WORDS_PER_PAGE, 0, n * sizeof(u64));
	for (unsigned long i = 0; i < 1UL << order; i++)
		seen.slab[frame + i] = none;
	slab_pages_free(cache, page, order);
}

unsigned long objects_pages(const struct kmem_cache *cache)
{
	unsigned long n = 0;

	for (unsigned long i = 0; i < seen.pages; i++)
		n += cache ? seen.slab[i].cache == cache : seen.slab[i].cache != NULL;
	return n;
}

unsigned long objects_slabs(const struct kmem_cache *cache)
{
	unsigned long n = 0;

	for (unsigned long i = 0; i < seen.pages; i++)
		if (seen.slab[i].cache && (!cache || seen.slab[i].cache == cache))
			n += seen.slab[i].first == seen.first + i;
	return n;
}

unsigned long objects_slabs_got(void)
{
	return READ_ONCE(seen.serial);
}

const char *objects_all_back(struct kmem_cache *cache)
{
	static char text[160];
	unsigned long before = objects_pages(cache), after;
	int said = kmem_cache_shrink(cache);

	after = objects_pages(cache);
	if (after)
		snprintf(text, sizeof(text), "nothing of %s is in use, and kmem_cache_shrink() leaves it "
			 "%lu of %lu pages", cache->name, after, before);
	else if ((unsigned long)said != before)
		snprintf(text, sizeof(text), "kmem_cache_shrink() says that %s gave back %d pages; it "
			 "gave back %lu", cache->name, said, before);
	else
		return pages_check();
	return text;
}

/* ---- locks --------------------------------------------------------------------------------- */

/* What releasing a spinlock calls: see base/spinlock.h. */
void via_ktest_sched_point(void)
{
	__atomic_fetch_add(&seen.locks, 1, __ATOMIC_RELAXED);
	if (!irqs_disabled())
		__atomic_fetch_add(&seen.locks_irqs_on, 1, __ATOMIC_RELAXED);
	ktest_sched_point();
}

unsigned long objects_locks(void)
{
	return READ_ONCE(seen.locks);
}

unsigned long objects_locks_irqs_on(void)
{
	return READ_ONCE(seen.locks_irqs_on);
}
