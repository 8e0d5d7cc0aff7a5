/*
 * page_init, another right design: from the end of memory to its beginning, without the walk.
 *
 * Free is what lies wholly in one region of memory and overlaps nothing reserved: that is asked of
 * memblock's two arrays, frame by frame, instead of taking the ranges from memblock_next_free().
 * The frames are visited from the last to the first, so one variable, the lowest frame done so
 * far, keeps sections that two regions share from being initialised twice; and low memory ends up
 * on top of the free list. Free frames are gathered into the largest blocks that end where the
 * frame after them was not free.
 */
#include "mm/phys/memblock.h"
#include "mm/phys/zone.h"

#define DMA32_END_PFN	(1UL << (32 - PAGE_SHIFT))

static struct zone *zone_of(int nid, pfn_t pfn)
{
	return &node_data[nid].zones[pfn >= DMA32_END_PFN ? ZONE_NORMAL : ZONE_DMA32];
}

static void init_zones(void)
{
	for (int i = 0; i < MAX_NUMNODES * MAX_NR_ZONES; i++) {
		struct zone *zone = &node_data[i / MAX_NR_ZONES].zones[i % MAX_NR_ZONES];

		spin_lock_init(&zone->lock);
		zone->nid = i / MAX_NR_ZONES;
		zone->type = i % MAX_NR_ZONES;
		zone->name = zone->type == ZONE_NORMAL ? "Normal" : "DMA32";
		zone_core_init(zone);
	}
	nr_nodes = 0;
}

/* As regions are sorted, the first part of a zone or node is its beginning, the last its end. */
static void account(int nid, pfn_t from, pfn_t to)
{
	struct pglist_data *node = &node_data[nid];
	struct zone *zone = zone_of(nid, from);

	if (from >= to)
		return;
	if (!zone->present_pages)
		zone->start_pfn = from;
	if (!node->present_pages)
		node->start_pfn = from;
	zone->present_pages += to - from;
	node->present_pages += to - from;
	zone->spanned_pages = to - zone->start_pfn;
	node->spanned_pages = to - node->start_pfn;
	node->nid = nid;
	node->online = true;
	if ((unsigned int)nid >= nr_nodes)
		nr_nodes = nid + 1;
}

static void size_zones(void)
{
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		pfn_t from = PFN_UP(r->base), to = PFN_DOWN(r->base + r->size);

		account(r->nid, from, min(to, DMA32_END_PFN));
		account(r->nid, max(from, DMA32_END_PFN), to);
	}
}

/* Does the frame lie wholly in @r, with no byte reserved? */
static bool frame_is_free(const struct memblock_region *r, pfn_t pfn)
{
	phys_addr_t from = PFN_PHYS(pfn), to = PFN_PHYS(pfn + 1);

	if (from < r->base || to > r->base + r->size)
		return false;
	for (unsigned int i = 0; i < memblock.reserved.cnt; i++) {
		const struct memblock_region *q = &memblock.reserved.regions[i];

		if (q->base < to && from < q->base + q->size)
			return false;
	}
	return true;
}

static void init_page(struct zone *zone, pfn_t pfn, bool is_free)
{
	struct page *page = pfn_to_page(pfn);

	page->flags = (unsigned long)zone->nid << PAGE_NODE_SHIFT |
		      (unsigned long)zone->type << PAGE_ZONE_SHIFT;
	page->flags |= is_free ? 0 : BIT(PG_reserved);
	atomic_set(&page->_refcount, !is_free);
	atomic_set(&page->_mapcount, -1);
	page->mapping = NULL;
	page->index = 0;
	page->private = 0;
	page->aux = 0;
}

/* [from, to) is free and of one zone: from its end, the largest blocks that fit. */
static void give(struct zone *zone, pfn_t from, pfn_t to)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->managed_pages += to - from;
	while (to > from) {
		unsigned int order = 0;

		while (order < MAX_ORDER && IS_ALIGNED(to, 2UL << order) &&
		       to - from >= 2UL << order)
			order++;
		to -= 1UL << order;
		zone_core_free(zone, pfn_to_page(to), order);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* The frames [from, to), which @r answers for, on one side of 4 GiB. */
static void init_frames(const struct memblock_region *r, pfn_t from, pfn_t to)
{
	struct zone *zone = zone_of(r->nid, from);
	pfn_t run_end = to;		/* [pfn, run_end) is free and not given yet */

	for (pfn_t pfn = to; pfn > from; pfn--) {
		bool is_free = frame_is_free(r, pfn - 1);

		init_page(zone, pfn - 1, is_free);
		if (is_free)
			continue;
		give(zone, pfn, run_end);
		run_end = pfn - 1;
	}
	if (from < run_end)
		give(zone, from, run_end);
}

/* A region answers for its sections, as far as the region behind it has left them. */
void page_init(void)
{
	pfn_t done = ~0UL;

	init_zones();
	size_zones();
	for (unsigned int i = memblock.memory.cnt; i-- > 0; ) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		pfn_t from = ALIGN_DOWN(PFN_DOWN(r->base), PAGES_PER_SECTION);
		pfn_t to = min(done, ALIGN(PFN_UP(r->base + r->size), PAGES_PER_SECTION));

		if (i && PFN_UP(r[-1].base + r[-1].size) > from)
			from = PFN_UP(r[-1].base + r[-1].size);
		if (from >= to)
			continue;
		init_frames(r, max(from, DMA32_END_PFN), to);
		init_frames(r, from, min(to, DMA32_END_PFN));
		done = from;
	}
}
