/*
 * Reclaim, another right design: a hand that goes round, page by page, without priorities.
 *
 * One page at a time is taken from a list, asked, and put back or freed. That goes on until enough is
 * free, or until the hand has passed all pages three times: the first time takes what is cold, the
 * second what was only spared, the third anything that can go. So hot pages are not looked at while cold ones
 * are there, for the hand meets these first.
 *
 * Which kind is next is decided page by page, as a line is drawn on a grid: a share is added to a sum at each
 * step, and when the sum is full the page is a program's.
 *
 * kswapd is told in a set of orders, a bit for each, in private[0] of its node; it takes the whole set.
 */
#include "mm/reclaim/reclaim.h"
#include "lib/bitops.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

#define ROUNDS		3
#define RUNS_IN_VAIN	16
#define SLAB_SHARE	8		/* of kernel objects, a 1/2^8 for each batch of pages */
#define WAITS		8
#define FULL		1024UL		/* one page's worth in the sum */

struct hand {
	struct node_reclaim *node;
	gfp_t gfp;
	bool is_kswapd;
	enum zone_type highest;
	unsigned long want, freed, looked;
	unsigned long sum;
	bool met_unwritten, met_dirty_file;
};

static bool may_swap(const struct hand *hand)
{
	return (hand->gfp & __GFP_IO) && swap_available();
}

/* ---- one page ------------------------------------------------------------------------------- */

static void activate(struct hand *hand, struct page *page)
{
	struct lruvec *lruvec = &hand->node->lruvec;
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	lruvec->age += 2;		/* as lru.c counts it */
	spin_unlock_irqrestore(&lruvec->lock, flags);
	SetPageActive(page);
	ClearPageReferenced(page);
	inc_vm_stat(PGACTIVATE);
}

/* Was it used so that it stays? Then it is marked for where it goes. */
static bool was_used(struct hand *hand, struct page *page)
{
	int entries = page_referenced(page);

	if (!entries)
		return false;
	if (!PageSwapBacked(page) && !PageIcache(page) && entries == 1 && !PageReferenced(page))
		SetPageReferenced(page);
	else
		activate(hand, page);
	return true;
}

static bool nobody_can_ask_for_it(struct page *page)
{
	return PageSwapCache(page) && !page_mapped(page) && swap_count(page_swap_entry(page)) == 0;
}

/* Dirty, and nobody maps it: true if it is clean now, and locked. *@locked as it is left. */
static bool was_written(struct hand *hand, struct page *page, bool *locked)
{
	bool file = page_is_file_lru(page);

	hand->met_unwritten = true;
	if (file && !hand->is_kswapd) {
		hand->met_dirty_file = true;
		return false;
	}
	if (!(hand->gfp & __GFP_IO))
		return false;
	switch (pageout(page, hand->gfp)) {
	case PAGEOUT_ACTIVATE:
		activate(hand, page);
		return false;
	case PAGEOUT_KEEP:
		return false;
	case PAGEOUT_STARTED:
		break;
	}
	*locked = !PageWriteback(page) && trylock_page(page);
	return *locked;
}

/* All questions but the first: true if the page is out of its cache. */
static bool detach(struct hand *hand, struct page *page, bool *locked)
{
	if (PageWriteback(page)) {
		SetPageReclaim(page);
		hand->met_unwritten = true;
		return false;
	}
	if (was_used(hand, page))
		return false;
	if (page_is_anon(page) && !PageSwapCache(page) && !(may_swap(hand) && add_to_swap(page))) {
		activate(hand, page);
		return false;
	}
	if (page_mapped(page) && !try_to_unmap(page)) {
		activate(hand, page);
		return false;
	}
	if (PageDirty(page) && !nobody_can_ask_for_it(page) && !was_written(hand, page, locked))
		return false;
	return evict_page(page, workingset_eviction(page));
}

static bool free_page_of_cache(struct hand *hand, struct page *page)
{
	bool locked = trylock_page(page), free;

	if (!locked)
		return false;
	free = detach(hand, page, &locked);
	if (locked)
		unlock_page(page);
	return free;
}

static void count_page(struct hand *hand, bool file, bool free)
{
	struct lruvec *lruvec = &hand->node->lruvec;
	unsigned long flags;

	inc_vm_stat(hand->is_kswapd ? PGSCAN_KSWAPD : PGSCAN_DIRECT);
	if (free) {
		hand->freed++;
		inc_vm_stat(hand->is_kswapd ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT);
		return;
	}
	spin_lock_irqsave(&lruvec->lock, flags);
	if (++lruvec->cost[file] > 500) {
		lruvec->cost[0] /= 2;
		lruvec->cost[1] /= 2;
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* ---- which page is next --------------------------------------------------------------------- */

static void trim(struct hand *hand, bool file)
{
	struct lruvec *lruvec = &hand->node->lruvec;

	if (inactive_is_low(lruvec, file))
		shrink_active_list(lruvec, file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON, 2, hand->highest);
}

static struct page *next_page(struct hand *hand, bool file)
{
	unsigned long scanned = 0;
	LIST_HEAD(one);

	trim(hand, file);
	if (isolate_lru_pages(&hand->node->lruvec, file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON, 1,
			      hand->highest, &one, &scanned))
		return list_first_entry(&one, struct page, list);
	hand->looked += max(scanned, 1UL);	/* trimming was a look at something, too */
	return NULL;
}

/* Are so many file pages in line that were used once that nothing else needs to be touched? */
static bool plenty_of_files(const struct hand *hand)
{
	const unsigned long *nr = hand->node->lruvec.nr;

	return READ_ONCE(nr[LRU_INACTIVE_FILE]) > READ_ONCE(nr[LRU_ACTIVE_FILE]) + 4 * SWAP_CLUSTER_MAX;
}

/* Whose page is next, a file's? */
static bool choose_file(struct hand *hand, unsigned int round)
{
	const struct lruvec *lruvec = &hand->node->lruvec;
	unsigned long swappiness = min(READ_ONCE(vm_swappiness), 200U);
	unsigned long anon = FULL * swappiness / (READ_ONCE(lruvec->cost[0]) + 16);
	unsigned long file = FULL * (200 - swappiness) / (READ_ONCE(lruvec->cost[1]) + 16);

	if (!may_swap(hand))
		return true;
	if (round + 1 == ROUNDS) {
		hand->sum += FULL / 2;		/* in the end all must be asked */
	} else {
		if (!swappiness || (round == 0 && plenty_of_files(hand)))
			return true;
		hand->sum += FULL * anon / (anon + file + 1) + 1;
	}
	if (hand->sum < FULL)
		return true;
	hand->sum -= FULL;
	return false;
}

static unsigned long pages_on_lists(const struct hand *hand)
{
	unsigned long pages = 0;

	for (int lru = 0; lru < NR_LRU_LISTS; lru++)
		if (lru_is_file(lru) || may_swap(hand))
			pages += READ_ONCE(hand->node->lruvec.nr[lru]);
	return pages;
}

/* One page of the kind whose turn it is, or of the other if there is none. */
static void ask_one(struct hand *hand, unsigned int round)
{
	bool file = choose_file(hand, round);
	struct page *page = next_page(hand, file);

	if (!page && may_swap(hand) && (file ? round + 1 == ROUNDS || READ_ONCE(vm_swappiness) : true)) {
		file = !file;
		page = next_page(hand, file);
	}
	if (!page)
		return;
	hand->looked++;
	if (free_page_of_cache(hand, page)) {
		put_page(page);
		count_page(hand, file, true);
	} else {
		putback_lru_page(page);
		count_page(hand, file, false);
	}
}

static void go_round(struct hand *hand)
{
	for (unsigned int round = 0; round < ROUNDS && hand->freed < hand->want; round++) {
		unsigned long all = pages_on_lists(hand);

		for (hand->looked = 0; hand->looked < all && hand->freed < hand->want;) {
			ask_one(hand, round);
			if (hand->looked % SWAP_CLUSTER_MAX == 0)
				shrink_slab(hand->gfp, SLAB_SHARE);
		}
		if (hand->freed < hand->want)
			shrink_slab(hand->gfp, 2 * (ROUNDS - 1 - round));
		hand->freed += kmem_cache_reap();
	}
	if (hand->met_dirty_file && (hand->gfp & __GFP_IO))
		wake_flusher();
}

/* ---- direct reclaim ------------------------------------------------------------------------- */

unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct hand hand = { .node = node_reclaim(zone->nid), .gfp = gfp, .highest = zone->type };
	unsigned int waits = WAITS;

	hand.want = max(1UL << order, (unsigned long)SWAP_CLUSTER_MAX);
	inc_vm_stat(ALLOCSTALL);
	for (;;) {
		hand.met_unwritten = hand.met_dirty_file = false;
		go_round(&hand);
		if (hand.freed || !hand.met_unwritten || !waits--)
			break;
		if (!(gfp & __GFP_IO) || fatal_signal_pending(current_thread()))
			break;
		wake_flusher();
		if (!wait_for_writeback())
			waits = 0;		/* all is clean: one more look */
	}
	if (hand.freed)
		WRITE_ONCE(hand.node->kswapd_failures, 0);
	return hand.freed;
}

/* ---- kswapd --------------------------------------------------------------------------------- */

void wakeup_kswapd(struct zone *zone, unsigned int order)
{
	struct node_reclaim *node = node_reclaim(zone->nid);

	if (READ_ONCE(node->kswapd_failures) < RUNS_IN_VAIN) {
		set_bit(order, node->private);
		wake_up(&node->kswapd_wait);
	}
}

bool kswapd_wanted(struct node_reclaim *node)
{
	return READ_ONCE(node->private[0]) != 0;
}

static unsigned int take_order(struct node_reclaim *node)
{
	unsigned long orders = __atomic_exchange_n(&node->private[0], 0, __ATOMIC_SEQ_CST);

	return orders ? __fls(orders) : 0;
}

static bool is_balanced(struct zone *zone, unsigned int order)
{
	return !zone->managed_pages || zone_watermark_ok(zone, order, WMARK_HIGH, GFP_KERNEL);
}

/* The highest zone that is below its mark, or NULL. */
static struct zone *zone_in_need(struct node_reclaim *node, unsigned int order)
{
	struct zone *zones = NODE_DATA(node->nid)->zones;

	for (int type = MAX_NR_ZONES - 1; type >= 0; type--)
		if (!is_balanced(&zones[type], order))
			return &zones[type];
	return NULL;
}

void balance_node(struct node_reclaim *node)
{
	struct hand hand = { .node = node, .gfp = GFP_KERNEL, .is_kswapd = true };
	unsigned int order = take_order(node), waits = WAITS;
	unsigned long total = 0;
	struct zone *zone;

	inc_vm_stat(PAGEOUTRUN);
	while ((zone = zone_in_need(node, order))) {
		hand.highest = zone->type;
		hand.want = SWAP_CLUSTER_MAX / 2;
		hand.freed = 0;
		hand.met_unwritten = hand.met_dirty_file = false;
		go_round(&hand);
		total += hand.freed;
		if (total > 2 * zone->watermark[WMARK_HIGH])
			order = 0;
		if (hand.freed)
			continue;
		if (!hand.met_unwritten || !waits-- || !wait_for_writeback())
			break;
	}
	WRITE_ONCE(node->kswapd_failures, zone && !total ? node->kswapd_failures + 1 : 0);
}
