/*
 * The LRU lists: which pages are used, and which were used only once.
 *
 * The problem. Memory holds more pages than will be needed again, and nobody knows which. The best guess is
 * that what was used lately will be used again; but to move a page to the front of a list at each use would
 * cost more than it saves, for a load instruction cannot even be seen by the kernel. And a strict order of last
 * use has a famous hole: one read of a file larger than memory makes all its pages "used lately", each once,
 * and pushes out everything that programs use all the time.
 *
 * Two lists close the hole. A page starts on the inactive list and falls towards its tail, where reclaim takes
 * pages. Only if it is used a second time before it gets there is it promoted to the active list, which reclaim
 * does not touch. So a stream of pages used once runs through the inactive list alone.
 *
 *	           second use, or evicted too early
 *	    +---------------------------------------------+
 *	    v                                             |
 *	[ active: head ... tail ] --- has not earned --> [ inactive: head ... tail ] --> reclaim
 *	    ^            |            to stay             ^
 *	    +------------+ text that is being run         +--- new pages
 *
 * Uses are seen in two ways. A system call that reads a page says so (mark_page_accessed): the first
 * time sets PG_referenced, the second promotes. A page that programs map is marked by the hardware, in the
 * page-table entry; reclaim looks at these marks (page_referenced) when the page has come to the tail.
 *
 * Promotion alone would fill the active list, so it is trimmed while it is larger than the inactive list
 * should allow (inactive_is_low): pages go from its tail to the head of the inactive list. They keep
 * PG_referenced: a single further use brings them back.
 *
 * Anonymous and file pages have lists of their own, as they cost differently to bring back, and the balance
 * between the two (vmscan.c) is a matter of policy.
 *
 * Refaults. The inactive list may be too short: a page is used again and again, but at longer distances than
 * the list lasts, so it is evicted before its second use each time. Each node therefore counts what leaves
 * the inactive list, to either side (lruvec->age). The count when a page is evicted is remembered; when it comes
 * back, the difference is how much longer the inactive list would have had to be. If the active list is at
 * least that long, pages sit there that were used less recently: the returning page is promoted at once and
 * competes with them. (Johannes Weiner's refault distance; Linux's mm/workingset.c.)
 *
 * Invariants. PG_lru: the page is on the list that PG_swapbacked and PG_active name, and counted there. Who
 * clears PG_lru, under lruvec->lock, owns the page's list node until it sets it again. A page on a list has a
 * reference count of its cache or its mappings; isolation takes one more, and skips a page whose count is
 * already 0, which is on its way out and waits for the lock in lru_del().
 */
#include "mm/reclaim/lru.h"
#include "lib/math.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"

static const unsigned int lru_stat[NR_LRU_LISTS] = {
	NR_INACTIVE_ANON, NR_ACTIVE_ANON, NR_INACTIVE_FILE, NR_ACTIVE_FILE,
};

/* ---- lists; lruvec->lock held --------------------------------------------------------------- */

static enum lru_list page_lru(const struct page *page)
{
	return (page_is_file_lru(page) ? LRU_FILE : 0) + (PageActive(page) ? LRU_ACTIVE : 0);
}

static void count(struct lruvec *lruvec, enum lru_list lru, long pages)
{
	lruvec->nr[lru] += pages;
	mod_vm_stat(lru_stat[lru], pages);
}

static void link_page(struct lruvec *lruvec, struct page *page)
{
	enum lru_list lru = page_lru(page);

	SetPageLRU(page);
	list_add(&page->list, &lruvec->lists[lru]);
	count(lruvec, lru, 1);
}

static void unlink_page(struct lruvec *lruvec, struct page *page)
{
	ClearPageLRU(page);
	list_del(&page->list);
	count(lruvec, page_lru(page), -1);
}

void lruvec_init(struct lruvec *lruvec)
{
	spin_lock_init(&lruvec->lock);
	for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++)
		INIT_LIST_HEAD(&lruvec->lists[lru]);
}

/* ---- pages come, go, and are used ----------------------------------------------------------- */

void lru_add(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	u64 key = shadow_key(page);
	u32 shadow = key ? shadow_take(key) : 0;
	unsigned long flags;

	if (shadow && workingset_refault(page, shadow))
		SetPageActive(page);
	spin_lock_irqsave(&lruvec->lock, flags);
	link_page(lruvec, page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void lru_del(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (PageLRU(page))
		unlink_page(lruvec, page);
	ClearPageActive(page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* What is isolated just now is reclaim's to judge: PG_referenced stays for it to find. */
static void activate_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (PageLRU(page) && !PageActive(page)) {
		unlink_page(lruvec, page);
		SetPageActive(page);
		ClearPageReferenced(page);
		link_page(lruvec, page);
		lruvec->age++;
		inc_vm_stat(PGACTIVATE);
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void mark_page_accessed(struct page *page)
{
	if (!PageReferenced(page))
		SetPageReferenced(page);
	else if (!PageActive(page))
		activate_page(page);
}

void rotate_reclaimable_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (PageLRU(page) && !PageActive(page))
		list_move_tail(&page->list, &lruvec->lists[page_lru(page)]);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* ---- isolation ------------------------------------------------------------------------------ */

unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned)
{
	struct list_head *list = &lruvec->lists[lru];
	unsigned long flags, taken = 0, looked = 0;

	spin_lock_irqsave(&lruvec->lock, flags);
	/* At most once round: what is skipped goes to the head. */
	for (unsigned long left = lruvec->nr[lru]; left && taken < nr; left--) {
		struct page *page = list_entry(list->prev, struct page, list);

		looked++;
		if (page_zone(page)->type > highest || !try_get_page(page)) {
			list_move(&page->list, list);
			continue;
		}
		unlink_page(lruvec, page);
		list_add(&page->list, to);
		taken++;
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
	if (scanned)
		*scanned = looked;
	return taken;
}

/*
 * A page that left its cache while it was isolated must not be linked again: lru_del() has been here, and found
 * nothing to do. Its mapping is cleared before lru_del() takes the lock, so either it is seen here or the
 * page is still found on its list there. (An anonymous page keeps its mapping as long as it lives.)
 */
void putback_lru_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (page->mapping)
		link_page(lruvec, page);
	spin_unlock_irqrestore(&lruvec->lock, flags);
	put_page(page);
}

/* ---- the balance between active and inactive ------------------------------------------------ */

/*
 * How much longer than the inactive list the active one may be: as long at most, up to a gigabyte of both; from
 * there on with the square root of the size, for the inactive list need only be long enough for second uses to
 * be seen.
 */
bool inactive_is_low(struct lruvec *lruvec, bool file)
{
	enum lru_list lru = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	unsigned long inactive = READ_ONCE(lruvec->nr[lru]);
	unsigned long active = READ_ONCE(lruvec->nr[lru + LRU_ACTIVE]);
	unsigned long gigabytes = (inactive + active) >> (30 - PAGE_SHIFT);
	unsigned long ratio = gigabytes ? int_sqrt(10 * gigabytes) : 1;

	return inactive * ratio < active;
}

/* Has an active page earned to stay? Text that is being run has: to lose it makes the whole program wait. */
static bool stays_active(struct page *page)
{
	bool referenced = page_referenced(page) > 0;

	return referenced && page_is_file_lru(page) && PageIcache(page);
}

void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest)
{
	unsigned long scanned, kept = 0, taken;
	struct page *page, *next;
	LIST_HEAD(pages);

	taken = isolate_lru_pages(lruvec, lru, nr, highest, &pages, &scanned);
	mod_vm_stat(PGREFILL, scanned);
	list_for_each_entry_safe(page, next, &pages, list) {
		list_del(&page->list);
		if (stays_active(page)) {
			kept++;
		} else {
			ClearPageActive(page);
			SetPageWorkingset(page);
		}
		putback_lru_page(page);
	}
	mod_vm_stat(PGDEACTIVATE, taken - kept);
}

/* ---- refaults ------------------------------------------------------------------------------- */

#define SHADOW_WORKINGSET	1U	/* lowest bit: it had been active once */

u32 workingset_eviction(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long age = __atomic_fetch_add(&lruvec->age, 1, __ATOMIC_RELAXED);
	u32 shadow = age << 1 | (PageWorkingset(page) ? SHADOW_WORKINGSET : 0);

	return shadow ? shadow : 2;
}

bool workingset_refault(struct page *page, u32 shadow)
{
	struct lruvec *lruvec = page_lruvec(page);
	bool file = page_is_file_lru(page);
	u32 now = READ_ONCE(lruvec->age) << 1, distance = (now - (shadow & ~SHADOW_WORKINGSET)) >> 1;
	unsigned long rivals = lruvec->nr[LRU_ACTIVE_FILE] + lruvec->nr[LRU_ACTIVE_ANON];

	/* The other kind's inactive pages could have been taken instead, too. */
	rivals += lruvec->nr[file ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE];
	inc_vm_stat(file ? WORKINGSET_REFAULT_FILE : WORKINGSET_REFAULT_ANON);
	if (distance > rivals)
		return false;
	__atomic_fetch_add(&lruvec->age, 1, __ATOMIC_RELAXED);
	if (shadow & SHADOW_WORKINGSET)
		SetPageWorkingset(page);
	inc_vm_stat(file ? WORKINGSET_ACTIVATE_FILE : WORKINGSET_ACTIVATE_ANON);
	return true;
}
