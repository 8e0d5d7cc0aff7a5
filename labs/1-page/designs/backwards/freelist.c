/*
 * The page core, another right design: a list with one link, and no sentinel.
 *
 * Nothing in this lab takes a page out of the middle, so the backward link has no use. The pages
 * on the list are chained by list.next, the last one by NULL; free_area[0].free_list.next is the
 * first, or NULL. The front's own use of the link begins when the page is handed out.
 *
 * The pages of a block are pushed from the last to the first.
 */
#include "mm/phys/page_alloc.h"

void zone_core_init(struct zone *zone)
{
	for (struct free_area *area = zone->free_area; area < zone->free_area + NR_ORDERS; area++) {
		area->free_list.next = area->free_list.prev = NULL;
		area->nr_free = 0;
	}
	zone->free_pages = 0;
}

/* All pages, or the first bad one. */
static struct page *first_bad(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long marks = BIT(PG_buddy) | BIT(PG_reserved);

	for (struct page *p = page; p < page + (1UL << order); p++)
		if (!pfn_valid(page_to_pfn(p)) || page_zone(p) != zone || (p->flags & marks))
			return p;
	return NULL;
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	struct free_area *area = &zone->free_area[0];
	struct page *bad = first_bad(zone, page, order);

	if (bad) {
		bad_page(bad, "cannot be freed: free already, reserved, or of another zone");
		return;
	}
	for (struct page *p = page + (1UL << order); p-- > page; ) {
		p->list.next = area->free_list.next;
		area->free_list.next = &p->list;
		p->private = 0;
		__SetPageBuddy(p);
		area->nr_free++;
		zone->free_pages++;
	}
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct free_area *area = &zone->free_area[0];
	struct list_head *first = area->free_list.next;
	struct page *page;

	if (order != 0 || first == NULL)
		return NULL;
	area->free_list.next = first->next;
	area->nr_free--;
	zone->free_pages--;
	page = list_entry(first, struct page, list);
	__ClearPageBuddy(page);
	return page;
}
