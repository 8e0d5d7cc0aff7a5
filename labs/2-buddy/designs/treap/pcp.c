/*
 * Per-CPU page lists, another right design: refill by the block, spill the oldest.
 *
 * A refill takes a block as large as a batch, if the core has one, and cuts it into pieces itself:
 * the core is called once. They are pushed from the highest down, so pages come out in rising
 * order. If the core has no such block, half the size will do, and so on.
 *
 * A spill keeps the upper part of each stack, which was freed last and is in the cache, and gives
 * the lower part back. To find where to cut it walks down the stacks, through what stays, outside
 * of the lock. Small blocks are kept first.
 */
#include "mm/phys/pcp.h"
#include "mm/phys/page_alloc.h"
#include "lib/bitops.h"
#include "lib/errno.h"

#define LIST_PART	32	/* of a zone: so small a part may be on one CPU's lists */

int pcp_init(struct zone *zone)
{
	unsigned int order = 0;
	unsigned long high = min(zone->managed_pages / LIST_PART, PCP_MAX_PAGES - 8UL);
	/* A quarter, rounded down to what is a block, not more than the largest there is. */
	unsigned long batch = high < 8 ? 1 : rounddown_pow_of_two(high / 4);

	while ((size_t)PAGE_SIZE << order < NR_CPUS * sizeof(struct per_cpu_pages))
		order++;
	zone->pcp = __get_free_pages(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO, order);
	if (!zone->pcp)
		return -ENOMEM;
	for (struct per_cpu_pages *pcp = zone->pcp; pcp < zone->pcp + NR_CPUS; pcp++) {
		pcp->high = max(high, 1UL);
		pcp->batch = batch;
	}
	return 0;
}

/* The order of block to ask for: @order alone if memory is short. */
static unsigned int refill_order(const struct zone *zone, const struct per_cpu_pages *pcp,
				 unsigned int order)
{
	unsigned long left = READ_ONCE(zone->free_pages);

	if (left < zone->watermark[WMARK_HIGH] + pcp->batch)
		return order;
	return max(order, (unsigned int)ilog2(pcp->batch));
}

unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	struct page *block, *piece;
	unsigned int have;

	/* The other stacks may have filled the lists. */
	if (pcp_pages(pcp) + pcp->batch > pcp->high)
		pcp_spill(zone, pcp);
	have = refill_order(zone, pcp, order);
	spin_lock_raw(&zone->lock);
	while (!(block = zone_core_alloc(zone, have)) && have > order)
		have--;
	spin_unlock_raw(&zone->lock);
	if (!block)
		return 0;
	for (piece = block + (1UL << have); piece > block; ) {
		piece -= 1UL << order;
		pcp_push(pcp, piece, order);
	}
	pcp->from_core += 1L << have;
	return 1U << (have - order);
}

/* Cuts stack @order below its uppermost *@keep pages, which come off *@keep: what was cut off. */
static struct page *cut_stack(struct per_cpu_pages *pcp, unsigned int order, long *keep)
{
	struct page **link = &pcp->stack[order], *rest;

	for (; *link && *keep >= 1L << order; *keep -= 1L << order)
		link = &(*link)->pcp_next;
	rest = *link;
	*link = NULL;
	return rest;
}

/* How many pages were given back. */
static unsigned long keep_only(struct zone *zone, struct per_cpu_pages *pcp, long keep)
{
	struct page *rest[PCP_MAX_ORDER + 1];
	unsigned long pages = 0;

	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++)
		rest[order] = cut_stack(pcp, order, &keep);
	spin_lock_raw(&zone->lock);
	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		while (rest[order]) {
			struct page *page = rest[order];

			rest[order] = page->pcp_next;
			__ClearPagePcp(page);
			zone_core_free(zone, page, order);
			pages += 1UL << order;
		}
	}
	spin_unlock_raw(&zone->lock);
	pcp->from_core -= pages;
	return pages;
}

void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	keep_only(zone, pcp, pcp->high - pcp->batch);
}

unsigned long pcp_drain(struct zone *zone)
{
	return zone->pcp ? keep_only(zone, this_cpu_pcp(zone), 0) : 0;
}

unsigned long pcp_count(const struct zone *zone)
{
	unsigned long pages = 0;

	for (unsigned int cpu = 0; zone->pcp && cpu < nr_cpus; cpu++)
		pages += max(pcp_pages(&zone->pcp[cpu]), 0L);
	return pages;
}
