/* Pages in states that are rarely met. */
#include "../helpers.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define PAGES	256
#define SLOTS	256

KTEST(lists, isolated_pages_are_left_alone,
      "a page that somebody has isolated is on no list, whatever happens to it, until it is put back", 2000000)
{
	struct list_head pages;
	struct page *page;

	memory_world(PAGES, 0);
	read_pages(0, 10);
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 4, &pages), 4);
	list_for_each_entry(page, &pages, list) {
		mark_page_accessed(page);
		mark_page_accessed(page);
		rotate_reclaimable_page(page);
		lru_del(page);
		EXPECT_FALSE(PageLRU(page));
	}
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 6);
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 0);
	put_all_back(&pages);
	EXPECT_EQ(on(LRU_INACTIVE_FILE) + on(LRU_ACTIVE_FILE), 10);
	EXPECT_OK(memory_check());
}

KTEST(lists, something_is_remembered,
      "what is remembered of an evicted page is never 0, which means that nothing is", 2000000)
{
	memory_world(PAGES, 0);
	read_pages(0, 1);
	memory_lock(memory_file_page(0, 0), true);
	for (unsigned int i = 0; i < 100; i++)
		EXPECT_NE(workingset_eviction(memory_file_page(0, 0)), 0);
	memory_lock(memory_file_page(0, 0), false);
}

KTEST(lists, text_that_is_run_stays_active,
      "text that was run since it was last looked at stays on the active list", 2000000)
{
	struct lruvec *lruvec;

	memory_world(PAGES, 0);
	lruvec = &memory_node()->lruvec;
	for (unsigned long i = 0; i < 4; i++) {
		memory_map(0, i, true);
		memory_read(0, i);
		memory_read(0, i);
	}
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 4);
	shrink_active_list(lruvec, LRU_ACTIVE_FILE, 4, MAX_NR_ZONES - 1);
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 4);
	shrink_active_list(lruvec, LRU_ACTIVE_FILE, 4, MAX_NR_ZONES - 1);	/* and not since */
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 0);
	EXPECT_OK(memory_check());
}

KTEST(scan, a_slot_of_the_dead_is_not_written,
      "a page that nobody can ask for any more goes without a write, however it came to be in swap", 40000000)
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

KTEST(scan, a_mark_counts_once,
      "a page that was marked as used gets another round, not one after the other", 60000000)
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

KTEST(scan, pages_written_again_are_written_again,
      "a page that is changed while it is being written is written once more before it goes", 40000000)
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

KTEST(scan, without_swap_programs_are_not_disturbed,
      "while no slot is free, processes' pages are not looked at again and again", 60000000)
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

KTEST(scan, failed_writes_lose_nothing,
      "a page whose write failed stays in memory, dirty", 40000000)
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

KTEST(scan, pages_of_other_zones_stay,
      "a request for low memory takes no page of a higher zone", 40000000)
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

KTEST(scan, pages_of_two_programs_are_promoted,
      "a page that two programs use becomes active when reclaim comes by", 20000000)
{
	memory_world(PAGES, 0);
	memory_map(0, 0, false);
	memory_share(memory_file_page(0, 0));
	read_pages(1, 150);
	reclaim();
	ASSERT_TRUE(memory_file_page(0, 0) != NULL);
	EXPECT_TRUE(PageActive(memory_file_page(0, 0)));
}

KTEST(scan, mapped_pages_are_unmapped_first,
      "a mapped page leaves all page tables before it is given up", 20000000)
{
	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 40; i++) {
		memory_map(0, i, false);
		page_referenced(memory_file_page(0, i));
	}
	EXPECT_GE(reclaim(), 32);
	EXPECT_GE(memory_stats.unmaps, 32);
}
