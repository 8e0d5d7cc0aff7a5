/*
 * The per-CPU lists, driven the way the front does (mm/phys/pcp.h), on top of whatever core there is.
 * How many pages a list holds is learned by emptying the core, not asked of the list.
 */
#include "test/ktest/trace.h"
#include "mm/phys/pcp.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FIRST	0x40000UL
#define PAGES	8192UL
#define GFP_TEST	(__GFP_NOWARN | __GFP_MEMALLOC)

static struct oracle oracle;

static struct zone *zone_with_lists(unsigned long pages)
{
	struct world_range range = { FIRST, FIRST + pages, 0, false };
	struct zone *zone = world_zone(FIRST, pages);

	oracle_init(&oracle, &range, 1, MAX_ORDER);
	zone_init_watermarks();
	zonelist_init();
	EXPECT_EQ(pcp_init(zone), 0);
	ASSERT_TRUE(zone->pcp != NULL);
	return zone;
}

/* Watched: how often the core was called, and whether as it must be. */
static unsigned int core_calls, misuse;

static void watch(struct zone *zone)
{
	core_calls++;
	if (!spin_is_held(&zone->lock) || !irqs_disabled())
		misuse++;
}

static struct page *watched_alloc(struct zone *zone, unsigned int order)
{
	watch(zone);
	return zone_core_alloc(zone, order);
}

static void watched_free(struct zone *zone, struct page *page, unsigned int order)
{
	watch(zone);
	zone_core_free(zone, page, order);
}

static void start_watching(void)
{
	world_hooks.core_alloc = watched_alloc;
	world_hooks.core_free = watched_free;
	core_calls = misuse = 0;
}

static struct page *list_alloc(struct zone *zone, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct page *page = pcp_alloc(zone, order);

	EXPECT_TRUE(irqs_disabled());
	EXPECT_FALSE(spin_is_held(&zone->lock));
	local_irq_restore(flags);
	return page;
}

static void list_free(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long flags = local_irq_save();

	EXPECT_TRUE(pcp_free(zone, page, order));
	EXPECT_FALSE(spin_is_held(&zone->lock));
	local_irq_restore(flags);
}

static unsigned long drain(struct zone *zone)
{
	unsigned long flags = local_irq_save();
	unsigned long n = pcp_drain(zone);

	EXPECT_TRUE(irqs_disabled());
	local_irq_restore(flags);
	return n;
}

/* Pages that neither the core gives nor anybody holds. All back in the core afterwards. The largest
 * blocks first: page by page is dear, and more so with some right cores than with others. */
static unsigned long pages_on_lists(struct zone *zone)
{
	unsigned int mark = ktest_mark();
	unsigned long n = 0, left = oracle_free_pages(&oracle, zone);
	struct { struct page *page; unsigned int order; } *taken = ktest_alloc((left + 1) * sizeof(*taken));

	for (int order = MAX_ORDER; order >= 0; order--) {
		while (left >> order && (taken[n].page = core_alloc(zone, order))) {
			taken[n++].order = order;
			left -= 1UL << order;
		}
	}
	while (n--)
		core_free(zone, taken[n].page, taken[n].order);
	ktest_release(mark);
	return left;
}

KTEST(pcp, lists_fetch_in_batches,
      "a row of allocations goes to the core a few times only, and so does a row of frees", 100000000)
{
	struct zone *zone = zone_with_lists(PAGES);
	static struct page *page[512];

	start_watching();
	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		unsigned int n = 512 >> order, trips = 0;

		for (unsigned int i = 0; i < n; i++) {
			unsigned int before = core_calls;

			page[i] = list_alloc(zone, order);
			ASSERT_TRUE(page[i] != NULL);
			ASSERT_OK(oracle_took(&oracle, zone, page[i], order));
			trips += core_calls != before;
		}
		EXPECT_LE(trips, order == PCP_MAX_ORDER ? n : n / 2);
		if (order == 0)
			EXPECT_LE(trips, n / 8);
		trips = 0;
		for (unsigned int i = 0; i < n; i++) {
			unsigned int before = core_calls;

			ASSERT_OK(oracle_gave(&oracle, page[i], order));
			list_free(zone, page[i], order);
			trips += core_calls != before;
		}
		if (order == 0)
			EXPECT_LE(trips, n / 8);
	}
	EXPECT_EQ(misuse, 0);
}

KTEST(pcp, lists_are_bounded,
      "one CPU's lists of a zone never hold more than 512 pages, and pcp_count() says how many",
      400000000)
{
	struct zone *zone = zone_with_lists(WORLD_MAX_PAGES);	/* so large that no share of it is less */
	unsigned int n = 0;
	static struct page *page[2048];
	static u8 order[2048];

	while (n < 2048) {
		unsigned int k = prng_below(&t->rng, PCP_MAX_ORDER + 1);

		page[n] = core_alloc(zone, k);
		if (!page[n])
			break;
		ASSERT_OK(oracle_took(&oracle, zone, page[n], k));
		order[n++] = k;
	}
	while (n--) {
		ASSERT_OK(oracle_gave(&oracle, page[n], order[n]));
		list_free(zone, page[n], order[n]);
		EXPECT_LE(pcp_count(zone), PCP_MAX_PAGES);
		if (n % 512 == 500) {
			unsigned long held = pages_on_lists(zone);

			EXPECT_LE(held, PCP_MAX_PAGES);
			EXPECT_EQ(pcp_count(zone), held);
		}
	}
	EXPECT_TRUE(pages_on_lists(zone) > 0);
}

KTEST(pcp, drain_gives_everything_back,
      "after a drain the lists are empty, and the core can merge everything", 200000000)
{
	struct zone *zone = zone_with_lists(PAGES);
	static struct page *page[400];
	unsigned long held;

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 400; i++) {
			page[i] = list_alloc(zone, i % 4);
			ASSERT_TRUE(page[i] != NULL);
			ASSERT_OK(oracle_took(&oracle, zone, page[i], i % 4));
		}
		for (unsigned int i = 0; i < 400; i++) {
			unsigned int k = i * 173 % 400;

			ASSERT_OK(oracle_gave(&oracle, page[k], k % 4));
			list_free(zone, page[k], k % 4);
		}
		held = pages_on_lists(zone);
		EXPECT_EQ(drain(zone), held);
		EXPECT_EQ(pcp_count(zone), 0);
		EXPECT_EQ(pages_on_lists(zone), 0);
		EXPECT_EQ(drain(zone), 0);
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	}
}

/* Blocks from the core to the lists. */
static void free_in_a_row(struct zone *zone, unsigned int order, unsigned int n)
{
	static struct page *page[760];

	for (unsigned int i = 0; i < n; i++) {
		page[i] = core_alloc(zone, order);
		ASSERT_TRUE(page[i] != NULL);
	}
	for (unsigned int i = 0; i < n; i++)
		list_free(zone, page[i], order);
}

KTEST(pcp, orders_share_one_limit,
      "when blocks of one order fill the lists, one of another order can still be had, and the limit holds",
      400000000)
{
	struct zone *zone = zone_with_lists(WORLD_MAX_PAGES);	/* as above */

	for (unsigned int i = 0; i < 2 * PCP_MAX_ORDER; i++) {
		unsigned int full = i < PCP_MAX_ORDER ? 0 : PCP_MAX_ORDER;
		unsigned int order = i < PCP_MAX_ORDER ? i + 1 : i - PCP_MAX_ORDER;

		for (unsigned int pages = 600; pages < 760; pages += 8) {
			struct page *page;

			free_in_a_row(zone, full, pages >> full);
			page = list_alloc(zone, order);
			ASSERT_TRUE(page != NULL);
			EXPECT_LE(pcp_count(zone), PCP_MAX_PAGES);
			ASSERT_OK(oracle_took(&oracle, zone, page, order));
			EXPECT_OK(oracle_gave(&oracle, page, order));
			list_free(zone, page, order);
			drain(zone);
		}
	}
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(pcp, refill_stops_at_the_watermark,
      "where a batch would bring the zone below its marks a refill takes one block only", 100000000)
{
	struct zone *zone = zone_with_lists(PAGES);
	unsigned long mark = zone->free_pages - 20;
	struct page *page;

	for (unsigned int m = 0; m < NR_WMARK; m++)
		zone->watermark[m] = mark;
	while (zone->free_pages > mark) {
		page = list_alloc(zone, 0);
		ASSERT_TRUE(page != NULL);
		ASSERT_OK(oracle_took(&oracle, zone, page, 0));
		ASSERT_TRUE(zone->free_pages >= mark);
	}
	page = list_alloc(zone, 2);		/* below it, too, who was let in gets a block, no batch */
	ASSERT_TRUE(page != NULL);
	EXPECT_GE(zone->free_pages, mark - 4);
}

KTEST(pcp, lists_give_all_there_is,
      "a refill that finds less than a batch keeps what it got: memory can be had to the last page", 200000000)
{
	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		unsigned int mark = ktest_mark(), n = 0;
		struct zone *zone = zone_with_lists(1000 + 5 * order);
		struct page *page;

		for (unsigned int m = 0; m < NR_WMARK; m++)
			zone->watermark[m] = 0;
		while ((page = list_alloc(zone, order))) {
			ASSERT_OK(oracle_took(&oracle, zone, page, order));
			n++;
		}
		EXPECT_EQ(n, (1000 + 5 * order) >> order);
		EXPECT_EQ(pcp_count(zone), 0);
		ktest_release(mark);
	}
}

KTEST(pcp, a_short_batch_is_kept,
      "when memory is in pieces, the few blocks of the order that a refill can get are handed out", 100000000)
{
	struct zone *zone = zone_with_lists(PAGES);
	struct page *page[2];

	for (unsigned int m = 0; m < NR_WMARK; m++)
		zone->watermark[m] = 0;
	for (unsigned int i = 0; i < PAGES; i++) {
		struct page *p = core_alloc(zone, 0);

		ASSERT_TRUE(p != NULL);
		ASSERT_OK(oracle_took(&oracle, zone, p, 0));
	}
	for (pfn_t pfn = FIRST; pfn < FIRST + PAGES; pfn++) {
		if (pfn % 8 == 7 && pfn % (PAGES / 2) != 7)	/* two blocks of 8, and crumbs */
			continue;
		EXPECT_OK(oracle_gave(&oracle, world_page(pfn), 0));
		core_free(zone, world_page(pfn), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		page[i] = list_alloc(zone, 3);
		ASSERT_TRUE(page[i] != NULL);
		ASSERT_OK(oracle_took(&oracle, zone, page[i], 3));
	}
	EXPECT_TRUE(list_alloc(zone, 3) == NULL);
	EXPECT_EQ(zone->lock.locked, 0);
}

KTEST(pcp, pages_that_left_the_lists_are_like_any_other,
      "a page that was on a list, then given back to the core, can be part of any block and be freed again",
      100000000)
{
	struct zone *zone = zone_with_lists(1024);
	static struct page *page[1024];
	unsigned int n;

	world_front();
	for (unsigned int round = 0; round < 6; round++) {
		unsigned int order = round % (PCP_MAX_ORDER + 1), large = 4 + round % 2;

		for (n = 0; n < 1024 && (page[n] = alloc_pages(GFP_TEST, order)); n++)
			ASSERT_OK(oracle_took(&oracle, zone, page[n], order));
		EXPECT_EQ(n, 1024 >> order);
		while (n--) {
			ASSERT_OK(oracle_gave(&oracle, page[n], order));
			__free_pages(page[n], order);
		}
		drain(zone);
		for (n = 0; n < 1024 && (page[n] = alloc_pages(GFP_TEST, large)); n++)
			ASSERT_OK(oracle_took(&oracle, zone, page[n], large));
		EXPECT_EQ(n, 1024 >> large);
		while (n--) {
			ASSERT_OK(oracle_gave(&oracle, page[n], large));
			__free_pages(page[n], large);
		}
		EXPECT_EQ(world_bad_pages(), 0);
	}
	EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

KTEST(pcp, lists_hold_the_lock_for_the_core,
      "refill, spill and drain call the core under zone->lock with interrupts off, and leave it free",
      100000000)
{
	struct zone *zone = zone_with_lists(PAGES);
	static struct page *page[1500];
	unsigned int n = 0;

	start_watching();
	while (n < 1500 && (page[n] = list_alloc(zone, 0)))
		n++;
	EXPECT_EQ(n, 1500);
	while (n)
		list_free(zone, page[--n], 0);
	drain(zone);
	EXPECT_TRUE(core_calls > 0);
	EXPECT_EQ(misuse, 0);
	EXPECT_EQ(zone->lock.locked, 0);
}

/* ---- a trace through lists and core -------------------------------------------------------- */

static void setup_lists(void)
{
	struct zone *zone;

	zone_init_watermarks();
	zonelist_init();
	for_each_zone(zone)
		pcp_init(zone);
}

static struct page *alloc_any(unsigned int order, unsigned int hint, struct zone **unused)
{
	struct zone *zone, *last = NULL;
	struct page *page;

	(void)unused;
	for_each_zone(zone)
		if (!last || hint % 2)
			last = zone;
	page = last ? list_alloc(last, order) : NULL;
	return page || !last ? page : core_alloc(last, order);
}

static void free_any(struct page *page, unsigned int order)
{
	struct zone *zone = page_zone(page);

	if (order <= PCP_MAX_ORDER)
		list_free(zone, page, order);
	else
		core_free(zone, page, order);
}

static void drain_lists(void)
{
	struct zone *zone;

	for_each_zone(zone)
		drain(zone);
}

KTEST_SEEDS(pcp, random_trace_through_the_lists,
	    "pages that pass through lists keep their zone, are had by one, and all come back",
	    600000000, 3)
{
	pfn_t b = DMA32_LIMIT_PFN;
	struct world_range ranges[] = {
		{ b - 1500, b - 700, 0, false }, { b - 650, b - 3, 0, false },
		{ b, b + 1100, 0, false },
	};
	struct trace trace = { .ranges = ranges, .nr_ranges = ARRAY_SIZE(ranges),
			       .max_order = MAX_ORDER, .setup = setup_lists, .alloc = alloc_any,
			       .free = free_any, .settle = drain_lists };

	trace_generate(&trace, &t->rng, 1500);
	trace_check(&trace);
}

KTEST(pcp, without_memory_there_are_no_lists,
      "pcp_init() that gets no memory says -ENOMEM, and the zone works without lists", 50000000)
{
	struct zone *zone = world_zone(FIRST, 512);
	struct page *page;

	zone_init_watermarks();
	world_hooks.no_pages = true;
	EXPECT_EQ(pcp_init(zone), -ENOMEM);
	EXPECT_TRUE(list_alloc(zone, 0) == NULL);
	EXPECT_EQ(pcp_count(zone), 0);
	EXPECT_EQ(drain(zone), 0);
	page = core_alloc(zone, 0);
	ASSERT_TRUE(page != NULL);
	core_free(zone, page, 0);
}
