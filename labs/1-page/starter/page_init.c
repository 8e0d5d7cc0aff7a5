/*
 * page_init: from memblock's regions to zones and the page array.
 *
 * A node's memory is cut at 4 GiB: below lies its DMA32 zone, above its Normal zone. Of each zone
 * fill in type, nid, name ("DMA32", "Normal"), lock, start_pfn, spanned_pages, present_pages and
 * managed_pages; of each node nid, online, start_pfn, spanned_pages, present_pages; and nr_nodes.
 *
 * Then initialise each page of a section that holds memory (pfn_valid()) exactly once. Its
 * flags hold zone and node (PAGE_ZONE_SHIFT, PAGE_NODE_SHIFT); _mapcount is -1. A whole frame of free
 * memory has reference count 0 and goes to zone_core_free(), under zone->lock with interrupts off. Any
 * other page is PG_reserved and has one reference.
 */
#include "mm/phys/memblock.h"
#include "mm/phys/zone.h"
#include "base/panic.h"

#define DMA32_END_PFN	(1UL << (32 - PAGE_SHIFT))

void page_init(void)
{
	panic("lab 1: page allocator is not written yet (%s)", __func__);
}
