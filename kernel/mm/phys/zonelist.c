/*
 * The zonelist: where a request may go when the place it likes best has nothing to give.
 *
 * The problem. Memory is not all alike. Memory of the CPU's own node is nearer than that of
 * another; memory below 4 GiB (DMA32) is all that some devices can address, and anybody else can
 * use any. So a request has an order of preference, and the scarcest kind of memory must be
 * asked last and be defended even then: a machine whose file cache fills DMA32 to the last page
 * because it is full everywhere else has a disk that cannot read.
 *
 * Fallback. For each node and each kind of request a row of zones is made once at boot, best first;
 * a walk goes along it. Nodes come before kinds: first what is near, Normal before DMA32, then
 * the next node by number, and round. As each node's row begins with itself, nodes that run out
 * together do not all fall upon the same neighbour.
 *
 *	request on node 1 of 3	Normal 1, DMA32 1, Normal 2, DMA32 2, Normal 0, DMA32 0
 *	the same, __GFP_DMA32	DMA32 1, DMA32 2, DMA32 0
 *	the same, __GFP_THISNODE	the row's first part, while the node is 1
 *
 * Zones without managed pages are not in the rows.
 *
 * Reserves. A zone that is walked to is not yet had: zone_watermark_ok() decides. A block may be
 * taken if afterwards at least
 *
 *	watermark, less what urgency allows, plus lowmem_reserve[kind of request]
 *
 * pages are left. lowmem_reserve is the defence of DMA32. A request that insists on DMA32 sees 0.
 * One that could live in Normal sees a number that grows with the Normal memory there is, 1/256 of
 * it: the more of that a machine has, the less reason to take what others need; without any, it is
 * 0, and DMA32 is simply memory.
 *
 * Urgency moves the min watermark, not low and high, which say when reclaim must run and hold
 * for everybody. What is below min is kept for those who cannot wait, and most for those whose
 * work gives memory back:
 *
 *	an ordinary request		min
 *	__GFP_ATOMIC			3/4 of min	cannot sleep, so cannot reclaim
 *	__GFP_HIGH			1/2 of min
 *	__GFP_HIGH | __GFP_ATOMIC	3/8 of min	an interrupt handler
 *	__GFP_MEMALLOC			nothing		reclaim itself, a dying process
 *
 * Orders. Pages in sum are no promise of a block: 2^order pages may be free and no two of them
 * neighbours. So for order > 0 there must be a block at least that large, which is a look at
 * MAX_ORDER + 1 counters.
 *
 * Locking. The rows and reserves do not change after boot. The counters are read without the lock:
 * a watermark is a policy, not a promise, and the core says itself when it has nothing.
 */
#include "mm/phys/zone.h"

#define DMA32_RESERVE_RATIO	256	/* of Normal memory: one page in so many is kept in DMA32 */
#define ROW_LENGTH		(MAX_NUMNODES * MAX_NR_ZONES + 1)	/* NULL at the end */

static struct zone *rows[MAX_NUMNODES][MAX_NR_ZONES][ROW_LENGTH];

/* The kind of a request: the best zone type that it may use. */
static enum zone_type gfp_zone(gfp_t gfp)
{
	return gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* ---- at boot ------------------------------------------------------------------------------ */

static void build_row(struct zone **row, unsigned int nid, enum zone_type best)
{
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct pglist_data *node = NODE_DATA((nid + i) % nr_nodes);

		for (int type = best; type >= ZONE_DMA32; type--)
			if (node->zones[type].managed_pages)
				*row++ = &node->zones[type];
	}
	*row = NULL;
}

/* Requests come from all nodes, so it is the Normal memory of all nodes that counts. */
static void set_reserves(void)
{
	unsigned long normal = 0;
	struct zone *zone;

	for_each_zone(zone)
		if (zone->type == ZONE_NORMAL)
			normal += zone->managed_pages;
	for_each_zone(zone) {
		zone->lowmem_reserve[ZONE_DMA32] = 0;
		zone->lowmem_reserve[ZONE_NORMAL] =
			zone->type == ZONE_DMA32 ? normal / DMA32_RESERVE_RATIO : 0;
	}
}

void zonelist_init(void)
{
	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		for (int type = 0; type < MAX_NR_ZONES; type++)
			build_row(rows[nid][type], nid, type);
	set_reserves();
}

/* ---- the walk ----------------------------------------------------------------------------- */

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	struct zone *zone = rows[cursor->nid][gfp_zone(cursor->gfp)][cursor->step];

	if (!zone || ((cursor->gfp & __GFP_THISNODE) && zone->nid != cursor->nid))
		return NULL;
	cursor->step++;
	return zone;
}

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	cursor->gfp = gfp;
	cursor->nid = nid;
	cursor->step = 0;
	return zonelist_next(cursor);
}

/* ---- watermarks --------------------------------------------------------------------------- */

/* What must be left of the min watermark for a request with these flags. */
static unsigned long urgent_min(unsigned long min, gfp_t gfp)
{
	if (gfp & __GFP_HIGH)
		min -= min / 2;
	if (gfp & __GFP_ATOMIC)
		min -= min / 4;
	return min;
}

static bool has_block(const struct zone *zone, unsigned int order)
{
	for (; order < NR_ORDERS; order++)
		if (READ_ONCE(zone->free_area[order].nr_free))
			return true;
	return false;
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	unsigned long left = zone->watermark[mark];

	if (mark == WMARK_MIN)
		left = urgent_min(left, gfp);
	left += zone->lowmem_reserve[gfp_zone(gfp)];
	if (gfp & __GFP_MEMALLOC)
		left = 0;
	if (READ_ONCE(zone->free_pages) < left + (1UL << order))
		return false;
	return order == 0 || has_block(zone, order);
}
