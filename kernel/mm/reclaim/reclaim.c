/*
 * What reclaim stands on and who calls it: kswapd's threads, the page allocator's hooks, and the ways out of
 * memory for one page. The policy is in lru.c and vmscan.c.
 */
#include "mm/reclaim/reclaim.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/cache/writeback.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/oom.h"
#include "task/kthread.h"

#define WRITEBACK_WAIT_NS	(100 * NSEC_PER_MSEC)

unsigned int vm_swappiness = 60;

static struct node_reclaim nodes[MAX_NUMNODES];
static void (*next_free_hook)(struct page *page);

struct node_reclaim *node_reclaim(int nid)
{
	return &nodes[nid];
}

struct lruvec *node_lruvec(int nid)
{
	return &nodes[nid].lruvec;
}

struct lruvec *page_lruvec(const struct page *page)
{
	return &nodes[page->flags >> PAGE_NODE_SHIFT].lruvec;
}

/* ---- one page goes -------------------------------------------------------------------------- */

enum pageout_result pageout(struct page *page, gfp_t gfp)
{
	struct writeback_control wbc = { .nr_to_write = 1, .for_reclaim = true };
	struct address_space *mapping = page->mapping;

	BUG_ON(!PageLocked(page) || page_mapped(page));
	if (page_count(page) != 2)		/* its cache's and ours: somebody else uses it */
		return PAGEOUT_KEEP;
	if (page_is_anon(page)) {
		/* A slot that failed: the page waits for its owner to come and take it back. */
		if (!PageSwapCache(page) || PageError(page))
			return PAGEOUT_ACTIVATE;
		if (!TestClearPageDirty(page))
			return PAGEOUT_KEEP;
		SetPageReclaim(page);
		swap_writepage(page);
		return PAGEOUT_STARTED;
	}
	if (!mapping || !mapping->ops->writepage)
		return PAGEOUT_ACTIVATE;
	/* Filesystems take locks to write a page, which an allocation may be made under. */
	if (!(current_thread()->pf_flags & PF_KSWAPD) || !(gfp & __GFP_FS))
		return PAGEOUT_KEEP;
	if (!clear_page_dirty_for_io(page))
		return PAGEOUT_KEEP;
	SetPageReclaim(page);
	write_locked_page(mapping, page, &wbc);
	return PAGEOUT_STARTED;
}

bool evict_page(struct page *page, u32 shadow)
{
	struct address_space *mapping = page->mapping;
	u64 key = shadow_key(page);
	bool went;

	if (PageSwapCache(page))
		went = remove_swap_cache(page);
	else
		went = mapping && !page_is_anon(page) && remove_mapping(mapping, page);
	if (went)
		shadow_store(key, shadow);
	return went;
}

/* ---- waiting -------------------------------------------------------------------------------- */

void wake_flusher(void)
{
	if (flusher_wake_hook)
		flusher_wake_hook();
}

static DEFINE_WAIT_QUEUE(written_wait);		/* sleepers in wait_for_writeback() */
static bool written_waiters;

bool wait_for_writeback(void)
{
	unsigned long before = vm_stat_read(NR_WRITEBACK) + vm_stat_read(NR_FILE_DIRTY);

	if (!before)
		return false;
	WRITE_ONCE(written_waiters, true);
	(void)wait_event_until(&written_wait,
			       vm_stat_read(NR_WRITEBACK) + vm_stat_read(NR_FILE_DIRTY) < before,
			       ktime_get() + WRITEBACK_WAIT_NS);
	return true;
}

static void page_written(struct page *page)
{
	rotate_reclaimable_page(page);
	if (READ_ONCE(written_waiters)) {
		WRITE_ONCE(written_waiters, false);
		wake_up_all(&written_wait);
	}
}

bool swap_available(void)
{
	return nr_swap_pages() > 0;
}

/* ---- drop_caches ---------------------------------------------------------------------------- */

static bool drop_page(struct page *page)
{
	bool dropped = false;

	if (trylock_page(page)) {
		if (page->mapping && !PageDirty(page) && !PageWriteback(page) && !page_mapped(page))
			dropped = evict_page(page, 0);
		unlock_page(page);
	}
	return dropped;
}

/* Once through a list, from its cold end: pages freed. */
static unsigned long drop_list(struct lruvec *lruvec, enum lru_list lru)
{
	unsigned long left = READ_ONCE(lruvec->nr[lru]), taken, freed = 0;

	while (left) {
		struct page *page, *next;
		LIST_HEAD(pages);

		taken = isolate_lru_pages(lruvec, lru, min(left, (unsigned long)SWAP_CLUSTER_MAX),
					  MAX_NR_ZONES - 1, &pages, NULL);
		if (!taken)
			break;
		left -= taken;
		list_for_each_entry_safe(page, next, &pages, list) {
			list_del(&page->list);
			if (drop_page(page)) {
				freed++;
				put_page(page);
			} else {
				putback_lru_page(page);
			}
		}
	}
	mod_vm_stat(PGDROP, freed);
	return freed;
}

unsigned long drop_pagecache(void)
{
	unsigned long freed = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		freed += drop_list(&nodes[nid].lruvec, LRU_INACTIVE_FILE);
		freed += drop_list(&nodes[nid].lruvec, LRU_ACTIVE_FILE);
	}
	return freed;
}

/* ---- hooks and threads ---------------------------------------------------------------------- */

/* An anonymous page ends with its last reference, wherever that was. */
static void page_freed(struct page *page)
{
	if (PageLRU(page))
		lru_del(page);
	if (next_free_hook)
		next_free_hook(page);
}

static void kswapd(void *arg)
{
	struct node_reclaim *node = arg;

	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	for (;;) {
		wait_event(&node->kswapd_wait, kswapd_wanted(node));
		balance_node(node);
		page_referenced_flush();
	}
}

static unsigned long direct_reclaim(struct zone *zone, gfp_t gfp, unsigned int order)
{
	unsigned long freed = try_to_free_pages(zone, gfp, order);

	page_referenced_flush();
	return freed;
}

/* Behind the core calls, of which one registers the free hook that is called in turn. */
static int reclaim_init(void)
{
	static const struct pressure_ops pressure = {
		.wake = wakeup_kswapd,
		.reclaim = direct_reclaim,
		.oom = out_of_memory,
	};
	static const struct lru_ops ops = {
		.add = lru_add,
		.del = lru_del,
		.touch = mark_page_accessed,
		.rotate = page_written,
	};

	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct node_reclaim *node = &nodes[nid];

		node->nid = nid;
		node->kswapd_order = -1;
		wait_queue_init(&node->kswapd_wait);
		lruvec_init(&node->lruvec);
		NODE_DATA(nid)->reclaim = node;
	}
	next_free_hook = page_free_hook;
	page_free_hook = page_freed;
	lru_ops = &ops;
	shadow_init(totalram_pages());
	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		if (!kthread_run(kswapd, &nodes[nid], "kswapd%u", nid))
			return -ENOMEM;
	page_alloc_set_pressure_ops(&pressure);
	return 0;
}
driver_initcall(reclaim_init);
