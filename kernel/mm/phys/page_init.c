/*
 * page_init: from a list of memory regions to an allocator.
 *
 * The problem. memblock knows which bytes are memory and which of them are taken. The page
 * allocator wants three other things: zones that know where they begin and end, a struct page in a
 * defined state for every frame, and every free frame on the free list of its zone.
 *
 * Zones. A node's memory is cut at 4 GiB: below lies its DMA32 zone, for devices whose addresses
 * have 32 bits, above its Normal zone. Three sizes describe a zone, and they differ when there are
 * holes or reserved pages:
 *
 *	frames		|#####rrr#######|.......|######r####|
 *			^start_pfn
 *	spanned		 <---------------------------------->	first to last, holes included
 *	present		 <------------->         <--------->	RAM
 *	managed		 <--->   <----->         <---->  <-->	given to the core: free at boot
 *
 * The zones of two nodes may lie inside each other's span. So the span says nothing about whose a
 * page is: the zone and node are written into every page's flags.
 *
 * Pages. The page array is backed by memory in sections of 2 MiB (pfn_valid), so at the ends
 * of RAM and in small holes there are descriptors without a frame. Each page is initialised exactly
 * once, as one of two kinds:
 *
 *	free	flags hold zone and node, nothing else; reference count 0; goes to the core
 *	reserved  the same with PG_reserved and one reference, which nobody will ever drop
 *
 * Cost. This runs over all of memory, the only code in the kernel that does, and every instruction
 * in its loop counts 65536 times at 256 MiB. So pages are filled by plain stores (nobody else
 * can see them yet), and go to the core in the largest naturally aligned blocks, under one lock.
 */
#include "mm/phys/zone.h"
#include "mm/phys/memblock.h"

#define DMA32_END_PFN	(1UL << (32 - PAGE_SHIFT))

static struct zone *zone_of_pfn(int nid, pfn_t pfn)
{
	return &node_data[nid].zones[pfn < DMA32_END_PFN ? ZONE_DMA32 : ZONE_NORMAL];
}

/* First frame behind @pfn that is not in the same zone. */
static pfn_t zone_limit(pfn_t pfn)
{
	return pfn < DMA32_END_PFN ? DMA32_END_PFN : ~0UL;
}

/* Grows the span from @start_pfn, @spanned pages long (0: empty yet), to include [pfn, end). */
static void grow_span(pfn_t *start_pfn, unsigned long *spanned, pfn_t pfn, pfn_t end)
{
	pfn_t old_end = *start_pfn + *spanned;

	if (!*spanned) {
		*start_pfn = pfn;
		*spanned = end - pfn;
		return;
	}
	*start_pfn = min(*start_pfn, pfn);
	*spanned = max(old_end, end) - *start_pfn;
}

/* Accounts the frames [pfn, end) of RAM to their node and zones. */
static void add_present(int nid, pfn_t pfn, pfn_t end)
{
	struct pglist_data *node = NODE_DATA(nid);

	node->online = true;
	node->present_pages += end - pfn;
	grow_span(&node->start_pfn, &node->spanned_pages, pfn, end);

	while (pfn < end) {
		struct zone *zone = zone_of_pfn(nid, pfn);
		pfn_t stop = min(end, zone_limit(pfn));

		zone->present_pages += stop - pfn;
		grow_span(&zone->start_pfn, &zone->spanned_pages, pfn, stop);
		pfn = stop;
	}
}

static void init_zones(void)
{
	static const char *const names[MAX_NR_ZONES] = { "DMA32", "Normal" };

	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct pglist_data *node = NODE_DATA(nid);

		node->nid = nid;
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node->zones[type];

			spin_lock_init(&zone->lock);
			zone->type = type;
			zone->nid = nid;
			zone->name = names[type];
			zone_core_init(zone);
		}
	}

	nr_nodes = 1;
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		pfn_t pfn = PFN_UP(r->base), end = PFN_DOWN(r->base + r->size);

		if (pfn >= end)
			continue;
		add_present(r->nid, pfn, end);
		nr_nodes = max(nr_nodes, (unsigned int)r->nid + 1);
	}
}

/* Every field of the pages [pfn, end), all of one zone. */
static void init_pages(struct zone *zone, pfn_t pfn, pfn_t end, bool reserved)
{
	unsigned long flags = (unsigned long)zone->nid << PAGE_NODE_SHIFT |
			      (unsigned long)zone->type << PAGE_ZONE_SHIFT |
			      (reserved ? BIT(PG_reserved) : 0);
	struct page *stop = pfn_to_page(end);

	for (struct page *page = pfn_to_page(pfn); page < stop; page++) {
		page->flags = flags;
		INIT_LIST_HEAD(&page->list);
		page->mapping = NULL;
		page->index = 0;
		page->private = 0;
		page->_refcount.counter = reserved;
		page->_mapcount.counter = -1;
		page->aux = 0;
	}
}

/* Gives [pfn, end) to the core, in blocks as large as alignment and length allow. */
static void free_range(struct zone *zone, pfn_t pfn, pfn_t end)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->managed_pages += end - pfn;
	while (pfn < end) {
		unsigned int order = 0;

		while (order < MAX_ORDER && !(pfn & (1UL << order)) &&
		       pfn + (2UL << order) <= end)
			order++;
		zone_core_free(zone, pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* Initialises the pages [pfn, end) of node @nid, zone by zone, as reserved or as free. */
static void init_range(int nid, pfn_t pfn, pfn_t end, bool reserved)
{
	while (pfn < end) {
		struct zone *zone = zone_of_pfn(nid, pfn);
		pfn_t stop = min(end, zone_limit(pfn));

		init_pages(zone, pfn, stop, reserved);
		if (!reserved)
			free_range(zone, pfn, stop);
		pfn = stop;
	}
}

/*
 * Region by region, in rising order; @done is the first frame whose page is not initialised yet.
 * The free ranges lie inside the regions and come in the same order, so they are fetched one ahead.
 * What is between them is reserved, and so are the hole frames in a region's first and last
 * section, up to where the next region begins. Only whole frames are free: a range is rounded
 * inwards.
 */
void page_init(void)
{
	const struct memblock_type *memory = &memblock.memory;
	phys_addr_t base, end;
	pfn_t done = 0;
	u64 idx = 0;
	int nid;
	bool more = memblock_next_free(&idx, &base, &end, &nid);

	init_zones();
	for (unsigned int i = 0; i < memory->cnt; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t stop = ALIGN(PFN_UP(r->base + r->size), PAGES_PER_SECTION);

		done = max(done, ALIGN_DOWN(PFN_DOWN(r->base), PAGES_PER_SECTION));
		if (i + 1 < memory->cnt)
			stop = min(stop, PFN_DOWN(r[1].base));

		for (; more && base < r->base + r->size;
		     more = memblock_next_free(&idx, &base, &end, &nid)) {
			pfn_t first = PFN_UP(base), last = PFN_DOWN(end);

			if (first >= last)
				continue;
			init_range(r->nid, done, first, true);
			init_range(r->nid, first, last, false);
			done = last;
		}
		init_range(r->nid, done, stop, true);
		done = max(done, stop);
	}
}
