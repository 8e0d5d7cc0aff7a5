/*
 * page_init, another right design: section by section.
 *
 * Descriptors come in sections of 512, so that is how this one goes. For each section it draws a
 * map with one bit a frame, set for what is free; then initialises all 512 descriptors by that map
 * and gives the runs of set bits to the core. As a section is done once, a page is. Which zone a
 * run belongs to is read from its first page; runs end where zones do.
 *
 * A frame that is not RAM is given to the node of the last region that begins in front of it, or of
 * the first region of its section.
 */
#include "mm/phys/memblock.h"
#include "mm/phys/zone.h"
#include "lib/bitops.h"

#define DMA32_END_PFN	(1UL << (32 - PAGE_SHIFT))

static unsigned long free_map[PAGES_PER_SECTION / BITS_PER_LONG];

static void init_zone(int nid, enum zone_type type)
{
	struct zone *zone = &node_data[nid].zones[type];

	spin_lock_init(&zone->lock);
	zone->type = type;
	zone->nid = nid;
	zone->name = type == ZONE_DMA32 ? "DMA32" : "Normal";
	zone_core_init(zone);
}

/* Sizes of a node and its zones, from all regions: each zone's window is cut out of each region. */
static void size_node(int nid)
{
	static const pfn_t window[MAX_NR_ZONES + 1] = { 0, DMA32_END_PFN, ~0UL };
	struct pglist_data *node = &node_data[nid];
	pfn_t node_start = ~0UL, node_end = 0;

	node->nid = nid;
	for (int type = 0; type < MAX_NR_ZONES; type++) {
		struct zone *zone = &node->zones[type];
		pfn_t start = ~0UL, end = 0;

		init_zone(nid, type);
		for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
			const struct memblock_region *r = &memblock.memory.regions[i];
			pfn_t from = max(PFN_UP(r->base), window[type]);
			pfn_t to = min(PFN_DOWN(r->base + r->size), window[type + 1]);

			if (r->nid != nid || from >= to)
				continue;
			start = min(start, from);
			end = max(end, to);
			zone->present_pages += to - from;
		}
		if (!zone->present_pages)
			continue;
		zone->start_pfn = start;
		zone->spanned_pages = end - start;
		node_start = min(node_start, start);
		node_end = max(node_end, end);
		node->present_pages += zone->present_pages;
	}
	if (!node->present_pages)
		return;
	node->online = true;
	node->start_pfn = node_start;
	node->spanned_pages = node_end - node_start;
	nr_nodes = nid + 1;
}

static void draw_free_map(pfn_t first)
{
	phys_addr_t base, end;
	u64 idx = 0;
	int nid;

	for (unsigned int i = 0; i < ARRAY_SIZE(free_map); i++)
		free_map[i] = 0;
	while (memblock_next_free(&idx, &base, &end, &nid)) {
		pfn_t from = max(PFN_UP(base), first);
		pfn_t to = min(PFN_DOWN(end), first + PAGES_PER_SECTION);

		for (pfn_t pfn = from; pfn < to; pfn++)
			__set_bit(pfn - first, free_map);
	}
}

static int node_of(pfn_t first, pfn_t pfn)
{
	int nid = -1;

	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		if (r->base + r->size <= PFN_PHYS(first))
			continue;
		if (nid >= 0 && r->base > PFN_PHYS(pfn))
			break;
		nid = r->nid;
	}
	return nid;
}

static void init_descriptors(pfn_t first)
{
	for (unsigned int i = 0; i < PAGES_PER_SECTION; i++) {
		struct page *page = pfn_to_page(first + i);
		unsigned long type = first + i < DMA32_END_PFN ? ZONE_DMA32 : ZONE_NORMAL;
		bool is_free = test_bit(i, free_map);

		page->flags = (unsigned long)node_of(first, first + i) << PAGE_NODE_SHIFT |
			      type << PAGE_ZONE_SHIFT;
		if (!is_free)
			__SetPageReserved(page);
		INIT_LIST_HEAD(&page->list);
		page->mapping = NULL;
		page->index = page->private = page->aux = 0;
		page->_refcount = (atomic_t){ is_free ? 0 : 1 };
		page->_mapcount = (atomic_t){ -1 };
	}
}

/* The largest block that begins at bit @i: as alignment, the zone and the map allow. */
static unsigned int block_order(pfn_t first, unsigned int i)
{
	struct zone *zone = page_zone(pfn_to_page(first + i));
	unsigned int order = 0, good = 1;

	while (order < MAX_ORDER && IS_ALIGNED(first + i, 2UL << order)) {
		for (; good < 2U << order; good++)
			if (i + good >= PAGES_PER_SECTION || !test_bit(i + good, free_map) ||
			    page_zone(pfn_to_page(first + i + good)) != zone)
				return order;
		order++;
	}
	return order;
}

static void give_to_cores(pfn_t first)
{
	unsigned int i = 0;

	while (i < PAGES_PER_SECTION) {
		struct page *page = pfn_to_page(first + i);
		struct zone *zone = page_zone(page);
		unsigned long flags;
		unsigned int order;

		if (!test_bit(i, free_map)) {
			i++;
			continue;
		}
		order = block_order(first, i);
		spin_lock_irqsave(&zone->lock, flags);
		zone_core_free(zone, page, order);
		zone->managed_pages += 1UL << order;
		spin_unlock_irqrestore(&zone->lock, flags);
		i += 1U << order;
	}
}

void page_init(void)
{
	pfn_t next = 0;

	nr_nodes = 0;
	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		size_node(nid);
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		pfn_t end = PFN_UP(r->base + r->size);

		next = max(next, ALIGN_DOWN(PFN_DOWN(r->base), PAGES_PER_SECTION));
		for (; next < end; next += PAGES_PER_SECTION) {
			draw_free_map(next);
			init_descriptors(next);
			give_to_cores(next);
		}
	}
}
