/*
 * The LRU lists, another right design: the active list of each kind is two generations.
 *
 *	young	lists[active]: what was promoted, or seen in use, since the last turn
 *	old	in lruvec->private: what was young before it
 *
 * The cold end of an active list is the tail of the old generation. When it is empty a turn makes the young
 * one old, by moving a list's head: no page is touched. So a page is judged once a turn, and a turn
 * takes as long as it takes to get through the old ones. What is seen in use at the cold end becomes young
 * again if it is a program's text, or if it was used often: in both of the last two generations
 * (PG_workingset remembers the first time). All else goes to the inactive list and keeps its mark.
 *
 * Batches are found first and taken then: pages that stay are set aside, those that go leave in one cut.
 * lruvec->nr counts both generations, since flags cannot tell them apart.
 *
 * What is remembered of an evicted page is the clock and its node: 29 bits and 3, the clock started at 1.
 */
#include "mm/reclaim/lru.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"

#define NODE_BITS	3
#define NODE_MASK	((1U << NODE_BITS) - 1)
#define GIB_PAGES	(1UL << (30 - PAGE_SHIFT))

BUILD_BUG_ON(sizeof(struct list_head) * 2 > sizeof(((struct lruvec *)NULL)->private));

static struct list_head *old_generation(struct lruvec *lruvec, enum lru_list lru)
{
	return (struct list_head *)lruvec->private + lru_is_file(lru);
}

void lruvec_init(struct lruvec *lruvec)
{
	spin_lock_init(&lruvec->lock);
	for (enum lru_list lru = 0; lru < NR_LRU_LISTS; lru++) {
		INIT_LIST_HEAD(&lruvec->lists[lru]);
		lruvec->nr[lru] = 0;
		if (lru_is_active(lru))
			INIT_LIST_HEAD(old_generation(lruvec, lru));
	}
	lruvec->age = 1;
}

static enum lru_list list_of(const struct page *page)
{
	return (PageSwapBacked(page) ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE) | PageActive(page);
}

/* So many pages more, or less, on one list; lock held. */
static void count(struct lruvec *lruvec, enum lru_list lru, long pages)
{
	lruvec->nr[lru] += pages;
	mod_vm_stat(NR_INACTIVE_ANON + lru, pages);
}

static void enter(struct lruvec *lruvec, struct page *page)
{
	list_add(&page->list, &lruvec->lists[list_of(page)]);
	count(lruvec, list_of(page), 1);
	SetPageLRU(page);
}

/* False: it is not on a list. */
static bool leave(struct lruvec *lruvec, struct page *page)
{
	if (!TestClearPageLRU(page))
		return false;
	list_del(&page->list);
	count(lruvec, list_of(page), -1);
	return true;
}

void lru_add(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	u32 shadow = shadow_take(shadow_key(page));
	bool file = page_is_file_lru(page);
	unsigned long flags;

	ClearPageActive(page);
	if (shadow) {
		inc_vm_stat(WORKINGSET_REFAULT_ANON + file);
		if (workingset_refault(page, shadow)) {
			inc_vm_stat(WORKINGSET_ACTIVATE_ANON + file);
			SetPageActive(page);
		}
	}
	spin_lock_irqsave(&lruvec->lock, flags);
	enter(lruvec, page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void lru_del(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	leave(lruvec, page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void mark_page_accessed(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	if (!PageReferenced(page)) {
		SetPageReferenced(page);
		return;
	}
	if (PageActive(page))
		return;
	spin_lock_irqsave(&lruvec->lock, flags);
	if (!PageActive(page) && leave(lruvec, page)) {
		SetPageActive(page);
		ClearPageReferenced(page);
		enter(lruvec, page);
		WRITE_ONCE(lruvec->age, lruvec->age + 1);
		inc_vm_stat(PGACTIVATE);
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void rotate_reclaimable_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (PageLRU(page) && !PageActive(page))
		list_move_tail(&page->list, &lruvec->lists[list_of(page)]);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* The coldest page of a list that is not empty; lock held. */
static struct page *coldest(struct lruvec *lruvec, enum lru_list lru)
{
	struct list_head *from = &lruvec->lists[lru];

	if (lru_is_active(lru)) {
		struct list_head *old = old_generation(lruvec, lru);

		if (list_empty(old))
			list_splice_init(from, old);	/* a turn */
		from = old;
	}
	return list_last_entry(from, struct page, list);
}

unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned)
{
	unsigned long flags, looked, taken = 0;
	LIST_HEAD(staying);

	spin_lock_irqsave(&lruvec->lock, flags);
	for (looked = 0; looked < lruvec->nr[lru] && taken < nr; looked++) {
		struct page *page = coldest(lruvec, lru);

		if (page_zone(page)->type <= highest && try_get_page(page)) {
			ClearPageLRU(page);
			list_move_tail(&page->list, to);
			taken++;
			count(lruvec, lru, -1);
			looked--;
		} else {
			list_move(&page->list, &staying);
		}
	}
	looked += taken;
	list_splice(&staying, &lruvec->lists[lru]);
	spin_unlock_irqrestore(&lruvec->lock, flags);
	if (scanned)
		*scanned = looked;
	return taken;
}

/* One whose file was truncated meanwhile is on no list any more. lru_del() has been here, or waits for the lock. */
void putback_lru_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (READ_ONCE(page->mapping))
		enter(lruvec, page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
	put_page(page);
}

bool inactive_is_low(struct lruvec *lruvec, bool file)
{
	unsigned long inactive = READ_ONCE(lruvec->nr[file * LRU_FILE]);
	unsigned long active = READ_ONCE(lruvec->nr[file * LRU_FILE + LRU_ACTIVE]);
	unsigned long gib = (inactive + active) / GIB_PAGES;

	if (!gib)
		return inactive < active;
	/* active / inactive > sqrt(10 * gib), without a root */
	return (active / (inactive + 1)) * (active / (inactive + 1)) > 10 * gib;
}

/* Does this page of the old generation get another one? */
static bool stays(struct page *page)
{
	bool used = page_referenced(page) > 0;

	if (used && PageIcache(page) && page_is_file_lru(page))
		return true;
	if (used)
		SetPageReferenced(page);
	if (!PageReferenced(page)) {
		ClearPageWorkingset(page);
		return false;
	}
	if (!TestSetPageWorkingset(page))
		return false;			/* the first time: its mark goes with it */
	ClearPageReferenced(page);
	return true;
}

void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest)
{
	unsigned long scanned, gone = 0;
	LIST_HEAD(pages);

	isolate_lru_pages(lruvec, lru, nr, highest, &pages, &scanned);
	while (!list_empty(&pages)) {
		struct page *page = list_first_entry(&pages, struct page, list);

		list_del(&page->list);
		if (!stays(page)) {
			ClearPageActive(page);
			gone++;
		}
		putback_lru_page(page);
	}
	mod_vm_stat(PGREFILL, scanned);
	mod_vm_stat(PGDEACTIVATE, gone);
}

u32 workingset_eviction(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	u32 age = __atomic_fetch_add(&lruvec->age, 1, __ATOMIC_RELAXED);

	age <<= NODE_BITS;
	return age ? age | page_zone(page)->nid : 1U << NODE_BITS;
}

/* One that comes back to another node than it left: nothing is known. */
bool workingset_refault(struct page *page, u32 shadow)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned int lru = page_is_file_lru(page) * LRU_FILE + LRU_ACTIVE;
	u32 distance = ((u32)READ_ONCE(lruvec->age) << NODE_BITS) - (shadow & ~NODE_MASK);

	return (shadow & NODE_MASK) == (u32)page_zone(page)->nid &&
	       distance >> NODE_BITS <= READ_ONCE(lruvec->nr[lru]);
}
