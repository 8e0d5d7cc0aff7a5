/*
 * Per-CPU page lists, another right design: as plain as they can be.
 *
 * A refill asks the core for one block after the other, a spill gives one after the other back,
 * and the core splits and merges for each. That costs instructions, but each batch still takes the
 * lock once, which is what the lists are for. Batches are small, 32 pages. Frees stop at six of
 * them; a refill does not ask for room, as each of the four stacks is refilled only when it is
 * empty: so the lists never hold more than ten batches and a block, far from PCP_MAX_PAGES. A
 * spill empties the stacks from the largest order on, since large blocks are what others may miss.
 */
#include "mm/phys/pcp.h"
#include "mm/phys/page_alloc.h"
#include "lib/errno.h"

#define MAX_BATCH	32		/* pages */
#define BATCHES		6		/* with so many, a free must spill first */
#define ZONE_PART	64		/* of a zone, so small a part is on one CPU's lists */

int pcp_init(struct zone *zone)
{
	unsigned long batch = min_t(unsigned long, zone->managed_pages / ZONE_PART / BATCHES,
					MAX_BATCH);
	struct per_cpu_pages *lists = (void *)get_zeroed_page(GFP_KERNEL);

	BUILD_BUG_ON(NR_CPUS * sizeof(*lists) > PAGE_SIZE);
	zone->pcp = lists;
	if (!lists)
		return -ENOMEM;
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		lists[cpu].batch = max(batch, 1UL);
		lists[cpu].high = BATCHES * lists[cpu].batch;
	}
	return 0;
}

/* How many blocks of @order may be fetched: what is left above the low mark is not all for us. */
static unsigned long blocks_wanted(const struct zone *zone, const struct per_cpu_pages *pcp,
				   unsigned int order)
{
	if (READ_ONCE(zone->free_pages) < zone->watermark[WMARK_LOW] + pcp->batch)
		return 1;
	return max(pcp->batch >> order, 1);
}

unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	unsigned long wanted = blocks_wanted(zone, pcp, order);
	unsigned int got;

	spin_lock_raw(&zone->lock);
	for (got = 0; got < wanted; got++) {
		struct page *page = zone_core_alloc(zone, order);

		if (!page)
			break;
		pcp_push(pcp, page, order);
	}
	spin_unlock_raw(&zone->lock);
	pcp->from_core += (long)got << order;
	return got;
}

/* Gives back until @keep pages or fewer are left; how many. */
static unsigned long give_back(struct zone *zone, struct per_cpu_pages *pcp, long keep)
{
	long before = pcp->from_core;

	spin_lock_raw(&zone->lock);
	for (int order = PCP_MAX_ORDER; order >= 0; order--) {
		struct page *page;

		while (pcp_pages(pcp) > keep && (page = pcp_pop(pcp, order))) {
			zone_core_free(zone, page, order);
			pcp->from_core -= 1L << order;
		}
	}
	spin_unlock_raw(&zone->lock);
	return before - pcp->from_core;
}

void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	give_back(zone, pcp, pcp->high - pcp->batch);
}

unsigned long pcp_drain(struct zone *zone)
{
	struct per_cpu_pages *pcp = this_cpu_pcp(zone);

	return pcp ? give_back(zone, pcp, 0) : 0;
}

unsigned long pcp_count(const struct zone *zone)
{
	long pages = 0;

	if (!zone->pcp)
		return 0;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		pages += pcp_pages(&zone->pcp[cpu]);
	return max(pages, 0L);
}
