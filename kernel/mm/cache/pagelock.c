/*
 * Sleeping on a page: PG_locked and PG_writeback, with hashed wait queues.
 *
 * Few of the many pages are waited for at any time, so they share 64 queues by address. PG_waiters
 * says that somebody may sleep, so that the common unlock wakes nobody: it is set by a waiter who
 * is already on the queue, before the bit is tested again, and cleared by the waker before waking.
 */
#include "mm/cache/pagecache.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/hash.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"
#include "sched/wait.h"

#define PAGE_WAIT_BITS	6
static struct wait_queue page_wait[1 << PAGE_WAIT_BITS];

static int page_wait_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(page_wait); i++)
		wait_queue_init(&page_wait[i]);
	return 0;
}
core_initcall(page_wait_init);

static struct wait_queue *page_queue(struct page *page)
{
	return &page_wait[hash_long((unsigned long)page >> 6, PAGE_WAIT_BITS)];
}

static void wake_page(struct page *page)
{
	smp_mb();
	if (PageWaiters(page)) {
		ClearPageWaiters(page);
		wake_up_all(page_queue(page));
	}
}

/* For a wait condition: notes that we sleep, then looks again. */
static bool try_lock_or_note(struct page *page)
{
	if (!TestSetPageLocked(page))
		return true;
	SetPageWaiters(page);
	return !TestSetPageLocked(page);
}

static bool clear_or_note(struct page *page, unsigned int bit)
{
	if (!test_bit(bit, &page->flags))
		return true;
	SetPageWaiters(page);
	return !test_bit(bit, &page->flags);
}

void lock_page(struct page *page)
{
	might_sleep();
	if (TestSetPageLocked(page))
		wait_event(page_queue(page), try_lock_or_note(page));
}

int lock_page_killable(struct page *page)
{
	might_sleep();
	if (!TestSetPageLocked(page))
		return 0;
	return wait_event_killable(page_queue(page), try_lock_or_note(page));
}

bool trylock_page(struct page *page)
{
	return !TestSetPageLocked(page);
}

void unlock_page(struct page *page)
{
	BUG_ON(!PageLocked(page));
	ClearPageLocked(page);
	wake_page(page);
}

void wait_on_page_locked(struct page *page)
{
	if (PageLocked(page))
		wait_event(page_queue(page), clear_or_note(page, PG_locked));
}

void wait_on_page_writeback(struct page *page)
{
	if (PageWriteback(page))
		wait_event(page_queue(page), clear_or_note(page, PG_writeback));
}

/* An anonymous page is in no file's tree: its bit is all there is. */
void set_page_writeback(struct page *page)
{
	struct address_space *mapping = page->mapping;
	unsigned long flags;

	BUG_ON(!PageLocked(page) || PageWriteback(page));
	inc_vm_stat(NR_WRITEBACK);
	if (page_is_anon(page)) {
		SetPageWriteback(page);
		return;
	}
	spin_lock_irqsave(&mapping->tree_lock, flags);
	SetPageWriteback(page);
	radix_tag_set(&mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	untag_written(mapping, page);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
}

static void clear_page_writeback(struct page *page)
{
	struct address_space *mapping = page->mapping;
	unsigned long flags;

	if (page_is_anon(page)) {
		ClearPageWriteback(page);
		return;
	}
	spin_lock_irqsave(&mapping->tree_lock, flags);
	radix_tag_clear(&mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	ClearPageWriteback(page);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
}

void end_page_writeback(struct page *page)
{
	/* The cache cannot let go of it before PG_writeback clears; hold it for what follows. */
	get_page(page);
	if (PageReclaim(page) && TestClearPageReclaim(page) && lru_ops && lru_ops->rotate)
		lru_ops->rotate(page);
	clear_page_writeback(page);
	dec_vm_stat(NR_WRITEBACK);
	wake_page(page);
	put_page(page);
}
