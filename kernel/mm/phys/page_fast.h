/* Between page_fast.c and page_alloc.c, the two halves of the front: nobody else's business. */
#pragma once

#include "mm/phys/page_alloc.h"
#include "mm/phys/pcp.h"

/* What a page may not be while it is freed. Its other flags are history and are cleared. PG_head
 * is no fault, but must be there if and only if the order says so. */
#define FLAGS_BAD_AT_FREE (BIT(PG_locked) | BIT(PG_writeback) | BIT(PG_lru) | BIT(PG_slab) | \
			   BIT(PG_reserved) | BIT(PG_buddy) | BIT(PG_pcp) | BIT(PG_swapcache))

/* A block that just came from a list or the core. Nobody else can see it: plain stores do. */
static __always_inline void set_page_in_use(struct page *page, unsigned int order)
{
	page->private = 0;
	page->index = 0;
	if (order) {
		__SetPageHead(page);
		page->aux = order;
	}
	page->_refcount.counter = 1;
}

/* page_alloc.c: the general ways. */
struct page *alloc_pages_general(int nid, gfp_t gfp, unsigned int order);
void free_pages_general(struct page *page, unsigned int order);
/* A block larger than the per-CPU lists serve, from @zone, which the caller prefers. */
struct page *alloc_large_block(struct zone *zone, gfp_t gfp, unsigned int order);
/* The same as free_block() for one of @zone without an owner. */
void free_large_block(struct zone *zone, struct page *page, unsigned int order);
/* The block passed all checks, and its last reference is gone. */
void free_block(struct page *page, unsigned int order);
/* A decrement that was one too many is taken back, and reported. */
void undo_free(struct page *page);

/* page_fast.c; boot CPU. From the first call on the fast paths may be entered, and find nothing;
 * after the second they find the lists. */
void fast_paths_close(void);
void fast_paths_open(void);
