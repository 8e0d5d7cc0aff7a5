/*
 * SLOB: a simple list of blocks, for machines whose memory is too small for slabs. [lab 4]
 *
 * A slab serves one cache, so each cache has one that is nearly empty; with fifty caches and few
 * objects of each that is most of the memory. Here all caches share the same pages: a page is cut
 * into pieces as they are asked for, first fit, as in Knuth's first book (Matt Mackall brought it
 * to Linux in 2005). The price is a search for each allocation and each free, under one lock.
 *
 * A page is a row of blocks, in units of 8 bytes. What is free begins with its length and the place
 * of the next free block of the page, which lies at a higher address: so a free finds its
 * neighbours on its way, and joins them. In front of what is in use stands its cache, which knows
 * its length. That is all the management there is: 8 bytes an object.
 *
 *	|cache| kmalloc-64 |cache| inode ... | free: 5, next at 40 |cache| file .. | free: 12 |
 *
 * Pages with room are on one of three lists, for objects below 256 bytes, below 1024 and the
 * others: the small ones would else fill all the gaps that the large ones need. A list begins where
 * the last search ended, or its first pages would be full of splinters that each search runs over.
 * A page without room is on no list; one that is all free goes back.
 *
 * Objects for which a page is too small are blocks of pages, whose slab_cache is their cache. That
 * of the shared pages is shared_pages.
 *
 * Memory that was freed may be anybody's next, so nothing stays constructed: the constructor runs
 * at each allocation.
 *
 * Lock: slob_lock, for all lists and all pages on them; interrupts off, nothing is taken inside it.
 */
#include "mm/slab/backend.h"
#include "lib/errno.h"
#include "lib/string.h"

#define UNIT		8UL
#define PAGE_UNITS	(PAGE_SIZE / UNIT)
#define HEADER		UNIT
#define NONE		0xffffU

struct free_block {			/* its last bytes are not the mark of a header */
	u16 units;
	u16 next;			/* its unit in the page, or NONE */
};

/* cache->private */
struct slob {
	atomic_long_t active;		/* objects */
	unsigned int order;		/* of a block of pages for one object; shared pages: 0 */
	bool whole_pages;
};

static LIST_HEAD(small_pages);
static LIST_HEAD(medium_pages);
static LIST_HEAD(large_pages);
static struct list_head *const lists[] = { &small_pages, &medium_pages, &large_pages };
static DEFINE_SPINLOCK(slob_lock);

static struct kmem_cache shared_pages = { .name = "slob" };

static struct slob *slob_of(struct kmem_cache *cache)
{
	return (struct slob *)cache->private;
}

/* The header: the 48 bits that tell addresses apart, and in the others a mark. 0: it was freed. */
#define HEADER_MARK	0x510b000000000000UL

static u64 make_header(const struct kmem_cache *cache)
{
	return ((unsigned long)cache << 16 >> 16) | HEADER_MARK;
}

/* NULL: this is no header. */
static struct kmem_cache *cache_of(u64 header)
{
	if ((header & 0xffff000000000000UL) != HEADER_MARK)
		return NULL;
	return (struct kmem_cache *)((long)(header << 16) >> 16);
}

/* ---- a page: slab_mem = its first free block, slab_state = free units, aux = its list ----- */

static struct free_block *block_at(const struct page *page, unsigned int unit)
{
	char *base = page_address(page);

	return unit == NONE ? NULL : (struct free_block *)(base + unit * UNIT);
}

static unsigned int unit_of(const void *p)
{
	return p ? ((unsigned long)p & ~PAGE_MASK) / UNIT : NONE;
}

/* @block comes after @prev, or first. */
static void set_next(struct page *page, struct free_block *prev, struct free_block *block)
{
	if (prev)
		prev->next = unit_of(block);
	else
		page->slab_mem = block;
}

/* Cuts @units out of the page so that what is behind the header is aligned. NULL: no block is large
 * enough. */
static void *cut(struct page *page, unsigned int units, unsigned int align)
{
	struct free_block *prev = NULL, *block = page->slab_mem;

	for (; block; prev = block, block = block_at(page, block->next)) {
		unsigned long object = ALIGN((unsigned long)block + HEADER, (unsigned long)align);
		char *start = (char *)object - HEADER;
		unsigned int before = (start - (char *)block) / UNIT;
		struct free_block *next, *rest;

		if (block->units < before + units)
			continue;
		next = block_at(page, block->next);
		if (block->units > before + units) {
			rest = (struct free_block *)(start + units * UNIT);
			rest->units = block->units - before - units;
			rest->next = unit_of(next);
			next = rest;
		}
		if (before) {
			block->units = before;
			block->next = unit_of(next);
		} else {
			set_next(page, prev, next);
		}
		page->slab_state -= units;
		return start;
	}
	return NULL;
}

/* The units from @start on become free. False: some of them are. */
static bool join(struct page *page, void *start, unsigned int units)
{
	struct free_block *prev = NULL, *next = page->slab_mem, *block = start;
	char *end = (char *)start + units * UNIT;

	while (next && (void *)next < start) {
		prev = next;
		next = block_at(page, next->next);
	}
	if ((prev && (char *)prev + prev->units * UNIT > (char *)start) ||
	    (next && (char *)next < end) || end > (char *)page_address(page) + PAGE_SIZE)
		return false;

	*(u64 *)start = 0;
	block->units = units;
	block->next = unit_of(next);
	if (next && (char *)next == end) {
		block->units += next->units;
		block->next = next->next;
	}
	if (prev && (char *)prev + prev->units * UNIT == (char *)start) {
		prev->units += block->units;
		prev->next = block->next;
	} else {
		set_next(page, prev, block);
	}
	page->slab_state += units;
	return true;
}

/* ---- the lists ---------------------------------------------------------------------------- */

static unsigned int list_for(unsigned int bytes)
{
	return bytes < 256 ? 0 : bytes < 1024 ? 1 : 2;
}

/* Under slob_lock. */
static void *cut_from(struct page *page, unsigned int units, unsigned int align)
{
	void *start = cut(page, units, align);

	if (start && page->slab_state == 0)
		list_del(&page->slab_list);
	return start;
}

/* First fit, from where the last search ended. */
static void *search(struct list_head *list, unsigned int units, unsigned int align)
{
	struct page *page;

	list_for_each_entry(page, list, slab_list) {
		struct list_head *before = page->slab_list.prev;
		void *start;

		if (page->slab_state < units)
			continue;
		start = cut_from(page, units, align);
		if (!start)
			continue;
		if (before != list && before->next != list) {	/* turn the ring */
			list_del(list);
			list_add(list, before);
		}
		return start;
	}
	return NULL;
}

static void *shared_alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	unsigned int units = (cache->size + HEADER) / UNIT, list = list_for(cache->size);
	struct page *page;
	unsigned long flags;
	char *start;

	spin_lock_irqsave(&slob_lock, flags);
	start = search(lists[list], units, cache->align);
	spin_unlock_irqrestore(&slob_lock, flags);
	if (!start) {
		page = slab_pages_alloc(&shared_pages, gfp, nid, 0);
		if (!page)
			return NULL;
		page->slab_mem = page_address(page);
		page->slab_state = PAGE_UNITS;
		page->aux = list;
		*(struct free_block *)page->slab_mem = (struct free_block){ PAGE_UNITS, NONE };
		spin_lock_irqsave(&slob_lock, flags);
		list_add(&page->slab_list, lists[list]);
		start = cut_from(page, units, cache->align);
		spin_unlock_irqrestore(&slob_lock, flags);
	}
	*(u64 *)start = make_header(cache);
	return start + HEADER;
}

/* @cache is shared_pages if kfree() did not say. */
static void shared_free(struct kmem_cache *cache, struct page *page, void *object)
{
	struct kmem_cache *owner = NULL;
	u64 *header = (u64 *)object - 1;
	bool full, good, empty;
	unsigned long flags;

	spin_lock_irqsave(&slob_lock, flags);
	full = page->slab_state == 0;
	if (unit_of(object) && !((unsigned long)object % UNIT))
		owner = cache_of(*header);
	good = owner && (cache == owner || cache == &shared_pages) &&
	       join(page, header, (owner->size + HEADER) / UNIT);
	empty = good && page->slab_state == PAGE_UNITS;
	if (good && full)
		list_add(&page->slab_list, lists[page->aux]);
	if (empty)
		list_del(&page->slab_list);
	spin_unlock_irqrestore(&slob_lock, flags);

	if (empty)
		slab_pages_free(&shared_pages, page, 0);
	if (good)
		atomic_dec(&slob_of(owner)->active);
	else
		slab_bug(cache, object, owner && owner != cache && cache != &shared_pages ?
			 "free of an object of another cache" :
			 "free of what is not an object in use (double free?)");
}

/* ---- the backend -------------------------------------------------------------------------- */

int cache_setup(struct kmem_cache *cache)
{
	struct slob *s = slob_of(cache);

	cache->size = ALIGN(cache->object_size, (unsigned int)UNIT);
	s->whole_pages = cache->size + max(cache->align, (unsigned int)HEADER) > PAGE_SIZE;
	while (s->whole_pages && (PAGE_SIZE << s->order) + 0UL < cache->size)
		s->order++;
	return 0;
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct slob *s = slob_of(cache);
	void *object;

	if (s->whole_pages) {
		struct page *page = slab_pages_alloc(cache, gfp, nid, s->order);

		object = page ? page_address(page) : NULL;
		if (page)
			page->aux = s->order;
	} else {
		object = shared_alloc(cache, gfp, nid);
	}
	if (!object)
		return NULL;
	atomic_inc(&s->active);
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
	if (cache->ctor)
		cache->ctor(object);
	return object;
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	if (page->slab_cache == &shared_pages) {
		shared_free(cache, page, object);
	} else if (page->slab_cache == cache && object == page_address(page)) {
		atomic_dec(&slob_of(cache)->active);
		slab_pages_free(cache, page, slob_of(cache)->order);
	} else {
		slab_bug(cache, object, "free of what is not its object, or not its beginning");
	}
}

int cache_release(struct kmem_cache *cache)
{
	return atomic_read(&slob_of(cache)->active) ? -EBUSY : 0;
}

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	unsigned long active = atomic_read(&slob_of(cache)->active);

	*stats = (struct slab_stats){
		.active_objects = active, .total_objects = active,
		.objects_per_slab = max(1UL, PAGE_SIZE / cache->size),
		.pages_per_slab = 1U << slob_of(cache)->order,
	};
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page,
			 const void *object)
{
	(void)page;
	if (cache == &shared_pages)
		cache = cache_of(((const u64 *)object)[-1]);
	return cache ? cache->object_size : 0;
}
