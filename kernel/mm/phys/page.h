/*
 * struct page: what the kernel knows about one frame of physical memory. 64 bytes, in the
 * vmemmap array, indexed by frame number.
 *
 * Who owns a page decides what its fields mean:
 *
 *	free	the page core (freelist.c, buddy.c): list, private = order, PG_buddy
 *	pcp	a per-CPU page list: pcp_next
 *	slab	mm/slab: the slab union
 *	user	anonymous memory: mapping = anon_vma | 1, index = virtual page number when first
 *		mapped; list = LRU
 *	cache	a file's page: mapping = its address_space, index = page number in the file;
 *		list = LRU
 *
 * _refcount: how many hold it; 0 = free. _mapcount: how many page-table entries map it, less one.
 */
#pragma once

#include "arch/layout.h"
#include "lib/atomic.h"
#include "lib/list.h"

struct address_space;
struct kmem_cache;

struct page {
	unsigned long flags;		/* PG_ bits, zone and node above PAGE_ZONE_SHIFT */
	union {
		struct {
			struct list_head list;		/* free list, pcp list, LRU list */
			struct address_space *mapping;	/* bit 0: an anon_vma */
			pgoff_t index;
			unsigned long private;		/* free: order; swap cache: entry */
		};
		struct page *pcp_next;			/* PG_pcp: the one below in the stack */
		struct {				/* PG_slab; the backends define more */
			struct list_head slab_list;
			struct kmem_cache *slab_cache;
			void *slab_mem;			/* first object, or management */
			u64 slab_state;			/* SLUB: one word, DESIGN §5 */
		};
	};
	atomic_t _refcount;
	atomic_t _mapcount;		/* starts at -1 */
	unsigned long aux;		/* slab: backend's; file: writeback; later stages */
};
BUILD_BUG_ON(sizeof(struct page) != 64);

enum pageflags {
	/* Those a page may not have when it is freed come first: one instruction tests them all. */
	PG_locked,		/* owned for I/O or truncation; sleep with lock_page() */
	PG_writeback,		/* being written */
	PG_lru,			/* on an LRU (or FIFO) list */
	PG_buddy,		/* the first page of a free block in the page core */
	PG_pcp,			/* on a per-CPU list */
	PG_slab,
	PG_reserved,		/* never allocated: firmware, kernel image, holes */
	PG_swapcache,
	PG_head,		/* first page of an allocated block of order > 0: order in aux */
	PG_uptodate,		/* contents are valid */
	PG_dirty,		/* newer than its backing store */
	PG_referenced,		/* used since last looked at: reclaim's second chance */
	PG_active,		/* on an active LRU list */
	PG_swapbacked,		/* anonymous: goes to swap */
	PG_error,
	PG_reclaim,		/* free it as soon as writeback ends */
	PG_workingset,
	PG_waiters,		/* somebody sleeps on PG_locked or PG_writeback */
	PG_icache,		/* instruction caches agree with the contents */
	NR_PAGEFLAGS
};

#define PAGE_ZONE_SHIFT	56	/* 2 bits zone type, 6 bits node */
#define PAGE_NODE_SHIFT	58
#define FLAGS_ZONE	(~0UL << PAGE_ZONE_SHIFT)	/* zone and node: what a page never loses */

#define PAGEFLAG(Name, name)						\
static inline bool Page##Name(const struct page *p)			\
{ return test_bit(PG_##name, &p->flags); }				\
static inline void SetPage##Name(struct page *p) { set_bit(PG_##name, &p->flags); } \
static inline void ClearPage##Name(struct page *p) { clear_bit(PG_##name, &p->flags); } \
static inline bool TestSetPage##Name(struct page *p)			\
{ return test_and_set_bit(PG_##name, &p->flags); }			\
static inline bool TestClearPage##Name(struct page *p)			\
{ return test_and_clear_bit(PG_##name, &p->flags); }			\
/* Not atomic: only while nobody else can see the page. */		\
static inline void __SetPage##Name(struct page *p) { p->flags |= BIT(PG_##name); } \
static inline void __ClearPage##Name(struct page *p) { p->flags &= ~BIT(PG_##name); }

PAGEFLAG(Locked, locked)
PAGEFLAG(Uptodate, uptodate)
PAGEFLAG(Dirty, dirty)
PAGEFLAG(Writeback, writeback)
PAGEFLAG(Referenced, referenced)
PAGEFLAG(Active, active)
PAGEFLAG(LRU, lru)
PAGEFLAG(Buddy, buddy)
PAGEFLAG(Pcp, pcp)
PAGEFLAG(Slab, slab)
PAGEFLAG(Reserved, reserved)
PAGEFLAG(SwapCache, swapcache)
PAGEFLAG(SwapBacked, swapbacked)
PAGEFLAG(Error, error)
PAGEFLAG(Head, head)
PAGEFLAG(Reclaim, reclaim)
PAGEFLAG(Workingset, workingset)
PAGEFLAG(Waiters, waiters)
PAGEFLAG(Icache, icache)

#if !defined(CONFIG_ARCH_HOST) && !defined(CONFIG_WORLD)
#define vmemmap		((struct page *)VMEMMAP_START)
#else
extern struct page *vmemmap;
#endif

#define pfn_to_page(pfn)	(vmemmap + (pfn))
#define page_to_pfn(page)	((pfn_t)((page) - vmemmap))
#define page_to_phys(page)	PFN_PHYS(page_to_pfn(page))
#define phys_to_page(pa)	pfn_to_page(PFN_DOWN(pa))
#define page_address(page)	__va(page_to_phys(page))
#define virt_to_page(va)	phys_to_page(__pa(va))	/* direct map or image addresses */

/*
 * Is there an initialised struct page at @pfn? They exist in sections of 2 MiB that contain RAM;
 * a frame of such a section that is not RAM is PG_reserved. Any context.
 */
#define SECTION_SHIFT		PMD_SHIFT
#define PAGES_PER_SECTION	(PMD_SIZE / PAGE_SIZE)
#if !defined(CONFIG_ARCH_HOST) && !defined(CONFIG_WORLD)
#define MAX_SECTIONS		(MAX_PHYSMEM >> SECTION_SHIFT)
#else
#define MAX_SECTIONS		4096UL
#endif
extern unsigned long section_map[DIV_ROUND_UP(MAX_SECTIONS, 64)];

static inline bool pfn_valid(pfn_t pfn)
{
	unsigned long section = pfn >> (SECTION_SHIFT - PAGE_SHIFT);

	return section < MAX_SECTIONS && (section_map[section / 64] >> (section % 64) & 1);
}

/* sections.c: fills the section map from memblock's memory; once, before the page array is used. */
void sections_init(void);
/* The longest row of sections that are next to each other: its frames; *first: the first one, unchanged if
 * there is none. After sections_init(). */
unsigned long sections_longest_run(pfn_t *first);

static inline int page_count(const struct page *page) { return atomic_read(&page->_refcount); }
static inline int page_mapcount(const struct page *page)
{
	return atomic_read(&page->_mapcount) + 1;
}

static inline bool page_mapped(const struct page *page) { return page_mapcount(page) > 0; }
static inline void get_page(struct page *page) { atomic_inc(&page->_refcount); }
static inline bool try_get_page(struct page *page) { return atomic_inc_not_zero(&page->_refcount); }
/* Drops a reference; the last one frees the page (order 0, or the block of a PG_head page). Any
 * context. What an owner above must do before the free is in page_free_hook. */
void put_page(struct page *page);
