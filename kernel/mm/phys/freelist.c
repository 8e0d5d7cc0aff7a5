/*
 * The freelist page core: the simplest allocator that is right.
 *
 * The problem. Memory comes in frames of one size. Somebody has to know which of them are free,
 * hand one out when asked and take it back later, at a cost that does not grow with memory.
 *
 * The shape. A free frame is memory that nobody uses, and it has a struct page, so the frame's own
 * descriptor is the list node: the free list costs not one byte. All free pages of a zone hang on
 * one doubly linked list, zone->free_area[0].free_list, used as a stack:
 *
 *	zone_core_free		push		list_add at the head
 *	zone_core_alloc		pop		the head comes off
 *
 * Last in, first out, for a reason: the page freed last is the one whose contents are most likely
 * still in a CPU's cache.
 *
 * States. A page is either free, and then it is on the list, PG_buddy is set and private holds its
 * order, 0; or it is not free, and then none of this is true. PG_buddy is what the front looks at
 * to refuse a double free, so it must change together with the list.
 *
 * Invariants, true whenever zone->lock is not held:
 *
 *	- every page on the list lies in this zone, has PG_buddy set and reference count 0
 *	- free_area[0].nr_free = length of the list = zone->free_pages
 *
 * Orders. Other cores hand out blocks of 2^order pages. This one cannot: two neighbours on the list
 * are neighbours in memory only by chance, and a search would cost time in proportion to memory
 * (that is lab 2's problem, and the buddy system its answer). So an allocation of order > 0 fails.
 * A *free* of order > 0 is welcome, being 2^order frees: it is how page_init() hands over memory at
 * boot, in big pieces, and the loop inside is what keeps booting cheap.
 *
 * Locking. Everything here is called with zone->lock held and interrupts off.
 */
#include "mm/phys/page_alloc.h"

void zone_core_init(struct zone *zone)
{
	for (unsigned int order = 0; order < NR_ORDERS; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].nr_free = 0;
	}
	zone->free_pages = 0;
}

/*
 * Why this page cannot join the list, or NULL. The front has looked at the reference count; that
 * the list holds each page once, and only its zone's, is for the list to see to.
 */
static const char *bad_reason(const struct zone *zone, const struct page *page)
{
	if (page_zone(page) != zone)
		return "free of a page of another zone";
	if (PageReserved(page))
		return "free of a reserved page";
	if (PageBuddy(page))
		return "free of a free page (double free)";
	return NULL;
}

/*
 * Frees the 2^@order pages from @page on, all of them or, if one is bad, none. Backwards, so that
 * the lowest page is handed out first.
 */
void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	struct free_area *area = &zone->free_area[0];
	unsigned long nr = 1UL << order;

	for (struct page *p = page; p < page + nr; p++) {
		const char *reason = bad_reason(zone, p);

		if (unlikely(reason)) {
			bad_page(p, reason);
			return;
		}
	}
	for (struct page *p = page + nr; p-- > page; ) {
		p->private = 0;
		__SetPageBuddy(p);
		list_add(&p->list, &area->free_list);
	}
	area->nr_free += nr;
	zone->free_pages += nr;
}

/* One page, or NULL: the zone is empty, or @order is more than a freelist can do. */
struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct free_area *area = &zone->free_area[0];
	struct page *page;

	if (order > 0 || list_empty(&area->free_list))
		return NULL;

	page = list_first_entry(&area->free_list, struct page, list);
	list_del(&page->list);
	__ClearPageBuddy(page);
	area->nr_free--;
	zone->free_pages--;
	return page;
}
