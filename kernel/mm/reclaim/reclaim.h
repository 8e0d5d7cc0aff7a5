/*
 * Reclaim: vmscan.c is the student's [lab 5]; reclaim.c, given, is what it stands on and what calls it.
 */
#pragma once

#include "mm/reclaim/lru.h"
#include "sched/wait.h"

#define SWAP_CLUSTER_MAX	32	/* pages taken at a time, and wanted by a direct reclaimer */
#define DEF_PRIORITY		12	/* first scan 1/2^12 of the lists, then twice as much each time */

/* /proc/sys/vm */
extern unsigned int vm_swappiness;	/* 0..200: how gladly anonymous pages go; 100: like file pages */

/* One node's reclaim. */
struct node_reclaim {
	struct lruvec lruvec;
	int nid;
	/* Background reclaim: kswapd sleeps here. */
	struct wait_queue kswapd_wait;
	int kswapd_order;		/* largest order that was missed; -1: nothing to do */
	unsigned int kswapd_failures;	/* runs in a row that freed nothing */
	unsigned long private[8];	/* the implementation's own */
};
struct node_reclaim *node_reclaim(int nid);

/* ---- vmscan.c [lab 5] ----------------------------------------------------------------------- */

/* The page allocator found @zone below its low watermark for @order: kswapd is to start, if it can help. Any
 * context; called often. */
void wakeup_kswapd(struct zone *zone, unsigned int order);
/* Is there anything for kswapd to do? What it sleeps for: true from wakeup_kswapd() until balance_node(). */
bool kswapd_wanted(struct node_reclaim *node);
/* What kswapd does each time it wakes: frees pages until every zone of the node is above its high watermark,
 * or nothing can be freed; for a large order it does not empty memory. What wakeup_kswapd() says while it
 * works is not forgotten: kswapd is wanted again. Sleeps. */
void balance_node(struct node_reclaim *node);
/* An allocation waits for pages of @zone or of lower zones of its node: frees some. How many pages it freed; 0:
 * nothing can be reclaimed, however long one waits (a thread that is to die, and an allocation without
 * __GFP_IO, do not wait). About a batch: SWAP_CLUSTER_MAX pages or 2^@order. Sleeps; @gfp says what may be called. */
unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order);

/* ---- reclaim.c, given ------------------------------------------------------------------------ */

enum pageout_result {
	PAGEOUT_KEEP,		/* not now: somebody holds the page, or only kswapd may do this. Locked */
	PAGEOUT_ACTIVATE,	/* it cannot be written at all. Locked */
	PAGEOUT_STARTED,	/* on its way: the page was unlocked, and is perhaps clean already */
};
/* Writes a locked, dirty page that nobody maps to its file or its swap slot. With PG_reclaim it comes to
 * the tail of its list when it is clean (rotate_reclaimable_page). */
enum pageout_result pageout(struct page *page, gfp_t gfp);
/*
 * Takes a locked, unmapped page out of its cache, if it is clean (or nobody needs its contents any more) and
 * nobody but the cache and the caller holds it; @shadow is remembered for its return. True: the page is only
 * the caller's now, and still locked.
 */
bool evict_page(struct page *page, u32 shadow);
/* Many dirty pages met: the flusher, which writes files in order, should do it. Any thread. */
void wake_flusher(void);
/* Waits until some writeback has ended, 100 ms at most; false at once when nothing is under way or dirty. */
bool wait_for_writeback(void);
/* Is there a free slot of swap? */
bool swap_available(void);
