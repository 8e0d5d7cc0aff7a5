/*
 * Reclaim, another right design: the handout's, with the eight questions as one function.
 *
 * kswapd and direct reclaim differ in a struct: what they want and what they may do. A pass looks at
 * 1/2^priority of the inactive lists, file pages and programs' in turn. What is asked of one page ends
 * in one of three ways: it is free, it goes back, or it goes to the active list.
 */
#include "mm/reclaim/reclaim.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

#define MAX_FAILURES	16
#define MAX_WAITS	20		/* of up to 100 ms, before direct reclaim gives up */

struct scan {
	struct lruvec *lruvec;
	gfp_t gfp;
	enum zone_type highest;
	bool kswapd;
	unsigned int priority;
	unsigned long want, freed;	/* pages */
	bool unwritten;			/* met what is dirty or being written: there will be memory */
	bool dirty_files;		/* of them, what only the flusher may write */
};

enum fate { FREED, KEPT, PROMOTED };

static bool io_allowed(const struct scan *scan)
{
	return scan->gfp & __GFP_IO;
}

/* Question 3: KEPT is another round; FREED: nothing speaks against it. Page locked. */
static enum fate ask_uses(struct page *page)
{
	int used = page_referenced(page);
	bool marked;

	if (!used)
		return FREED;
	if (PageSwapBacked(page))
		return PROMOTED;
	marked = TestSetPageReferenced(page);
	return marked || used > 1 || PageIcache(page) ? PROMOTED : KEPT;
}

/* Nobody can ask for its contents any more. */
static bool slot_is_dead(struct page *page)
{
	return PageSwapCache(page) && !page_mapped(page) && !swap_count(page_swap_entry(page));
}

/* Questions 2 to 6 of a locked page. *@locked: is it still? FREED: it may be evicted. */
static enum fate ask_locked(struct scan *scan, struct page *page, bool *locked)
{
	enum fate fate;

	if (PageWriteback(page)) {
		SetPageReclaim(page);
		scan->unwritten = true;
		return KEPT;
	}
	fate = ask_uses(page);
	if (fate != FREED)
		return fate;
	if (page_is_anon(page) && !PageSwapCache(page)) {
		if (!io_allowed(scan))
			return KEPT;
		if (!add_to_swap(page))
			return PROMOTED;
	}
	if (page_mapped(page) && !try_to_unmap(page))
		return PROMOTED;
	if (!PageDirty(page) || slot_is_dead(page))
		return FREED;
	if (!io_allowed(scan) && PageSwapBacked(page))
		return KEPT;
	switch (pageout(page, scan->gfp)) {
	case PAGEOUT_ACTIVATE:
		return PROMOTED;
	case PAGEOUT_KEEP:
		scan->unwritten = true;
		if (page_is_file_lru(page))
			scan->dirty_files = true;
		return KEPT;
	case PAGEOUT_STARTED:
		break;
	}
	scan->unwritten = true;
	*locked = trylock_page(page);
	return *locked && !PageDirty(page) && !PageWriteback(page) ? FREED : KEPT;
}

static enum fate ask(struct scan *scan, struct page *page)
{
	bool locked = trylock_page(page);
	enum fate fate;

	if (!locked)
		return KEPT;
	fate = ask_locked(scan, page, &locked);
	if (fate == FREED && !evict_page(page, workingset_eviction(page)))
		fate = KEPT;
	if (locked)
		unlock_page(page);
	return fate;
}

/* Each page that could not go makes its kind a little dearer; what is long past counts less and less. */
static void add_cost(struct lruvec *lruvec, bool file, unsigned long pages)
{
	unsigned long flags, all = 0;

	spin_lock_irqsave(&lruvec->lock, flags);
	for (int lru = 0; lru < NR_LRU_LISTS; lru++)
		all += lruvec->nr[lru];
	lruvec->cost[file] += pages;
	while (lruvec->cost[0] + lruvec->cost[1] > all / 4 + SWAP_CLUSTER_MAX) {
		lruvec->cost[0] /= 2;
		lruvec->cost[1] /= 2;
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

static void promote(struct lruvec *lruvec, struct page *page)
{
	SetPageActive(page);
	ClearPageReferenced(page);
	__atomic_fetch_add(&lruvec->age, 1, __ATOMIC_RELAXED);
	inc_vm_stat(PGACTIVATE);
}

/* A batch off the tail of an inactive list: how many pages were looked at. */
static unsigned long shrink_inactive_list(struct scan *scan, enum lru_list lru, unsigned long nr)
{
	unsigned long scanned, freed = 0, kept = 0;
	struct page *page, *next;
	LIST_HEAD(pages);

	isolate_lru_pages(scan->lruvec, lru, nr, scan->highest, &pages, &scanned);
	list_for_each_entry_safe(page, next, &pages, list) {
		enum fate fate = ask(scan, page);

		list_del(&page->list);
		if (fate == FREED) {
			put_page(page);
			freed++;
			continue;
		}
		kept++;
		if (fate == PROMOTED)
			promote(scan->lruvec, page);
		putback_lru_page(page);
	}
	if (kept)
		add_cost(scan->lruvec, lru_is_file(lru), kept);
	mod_vm_stat(scan->kswapd ? PGSCAN_KSWAPD : PGSCAN_DIRECT, scanned);
	mod_vm_stat(scan->kswapd ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT, freed);
	scan->freed += freed;
	return scanned;
}

/* Section 8: how many pages of each kind this pass looks at, [0] of programs, [1] of files. */
static void share(const struct scan *scan, unsigned long count[2])
{
	const struct lruvec *lruvec = scan->lruvec;
	unsigned long files = READ_ONCE(lruvec->nr[LRU_INACTIVE_FILE]);
	unsigned long cost_anon = READ_ONCE(lruvec->cost[0]) + 1;
	unsigned long cost_file = READ_ONCE(lruvec->cost[1]) + 1;
	unsigned long anon_weight, file_weight, swappiness = min(READ_ONCE(vm_swappiness), 200U);

	count[0] = DIV_ROUND_UP(READ_ONCE(lruvec->nr[LRU_INACTIVE_ANON]), 1UL << scan->priority);
	count[1] = DIV_ROUND_UP(files, 1UL << scan->priority);
	if (!swap_available() || !io_allowed(scan)) {
		count[0] = 0;
		return;
	}
	if (!scan->priority) {
		if (!swappiness && scan->freed)
			count[0] = 0;
		return;
	}
	if (!swappiness || (files > READ_ONCE(lruvec->nr[LRU_ACTIVE_FILE]) &&
			    files >> scan->priority)) {
		count[0] = 0;
		return;
	}
	anon_weight = swappiness * 1000 / cost_anon;
	file_weight = (200 - swappiness) * 1000 / cost_file;
	count[0] = count[0] * anon_weight / (anon_weight + file_weight + 1);
	count[1] = count[1] * file_weight / (anon_weight + file_weight + 1);
}

static void trim(struct scan *scan, bool file, unsigned long nr)
{
	if (inactive_is_low(scan->lruvec, file))
		shrink_active_list(scan->lruvec, file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON, nr,
				   scan->highest);
}

/* One pass over a node's lists. */
static void shrink_node(struct scan *scan)
{
	unsigned long count[2];

	trim(scan, true, SWAP_CLUSTER_MAX);
	if (swap_available() && io_allowed(scan))
		trim(scan, false, SWAP_CLUSTER_MAX);
	share(scan, count);
	while ((count[0] || count[1]) && scan->freed < scan->want) {
		for (int file = 1; file >= 0; file--) {
			unsigned long nr = min(count[file], (unsigned long)SWAP_CLUSTER_MAX);

			if (!nr)
				continue;
			count[file] -= nr;
			if (!shrink_inactive_list(scan, file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON, nr))
				count[file] = 0;
			trim(scan, file, nr);
		}
	}
	if (scan->dirty_files) {
		wake_flusher();
		scan->dirty_files = false;
	}
	shrink_slab(scan->gfp, scan->priority);
	scan->freed += kmem_cache_reap();
}

/* Harder and harder, until enough is free. */
static void shrink_until_enough(struct scan *scan)
{
	for (int priority = DEF_PRIORITY; priority >= 0 && scan->freed < scan->want; priority--) {
		scan->priority = priority;
		shrink_node(scan);
	}
}

/* ---- direct reclaim ------------------------------------------------------------------------- */

unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);
	struct scan scan = {
		.lruvec = &node->lruvec,
		.gfp = gfp,
		.highest = zone->type,
		.want = max((unsigned long)SWAP_CLUSTER_MAX, 1UL << order),
	};
	bool more = true;

	inc_vm_stat(ALLOCSTALL);
	for (int waits = 0; more; waits++) {
		scan.unwritten = false;
		shrink_until_enough(&scan);
		if (scan.freed || !scan.unwritten || !(gfp & __GFP_IO) || waits == MAX_WAITS ||
		    fatal_signal_pending(current_thread()))
			break;
		wake_flusher();
		more = wait_for_writeback();
	}
	if (scan.freed)
		WRITE_ONCE(node->kswapd_failures, 0);
	return scan.freed;
}

/* ---- kswapd --------------------------------------------------------------------------------- */

/* Several may tell it at once: the largest order stays. */
static void tell(struct node_reclaim *node, int order)
{
	int old = READ_ONCE(node->kswapd_order);

	while (old < order && !__atomic_compare_exchange_n(&node->kswapd_order, &old, order, false,
							   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

void wakeup_kswapd(struct zone *zone, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);

	if (READ_ONCE(node->kswapd_failures) >= MAX_FAILURES)
		return;
	tell(node, order);
	wake_up(&node->kswapd_wait);
}

bool kswapd_wanted(struct node_reclaim *node)
{
	return READ_ONCE(node->kswapd_order) >= 0;
}

/* The highest zone below its mark, or -1; *@missing: pages that the node wants. */
static int unbalanced_zone(int nid, unsigned int order, unsigned long *missing)
{
	int highest = -1;

	*missing = 0;
	for (int type = 0; type < MAX_NR_ZONES; type++) {
		struct zone *zone = &NODE_DATA(nid)->zones[type];
		unsigned long high = zone->watermark[WMARK_HIGH], free = READ_ONCE(zone->free_pages);

		if (!zone->managed_pages || zone_watermark_ok(zone, order, WMARK_HIGH, GFP_KERNEL))
			continue;
		highest = type;
		*missing += free < high ? high - free : 1;
	}
	return highest;
}

static unsigned long high_marks(int nid)
{
	unsigned long pages = 0;

	for (int type = 0; type < MAX_NR_ZONES; type++)
		pages += NODE_DATA(nid)->zones[type].watermark[WMARK_HIGH];
	return pages;
}

void balance_node(struct node_reclaim *node)
{
	int order = max(__atomic_exchange_n(&node->kswapd_order, -1, __ATOMIC_SEQ_CST), 0), waits = 0;
	struct scan scan = { .lruvec = &node->lruvec, .gfp = GFP_KERNEL, .kswapd = true };
	unsigned long missing, freed = 0;
	int highest;

	inc_vm_stat(PAGEOUTRUN);
	while ((highest = unbalanced_zone(node->nid, order, &missing)) >= 0) {
		scan.highest = highest;
		scan.want = missing;
		scan.freed = 0;
		scan.unwritten = false;
		shrink_until_enough(&scan);
		freed += scan.freed;
		if (!scan.freed &&
		    (!scan.unwritten || waits++ == MAX_WAITS || !wait_for_writeback()))
			break;
		if (freed >= 2 * high_marks(node->nid))
			order = 0;
	}
	if (freed || highest < 0)
		WRITE_ONCE(node->kswapd_failures, 0);
	else
		WRITE_ONCE(node->kswapd_failures, node->kswapd_failures + 1);
}
