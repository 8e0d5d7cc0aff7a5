/*
 * Per-CPU page lists, another right design: the orders share fairly.
 *
 * A batch is an eighth of what the lists may hold. A spill goes round the stacks, one block of
 * each order at a time, so that a CPU that frees many single pages does not lose its few large
 * blocks. A refill fetches blocks of its own order up to a batch. If the other stacks have left
 * less room than that, it gives back first what is missing, and one lock is enough for both.
 */
#include "mm/phys/pcp.h"
#include "mm/phys/page_alloc.h"
#include "lib/errno.h"

#define BATCHES		8
#define MAX_BATCH	62
#define ZONE_PART	16	/* the lists of all CPUs together hold so small a part of a zone */

int pcp_init(struct zone *zone)
{
	unsigned long share = zone->managed_pages / ZONE_PART / nr_cpus;
	unsigned int batch = clamp(share / BATCHES, 1UL, (unsigned long)MAX_BATCH);
	void *memory = get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);

	if (!memory) {
		zone->pcp = NULL;
		return -ENOMEM;
	}
	zone->pcp = memory;
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		zone->pcp[cpu].batch = batch;
		zone->pcp[cpu].high = batch * BATCHES;
	}
	return 0;
}
BUILD_BUG_ON(sizeof(struct per_cpu_pages) * NR_CPUS > PAGE_SIZE);
BUILD_BUG_ON(MAX_BATCH * BATCHES + (1 << PCP_MAX_ORDER) > PCP_MAX_PAGES);

/* Gives @pages, or a few more, of those there are back; how many. zone->lock held. */
static long release(struct zone *zone, struct per_cpu_pages *pcp, long pages)
{
	long given = 0;

	for (unsigned int order = 0; given < pages; order = (order + 1) % (PCP_MAX_ORDER + 1)) {
		struct page *page = pcp_pop(pcp, order);

		if (!page)
			continue;
		zone_core_free(zone, page, order);
		given += 1L << order;
	}
	pcp->from_core -= given;
	return given;
}

unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	long size = 1L << order, pages = 0, limit = max((long)pcp->batch, size);
	struct page *page;

	spin_lock_raw(&zone->lock);
	release(zone, pcp, min(pcp_pages(pcp), pcp_pages(pcp) + limit - pcp->high));
	if (zone->free_pages < zone->watermark[WMARK_LOW] + limit)
		limit = size;
	while (pages + size <= limit && (page = zone_core_alloc(zone, order))) {
		pcp_push(pcp, page, order);
		pages += size;
	}
	spin_unlock_raw(&zone->lock);
	pcp->from_core += pages;
	return pages >> order;
}

void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	spin_lock_raw(&zone->lock);
	release(zone, pcp, min((long)pcp->batch, pcp_pages(pcp)));
	spin_unlock_raw(&zone->lock);
}

unsigned long pcp_drain(struct zone *zone)
{
	struct per_cpu_pages *pcp = this_cpu_pcp(zone);

	long given;

	if (!pcp)
		return 0;
	spin_lock_raw(&zone->lock);
	given = release(zone, pcp, pcp_pages(pcp));
	spin_unlock_raw(&zone->lock);
	return given;
}

unsigned long pcp_count(const struct zone *zone)
{
	long pages = 0;

	for (unsigned int cpu = 0; zone->pcp && cpu < nr_cpus; cpu++)
		pages += pcp_pages(&zone->pcp[cpu]);
	return pages > 0 ? pages : 0;
}
