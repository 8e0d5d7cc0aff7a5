/*
 * The buddy core, another right design: free blocks in trees, the lowest address first.
 *
 * The reference keeps the blocks of an order in a list and takes the one freed last. Here they are
 * in a search tree by address, and the lowest is taken: so what is in use gathers at the lower end
 * of memory, and large blocks survive at the upper. The tree is a treap (R. Seidel, C. R. Aragon,
 * "Randomized Search Trees", 1996): sorted by address, and a heap by a rank that is a hash of the
 * frame number, so its depth is that of a random tree, O(log n) expected, and no balance is
 * stored.
 *
 * A free page's two links are the tree's: list.next is the left child, list.prev the right one,
 * NULL for none; free_area[order].free_list.next is the root. The descriptors are one array, so
 * addresses of links compare like frame numbers. zone->private[0] has bit k set while tree k is
 * not empty. PG_buddy and private, the order, tell a free block from others.
 */
#include "mm/phys/page_alloc.h"
#include "lib/bitops.h"

#define ORDERS	0	/* of zone->private: which trees hold something */

/* ---- the treap ---------------------------------------------------------------------------- */

static u32 rank(const struct list_head *node)
{
	return (page_to_pfn(list_entry(node, struct page, list)) * 0x9e3779b97f4a7c15UL) >> 32;
}

static bool below(const struct list_head *a, const struct list_head *b)
{
	return (unsigned long)a < (unsigned long)b;
}

/* Down to where @node's rank puts it; what is below there is split into its two subtrees. */
static void treap_insert(struct list_head **link, struct list_head *node)
{
	struct list_head **left = &node->next, **right = &node->prev, *rest;

	while (*link && rank(*link) >= rank(node))
		link = below(node, *link) ? &(*link)->next : &(*link)->prev;
	rest = *link;
	*link = node;
	while (rest) {
		if (below(rest, node)) {
			*left = rest;
			left = &rest->prev;
			rest = *left;
		} else {
			*right = rest;
			right = &rest->next;
			rest = *right;
		}
	}
	*left = *right = NULL;
}

/* @node's two subtrees are merged in its place. */
static void treap_remove(struct list_head **link, struct list_head *node)
{
	struct list_head *left = node->next, *right = node->prev;

	while (*link != node)
		link = below(node, *link) ? &(*link)->next : &(*link)->prev;
	while (left && right) {
		if (rank(left) >= rank(right)) {
			*link = left;
			link = &left->prev;
			left = *link;
		} else {
			*link = right;
			link = &right->next;
			right = *link;
		}
	}
	*link = left ? left : right;
}

/* ---- free blocks -------------------------------------------------------------------------- */

static void insert_block(struct zone *zone, struct page *page, unsigned int order)
{
	struct free_area *area = &zone->free_area[order];

	page->private = order;
	__SetPageBuddy(page);
	treap_insert(&area->free_list.next, &page->list);
	area->nr_free++;
	zone->private[ORDERS] |= BIT(order);
}

static void remove_block(struct zone *zone, struct page *page, unsigned int order)
{
	struct free_area *area = &zone->free_area[order];

	treap_remove(&area->free_list.next, &page->list);
	__ClearPageBuddy(page);
	if (!--area->nr_free)
		zone->private[ORDERS] &= ~BIT(order);
}

static struct page *lowest_block(struct zone *zone, unsigned int order)
{
	struct list_head *node = zone->free_area[order].free_list.next;

	while (node->next)
		node = node->next;
	return list_entry(node, struct page, list);
}

void zone_core_init(struct zone *zone)
{
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		zone->free_area[order] = (struct free_area){ { NULL, NULL }, 0 };
	zone->private[ORDERS] = 0;
	zone->free_pages = 0;
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	unsigned long large_enough;
	unsigned int have;
	struct page *page;

	if (order > MAX_ORDER)
		return NULL;
	large_enough = zone->private[ORDERS] >> order << order;
	if (!large_enough)
		return NULL;
	have = __ffs(large_enough);
	page = lowest_block(zone, have);
	remove_block(zone, page, have);
	while (have-- > order)
		insert_block(zone, page + (1UL << have), have);
	zone->free_pages -= 1UL << order;
	return page;
}

/* Does a free block of @zone and of order @least or more begin at @pfn? Its order, or -1. */
static int free_order(const struct zone *zone, pfn_t pfn, unsigned int least)
{
	const struct page *page = pfn_to_page(pfn);

	if (!pfn_valid(pfn) || page_zone(page) != zone || !PageBuddy(page) ||
	    page->private < least)
		return -1;
	return page->private;
}

static bool refused(const struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);
	const char *reason = NULL;

	if (order > MAX_ORDER || (pfn & ((1UL << order) - 1)))
		reason = "free of a block of a wrong order, or misaligned";
	else if (!pfn_valid(pfn) || page_zone(page) != zone || pfn < zone->start_pfn ||
		 pfn + (1UL << order) > zone->start_pfn + zone->spanned_pages)
		reason = "free of a block that is not of this zone";
	else if (PageReserved(page))
		reason = "free of a reserved page";
	for (unsigned int k = 0; !reason && k <= MAX_ORDER; k++)
		if (free_order(zone, pfn & ~((1UL << k) - 1), k) >= 0)
			reason = "free of memory that is free already";
	if (reason)
		bad_page(page, reason);
	return reason;
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);

	if (refused(zone, page, order))
		return;
	zone->free_pages += 1UL << order;
	while (order < MAX_ORDER) {
		pfn_t buddy = pfn ^ (1UL << order);

		if (free_order(zone, buddy, order) != (int)order)
			break;
		remove_block(zone, pfn_to_page(buddy), order);
		pfn &= buddy;
		order++;
	}
	insert_block(zone, pfn_to_page(pfn), order);
}
