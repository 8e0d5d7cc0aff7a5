/*
 * Per-CPU page lists, the part that every allocation runs through; the rest is in pcp.c.
 *
 * Each CPU has one struct per_cpu_pages for each zone: a stack of free blocks for each order up
 * to PCP_MAX_ORDER. Only its own CPU touches it, and only with interrupts off, so a page is had
 * without a lock, and these few lines are all it takes. They are here, and inline, because a call
 * costs as much as they do. What is rare is behind a call, and named for why it is rare:
 * pcp_refill() when a stack is empty, pcp_spill() when all of them together are full.
 *
 * A block on a stack is free, but not the core's: PG_pcp is set in its first page, PG_buddy is not,
 * and the next one below it is in pcp_next. It has left zone->free_pages.
 *
 * How many pages there are is not written down, it follows from what passed: from_core + nr_free -
 * nr_alloc. The counts of events, which /proc/vmstat wants anyway, so cost nothing extra.
 */
#pragma once

#include "mm/phys/zone.h"
#include "base/percpu.h"

#define PCP_MAX_ORDER	3
#define PCP_MAX_PAGES	512		/* on one CPU's lists of one zone */

struct per_cpu_pages {
	struct page *stack[PCP_MAX_ORDER + 1];	/* by order; the block freed last is on top */
	long nr_alloc, nr_free;		/* pages popped and pushed by the front, since boot */
	long from_core;			/* pages fetched, less pages given back */
	unsigned short high;		/* pages: with so many a free must spill first */
	unsigned short batch;		/* pages that a refill or a spill moves */
};
BUILD_BUG_ON(sizeof(struct per_cpu_pages) != 64);	/* one cache line */

/* This CPU's lists of @zone; NULL if it has none. Not preemptible. */
static inline struct per_cpu_pages *this_cpu_pcp(const struct zone *zone)
{
	return likely(zone->pcp) ? &zone->pcp[smp_processor_id()] : NULL;
}

static __always_inline long pcp_pages(const struct per_cpu_pages *pcp)
{
	return pcp->from_core + pcp->nr_free - pcp->nr_alloc;
}

/* Interrupts off. NULL: the stack is empty. The caller counts. */
static __always_inline struct page *pcp_pop(struct per_cpu_pages *pcp, unsigned int order)
{
	struct page *page = pcp->stack[order];

	if (unlikely(!page))
		return NULL;
	pcp->stack[order] = page->pcp_next;
	__ClearPagePcp(page);
	return page;
}

/* Interrupts off. The caller has seen to it that there is room, and counts. */
static __always_inline void pcp_push(struct per_cpu_pages *pcp, struct page *page,
				     unsigned int order)
{
	__SetPagePcp(page);
	page->pcp_next = pcp->stack[order];
	pcp->stack[order] = page;
}

/* ---- pcp.c [lab 2]; the stubs of lab 1 are in zonelist_stub.c ----------------------------- */

/* After zonelist_init(), page allocator usable: makes zone->pcp, zeroed but for high and batch.
 * 0, or -ENOMEM: no lists then. */
int pcp_init(struct zone *zone);
/* Stack @order of this CPU is empty: fetches blocks from the core, under zone->lock. Interrupts
 * off. How many blocks; 0: the core has none either. */
unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order);
/* pcp_pages() has reached pcp->high: gives a batch back to the core, under zone->lock. Interrupts
 * off. */
void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp);
/* Gives all of this CPU's pages back to the core; interrupts off. How many. */
unsigned long pcp_drain(struct zone *zone);
/* Pages on all CPUs' lists; no lock, a snapshot. */
unsigned long pcp_count(const struct zone *zone);

/* ---- both together, for who is in no hurry; interrupts off, zone->lock not held ----------- */

/* NULL: not served here, ask the core. */
static inline struct page *pcp_alloc(struct zone *zone, unsigned int order)
{
	struct per_cpu_pages *pcp = this_cpu_pcp(zone);

	if (!pcp || order > PCP_MAX_ORDER)
		return NULL;
	if (!pcp->stack[order] && !pcp_refill(zone, pcp, order))
		return NULL;
	pcp->nr_alloc += 1UL << order;
	return pcp_pop(pcp, order);
}

/* False: not taken, give the block to the core. */
static inline bool pcp_free(struct zone *zone, struct page *page, unsigned int order)
{
	struct per_cpu_pages *pcp = this_cpu_pcp(zone);

	if (!pcp || order > PCP_MAX_ORDER)
		return false;
	if (pcp_pages(pcp) >= pcp->high)
		pcp_spill(zone, pcp);
	pcp->nr_free += 1UL << order;
	pcp_push(pcp, page, order);
	return true;
}
