/* One page at a time: what is given up, what is written first, what is left alone. */
#include "test/ktest/memory.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define PAGES	256
#define SLOTS	256

/* One direct reclaim, as an allocation of one page starts it: pages it says it freed. */
static unsigned long reclaim(void)
{
	unsigned long before = memory_free(), freed;

	freed = try_to_free_pages(memory_zone(), memory_gfp, 0);
	EXPECT_EQ(freed, memory_free() - before);
	EXPECT_OK(memory_check());
	return freed;
}

/* kswapd runs once, because memory is short: it is made so by a watermark above what is free. */
static void run_kswapd(unsigned long want)
{
	struct zone *zone = memory_zone();
	unsigned long old[NR_WMARK];

	for (unsigned int i = 0; i < NR_WMARK; i++)
		old[i] = zone->watermark[i];
	zone->watermark[WMARK_HIGH] = memory_free() + want;
	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	wakeup_kswapd(zone, 0);
	balance_node(memory_node());
	current_thread()->pf_flags &= ~(PF_MEMALLOC | PF_KSWAPD);
	for (unsigned int i = 0; i < NR_WMARK; i++)
		zone->watermark[i] = old[i];
	EXPECT_OK(memory_check());
}

static void read_pages(unsigned int file, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		memory_read(file, i);
}

KTEST(scan, clean_pages_go_and_are_counted, "clean pages of files are given up, and the number of freed pages is the truth", 20000000)
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

KTEST(scan, coldest_pages_go_first, "of pages that were used once, those that were used longest ago go", 20000000)
{
	unsigned long freed;

	memory_world(PAGES, 0);
	read_pages(0, 120);
	freed = reclaim();
	ASSERT_TRUE(freed > 0 && freed < 100);
	for (unsigned long i = 0; i < 120; i++)
		EXPECT_EQ(memory_file_page(0, i) != NULL, i >= freed);
}

KTEST(scan, used_mapped_pages_get_another_round, "a mapped page that was used since reclaim last came by stays, one that was not goes", 20000000)
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

KTEST(scan, pages_of_two_programs_are_promoted, "a page that two programs use becomes active when reclaim comes by", 20000000)
{
	memory_world(PAGES, 0);
	memory_map(0, 0, false);
	memory_share(memory_file_page(0, 0));
	read_pages(1, 150);
	reclaim();
	ASSERT_TRUE(memory_file_page(0, 0) != NULL);
	EXPECT_TRUE(PageActive(memory_file_page(0, 0)));
}

KTEST(scan, mapped_pages_are_unmapped_first, "a mapped page leaves all page tables before it is given up", 20000000)
{
	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 40; i++) {
		memory_map(0, i, false);
		page_referenced(memory_file_page(0, i));
	}
	EXPECT_GE(reclaim(), 32);
	EXPECT_GE(memory_stats.unmaps, 32);
}

KTEST(scan, dirty_pages_are_written_before_they_go, "a dirty page of a file is given up only when the disk has its newest contents", 40000000)
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

KTEST(scan, direct_reclaim_leaves_files_to_the_flusher, "direct reclaim writes no file itself, but wakes the flusher when dirty pages are in its way", 40000000)
{
	memory_world(PAGES, 0);
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 60; i++)
		memory_write(0, i);
	EXPECT_GE(reclaim(), 1);
	EXPECT_GE(memory_stats.flusher_wakes, 1);
	EXPECT_GE(memory_stats.waits, 1);
}

KTEST(scan, locked_and_pinned_pages_stay, "a page that is locked, or that somebody else holds, is left where it is", 20000000)
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

KTEST(scan, pages_being_written_stay_and_go_next, "a page that is being written is left alone, and goes as soon as it has been written", 40000000)
{
	memory_world(PAGES, 0);
	memory_fast_disk = false;
	memory_write(0, 0);
	wake_flusher();
	ASSERT_TRUE(PageWriteback(memory_file_page(0, 0)));
	current_thread()->pf_flags |= PF_MEMALLOC;
	for (unsigned long i = 0; i < 8; i++)
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

KTEST(scan, anonymous_pages_go_to_swap, "a process's page goes to a slot of swap, and comes back as it was", 60000000)
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

KTEST(scan, without_swap_anonymous_pages_stay, "without a free slot a process's pages stay, and its neighbours' file pages go", 40000000)
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

KTEST(scan, a_slot_nobody_needs_costs_no_write, "a page whose process has gone is dropped without being written", 40000000)
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

KTEST(scan, a_slot_of_the_dead_is_not_written, "a page that nobody can ask for any more goes without a write, however it came to be in swap", 40000000)
{
	memory_world(PAGES, SLOTS);
	for (unsigned long i = 0; i < 10; i++) {
		memory_touch(0, i, true);
		memory_pin(memory_task_page(0, i));	/* it gets a slot and is unmapped, and cannot be written */
	}
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_stats.swap_writes, 0);
	for (struct page *page = world_page(world_first_pfn()); page < world_page(world_first_pfn()) + PAGES; page++)
		if (PageSwapCache(page))
			memory_lock(page, true);	/* its process cannot take it with it */
	memory_exit(0);
	for (struct page *page = world_page(world_first_pfn()); page < world_page(world_first_pfn()) + PAGES; page++) {
		if (PageLocked(page))
			memory_lock(page, false);
		if (page_count(page) > 0)
			memory_unpin(page);
	}
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_stats.swap_writes, 0);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_EQ(nr_swap_pages(), SLOTS);
}

KTEST(scan, a_mark_counts_once, "a page that was marked as used gets another round, not one after the other", 60000000)
{
	memory_world(PAGES, SLOTS);
	for (unsigned long i = 0; i < 60; i++) {
		memory_touch(0, i, true);
		page_referenced(memory_task_page(0, i));
		mark_page_accessed(memory_task_page(0, i));
	}
	for (int i = 0; i < 20; i++)
		reclaim();
	EXPECT_GE(memory_stats.evicted_anon, 40);
}

KTEST(scan, pages_written_again_are_written_again, "a page that is changed while it is being written is written once more before it goes", 40000000)
{
	memory_world(PAGES, 0);
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 20; i++)
		memory_write(0, i);
	wake_flusher();
	for (unsigned long i = 0; i < 20; i++)
		memory_write(0, i);
	run_kswapd(20);
	for (int i = 0; i < 10 && memory_resident(0); i++) {
		memory_disk_works();
		run_kswapd(20);
	}
	EXPECT_EQ(memory_resident(0), 0);
	EXPECT_GE(memory_stats.writes, 40);
	for (unsigned long i = 0; i < 20; i++)
		memory_read(0, i);
}

KTEST(scan, without_swap_programs_are_not_disturbed, "while no slot is free, processes' pages are not looked at again and again", 60000000)
{
	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 100; i++)
		memory_touch(0, i, true);
	for (int i = 0; i < 20; i++) {
		read_pages(0, 10);
		reclaim();
	}
	EXPECT_LE(memory_stats.scanned_anon, 400);
}

KTEST(scan, no_io_means_no_io, "an allocation that must not start I/O frees clean pages and writes nothing", 40000000)
{
	memory_world(PAGES, SLOTS);
	for (unsigned long i = 0; i < 40; i++) {
		memory_touch(0, i, true);
		memory_write(0, i);
		memory_read(1, i);
	}
	memory_gfp = GFP_NOIO;
	for (int i = 0; i < 4; i++)
		reclaim();
	EXPECT_EQ(memory_resident(1), 0);
	EXPECT_EQ(memory_resident(0), 40);
	EXPECT_EQ(memory_stats.writes + memory_stats.swap_writes, 0);
	EXPECT_EQ(memory_stats.waits, 0);
}

KTEST(scan, failed_writes_lose_nothing, "a page whose write failed stays in memory, dirty", 40000000)
{
	memory_world(PAGES, SLOTS);
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 30; i++)
		memory_write(0, i);
	memory_bad_disk = true;
	run_kswapd(30);
	memory_disk_works();
	EXPECT_GE(memory_stats.writes, 1);
	EXPECT_OK(memory_check());
	EXPECT_EQ(memory_resident(0), 30);
	for (unsigned long i = 0; i < 30; i++)
		memory_read(0, i);
}

KTEST(scan, pages_of_other_zones_stay, "a request for low memory takes no page of a higher zone", 40000000)
{
	memory_world(PAGES, 0);
	read_pages(0, 40);
	for (unsigned long i = 0; i < 40; i += 2)
		memory_file_page(0, i)->flags |= (unsigned long)ZONE_NORMAL << PAGE_ZONE_SHIFT;
	for (int i = 0; i < 4; i++)
		try_to_free_pages(memory_zone(), memory_gfp, 0);
	for (unsigned long i = 0; i < 40; i++)
		EXPECT_EQ(memory_file_page(0, i) != NULL, i % 2 == 0);
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

KTEST_SEEDS(scan, random_life_of_pages, "whatever happens to pages, none is lost, counted twice or left locked", 400000000, 4)
{
	memory_world(PAGES, 3 * PAGES);
	memory_fast_disk = t->seed & 1;
	live(t, 3000);
	EXPECT_OK(memory_check());
	EXPECT_EQ(memory_stats.failed, 0);
	EXPECT_GE(memory_stats.evicted_file, 100);
	EXPECT_GE(memory_stats.evicted_anon, 100);
}
