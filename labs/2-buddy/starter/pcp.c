/*
 * Per-CPU page lists: what is rare. The short part, pop and push, is given, in mm/phys/pcp.h; read it
 * first, it also says what each function here owes.
 *
 * Only a CPU itself touches its lists, with interrupts off. zone->lock is taken inside, around the
 * calls of the core (spin_lock_raw(), as interrupts are off already).
 */
#include "mm/phys/pcp.h"
#include "mm/phys/page_alloc.h"
#include "base/panic.h"
#include "lib/errno.h"

#define NOT_WRITTEN()	panic("lab 2: buddy allocator is not written yet (%s)", __func__)

/* Makes zone->pcp, one for each of NR_CPUS CPUs, with high and batch chosen for the zone's size. -ENOMEM
 * if get_zeroed_page() has none. */
int pcp_init(struct zone *zone)
{
	(void)zone;
	NOT_WRITTEN();
}

/* Fetches about a batch of pages for the stack of @order. How many blocks came. */
unsigned int pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order)
{
	(void)zone, (void)pcp, (void)order;
	NOT_WRITTEN();
}

/* Gives about a batch of pages back. */
void pcp_spill(struct zone *zone, struct per_cpu_pages *pcp)
{
	(void)zone, (void)pcp;
	NOT_WRITTEN();
}

/* Gives all of this CPU's pages back: how many. */
unsigned long pcp_drain(struct zone *zone)
{
	(void)zone;
	NOT_WRITTEN();
}

/* Pages on the lists of all CPUs. */
unsigned long pcp_count(const struct zone *zone)
{
	(void)zone;
	NOT_WRITTEN();
}
