/*
 * The zonelist, another right design: no table.
 *
 * The reference writes the rows down at boot. With at most eight nodes of two zones a step of the
 * walk is soon computed: step s is the node that lies s / 2 behind the preferred one, Normal where
 * s is even. The walk only reads what boot has fixed, so it needs no lock.
 */
#include "mm/phys/zone.h"

#define DMA32_RESERVE_RATIO	256	/* of Normal memory: one page in so many is kept in DMA32 */

static enum zone_type kind_of(gfp_t gfp)
{
	return gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

void zonelist_init(void)
{
	unsigned long normal = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		normal += node_data[nid].zones[ZONE_NORMAL].managed_pages;
	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		struct zone *zones = node_data[nid].zones;

		zones[ZONE_NORMAL].lowmem_reserve[ZONE_NORMAL] = 0;
		zones[ZONE_NORMAL].lowmem_reserve[ZONE_DMA32] = 0;
		zones[ZONE_DMA32].lowmem_reserve[ZONE_NORMAL] = normal / DMA32_RESERVE_RATIO;
		zones[ZONE_DMA32].lowmem_reserve[ZONE_DMA32] = 0;
	}
}

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	unsigned int steps = MAX_NR_ZONES * (cursor->gfp & __GFP_THISNODE ? 1 : nr_nodes);

	while (cursor->step < steps) {
		unsigned int nid = (cursor->nid + cursor->step / MAX_NR_ZONES) % nr_nodes;
		enum zone_type type = cursor->step % MAX_NR_ZONES ? ZONE_DMA32 : ZONE_NORMAL;
		struct zone *zone = &node_data[nid].zones[type];

		cursor->step++;
		if (type <= kind_of(cursor->gfp) && zone->managed_pages)
			return zone;
	}
	return NULL;
}

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	*cursor = (struct zonelist_cursor){ .nid = nid, .gfp = gfp };
	return zonelist_next(cursor);
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	unsigned long keep = zone->watermark[mark] + zone->lowmem_reserve[kind_of(gfp)];
	unsigned long pages = 1UL << order;

	if (mark == WMARK_MIN) {
		unsigned long min_mark = zone->watermark[WMARK_MIN];

		if (gfp & __GFP_HIGH)
			min_mark -= min_mark / 2;
		if (gfp & __GFP_ATOMIC)
			min_mark -= min_mark / 4;
		keep = gfp & __GFP_MEMALLOC ? 0 : min_mark + zone->lowmem_reserve[kind_of(gfp)];
	}
	if (READ_ONCE(zone->free_pages) < keep + pages)
		return false;
	for (unsigned int k = order; order > 0 && k <= MAX_ORDER; k++)
		if (READ_ONCE(zone->free_area[k].nr_free))
			return true;
	return order == 0;
}
