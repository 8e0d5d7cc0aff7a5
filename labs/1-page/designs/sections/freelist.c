/*
 * The page core, another right design: a stack of extents.
 *
 * What is freed in one call is one piece of memory, so it is one entry on the stack: the descriptor
 * of its first page holds how many pages are left of it (index) and the entry below (list.next as
 * an address, or NULL). Allocating takes the entry's first page and moves the entry one page up. So
 * the pages of a block come out from the lowest on; what the contract orders is only which call's
 * pages come out first. Boot, which frees thousands of pages a call, links a few entries only.
 *
 * Every free page has PG_buddy all the same: whether a page is free must be known without a search.
 */
#include "mm/phys/page_alloc.h"

static struct page *entry_below(const struct page *entry)
{
	return (struct page *)entry->list.next;
}

static void put_entry(struct zone *zone, struct page *entry, unsigned long pages,
		      struct page *below)
{
	entry->index = pages;
	entry->list.next = (struct list_head *)below;
	zone->private[0] = (unsigned long)entry;
}

void zone_core_init(struct zone *zone)
{
	zone->private[0] = 0;
	zone->free_pages = 0;
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		zone->free_area[order].nr_free = 0;
}

static bool may_be_freed(const struct zone *zone, struct page *page)
{
	if (!pfn_valid(page_to_pfn(page)) || page_zone(page) != zone)
		bad_page(page, "it is not of this zone");
	else if (page->flags & BIT(PG_reserved))
		bad_page(page, "it is reserved");
	else if (page->flags & BIT(PG_buddy))
		bad_page(page, "it is free already");
	else
		return true;
	return false;
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long pages = 1UL << order;

	for (unsigned long i = 0; i < pages; i++)
		if (!may_be_freed(zone, page + i))
			return;
	for (unsigned long i = 0; i < pages; i++) {
		page[i].flags |= BIT(PG_buddy);
		page[i].private = 0;
	}
	put_entry(zone, page, pages, (struct page *)zone->private[0]);
	zone->free_pages += pages;
	zone->free_area[0].nr_free = zone->free_pages;
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct page *page = (struct page *)zone->private[0];

	if (order > 0 || !page)
		return NULL;
	if (page->index > 1)
		put_entry(zone, page + 1, page->index - 1, entry_below(page));
	else
		zone->private[0] = (unsigned long)entry_below(page);
	page->flags &= ~BIT(PG_buddy);
	page->index = 0;
	zone->free_pages--;
	zone->free_area[0].nr_free = zone->free_pages;
	return page;
}
