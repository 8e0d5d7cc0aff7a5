/*
 * The LRU lists: which pages are used, and which were used only once. Each function's contract is in
 * mm/reclaim/lru.h, the theory in sections 3 and 4 of the handout.
 *
 * Locks: lruvec->lock, with interrupts off (spin_lock_irqsave): a write that ends calls
 * rotate_reclaimable_page() from an interrupt.
 */
#include "mm/reclaim/lru.h"
#include "base/panic.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"

#define NOT_WRITTEN()	panic("lab 5: reclaim is not written yet (%s)", __func__)

/* Four empty lists. */
void lruvec_init(struct lruvec *lruvec)
{
	(void)lruvec;
	NOT_WRITTEN();
}

/* A page enters memory. */
void lru_add(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* A page leaves memory, or its cache: off its list, if it is on one. */
void lru_del(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* A system call read or wrote it. */
void mark_page_accessed(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* Its writeback ended, and reclaim was waiting for it. */
void rotate_reclaimable_page(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* Takes up to @nr pages off the cold end of a list. How many. */
unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned)
{
	(void)lruvec, (void)lru, (void)nr, (void)highest, (void)to, (void)scanned;
	NOT_WRITTEN();
}

/* And one of them back. */
void putback_lru_page(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* Is the active list of this kind too long beside the inactive one? */
bool inactive_is_low(struct lruvec *lruvec, bool file)
{
	(void)lruvec, (void)file;
	NOT_WRITTEN();
}

/* Moves what has not earned to stay from the cold end of an active list to the inactive one. */
void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest)
{
	(void)lruvec, (void)lru, (void)nr, (void)highest;
	NOT_WRITTEN();
}

/* What to remember of a page that goes: not 0. */
u32 workingset_eviction(struct page *page)
{
	(void)page;
	NOT_WRITTEN();
}

/* It is back: was it evicted too early? */
bool workingset_refault(struct page *page, u32 shadow)
{
	(void)page, (void)shadow;
	NOT_WRITTEN();
}
