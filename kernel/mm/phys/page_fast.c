/*
 * The fast paths of the page allocator: alloc_pages() and __free_pages() for the plain case.
 *
 * Nearly all requests are for one page, or a few, that lie on this CPU's lists, and nearly all
 * frees are of pages that nobody else holds. So these two functions do that and nothing else:
 * interrupts off, look, pop or push, interrupts on. Whatever is not plain goes the general way
 * (page_alloc.c), which asks all questions anew: the list is empty or full, the page is to be
 * zeroed or must be of a certain kind, has other owners, is in a state in which it may not be
 * freed.
 *
 * What makes it short, and why that is right:
 *
 *	no walk		the lists of the zone that a request tries first, and of the zone of a
 *			page, are looked up in a table of this CPU (cpu_lists), made at boot
 *	no watermark	a page on a CPU's list has left zone->free_pages already: taking it cannot
 *			bring the zone below its watermark. The refill asked
 *	no lock, no	the lists are this CPU's alone while interrupts are off; a page fresh from
 *	atomics		a list is known to nobody else, so its count is a plain store
 *	one atomic	on free the count is decremented atomically, for references are dropped by
 *			anybody, and of two CPUs that free a page twice only one may win
 *	few questions	the flags that a page must not have are neighbours, one mask; and whether
 *			a page has a descriptor at all is a comparison with the largest stretch of
 *			memory without holes, instead of a look into the section map
 *	large blocks	are passed on to the core with the same few questions asked
 *	no frames	everything rare is a tail call. Nothing ever returns into these
 *			functions, so no backtrace needs their frames, and this file is compiled
 *			without frame pointers
 *
 * With DEBUG=1 or KASAN=1 every page is poisoned, which is not fast, and all go the general way.
 */
#include "mm/phys/page_fast.h"

#if defined(CONFIG_DEBUG) || defined(CONFIG_KASAN)
#define FAST_PATHS	false
#else
#define FAST_PATHS	true
#endif

struct cpu_lists {
	struct per_cpu_pages *of[NR_ZONE_IDS];	/* by page_zone_id() */
	struct per_cpu_pages *first;	/* of the zone tried first by who can use any */
	struct zone *first_zone;	/* NULL: none yet */
	unsigned long pages_start, pages_size;	/* descriptors without holes: address, bytes */
};

static DEFINE_PER_CPU(struct cpu_lists, cpu_lists);
static struct zone *zone_of[NR_ZONE_IDS];	/* page_zone() without its multiplications */

/* Stands for the lists that a CPU does not have: empty for who pops, full for who pushes. */
static struct per_cpu_pages no_lists;

/* ---- allocate ----------------------------------------------------------------------------- */

/* NULL: go the general way. */
static __always_inline struct page *alloc_fast(unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct per_cpu_pages *pcp = this_cpu_ptr(&cpu_lists)->first;
	struct page *page = pcp_pop(pcp, order);

	if (likely(page)) {
		pcp->nr_alloc += 1L << order;
		set_page_in_use(page, order);
	}
	local_irq_restore(flags);
	return page;
}

static noinline struct page *alloc_pages_near(gfp_t gfp, unsigned int order)
{
	return alloc_pages_general(cpu_node[smp_processor_id()], gfp, order);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = NULL;

	if (FAST_PATHS && likely(!(gfp & (__GFP_ZERO | __GFP_THISNODE | __GFP_DMA32)))) {
		if (likely(order == 0))
			page = alloc_fast(0);
		else if (order <= PCP_MAX_ORDER)
			page = alloc_fast(order);
		else if (order <= MAX_ORDER && this_cpu(cpu_lists).first_zone)
			return alloc_large_block(this_cpu(cpu_lists).first_zone, gfp, order);
	}
	return likely(page) ? page : alloc_pages_near(gfp, order);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	if (likely(nid == (int)cpu_node[smp_processor_id()]))
		return alloc_pages(gfp, order);
	return alloc_pages_general(nid, gfp, order);
}

/* ---- free --------------------------------------------------------------------------------- */

/* May @page be freed as a block of @order as far as its descriptor tells, and is it nobody's? */
static __always_inline bool is_plain(const struct page *page, unsigned int order)
{
	unsigned long kind = page->flags & (FLAGS_BAD_AT_FREE | BIT(PG_head));

	if (order == 0 ? kind != 0 : kind != BIT(PG_head) || page->aux != order)
		return false;
	return !page->mapping && page->_mapcount.counter < 0;
}

/* Is it the descriptor of a page at all? @lists may be any CPU's, in this they are all alike. */
static __always_inline bool is_page(const struct cpu_lists *lists, const struct page *page)
{
	return (unsigned long)page - lists->pages_start < lists->pages_size &&
	       (unsigned long)page % sizeof(*page) == 0;
}

static __always_inline void free_fast(struct page *page, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct cpu_lists *lists = this_cpu_ptr(&cpu_lists);
	struct per_cpu_pages *pcp;
	unsigned long now;
	int count;

	if (unlikely(!is_page(lists, page) || !is_plain(page, order))) {
		local_irq_restore(flags);
		free_pages_general(page, order);
		return;
	}
	count = atomic_dec_return(&page->_refcount);
	if (unlikely(count)) {
		local_irq_restore(flags);
		if (count < 0)
			undo_free(page);
		return;
	}
	pcp = lists->of[page_zone_id(page)];
	now = page->flags;
	/* Whoever held it meanwhile may have put it back on its list: flags_bad() in page_alloc.c. */
	if (unlikely((order == 0 && now & BIT(PG_lru)) || pcp_pages(pcp) >= pcp->high)) {
		local_irq_restore(flags);
		free_block(page, order);
		return;
	}
	page->flags = now & FLAGS_ZONE;
	page->aux = 0;
	pcp_push(pcp, page, order);
	pcp->nr_free += 1L << order;
	local_irq_restore(flags);
}

/* The same questions, and then the core's lock instead of a list. */
static __always_inline void free_large_fast(struct page *page, unsigned int order)
{
	int count;

	if (unlikely(!is_page(this_cpu_ptr(&cpu_lists), page) || !is_plain(page, order))) {
		free_pages_general(page, order);
		return;
	}
	count = atomic_dec_return(&page->_refcount);
	if (likely(!count))
		free_large_block(zone_of[page_zone_id(page)], page, order);
	else if (count < 0)
		undo_free(page);
}

noinline void __free_pages(struct page *page, unsigned int order)
{
	if (FAST_PATHS && likely(order == 0))
		free_fast(page, 0);
	else if (FAST_PATHS && order <= PCP_MAX_ORDER)
		free_fast(page, order);
	else if (FAST_PATHS && order <= MAX_ORDER)
		free_large_fast(page, order);
	else
		free_pages_general(page, order);
}

void put_page(struct page *page)
{
	__free_pages(page, PageHead(page) ? page->aux : 0);
}

/* ---- at boot ------------------------------------------------------------------------------ */

void fast_paths_close(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct cpu_lists *lists = per_cpu_ptr(&cpu_lists, cpu);

		for (unsigned int id = 0; id < NR_ZONE_IDS; id++)
			lists->of[id] = &no_lists;
		lists->first = &no_lists;
		lists->first_zone = NULL;
		lists->pages_start = lists->pages_size = 0;
	}
}

void fast_paths_open(void)
{
	pfn_t first = 0;
	unsigned long length = sections_longest_run(&first);
	struct zonelist_cursor cursor;
	struct zone *zone;

	for_each_zone(zone)
		zone_of[zone_id(zone)] = zone;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct cpu_lists *lists = per_cpu_ptr(&cpu_lists, cpu);

		for_each_zone(zone)
			if (zone->pcp)
				lists->of[zone_id(zone)] = &zone->pcp[cpu];
		zone = zonelist_first(&cursor, cpu_node[cpu] < nr_nodes ? cpu_node[cpu] : 0, 0);
		lists->first_zone = zone;
		if (zone && zone->pcp)
			lists->first = &zone->pcp[cpu];
		lists->pages_start = (unsigned long)pfn_to_page(first);
		lists->pages_size = length * sizeof(struct page);
	}
}
