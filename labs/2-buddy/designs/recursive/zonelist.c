/*
 * The zonelist, another right design: one ring for all.
 *
 * Nodes are tried by number, round. So all rows are the same ring of zones, entered at different
 * places: the zones with memory, sorted by node, Normal before DMA32. Boot writes the ring and
 * where each node enters it. A walk goes round once and steps over what the request may not use.
 */
#include "mm/phys/zone.h"

#define DMA32_RESERVE_RATIO	256	/* of Normal memory: one page in so many is kept in DMA32 */

static struct zone *ring[MAX_NUMNODES * MAX_NR_ZONES];
static unsigned int ring_size;
static unsigned int entrance[MAX_NUMNODES];	/* the first zone of this node, or one behind */

void zonelist_init(void)
{
	unsigned long normal = 0;
	struct zone *zone;

	ring_size = 0;
	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		entrance[nid] = ring_size;
		for (int type = MAX_NR_ZONES - 1; type >= 0; type--) {
			zone = &NODE_DATA(nid)->zones[type];
			if (!zone->managed_pages)
				continue;
			ring[ring_size++] = zone;
			normal += type == ZONE_NORMAL ? zone->managed_pages : 0;
		}
	}
	for (unsigned int i = 0; i < ring_size; i++) {
		bool protect = ring[i]->type == ZONE_DMA32;

		ring[i]->lowmem_reserve[ZONE_NORMAL] = protect ? normal / DMA32_RESERVE_RATIO : 0;
		ring[i]->lowmem_reserve[ZONE_DMA32] = 0;
	}
}

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	cursor->nid = nid;
	cursor->gfp = gfp;
	cursor->step = 0;
	return zonelist_next(cursor);
}

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	struct zone *zone;

	do {
		if (cursor->step == ring_size)
			return NULL;
		zone = ring[(entrance[cursor->nid] + cursor->step++) % ring_size];
	} while (((cursor->gfp & __GFP_DMA32) && zone->type == ZONE_NORMAL) ||
		 ((cursor->gfp & __GFP_THISNODE) && zone->nid != cursor->nid));
	return zone;
}

/* Pages that the request must leave in the zone. */
static unsigned long must_stay(const struct zone *zone, enum zone_watermark mark, gfp_t gfp)
{
	unsigned long pages = zone->watermark[mark];
	bool lower = mark == WMARK_MIN;

	if (lower && (gfp & __GFP_MEMALLOC))
		return 0;
	if (lower && (gfp & __GFP_HIGH))
		pages -= pages / 2;
	if (lower && (gfp & __GFP_ATOMIC))
		pages -= pages / 4;
	return pages + zone->lowmem_reserve[(gfp & __GFP_DMA32) ? ZONE_DMA32 : ZONE_NORMAL];
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	unsigned long free_pages = READ_ONCE(zone->free_pages), size = 1UL << order;

	if (free_pages < size || free_pages - size < must_stay(zone, mark, gfp))
		return false;
	if (!order)
		return true;
	for (; order <= MAX_ORDER; order++)
		if (READ_ONCE(zone->free_area[order].nr_free))
			return true;
	return false;
}
