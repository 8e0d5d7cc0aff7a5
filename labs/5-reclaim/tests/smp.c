/* Several CPUs at once: the seed chooses who comes in between where; and one that plays two, where it hurts. */
#include "test/ktest/memory.h"
#include "base/irq.h"
#include "mm/phys/vmstat.h"

#define PAGES	256

static unsigned long on(enum lru_list lru)
{
	return memory_node()->lruvec.nr[lru];
}

static unsigned long isolate(enum lru_list lru, unsigned long nr, struct list_head *to)
{
	INIT_LIST_HEAD(to);
	return isolate_lru_pages(&memory_node()->lruvec, lru, nr, MAX_NR_ZONES - 1, to, NULL);
}

static void put_all_back(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, list) {
		list_del(&page->list);
		putback_lru_page(page);
	}
}

/* ---- everybody works on the same lists ------------------------------------------------------- */

/* One of many pages is used, rotated, or taken off with its neighbours and put back. */
static void use_lists(unsigned int cpu, void *arg)
{
	const struct ktest_run *t = arg;
	struct list_head pages;
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	for (unsigned int i = 0; i < 400 && !ktest_failed(); i++) {
		struct page *page = memory_file_page(0, prng_below(&rng, 24));
		unsigned int kind = prng_below(&rng, 10);

		if (kind < 4) {
			mark_page_accessed(page);
		} else if (kind < 6) {
			rotate_reclaimable_page(page);
		} else if (kind < 9) {
			isolate(LRU_INACTIVE_FILE + (kind & 1), 1 + prng_below(&rng, 12), &pages);
			put_all_back(&pages);
		} else {
			shrink_active_list(&memory_node()->lruvec, LRU_ACTIVE_FILE, 4, MAX_NR_ZONES - 1);
		}
	}
}

KTEST_SEEDS(smp, cpus_share_the_lists, "pages that several CPUs use, promote, rotate and isolate at once are on one list each, and counted there",
	    600000000, 6)
{
	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 24; i++)
		memory_read(0, i);
	memory_on_cpus(ktest_nr_cpus(), t->seed, use_lists, t);
	EXPECT_EQ(on(LRU_INACTIVE_FILE) + on(LRU_ACTIVE_FILE), 24);
	EXPECT_OK(memory_check());
}

/* CPU 0 isolates whatever it finds; the others make processes' pages and free them again. */
static void free_under_isolation(unsigned int cpu, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 150 && !ktest_failed(); i++) {
		struct list_head pages;

		if (!cpu) {
			isolate(LRU_INACTIVE_ANON, 8, &pages);
			put_all_back(&pages);
			continue;
		}
		for (unsigned long page = 0; page < 4; page++)
			memory_touch(cpu, page, true);
		memory_exit(cpu);
	}
}

KTEST_SEEDS(smp, last_references_meet_isolation, "a page whose last reference goes while another CPU isolates it is freed once, and on no list",
	    600000000, 6)
{
	memory_world(PAGES, 0);
	for (unsigned int cpu = 1; cpu < ktest_nr_cpus(); cpu++) {
		memory_touch(cpu, 0, true);
		memory_exit(cpu);
	}
	memory_on_cpus(ktest_nr_cpus(), t->seed, free_under_isolation, NULL);
	EXPECT_EQ(on(LRU_INACTIVE_ANON) + on(LRU_ACTIVE_ANON), 0);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_OK(memory_check());
}

/* Each CPU has a process; files belong to all. Together they need three times what there is. */
static void live_together(unsigned int cpu, void *arg)
{
	const struct ktest_run *t = arg;
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	for (unsigned int i = 0; i < 500 && !ktest_failed(); i++) {
		unsigned long page = prng_below(&rng, PAGES);
		unsigned int kind = prng_below(&rng, 100);

		if (kind < 25)
			memory_read(0, page);
		else if (kind < 40)
			memory_write(0, page);
		else if (kind < 50)
			memory_map(1, page, kind < 43);
		else if (kind < 99)
			memory_touch(cpu, page, kind & 1);
		else
			memory_exit(cpu);
	}
}

KTEST_SEEDS(smp, cpus_reclaim_together, "CPUs that run out of memory together reclaim at the same time, and no page is lost or in two places",
	    1500000000, 3)
{
	memory_world(PAGES, 4 * PAGES);
	memory_read(0, 0);
	memory_map(1, 0, false);
	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
		memory_touch(cpu, 0, true);
	memory_on_cpus(ktest_nr_cpus(), t->seed, live_together, t);
	if (ktest_failed())
		return;
	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
		for (unsigned long page = 0; page < PAGES; page++)
			memory_touch(cpu, page, false);		/* complains if one was lost */
	EXPECT_OK(memory_check());
}

/* ---- somebody must die ------------------------------------------------------------------------ */

static void fill_tasks(void)
{
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = 2;
	for (unsigned int i = 0; i < 4; i++)
		memory_tasks[i] = (struct oom_task){ .pid = i + 1, .rss_anon = 100 * i + 10, .has_memory = true,
						     .is_init = !i };
}

static void ask_for_memory(unsigned int cpu, void *arg)
{
	(void)cpu, (void)arg;
	for (unsigned int i = 0; i < 10; i++)
		EXPECT_TRUE(out_of_memory(GFP_USER_MOVABLE, 0));
}

KTEST_SEEDS(smp, cpus_out_of_memory_kill_once, "CPUs that run out of memory at the same time kill one process between them", 200000000, 4)
{
	memory_world(PAGES, 0);
	fill_tasks();
	memory_on_cpus(ktest_nr_cpus(), t->seed, ask_for_memory, NULL);
	EXPECT_EQ(memory_kills, 1);
	EXPECT_EQ(memory_killed, 4);
}

static void another_kills(void)
{
	static unsigned int turns;

	if (turns++ < 20)
		out_of_memory(GFP_USER_MOVABLE, 0);
}

KTEST(smp, what_decides_is_looked_at_with_the_lock, "a CPU that comes to decide when another has just done so kills nobody", 100000000)
{
	memory_world(PAGES, 0);
	fill_tasks();
	memory_other_cpu = another_kills;
	EXPECT_TRUE(out_of_memory(GFP_USER_MOVABLE, 0));
	memory_other_cpu = NULL;
	EXPECT_EQ(memory_kills, 1);
}

/* ---- in the gap ------------------------------------------------------------------------------- */

static void process_ends(void)
{
	memory_exit(0);
}

KTEST(smp, a_process_ends_while_its_pages_are_isolated, "pages whose process ends while they are isolated are freed when they are put back", 20000000)
{
	struct list_head pages;

	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 10; i++)
		memory_touch(0, i, true);
	EXPECT_EQ(isolate(LRU_INACTIVE_ANON, 6, &pages), 6);
	memory_exit(0);
	put_all_back(&pages);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_EQ(on(LRU_INACTIVE_ANON) + on(LRU_ACTIVE_ANON), 0);
	EXPECT_OK(memory_check());
	for (unsigned long i = 0; i < 10; i++)
		memory_touch(0, i, true);
	memory_other_cpu = process_ends;		/* and in every gap that isolation leaves */
	isolate(LRU_INACTIVE_ANON, 6, &pages);
	memory_other_cpu = NULL;
	put_all_back(&pages);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_OK(memory_check());
}

/* Between kswapd's look at the free pages and what it does about it, memory falls and somebody says so. */
static void memory_falls(void)
{
	struct zone *zone = memory_zone();

	zone->free_pages = zone->free_area[0].nr_free = zone->watermark[WMARK_LOW] - 1;
	wakeup_kswapd(zone, 0);
}

KTEST(smp, a_wakeup_during_the_last_look_is_not_lost, "kswapd that is woken between its last look at free memory and its sleep does not sleep", 60000000)
{
	memory_world(PAGES, 0);
	memory_kswapd_runs = false;
	wakeup_kswapd(memory_zone(), 0);
	EXPECT_TRUE(memory_kswapd_awake());
	memory_other_cpu = memory_falls;
	balance_node(memory_node());
	memory_other_cpu = NULL;
	EXPECT_TRUE(kswapd_wanted(memory_node()));
}
