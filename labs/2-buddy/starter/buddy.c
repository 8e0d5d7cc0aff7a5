/*
 * The buddy page core: blocks of 2^order pages, order 0 to MAX_ORDER, aligned to their size. The theory
 * and the task are in the lab's README.md; what each function owes stands in mm/phys/zone.h.
 *
 * A free block hangs on zone->free_area[order].free_list by its first page, which has PG_buddy set and
 * its order in private. Keep free_area[].nr_free (blocks) and zone->free_pages (pages) right: the
 * watermarks and /proc/buddyinfo read them. Two buddies are never both free.
 *
 * Everything here is called with zone->lock held and interrupts off.
 */
#include "mm/phys/page_alloc.h"
#include "base/panic.h"

#define NOT_WRITTEN()	panic("lab 2: buddy allocator is not written yet (%s)", __func__)

/* An empty core. The zone's memory comes later, through zone_core_free(). */
void zone_core_init(struct zone *zone)
{
	(void)zone;
	NOT_WRITTEN();
}

/* A block of 2^@order pages; NULL: none that large. */
struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	(void)zone, (void)order;
	NOT_WRITTEN();
}

/*
 * Takes a block back and merges it with its buddy as long as that is free as a whole. A block that is
 * misaligned, free already, reserved or of another zone is reported with bad_page(page, reason), and
 * then nothing changes. A buddy may lie where there is no page at all: ask pfn_valid().
 */
void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	(void)zone, (void)page, (void)order;
	NOT_WRITTEN();
}
