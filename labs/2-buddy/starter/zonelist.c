/*
 * The zonelist: which zones may serve a request, in which order, and how far down each may be used. What
 * each function owes stands in mm/phys/zone.h.
 *
 * Order: the preferred node first, then the others by number, round; on each node Normal before DMA32.
 * __GFP_DMA32: DMA32 zones only. __GFP_THISNODE: the preferred node only. Zones without managed pages are
 * left out.
 *
 * A block may be taken if afterwards the watermark plus lowmem_reserve[kind of request] pages are left,
 * where a kind is the best zone type that the request may use. __GFP_HIGH may use half of the min
 * watermark, __GFP_MEMALLOC everything. An order above 0 also needs a free block that large.
 */
#include "mm/phys/zone.h"
#include "base/panic.h"

#define NOT_WRITTEN()	panic("lab 2: buddy allocator is not written yet (%s)", __func__)

#define DMA32_RESERVE_RATIO	256	/* of Normal memory: one page in so many is kept in DMA32 */

void zonelist_init(void)
{
	NOT_WRITTEN();
}

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	(void)cursor, (void)nid, (void)gfp;
	NOT_WRITTEN();
}

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	(void)cursor;
	NOT_WRITTEN();
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp)
{
	(void)zone, (void)order, (void)mark, (void)gfp;
	NOT_WRITTEN();
}
