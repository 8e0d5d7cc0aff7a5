/* The page core of lab 1: one page at a time, last in first out, and refusal of bad frees. */
#include "test/ktest/trace.h"
#include "lib/string.h"

#define FIRST	0x40000UL

static struct oracle oracle;

static struct zone *one_zone(unsigned long pages)
{
	struct world_range range = { FIRST, FIRST + pages, 0, false };
	struct zone *zone = world_zone(FIRST, pages);

	oracle_init(&oracle, &range, 1, 0);
	return zone;
}

/* One page, checked. */
static struct page *take(struct zone *zone)
{
	struct page *page = core_alloc(zone, 0);

	ASSERT_TRUE(page != NULL);
	ASSERT_OK(oracle_took(&oracle, zone, page, 0));
	return page;
}

static void give(struct zone *zone, struct page *page)
{
	EXPECT_OK(oracle_gave(&oracle, page, 0));
	core_free(zone, page, 0);
}

KTEST(freelist, a_page_is_handed_out_once,
      "every page of a zone can be allocated, each once, and none that is not the zone's", 50000000)
{
	struct zone *zone = one_zone(300);

	for (unsigned int i = 0; i < 300; i++)
		take(zone);
	EXPECT_TRUE(core_alloc(zone, 0) == NULL);
}

KTEST(freelist, last_freed_is_first_out,
      "the page freed last is the next one handed out", 50000000)
{
	struct zone *zone = one_zone(64);
	struct page *page[40];

	for (unsigned int i = 0; i < 40; i++)
		page[i] = take(zone);
	for (unsigned int i = 0; i < 40; i++)
		give(zone, page[i * 7 % 40]);
	for (unsigned int i = 40; i-- > 0 && !ktest_failed(); )
		EXPECT_EQ(page_to_pfn(take(zone)), page_to_pfn(page[i * 7 % 40]));
}

KTEST(freelist, counts_add_up,
      "zone->free_pages is the number of free pages, after every call", 50000000)
{
	struct zone *zone = one_zone(100);
	struct page *page[100];

	EXPECT_EQ(zone->free_pages, 100);
	for (unsigned int i = 0; i < 100; i++) {
		page[i] = take(zone);
		EXPECT_EQ(zone->free_pages, 99 - i);
	}
	EXPECT_TRUE(core_alloc(zone, 0) == NULL);
	EXPECT_EQ(zone->free_pages, 0);
	for (unsigned int i = 0; i < 100; i++) {
		give(zone, page[i]);
		EXPECT_EQ(zone->free_pages, i + 1);
	}
}

KTEST(freelist, an_empty_zone_says_so,
      "an empty zone and a request for more than one page are answered with NULL, and work goes on",
      50000000)
{
	struct zone *zone = one_zone(3);
	struct page *page[3];

	for (unsigned int i = 0; i < 3; i++)
		page[i] = take(zone);
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		EXPECT_TRUE(core_alloc(zone, order) == NULL);
	give(zone, page[1]);
	EXPECT_EQ(page_to_pfn(take(zone)), page_to_pfn(page[1]));
	EXPECT_TRUE(core_alloc(zone, 0) == NULL);
	for (unsigned int i = 0; i < 3; i++)
		give(zone, page[i]);
	for (unsigned int order = 1; order <= MAX_ORDER; order++)
		EXPECT_TRUE(core_alloc(zone, order) == NULL);
	EXPECT_EQ(zone->free_pages, 3);
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST_SEEDS(freelist, random_trace_one_zone,
	    "a long random use of one zone hands out no page twice and loses none", 400000000, 3)
{
	struct world_range range = { FIRST + 5, FIRST + 5 + 150, 0, false };
	struct trace trace = { .ranges = &range, .nr_ranges = 1, .check_counts = true };

	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

KTEST_SEEDS(freelist, random_trace_many_zones,
	    "pages of zones that lie inside each other are given and taken by their own zone",
	    400000000, 3)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 90, b - 40, 0, false }, { b - 40, b - 30, 1, false },
		{ b - 30, b - 20, 0, true }, { b - 20, b + 25, 0, false },
		{ b + 33, b + 60, 1, false }, { b + 60, b + 99, 0, false },
	};
	struct trace trace = { .ranges = ranges, .nr_ranges = ARRAY_SIZE(ranges),
			       .check_counts = true };

	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

/* ---- refusal ------------------------------------------------------------------------------- */

/* The free must be reported by bad_page(), once, and leave the zone and the page as they are. */
static void expect_block_refused(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long before = zone->free_pages;
	struct page block[8];

	ASSERT_TRUE(1U << order <= ARRAY_SIZE(block));
	memcpy(block, page, sizeof(*page) << order);
	world_log_forget();
	core_free(zone, page, order);
	EXPECT_EQ(world_bad_pages(), 1);
	EXPECT_EQ(zone->free_pages, before);
	for (unsigned int i = 0; i < 1U << order; i++) {
		EXPECT_EQ(page[i].flags, block[i].flags);
		EXPECT_EQ(page_count(&page[i]), page_count(&block[i]));
		EXPECT_EQ(page_mapcount(&page[i]), page_mapcount(&block[i]));
	}
}

static void expect_refused(struct zone *zone, struct page *page)
{
	expect_block_refused(zone, page, 0);
}

KTEST(refusal, double_free_is_refused,
      "the core refuses a page that is free already, wherever it stands on the list", 50000000)
{
	struct zone *zone = one_zone(50);
	struct page *page[10];

	for (unsigned int i = 0; i < 10; i++)
		page[i] = take(zone);
	for (unsigned int i = 0; i < 9; i++)
		give(zone, page[i]);
	expect_refused(zone, page[8]);		/* on top */
	expect_refused(zone, page[0]);		/* below */
	expect_refused(zone, page[8]);		/* again */
	expect_refused(zone, world_page(FIRST + 49));	/* free since boot */
	give(zone, page[9]);
	world_log_forget();
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	EXPECT_EQ(world_bad_pages(), 0);
}

KTEST(refusal, foreign_page_is_refused,
      "the core refuses a page of another zone or of another node", 50000000)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 20, b - 10, 0, false }, { b - 10, b, 1, false }, { b, b + 10, 0, false },
	};
	struct zone *zone, *low, *high, *other;
	struct page *page;

	world_build(ranges, ARRAY_SIZE(ranges));
	oracle_init(&oracle, ranges, ARRAY_SIZE(ranges), 0);
	low = &node_data[0].zones[ZONE_DMA32];
	high = &node_data[0].zones[ZONE_NORMAL];
	other = &node_data[1].zones[ZONE_DMA32];
	page = take(low);
	expect_refused(high, page);
	expect_refused(other, page);
	EXPECT_EQ(low->free_pages, 9);
	give(low, page);
	page = take(other);
	expect_refused(low, page);
	give(other, page);
	for_each_zone(zone)
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(refusal, reserved_page_is_refused,
      "the core refuses a reserved page", 50000000)
{
	struct world_range ranges[] = {
		{ FIRST, FIRST + 10, 0, false }, { FIRST + 10, FIRST + 20, 0, true },
		{ FIRST + 20, FIRST + 30, 0, false },
	};
	struct zone *zone;

	world_build(ranges, ARRAY_SIZE(ranges));
	oracle_init(&oracle, ranges, ARRAY_SIZE(ranges), 0);
	zone = &node_data[0].zones[ZONE_DMA32];
	expect_refused(zone, world_page(FIRST + 10));
	expect_refused(zone, world_page(FIRST + 19));
	expect_refused(zone, world_page(FIRST + 40));	/* a hole */
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

/* Blocks of 8 frames, each with one that is bad: in the middle, first, last. */
KTEST(refusal, block_with_one_bad_page_is_refused_whole,
      "a block that holds one reserved, free or foreign page is refused, and none of it is freed",
      50000000)
{
	static const u8 bad[] = { 5, 8, 23, 26, 32, 47, 50, 56, 71 };
	struct world_range ranges[2 * ARRAY_SIZE(bad) + 1];
	struct zone *mine, *other;
	unsigned int n = 0;
	pfn_t at = FIRST;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++, at++) {
		if (at < FIRST + bad[i])
			ranges[n++] = (struct world_range){ at, FIRST + bad[i], 0, false };
		at = FIRST + bad[i];
		/* Three are reserved, three will be free, three belong to node 1. */
		ranges[n++] = (struct world_range){ at, at + 1, i >= 6, i < 3 };
	}
	ranges[n++] = (struct world_range){ at, FIRST + 80, 0, false };
	world_build(ranges, n);
	oracle_init(&oracle, ranges, n, 0);
	mine = &node_data[0].zones[ZONE_DMA32];
	other = &node_data[1].zones[ZONE_DMA32];
	for (unsigned int i = 0; i < 80 - 6; i++)
		take(mine);
	for (unsigned int i = 0; i < 3; i++)
		take(other);
	for (unsigned int i = 3; i < 6; i++)
		give(mine, world_page(FIRST + bad[i]));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		expect_block_refused(mine, world_page(FIRST + bad[i] / 8 * 8), 3);

	/* What was refused is as free, or as much in use, as it was. */
	world_log_forget();
	for (unsigned int i = 0; i < 3; i++)
		take(mine);
	EXPECT_TRUE(core_alloc(mine, 0) == NULL);
	for (unsigned int i = 0; i < 72; i++)
		if (!PageReserved(world_page(FIRST + i)))
			give(page_zone(world_page(FIRST + i)), world_page(FIRST + i));
	for (unsigned int i = 72; i < 80; i++)
		EXPECT_OK(oracle_gave(&oracle, world_page(FIRST + i), 0));
	core_free(mine, world_page(FIRST + 72), 3);	/* a good block */
	EXPECT_EQ(mine->free_pages, 80 - 6);
	EXPECT_EQ(world_bad_pages(), 0);
	EXPECT_OK(oracle_drain_and_refill(&oracle, mine));
	EXPECT_OK(oracle_drain_and_refill(&oracle, other));
}

KTEST(refusal, front_refuses_bad_frees,
      "__free_pages() on what is no page, or free, reserved or shared, changes nothing",
      50000000)
{
	struct zone *zone = one_zone(200);
	struct page *page, *shared;

	world_front();
	page = alloc_page(GFP_NOWAIT | __GFP_MEMALLOC);
	shared = alloc_page(GFP_NOWAIT | __GFP_MEMALLOC);
	ASSERT_TRUE(page && shared);
	EXPECT_OK(oracle_took(&oracle, zone, page, 0));
	EXPECT_OK(oracle_took(&oracle, zone, shared, 0));
	get_page(shared);
	__free_page(shared);
	EXPECT_EQ(zone->free_pages, 198);	/* one reference is left */
	EXPECT_OK(oracle_gave(&oracle, page, 0));
	__free_page(page);
	EXPECT_EQ(world_bad_pages(), 0);
	__free_page(page);
	EXPECT_EQ(world_bad_pages(), 1);
	__free_page(world_page(FIRST + 300));	/* a hole */
	EXPECT_EQ(world_bad_pages(), 2);
	__free_page(pfn_to_page(world_first_pfn() + 2 * world_pages()));
	EXPECT_EQ(world_bad_pages(), 3);
	__free_page((struct page *)((char *)shared + sizeof(*shared) / 2));
	EXPECT_EQ(world_bad_pages(), 4);
	__free_pages(shared, 1);		/* of order 0 */
	EXPECT_EQ(world_bad_pages(), 5);
	EXPECT_EQ(zone->free_pages, 199);
	EXPECT_OK(oracle_gave(&oracle, shared, 0));
	__free_page(shared);
	EXPECT_EQ(world_bad_pages(), 5);
	EXPECT_EQ(zone->free_pages, 200);
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}
