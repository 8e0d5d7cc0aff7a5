/*
 * The buddy core, another right design: recursion, queues, and the upper half.
 *
 * Both operations are told as what they are, one sentence each:
 *
 *	take(k)		a block from queue k; or, if it is empty, half of take(k + 1)
 *	give(k)		a block with its buddy free is give(k + 1) of both; else it goes on queue k
 *
 * Depth is at most eleven. Of a block that is halved the lower half goes on the queue and the
 * upper one is used; the reference does the reverse, and neither is wrong. Free lists are queues,
 * first in, first out: a block that was freed rests as long as possible, so its buddy has the most
 * time to come back to it.
 *
 * The order of a free block is in index, not in private; PG_buddy marks it.
 */
#include "mm/phys/page_alloc.h"

static void enqueue(struct zone *zone, struct page *page, unsigned int order)
{
	page->index = order;
	SetPageBuddy(page);
	list_add_tail(&page->list, &zone->free_area[order].free_list);
	zone->free_area[order].nr_free++;
}

static void dequeue(struct zone *zone, struct page *page)
{
	list_del_init(&page->list);
	ClearPageBuddy(page);
	zone->free_area[page->index].nr_free--;
	page->index = 0;
}

void zone_core_init(struct zone *zone)
{
	zone->free_pages = 0;
	for (unsigned int order = 0; order <= MAX_ORDER; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].nr_free = 0;
	}
}

static struct page *take(struct zone *zone, unsigned int order)
{
	struct page *page;

	if (order > MAX_ORDER)
		return NULL;
	page = list_first_entry_or_null(&zone->free_area[order].free_list, struct page, list);
	if (page) {
		dequeue(zone, page);
		return page;
	}
	page = take(zone, order + 1);
	if (!page)
		return NULL;
	enqueue(zone, page, order);
	return page + (1UL << order);
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct page *page = take(zone, order);

	if (page)
		zone->free_pages -= 1UL << order;
	return page;
}

/* The free block of @zone that begins at @pfn, or NULL. */
static struct page *free_block_at(struct zone *zone, pfn_t pfn)
{
	struct page *page = pfn_to_page(pfn);

	return pfn_valid(pfn) && page_zone(page) == zone && PageBuddy(page) ? page : NULL;
}

static void give(struct zone *zone, pfn_t pfn, unsigned int order)
{
	struct page *buddy = order < MAX_ORDER ? free_block_at(zone, pfn ^ (1UL << order)) : NULL;

	if (buddy && buddy->index == order) {
		dequeue(zone, buddy);
		give(zone, pfn & ~(1UL << order), order + 1);
	} else {
		enqueue(zone, pfn_to_page(pfn), order);
	}
}

/* Is @pfn in a free block of order @order or more? */
static bool is_free(struct zone *zone, pfn_t pfn, unsigned int order)
{
	struct page *block;

	if (order > MAX_ORDER)
		return false;
	block = free_block_at(zone, ALIGN_DOWN(pfn, 1UL << order));
	return (block && block->index >= order) || is_free(zone, pfn, order + 1);
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page), zone_end = zone->start_pfn + zone->spanned_pages;

	if (order > MAX_ORDER || !IS_ALIGNED(pfn, 1UL << order)) {
		bad_page(page, "free of what cannot be a block");
	} else if (!pfn_valid(pfn) || page_zone(page) != zone ||
		   pfn < zone->start_pfn || zone_end - pfn < 1UL << order) {
		bad_page(page, "free of a block that is not this zone's");
	} else if (PageReserved(page)) {
		bad_page(page, "free of a reserved page");
	} else if (is_free(zone, pfn, 0)) {
		bad_page(page, "free of free memory");
	} else {
		give(zone, pfn, order);
		zone->free_pages += 1UL << order;
	}
}
