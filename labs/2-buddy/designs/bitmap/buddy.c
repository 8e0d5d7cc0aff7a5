/*
 * The buddy core, another right design: bitmaps tell what is free.
 *
 * The reference reads a block's state from its first page: a mark and an order. Here there is one
 * bitmap for each order, with one bit for each place where a block of that order can begin: set if
 * there is a free block there. No page is marked, and a buddy's state is had without a look at its
 * descriptor. The lists only answer the other question, where a free block is to be found; what
 * links them is the only thing that is written into a free page.
 *
 * Bit n of map k stands for the frame n << k, whichever zone it belongs to. So two zones can share
 * a word of a map and have two locks: the bits are changed atomically. A bit itself is only changed
 * under the lock of its frame's zone. A buddy's bit may be read when the buddy is of another zone,
 * and is changing; that does not matter, because then it is not used.
 *
 * There is nowhere to take memory for the maps from when the core starts, so they are variables,
 * for the first 8 GiB: two bits a frame, 512 KiB. Memory beyond that is refused.
 */
#include "mm/phys/page_alloc.h"
#include "lib/bitops.h"

#define MAX_FRAMES	(1UL << 21)
#define MAP_BITS(k)	(MAX_FRAMES >> (k))

/* Map k begins behind the maps of the orders below: 2 * MAX_FRAMES bits hold them all. */
static unsigned long maps[2 * MAX_FRAMES / BITS_PER_LONG];

static unsigned long *map_of(unsigned int order)
{
	return &maps[(2 * MAX_FRAMES - 2 * MAP_BITS(order)) / BITS_PER_LONG];
}

static bool is_free(pfn_t pfn, unsigned int order)
{
	return test_bit(pfn >> order, map_of(order));
}

static void link_block(struct zone *zone, pfn_t pfn, unsigned int order)
{
	set_bit(pfn >> order, map_of(order));
	list_add(&pfn_to_page(pfn)->list, &zone->free_area[order].free_list);
	zone->free_area[order].nr_free++;
}

static void unlink_block(struct zone *zone, pfn_t pfn, unsigned int order)
{
	clear_bit(pfn >> order, map_of(order));
	list_del(&pfn_to_page(pfn)->list);
	zone->free_area[order].nr_free--;
}

void zone_core_init(struct zone *zone)
{
	for (unsigned int order = 0; order <= MAX_ORDER; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].nr_free = 0;
	}
	zone->free_pages = 0;
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct page *page;
	unsigned int have = order;
	pfn_t pfn;

	while (have <= MAX_ORDER && list_empty(&zone->free_area[have].free_list))
		have++;
	if (have > MAX_ORDER)
		return NULL;
	page = list_first_entry(&zone->free_area[have].free_list, struct page, list);
	pfn = page_to_pfn(page);
	unlink_block(zone, pfn, have);
	while (have > order) {
		have--;
		link_block(zone, pfn + (1UL << have), have);
	}
	zone->free_pages -= 1UL << order;
	return page;
}

/* Is the frame, of this zone, in a free block? Of each order there is one that could hold it. */
static bool in_free_block(pfn_t pfn)
{
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		if (is_free(pfn, order))
			return true;
	return false;
}

static const char *reason_to_refuse(struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page), last = pfn + (1UL << order) - 1;

	if (order > MAX_ORDER)
		return "free of a block of an order that does not exist";
	if (!IS_ALIGNED(pfn, 1UL << order))
		return "free of a misaligned block";
	if (last >= MAX_FRAMES || !pfn_valid(pfn) || !pfn_valid(last))
		return "free of a block that does not exist";
	if (page_zone(page) != zone || page_zone(pfn_to_page(last)) != zone ||
	    pfn < zone->start_pfn || last >= zone->start_pfn + zone->spanned_pages)
		return "free of a block of another zone";
	if (PageReserved(page))
		return "free of a reserved page";
	if (in_free_block(pfn))
		return "free of a free block (double free)";
	return NULL;
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	const char *reason = reason_to_refuse(zone, page, order);
	pfn_t pfn = page_to_pfn(page);

	if (reason) {
		bad_page(page, reason);
		return;
	}
	zone->free_pages += 1UL << order;
	for (; order < MAX_ORDER; order++) {
		pfn_t buddy = pfn ^ (1UL << order);

		/* What is free has a descriptor: only then it is asked for its zone. */
		if (buddy >= MAX_FRAMES || !is_free(buddy, order) ||
		    page_zone(pfn_to_page(buddy)) != zone)
			break;
		unlink_block(zone, buddy, order);
		pfn = min(pfn, buddy);
	}
	link_block(zone, pfn, order);
}
