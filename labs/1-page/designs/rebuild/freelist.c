/*
 * The page core, another right design: a stack threaded through frame numbers.
 *
 * The reference keeps a doubly linked ring. Nothing is ever taken out of the middle, so one link is
 * enough: zone->private[0] is the number of the frame on top, and page->index of each free page the
 * number of the one below it; both plus one, so that 0 means none. The front clears index when it
 * hands a page out. free_area[0].free_list stays an empty ring.
 *
 * A block is looked at as a whole before the first of its pages is pushed, so a refusal leaves no
 * trace.
 */
#include "mm/phys/page_alloc.h"

#define TOP	0	/* of zone->private: frame number + 1, or 0 */

void zone_core_init(struct zone *zone)
{
	for (unsigned int order = 0; order < NR_ORDERS; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].nr_free = 0;
	}
	zone->private[TOP] = 0;
	zone->free_pages = 0;
}

/* Why the frame cannot be freed into @zone, or NULL. */
static const char *refuse(const struct zone *zone, pfn_t pfn)
{
	const struct page *page = pfn_to_page(pfn);

	if (!pfn_valid(pfn))
		return "free of a page that does not exist";
	if (page_zone(page) != zone)
		return "free of a page of another zone";
	if (PageReserved(page))
		return "free of a reserved page";
	if (PageBuddy(page))
		return "free of a free page (double free)";
	return NULL;
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t start = page_to_pfn(page), end = start + (1UL << order);

	for (pfn_t pfn = start; pfn < end; pfn++) {
		const char *reason = refuse(zone, pfn);

		if (reason) {
			bad_page(pfn_to_page(pfn), reason);
			return;
		}
	}
	for (pfn_t pfn = start; pfn < end; pfn++, page++) {
		__SetPageBuddy(page);
		page->private = 0;
		page->index = zone->private[TOP];
		zone->private[TOP] = pfn + 1;
	}
	zone->free_area[0].nr_free += end - start;
	zone->free_pages += end - start;
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct page *page;

	if (order || !zone->private[TOP])
		return NULL;
	page = pfn_to_page(zone->private[TOP] - 1);
	zone->private[TOP] = page->index;
	__ClearPageBuddy(page);
	zone->free_area[0].nr_free--;
	zone->free_pages--;
	return page;
}
