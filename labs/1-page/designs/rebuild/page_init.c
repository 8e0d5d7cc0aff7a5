/*
 * page_init, another right design: frame by frame.
 *
 * The reference goes from free range to free range. Here one loop visits every descriptor and asks
 * of each frame the two questions that decide its state: whose is it, and is it free? Two cursors
 * move along with the loop, one over memory's regions and one over the free ranges; each only moves
 * forward, so the whole is linear.
 *
 * Free frames go to the core one by one, each as soon as its descriptor is written.
 */
#include "mm/phys/memblock.h"
#include "mm/phys/zone.h"

#define DMA32_END_PFN	(1UL << (32 - PAGE_SHIFT))

struct free_cursor {
	u64 idx;
	pfn_t start, end;		/* whole frames; empty and at 0 before the first range */
	bool more;
};

static enum zone_type zone_type_of(pfn_t pfn)
{
	return pfn < DMA32_END_PFN ? ZONE_DMA32 : ZONE_NORMAL;
}

/* Ranges without a whole frame are stepped over like any other that ends in front of @pfn. */
static bool frame_is_free(struct free_cursor *cursor, pfn_t pfn)
{
	while (cursor->more && cursor->end <= pfn) {
		phys_addr_t base, end;
		int nid;

		cursor->more = memblock_next_free(&cursor->idx, &base, &end, &nid);
		if (cursor->more) {
			cursor->start = PFN_UP(base);
			cursor->end = PFN_DOWN(end);
		}
	}
	return cursor->more && pfn >= cursor->start && pfn < cursor->end;
}

static void init_nodes(void)
{
	static const char *const names[MAX_NR_ZONES] = { "DMA32", "Normal" };

	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node_data[nid].zones[type];

			spin_lock_init(&zone->lock);
			zone->type = type;
			zone->nid = nid;
			zone->name = names[type];
			zone->start_pfn = zone->spanned_pages = 0;
			zone->present_pages = zone->managed_pages = 0;
			zone_core_init(zone);
		}
	}
	nr_nodes = 0;
}

static void grow_span(pfn_t *start, unsigned long *spanned, pfn_t from, pfn_t to)
{
	pfn_t end = *start + *spanned;

	if (!*spanned) {
		*start = end = from;
	}
	*start = min(*start, from);
	*spanned = max(end, to) - *start;
}

/* The whole frames [from, to), all on one side of 4 GiB, are memory of node @nid. */
static void count_memory(int nid, pfn_t from, pfn_t to)
{
	struct pglist_data *node = NODE_DATA(nid);
	struct zone *zone = &node->zones[zone_type_of(from)];

	if (from >= to)
		return;
	grow_span(&zone->start_pfn, &zone->spanned_pages, from, to);
	zone->present_pages += to - from;
	grow_span(&node->start_pfn, &node->spanned_pages, from, to);
	node->present_pages += to - from;
	node->nid = nid;
	node->online = true;
	nr_nodes = max(nr_nodes, (unsigned int)nid + 1);
}

static void init_frame(pfn_t pfn, int nid, bool is_free)
{
	struct zone *zone = &NODE_DATA(nid)->zones[zone_type_of(pfn)];
	struct page *page = pfn_to_page(pfn);
	unsigned long flags;

	*page = (struct page){
		.flags = (unsigned long)nid << PAGE_NODE_SHIFT |
			 (unsigned long)zone->type << PAGE_ZONE_SHIFT |
			 (is_free ? 0 : BIT(PG_reserved)),
	};
	atomic_set(&page->_refcount, is_free ? 0 : 1);
	atomic_set(&page->_mapcount, -1);
	if (!is_free)
		return;
	spin_lock_irqsave(&zone->lock, flags);
	zone_core_free(zone, page, 0);
	zone->managed_pages++;
	spin_unlock_irqrestore(&zone->lock, flags);
}

void page_init(void)
{
	const struct memblock_region *r, *past = memblock.memory.regions + memblock.memory.cnt;
	struct free_cursor cursor = { .more = true };
	pfn_t pfn = 0;

	init_nodes();
	for (r = memblock.memory.regions; r < past; r++) {
		pfn_t from = PFN_UP(r->base), to = PFN_DOWN(r->base + r->size);

		count_memory(r->nid, from, min(to, DMA32_END_PFN));
		count_memory(r->nid, max(from, DMA32_END_PFN), to);
	}
	/* A region's sections, up to the next region: what is in between belongs to the first. */
	for (r = memblock.memory.regions; r < past; r++) {
		pfn_t end = ALIGN(PFN_UP(r->base + r->size), PAGES_PER_SECTION);

		if (r + 1 < past)
			end = min(end, PFN_DOWN(r[1].base));
		pfn = max(pfn, ALIGN_DOWN(PFN_DOWN(r->base), PAGES_PER_SECTION));
		for (; pfn < end; pfn++)
			init_frame(pfn, r->nid, frame_is_free(&cursor, pfn));
	}
}
