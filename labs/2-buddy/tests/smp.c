/* Core, lists and zonelist under the front, on one CPU and on several. */
#include "test/ktest/oracle.h"
#include "mm/phys/pcp.h"
#include "lib/string.h"

#define B		DMA32_LIMIT_PFN
#define GFP_TEST	(__GFP_NOWARN | __GFP_MEMALLOC)
#define MAX_LIVE	40

static struct oracle oracle;

static void drain_cpu(unsigned int cpu, void *arg)
{
	unsigned long flags = local_irq_save();
	struct zone *zone;

	(void)cpu;
	(void)arg;
	for_each_zone(zone)
		pcp_drain(zone);
	local_irq_restore(flags);
}

/* Everything was freed: all CPUs' lists go back, and each zone must be whole. */
static void expect_whole(struct ktest_run *t)
{
	struct zone *zone;

	for_each_zone(zone)
		EXPECT_EQ(zone->free_pages + pcp_count(zone), zone->managed_pages);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, drain_cpu, NULL);
	for_each_zone(zone) {
		EXPECT_EQ(pcp_count(zone), 0);
		EXPECT_EQ(zone->free_pages, zone->managed_pages);
		if (!ktest_failed())
			EXPECT_OK(oracle_drain_and_refill(&oracle, zone));
	}
	EXPECT_EQ(world_bad_pages(), 0);
}

/* Called when a CPU's timer fires while several CPUs run a test; in the kernel only. */
extern void (*ktest_jitter_hook)(unsigned int cpu);

static void boot(const struct world_range *ranges, unsigned int n)
{
	ktest_jitter_hook = NULL;
	world_build(ranges, n);
	oracle_init(&oracle, ranges, n, MAX_ORDER);
	world_front();
}

KTEST(smp, exact_allocations_waste_nothing,
      "alloc_pages_exact() takes as many pages as asked for, and they and the rest merge again",
      100000000)
{
	static const struct world_range range = { 0x40000, 0x40400, 0, false };
	static const unsigned int pages[] = { 1, 3, 5, 7, 100, 129, 2 };
	struct zone *zone = &node_data[0].zones[ZONE_DMA32];
	unsigned long used = 0;
	void *p[ARRAY_SIZE(pages)];

	boot(&range, 1);
	world_contents(0x400);
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		p[i] = alloc_pages_exact(pages[i] * PAGE_SIZE - 5, GFP_TEST);
		ASSERT_TRUE(p[i] != NULL);
		for (unsigned int k = 0; k < pages[i]; k++)
			ASSERT_OK(oracle_took(&oracle, zone,
					      virt_to_page((char *)p[i] + k * PAGE_SIZE), 0));
		used += pages[i];
	}
	drain_cpu(0, NULL);
	EXPECT_EQ(zone->free_pages, 0x400 - used);
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		for (unsigned int k = 0; k < pages[i]; k++)
			ASSERT_OK(oracle_gave(&oracle,
					      virt_to_page((char *)p[i] + k * PAGE_SIZE), 0));
		free_pages_exact(p[i], pages[i] * PAGE_SIZE - 5);
	}
	expect_whole(t);
}

KTEST(smp, dma32_survives_a_flood,
      "when requests that could live in Normal have taken all they get, DMA32 still serves its own",
      200000000)
{
	static const struct world_range ranges[] = {
		{ B - 1024, B, 0, false }, { B, B + 8192, 0, false },
	};
	unsigned long n = 0, low = 0;
	struct page *page;

	boot(ranges, ARRAY_SIZE(ranges));
	while ((page = alloc_page(__GFP_NOWARN))) {
		ASSERT_OK(oracle_took(&oracle, NULL, page, 0));
		low += page_to_pfn(page) < B;
		n++;
	}
	EXPECT_GE(n, 8192);			/* it did fall back */
	EXPECT_TRUE(low > 0);
	for (unsigned int i = 0; i < 16; i++) {
		page = alloc_page(__GFP_NOWARN | __GFP_DMA32);
		ASSERT_TRUE(page != NULL);
		EXPECT_TRUE(page_to_pfn(page) < B);
		ASSERT_OK(oracle_took(&oracle, NULL, page, 0));
	}
}

/* ---- several CPUs --------------------------------------------------------------------------- */

struct live {
	struct page *page[MAX_LIVE];
	u8 order[MAX_LIVE];
	unsigned int n;
};

static void churn(unsigned int cpu, const struct ktest_run *t, bool front, bool drains)
{
	struct live live = { .n = 0 };
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	for (unsigned int step = 0; step < 300 && !ktest_failed(); step++) {
		unsigned int i, order = prng_below(&rng, 3) ? prng_below(&rng, 2) : prng_below(&rng, 6);

		if (drains && !prng_below(&rng, 6))
			drain_cpu(cpu, NULL);
		if (live.n < MAX_LIVE && (!live.n || prng_below(&rng, 2))) {
			struct zone *zone = &node_data[0].zones[ZONE_DMA32];
			struct page *page = front ? alloc_pages(GFP_TEST, order) :
						    core_alloc(zone, order);

			if (!page)
				continue;
			ASSERT_OK(oracle_took(&oracle, NULL, page, order));
			live.page[live.n] = page;
			live.order[live.n++] = order;
			continue;
		}
		i = prng_below(&rng, live.n);
		EXPECT_OK(oracle_gave(&oracle, live.page[i], live.order[i]));
		if (front)
			__free_pages(live.page[i], live.order[i]);
		else
			core_free(page_zone(live.page[i]), live.page[i], live.order[i]);
		live.n--;
		live.page[i] = live.page[live.n];
		live.order[i] = live.order[live.n];
	}
	while (live.n && !ktest_failed()) {
		live.n--;
		EXPECT_OK(oracle_gave(&oracle, live.page[live.n], live.order[live.n]));
		if (front)
			__free_pages(live.page[live.n], live.order[live.n]);
		else
			core_free(page_zone(live.page[live.n]), live.page[live.n],
				  live.order[live.n]);
	}
}

static void churn_core(unsigned int cpu, void *arg)
{
	churn(cpu, arg, false, false);
}

static void churn_front(unsigned int cpu, void *arg)
{
	churn(cpu, arg, true, false);
}

static void churn_and_drain(unsigned int cpu, void *arg)
{
	churn(cpu, arg, true, true);
}

KTEST_SEEDS(smp, cpus_share_blocks,
	    "CPUs that split and merge at the same time never get the same page", 600000000, 6)
{
	static const struct world_range range = { 0x40003, 0x40003 + 1200, 0, false };

	boot(&range, 1);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, churn_core, t);
	if (!ktest_failed())
		expect_whole(t);
}

/* Sixteen pages for all CPUs: each free finds a buddy that another CPU is about to take. */
static void fight(unsigned int cpu, void *arg)
{
	struct zone *zone = arg;

	for (unsigned int i = 0; i < 200 && !ktest_failed(); i++) {
		unsigned int order = (i + cpu) % 5 ? 0 : 1 + i % 2;
		struct page *page = core_alloc(zone, order);

		if (!page)
			continue;
		ASSERT_OK(oracle_took(&oracle, zone, page, order));
		if ((i + cpu) % 3 == 0)
			ktest_relax();
		EXPECT_OK(oracle_gave(&oracle, page, order));
		core_free(zone, page, order);
	}
}

KTEST_SEEDS(smp, cpus_fight_over_buddies,
	    "CPUs that free and take each other's buddies at the same time neither share nor lose one",
	    600000000, 12)
{
	static const struct world_range range = { 0x40000, 0x40010, 0, false };

	ktest_jitter_hook = NULL;
	world_build(&range, 1);
	oracle_init(&oracle, &range, 1, MAX_ORDER);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, fight, &node_data[0].zones[ZONE_DMA32]);
	EXPECT_EQ(world_bad_pages(), 0);
	if (!ktest_failed())
		EXPECT_OK(oracle_drain_and_refill(&oracle, &node_data[0].zones[ZONE_DMA32]));
}

KTEST_SEEDS(smp, cpus_share_lists,
	    "CPUs that allocate and free through their lists never get the same page", 600000000, 8)
{
	static const struct world_range ranges[] = {
		{ B - 700, B, 0, false }, { B, B + 900, 0, false },
	};

	boot(ranges, ARRAY_SIZE(ranges));
	ktest_on_cpus(ktest_nr_cpus(), t->seed, churn_front, t);
	if (!ktest_failed())
		expect_whole(t);
}

KTEST_SEEDS(smp, a_cpu_drains_its_own_lists,
	    "CPUs that drain their lists while others use theirs disturb nobody", 600000000, 6)
{
	static const struct world_range range = { 0x40000, 0x40000 + 900, 0, false };

	boot(&range, 1);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, churn_and_drain, t);
	if (!ktest_failed())
		expect_whole(t);
}

static unsigned int taken, done;

/* Every CPU takes what it can get, and then gives it back. */
static void exhaust(unsigned int cpu, void *arg)
{
	static struct page *page[NR_CPUS][1200];
	unsigned int n = 0;

	(void)arg;
	while (n < 1200 && !ktest_failed() && (page[cpu][n] = alloc_page(GFP_TEST))) {
		ASSERT_OK(oracle_took(&oracle, NULL, page[cpu][n], 0));
		n++;
	}
	__atomic_fetch_add(&taken, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&done, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < ktest_nr_cpus() && !ktest_failed())
		ktest_relax();
	while (n && !ktest_failed()) {
		EXPECT_OK(oracle_gave(&oracle, page[cpu][--n], 0));
		__free_page(page[cpu][n]);
	}
}

KTEST_SEEDS(smp, cpus_exhaust_memory_together,
	    "CPUs that race to the last page get all pages between them, each once, and all come back",
	    600000000, 4)
{
	static const struct world_range range = { 0x40001, 0x40001 + 1100, 0, false };

	taken = done = 0;
	boot(&range, 1);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exhaust, NULL);
	EXPECT_EQ(taken, 1100);
	if (!ktest_failed())
		expect_whole(t);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

#define IRQ_LIVE	4

static struct {
	struct page *page[NR_CPUS][IRQ_LIVE];
	unsigned int next[NR_CPUS];
} irq;

/* A handler that frees what it allocated a few interrupts ago, and allocates anew. */
static void allocate_in_interrupt(unsigned int cpu)
{
	struct page **page = &irq.page[cpu][irq.next[cpu]++ % IRQ_LIVE];
	struct zone *zone;

	for_each_zone(zone) {
		EXPECT_FALSE(spin_is_held(&zone->lock));
		if (spin_is_held(&zone->lock))
			return;			/* it would wait for itself */
	}
	if (ktest_failed())
		return;
	if (*page) {
		EXPECT_OK(oracle_gave(&oracle, *page, 0));
		__free_page(*page);
	}
	*page = alloc_page(GFP_TEST);
	if (*page)
		EXPECT_OK(oracle_took(&oracle, NULL, *page, 0));
}

/* Rows of allocations and of frees: the lists run empty and full all the time. */
static void allocate_in_rows(unsigned int cpu, void *arg)
{
	struct page *page[48];

	(void)cpu;
	(void)arg;
	for (unsigned int row = 0; row < 20 && !ktest_failed(); row++) {
		unsigned int n = 0;

		while (n < ARRAY_SIZE(page) && !ktest_failed() && (page[n] = alloc_page(GFP_TEST))) {
			EXPECT_OK(oracle_took(&oracle, NULL, page[n], 0));
			n++;
		}
		while (n && !ktest_failed()) {
			EXPECT_OK(oracle_gave(&oracle, page[--n], 0));
			__free_page(page[n]);
		}
		if (row % 4 == 3)
			drain_cpu(cpu, NULL);
		EXPECT_FALSE(irqs_disabled());
	}
}

KTEST_SEEDS(smp, interrupts_allocate_too,
	    "an interrupt handler that allocates and frees never meets a half-edited list, nor a held lock",
	    600000000, 6)
{
	static const struct world_range range = { 0x40000, 0x40000 + 800, 0, false };

	boot(&range, 1);
	memset(&irq, 0, sizeof(irq));
	ktest_jitter_hook = allocate_in_interrupt;
	ktest_on_cpus(ktest_nr_cpus(), t->seed, allocate_in_rows, NULL);
	ktest_jitter_hook = NULL;
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		for (unsigned int i = 0; i < IRQ_LIVE && !ktest_failed(); i++) {
			if (!irq.page[cpu][i])
				continue;
			EXPECT_OK(oracle_gave(&oracle, irq.page[cpu][i], 0));
			__free_page(irq.page[cpu][i]);
		}
	}
	if (!ktest_failed())
		expect_whole(t);
}

/* ---- one CPU's pages, freed by others ------------------------------------------------------- */

static struct {
	struct page *page[16];
	unsigned int put, got;
} ring;

#define HANDED_OVER	600

static void put_one(unsigned int put)
{
	unsigned int order = put % 7 ? 0 : put % 4;
	struct page *page = alloc_pages(GFP_TEST, order);

	if (!page) {
		ktest_relax();
		return;
	}
	ASSERT_OK(oracle_took(&oracle, NULL, page, order));
	ring.page[put % ARRAY_SIZE(ring.page)] = page;
	__atomic_store_n(&ring.put, put + 1, __ATOMIC_RELEASE);
}

static void hand_over(unsigned int cpu, void *arg)
{
	(void)arg;
	while (!ktest_failed()) {
		unsigned int got = __atomic_load_n(&ring.got, __ATOMIC_ACQUIRE);
		unsigned int put = __atomic_load_n(&ring.put, __ATOMIC_ACQUIRE);
		unsigned int order = got % 7 ? 0 : got % 4;
		struct page *page;

		if ((cpu ? got : put) == HANDED_OVER)
			return;
		if (cpu ? got == put : put - got == ARRAY_SIZE(ring.page)) {
			ktest_relax();
			continue;
		}
		if (!cpu) {
			put_one(put);
			continue;
		}
		page = ring.page[got % ARRAY_SIZE(ring.page)];
		if (!__atomic_compare_exchange_n(&ring.got, &got, got + 1, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		EXPECT_OK(oracle_gave(&oracle, page, order));
		__free_pages(page, order);
	}
}

KTEST_SEEDS(smp, frees_on_other_cpus_come_back,
	    "pages that one CPU allocates and others free are not stranded on lists", 600000000, 4)
{
	static const struct world_range range = { 0x40000, 0x40000 + 1000, 0, false };

	memset(&ring, 0, sizeof(ring));
	boot(&range, 1);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, hand_over, NULL);
	if (!ktest_failed())
		expect_whole(t);
}
