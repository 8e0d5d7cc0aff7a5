/* Fallback, lowmem_reserve and watermarks. Free pages and blocks are what the test writes down. */
#include "test/ktest/world.h"

#define B	DMA32_LIMIT_PFN

static struct zone *zone_of(int nid, enum zone_type type)
{
	return &node_data[nid].zones[type];
}

/* Nodes and zones without pages or a core: only the sizes matter here. */
static void build(const struct world_range *ranges, unsigned int n)
{
	for (int nid = 0; nid < 2; nid++) {
		NODE_DATA(nid)->nid = nid;
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = zone_of(nid, type);

			*zone = (struct zone){ .nid = nid, .type = type, .name = "test" };
			spin_lock_init(&zone->lock);
		}
	}
	nr_nodes = 1;
	for (unsigned int i = 0; i < n; i++) {
		struct zone *zone = zone_of(ranges[i].nid,
					    ranges[i].start < B ? ZONE_DMA32 : ZONE_NORMAL);
		unsigned long pages = ranges[i].end - ranges[i].start;

		zone->start_pfn = ranges[i].start;
		zone->spanned_pages = zone->present_pages = zone->managed_pages = pages;
		NODE_DATA(zone->nid)->online = true;
		nr_nodes = max(nr_nodes, (unsigned int)zone->nid + 1);
		zone->free_pages = pages;
	}
	zone_init_watermarks();
	zonelist_init();
}

static void build_two_nodes(void)
{
	static const struct world_range ranges[] = {
		{ B - 2000, B - 1000, 0, false }, { B - 1000, B, 1, false },
		{ B, B + 8000, 0, false }, { B + 8000, B + 16000, 1, false },
	};

	build(ranges, ARRAY_SIZE(ranges));
}

/* The walk must give exactly these @n zones, then end. */
static void expect_walk(int nid, gfp_t gfp, unsigned int n, struct zone *const *want)
{
	struct zonelist_cursor cursor;
	struct zone *zone = zonelist_first(&cursor, nid, gfp);
	unsigned int i = 0;

	for (; zone && i < n; zone = zonelist_next(&cursor), i++) {
		EXPECT_EQ(zone->nid, want[i]->nid);
		EXPECT_EQ(zone->type, want[i]->type);
	}
	EXPECT_EQ(i, n);
	EXPECT_TRUE(zone == NULL);
}

KTEST(zonelist, zones_are_tried_best_first,
      "own node before others, Normal before DMA32 on each, nodes round by number", 20000000)
{
	struct zone *const from0[] = { zone_of(0, ZONE_NORMAL), zone_of(0, ZONE_DMA32),
				       zone_of(1, ZONE_NORMAL), zone_of(1, ZONE_DMA32) };
	struct zone *const from1[] = { zone_of(1, ZONE_NORMAL), zone_of(1, ZONE_DMA32),
				       zone_of(0, ZONE_NORMAL), zone_of(0, ZONE_DMA32) };

	build_two_nodes();
	expect_walk(0, GFP_KERNEL, 4, from0);
	expect_walk(1, GFP_KERNEL, 4, from1);
	expect_walk(1, 0, 4, from1);
}

KTEST(zonelist, a_request_may_insist,
      "__GFP_DMA32 sees DMA32 only, __GFP_THISNODE its node only; a zone without memory is left out",
      20000000)
{
	static const struct world_range no_dma[] = { { B, B + 500, 0, false } };
	struct zone *const dma[] = { zone_of(1, ZONE_DMA32), zone_of(0, ZONE_DMA32) };
	struct zone *const here[] = { zone_of(1, ZONE_NORMAL), zone_of(1, ZONE_DMA32) };
	struct zone *const only[] = { zone_of(0, ZONE_NORMAL) };

	build_two_nodes();
	expect_walk(1, GFP_DMA32, 2, dma);
	expect_walk(1, GFP_KERNEL | __GFP_THISNODE, 2, here);
	expect_walk(1, GFP_DMA32 | __GFP_THISNODE, 1, dma);
	build(no_dma, 1);
	expect_walk(0, GFP_KERNEL, 1, only);
	expect_walk(0, GFP_DMA32, 0, NULL);
}

/* A zone with so many free pages, all in large blocks. */
static struct zone *free_zone(unsigned long free)
{
	struct zone *zone;

	build_two_nodes();
	zone = zone_of(0, ZONE_NORMAL);
	zone->free_pages = free;
	zone->free_area[MAX_ORDER].nr_free = 1;
	zone->watermark[WMARK_MIN] = 100;
	zone->watermark[WMARK_LOW] = 120;
	zone->watermark[WMARK_HIGH] = 140;
	return zone;
}

KTEST(zonelist, watermarks_are_exact,
      "a block may be taken if and only if the mark's number of pages is left afterwards", 20000000)
{
	static const unsigned long mark[] = { 100, 120, 140 };

	for (unsigned int m = 0; m < NR_WMARK; m++) {
		for (unsigned int order = 0; order < 4; order++) {
			unsigned long need = mark[m] + (1UL << order);

			EXPECT_TRUE(zone_watermark_ok(free_zone(need), order, m, GFP_KERNEL));
			EXPECT_FALSE(zone_watermark_ok(free_zone(need - 1), order, m, GFP_KERNEL));
		}
	}
}

KTEST(zonelist, urgent_requests_may_go_lower,
      "__GFP_HIGH may use half of the min reserve, __GFP_MEMALLOC all of it; others none", 20000000)
{
	EXPECT_FALSE(zone_watermark_ok(free_zone(100), 0, WMARK_MIN, GFP_KERNEL));
	EXPECT_TRUE(zone_watermark_ok(free_zone(51), 0, WMARK_MIN, __GFP_HIGH));
	EXPECT_FALSE(zone_watermark_ok(free_zone(50), 0, WMARK_MIN, __GFP_HIGH));
	EXPECT_TRUE(zone_watermark_ok(free_zone(1), 0, WMARK_MIN, __GFP_MEMALLOC));
	EXPECT_FALSE(zone_watermark_ok(free_zone(0), 0, WMARK_MIN, __GFP_MEMALLOC));
	EXPECT_TRUE(zone_watermark_ok(free_zone(90), 0, WMARK_MIN, GFP_ATOMIC));
	EXPECT_FALSE(zone_watermark_ok(free_zone(10), 0, WMARK_MIN, GFP_ATOMIC));
}

KTEST(zonelist, dma32_is_reserved,
      "a request that could live in Normal leaves lowmem_reserve pages in DMA32; one that could not "
      "does not, nor does anybody without Normal memory", 20000000)
{
	static const struct world_range only_dma[] = { { B - 2000, B - 1000, 0, false } };
	struct zone *zone;
	unsigned long reserve;

	build_two_nodes();
	zone = zone_of(0, ZONE_DMA32);
	reserve = zone->lowmem_reserve[ZONE_NORMAL];
	EXPECT_TRUE(reserve >= 8 && reserve <= 500);
	EXPECT_EQ(zone->lowmem_reserve[ZONE_DMA32], 0);
	EXPECT_EQ(zone_of(0, ZONE_NORMAL)->lowmem_reserve[ZONE_NORMAL], 0);
	zone->watermark[WMARK_LOW] = 10;
	zone->free_pages = 10 + reserve;
	EXPECT_FALSE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_KERNEL));
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));
	zone->free_pages = 11 + reserve;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_KERNEL));
	zone->free_pages = 11;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));
	zone->free_pages = 10;
	EXPECT_FALSE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));

	build(only_dma, 1);
	EXPECT_EQ(zone->lowmem_reserve[ZONE_NORMAL], 0);
}

KTEST(zonelist, an_order_needs_a_block,
      "for an order above 0 there must be a block that large, however many pages are free", 20000000)
{
	struct zone *zone = free_zone(4000);

	zone->free_area[MAX_ORDER].nr_free = 0;
	zone->free_area[0].nr_free = 4000;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_KERNEL));
	EXPECT_FALSE(zone_watermark_ok(zone, 1, WMARK_LOW, GFP_KERNEL));
	zone->free_area[3].nr_free = 1;
	EXPECT_TRUE(zone_watermark_ok(zone, 1, WMARK_LOW, GFP_KERNEL));
	EXPECT_TRUE(zone_watermark_ok(zone, 3, WMARK_LOW, GFP_KERNEL));
	EXPECT_FALSE(zone_watermark_ok(zone, 4, WMARK_LOW, GFP_KERNEL));
	zone->free_area[MAX_ORDER].nr_free = 1;
	EXPECT_TRUE(zone_watermark_ok(zone, MAX_ORDER, WMARK_LOW, GFP_KERNEL));
}
