/* The buddy core: zone_core_alloc() and zone_core_free(), judged by what they hand out. */
#include "test/ktest/trace.h"
#include "lib/string.h"

#define FIRST	0x40000UL

static struct oracle oracle;

static struct zone *build(const struct world_range *ranges, unsigned int n)
{
	world_build(ranges, n);
	oracle_init(&oracle, ranges, n, MAX_ORDER);
	return page_zone(world_page(ranges[0].start));
}

static struct zone *one_zone(pfn_t first, unsigned long pages)
{
	struct world_range range = { first, first + pages, 0, false };

	return build(&range, 1);
}

static struct page *try_take(struct zone *zone, unsigned int order)
{
	struct page *page = core_alloc(zone, order);

	if (page)
		ASSERT_OK(oracle_took(&oracle, zone, page, order));
	else
		ASSERT_OK(oracle_refused(&oracle, zone, order));
	return page;
}

static struct page *take(struct zone *zone, unsigned int order)
{
	struct page *page = try_take(zone, order);

	ASSERT_TRUE(page != NULL);
	return page;
}

static void give(struct page *page, unsigned int order)
{
	ASSERT_OK(oracle_gave(&oracle, page, order));
	core_free(page_zone(page), page, order);
}

/* How many blocks of @order can be had; all given back. */
static unsigned int count_blocks(struct zone *zone, unsigned int order)
{
	unsigned int mark = ktest_mark(), n = 0, max = world_pages() >> order;
	struct page **block = ktest_alloc((max + 1) * sizeof(*block));

	while (n < max && (block[n] = try_take(zone, order)))
		n++;
	for (unsigned int i = 0; i < n; i++)
		give(block[i], order);
	ktest_release(mark);
	return n;
}

KTEST(split, blocks_are_aligned_and_disjoint,
      "a block of 2^order pages begins at a multiple of 2^order and overlaps no other", 50000000)
{
	struct zone *zone = one_zone(FIRST, 4096);

	for (unsigned int i = 0; i < 200; i++)
		take(zone, prng_below(&t->rng, 5));
	for (unsigned int order = 0; order <= 8; order++)
		take(zone, order);
}

KTEST(split, every_order_serves_all_memory,
      "memory can be had to the last page as blocks of any one order", 100000000)
{
	struct zone *zone = one_zone(FIRST, 2048);

	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		EXPECT_EQ(count_blocks(zone, order), 2048 >> order);
	EXPECT_TRUE(core_alloc(zone, MAX_ORDER + 1) == NULL);
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(split, a_split_gives_the_rest_back,
      "a small request that splits a large block leaves all the rest of it free", 50000000)
{
	struct zone *zone = one_zone(FIRST, 1024);

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		struct page *block[MAX_ORDER + 1];

		block[order] = take(zone, order);
		for (unsigned int k = order; k < MAX_ORDER; k++) {
			struct page *rest = take(zone, k);	/* one of each is left */

			block[k + 1] = rest;
		}
		EXPECT_TRUE(core_alloc(zone, 0) == NULL);
		give(block[order], order);
		for (unsigned int k = order; k < MAX_ORDER; k++)
			give(block[k + 1], k);
	}
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(split, a_large_request_fails_when_memory_is_in_pieces,
      "a request is refused if and only if no free, aligned block of its size exists", 100000000)
{
	struct zone *zone = one_zone(FIRST, 512);
	struct page **page = ktest_alloc(512 * sizeof(*page));

	for (unsigned int i = 0; i < 512; i++) {
		struct page *p = take(zone, 0);

		page[page_to_pfn(p) - FIRST] = p;
	}
	for (unsigned int i = 0; i < 512; i += 2)
		give(page[i], 0);			/* every second page: nothing larger */
	for (unsigned int order = 1; order <= MAX_ORDER; order++)
		EXPECT_TRUE(try_take(zone, order) == NULL);
	give(page[101], 0);				/* now 100 and 101 are a block */
	EXPECT_EQ(page_to_pfn(take(zone, 1)), FIRST + 100);
	EXPECT_TRUE(try_take(zone, 1) == NULL);
}

KTEST(split, counts_add_up_for_blocks,
      "free_pages and free_area[].nr_free say how many pages and blocks are free", 50000000)
{
	struct zone *zone = one_zone(FIRST + 1, 1500);
	struct page *page[64];
	u8 order[64];

	for (unsigned int i = 0; i < 64; i++) {
		unsigned long pages = 0;

		order[i] = prng_below(&t->rng, 5);
		page[i] = take(zone, order[i]);
		EXPECT_EQ(zone->free_pages, oracle_free_pages(&oracle, zone));
		for (unsigned int k = 0; k < NR_ORDERS; k++)
			pages += zone->free_area[k].nr_free << k;
		EXPECT_EQ(pages, zone->free_pages);
	}
	for (unsigned int i = 0; i < 64; i++) {
		give(page[i * 37 % 64], order[i * 37 % 64]);
		EXPECT_EQ(zone->free_pages, oracle_free_pages(&oracle, zone));
	}
}

/* ---- merge --------------------------------------------------------------------------------- */

KTEST(merge, freed_halves_become_whole,
      "when the last of its pieces is freed, in whatever order, a block is whole again", 100000000)
{
	struct zone *zone = one_zone(FIRST, 1024);
	struct page *page[64];

	for (unsigned int round = 0; round < 6; round++) {
		unsigned int order = round % 3;

		for (unsigned int i = 0; i < 64; i++)
			page[i] = take(zone, order);
		for (unsigned int i = 64; i > 0; i--) {
			unsigned int k = prng_below(&t->rng, i);

			give(page[k], order);
			page[k] = page[i - 1];
		}
		EXPECT_EQ(count_blocks(zone, MAX_ORDER), 1);
	}
}

KTEST(merge, only_buddies_merge,
      "two neighbours that are not the halves of one aligned block stay two blocks", 50000000)
{
	struct zone *zone = one_zone(FIRST + 1, 6);	/* 1 | 2 3 | 4 5 | 6 */
	struct page *page[6];

	for (unsigned int i = 0; i < 6; i++) {
		struct page *p = take(zone, 0);

		page[page_to_pfn(p) - FIRST - 1] = p;
	}
	give(page[0], 0);
	give(page[1], 0);				/* 1 2: no block */
	EXPECT_TRUE(try_take(zone, 1) == NULL);
	give(page[4], 0);
	give(page[5], 0);				/* 5 6: neither */
	EXPECT_TRUE(try_take(zone, 1) == NULL);
	give(page[2], 0);
	give(page[3], 0);
	EXPECT_EQ(count_blocks(zone, 1), 2);
	EXPECT_TRUE(try_take(zone, 2) == NULL);		/* 2..5 is not aligned */
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(merge, merging_stops_at_the_largest_order,
      "free memory of many megabytes is made of blocks of the largest order", 100000000)
{
	struct zone *zone = one_zone(FIRST, 8192);

	EXPECT_EQ(count_blocks(zone, MAX_ORDER), 8);
	EXPECT_EQ(count_blocks(zone, 0), 8192);
	EXPECT_EQ(count_blocks(zone, MAX_ORDER), 8);
}

KTEST_SEEDS(merge, random_trace_of_blocks,
	    "after a long random use everything freed is merged as far as it can be", 600000000, 3)
{
	struct world_range range = { FIRST, FIRST + 2048, 0, false };
	struct trace trace = { .ranges = &range, .nr_ranges = 1, .max_order = MAX_ORDER,
			       .check_counts = true };

	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

/* Clock for @n pairs in a zone of @pages, with half of its pages taken so that lists are long. */
static u64 measure(unsigned long pages, unsigned int n)
{
	unsigned int mark = ktest_mark();
	struct page **page = ktest_alloc(pages * sizeof(*page));
	struct zone *zone = world_zone(FIRST, pages);
	unsigned long taken = 0;
	u64 start;

	while (taken < pages && (page[taken] = core_alloc(zone, 0)))
		taken++;
	EXPECT_EQ(taken, pages);
	for (unsigned long i = 0; i < taken; i++)
		if ((page_to_pfn(page[i]) / 2) % 2)	/* pairs, then a gap */
			core_free(zone, page[i], 0);
	start = ktest_clock();
	for (unsigned int i = 0; i < n; i++) {
		struct page *a = core_alloc(zone, 0), *b = core_alloc(zone, 1);

		if (!a || !b)
			ktest_abort();
		core_free(zone, a, 0);
		core_free(zone, b, 1);
	}
	start = ktest_clock() - start;
	ktest_release(mark);
	return start;
}

KTEST(merge, cost_does_not_grow_with_memory,
      "an allocation and a free cost about the same in a zone 64 times as large", 400000000)
{
	u64 small = measure(256, 500), large = measure(16384, 500);

	ktest_note("  500 pairs: %lu in a zone of 1 MiB, %lu in one of 64 MiB", (unsigned long)small,
		   (unsigned long)large);
	EXPECT_LE(large, 6 * small + 500000);
}

/* ---- ends ---------------------------------------------------------------------------------- */

KTEST_SEEDS(ends, odd_ends_lose_no_page,
	    "a zone may begin and end at any frame: every page of it is used, and merged", 400000000, 8)
{
	pfn_t first = FIRST + prng_below(&t->rng, 700);
	struct zone *zone = one_zone(first, 1 + prng_below(&t->rng, 2500));

	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	EXPECT_EQ(count_blocks(zone, 0), zone->managed_pages);
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(ends, blocks_never_reach_into_holes,
      "no block holds a frame of a hole or a reserved frame, though its buddy may lie there", 100000000)
{
	struct world_range ranges[] = {
		{ FIRST + 3, FIRST + 61, 0, false }, { FIRST + 61, FIRST + 64, 0, true },
		{ FIRST + 64, FIRST + 96, 0, false }, { FIRST + 97, FIRST + 128, 0, false },
		{ FIRST + 256, FIRST + 512, 0, false }, { FIRST + 2048, FIRST + 2049, 0, false },
		{ FIRST + 2560, FIRST + 3072, 0, false },
	};
	struct zone *zone = build(ranges, ARRAY_SIZE(ranges));

	for (unsigned int i = 0; i < 3; i++)
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	EXPECT_EQ(count_blocks(zone, 0), zone->managed_pages);
	for (unsigned int order = 1; order <= MAX_ORDER; order++)
		count_blocks(zone, order);
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(ends, zones_do_not_merge,
      "buddies that lie in two zones or nodes stay in their own", 100000000)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 1024, b - 40, 0, false }, { b - 40, b - 7, 1, false },
		{ b - 7, b, 0, false }, { b, b + 9, 0, false }, { b + 9, b + 600, 1, false },
	};
	struct zone *zone;

	build(ranges, ARRAY_SIZE(ranges));
	for_each_zone(zone)
		EXPECT_EQ(count_blocks(zone, 0), zone->managed_pages);
	for_each_zone(zone)
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST_SEEDS(ends, random_trace_with_holes_and_zones,
	    "a long random use of zones with holes inside each other's span stays sound", 600000000, 4)
{
	pfn_t at = DMA32_LIMIT_PFN - 900;
	struct world_range ranges[10];
	struct trace trace = { .ranges = ranges, .max_order = MAX_ORDER, .check_counts = true };

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		pfn_t end = at + 1 + prng_below(&t->rng, 330);

		ranges[i] = (struct world_range){ at, end, prng_below(&t->rng, 2),
						  !prng_below(&t->rng, 6) };
		at = end + (prng_below(&t->rng, 2) ? 0 : prng_below(&t->rng, 60));
	}
	ranges[0].reserved = false;
	trace.nr_ranges = ARRAY_SIZE(ranges);
	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

static void expect_refused(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long before = zone->free_pages;

	world_log_forget();
	core_free(zone, page, order);
	EXPECT_EQ(world_bad_pages(), 1);
	EXPECT_EQ(zone->free_pages, before);
}

KTEST(ends, bad_frees_of_blocks_are_refused,
      "a block that is free, misaligned, reserved or of another zone is refused, nothing changed",
      100000000)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 64, b - 16, 0, false }, { b - 16, b - 12, 0, true },
		{ b - 12, b - 8, 1, false }, { b - 8, b, 0, false }, { b, b + 32, 0, false },
	};
	struct zone *low = build(ranges, ARRAY_SIZE(ranges));
	struct zone *high = &node_data[0].zones[ZONE_NORMAL];
	struct zone *inside = &node_data[1].zones[ZONE_DMA32];	/* in the span of low */
	struct page *two = take(low, 1), *four = take(low, 2), *single[56], *foreign;
	unsigned int n = 0;

	expect_refused(high, four, 2);			/* another zone's */
	foreign = take(inside, 1);
	expect_refused(low, foreign, 1);
	give(foreign, 1);
	expect_refused(low, world_page(b - 16), 2);	/* reserved */
	while ((single[n] = try_take(low, 0)))
		n++;
	ASSERT_EQ(n, 50);
	for (unsigned int i = 0; i < n; i++)		/* two pages in use that are no block */
		if (page_to_pfn(single[i]) % 8 == 1)
			expect_refused(low, single[i], 1);
	while (n)
		give(single[--n], 0);
	give(four, 2);
	expect_refused(low, four, 2);			/* twice, merged by now */
	give(two, 1);
	expect_refused(low, two, 1);
	expect_refused(low, world_page(page_to_pfn(two) + 1), 0);	/* inside a free block */
	expect_refused(low, world_page(b - 32), 4);	/* free since boot */
	world_log_forget();
	EXPECT_OK(oracle_drain_and_refill(&oracle, low));
	EXPECT_OK(oracle_drain_and_refill(&oracle, high));
	EXPECT_OK(oracle_drain_and_refill(&oracle, inside));
	EXPECT_EQ(world_bad_pages(), 0);
}
