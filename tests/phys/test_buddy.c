/* Blocks: random orders by several CPUs against a shadow map, coalescing, reserves, exact sizes. */
#include "test.h"
#include "mm/phys/pcp.h"


unsigned long pcp_overhead(void)
{
	unsigned long pages = 0;
	struct zone *zone;

	for_each_zone(zone)
		pages += zone->pcp != NULL;
	return pages;
}

static void drain_cpu(unsigned int cpu)
{
	struct zone *zone;

	(void)cpu;
	for_each_zone(zone)
		pcp_drain(zone);
}

void drain_cpus(void)
{
	host_run_cpus(nr_cpus, drain_cpu);
}

#if CONFIG_LAB > 1
static u8 owned[HOST_MAX_PHYS / PAGE_SIZE];	/* by frame: 1 if somebody thinks it is theirs */

static void own(struct page *page, unsigned int order, u8 value)
{
	pfn_t pfn = page_to_pfn(page);

	for (pfn_t p = pfn; p < pfn + (1UL << order); p++) {
		EXPECT(memblock_is_memory(PFN_PHYS(p)) && pfn_valid(p));
		EXPECT(page_zone(pfn_to_page(p)) == page_zone(page));
		EXPECT_EQ(__atomic_exchange_n(&owned[p], value, __ATOMIC_RELAXED), !value);
	}
}

struct snapshot {
	unsigned long nr_free[MAX_NUMNODES][MAX_NR_ZONES][NR_ORDERS];
};

static void take_snapshot(struct snapshot *s)
{
	struct zone *zone;

	drain_cpus();
	memset(s, 0, sizeof(*s));
	for_each_zone(zone) {
		walk_free_list(zone);
		for (unsigned int order = 0; order < NR_ORDERS; order++)
			s->nr_free[zone->nid][zone->type][order] = zone->free_area[order].nr_free;
	}
}

/* Poison is slow, and blocks are large. */
#ifdef CONFIG_DEBUG
#define STEPS	1500
#else
#define STEPS	30000
#endif

static u64 smp_seed;

static void churn_cpu(unsigned int cpu)
{
	struct { struct page *page; unsigned int order; } live[300];
	unsigned int n = 0;
	struct prng rng;

	prng_seed(&rng, smp_seed + cpu);
	for (int step = 0; step < STEPS && !test_failed(); step++) {
		unsigned int order = prng_below(&rng, 3) ? prng_below(&rng, 4) : prng_below(&rng, 11);
		unsigned int i = n ? prng_below(&rng, n) : 0;

		if (n < ARRAY_SIZE(live) && prng_below(&rng, 1000) < (step / 500 % 2 ? 700 : 300)) {
			gfp_t gfp = __GFP_NOWARN | (prng_below(&rng, 4) ? 0 : __GFP_DMA32);

			live[n].page = alloc_pages_node(prng_below(&rng, nr_nodes), gfp, order);
			live[n].order = order;
			if (!live[n].page)
				continue;
			EXPECT_EQ(page_to_pfn(live[n].page) & ((1UL << order) - 1), 0);
			EXPECT_EQ(page_count(live[n].page), 1);
			own(live[n++].page, order, 1);
		} else if (n) {
			own(live[i].page, live[i].order, 0);
			__free_pages(live[i].page, live[i].order);
			live[i] = live[--n];
		}
	}
	while (n--) {
		own(live[n].page, live[n].order, 0);
		__free_pages(live[n].page, live[n].order);
	}
}

static void test_churn(struct prng *rng)
{
	static struct snapshot before, after;

	for (int round = 0; round < 6 && !test_failed(); round++) {
		page_alloc_set_pressure_ops(NULL);
		page_free_hook = NULL;
		memset(owned, 0, sizeof(owned));
		random_layout(rng);
		mem_init();
		memblock.current_limit = HOST_MAX_PHYS;
		take_snapshot(&before);
		smp_seed = prng_next(rng);
		host_run_cpus(4, churn_cpu);
		take_snapshot(&after);
		EXPECT(!memcmp(&before, &after, sizeof(before)));
		EXPECT_EQ(log_count("BUG"), 0);
	}
}

static void boot(void)
{
	page_alloc_set_pressure_ops(NULL);
	page_free_hook = NULL;
	boot_memory(0x40000000, 64 * MIB);
}

static void refused(struct zone *zone, struct page *page, unsigned int order, const char *why)
{
	static struct snapshot before, after;

	take_snapshot(&before);
	log_forget();
	zone_core_free(zone, page, order);
	EXPECT_EQ(log_count(why), 1);
	take_snapshot(&after);
	EXPECT(!memcmp(&before, &after, sizeof(before)));
}

static void test_refusals(struct prng *rng)
{
	struct zone *zone = &node_data[0].zones[ZONE_DMA32];
	struct page *page;

	(void)rng;
	boot();
	page = alloc_pages(0, 5);
	refused(zone, page + 1, 1, "misaligned");
	refused(&node_data[0].zones[ZONE_NORMAL], page, 5, "another zone");
	refused(zone, page, MAX_ORDER + 1, "does not exist");
	__free_pages(page, 5);
	drain_cpus();
	refused(zone, page, 5, "double free");
	for (int i = 0; i < 32; i++)
		refused(zone, page + i, 0, "double free");
	page = alloc_pages(0, 2);
	log_forget();
	__free_pages(page, 1);
	__free_pages(page, 0);
	EXPECT_EQ(log_count("another order"), 2);
	__free_pages(page + 1, 0);
	EXPECT_EQ(log_count("double free, or inside a block"), 1);
	__free_pages(page, 2);
}

static void test_lists(struct prng *rng)
{
	struct zone *zone = &node_data[0].zones[ZONE_DMA32];
	static struct page *pages[4000];
	static struct snapshot before, after;

	(void)rng;
	boot();
	take_snapshot(&before);
	for (int i = 0; i < 4000; i++) {
		pages[i] = alloc_page(0);
		EXPECT(pcp_count(zone) <= PCP_MAX_PAGES);
	}
	EXPECT_EQ(nr_free_pages() + 4000 + pcp_overhead(), totalram_pages());
	for (int i = 0; i < 4000; i++) {
		__free_page(pages[i]);
		EXPECT(pcp_count(zone) <= PCP_MAX_PAGES);
	}
	for (int i = 0; i < 1000; i++)
		pages[i] = alloc_pages(0, i % 4);
	for (int i = 0; i < 1000; i++) {
		__free_pages(pages[i], i % 4);
		EXPECT(pcp_count(zone) <= PCP_MAX_PAGES);
	}
	EXPECT(pcp_count(zone) > 0);
	take_snapshot(&after);
	EXPECT_EQ(pcp_count(zone), 0);
	EXPECT(!memcmp(&before, &after, sizeof(before)));
}

static void test_exact(struct prng *rng)
{
	unsigned long before;

	boot();
	before = nr_free_pages();
	for (int i = 0; i < 200; i++) {
		size_t size = 1 + prng_below(rng, 300000);
		char *p = alloc_pages_exact(size, 0);

		EXPECT(p && IS_ALIGNED((unsigned long)p, PAGE_SIZE));
		EXPECT_EQ(before - nr_free_pages(), DIV_ROUND_UP(size, PAGE_SIZE));
		memset(p, 0x5a, size);
		free_pages_exact(p, size);
		EXPECT_EQ(nr_free_pages(), before);
	}
	EXPECT(!alloc_pages_exact(5 * MIB, __GFP_NOWARN));
	EXPECT(!alloc_pages_exact(0, 0));
	EXPECT_EQ(log_count("BUG"), 0);
}

/* DMA32 keeps its reserve from requests that could live in Normal, and gives it to its own. */
static void test_reserve(struct prng *rng)
{
	struct zone *dma = &node_data[0].zones[ZONE_DMA32];
	struct page *page;

	(void)rng;
	page_alloc_set_pressure_ops(NULL);
	reset_memory(0x140000000);
	memblock_add(0xfe000000, 32 * MIB, 0);
	memblock_add(0x100000000, 512 * MIB, 0);
	mem_init();
	memblock.current_limit = HOST_MAX_PHYS;
	EXPECT_EQ(dma->lowmem_reserve[ZONE_DMA32], 0);
	EXPECT(dma->lowmem_reserve[ZONE_NORMAL] >= 500);
	while ((page = alloc_page(__GFP_NOWARN)))
		;
	EXPECT(dma->free_pages >= dma->lowmem_reserve[ZONE_NORMAL] + dma->watermark[WMARK_MIN]);
	EXPECT(alloc_page(__GFP_NOWARN | __GFP_DMA32));
	EXPECT(alloc_pages(__GFP_NOWARN | __GFP_DMA32, 3));
	EXPECT(!zone_watermark_ok(dma, MAX_ORDER, WMARK_MIN, __GFP_DMA32 | __GFP_MEMALLOC) ||
	       dma->free_area[MAX_ORDER].nr_free);
}

const struct test buddy_tests[] = {
	{ "buddy: four CPUs share no page of any order, and all coalesces again", test_churn },
	{ "buddy: the core refuses what it cannot take back", test_refusals },
	{ "pcp: lists are short, counted, and drained to the last page", test_lists },
	{ "page_alloc: an exact size takes no page more", test_exact },
	{ "zonelist: DMA32 is defended", test_reserve },
	{ NULL, NULL },
};
#else
const struct test buddy_tests[] = { { NULL, NULL } };
#endif
