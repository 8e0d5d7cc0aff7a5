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
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
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

KTEST(zonelist, nodes_follow_round,
      "from the middle one of several nodes the walk goes on to the next by number and comes round", 20000000)
{
	static const struct world_range three[] = {	/* node 1 has no DMA32, node 2 no Normal memory */
		{ B - 2000, B - 1000, 0, false }, { B - 1000, B, 2, false },
		{ B, B + 8000, 0, false }, { B + 8000, B + 16000, 1, false },
	};
	struct zone *const from1[] = { zone_of(1, ZONE_NORMAL), zone_of(2, ZONE_DMA32),
				       zone_of(0, ZONE_NORMAL), zone_of(0, ZONE_DMA32) };
	struct zone *const from2[] = { zone_of(2, ZONE_DMA32), zone_of(0, ZONE_NORMAL),
				       zone_of(0, ZONE_DMA32), zone_of(1, ZONE_NORMAL) };
	struct zone *const dma_from1[] = { zone_of(2, ZONE_DMA32), zone_of(0, ZONE_DMA32) };
	struct world_range eight[2 * MAX_NUMNODES];
	struct zone *all[2 * MAX_NUMNODES];

	build(three, ARRAY_SIZE(three));
	expect_walk(1, GFP_KERNEL, 4, from1);
	expect_walk(2, GFP_KERNEL, 4, from2);
	expect_walk(1, GFP_DMA32, 2, dma_from1);
	expect_walk(1, GFP_DMA32 | __GFP_THISNODE, 0, NULL);
	for (unsigned int i = 0; i < 2 * MAX_NUMNODES; i++) {
		pfn_t start = i < MAX_NUMNODES ? B - 8000 + 1000 * i : B + 1000 * i;

		eight[i] = (struct world_range){ start, start + 1000, i % MAX_NUMNODES, false };
		all[i] = zone_of((5 + i / 2) % MAX_NUMNODES, i % 2 ? ZONE_DMA32 : ZONE_NORMAL);
	}
	build(eight, ARRAY_SIZE(eight));
	expect_walk(5, GFP_KERNEL, ARRAY_SIZE(all), all);
}

KTEST(zonelist, walks_do_not_disturb_each_other,
      "two walks at once, as two CPUs make them, each see all their zones: the cursor is the only state",
      20000000)
{
	struct zonelist_cursor a, b;
	struct zone *za, *zb;
	unsigned int n = 0;

	build_two_nodes();
	za = zonelist_first(&a, 0, GFP_KERNEL);
	zb = zonelist_first(&b, 1, GFP_DMA32);
	EXPECT_TRUE(za == zone_of(0, ZONE_NORMAL));
	EXPECT_TRUE(zb == zone_of(1, ZONE_DMA32));
	for (; za && n < 5; n++) {
		za = zonelist_next(&a);
		zb = zonelist_next(&b);
		if (n == 0) {
			EXPECT_TRUE(za == zone_of(0, ZONE_DMA32));
			EXPECT_TRUE(zb == zone_of(0, ZONE_DMA32));
		}
	}
	EXPECT_EQ(n, 4);
	EXPECT_TRUE(zb == NULL);
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

KTEST(zonelist, dma32_keeps_a_reserve,
      "lowmem_reserve of DMA32 is 1/256 of all nodes' Normal memory for requests that could live there, else 0",
      20000000)
{
	static const struct world_range only_dma[] = { { B - 2000, B - 1000, 0, false } };
	struct zone *zone;

	build_two_nodes();
	for_each_zone(zone) {
		EXPECT_EQ(zone->lowmem_reserve[ZONE_DMA32], 0);
		EXPECT_EQ(zone->lowmem_reserve[ZONE_NORMAL],
			  zone->type == ZONE_DMA32 ? 16000 / 256 : 0);
	}
	build(only_dma, 1);
	EXPECT_EQ(zone_of(0, ZONE_DMA32)->lowmem_reserve[ZONE_NORMAL], 0);
}

/* ---- watermarks ------------------------------------------------------------------------- */

/* A zone with so many free pages, all in large blocks. */
static struct zone *free_zone(unsigned long free)
{
	struct zone *zone;

	build_two_nodes();
	zone = zone_of(0, ZONE_NORMAL);
	zone->free_pages = free;
	zone->free_area[MAX_ORDER].nr_free = 1;
	zone->watermark[WMARK_MIN] = 505;
	zone->watermark[WMARK_LOW] = 632;
	zone->watermark[WMARK_HIGH] = 758;
	return zone;
}

/* @need pages must be free for @order to pass at @mark, and one less will not do. */
static void expect_needs(unsigned long need, unsigned int order, enum zone_watermark mark, gfp_t gfp)
{
	EXPECT_TRUE(zone_watermark_ok(free_zone(need), order, mark, gfp));
	EXPECT_FALSE(zone_watermark_ok(free_zone(need - 1), order, mark, gfp));
}

KTEST(watermark, watermarks_are_exact,
      "a block may be taken if and only if the mark's number of pages is left afterwards", 20000000)
{
	static const unsigned long mark[] = { 505, 632, 758 };

	for (unsigned int m = 0; m < NR_WMARK; m++)
		for (unsigned int order = 0; order <= MAX_ORDER; order++)
			expect_needs(mark[m] + (1UL << order), order, m, GFP_KERNEL);
}

KTEST(watermark, an_empty_zone_fails,
      "a zone with fewer pages than the block has is not taken for a full one, whatever the marks", 20000000)
{
	for (unsigned int free = 0; free < 8; free++) {
		struct zone *zone = free_zone(free);

		EXPECT_FALSE(zone_watermark_ok(zone, 3, WMARK_LOW, GFP_KERNEL));
		zone->watermark[WMARK_MIN] = zone->watermark[WMARK_LOW] = 0;
		EXPECT_FALSE(zone_watermark_ok(zone, 3, WMARK_LOW, GFP_KERNEL));
		EXPECT_FALSE(zone_watermark_ok(zone, 3, WMARK_MIN, __GFP_HIGH));
		EXPECT_FALSE(zone_watermark_ok(zone, 3, WMARK_MIN, __GFP_MEMALLOC));
	}
}

KTEST(watermark, urgent_requests_may_go_lower,
      "of the min mark __GFP_ATOMIC leaves 3/4, __GFP_HIGH half, both together 3/8, __GFP_MEMALLOC nothing; "
      "low and high hold for all", 20000000)
{
	expect_needs(505 + 1, 0, WMARK_MIN, GFP_KERNEL);
	expect_needs(505 + 1, 0, WMARK_MIN, GFP_NOWAIT);
	expect_needs(505 - 126 + 1, 0, WMARK_MIN, __GFP_ATOMIC);
	expect_needs(505 - 252 + 1, 0, WMARK_MIN, __GFP_HIGH);
	expect_needs(253 - 63 + 1, 0, WMARK_MIN, GFP_ATOMIC);
	expect_needs(253 - 63 + 16, 4, WMARK_MIN, GFP_ATOMIC);
	expect_needs(1, 0, WMARK_MIN, __GFP_MEMALLOC);
	expect_needs(632 + 1, 0, WMARK_LOW, GFP_ATOMIC);
	expect_needs(758 + 1, 0, WMARK_HIGH, GFP_ATOMIC);
}

KTEST(watermark, the_reserve_counts,
      "a request that could live in Normal must leave lowmem_reserve pages in DMA32 as well; one that insists "
      "on DMA32, or __GFP_MEMALLOC, need not", 20000000)
{
	struct zone *zone;

	build_two_nodes();
	zone = zone_of(0, ZONE_DMA32);
	zone->free_area[MAX_ORDER].nr_free = 1;
	zone->lowmem_reserve[ZONE_DMA32] = 0;
	zone->lowmem_reserve[ZONE_NORMAL] = 70;
	zone->watermark[WMARK_MIN] = 8;
	zone->watermark[WMARK_LOW] = 10;
	zone->free_pages = 80;
	EXPECT_FALSE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_KERNEL));
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));
	zone->free_pages = 81;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_KERNEL));
	EXPECT_FALSE(zone_watermark_ok(zone, 1, WMARK_LOW, GFP_KERNEL));
	zone->free_pages = 74;				/* the reserve is not halved */
	EXPECT_FALSE(zone_watermark_ok(zone, 0, WMARK_MIN, __GFP_HIGH));
	zone->free_pages = 75;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_MIN, __GFP_HIGH));
	zone->free_pages = 11;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));
	zone->free_pages = 10;
	EXPECT_FALSE(zone_watermark_ok(zone, 0, WMARK_LOW, GFP_DMA32));
	zone->free_pages = 1;
	EXPECT_TRUE(zone_watermark_ok(zone, 0, WMARK_MIN, __GFP_MEMALLOC));
}

KTEST(watermark, an_order_needs_a_block,
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
