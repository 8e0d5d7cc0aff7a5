/*
 * What stands in for zonelist.c and pcp.c before lab 2: the node's own zones first, then those of
 * the other nodes by number, Normal before DMA32; a plain comparison with the watermark; no
 * per-CPU lists.
 */
#include "mm/phys/pcp.h"

void zonelist_init(void)
{
}

/* Step s of the walk: node nid + s/2, wrapping; Normal where s is even, DMA32 where it is odd. */
struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	unsigned int end = (cursor->gfp & __GFP_THISNODE) ? 2 : 2 * nr_nodes;

	while (cursor->step < end) {
		unsigned int step = cursor->step++;
		unsigned int nid = cursor->nid + step / 2;
		struct zone *zone;

		if (nid >= nr_nodes)
			nid -= nr_nodes;
		if ((cursor->gfp & __GFP_DMA32) && !(step & 1))
			continue;
		zone = &node_data[nid].zones[step & 1 ? ZONE_DMA32 : ZONE_NORMAL];
		if (zone->managed_pages)
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

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	unsigned long limit = zone->watermark[mark];

	if (gfp & __GFP_HIGH)
		limit -= limit / 2;
	if (gfp & __GFP_MEMALLOC)
		limit = 0;
	return READ_ONCE(zone->free_pages) >= limit + (1UL << order);
}

int pcp_init(struct zone *zone)
{
	zone->pcp = NULL;		/* so none of the others is ever called */
	return 0;
}

unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	(void)zone;
	(void)pcp;
	(void)order;
	return 0;
}

void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	(void)zone;
	(void)pcp;
}

unsigned long pcp_drain(struct zone *zone)
{
	(void)zone;
	return 0;
}

unsigned long pcp_count(const struct zone *zone)
{
	(void)zone;
	return 0;
}
