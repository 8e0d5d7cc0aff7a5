/*
 * Reclaim, another right design: a batch goes from question to question, not a page.
 *
 * Each question sorts what is left of the batch: the page goes on, or onto the list of those that go back.
 * So all pages of a batch are unmapped before the first is written, all writes are started before the
 * first is looked at again, and the end is one walk over what is free and one over what is not.
 *
 * How much of which is drawn like water from two jars: each kind has a credit in private of its node
 * that its weight fills and a batch empties, and the fuller jar is next. The credits outlive the
 * call, so that small shares add up over many calls.
 *
 * kswapd is told by counting: private[TOLD] of its node is how often, private[HEARD] up to where it has
 * listened. It sleeps when both are the same.
 */
#include "mm/reclaim/reclaim.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

#define HOPELESS	16		/* runs of kswapd */
#define PATIENCE	10		/* waits for the disk, of up to 100 ms */

enum { ANON, FILE_CACHE, NR_KINDS };
enum { TOLD, HEARD, CREDIT };		/* in node_reclaim's private; CREDIT and the one behind it */

struct reclaim {
	struct node_reclaim *node;
	gfp_t gfp;
	enum zone_type highest;
	bool background;
	unsigned long target, freed;
	unsigned long stuck;		/* pages that only wait for the disk */
	bool last_resort;		/* even programs' pages, with swappiness 0 */
};

/* What is on its way through the questions: all pages are locked. */
struct batch {
	struct list_head going;
	struct list_head back;		/* unlocked, or PG_locked is somebody else's */
	unsigned long stuck, not_free;
	bool dirty_files;
};

static void goes_back(struct batch *batch, struct page *page, bool locked)
{
	if (locked)
		unlock_page(page);
	list_move_tail(&page->list, &batch->back);
	batch->not_free++;
}

static void is_promoted(struct reclaim *rc, struct batch *batch, struct page *page)
{
	SetPageActive(page);
	ClearPageReferenced(page);
	__atomic_fetch_add(&rc->node->lruvec.age, 1, __ATOMIC_RELAXED);
	inc_vm_stat(PGACTIVATE);
	goes_back(batch, page, true);
}

/* Questions 1 to 3. */
static void leave_the_busy(struct reclaim *rc, struct batch *batch)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &batch->going, list) {
		int uses;

		if (!trylock_page(page)) {
			goes_back(batch, page, false);
			continue;
		}
		if (PageWriteback(page)) {
			SetPageReclaim(page);
			batch->stuck++;
			goes_back(batch, page, true);
			continue;
		}
		uses = page_referenced(page);
		if (!uses)
			continue;
		if (PageSwapBacked(page) || PageIcache(page))
			uses = 2;
		uses += TestSetPageReferenced(page);
		if (uses > 1)
			is_promoted(rc, batch, page);
		else
			goes_back(batch, page, true);
	}
}

/* Questions 4 and 5. */
static void unmap_all(struct reclaim *rc, struct batch *batch)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &batch->going, list) {
		bool homeless = page_is_anon(page) && !PageSwapCache(page);

		if (homeless && !(rc->gfp & __GFP_IO))
			goes_back(batch, page, true);
		else if ((homeless && !add_to_swap(page)) || (page_mapped(page) && !try_to_unmap(page)))
			is_promoted(rc, batch, page);
	}
}

static bool must_be_written(struct page *page)
{
	if (!PageDirty(page))
		return false;
	return !PageSwapCache(page) || page_mapped(page) || swap_count(page_swap_entry(page));
}

/* Question 6. What was started is unlocked, and onto the list of its own. */
static void write_the_dirty(struct reclaim *rc, struct batch *batch, struct list_head *started)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &batch->going, list) {
		enum pageout_result result = PAGEOUT_KEEP;

		if (!must_be_written(page))
			continue;
		batch->stuck++;
		if (page_is_file_lru(page)) {
			if (!rc->background) {
				SetPageReclaim(page);	/* whoever writes it */
				batch->dirty_files = true;
				goes_back(batch, page, true);
				continue;
			}
		} else if (!(rc->gfp & __GFP_IO)) {
			goes_back(batch, page, true);
			continue;
		}
		result = pageout(page, rc->gfp);
		if (result == PAGEOUT_STARTED)
			list_move_tail(&page->list, started);
		else if (result == PAGEOUT_ACTIVATE)
			is_promoted(rc, batch, page);
		else
			goes_back(batch, page, true);
	}
}

/* A RAM disk is as fast as that. */
static void look_again(struct batch *batch, struct list_head *started)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, started, list) {
		if (!trylock_page(page))
			goes_back(batch, page, false);
		else if (PageWriteback(page) || PageDirty(page))
			goes_back(batch, page, true);
		else
			list_move_tail(&page->list, &batch->going);
	}
}

/* Questions 7 and 8: how many pages went. */
static unsigned long evict_the_rest(struct batch *batch)
{
	struct page *page, *next;
	unsigned long freed = 0;

	list_for_each_entry_safe(page, next, &batch->going, list) {
		if (!evict_page(page, workingset_eviction(page))) {
			goes_back(batch, page, true);
			continue;
		}
		list_del(&page->list);
		unlock_page(page);
		put_page(page);
		freed++;
	}
	list_for_each_entry_safe(page, next, &batch->back, list) {
		list_del(&page->list);
		putback_lru_page(page);
	}
	return freed;
}

static void note_cost(struct lruvec *lruvec, int kind, unsigned long pages)
{
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	lruvec->cost[kind] += pages;
	if (lruvec->cost[ANON] + lruvec->cost[FILE_CACHE] > 1024) {
		lruvec->cost[ANON] -= lruvec->cost[ANON] / 2;
		lruvec->cost[FILE_CACHE] -= lruvec->cost[FILE_CACHE] / 2;
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* Up to @nr pages of a kind go through all questions: how many were looked at. */
static unsigned long shrink_kind(struct reclaim *rc, int kind, unsigned long nr)
{
	struct lruvec *lruvec = &rc->node->lruvec;
	struct batch batch = { .stuck = 0 };
	unsigned long scanned, freed;
	LIST_HEAD(started);

	INIT_LIST_HEAD(&batch.going);
	INIT_LIST_HEAD(&batch.back);
	if (inactive_is_low(lruvec, kind == FILE_CACHE))
		shrink_active_list(lruvec, kind * LRU_FILE + LRU_ACTIVE, nr, rc->highest);
	isolate_lru_pages(lruvec, kind * LRU_FILE, nr, rc->highest, &batch.going, &scanned);
	leave_the_busy(rc, &batch);
	unmap_all(rc, &batch);
	write_the_dirty(rc, &batch, &started);
	look_again(&batch, &started);
	freed = evict_the_rest(&batch);
	if (batch.dirty_files && (rc->gfp & __GFP_IO))
		wake_flusher();
	note_cost(lruvec, kind, batch.not_free);
	mod_vm_stat(rc->background ? PGSCAN_KSWAPD : PGSCAN_DIRECT, scanned);
	mod_vm_stat(rc->background ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT, freed);
	rc->stuck += batch.stuck;
	rc->freed += freed;
	return scanned;
}

/* ---- how much of which ---------------------------------------------------------------------- */

/* The kind that is next, of those with something left. Both kinds get their due over time. */
static int next_kind(struct reclaim *rc, const unsigned long left[NR_KINDS])
{
	const struct lruvec *lruvec = &rc->node->lruvec;
	unsigned long *credit = rc->node->private + CREDIT;
	unsigned long swappiness = min(READ_ONCE(vm_swappiness), 200U);

	if (!left[ANON] || !left[FILE_CACHE])
		return left[ANON] ? ANON : FILE_CACHE;
	credit[ANON] += (swappiness << 10) / (READ_ONCE(lruvec->cost[ANON]) + 8);
	credit[FILE_CACHE] += ((200 - swappiness) << 10) / (READ_ONCE(lruvec->cost[FILE_CACHE]) + 8);
	if (credit[ANON] > credit[FILE_CACHE]) {
		credit[ANON] -= credit[FILE_CACHE];
		credit[FILE_CACHE] = 0;
		return ANON;
	}
	credit[FILE_CACHE] -= credit[ANON];
	credit[ANON] = 0;
	return FILE_CACHE;
}

/* Pages of both kinds that a pass looks at. Files first: see rules 1 and 2 of the handout's section 8. */
static void portion(struct reclaim *rc, int priority, unsigned long left[NR_KINDS])
{
	const struct lruvec *lruvec = &rc->node->lruvec;
	unsigned long files = READ_ONCE(lruvec->nr[LRU_INACTIVE_FILE]);
	unsigned long all_files = files + READ_ONCE(lruvec->nr[LRU_ACTIVE_FILE]);

	for (int kind = 0; kind < NR_KINDS; kind++) {
		unsigned long pages = READ_ONCE(lruvec->nr[kind * LRU_FILE]);

		if (!pages)		/* trimming is due, then */
			pages = DIV_ROUND_UP(READ_ONCE(lruvec->nr[kind * LRU_FILE + LRU_ACTIVE]), 2);
		left[kind] = (pages + (1UL << priority) - 1) >> priority;
	}
	if (!swap_available() || !(rc->gfp & __GFP_IO))
		left[ANON] = 0;
	else if (!READ_ONCE(vm_swappiness) && !rc->last_resort)
		left[ANON] = 0;
	else if (priority > 2 && files > 3 * rc->target && files > all_files / 2)
		left[ANON] = 0;
}

static void one_pass(struct reclaim *rc, int priority)
{
	unsigned long left[NR_KINDS];

	portion(rc, priority, left);
	while ((left[ANON] || left[FILE_CACHE]) && rc->freed < rc->target) {
		int kind = next_kind(rc, left);
		unsigned long nr = min(left[kind], (unsigned long)SWAP_CLUSTER_MAX);

		left[kind] -= nr;
		if (!shrink_kind(rc, kind, nr))
			left[kind] = 0;
	}
	shrink_slab(rc->gfp, priority);
	rc->freed += kmem_cache_reap();
}

static void all_passes(struct reclaim *rc)
{
	rc->stuck = 0;
	for (int priority = DEF_PRIORITY; priority >= 0 && rc->freed < rc->target; priority--)
		one_pass(rc, priority);
	if (!rc->freed && !READ_ONCE(vm_swappiness)) {
		rc->last_resort = true;
		one_pass(rc, 0);
		rc->last_resort = false;
	}
}

unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct reclaim rc = {
		.node = node_reclaim(zone->nid),
		.gfp = gfp,
		.highest = zone->type,
		.target = order > 5 ? 1UL << order : SWAP_CLUSTER_MAX,
	};
	bool may_wait = (gfp & __GFP_IO) && !fatal_signal_pending(current_thread());

	inc_vm_stat(ALLOCSTALL);
	all_passes(&rc);
	for (int i = 0; i < PATIENCE && may_wait && !rc.freed && rc.stuck; i++) {
		wake_flusher();
		may_wait = wait_for_writeback();
		all_passes(&rc);
		if (fatal_signal_pending(current_thread()))
			break;
	}
	if (rc.freed)
		WRITE_ONCE(rc.node->kswapd_failures, 0);
	return rc.freed;
}

/* ---- kswapd --------------------------------------------------------------------------------- */

void wakeup_kswapd(struct zone *zone, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);
	unsigned long flags;

	if (READ_ONCE(node->kswapd_failures) >= HOPELESS)
		return;
	spin_lock_irqsave(&node->lruvec.lock, flags);
	node->kswapd_order = max(node->kswapd_order, (int)order);
	WRITE_ONCE(node->private[TOLD], node->private[TOLD] + 1);
	spin_unlock_irqrestore(&node->lruvec.lock, flags);
	wake_up_all(&node->kswapd_wait);
}

bool kswapd_wanted(struct node_reclaim *node)
{
	return READ_ONCE(node->private[TOLD]) != READ_ONCE(node->private[HEARD]);
}

/* What was said until now: the largest order. */
static unsigned int listen(struct node_reclaim *node)
{
	unsigned long flags;
	int order;

	spin_lock_irqsave(&node->lruvec.lock, flags);
	order = node->kswapd_order;
	node->kswapd_order = -1;
	WRITE_ONCE(node->private[HEARD], node->private[TOLD]);
	spin_unlock_irqrestore(&node->lruvec.lock, flags);
	return max(order, 0);
}

/* Pages that the node's zones lack, and the highest zone that lacks any; 0: balanced. */
static unsigned long lacking(struct node_reclaim *node, unsigned int order, enum zone_type *highest)
{
	unsigned long pages = 0;

	for (enum zone_type type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *zone = &NODE_DATA(node->nid)->zones[type];

		if (zone->managed_pages && !zone_watermark_ok(zone, order, WMARK_HIGH, GFP_USER)) {
			unsigned long lack = zone->watermark[WMARK_HIGH] - READ_ONCE(zone->free_pages);

			pages += (long)lack > 0 ? lack : 1UL << order;
			*highest = type;
		}
	}
	return pages;
}

static bool enough_for_large(struct node_reclaim *node, unsigned long freed)
{
	unsigned long marks = 0;

	for (enum zone_type type = 0; type < MAX_NR_ZONES; type++)
		marks += NODE_DATA(node->nid)->zones[type].watermark[WMARK_HIGH];
	return freed >= 2 * marks;
}

void balance_node(struct node_reclaim *node)
{
	unsigned int order = listen(node);
	struct reclaim rc = { .node = node, .gfp = GFP_KERNEL, .background = true };
	unsigned long total = 0;
	int patience = PATIENCE;

	inc_vm_stat(PAGEOUTRUN);
	while ((rc.target = lacking(node, order, &rc.highest))) {
		rc.freed = 0;
		all_passes(&rc);
		total += rc.freed;
		if (order && enough_for_large(node, total))
			order = 0;
		if (!rc.freed && (!rc.stuck || !patience-- || !wait_for_writeback()))
			break;
	}
	if (total || !rc.target)
		WRITE_ONCE(node->kswapd_failures, 0);
	else
		__atomic_fetch_add(&node->kswapd_failures, 1, __ATOMIC_RELAXED);
}
