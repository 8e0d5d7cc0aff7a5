/*
 * The buddy page core: contiguous blocks of 1, 2, 4 … 1024 pages, put together again when freed.
 *
 * The problem. A freelist hands out single pages at a cost that does not grow with memory, but it
 * cannot find two pages that are neighbours. Some need them: a kernel stack, a large kmalloc, a
 * device's ring. A search through memory would find neighbours, and take time in proportion to its
 * size; and a memory that is only ever cut up ends as dust, free pages without number and no two
 * of them side by side. So neighbours must be found without searching, and must find each other
 * again when they are freed.
 *
 * The idea (Knowlton 1965; Knuth, The Art of Computer Programming, 2.5). Allow blocks of 2^order
 * pages only, and only at frames that are multiples of 2^order. Then a block of order k + 1 has
 * exactly two halves of order k, each the other's *buddy*, and the frame number of one follows
 * from that of the other by turning over a single bit:
 *
 *	buddy = pfn ^ (1 << k)			merged = pfn & ~(1 << k)
 *
 *	order 2	|              8              |
 *	order 1	|      8      |      10       |		10 = 8 ^ 2
 *	order 0	|  8   |  9   |  10   |  11   |		 9 = 8 ^ 1,  10 = 11 ^ 1
 *
 * It is the frame number that counts, not the address of the page's descriptor nor the distance
 * from the zone's start: a zone may begin anywhere.
 *
 * Allocate: take a block from the list of its order; if there is none, from the next order that has
 * one, and halve it as often as needed. The lower half is halved on, the upper one goes to its
 * list, which is empty, or the block would have come from there.
 *
 * Free: while the buddy is free as a whole, take it off its list and go on with the merged block.
 * Then put what came out on its list. Nothing remembers who was split from whom: the numbers do.
 *
 * Each step goes from one order to the next, so both cost at most MAX_ORDER steps, whatever the
 * size of memory. The lists are doubly linked because a buddy leaves from the middle.
 *
 * States. The first page of a free block has PG_buddy set, its order in private, and is on the list
 * of that order. Its other pages say nothing: their state is that of the block. Of a block in use
 * the core remembers nothing at all.
 *
 * Invariants, whenever zone->lock is not held:
 *
 *	- free blocks lie in this zone, are aligned to their size and do not overlap
 *	- two buddies are never both free: they would be one block. So the lists are always as
 *	  coalesced as they can be, and when all is freed they depend on what memory there is, not on
 *	  what was done with it
 *	- free_area[k].nr_free = length of list k; free_pages = the sum of nr_free << k
 *
 * Ends and holes. A buddy may lie behind the zone's end, in a hole, in another zone, or be
 * reserved. No case is special: every frame that has a descriptor has its zone in it and PG_buddy
 * only if free, so one look at the descriptor decides. Whether there *is* one must be asked
 * first, and rarely: they come in sections of 512 frames (pfn_valid), and the buddies of the orders
 * below 9 are in the same section.
 *
 * What is refused. The front knows what a page in use looks like and checks that. What only the
 * core can see is checked here, before anything is changed: a block that is misaligned, crosses the
 * zone's ends, belongs to another zone, is reserved, or is free already. The last has two cases: it
 * is the first page of a free block, or it was, and has since been merged into a larger one. Such
 * a block can only begin at the frame rounded down to a larger order, which makes MAX_ORDER
 * places to look at; and none at all if the block's buddy is free, because free blocks do not
 * overlap. A refused page is lost, and that is the smaller evil.
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

/* ---- blocks on their lists ---------------------------------------------------------------- */

static void add_block(struct free_area *area, struct page *page, unsigned long order)
{
	page->private = order;
	__SetPageBuddy(page);
	list_add(&page->list, &area->free_list);
	area->nr_free++;
}

/* The same for a list that is empty and a page whose flags are known: nothing need be read. */
static void add_first_block(struct free_area *area, struct page *page, unsigned long order,
			    unsigned long flags)
{
	page->private = order;
	page->flags = flags;
	page->list.next = page->list.prev = &area->free_list;
	area->free_list.next = area->free_list.prev = &page->list;
	area->nr_free = 1;
}

/* Its links stay as they are: whoever takes the block writes over them. */
static void remove_block(struct free_area *area, struct page *page)
{
	__ClearPageBuddy(page);
	__list_del(page->list.prev, page->list.next);
	area->nr_free--;
}

/* ---- allocation: split -------------------------------------------------------------------- */

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	struct free_area *area = zone->free_area + order;
	unsigned long have = order, flags;
	struct page *page;

	for (; have <= MAX_ORDER && list_empty(&area->free_list); area++)
		have++;
	if (have > MAX_ORDER)
		return NULL;
	page = list_first_entry(&area->free_list, struct page, list);
	flags = page->flags;			/* those of a free block, for the halves as well */
	remove_block(area, page);
	while (have > order) {
		have--;
		area--;
		add_first_block(area, page + (1UL << have), have, flags);
	}
	zone->free_pages -= 1UL << order;
	return page;
}

/* ---- free: refuse ------------------------------------------------------------------------- */

/* Is @page the first of a free block of the zone whose FLAGS_ZONE are in @zone_flags? */
static bool free_block_at(const struct page *page, unsigned long zone_flags)
{
	return (page->flags & (FLAGS_ZONE | BIT(PG_buddy))) == (zone_flags | BIT(PG_buddy));
}

/*
 * Does the frame lie inside a larger free block? That would begin at @pfn rounded down to some
 * order: at @pfn with its lowest bits taken away, one after the other. The last of these places may
 * be in another section.
 */
static bool inside_free_block(pfn_t pfn, unsigned long zone_flags)
{
	for (pfn_t head = pfn; head % (1UL << MAX_ORDER);) {
		const struct page *page;

		head &= head - 1;
		if (unlikely((head ^ pfn) & PAGES_PER_SECTION) && !pfn_valid(head))
			break;
		page = pfn_to_page(head);
		if (unlikely(free_block_at(page, zone_flags)) && pfn - head < 1UL << page->private)
			return true;
	}
	return false;
}

static bool in_zone(const struct zone *zone, pfn_t pfn, unsigned int order)
{
	return pfn >= zone->start_pfn &&
	       pfn + (1UL << order) <= zone->start_pfn + zone->spanned_pages;
}

/* All that can be wrong with a block by itself; true if nothing is. */
static __always_inline bool acceptable(const struct zone *zone, const struct page *page, pfn_t pfn,
				       unsigned int order)
{
	unsigned long kind = page->flags & (FLAGS_ZONE | BIT(PG_reserved) | BIT(PG_buddy));

	return order <= MAX_ORDER && kind == (unsigned long)zone_id(zone) << PAGE_ZONE_SHIFT &&
	       !(pfn & ((1UL << order) - 1)) && in_zone(zone, pfn, order);
}

/* The block cannot be taken back: say why. */
static noinline void refuse(const struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);

	if (order > MAX_ORDER)
		bad_page(page, "free of an order that does not exist");
	else if (page_zone_id(page) != zone_id(zone) || !in_zone(zone, pfn, order))
		bad_page(page, "free of a block of another zone");
	else if (pfn & ((1UL << order) - 1))
		bad_page(page, "free of a misaligned block");
	else if (PageReserved(page))
		bad_page(page, "free of a reserved page");
	else
		bad_page(page, "free of a free page (double free)");
}

/* ---- free: coalesce ----------------------------------------------------------------------- */

/* Is there a page at the frame, and is it the first of a free block of exactly this order? */
static __always_inline bool is_free_buddy(pfn_t pfn, unsigned long order, unsigned long zone_flags)
{
	const struct page *page = pfn_to_page(pfn);

	if (unlikely(1UL << order >= PAGES_PER_SECTION) && !pfn_valid(pfn))
		return false;
	return free_block_at(page, zone_flags) && page->private == order;
}

/* The buddy is not free: the block stays as it is, or it is not ours to take. */
static noinline void free_alone(struct zone *zone, struct page *page, unsigned long order)
{
	if (unlikely(inside_free_block(page_to_pfn(page), page->flags & FLAGS_ZONE))) {
		refuse(zone, page, order);
		return;
	}
	zone->free_pages += 1UL << order;
	add_block(&zone->free_area[order], page, order);
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long zone_flags = page->flags & FLAGS_ZONE, have = order;
	pfn_t pfn = page_to_pfn(page), buddy = pfn ^ 1UL << order;
	struct free_area *area;

	if (unlikely(!acceptable(zone, page, pfn, order))) {
		refuse(zone, page, order);
		return;
	}
	/* Free blocks do not overlap: where the buddy is one, this does not lie inside another. */
	if (order == MAX_ORDER || !is_free_buddy(buddy, order, zone_flags)) {
		free_alone(zone, page, order);
		return;
	}
	zone->free_pages += 1UL << order;
	area = &zone->free_area[order];
	do {
		remove_block(area, pfn_to_page(buddy));
		pfn &= buddy;
		have++;
		area++;
		buddy = pfn ^ 1UL << have;
	} while (have < MAX_ORDER && is_free_buddy(buddy, have, zone_flags));
	add_block(area, pfn_to_page(pfn), have);
}
