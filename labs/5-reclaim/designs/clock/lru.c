/*
 * The LRU lists, another right design: a clock that counts uses, one page at a time.
 *
 * A page has two bits of its own in page->flags, above those that are given: how often it was seen in use
 * while active, up to 3. Whoever trims the active list takes one page, asks whether it was used since, and
 * adds or subtracts one; a page goes when it stands at 0 and was not used. So what is used all the time
 * outlives some rounds in which it is not, and what was used twice by chance does not outlive one.
 *
 * Only one page is off its list at a time, and the lock is taken for each.
 *
 * The clock of refaults runs in steps of 2 and starts at 1, so its lowest 32 bits are odd, never 0.
 */
#include "mm/reclaim/reclaim.h"
#include "base/panic.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/mm.h"

#define USES_SHIFT	40
#define MAX_USES	3U

BUILD_BUG_ON(NR_PAGEFLAGS > USES_SHIFT || USES_SHIFT + 2 > PAGE_ZONE_SHIFT);

#define locked(lruvec) \
	for (unsigned long _irq = local_irq_save(), _once = (spin_lock(&(lruvec)->lock), 1); _once; \
	     _once = 0, spin_unlock(&(lruvec)->lock), local_irq_restore(_irq))

void lruvec_init(struct lruvec *lruvec)
{
	spin_lock_init(&lruvec->lock);
	lruvec->age = 1;
	for (int i = 0; i < NR_LRU_LISTS; i++) {
		INIT_LIST_HEAD(lruvec->lists + i);
		lruvec->nr[i] = 0;
	}
}

static unsigned int page_uses(const struct page *page)
{
	return (READ_ONCE(page->flags) >> USES_SHIFT) & MAX_USES;
}

/* The page is off its list, and the caller's; but others change other flags. */
static void set_page_uses(struct page *page, unsigned int uses)
{
	for (unsigned int bit = 0; bit < 2; bit++) {
		if (uses >> bit & 1)
			set_bit(USES_SHIFT + bit, &page->flags);
		else
			clear_bit(USES_SHIFT + bit, &page->flags);
	}
}

static int which(const struct page *page)
{
	return !PageSwapBacked(page) * LRU_FILE + PageActive(page) * LRU_ACTIVE;
}

static void put_on(struct lruvec *lruvec, struct page *page)
{
	int lru = which(page);

	assert_spin_held(&lruvec->lock);
	SetPageLRU(page);
	list_add(&page->list, &lruvec->lists[lru]);
	WRITE_ONCE(lruvec->nr[lru], lruvec->nr[lru] + 1);
	inc_vm_stat(NR_INACTIVE_ANON + lru);
}

static void take_off(struct lruvec *lruvec, struct page *page)
{
	int lru = which(page);

	assert_spin_held(&lruvec->lock);
	list_del(&page->list);
	WRITE_ONCE(lruvec->nr[lru], lruvec->nr[lru] - 1);
	dec_vm_stat(NR_INACTIVE_ANON + lru);
	ClearPageLRU(page);
}

void lru_add(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	u32 shadow = shadow_take(shadow_key(page));
	bool soon = shadow && workingset_refault(page, shadow);

	if (shadow)
		inc_vm_stat(page_is_file_lru(page) ? WORKINGSET_REFAULT_FILE : WORKINGSET_REFAULT_ANON);
	if (soon)
		inc_vm_stat(page_is_file_lru(page) ? WORKINGSET_ACTIVATE_FILE :
						     WORKINGSET_ACTIVATE_ANON);
	locked(lruvec) {
		if (soon)
			SetPageActive(page);
		put_on(lruvec, page);
	}
}

void lru_del(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);

	locked(lruvec)
		if (PageLRU(page))
			take_off(lruvec, page);
}

void mark_page_accessed(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);

	locked(lruvec) {
		if (!PageReferenced(page)) {
			SetPageReferenced(page);
		} else if (PageLRU(page) && !PageActive(page)) {
			take_off(lruvec, page);
			ClearPageReferenced(page);
			SetPageActive(page);
			set_page_uses(page, 0);
			put_on(lruvec, page);
			lruvec->age += 2;
			inc_vm_stat(PGACTIVATE);
		}
	}
}

void rotate_reclaimable_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);

	locked(lruvec)
		if (PageLRU(page) && !PageActive(page)) {
			list_del(&page->list);
			list_add_tail(&page->list, &lruvec->lists[which(page)]);
		}
}

/* The coldest page that may be taken, or NULL; those that may not go to the hot end. *@looked counts all. */
static struct page *take_coldest(struct lruvec *lruvec, enum lru_list lru, enum zone_type highest,
				 unsigned long *looked)
{
	struct list_head *list = &lruvec->lists[lru];
	struct page *taken = NULL;

	locked(lruvec) {
		for (unsigned long n = lruvec->nr[lru]; n && !taken; n--) {
			struct page *page = list_last_entry(list, struct page, list);

			++*looked;
			if (page_zone(page)->type <= highest && try_get_page(page)) {
				take_off(lruvec, page);
				taken = page;
			} else {
				list_move(&page->list, list);
			}
		}
	}
	return taken;
}

unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned)
{
	unsigned long taken = 0, looked = 0;

	while (taken < nr) {
		struct page *page = take_coldest(lruvec, lru, highest, &looked);

		if (!page)
			break;
		list_add_tail(&page->list, to);
		taken++;
	}
	if (scanned)
		*scanned = looked;
	return taken;
}

/* A page that has left its cache belongs to no list: the mapping is cleared before lru_del() takes the lock. */
void putback_lru_page(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);

	locked(lruvec)
		if (page->mapping)
			put_on(lruvec, page);
	put_page(page);
}

static unsigned long square_root(unsigned long x)
{
	unsigned long root = 0;

	for (unsigned long bit = 1UL << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	return root;
}

bool inactive_is_low(struct lruvec *lruvec, bool file)
{
	int lru = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	unsigned long inactive = lruvec->nr[lru], active = lruvec->nr[lru + LRU_ACTIVE];
	unsigned long gib = (inactive + active) >> (30 - PAGE_SHIFT);

	return active > inactive * max(square_root(10 * gib), 1UL);
}

/* Up or down: true if it stays active. */
static bool earns_its_place(struct page *page)
{
	bool used = page_referenced(page) > 0;
	unsigned int uses = page_uses(page);

	if (used && !PageSwapBacked(page) && PageIcache(page))
		return true;
	if (TestClearPageReferenced(page))
		used = true;
	if (used)
		set_page_uses(page, min(uses + 1, MAX_USES));
	else if (uses)
		set_page_uses(page, uses - 1);
	return used || uses;
}

void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest)
{
	unsigned long looked = 0;

	while (looked < nr) {
		struct page *page = take_coldest(lruvec, lru, highest, &looked);

		if (!page)
			break;
		if (!earns_its_place(page)) {
			ClearPageActive(page);
			SetPageReferenced(page);
			inc_vm_stat(PGDEACTIVATE);
		}
		putback_lru_page(page);
	}
	mod_vm_stat(PGREFILL, looked);
}

u32 workingset_eviction(struct page *page)
{
	struct lruvec *lruvec = page_lruvec(page);
	u32 now = 0;

	locked(lruvec) {
		now = lruvec->age;
		lruvec->age += 2;
	}
	return now;
}

/* The places that it competes for: active ones, and those of the other kind if these can be had at all. */
static unsigned long places(const struct lruvec *lruvec, bool file)
{
	unsigned long n = lruvec->nr[file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON];

	if (!file)
		return n + lruvec->nr[LRU_INACTIVE_FILE] + lruvec->nr[LRU_ACTIVE_FILE];
	return swap_available() ? n + lruvec->nr[LRU_INACTIVE_ANON] + lruvec->nr[LRU_ACTIVE_ANON] : n;
}

bool workingset_refault(struct page *page, u32 shadow)
{
	struct lruvec *lruvec = page_lruvec(page);
	bool soon = false;

	locked(lruvec) {
		u32 steps = (u32)lruvec->age - shadow;

		soon = steps / 2 <= places(lruvec, page_is_file_lru(page));
	}
	return soon;
}
