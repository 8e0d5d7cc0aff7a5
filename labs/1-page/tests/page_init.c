/*
 * page_init: from memblock's regions to the page array and the zones. Which free ranges there are is
 * told by a walk of the harness, not the student's, and what is freed is counted by a core of the
 * harness: so this part can be earned without the other two files.
 */
#include "test/ktest/world.h"
#include "lib/string.h"

static u8 *freed;			/* per frame of the window: how often it was given to the core */
static unsigned int inits, unlocked;

static void count_init(struct zone *zone)
{
	zone->free_pages = 0;
	inits++;
}

static void count_free(struct zone *zone, struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);

	if (!spin_is_held(&zone->lock) || !irqs_disabled())
		unlocked++;
	EXPECT_LE(order, MAX_ORDER);
	EXPECT_EQ(pfn & ((1UL << order) - 1), 0);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		pfn_t at = pfn + i - world_first_pfn();

		ASSERT_TRUE(at < world_pages());
		EXPECT_EQ((unsigned long)page_zone(page + i), (unsigned long)zone);
		freed[at]++;
	}
	zone->free_pages += 1UL << order;
}

static bool in_type(const struct memblock_type *type, phys_addr_t from, phys_addr_t to, int *nid)
{
	for (unsigned int i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		if (from < r->base + r->size && r->base < to) {
			if (nid)
				*nid = r->nid;
			return true;
		}
	}
	return false;
}

/* The next address at which some region of either array begins or ends. */
static phys_addr_t next_edge(phys_addr_t from)
{
	const struct memblock_type *types[] = { &memblock.memory, &memblock.reserved };
	phys_addr_t edge = ~0UL;

	for (unsigned int k = 0; k < 2; k++) {
		for (unsigned int i = 0; i < types[k]->cnt; i++) {
			const struct memblock_region *r = &types[k]->regions[i];

			if (r->base > from)
				edge = min(edge, r->base);
			if (r->base + r->size > from)
				edge = min(edge, r->base + r->size);
		}
	}
	return edge;
}

/* Slow, plain, and by another road than a merge of two arrays: from edge to edge. */
static bool walk_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	phys_addr_t from = *idx;

	for (phys_addr_t to = next_edge(from); to != ~0UL; from = to, to = next_edge(from)) {
		if (in_type(&memblock.memory, from, from + 1, nid) &&
		    !in_type(&memblock.reserved, from, from + 1, NULL)) {
			*base = from;
			*end = *idx = to;
			return true;
		}
	}
	*idx = from;
	return false;
}

/* Arrays as memblock keeps them: sorted, merged. Filled by hand; [base, size) in bytes. */
static void put(struct memblock_type *type, phys_addr_t base, phys_addr_t end, int nid)
{
	type->regions[type->cnt++] = (struct memblock_region){ base, end - base, nid };
}

static void run_page_init(pfn_t first, unsigned long pages)
{
	world_window(first, pages);
	sections_init();
	freed = ktest_alloc(world_pages());
	inits = unlocked = 0;
	world_hooks.core_init = count_init;
	world_hooks.core_free = count_free;
	world_hooks.next_free = walk_free;
	page_init();
	world_hooks = (struct world_hooks){ 0 };
	EXPECT_EQ(unlocked, 0);
}

/* Is the frame whole in memory of one region, and wholly unreserved? Its node. */
static bool frame_is_free(pfn_t pfn, int *nid)
{
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		if (PFN_PHYS(pfn) >= r->base && PFN_PHYS(pfn + 1) <= r->base + r->size) {
			*nid = r->nid;
			return !in_type(&memblock.reserved, PFN_PHYS(pfn), PFN_PHYS(pfn + 1), NULL);
		}
	}
	return false;
}

/* Every page of the window that has a section, against the two arrays. */
static void check_pages(void)
{
	for (pfn_t pfn = world_first_pfn(); pfn < world_first_pfn() + world_pages(); pfn++) {
		struct page *page = pfn_to_page(pfn);
		int nid = 0, before = ktest_failed();
		bool free = frame_is_free(pfn, &nid);

		if (!pfn_valid(pfn))
			continue;
		EXPECT_EQ(freed[pfn - world_first_pfn()], free);
		EXPECT_EQ(PageReserved(page), !free);
		EXPECT_EQ(page_count(page), !free);
		EXPECT_EQ(page_mapcount(page), 0);
		EXPECT_EQ((unsigned long)page->mapping, 0);
		EXPECT_EQ(page->aux, 0);
		EXPECT_EQ(page->flags & (BIT(PG_locked) | BIT(PG_lru) | BIT(PG_slab) | BIT(PG_head)), 0);
		if (free) {
			EXPECT_EQ(page_zone(page)->nid, nid);
			EXPECT_EQ(page_zone(page)->type,
				  pfn < DMA32_LIMIT_PFN ? ZONE_DMA32 : ZONE_NORMAL);
		}
		if (ktest_failed()) {
			if (!before)
				ktest_note("  the first of these is about frame %#lx", pfn);
			return;
		}
	}
}

KTEST(page_init, every_page_is_initialised_once,
      "every page with a section is either free, and given to the core once, or reserved", 50000000)
{
	pfn_t first = 0x40000;

	put(&memblock.memory, PFN_PHYS(first + 3), PFN_PHYS(first + 700), 0);
	put(&memblock.memory, PFN_PHYS(first + 800), PFN_PHYS(first + 1500), 0);
	put(&memblock.memory, PFN_PHYS(first + 2600), PFN_PHYS(first + 2601), 0);
	put(&memblock.reserved, PFN_PHYS(first + 16), PFN_PHYS(first + 32), 0);
	put(&memblock.reserved, PFN_PHYS(first + 690), PFN_PHYS(first + 810), 0);
	run_page_init(first, 3072);
	check_pages();
	EXPECT_EQ(nr_nodes, 1);
	EXPECT_TRUE(inits >= 1);
}

static void expect_zone(const struct zone *zone, pfn_t start, unsigned long spanned,
			unsigned long present, unsigned long managed)
{
	EXPECT_EQ(zone->start_pfn, start);
	EXPECT_EQ(zone->spanned_pages, spanned);
	EXPECT_EQ(zone->present_pages, present);
	EXPECT_EQ(zone->managed_pages, managed);
	EXPECT_EQ(zone->free_pages, managed);
}

KTEST(page_init, zones_have_their_sizes,
      "spanned counts first to last frame, present the RAM in it, managed what was free at boot",
      50000000)
{
	pfn_t a = 0x40000, b = 0x40400;
	struct pglist_data *zero = NODE_DATA(0), *one = NODE_DATA(1);

	/* Node 0 on both sides of node 1. */
	put(&memblock.memory, PFN_PHYS(a), PFN_PHYS(a + 600), 0);
	put(&memblock.memory, PFN_PHYS(b), PFN_PHYS(b + 512), 1);
	put(&memblock.memory, PFN_PHYS(b + 512), PFN_PHYS(b + 1024), 0);
	put(&memblock.reserved, PFN_PHYS(a + 8), PFN_PHYS(a + 18), 0);
	run_page_init(a, 2560);
	check_pages();
	expect_zone(&zero->zones[ZONE_DMA32], a, 0x800, 600 + 512, 600 + 512 - 10);
	expect_zone(&one->zones[ZONE_DMA32], b, 512, 512, 512);
	EXPECT_EQ(zero->zones[ZONE_NORMAL].managed_pages, 0);
	EXPECT_EQ(zero->present_pages, 600 + 512);
	EXPECT_EQ(one->present_pages, 512);
	EXPECT_EQ(zero->start_pfn, a);
	EXPECT_EQ(zero->spanned_pages, 0x800);
	EXPECT_TRUE(zero->online && one->online && !NODE_DATA(2)->online);
	EXPECT_EQ(nr_nodes, 2);
	EXPECT_EQ(one->zones[ZONE_DMA32].nid, 1);
	EXPECT_EQ(one->zones[ZONE_DMA32].type, ZONE_DMA32);
	EXPECT_TRUE(zero->zones[ZONE_NORMAL].name && zero->zones[ZONE_DMA32].name &&
		    !strcmp(zero->zones[ZONE_DMA32].name, "DMA32") &&
		    !strcmp(zero->zones[ZONE_NORMAL].name, "Normal"));
}

KTEST(page_init, zones_split_at_4_gib,
      "memory across 4 GiB is cut there: DMA32 ends at the border, Normal begins at it", 50000000)
{
	pfn_t first = DMA32_LIMIT_PFN - 1000;
	struct pglist_data *node = NODE_DATA(0);

	put(&memblock.memory, PFN_PHYS(first), PFN_PHYS(first + 3300), 0);
	run_page_init(first, 3300);
	check_pages();
	expect_zone(&node->zones[ZONE_DMA32], first, 1000, 1000, 1000);
	expect_zone(&node->zones[ZONE_NORMAL], DMA32_LIMIT_PFN, 2300, 2300, 2300);
}

KTEST(page_init, partial_frames_are_not_free,
      "a frame that is only partly memory, or partly reserved, is not given to the core", 50000000)
{
	phys_addr_t base = PFN_PHYS(0x50000UL);

	put(&memblock.memory, base + 0x800, base + 0x40400, 0);
	put(&memblock.reserved, base + 0x10fff, base + 0x12001, 0);
	put(&memblock.reserved, base + 0x20010, base + 0x20020, 0);
	run_page_init(0x50000, 512);
	check_pages();
	EXPECT_EQ(NODE_DATA(0)->zones[ZONE_DMA32].present_pages, 0x3f);
	EXPECT_EQ(NODE_DATA(0)->zones[ZONE_DMA32].managed_pages, 0x3f - 4);
}

KTEST_SEEDS(page_init, random_layouts_are_conserved,
	    "for any memory with holes, nodes and reservations every free frame is given once",
	    400000000, 4)
{
	pfn_t first = prng_below(&t->rng, 2) ? 0x40000 : DMA32_LIMIT_PFN - 1024, at = first;
	phys_addr_t reserved = PFN_PHYS(first);
	unsigned long managed = 0, free = 0;
	struct zone *zone;

	while (at < first + 2600) {
		pfn_t end = at + 1 + prng_below(&t->rng, 900);

		put(&memblock.memory, PFN_PHYS(at) + 16 * prng_below(&t->rng, 2),
		    PFN_PHYS(end) + PAGE_SIZE / 2 * prng_below(&t->rng, 2), prng_below(&t->rng, 3));
		at = end + 1 + prng_below(&t->rng, 300);
	}
	while (reserved < PFN_PHYS(first + 2600)) {
		phys_addr_t from = reserved + 16 * prng_below(&t->rng, 100000);

		reserved = from + 16 * (1 + prng_below(&t->rng, 20000));
		put(&memblock.reserved, from, reserved, 0);
		reserved += 16;
	}
	run_page_init(first, 4096);
	check_pages();
	for_each_zone(zone)
		managed += zone->managed_pages;
	for (unsigned long i = 0; i < world_pages(); i++)
		free += freed[i];
	EXPECT_EQ(managed, free);
}
