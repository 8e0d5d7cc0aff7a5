/* The page allocator: random use by several CPUs against a shadow map, bad frees, pressure. */
#include "test.h"
#include "sched/thread.h"

#define BASE	0x40000000UL

static atomic_t owned[64 * 1024];	/* by frame above BASE: how many think it is theirs */

static atomic_t *owner_of(struct page *page)
{
	pfn_t n = page_to_pfn(page) - PFN_DOWN(BASE);

	if (n >= ARRAY_SIZE(owned)) {
		EXPECT(n < ARRAY_SIZE(owned));
		return &owned[0];
	}
	return &owned[n];
}

static void check_conserved(unsigned long live)
{
	unsigned long n = 0;
	struct zone *zone;

	drain_cpus();
	for_each_zone(zone)
		n += walk_free_list(zone);
	EXPECT_EQ(n + live + pcp_overhead(), totalram_pages());
	EXPECT_EQ(nr_free_pages(), n);
}

static void take(struct page *page)
{
	EXPECT_EQ(atomic_inc_return(owner_of(page)), 1);
	EXPECT_EQ(page_count(page), 1);
	EXPECT_EQ(page_mapcount(page), 0);
	EXPECT(!PageBuddy(page) && !PageReserved(page));
	EXPECT_EQ(page->mapping, NULL);
}

static void churn(struct prng *rng, unsigned int steps)
{
	struct page *live[256];
	unsigned int n = 0;

	while (steps-- && !test_failed()) {
		if (n < ARRAY_SIZE(live) && (prng_below(rng, 3) || !n)) {
			gfp_t gfp = prng_below(rng, 4) ? 0 : __GFP_ZERO;
			struct page *page = alloc_page(gfp | __GFP_NOWARN);

			if (!page)
				continue;
			take(page);
			if (gfp)
				EXPECT(!memchr_inv(page_address(page), 0, PAGE_SIZE));
			memset(page_address(page), 0x11, 64);
			live[n++] = page;
		} else {
			unsigned int i = prng_below(rng, n);

			EXPECT_EQ(atomic_dec_return(owner_of(live[i])), 0);
			if (prng_below(rng, 2)) {	/* somebody else looks at it, too */
				get_page(live[i]);
				put_page(live[i]);
			}
			__free_page(live[i]);
			live[i] = live[--n];
		}
	}
	while (n) {
		atomic_dec(owner_of(live[--n]));
		put_page(live[n]);
	}
}

static void boot(void)
{
	page_alloc_set_pressure_ops(NULL);
	page_free_hook = NULL;
	memset(owned, 0, sizeof(owned));
	boot_memory(BASE, 64 * MIB);
}

static void test_churn(struct prng *rng)
{
	boot();
	churn(rng, 20000);
	check_conserved(0);
	EXPECT_EQ(log_count("BUG"), 0);
}

static u64 smp_seed;

static void churn_cpu(unsigned int cpu)
{
	struct prng rng;

	prng_seed(&rng, smp_seed + cpu);
	churn(&rng, 40000);
}

static void test_smp(struct prng *rng)
{
	long in_use;

	boot();
	in_use = vm_stat_read(PGALLOC) - vm_stat_read(PGFREE);
	smp_seed = prng_next(rng);
	host_run_cpus(4, churn_cpu);
	check_conserved(0);
	EXPECT_EQ(log_count("BUG"), 0);
	EXPECT_EQ(vm_stat_read(PGALLOC) - vm_stat_read(PGFREE), in_use);
}

/* To the last page, which comes back once; lists are in order afterwards. */
static void test_exhaust(struct prng *rng)
{
	LIST_HEAD(all);
	struct page *page, *next;
	unsigned long n = 0;

	(void)rng;
	boot();
	while ((page = alloc_page(__GFP_MEMALLOC | __GFP_NOWARN))) {
		take(page);
		list_add(&page->list, &all);
		n++;
	}
	EXPECT_EQ(n + pcp_overhead(), totalram_pages());
	check_conserved(n);
	list_for_each_entry_safe(page, next, &all, list)
		__free_page(page);
	check_conserved(0);
}

static void expect_refused(struct page *page, unsigned int order, const char *why)
{
	struct page before = *page;

	log_forget();
	__free_pages(page, order);
	EXPECT_EQ(log_count(why), 1);
	EXPECT(!memcmp(&before, page, sizeof(before)));
}

static void test_bad_frees(struct prng *rng)
{
	struct page *page, *reserved;

	(void)rng;
	page_alloc_set_pressure_ops(NULL);
	reset_memory(BASE + 64 * MIB);
	memblock_add(BASE, 64 * MIB, 0);
	memblock_reserve(BASE, 0x3000);
	mem_init();

	page = alloc_page(0);
	expect_refused(page, 1, "another order");
	expect_refused(page, 77, "another order");
	page->_mapcount.counter = 0;
	expect_refused(page, 0, "still mapped");
	page->_mapcount.counter = -1;
	for (int flag = PG_locked; flag <= PG_slab; flag++) {
		if (flag != PG_locked && flag != PG_lru && flag != PG_writeback && flag != PG_slab)
			continue;
		page->flags |= BIT(flag);
		expect_refused(page, 0, "still locked");
		page->flags &= ~BIT(flag);
	}
	__free_page(page);
	expect_refused(page, 0, "double free");
	check_conserved(0);

	reserved = pfn_to_page(PFN_DOWN(BASE) + 1);
	expect_refused(reserved, 0, "reserved");
	get_page(reserved);		/* but it may be referenced, as the zero page is */
	log_forget();
	put_page(reserved);
	EXPECT_EQ(log_count("BUG"), 0);

	log_forget();
	__free_page(pfn_to_page(PFN_DOWN(BASE) - PAGES_PER_SECTION));
	__free_page((struct page *)((char *)page + 8));
	__free_page((struct page *)0x1000);
	EXPECT_EQ(log_count("does not exist"), 3);
	check_conserved(0);
}

static unsigned int hook_calls;

static void take_off_list(struct page *page)
{
	hook_calls++;
	ClearPageLRU(page);
}

/* A page that is in no cache any more may come back to a list with its last reference: the hook's business. */
static void test_free_listed(struct prng *rng)
{
	struct page *page;

	(void)rng;
	reset_memory(BASE + 64 * MIB);
	memblock_add(BASE, 64 * MIB, 0);
	mem_init();
	page = alloc_page(0);
	page_free_hook = take_off_list;
	hook_calls = 0;
	page->flags |= BIT(PG_lru);
	page->mapping = (struct address_space *)0x1000;
	expect_refused(page, 0, "still locked");
	EXPECT_EQ(hook_calls, 0);
	page->mapping = NULL;
	get_page(page);
	put_page(page);
	EXPECT_EQ(hook_calls, 0);
	log_forget();
	put_page(page);
	EXPECT_EQ(hook_calls, 1);
	EXPECT_EQ(log_count("BUG"), 0);
	page_free_hook = NULL;
	check_conserved(0);
}

/* Two CPUs free one page at the same time: one of them is refused. */
static struct page *contested;
static atomic_t gate;

static void free_contested(unsigned int cpu)
{
	(void)cpu;
	atomic_inc(&gate);
	while (atomic_read(&gate) < 2)
		;
	__free_page(contested);
}

static void test_double_free_race(struct prng *rng)
{
	(void)rng;
	boot();
	for (int i = 0; i < 200 && !test_failed(); i++) {
		contested = alloc_page(0);
		atomic_set(&gate, 0);
		log_forget();
		host_run_cpus(2, free_contested);
		EXPECT_EQ(log_count("Bad page"), 1);
		EXPECT_EQ(page_count(contested), 0);
	}
	check_conserved(0);
}

static void test_zones(struct prng *rng)
{
	struct page *page;

	(void)rng;
	page_alloc_set_pressure_ops(NULL);
	reset_memory(0x101000000);
	memblock_add(0xfe000000, 48 * MIB, 0);	/* 32 MiB below 4 GiB, 16 above */
	memblock_add(0x101000000, 16 * MIB, 1);
	mem_init();
	EXPECT_EQ(nr_nodes, 2);

	page = alloc_page(0);
	EXPECT(page_to_phys(page) >= 1UL << 32);
	EXPECT_EQ(page_zone(page)->nid, 0);
	__free_page(page);
	page = alloc_page(__GFP_DMA32);
	EXPECT(page_to_phys(page) < 1UL << 32);
	__free_page(page);
	page = alloc_pages_node(1, 0, 0);
	EXPECT_EQ(page_zone(page)->nid, 1);
	__free_page(page);

	/* Node 1 has nothing below 4 GiB; what must be there comes from node 0, or not at all. */
	page = alloc_pages_node(1, __GFP_DMA32, 0);
	EXPECT(page && page_zone(page)->nid == 0);
	__free_page(page);
	EXPECT(!alloc_pages_node(1, __GFP_DMA32 | __GFP_THISNODE | __GFP_NOWARN, 0));
	while ((page = alloc_pages_node(1, __GFP_THISNODE | __GFP_NOWARN, 0)))
		EXPECT_EQ(page_zone(page)->nid, 1);
	page = alloc_pages_node(1, 0, 0);
	EXPECT(page && page_zone(page)->nid == 0);
	EXPECT(alloc_pages_node(5, 0, 0));	/* no such node */
}

/* ---- pressure ----------------------------------------------------------------------------- */

static LIST_HEAD(cache);		/* pages that reclaim may free */
static unsigned int nr_wakes, nr_reclaims, nr_ooms, oom_gives;

static void wake(struct zone *zone, unsigned int order)
{
	(void)zone;
	(void)order;
	nr_wakes++;
}

static unsigned long reclaim(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct page *page;
	unsigned long n = 0;

	(void)zone;
	(void)gfp;
	(void)order;
	nr_reclaims++;
	/* Reclaim itself allocates: this must neither recurse nor fail while reserves last. */
	page = alloc_page(GFP_KERNEL);
	EXPECT(page);
	__free_page(page);
	for (; n < 32 && !list_empty(&cache); n++) {
		page = list_first_entry(&cache, struct page, list);
		list_del(&page->list);
		__free_page(page);
	}
	return n;
}

static bool oom(gfp_t gfp, unsigned int order)
{
	(void)gfp;
	(void)order;
	nr_ooms++;
	for (unsigned int i = 0; i < oom_gives && !list_empty(&cache); i++) {
		struct page *page = list_first_entry(&cache, struct page, list);

		list_del(&page->list);
		__free_page(page);
	}
	return oom_gives > 0;
}

static const struct pressure_ops ops = { .wake = wake, .reclaim = reclaim, .oom = oom };

/* Everything down to the min watermark is in @cache. */
static void fill_cache(void)
{
	struct page *page;

	boot();
	INIT_LIST_HEAD(&cache);
	while ((page = alloc_page(__GFP_NOWARN)))
		list_add(&page->list, &cache);
	nr_wakes = nr_reclaims = nr_ooms = oom_gives = 0;
	page_alloc_set_pressure_ops(&ops);
	strscpy(current_thread()->comm, "host", sizeof(current_thread()->comm));
	current_head()->preempt_count = 0;
	local_irq_enable();
}

static void test_pressure(struct prng *rng)
{
	struct zone *zone = &node_data[0].zones[ZONE_DMA32];
	struct page *page;

	(void)rng;
	fill_cache();
	EXPECT_EQ(zone->free_pages, zone->watermark[WMARK_MIN]);

	EXPECT(!alloc_page(GFP_NOWAIT | __GFP_NOWARN));	/* cannot sleep: wakes, then fails */
	EXPECT(nr_wakes > 0 && !nr_reclaims);
	page = alloc_page(GFP_ATOMIC);			/* urgent: half of the reserve is open */
	EXPECT(page);
	__free_page(page);

	for (int i = 0; i < 1000; i++) {		/* reclaim keeps up */
		page = alloc_page(GFP_KERNEL);
		EXPECT(page);
		list_add_tail(&page->list, &cache);
	}
	EXPECT(nr_reclaims > 10);
	EXPECT_EQ(nr_ooms, 0);
	EXPECT_EQ(log_count("allocation failure"), 0);
}

static void test_failure(struct prng *rng)
{
	struct page *page;
	LIST_HEAD(hidden);

	(void)rng;
	fill_cache();
	list_splice_init(&cache, &hidden);		/* nothing to reclaim */
	EXPECT(!alloc_page(GFP_KERNEL | __GFP_NOWARN));
	EXPECT_EQ(nr_ooms, 1);
	EXPECT_EQ(log_count("allocation failure"), 0);
	EXPECT(!alloc_page(GFP_KERNEL | __GFP_NORETRY));
	EXPECT_EQ(nr_ooms, 1);
	EXPECT_EQ(log_count("host: page allocation failure: order:0, mode:0x"), 1);

	list_splice_init(&hidden, &cache);
	oom_gives = 64;					/* the OOM killer finds somebody */
	page = alloc_page(GFP_KERNEL);
	EXPECT(page);
}

static void test_orders(struct prng *rng)
{
	(void)rng;
	boot();
	EXPECT_EQ(!alloc_pages(__GFP_NOWARN, MAX_ORDER + 1), true);
	if (CONFIG_LAB == 1) {
		EXPECT(!alloc_pages(__GFP_NOWARN, 1));
		EXPECT(!__get_free_pages(__GFP_NOWARN, 3));
	}
	check_conserved(0);
	free_page(NULL);
	free_page(get_zeroed_page(0));
	check_conserved(0);
}

static unsigned int hook_calls;

static void hook(struct page *page)
{
	EXPECT_EQ(page->mapping, (void *)0x1001);
	hook_calls++;
}

static void test_hook(struct prng *rng)
{
	struct page *page;

	(void)rng;
	boot();
	hook_calls = 0;
	page_free_hook = hook;
	page = alloc_page(0);
	page->mapping = (void *)0x1001;
	page->flags |= BIT(PG_uptodate) | BIT(PG_dirty) | BIT(PG_swapbacked);
	get_page(page);
	put_page(page);
	EXPECT_EQ(hook_calls, 0);
	put_page(page);
	EXPECT_EQ(hook_calls, 1);
	page = alloc_page(0);
	EXPECT_EQ(page->mapping, NULL);
	EXPECT_EQ(page->flags << 8, 0);
	EXPECT_EQ(log_count("BUG"), 0);
}

#ifdef CONFIG_DEBUG
static void test_poison(struct prng *rng)
{
	struct page *page, *again;
	char *p;

	(void)rng;
	boot();
	page = alloc_page(0);
	p = page_address(page);
	__free_page(page);
	EXPECT_EQ(p[100], (char)0xaa);
	p[100] = 7;
	again = alloc_page(0);		/* last in, first out */
	EXPECT(again == page);
	EXPECT_EQ(log_count("was written after it was freed: byte 64 is 07"), 1);
	__free_page(again);
	log_forget();
	__free_page(alloc_page(0));
	EXPECT_EQ(log_count("was written"), 0);
}

#endif

const struct test alloc_tests[] = {
	{ "page_alloc: random use by one CPU loses and shares no page", test_churn },
	{ "page_alloc: random use by four CPUs loses and shares no page", test_smp },
	{ "page_alloc: every page can be had, once, and given back", test_exhaust },
	{ "page_alloc: bad frees are refused and change nothing", test_bad_frees },
	{ "page_alloc: a page that is still on a list leaves it when it is free", test_free_listed },
	{ "page_alloc: of two frees at the same time one is refused", test_double_free_race },
	{ "page_alloc: zones and nodes are respected", test_zones },
	{ "page_alloc: reclaim is woken, called and kept from recursion", test_pressure },
	{ "page_alloc: a failure is reported once, after the OOM killer", test_failure },
	{ "page_alloc: an order that does not exist is refused", test_orders },
#ifdef CONFIG_DEBUG
	{ "page_alloc: DEBUG=1 finds a write into a freed page", test_poison },
#endif
	{ "page_alloc: the owner's hook runs at the last reference", test_hook },
	{ NULL, NULL },
};
