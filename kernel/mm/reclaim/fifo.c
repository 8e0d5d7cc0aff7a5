/*
 * The dropper: what labs 1 to 4 have in place of reclaim.
 *
 * Why there must be one. The page cache has no size of its own: a page that was read stays, for
 * reading it again from memory costs a thousandth of reading it from the disk. So it grows until
 * there is no free page left: on any machine, however large, `grep -r` gets there. At that moment
 * nearly all of memory holds copies of what the disk holds too, and yet an allocation would fail
 * and a process be killed. Something must be able to say "this page is only a copy" and give it
 * up.
 *
 * What may go: a page that is clean (the disk has the same bytes), not being written, and held by
 * nobody but the cache. remove_mapping() tests that last under the lock where references are
 * taken, so a page in use is never lost. A page that programs map is unmapped first; they fault
 * it in again if they still need it. Anonymous pages exist nowhere else and there is no swap
 * before lab 5: they stay.
 *
 * Which goes first: the one that entered the cache first. FIFO knows nothing about use, drops the
 * shell's text as readily as a log file read once, and that is the point: it is a page long,
 * cannot be wrong, and leaves lab 5 something to improve on. A page that could not go is put at
 * the end.
 *
 * When only dirty pages remain, memory is there but not yet: the flusher is woken, and the
 * allocation waits for it, a little at a time and not for ever, for the flusher may need what the
 * waiter holds.
 *
 * When nothing is left at all, the allocation fails, and a process that fails to get a page it
 * touches is killed. It should be the one that ate the memory, not the shell that happened to
 * wake up just then. Two rules make that likely, and neither is a promise (that is lab 5's OOM
 * killer): the last few mapped pages, the text of what is running, are not dropped; and a process
 * that is small compared with the machine waits for a while whether the big one dies first.
 *
 * Locks: fifo_lock (spin, irq-safe) is innermost. Page locks are only tried, so the dropper can
 * run under any lock that may be held while allocating.
 */
#include "base/initcall.h"
#include "mm/cache/pagecache.h"
#include "mm/cache/writeback.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"
#include "sched/timer.h"

#define BATCH		32		/* pages wanted per call */
#define SLAB_PRIORITY	4		/* a 16th of the dentries and inodes each time */
#define MIN_MAPPED	512UL		/* file pages that stay mapped, at most a 64th of all */
#define PATIENCE_NS	NSEC_PER_SEC	/* of a small process when nothing is left */
#define WAIT_ROUNDS	10
#define WAIT_NS		(10 * NSEC_PER_MSEC)

static LIST_HEAD(fifo);			/* pages of the cache, oldest first */
static unsigned long nr_fifo;
static DEFINE_SPINLOCK(fifo_lock);

static void fifo_add(struct page *page)
{
	unsigned long flags;

	if (page_is_anon(page))
		return;
	spin_lock_irqsave(&fifo_lock, flags);
	SetPageLRU(page);
	list_add_tail(&page->list, &fifo);
	nr_fifo++;
	spin_unlock_irqrestore(&fifo_lock, flags);
}

static void fifo_del(struct page *page)
{
	unsigned long flags;

	spin_lock_irqsave(&fifo_lock, flags);
	if (TestClearPageLRU(page)) {
		list_del(&page->list);
		nr_fifo--;
	}
	spin_unlock_irqrestore(&fifo_lock, flags);
}

static void fifo_touch(struct page *page)
{
	(void)page;			/* first in, first out, whatever happens in between */
}

/* The oldest page, referenced, moved to the end; NULL: the list is empty. */
static struct page *next_page(void)
{
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&fifo_lock, flags);
	page = list_first_entry_or_null(&fifo, struct page, list);
	if (page) {
		get_page(page);		/* on the list, so the cache's own reference is there */
		list_move_tail(&page->list, &fifo);
	}
	spin_unlock_irqrestore(&fifo_lock, flags);
	return page;
}

/* Out of the cache with a referenced page, if it may go; drops the reference. True if it went. */
static bool drop_page(struct page *page, bool even_mapped)
{
	struct address_space *mapping;
	bool dropped = false;

	if (!PageDirty(page) && !PageWriteback(page) && trylock_page(page)) {
		mapping = page->mapping;
		if (mapping && !PageDirty(page) && !PageWriteback(page) &&
		    (!page_mapped(page) || (even_mapped && try_to_unmap(page))))
			dropped = remove_mapping(mapping, page);
		unlock_page(page);
	}
	put_page(page);
	if (dropped)
		inc_vm_stat(PGDROP);
	return dropped;
}

/* Are there so many mapped pages that some may go? */
static bool may_unmap(void)
{
	return vm_stat_read(NR_FILE_MAPPED) > min(MIN_MAPPED, totalram_pages() / 64);
}

/* Goes once through the list, until @want pages are free: how many. */
static unsigned long drop_pages(unsigned long want, bool even_mapped)
{
	unsigned long looks = READ_ONCE(nr_fifo), freed = 0;

	while (looks-- && freed < want) {
		struct page *page = next_page();

		if (!page)
			break;
		freed += drop_page(page, even_mapped && page_mapped(page) && may_unmap());
	}
	return freed;
}

unsigned long drop_pagecache(void)
{
	return drop_pages(~0UL, false);
}

static unsigned long nr_unwritten(void)
{
	return vm_stat_read(NR_FILE_DIRTY) + vm_stat_read(NR_WRITEBACK);
}

/* Lets the flusher work until pages have become clean and can go, or patience ends. */
static unsigned long wait_for_flusher(void)
{
	unsigned long freed = 0;

	for (unsigned int i = 0; i < WAIT_ROUNDS && !freed && nr_unwritten(); i++) {
		if (flusher_wake_hook)
			flusher_wake_hook();
		sleep_ns(WAIT_NS);
		freed = drop_pages(BATCH, true);
	}
	return freed;
}

static unsigned long fifo_reclaim(struct zone *zone, gfp_t gfp, unsigned int order)
{
	unsigned long freed = drop_pages(BATCH, true);

	(void)zone;			/* whichever zone it is: single pages fit all but DMA32 */
	(void)order;
	if (freed < BATCH)
		freed += shrink_slab(gfp, SLAB_PRIORITY) + kmem_cache_reap();
	if (!freed && (gfp & __GFP_IO))
		freed = wait_for_flusher();
	return freed;
}

static unsigned long min_free_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;

	for_each_zone(zone)
		pages += zone->watermark[WMARK_MIN];
	return pages;
}

/* A user page cannot be had. True once there is memory again, because somebody else gave way. */
static bool fifo_oom(gfp_t gfp, unsigned int order)
{
	struct mm *mm = current_thread()->mm;
	u64 deadline = ktime_get() + PATIENCE_NS;

	(void)order;
	if (!(gfp & __GFP_MOVABLE) || fatal_signal_pending(current_thread()) ||
	    (mm && (unsigned long)atomic_read(&mm->rss_anon) > totalram_pages() / 8))
		return false;
	while (nr_free_pages() <= min_free_pages() + BATCH) {
		if (ktime_get() > deadline || fatal_signal_pending(current_thread()))
			return false;
		sleep_ns(WAIT_NS);
	}
	return true;
}

static int fifo_init(void)
{
	static const struct lru_ops ops = {
		.add = fifo_add,
		.del = fifo_del,
		.touch = fifo_touch,
	};
	static const struct pressure_ops pressure = {
		.reclaim = fifo_reclaim,
		.oom = fifo_oom,
	};

	lru_ops = &ops;
	page_alloc_set_pressure_ops(&pressure);
	return 0;
}
core_initcall(fifo_init);
