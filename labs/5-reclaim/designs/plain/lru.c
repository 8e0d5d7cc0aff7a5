/*
 * The LRU lists, another right design: as the handout tells it, and nothing more.
 *
 * Two inner functions link and unlink a page; all others are built from them. What is remembered of an
 * evicted page is the clock's lowest 31 bits and a 1 below them, so that it is never 0. A page that
 * has left its file while it was isolated is on no list ever again: putback asks for its mapping
 * with the lock, which lru_del() takes after the mapping was cleared.
 */
#include "mm/reclaim/reclaim.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"

#define ONE_GIB		(1UL << (30 - PAGE_SHIFT))	/* in pages */

void lruvec_init(struct lruvec *lruvec)
{
	spin_lock_init(&lruvec->lock);
	for (int lru = 0; lru < NR_LRU_LISTS; lru++) {
		INIT_LIST_HEAD(&lruvec->lists[lru]);
		lruvec->nr[lru] = 0;
	}
	lruvec->age = 0;
	lruvec->cost[0] = lruvec->cost[1] = 0;
}

static enum lru_list page_lru(const struct page *page)
{
	enum lru_list lru = page_is_file_lru(page) ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;

	return PageActive(page) ? lru + LRU_ACTIVE : lru;
}

/* Lock held, PG_lru clear: at the head of the list that its flags name. */
static void link_page(struct lruvec *lruvec, struct page *page)
{
	enum lru_list lru = page_lru(page);

	list_add(&page->list, &lruvec->lists[lru]);
	lruvec->nr[lru]++;
	inc_vm_stat(NR_INACTIVE_ANON + lru);
	SetPageLRU(page);
}

/* Lock held, PG_lru set. */
static void unlink_page(struct lruvec *lruvec, struct page *page)
{
	enum lru_list lru = page_lru(page);

	ClearPageLRU(page);
	list_del(&page->list);
	lruvec->nr[lru]--;
	dec_vm_stat(NR_INACTIVE_ANON + lru);
}

/* Was it here before, and not long ago? */
static bool returns_early(struct page *page)
{
	bool file = page_is_file_lru(page);
	u32 shadow = shadow_take(shadow_key(page));

	if (!shadow)
		return false;
	inc_vm_stat(file ? WORKINGSET_REFAULT_FILE : WORKINGSET_REFAULT_ANON);
	if (!workingset_refault(page, shadow))
		return false;
	inc_vm_stat(file ? WORKINGSET_ACTIVATE_FILE : WORKINGSET_ACTIVATE_ANON);
	return true;
}

void lru_add(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	bool active = returns_early(page);
	unsigned long flags;

	spin_lock_irqsave(&lruvec->lock, flags);
	if (active)
		SetPageActive(page);
	else
		ClearPageActive(page);
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
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

void mark_page_accessed(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags;

	if (!TestSetPageReferenced(page))
		return;
	spin_lock_irqsave(&lruvec->lock, flags);
	if (PageLRU(page) && !PageActive(page)) {
		unlink_page(lruvec, page);
		ClearPageReferenced(page);
		SetPageActive(page);
		link_page(lruvec, page);
		lruvec->age++;
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
		list_move_tail(&page->list, &lruvec->lists[page_lru(page)]);
	spin_unlock_irqrestore(&lruvec->lock, flags);
}

/* What must be skipped goes to the head, so that the next scan does not meet it first. Each page is looked at
 * once at most: no more than are on the list now. */
unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned)
{
	struct list_head *list = &lruvec->lists[lru];
	unsigned long flags, left, looked = 0, taken = 0;

	spin_lock_irqsave(&lruvec->lock, flags);
	for (left = lruvec->nr[lru]; left && taken < nr; left--) {
		struct page *page = list_last_entry(list, struct page, list);

		looked++;
		if (page_zone(page)->type > highest || !try_get_page(page)) {
			list_move(&page->list, list);
			continue;
		}
		unlink_page(lruvec, page);
		list_add_tail(&page->list, to);
		taken++;
	}
	spin_unlock_irqrestore(&lruvec->lock, flags);
	if (scanned)
		*scanned = looked;
	return taken;
}

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

bool inactive_is_low(struct lruvec *lruvec, bool file)
{
	enum lru_list lru = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	unsigned long inactive = READ_ONCE(lruvec->nr[lru]);
	unsigned long active = READ_ONCE(lruvec->nr[lru + LRU_ACTIVE]);
	unsigned long gib = (inactive + active) / ONE_GIB, ratio = 1;

	while (gib && (ratio + 1) * (ratio + 1) <= 10 * gib)
		ratio++;
	return active > inactive * ratio;
}

/* Programs' text that was run since the last look stays: off the page's tables the bit is cleared. */
static bool is_running_text(struct page *page)
{
	return page_is_file_lru(page) && PageIcache(page) && page_referenced(page) > 0;
}

void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest)
{
	struct page *page, *next;
	unsigned long scanned;
	LIST_HEAD(pages);

	isolate_lru_pages(lruvec, lru, nr, highest, &pages, &scanned);
	mod_vm_stat(PGREFILL, scanned);
	list_for_each_entry_safe(page, next, &pages, list) {
		list_del(&page->list);
		if (!is_running_text(page)) {
			ClearPageActive(page);
			inc_vm_stat(PGDEACTIVATE);
		}
		putback_lru_page(page);
	}
}

u32 workingset_eviction(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	unsigned long flags, age;

	spin_lock_irqsave(&lruvec->lock, flags);
	age = lruvec->age++;
	spin_unlock_irqrestore(&lruvec->lock, flags);
	return age << 1 | 1;
}

/* Whose place it could have had: active pages of its kind, and all of the other kind that reclaim may take. */
static unsigned long rivals(const struct lruvec *lruvec, bool file)
{
	enum lru_list own = file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON;
	enum lru_list other = file ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
	unsigned long pages = READ_ONCE(lruvec->nr[own]);

	if (!file || swap_available())
		pages += READ_ONCE(lruvec->nr[other]) + READ_ONCE(lruvec->nr[other + LRU_ACTIVE]);
	return pages;
}

bool workingset_refault(struct page *page, u32 shadow)
{
	struct lruvec *lruvec = page_lruvec(page);
	u32 now = READ_ONCE(lruvec->age) << 1 | 1;

	return (u32)(now - shadow) >> 1 <= rivals(lruvec, page_is_file_lru(page));
}
