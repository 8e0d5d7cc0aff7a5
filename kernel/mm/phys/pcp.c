/*
 * Per-CPU page lists: most allocations need neither the zone's lock nor the buddy system.
 *
 * The problem. Every page of a zone goes through one lock. With one CPU the lock is an expense on
 * each allocation; with many it is a queue, and the cache line it lies in travels from CPU to CPU.
 * And under the lock the buddy system does work that is often undone at once: a page is split off
 * its block, used, freed, and merged again.
 *
 * The idea (Bonwick's magazines, Linux's per-CPU page sets). Each CPU keeps a few free blocks to
 * itself. Allocating pops, freeing pushes (pcp.h), and no other CPU may look. When there is
 * nothing left to pop, a *batch* is fetched from the core under the lock; when there is too much,
 * a batch is given back. So the lock is taken once for a batch, not once for a page. A batch is a
 * fraction of what the lists may hold, so that somebody who allocates and frees by turns around
 * an edge does not run into it each time.
 *
 *	           refill: a batch              pop
 *	core  ------------------------>  stack  ------>  user
 *	      <------------------------         <------
 *	           spill: a batch               push
 *
 * What it costs. A page on a list is free and yet nobody else's, and its buddy waits for it. The
 * lists are therefore short: PCP_MAX_PAGES at most, less in a small zone, never more than 1/16 of
 * it on all CPUs together; and whoever really needs memory has them drained (drain_all_pages).
 *
 * Moving batches cheaply. Taken one by one, each page of a batch is split off and later merged, for
 * nothing but to lie in a stack in between. Two observations avoid most of that:
 *
 *	refill	The core would serve a row of small requests from its smallest block, halving it
 *		again and again until it is used up. So that block is taken at once, whole if a
 *		batch can hold it, and cut here, by pushing its pieces. Blocks of less than
 *		2^REFILL_ORDER pages are left alone while there are others: a batch made of crumbs
 *		would come back as crumbs, each a call of its own in and out, and crumbs that lie
 *		still are found by their buddies. Blocks larger than needed stay as they are.
 *
 *	return	Pages that were freed in a row often are neighbours, which lie in a row in the stack
 *		as well, with rising or falling addresses. They are put together to the largest
 *		aligned blocks first.
 *
 * The order in which a block is cut is chosen so that pages are handed out with rising addresses.
 *
 * Invariants, on the CPU itself while interrupts are on:
 *
 *	- pcp_pages() = pages on the stacks <= PCP_MAX_PAGES
 *	- every block on a stack has PG_pcp set, belongs to this zone, and has reference count 0
 *	- free memory of a zone = zone->free_pages + the counts of all CPUs
 *
 * Locking. The lists of a CPU: interrupts off on that CPU, nothing else. zone->lock is taken
 * inside. Another CPU may read the counts, and gets about what was true a moment ago.
 */
#include "mm/phys/pcp.h"
#include "mm/phys/page_alloc.h"
#include "lib/errno.h"

#define PCP_SHARE	16		/* all CPUs' lists together: this part of the zone at most */
#define PCP_BATCHES	4		/* batches that fit onto the lists */
#define REFILL_ORDER	4	/* a refill takes no smaller blocks while there are any such */
#define BLOCK		(1U << PCP_MAX_ORDER)	/* pages of the largest block that may come */
BUILD_BUG_ON(NR_CPUS * sizeof(struct per_cpu_pages) > PAGE_SIZE);

int pcp_init(struct zone *zone)
{
	unsigned long share = zone->managed_pages / PCP_SHARE / nr_cpus;
	unsigned long limit = ALIGN_DOWN(clamp(share, 4UL * BLOCK, (unsigned long)PCP_MAX_PAGES),
					 2UL * BLOCK);
	struct per_cpu_pages *pcp = get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);

	if (!pcp)
		return -ENOMEM;
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		pcp[cpu].high = limit - BLOCK;	/* one more block always fits */
		pcp[cpu].batch = max(limit / PCP_BATCHES, (unsigned long)BLOCK);
	}
	smp_store_release(&zone->pcp, pcp);
	return 0;
}

/* ---- from the core ------------------------------------------------------------------------ */

/* Cuts a block of order @have into blocks of @order. Backwards: the lowest ends on top. */
static void push_pieces(struct per_cpu_pages *pcp, struct page *page, unsigned int have,
			unsigned int order)
{
	unsigned long flags = page->flags | BIT(PG_pcp);	/* the same for all of a free block */
	struct page *top = pcp->stack[order];

	for (struct page *p = page + (1UL << have); p > page; top = p) {
		p -= 1UL << order;
		p->flags = flags;
		p->pcp_next = top;
	}
	pcp->stack[order] = top;
	pcp->from_core += 1L << have;
}

/* The order of the core's smallest block that a request for @order should be served from, but no
 * larger than @room pages. */
static unsigned int refill_order(const struct zone *zone, unsigned int order, unsigned int room)
{
	if (1U << REFILL_ORDER <= room)
		order = max(order, (unsigned int)REFILL_ORDER);
	while (2U << order <= room && !zone->free_area[order].nr_free)
		order++;
	return order;
}

/* The watermark was checked for one block. Where a batch could go below it, or into what is kept
 * for others, one block is what is taken. */
static bool near_watermark(const struct zone *zone, unsigned int pages)
{
	return zone->free_pages < zone->watermark[WMARK_HIGH] +
				  zone->lowmem_reserve[ZONE_NORMAL] + pages;
}

unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	unsigned int wanted = pcp->batch, blocks = 0;

	/* The other stacks may have filled the lists. */
	if (pcp_pages(pcp) + wanted > pcp->high)
		pcp_spill(zone, pcp);
	spin_lock_raw(&zone->lock);
	if (near_watermark(zone, wanted))
		wanted = 1U << order;
	while (wanted >= 1U << order) {
		unsigned int have = refill_order(zone, order, wanted);
		struct page *page = zone_core_alloc(zone, have);

		if (!page)	/* all that is left is in smaller pieces */
			page = zone_core_alloc(zone, have = order);
		if (!page)
			break;
		push_pieces(pcp, page, have, order);
		wanted -= 1U << have;
		blocks += 1U << (have - order);
	}
	spin_unlock_raw(&zone->lock);
	return blocks;
}

/* ---- back to the core --------------------------------------------------------------------- */

/* A row of neighbours in memory and in a stack: @pages from @page on. */
struct run {
	struct page *page;
	unsigned long pages;
};

/* Pops at most @limit blocks of @size pages that are neighbours, with rising or falling addresses. */
static struct run pop_run(struct page **stack, unsigned long size, unsigned long limit)
{
	struct page *first = *stack, *page = first, *last;
	unsigned long flags = first->flags & ~BIT(PG_pcp);	/* the same for the whole stack */
	long step = first->pcp_next > first ? size : -size;
	unsigned long n = 0;

	do {
		last = page;
		page = last->pcp_next;
		last->flags = flags;
	} while (++n < limit && page == last + step);
	*stack = page;
	return (struct run){ step > 0 ? first : last, n * size };
}

/* Frees a run in the largest blocks that are aligned. */
static void free_run(struct zone *zone, struct run run, unsigned int order)
{
	pfn_t pfn = page_to_pfn(run.page), end = pfn + run.pages;

	while (pfn < end) {
		unsigned int have = order;

		while (have < MAX_ORDER && !(pfn & (1UL << have)) && pfn + (2UL << have) <= end)
			have++;
		zone_core_free(zone, pfn_to_page(pfn), have);
		pfn += 1UL << have;
	}
}

/* Gives @pages back, or less than a block more, large blocks first; zone->lock held. */
static void give_back(struct zone *zone, struct per_cpu_pages *pcp, long pages)
{
	for (int order = PCP_MAX_ORDER; order >= 0; order--) {
		long size = 1L << order;

		while (pcp->stack[order] && pages > 0) {
			struct run run = pop_run(&pcp->stack[order], size,
						 (pages + size - 1) >> order);

			free_run(zone, run, order);
			pcp->from_core -= run.pages;
			pages -= run.pages;
		}
	}
}

void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	spin_lock_raw(&zone->lock);
	give_back(zone, pcp, pcp->batch);
	spin_unlock_raw(&zone->lock);
}

unsigned long pcp_drain(struct zone *zone)
{
	struct per_cpu_pages *pcp = this_cpu_pcp(zone);
	long pages = pcp ? pcp_pages(pcp) : 0;

	if (pages) {
		spin_lock_raw(&zone->lock);
		give_back(zone, pcp, pages);
		spin_unlock_raw(&zone->lock);
	}
	return pages;
}

unsigned long pcp_count(const struct zone *zone)
{
	const struct per_cpu_pages *pcp = smp_load_acquire(&zone->pcp);
	long pages = 0;

	for (unsigned int cpu = 0; pcp && cpu < nr_cpus; cpu++)
		pages += READ_ONCE(pcp[cpu].from_core) + READ_ONCE(pcp[cpu].nr_free) -
			 READ_ONCE(pcp[cpu].nr_alloc);
	return max(pages, 0L);
}
