/*
 * The zonelist, another right design: sort.
 *
 * Which zone is better for a node is one comparison of numbers: its distance, then its kind. So
 * for each node all zones are sorted by that number, once, at boot. A walk goes along the row and
 * leaves out what the request may not use. How far urgency lowers the min mark stands in a table.
 */
#include "mm/phys/zone.h"

#define DMA32_RESERVE_RATIO	256	/* of Normal memory: one page in so many is kept in DMA32 */

struct zonelist {
	unsigned int nr;
	struct zone *zones[MAX_NUMNODES * MAX_NR_ZONES];
};

static struct zonelist lists[MAX_NUMNODES];

/* Seen from node @nid: small is good. */
static unsigned int badness(unsigned int nid, const struct zone *zone)
{
	unsigned int distance = (zone->nid + nr_nodes - nid) % nr_nodes;

	return distance * MAX_NR_ZONES + (MAX_NR_ZONES - 1 - zone->type);
}

/* Insertion sort: one more zone in its place. */
static void insert(struct zonelist *list, unsigned int nid, struct zone *zone)
{
	unsigned int i = list->nr++;

	for (; i && badness(nid, list->zones[i - 1]) > badness(nid, zone); i--)
		list->zones[i] = list->zones[i - 1];
	list->zones[i] = zone;
}

void zonelist_init(void)
{
	unsigned long normal = 0;
	struct zone *zone;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++)
		lists[nid].nr = 0;
	for_each_zone(zone) {
		if (zone->type == ZONE_NORMAL)
			normal += zone->managed_pages;
		for (unsigned int nid = 0; nid < nr_nodes; nid++)
			insert(&lists[nid], nid, zone);
	}
	for_each_zone(zone) {
		zone->lowmem_reserve[ZONE_DMA32] = 0;
		zone->lowmem_reserve[ZONE_NORMAL] =
			zone->type == ZONE_DMA32 ? normal / DMA32_RESERVE_RATIO : 0;
	}
}

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	const struct zonelist *list = &lists[cursor->nid];

	while (cursor->step < list->nr) {
		struct zone *zone = list->zones[cursor->step++];

		if ((cursor->gfp & __GFP_DMA32) && zone->type != ZONE_DMA32)
			continue;
		if ((cursor->gfp & __GFP_THISNODE) && zone->nid != cursor->nid)
			break;		/* the nearest come first */
		return zone;
	}
	return NULL;
}

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	cursor->gfp = gfp;
	cursor->nid = nid;
	cursor->step = 0;
	return zonelist_next(cursor);
}

/* What urgency takes off the min mark, one flag after the other: a part of what is left. */
static const struct { gfp_t flag; unsigned long part; } urgency[] = {
	{ __GFP_HIGH, 2 },
	{ __GFP_ATOMIC, 4 },
	{ __GFP_MEMALLOC, 1 },
};

static bool has_block(const struct zone *zone, unsigned int order)
{
	bool found = order == 0;

	while (!found && order < NR_ORDERS)
		found = READ_ONCE(zone->free_area[order++].nr_free) > 0;
	return found;
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	unsigned long need = zone->watermark[mark];
	unsigned long reserve = zone->lowmem_reserve[gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL];

	for (unsigned int i = 0; mark == WMARK_MIN && i < ARRAY_SIZE(urgency); i++)
		if (gfp & urgency[i].flag)
			need -= need / urgency[i].part;
	if (mark == WMARK_MIN && (gfp & __GFP_MEMALLOC))
		reserve = 0;
	need += reserve + (1UL << order);
	return READ_ONCE(zone->free_pages) >= need && has_block(zone, order);
}
