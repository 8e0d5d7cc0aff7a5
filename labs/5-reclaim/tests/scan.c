/* One page at a time: what is given up, what is written first, what is left alone. */
#include "helpers.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define PAGES	256
#define SLOTS	256

KTEST(scan, clean_pages_go_and_are_counted,
      "clean pages of files are given up, and the number of freed pages is the truth", 20000000)
{
	unsigned long freed;

	memory_world(PAGES, 0);
	read_pages(0, 100);
	freed = reclaim();
	EXPECT_GE(freed, 32);
	EXPECT_EQ(memory_resident(0), 100 - freed);
	EXPECT_EQ(memory_stats.evicted_file, freed);
	EXPECT_EQ(memory_stats.writes, 0);
}

KTEST(scan, coldest_pages_go_first,
      "of pages that were used once, those that were used longest ago go", 20000000)
{
	unsigned long freed;

	memory_world(PAGES, 0);
	read_pages(0, 120);
	freed = reclaim();
	ASSERT_TRUE(freed > 0 && freed < 100);
	for (unsigned long i = 0; i < 120; i++)
		EXPECT_EQ(memory_file_page(0, i) != NULL, i >= freed);
}

KTEST(scan, used_mapped_pages_get_another_round,
      "a mapped page that was used since reclaim last came by stays, one that was not goes", 20000000)
{
	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 40; i++)
		memory_map(0, i, false);
	page_referenced(memory_file_page(0, 1));	/* not used since */
	run_kswapd(1);
	EXPECT_TRUE(memory_file_page(0, 1) == NULL);
	EXPECT_GE(memory_resident(0), 1);
	while (memory_resident(0) && reclaim())
		;
	EXPECT_EQ(memory_resident(0), 0);		/* nobody has used them again */
}

KTEST(scan, dirty_pages_are_written_before_they_go,
      "a dirty page of a file is given up only when the disk has its newest contents", 40000000)
{
	memory_world(PAGES, 0);
	for (int fast = 0; fast < 2; fast++) {
		memory_fast_disk = fast;
		for (unsigned long i = 0; i < 60; i++)
			memory_write(0, i);
		for (int i = 0; i < 20 && memory_resident(0); i++) {
			run_kswapd(60);
			memory_disk_works();
		}
		EXPECT_EQ(memory_resident(0), 0);
		EXPECT_GE(memory_stats.writes, 60);
		for (unsigned long i = 0; i < 60; i++)
			memory_read(0, i);		/* complains if one was lost */
	}
}

KTEST(scan, direct_reclaim_leaves_files_to_the_flusher,
      "direct reclaim writes no file itself, but wakes the flusher when dirty pages are in its way", 40000000)
{
	memory_world(PAGES, 0);
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 60; i++)
		memory_write(0, i);
	EXPECT_GE(reclaim(), 1);
	EXPECT_GE(memory_stats.flusher_wakes, 1);
	EXPECT_GE(memory_stats.waits, 1);
}

KTEST(scan, locked_and_pinned_pages_stay,
      "a page that is locked, or that somebody else holds, is left where it is", 20000000)
{
	struct page *locked, *pinned;

	memory_world(PAGES, 0);
	read_pages(0, 20);
	locked = memory_file_page(0, 1);
	pinned = memory_file_page(0, 2);
	memory_lock(locked, true);
	memory_pin(pinned);
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_resident(0), 2);
	EXPECT_TRUE(memory_file_page(0, 1) == locked && memory_file_page(0, 2) == pinned);
	EXPECT_TRUE(PageLocked(locked));
	memory_lock(locked, false);
	memory_unpin(pinned);
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_resident(0), 0);
}

KTEST(scan, pages_being_written_stay_and_go_next,
      "a page that is being written is left alone, and goes as soon as it has been written", 40000000)
{
	memory_world(PAGES, 0);
	memory_fast_disk = false;
	memory_write(0, 0);
	wake_flusher();
	ASSERT_TRUE(PageWriteback(memory_file_page(0, 0)));
	current_thread()->pf_flags |= PF_MEMALLOC;
	for (unsigned long i = 0; i < 200; i++)
		memory_read(1, i);
	memory_gfp = GFP_NOIO;				/* may not wait for it */
	reclaim();
	current_thread()->pf_flags &= ~PF_MEMALLOC;
	ASSERT_TRUE(memory_file_page(0, 0) != NULL);
	EXPECT_TRUE(PageWriteback(memory_file_page(0, 0)));
	memory_disk_works();
	memory_gfp = GFP_USER_MOVABLE;
	reclaim();
	EXPECT_TRUE(memory_file_page(0, 0) == NULL);
}

KTEST(scan, anonymous_pages_go_to_swap,
      "a process's page goes to a slot of swap, and comes back as it was", 60000000)
{
	memory_world(PAGES, SLOTS);
	for (int fast = 0; fast < 2; fast++) {
		memory_fast_disk = fast;
		for (unsigned long i = 0; i < 100; i++)
			memory_touch(0, i, true);
		for (int i = 0; i < 10; i++) {
			reclaim();
			memory_disk_works();
		}
		EXPECT_GE(memory_stats.evicted_anon, 60);
		EXPECT_GE(memory_stats.swap_writes, 60);
		for (unsigned long i = 0; i < 100; i++)
			memory_touch(0, i, false);	/* complains if one was lost */
		EXPECT_OK(memory_check());
	}
	memory_exit(0);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_EQ(nr_swap_pages(), SLOTS);
}

KTEST(scan, without_swap_anonymous_pages_stay,
      "without a free slot a process's pages stay, and its neighbours' file pages go", 40000000)
{
	for (unsigned long slots = 0; slots <= 4; slots += 4) {
		memory_world(PAGES, slots);
		for (unsigned long i = 0; i < 40; i++)
			memory_touch(0, i, true);
		read_pages(0, 40);
		for (int i = 0; i < 6; i++)
			reclaim();
		EXPECT_EQ(memory_resident(0), 0);
		EXPECT_LE(memory_stats.evicted_anon, slots);
		for (unsigned long i = slots; i < 40; i++)
			memory_touch(0, i, false);
	}
}

KTEST(scan, shared_memory_stays,
      "memory that programs share gets no slot, and stays, while processes' own pages and files' go", 40000000)
{
	memory_world(PAGES, SLOTS);
	for (unsigned long i = 0; i < 30; i++) {
		memory_write(MEMORY_SHARED, i);
		memory_touch(0, i, true);
		memory_read(0, i);
	}
	for (int i = 0; i < 10; i++)
		reclaim();
	EXPECT_EQ(memory_resident(MEMORY_SHARED), 30);
	EXPECT_EQ(memory_resident(0), 0);
	EXPECT_GE(memory_stats.evicted_anon, 20);
}

KTEST(scan, a_slot_nobody_needs_costs_no_write,
      "a page whose process has gone is dropped without being written", 40000000)
{
	unsigned long writes;

	memory_world(PAGES, SLOTS);
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 40; i++)
		memory_touch(0, i, true);
	for (int i = 0; i < 3; i++)
		try_to_free_pages(memory_zone(), GFP_USER, 0);
	memory_exit(0);				/* what is being written cannot go with it */
	memory_disk_works();
	writes = memory_stats.swap_writes;
	for (int i = 0; i < 3; i++)
		reclaim();
	EXPECT_EQ(memory_stats.swap_writes, writes);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_EQ(nr_swap_pages(), SLOTS);
}

KTEST(scan, no_io_means_no_io,
      "an allocation that must not start I/O frees clean pages and writes nothing", 40000000)
{
	memory_world(PAGES, SLOTS);
	for (unsigned long i = 0; i < 40; i++) {
		memory_touch(0, i, true);
		memory_write(0, i);
		memory_read(1, i);
	}
	memory_gfp = GFP_NOIO;
	memory_flusher_runs = false;		/* it may be woken, but what it writes is not reclaim's doing */
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_resident(1), 0);
	EXPECT_EQ(memory_resident(0), 40);
	EXPECT_EQ(memory_stats.writes + memory_stats.swap_writes, 0);
	EXPECT_EQ(memory_stats.waits, 0);
}

/* Any mixture of all that can happen to pages, four times as many as fit. */
static void live(struct ktest_run *t, unsigned int steps)
{
	struct page *pinned = NULL;

	for (unsigned int i = 0; i < steps; i++) {
		unsigned long page = prng_below(&t->rng, 4 * PAGES / 3), kind = prng_below(&t->rng, 100);

		if (kind < 25)
			memory_read(0, page);
		else if (kind < 40)
			memory_write(0, page);
		else if (kind < 50)
			memory_map(1, page, kind < 43);
		else if (kind < 90)
			memory_touch(kind & 1, page, kind & 2);
		else if (kind < 93)
			memory_disk_works();
		else if (kind < 95 && !pinned && (pinned = memory_file_page(0, page)))
			memory_pin(pinned);
		else if (kind < 97 && pinned)
			memory_unpin(pinned), pinned = NULL;
		else if (kind == 99 && !prng_below(&t->rng, 10))
			memory_exit(prng_below(&t->rng, 2));
		if (i % 64 == 0)
			ASSERT_OK(memory_check());
	}
	if (pinned)
		memory_unpin(pinned);
}

KTEST_SEEDS(scan, random_life_of_pages,
	    "whatever happens to pages, none is lost, counted twice or left locked", 400000000, 4)
{
	memory_world(PAGES, 3 * PAGES);
	memory_fast_disk = t->seed & 1;
	live(t, 3000);
	EXPECT_OK(memory_check());
	EXPECT_EQ(memory_stats.failed, 0);
	EXPECT_GE(memory_stats.evicted_file, 100);
	EXPECT_GE(memory_stats.evicted_anon, 100);
}
