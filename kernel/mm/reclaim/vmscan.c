/*
 * Reclaim: giving up pages before an allocation fails.
 *
 * Who starts it. Each zone has three watermarks. An allocation that would leave less than `low` free pages wakes
 * kswapd, a thread per node, which frees pages until `high` is reached: most allocations find free memory and
 * never wait. Between low and high nothing happens, which is the point of having two: kswapd neither starts for
 * each page nor stops after each. If memory is used up faster than kswapd frees it, the allocations that come
 * to `min` reclaim themselves (direct reclaim): that slows down whoever allocates. What is below min is kept for
 * reclaim's own needs (PF_MEMALLOC), so that it can always go on; and reclaim never reclaims recursively.
 *
 * What goes. Pages are taken from the tails of the inactive lists in batches, and each is asked, in order:
 *
 *	locked, or being written?	somebody is at work on it: left alone, for now
 *	used since it was last asked?	another round; a second time, or mapped more than once: promoted
 *	anonymous without a slot?	gets one on the swap area
 *	mapped?				taken out of all page tables
 *	dirty?				written, and met again when it is clean
 *	held by somebody else?		left alone
 *	then it goes			its contents are elsewhere
 *
 * So clean file pages go first (they cost nothing but to be read again), dirty ones cost a write; anonymous
 * pages cost a write and, likely, a read. How much of each kind is looked at is a matter of weights: what
 * reclaim of that kind has cost lately (pages that had to be put back, or written), and vm_swappiness.
 *
 * How hard. The first pass looks at 1/4096 of each list, the next at twice as much, until enough is free or
 * everything was looked at. Kernel objects (dentries, inodes) are asked for the same share.
 *
 * When to give up. A reclaimer that freed nothing while pages are dirty or under writeback waits for these: memory
 * is there, but not yet. Only if nothing is left to wait for does it return 0, and the allocator turns to the
 * OOM killer. kswapd that fails often in a row sleeps until a direct reclaimer has had success.
 *
 * Locks: none held on entry that an allocation may not be made under; page locks are only tried. So reclaim can
 * run in any context that may sleep.
 */
#include "mm/reclaim/reclaim.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

#define MAX_FAILURES	16		/* of kswapd in a row, before it is left asleep */
#define MAX_WAITS	10		/* for writeback, without a page freed */
#define KIND_ANON	0
#define KIND_FILE	1

struct scan_control {
	gfp_t gfp;
	unsigned int order;
	enum zone_type highest;		/* pages of higher zones are of no use */
	bool kswapd;
	int priority;
	unsigned long wanted;		/* pages to free */
	unsigned long freed;
	unsigned long unwritten;	/* pages met that were dirty or under writeback */
};

/* ---- one page ------------------------------------------------------------------------------- */

enum verdict { GIVE_UP, KEEP, ACTIVATE };

/* Was it used, and does that count? Page locked. */
static enum verdict check_references(struct page *page)
{
	int mappings = page_referenced(page);
	bool marked = TestClearPageReferenced(page);

	if (!mappings)
		return marked && !page_is_file_lru(page) ? KEEP : GIVE_UP;
	if (!page_is_file_lru(page))
		return ACTIVATE;
	/*
	 * Every mapped page was used once: that is why it is mapped. A second use counts, one by a second
	 * program, or one that the page remembers from its last round. Text counts at once.
	 */
	SetPageReferenced(page);
	return marked || mappings > 1 || PageIcache(page) ? ACTIVATE : KEEP;
}

/* Its contents are to be elsewhere and nobody is to map it: then it can go. Page locked. */
static enum verdict detach(struct page *page, const struct scan_control *sc)
{
	if (page_is_anon(page) && !PageSwapCache(page)) {
		if (!(sc->gfp & __GFP_IO))
			return KEEP;
		if (!add_to_swap(page))
			return ACTIVATE;
	}
	return page_mapped(page) && !try_to_unmap(page) ? ACTIVATE : GIVE_UP;
}

/* Does the page hold contents that exist nowhere else? Those of a slot that nobody refers to are not wanted. */
static bool needs_writing(const struct page *page)
{
	return PageDirty(page) && (!PageSwapCache(page) || swap_count(page_swap_entry(page)));
}

/* Starts the write of a locked page. True: it is clean again already, and locked. */
static bool write_out(struct page *page, struct scan_control *sc, enum verdict *verdict)
{
	sc->unwritten++;
	*verdict = KEEP;
	if (!(sc->gfp & __GFP_IO))
		return false;
	switch (pageout(page, sc->gfp)) {
	case PAGEOUT_ACTIVATE:
		*verdict = ACTIVATE;
		return false;
	case PAGEOUT_KEEP:
		return false;
	case PAGEOUT_STARTED:
		break;
	}
	if (PageWriteback(page) || PageDirty(page) || !trylock_page(page)) {
		*verdict = GIVE_UP;		/* is unlocked: see shrink_page() */
		return false;
	}
	return !PageDirty(page) && !PageWriteback(page);
}

/* True: the page went, and is the caller's alone. */
static bool shrink_page(struct page *page, struct scan_control *sc)
{
	enum verdict verdict;

	if (!trylock_page(page))
		return false;
	if (PageWriteback(page)) {
		SetPageReclaim(page);
		sc->unwritten++;
		verdict = KEEP;
		goto out;
	}
	verdict = check_references(page);
	if (verdict == GIVE_UP)
		verdict = detach(page, sc);
	if (verdict != GIVE_UP)
		goto out;
	if (needs_writing(page) && !write_out(page, sc, &verdict)) {
		if (verdict == GIVE_UP)
			return false;
		goto out;
	}
	if (evict_page(page, workingset_eviction(page))) {
		unlock_page(page);
		return true;
	}
	verdict = KEEP;
out:
	if (verdict == ACTIVATE) {
		SetPageActive(page);
		inc_vm_stat(PGACTIVATE);
	}
	unlock_page(page);
	return false;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void note_cost(struct lruvec *lruvec, unsigned int kind, unsigned long pages)
{
	unsigned long size = 0;

	for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++)
		size += READ_ONCE(lruvec->nr[lru]);
	__atomic_fetch_add(&lruvec->cost[kind], pages, __ATOMIC_RELAXED);
	/* Only lately: the past counts half as much each time that a quarter of the pages was met. */
	if (lruvec->cost[KIND_ANON] + lruvec->cost[KIND_FILE] > size / 4) {
		WRITE_ONCE(lruvec->cost[KIND_ANON], lruvec->cost[KIND_ANON] / 2);
		WRITE_ONCE(lruvec->cost[KIND_FILE], lruvec->cost[KIND_FILE] / 2);
	}
}

static void shrink_inactive_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				 struct scan_control *sc)
{
	unsigned long scanned, taken, freed = 0;
	struct page *page, *next;
	LIST_HEAD(pages);

	taken = isolate_lru_pages(lruvec, lru, nr, sc->highest, &pages, &scanned);
	mod_vm_stat(sc->kswapd ? PGSCAN_KSWAPD : PGSCAN_DIRECT, scanned);
	list_for_each_entry_safe_reverse(page, next, &pages, list) {
		list_del(&page->list);
		if (shrink_page(page, sc)) {
			freed++;
			put_page(page);
		} else {
			putback_lru_page(page);
		}
	}
	mod_vm_stat(sc->kswapd ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT, freed);
	sc->freed += freed;
	note_cost(lruvec, lru_is_file(lru) ? KIND_FILE : KIND_ANON, taken - freed);
}

/* ---- how much of which kind ----------------------------------------------------------------- */

static bool only_file(const struct scan_control *sc)
{
	return !swap_available() || !(sc->gfp & __GFP_IO) || (!vm_swappiness && sc->priority);
}

/* Shares of the two kinds, in 256ths of what the priority says: by what each has cost, and by swappiness. */
static void kind_weights(struct lruvec *lruvec, const struct scan_control *sc, unsigned long weight[2])
{
	unsigned long anon_cost = READ_ONCE(lruvec->cost[KIND_ANON]), file_cost = READ_ONCE(lruvec->cost[KIND_FILE]);
	unsigned long total = anon_cost + file_cost, anon, file;

	if (only_file(sc)) {
		weight[KIND_ANON] = 0;
		weight[KIND_FILE] = 256;
		return;
	}
	if (!sc->priority) {		/* the last try: everything */
		weight[KIND_ANON] = weight[KIND_FILE] = 256;
		return;
	}
	/* While many file pages wait in line that were used once, there is no need to swap. */
	if (!inactive_is_low(lruvec, true) && READ_ONCE(lruvec->nr[LRU_INACTIVE_FILE]) >> sc->priority) {
		weight[KIND_ANON] = 0;
		weight[KIND_FILE] = 256;
		return;
	}
	total += file_cost + anon_cost;		/* so that neither share is ever nothing */
	anon_cost += total / 4;
	file_cost += total / 4;
	anon = vm_swappiness * (total + 1) / (anon_cost + 1);
	file = (200 - vm_swappiness) * (total + 1) / (file_cost + 1);
	weight[KIND_ANON] = 256 * anon / (anon + file + 1);
	weight[KIND_FILE] = 256 * file / (anon + file + 1);
}

static unsigned long scan_target(struct lruvec *lruvec, enum lru_list lru, const struct scan_control *sc,
				 const unsigned long weight[2])
{
	unsigned long size = READ_ONCE(lruvec->nr[lru]);

	return (size >> sc->priority) * weight[lru_is_file(lru) ? KIND_FILE : KIND_ANON] / 256;
}

static void shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc)
{
	unsigned long weight[2], target[NR_LRU_LISTS];
	bool more;

	kind_weights(lruvec, sc, weight);
	for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++)
		target[lru] = scan_target(lruvec, lru, sc, weight);
	do {
		more = false;
		for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++) {
			unsigned long nr = min(target[lru], (unsigned long)SWAP_CLUSTER_MAX);

			if (!nr)
				continue;
			target[lru] -= nr;
			if (!lru_is_active(lru))
				shrink_inactive_list(lruvec, lru, nr, sc);
			else if (inactive_is_low(lruvec, lru_is_file(lru)))
				shrink_active_list(lruvec, lru, nr, sc->highest);
			more |= target[lru] > 0;
		}
	} while (more && sc->freed < sc->wanted);
}

static void shrink_node(struct node_reclaim *node, struct scan_control *sc)
{
	unsigned long objects;

	shrink_lruvec(&node->lruvec, sc);
	objects = shrink_slab(sc->gfp, sc->priority);
	if (objects) {
		mod_vm_stat(SLABS_SCANNED, objects);
		sc->freed += kmem_cache_reap();
	}
}

/* ---- direct reclaim ------------------------------------------------------------------------- */

/* Passes of rising effort until enough is free; what was freed. */
static unsigned long scan_node(struct node_reclaim *node, struct scan_control *sc)
{
	for (sc->priority = DEF_PRIORITY; sc->priority >= 0 && sc->freed < sc->wanted; sc->priority--)
		shrink_node(node, sc);
	return sc->freed;
}

unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);
	struct scan_control sc = {
		.gfp = gfp,
		.order = order,
		.highest = zone->type,
		.wanted = max(1UL << order, (unsigned long)SWAP_CLUSTER_MAX),
	};

	inc_vm_stat(ALLOCSTALL);
	for (int i = 0; !scan_node(node, &sc) && i < MAX_WAITS; i++) {
		if (fatal_signal_pending(current_thread()) || !(gfp & __GFP_IO))
			break;
		if (sc.unwritten)
			wake_flusher();
		if (!wait_for_writeback())
			break;
		sc.unwritten = 0;
	}
	if (sc.freed)
		WRITE_ONCE(node->kswapd_failures, 0);
	return sc.freed;
}

/* ---- kswapd --------------------------------------------------------------------------------- */

static bool node_balanced(const struct node_reclaim *node, unsigned int order)
{
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *zone = &NODE_DATA(node->nid)->zones[type];

		if (zone->managed_pages && !zone_watermark_ok(zone, order, WMARK_HIGH, 0))
			return false;
	}
	return true;
}

bool kswapd_wanted(struct node_reclaim *node)
{
	return READ_ONCE(node->kswapd_order) >= 0;
}

void wakeup_kswapd(struct zone *zone, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);

	if (READ_ONCE(node->kswapd_failures) >= MAX_FAILURES)
		return;
	if (READ_ONCE(node->kswapd_order) >= (int)order)
		return;			/* awake, or about to be */
	WRITE_ONCE(node->kswapd_order, order);
	wake_up(&node->kswapd_wait);
}

/* Frees up to high: true if it got there. A block of @order is tried for, but not for ever. */
static bool balance(struct node_reclaim *node, unsigned int order)
{
	struct scan_control sc = {
		.gfp = GFP_KERNEL,
		.order = order,
		.highest = MAX_NR_ZONES - 1,
		.kswapd = true,
	};
	unsigned long all = 0;

	for (sc.priority = DEF_PRIORITY; sc.priority >= 0; ) {
		if (node_balanced(node, order))
			return true;
		sc.freed = sc.unwritten = 0;
		sc.wanted = 0;
		for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
			sc.wanted += max(NODE_DATA(node->nid)->zones[type].watermark[WMARK_HIGH],
					 (unsigned long)SWAP_CLUSTER_MAX);
		shrink_node(node, &sc);
		all += sc.freed;
		if (all >= 2 * sc.wanted)
			order = 0;	/* pages enough, but in pieces: that is not reclaim's to mend */
		if (sc.unwritten && !sc.freed) {
			wake_flusher();
			if (sc.priority < DEF_PRIORITY - 2)
				wait_for_writeback();
		}
		if (sc.freed < sc.wanted)
			sc.priority--;		/* not enough: try harder */
	}
	return all > 0;
}

void balance_node(struct node_reclaim *node)
{
	/* Taken away: who misses memory from here on is heard, whatever this run still sees of it. */
	int order = __atomic_exchange_n(&node->kswapd_order, -1, __ATOMIC_ACQ_REL);

	inc_vm_stat(PAGEOUTRUN);
	if (balance(node, max(order, 0)))
		WRITE_ONCE(node->kswapd_failures, 0);
	else
		WRITE_ONCE(node->kswapd_failures, node->kswapd_failures + 1);
}
