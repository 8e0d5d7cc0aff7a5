/* Several CPUs at once: the seed chooses who comes in between where; and one that plays two, where it hurts. */
#include "helpers.h"
#include "base/irq.h"
#include "mm/phys/vmstat.h"

#define PAGES	256

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

KTEST_SEEDS(smp, cpus_share_the_lists,
	    "pages that several CPUs use, promote, rotate and isolate at once are on one list each, "
	    "and counted there", 600000000, 6)
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

KTEST_SEEDS(smp, last_references_meet_isolation,
	    "a page whose last reference goes while another CPU isolates it is freed once, and on no list",
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

/* CPU 0 isolates whatever it finds; the others cut files short and read them again. */
static void truncate_under_isolation(unsigned int cpu, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 200 && !ktest_failed(); i++) {
		struct list_head pages;

		if (!cpu) {
			isolate(LRU_INACTIVE_FILE, 8, &pages);
			put_all_back(&pages);
			continue;
		}
		for (unsigned long page = 0; page < 4; page++)
			memory_read(cpu, page);
		for (unsigned long page = 0; page < 4; page++)
			memory_truncate(cpu, page);
	}
}

KTEST_SEEDS(smp, truncation_meets_isolation,
	    "a page that leaves its file while another CPU isolates it is taken off its list once, and not put back",
	    600000000, 6)
{
	struct list_head pages;

	memory_world(PAGES, 0);
	read_pages(0, 4);
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 4, &pages), 4);
	for (unsigned long page = 0; page < 4; page++)
		memory_truncate(0, page);
	put_all_back(&pages);
	EXPECT_EQ(on(LRU_INACTIVE_FILE) + on(LRU_ACTIVE_FILE), 0);
	EXPECT_EQ(memory_free(), PAGES);
	for (unsigned int cpu = 1; cpu < ktest_nr_cpus(); cpu++)
		memory_read(cpu, 0);
	memory_on_cpus(ktest_nr_cpus(), t->seed, truncate_under_isolation, NULL);
	for (unsigned int cpu = 1; cpu < ktest_nr_cpus(); cpu++)
		memory_truncate(cpu, 0);
	EXPECT_EQ(on(LRU_INACTIVE_FILE) + on(LRU_ACTIVE_FILE), 0);
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

KTEST_SEEDS(smp, cpus_reclaim_together,
	    "CPUs that run out of memory together reclaim at the same time, and no page is lost or in "
	    "two places", 1500000000, 3)
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

static void ask_for_memory(unsigned int cpu, void *arg)
{
	(void)cpu, (void)arg;
	for (unsigned int i = 0; i < 10; i++)
		EXPECT_TRUE(out_of_memory(GFP_USER_MOVABLE, 0));
}

KTEST_SEEDS(smp, cpus_out_of_memory_kill_once,
	    "CPUs that run out of memory at the same time kill one process between them", 200000000, 4)
{
	memory_world(PAGES, 0);
	fill_tasks();
	memory_on_cpus(ktest_nr_cpus(), t->seed, ask_for_memory, NULL);
	EXPECT_EQ(memory_kills, 1);
	EXPECT_EQ(memory_killed, 4);
}

/* ---- in the gap ------------------------------------------------------------------------------- */

