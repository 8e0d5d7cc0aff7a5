/* All of lab 1 together: booted by page_init() from memblock, used through the front by all CPUs. */
#include "test/ktest/oracle.h"
#include "lib/string.h"

#define FIRST		0x40000UL
#define PAGES		600
#define MAX_LIVE	48
#define GFP_TEST	(__GFP_NOWARN | __GFP_MEMALLOC)

static struct oracle oracle;
static struct world_range ranges[8];
static unsigned int nr_ranges;

/* Two pieces of memory, some of it reserved, through the student's memblock and page_init. */
static struct zone *boot(void)
{
	memblock_add(PFN_PHYS(FIRST), PAGES / 2 * PAGE_SIZE, 0);
	memblock_add(PFN_PHYS(FIRST + PAGES), PAGES / 2 * PAGE_SIZE, 0);
	memblock_reserve(PFN_PHYS(FIRST + 7), 3 * PAGE_SIZE);
	world_window(FIRST, 2 * PAGES);
	sections_init();
	page_init();
	world_front();
	nr_ranges = 3;
	ranges[0] = (struct world_range){ FIRST, FIRST + 7, 0, false };
	ranges[1] = (struct world_range){ FIRST + 10, FIRST + PAGES / 2, 0, false };
	ranges[2] = (struct world_range){ FIRST + PAGES, FIRST + PAGES + PAGES / 2, 0, false };
	oracle_init(&oracle, ranges, nr_ranges, 0);
	return &node_data[0].zones[ZONE_DMA32];
}

static struct page *take(void)
{
	struct page *page = alloc_page(GFP_TEST);

	if (page)
		ASSERT_OK(oracle_took(&oracle, NULL, page, 0));
	return page;
}

static void give(struct page *page)
{
	EXPECT_OK(oracle_gave(&oracle, page, 0));
	__free_page(page);
}

KTEST(smp, booted_allocator_serves_all_memory,
      "after page_init() every free page of memblock can be allocated, and no other", 50000000)
{
	struct zone *zone = boot();
	unsigned long n = 0;

	while (take())
		n++;
	EXPECT_EQ(n, PAGES - 3);
	EXPECT_EQ(zone->free_pages, 0);
	EXPECT_EQ(zone->managed_pages, PAGES - 3);
}

static void churn(unsigned int cpu, void *arg)
{
	const struct ktest_run *t = arg;
	struct page *live[MAX_LIVE];
	unsigned int n = 0;
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	for (unsigned int step = 0; step < 400 && !ktest_failed(); step++) {
		if (n < MAX_LIVE && (!n || prng_below(&rng, 2))) {
			live[n] = take();
			n += live[n] != NULL;
		} else {
			unsigned int i = prng_below(&rng, n);

			give(live[i]);
			live[i] = live[--n];
		}
	}
	while (n && !ktest_failed())
		give(live[--n]);
}

KTEST_SEEDS(smp, no_frame_has_two_owners,
	    "CPUs that allocate and free at the same time never get the same page", 400000000, 8)
{
	struct zone *zone = boot();

	ktest_on_cpus(ktest_nr_cpus(), t->seed, churn, t);
	EXPECT_EQ(zone->free_pages, PAGES - 3);
	EXPECT_EQ(world_bad_pages(), 0);
	if (!ktest_failed())
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

static unsigned int taken;

static void exhaust(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	while (!ktest_failed() && take())
		__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
}

KTEST_SEEDS(smp, cpus_exhaust_memory_together,
	    "CPUs that race to the last page get all pages between them, each once", 400000000, 6)
{
	struct zone *zone = boot();

	taken = 0;
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exhaust, NULL);
	EXPECT_EQ(taken, PAGES - 3);
	EXPECT_EQ(zone->free_pages, 0);
}

/* Three pages for all CPUs: they meet at the same one all the time. */
static void fight(unsigned int cpu, void *arg)
{
	struct zone *zone = arg;

	for (unsigned int i = 0; i < 150 && !ktest_failed(); i++) {
		struct page *page = core_alloc(zone, 0);

		if (!page)
			continue;
		ASSERT_OK(oracle_took(&oracle, zone, page, 0));
		if ((i + cpu) % 3 == 0)
			ktest_relax();
		EXPECT_OK(oracle_gave(&oracle, page, 0));
		core_free(zone, page, 0);
	}
}

KTEST_SEEDS(smp, cpus_fight_over_few_pages,
	    "CPUs that want the same few pages at the same time neither share nor lose one",
	    400000000, 12)
{
	struct world_range range = { FIRST, FIRST + 3, 0, false };
	struct zone *zone = world_zone(FIRST, 3);

	oracle_init(&oracle, &range, 1, 0);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, fight, zone);
	EXPECT_EQ(zone->free_pages, 3);
	EXPECT_EQ(world_bad_pages(), 0);
	if (!ktest_failed())
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

/* Two pages of a node of its own for each CPU. */
static void use_own_zone(unsigned int cpu, void *arg)
{
	struct zone *zone = &node_data[cpu].zones[ZONE_DMA32];
	struct page *page[2];

	(void)arg;
	for (unsigned int i = 0; i < 150 && !ktest_failed(); i++) {
		for (unsigned int k = 0; k < 2; k++) {
			page[k] = core_alloc(zone, 0);
			ASSERT_TRUE(page[k] != NULL);
			ASSERT_OK(oracle_took(&oracle, zone, page[k], 0));
		}
		for (unsigned int k = 0; k < 2; k++) {
			EXPECT_OK(oracle_gave(&oracle, page[k], 0));
			core_free(zone, page[k], 0);
		}
	}
}

KTEST_SEEDS(smp, zones_do_not_disturb_each_other,
	    "CPUs that use different zones, each under its own lock, share nothing", 400000000, 8)
{
	struct world_range range[MAX_NUMNODES];
	unsigned int n = min(ktest_nr_cpus(), (unsigned int)MAX_NUMNODES);

	for (unsigned int i = 0; i < n; i++)
		range[i] = (struct world_range){ FIRST + 2 * i, FIRST + 2 * i + 2, i, false };
	world_build(range, n);
	oracle_init(&oracle, range, n, 0);
	ktest_on_cpus(n, t->seed, use_own_zone, NULL);
	EXPECT_EQ(world_bad_pages(), 0);
	for (unsigned int i = 0; i < n && !ktest_failed(); i++) {
		EXPECT_EQ(node_data[i].zones[ZONE_DMA32].free_pages, 2);
		EXPECT_OK(oracle_drain_and_refill(&oracle, &node_data[i].zones[ZONE_DMA32]));
	}
}

/* All CPUs free one page at the same time: one of them is right. */
static struct {
	struct zone *zone;
	struct page *page;
	unsigned int cpus, arrived;
} meeting;

/* Until all CPUs were here @times times. */
static void meet(unsigned int times)
{
	__atomic_fetch_add(&meeting.arrived, 1, __ATOMIC_ACQ_REL);
	while (!ktest_failed() &&
	       __atomic_load_n(&meeting.arrived, __ATOMIC_ACQUIRE) < times * meeting.cpus)
		ktest_relax();
}

static void free_the_same(unsigned int cpu, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 30 && !ktest_failed(); i++) {
		if (!cpu) {
			meeting.page = core_alloc(meeting.zone, 0);
			ASSERT_TRUE(meeting.page != NULL);
			world_log_forget();
		}
		meet(3 * i + 1);
		core_free(meeting.zone, meeting.page, 0);
		meet(3 * i + 2);
		if (!cpu) {
			EXPECT_EQ(world_bad_pages(), meeting.cpus - 1);
			EXPECT_EQ(meeting.zone->free_pages, 20);
		}
		meet(3 * i + 3);
	}
}

KTEST_SEEDS(smp, one_of_many_frees_is_taken,
	    "of CPUs that free one page at the same time one succeeds, the others are refused",
	    400000000, 8)
{
	struct world_range range = { FIRST, FIRST + 20, 0, false };

	meeting.zone = world_zone(FIRST, 20);
	meeting.cpus = ktest_nr_cpus();
	meeting.arrived = 0;
	oracle_init(&oracle, &range, 1, 0);
	ktest_on_cpus(meeting.cpus, t->seed, free_the_same, NULL);
	world_log_forget();
	if (!ktest_failed())
		EXPECT_OK(oracle_drain_and_refill(&oracle, meeting.zone));
	EXPECT_EQ(world_bad_pages(), 0);
}

/* A ring of pages: CPU 0 puts in, the others take out and free. */
static struct {
	struct page *page[16];
	unsigned int put, got, left;
} ring;

static void hand_over(unsigned int cpu, void *arg)
{
	(void)arg;
	while (!ktest_failed()) {
		unsigned int got = __atomic_load_n(&ring.got, __ATOMIC_ACQUIRE);
		unsigned int put = __atomic_load_n(&ring.put, __ATOMIC_ACQUIRE);
		struct page *page;

		if (!cpu) {
			if (put == 500)
				return;
			if (put - got == ARRAY_SIZE(ring.page) || !(page = take())) {
				ktest_relax();
				continue;
			}
			ring.page[put % ARRAY_SIZE(ring.page)] = page;
			__atomic_store_n(&ring.put, put + 1, __ATOMIC_RELEASE);
		} else {
			if (got == 500)
				return;
			if (got == put) {
				ktest_relax();
				continue;
			}
			page = ring.page[got % ARRAY_SIZE(ring.page)];
			if (__atomic_compare_exchange_n(&ring.got, &got, got + 1, false,
							__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				give(page);
		}
	}
}

KTEST_SEEDS(smp, frees_from_another_cpu,
	    "pages that one CPU allocates and others free all come back", 400000000, 4)
{
	struct zone *zone = boot();

	memset(&ring, 0, sizeof(ring));
	ktest_on_cpus(ktest_nr_cpus(), t->seed, hand_over, NULL);
	EXPECT_EQ(zone->free_pages, PAGES - 3);
	if (!ktest_failed())
		EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
}

static unsigned int misuse;

static void watch_free(struct zone *zone, struct page *page, unsigned int order)
{
	if (!spin_is_held(&zone->lock) || !irqs_disabled())
		misuse++;
	zone_core_free(zone, page, order);
}

KTEST(smp, core_runs_under_its_lock,
      "page_init() holds zone->lock, with interrupts off, when it gives memory to the core; and "
      "the core leaves both as they were", 50000000)
{
	struct zone *zone;
	struct page *page;

	misuse = 0;
	world_hooks.core_free = watch_free;
	zone = boot();
	EXPECT_EQ(misuse, 0);
	EXPECT_EQ(zone->lock.locked, 0);
	EXPECT_FALSE(irqs_disabled());
	local_irq_disable();
	spin_lock(&zone->lock);
	page = zone_core_alloc(zone, 0);
	EXPECT_TRUE(spin_is_held(&zone->lock) && irqs_disabled());
	if (page)
		zone_core_free(zone, page, 0);
	EXPECT_TRUE(spin_is_held(&zone->lock) && irqs_disabled());
	spin_unlock(&zone->lock);
	local_irq_enable();
}
