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
      "memory can be had to the last page as blocks of any one order, and none of a larger one", 100000000)
{
	for (unsigned int order = 0; order <= MAX_ORDER; order++) {
		unsigned int mark = ktest_mark(), n = 0;
		struct zone *zone = one_zone(FIRST, 2048);

		while (try_take(zone, order))
			n++;
		EXPECT_EQ(n, 2048 >> order);
		ktest_release(mark);
	}
	EXPECT_TRUE(core_alloc(one_zone(FIRST, 2048), MAX_ORDER + 1) == NULL);
}

KTEST(split, a_split_gives_the_rest_back,
      "a small request that splits a large block leaves all the rest of it free, in blocks as large as can be",
      50000000)
{
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		unsigned int mark = ktest_mark();
		struct zone *zone = one_zone(FIRST, 1024);

		take(zone, order);
		for (unsigned int k = MAX_ORDER; k-- > order; )
			take(zone, k);			/* one of each is left */
		EXPECT_TRUE(core_alloc(zone, 0) == NULL);
		ktest_release(mark);
	}
}

KTEST(split, small_requests_spare_large_blocks,
      "a request is served from the smallest block that will do: larger ones stay whole", 50000000)
{
	struct zone *zone = one_zone(FIRST, 2048 + 64 + 8 + 1);

	take(zone, 0);
	for (unsigned int i = 0; i < 4; i++)
		take(zone, 1);				/* the block of 8 */
	for (unsigned int i = 0; i < 16; i++)
		take(zone, 2);				/* the block of 64 */
	for (unsigned int i = 0; i < 2; i++)
		take(zone, MAX_ORDER);
	EXPECT_TRUE(core_alloc(zone, 0) == NULL);
}

KTEST(split, a_large_request_fails_when_memory_is_in_pieces,
      "without a free block of its size a request is refused, however many pages are free, and nothing changes",
      100000000)
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
	EXPECT_EQ(zone->free_pages, 256);
	for (unsigned int i = 0; i < 256; i++)
		take(zone, 0);
	EXPECT_TRUE(try_take(zone, 0) == NULL);
	EXPECT_EQ(zone->free_pages, 0);
}

/* What /proc/buddyinfo and the watermarks read. A block that is shown can be had. */
static void expect_counts(struct zone *zone)
{
	unsigned long pages = 0;
	int largest = -1;
	struct page *page;

	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		pages += zone->free_area[k].nr_free << k;
		if (zone->free_area[k].nr_free)
			largest = k;
	}
	EXPECT_EQ(zone->free_pages, oracle_free_pages(&oracle, zone));
	EXPECT_EQ(pages, zone->free_pages);
	if (largest < 0)
		return;
	page = try_take(zone, largest);
	EXPECT_TRUE(page != NULL);
	if (page)
		give(page, largest);
}

KTEST(split, counts_add_up_for_blocks,
      "free_pages and free_area[].nr_free say how many pages and blocks are free", 50000000)
{
	struct zone *zone = one_zone(FIRST + 1, 1500);
	struct page *page[64];
	u8 order[64];

	for (unsigned int i = 0; i < 64; i++) {
		order[i] = prng_below(&t->rng, 5);
		page[i] = take(zone, order[i]);
		expect_counts(zone);
	}
	for (unsigned int i = 0; i < 64; i++) {
		give(page[i * 37 % 64], order[i * 37 % 64]);
		expect_counts(zone);
	}
}

/* ---- coalesce ------------------------------------------------------------------------------ */

KTEST(coalesce, freed_halves_become_whole,
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

KTEST(coalesce, freed_buddies_serve_a_larger_request,
      "as soon as both halves of a block are free, a request for the whole is served", 50000000)
{
	struct zone *zone = one_zone(FIRST, 512);
	struct page **page = ktest_alloc(512 * sizeof(*page));

	for (unsigned int i = 0; i < 512; i++) {
		struct page *p = take(zone, 0);

		page[page_to_pfn(p) - FIRST] = p;
	}
	for (unsigned int i = 0; i < 512; i += 2)
		give(page[i], 0);
	for (unsigned int i = 1; i < 512; i += 50) {	/* the upper half comes last ... */
		give(page[i], 0);
		EXPECT_EQ(page_to_pfn(take(zone, 1)), FIRST + i - 1);
		EXPECT_TRUE(try_take(zone, 1) == NULL);
		page[i - 1] = page[i] = NULL;
	}
	for (unsigned int i = 3; i < 512; i += 2)	/* ... and the lower one */
		if (page[i])
			give(page[i], 0);
	for (unsigned int i = 1; i < 512; i += 50) {
		give(world_page(FIRST + i), 0);
		give(world_page(FIRST + i - 1), 0);
	}
	EXPECT_EQ(count_blocks(zone, 9), 1);
}

KTEST(coalesce, a_block_may_come_back_in_pieces,
      "a block that was merged from others is one block: its pages may be freed one by one, and merge again",
      50000000)
{
	struct zone *zone = one_zone(FIRST, 64);
	struct page *page[64];

	for (unsigned int order = 1; order <= 6; order++) {
		for (unsigned int i = 0; i < 64; i++)
			page[i] = take(zone, 0);
		for (unsigned int i = 0; i < 64; i++)
			give(page[i * 29 % 64], 0);
		for (unsigned int i = 0; i < 64U >> order; i++)
			page[i] = take(zone, order);
		for (unsigned int i = 0; i < 64U >> order; i++)
			for (unsigned int k = 0; k < 1U << order; k++)
				give(page[i] + (k * 11 + 5) % (1U << order), 0);
		EXPECT_EQ(world_bad_pages(), 0);
		EXPECT_EQ(count_blocks(zone, 6), 1);
	}
}

KTEST(coalesce, only_buddies_merge,
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

KTEST(coalesce, merging_stops_at_the_largest_order,
      "free memory of many megabytes is made of blocks of the largest order", 100000000)
{
	struct zone *zone = one_zone(FIRST, 8192);

	EXPECT_EQ(count_blocks(zone, MAX_ORDER), 8);
	EXPECT_EQ(count_blocks(zone, 0), 8192);
	EXPECT_EQ(count_blocks(zone, MAX_ORDER), 8);
}

KTEST_SEEDS(coalesce, random_trace_of_blocks,
	    "after a long random use everything freed is merged as far as it can be", 600000000, 3)
{
	struct world_range range = { FIRST, FIRST + 2048, 0, false };
	struct trace trace = { .ranges = &range, .nr_ranges = 1, .max_order = MAX_ORDER,
			       .check_counts = true };

	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

/* The least clock of a few rounds of 100 pairs in a zone of @pages, half of them taken: long lists. */
static u64 measure(unsigned long pages)
{
	unsigned int mark = ktest_mark();
	struct page **page = ktest_alloc(pages * sizeof(*page));
	struct zone *zone = world_zone(FIRST, pages);
	unsigned long taken = 0;
	u64 best = ~0UL;

	while (taken < pages && (page[taken] = core_alloc(zone, 0)))
		taken++;
	EXPECT_EQ(taken, pages);
	for (unsigned long i = 0; i < taken; i++)
		if ((page_to_pfn(page[i]) / 2) % 2)	/* pairs, then a gap */
			core_free(zone, page[i], 0);
	for (unsigned int round = 0; round < 5; round++) {
		u64 start = ktest_clock();

		for (unsigned int i = 0; i < 100; i++) {
			struct page *a = core_alloc(zone, 0), *b = core_alloc(zone, 1);

			if (!a || !b)
				ktest_abort();
			core_free(zone, a, 0);
			core_free(zone, b, 1);
		}
		best = min(best, ktest_clock() - start);
	}
	ktest_release(mark);
	return best;
}

KTEST(coalesce, cost_does_not_grow_with_memory,
      "an allocation and a free cost about the same in a zone 64 times as large: nothing is searched",
      400000000)
{
	u64 small = measure(256), large = measure(16384);

	ktest_note("  100 pairs: %lu in a zone of 1 MiB, %lu in one of 64 MiB", (unsigned long)small,
		   (unsigned long)large);
	EXPECT_LE(large, 4 * small + 100000);
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

/* A descriptor that is none, of a section without memory: what lies there looks like a free block. */
static void fake_block(struct zone *zone, pfn_t pfn, unsigned int order)
{
	struct page *page = world_page(pfn);

	page->flags = (unsigned long)zone->nid << PAGE_NODE_SHIFT |
		      (unsigned long)zone->type << PAGE_ZONE_SHIFT | BIT(PG_buddy);
	page->private = order;
	INIT_LIST_HEAD(&page->list);
}

KTEST(ends, sections_without_memory_are_not_looked_at,
      "where pfn_valid() says that there is no descriptor, none is believed, whatever lies there", 50000000)
{
	struct world_range ranges[] = {
		{ FIRST, FIRST + 8, 0, false },			/* section 0 */
		{ FIRST + 1536, FIRST + 2048, 0, false },	/* 3: the buddy is all of 2 */
		{ FIRST + 4096, FIRST + 4608, 0, false },	/* 8: the buddy is all of 9 */
		{ FIRST + 5632, FIRST + 5640, 0, false },	/* 11 */
	};
	struct zone *zone = build(ranges, ARRAY_SIZE(ranges));
	struct page *page[2];

	for (unsigned int fake = 9; fake <= 10; fake++) {
		fake_block(zone, FIRST + 1024, fake);
		fake_block(zone, FIRST + 4608, fake);
		page[0] = take(zone, 9);
		page[1] = take(zone, 9);
		give(page[0], 9);
		give(page[1], 9);
		EXPECT_TRUE(try_take(zone, 10) == NULL);
		EXPECT_EQ(count_blocks(zone, 0), 512 + 512 + 16);
	}
	EXPECT_EQ(world_bad_pages(), 0);
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

/* ---- refusal ------------------------------------------------------------------------------- */

static void expect_refused(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long before = zone->free_pages;

	world_log_forget();
	core_free(zone, page, order);
	EXPECT_EQ(world_bad_pages(), 1);
	EXPECT_EQ(zone->free_pages, before);
	world_log_forget();
}

/* Refusals have left no trace: all can be had, as merged as ever. */
static void expect_sound(struct zone *zone)
{
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	EXPECT_EQ(world_bad_pages(), 0);
}

KTEST(refusal, a_free_block_is_refused,
      "a block that is on a free list already is refused (double free)", 50000000)
{
	struct zone *zone = one_zone(FIRST, 64);
	struct page *page[64];

	for (unsigned int i = 0; i < 64; i++) {
		struct page *p = take(zone, 0);

		page[page_to_pfn(p) - FIRST] = p;
	}
	give(page[20], 0);				/* alone: its buddy is in use */
	expect_refused(zone, page[20], 0);
	give(page[8], 0);
	give(page[9], 0);				/* 8, order 1 */
	expect_refused(zone, page[8], 1);
	expect_refused(zone, page[8], 0);
	for (unsigned int i = 0; i < 64; i++)
		if (i != 8 && i != 9 && i != 20)
			give(page[i], 0);
	expect_refused(zone, page[0], 6);
	expect_refused(zone, page[0], 0);
	expect_sound(zone);
}

KTEST(refusal, a_page_inside_a_free_block_is_refused,
      "a block that has been merged into a larger free one is refused (double free), wherever it lies in it",
      100000000)
{
	struct zone *zone = one_zone(FIRST + 1024 - 3, 3 + 1024 + 7);
	pfn_t first = FIRST + 1024;
	struct page *two = take(zone, 1), *four = take(zone, 2);

	give(four, 2);
	give(two, 1);
	expect_refused(zone, four, 2);
	expect_refused(zone, two, 1);
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		expect_refused(zone, world_page(first + (1UL << order)), order);
		expect_refused(zone, world_page(first + 1024 - (1UL << order)), order);
		expect_refused(zone, world_page(first + ((0x2b5UL >> order) << order)), order);
	}
	expect_sound(zone);
}

KTEST(refusal, a_page_beside_a_free_block_is_taken,
      "a page in use is taken back although blocks before and behind it are free", 50000000)
{
	struct zone *zone = one_zone(FIRST, 256);
	struct page *page[256];

	for (unsigned int i = 0; i < 256; i++) {
		struct page *p = take(zone, 0);

		page[page_to_pfn(p) - FIRST] = p;
	}
	for (unsigned int i = 0; i < 256; i++)
		if (i % 16 != 13)
			give(page[i], 0);		/* 0-7, 8-11, 12, 14-15 */
	for (unsigned int i = 13; i < 256; i += 16) {
		give(page[i], 0);
		EXPECT_EQ(world_bad_pages(), 0);
	}
	expect_sound(zone);
}

KTEST(refusal, a_misaligned_block_is_refused,
      "a block that does not begin at a multiple of its size is refused", 50000000)
{
	struct zone *zone = one_zone(FIRST, 64);
	struct page *page[64];

	for (unsigned int i = 0; i < 64; i++)
		page[i] = take(zone, 0);
	expect_refused(zone, world_page(FIRST + 1), 1);
	expect_refused(zone, world_page(FIRST + 6), 2);
	expect_refused(zone, world_page(FIRST + 16), 5);
	for (unsigned int i = 0; i < 64; i++)
		give(page[i], 0);
	expect_sound(zone);
}

KTEST(refusal, an_order_that_does_not_exist_is_refused,
      "a block of an order above MAX_ORDER is refused", 50000000)
{
	struct zone *zone = one_zone(FIRST, 8192);
	struct page *page[8];

	for (unsigned int i = 0; i < 8; i++)
		page[i] = take(zone, MAX_ORDER);
	expect_refused(zone, world_page(FIRST), MAX_ORDER + 1);
	expect_refused(zone, world_page(FIRST), 31);
	for (unsigned int i = 0; i < 8; i++)
		give(page[i], MAX_ORDER);
	expect_sound(zone);
}

KTEST(refusal, what_is_not_the_zones_is_refused,
      "a block of another zone or node, or one that crosses the zone's end, is refused", 100000000)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 64, b - 16, 0, false }, { b - 16, b - 8, 1, false }, { b - 8, b, 0, false },
		{ b, b + 21, 0, false },
	};
	struct zone *low = build(ranges, ARRAY_SIZE(ranges)), *zone;
	struct zone *high = &node_data[0].zones[ZONE_NORMAL];
	struct zone *inside = &node_data[1].zones[ZONE_DMA32];	/* in the span of low */
	struct page *four = take(low, 2), *foreign = take(inside, 1);
	struct page *last[21];
	unsigned int n = 0;

	expect_refused(high, four, 2);
	expect_refused(inside, four, 2);
	expect_refused(low, foreign, 1);
	give(four, 2);
	give(foreign, 1);
	while (n < 21)
		last[n++] = take(high, 0);
	expect_refused(high, world_page(b + 16), 3);	/* 16..23, and the zone ends at 21 */
	expect_refused(high, world_page(b + 20), 1);
	expect_refused(high, world_page(b), 5);
	while (n)
		give(last[--n], 0);
	for_each_zone(zone)
		expect_sound(zone);
}

KTEST(refusal, a_reserved_block_is_refused,
      "a reserved page, or a hole's, is refused", 50000000)
{
	struct world_range ranges[] = {
		{ FIRST, FIRST + 24, 0, false }, { FIRST + 24, FIRST + 28, 0, true },
		{ FIRST + 30, FIRST + 64, 0, false },
	};
	struct zone *zone = build(ranges, ARRAY_SIZE(ranges));

	expect_refused(zone, world_page(FIRST + 24), 2);
	expect_refused(zone, world_page(FIRST + 27), 0);
	expect_refused(zone, world_page(FIRST + 28), 1);
	expect_sound(zone);
}
