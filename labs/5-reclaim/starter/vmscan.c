/*
 * Reclaim: giving up pages before an allocation fails. Each function's contract is in mm/reclaim/reclaim.h, the
 * theory in sections 5 to 8 of the handout.
 *
 * Locks: none is held on entry. Page locks are only tried (trylock_page), for whoever holds one may wait for the very
 * memory that is being freed.
 */
#include "mm/reclaim/reclaim.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

#define NOT_WRITTEN()	panic("lab 5: reclaim is not written yet (%s)", __func__)

/* A zone is below low: kswapd is to start. */
void wakeup_kswapd(struct zone *zone, unsigned int order)
{
	(void)zone, (void)order;
	NOT_WRITTEN();
}

/* What kswapd sleeps for. */
bool kswapd_wanted(struct node_reclaim *node)
{
	(void)node;
	NOT_WRITTEN();
}

/* kswapd's work, each time it wakes: up to high. */
void balance_node(struct node_reclaim *node)
{
	(void)node;
	NOT_WRITTEN();
}

/* Direct reclaim for an allocation: pages freed. */
unsigned long try_to_free_pages(struct zone *zone, gfp_t gfp, unsigned int order)
{
	(void)zone, (void)gfp, (void)order;
	NOT_WRITTEN();
}
