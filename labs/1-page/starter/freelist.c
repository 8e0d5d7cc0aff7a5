/*
 * The freelist page core: single pages, last in, first out.
 *
 * A free page hangs on zone->free_area[0].free_list by its own page->list; PG_buddy says that it is
 * there, and free_area[0].nr_free and zone->free_pages count. Everything here is called with
 * zone->lock held and interrupts off.
 */
#include "mm/phys/page_alloc.h"
#include "base/panic.h"

#define NOT_WRITTEN()	panic("lab 1: page allocator is not written yet (%s)", __func__)

/* An empty core. The zone's memory comes later, through zone_core_free(). */
void zone_core_init(struct zone *zone)
{
	(void)zone;
	NOT_WRITTEN();
}

/*
 * Frees the 2^@order pages from @page on. A page that is free already, reserved or of another zone
 * is reported with bad_page(page, reason), and then nothing changes.
 */
void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	(void)zone, (void)page, (void)order;
	NOT_WRITTEN();
}

/* The page that was freed last. NULL: the zone is empty, or @order is above 0. */
struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	(void)zone, (void)order;
	NOT_WRITTEN();
}
