/* The lists of lru.c by themselves: what enters, moves, and leaves. */
#include "helpers.h"
#include "mm/phys/vmstat.h"

#define PAGES	256

KTEST(lists, new_pages_are_inactive,
      "a page that was used once is on the inactive list of its kind", 2000000)
{
	memory_world(PAGES, 64);
	read_pages(0, 10);
	for (unsigned long i = 0; i < 5; i++)
		memory_touch(0, i, true);
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 10);
	EXPECT_EQ(on(LRU_INACTIVE_ANON), 5);
	EXPECT_EQ(on(LRU_ACTIVE_FILE) + on(LRU_ACTIVE_ANON), 0);
	EXPECT_OK(memory_check());
}

KTEST(lists, a_second_use_promotes,
      "a file's page that is read a second time becomes active, and only that one", 2000000)
{
	memory_world(PAGES, 0);
	read_pages(0, 10);
	memory_read(0, 3);
	EXPECT_TRUE(PageActive(memory_file_page(0, 3)));
	EXPECT_FALSE(PageActive(memory_file_page(0, 4)));
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 1);
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 9);
	memory_read(0, 3);
	memory_read(0, 3);
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 1);
	EXPECT_OK(memory_check());
}

KTEST(lists, isolation_takes_the_coldest,
      "isolation takes the pages that were used longest ago, as many as it is asked for", 2000000)
{
	struct list_head pages;
	struct page *page;

	memory_world(PAGES, 0);
	read_pages(0, 20);
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 8, &pages), 8);
	list_for_each_entry(page, &pages, list) {
		EXPECT_LE(page->index, 7);
		EXPECT_FALSE(PageLRU(page));
		EXPECT_EQ(page_count(page), 2);
	}
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 12);
	put_all_back(&pages);
	EXPECT_OK(memory_check());
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 100, &pages), 20);
	EXPECT_EQ(isolate_lru_pages(&memory_node()->lruvec, LRU_INACTIVE_FILE, 10, 0, &(struct list_head)
				    LIST_HEAD_INIT(pages), NULL), 0);
	put_all_back(&pages);
	EXPECT_OK(memory_check());
}

KTEST(lists, isolation_leaves_what_it_must,
      "a page of a higher zone, and one that is just being freed, are not isolated", 2000000)
{
	struct page *high, *dying;
	struct list_head pages;
	unsigned long scanned;

	memory_world(PAGES, 0);
	read_pages(0, 10);
	high = memory_file_page(0, 2);
	dying = memory_file_page(0, 4);
	high->flags |= (unsigned long)ZONE_NORMAL << PAGE_ZONE_SHIFT;
	atomic_set(&dying->_refcount, 0);	/* between its last put_page() and lru_del() */
	INIT_LIST_HEAD(&pages);
	EXPECT_EQ(isolate_lru_pages(&memory_node()->lruvec, LRU_INACTIVE_FILE, 10, ZONE_DMA32, &pages, &scanned), 8);
	EXPECT_GE(scanned, 10);
	EXPECT_LE(scanned, 20);			/* who goes round twice has looked at some twice */
	EXPECT_TRUE(PageLRU(high));
	EXPECT_TRUE(PageLRU(dying));
	EXPECT_EQ(page_count(dying), 0);
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 2);
	put_all_back(&pages);
	high->flags &= ~((unsigned long)ZONE_NORMAL << PAGE_ZONE_SHIFT);
	atomic_set(&dying->_refcount, 1);
	EXPECT_OK(memory_check());
}

KTEST(lists, pages_put_back_are_where_they_belong,
      "a page goes back to the list that its flags say, and drops isolation's reference", 2000000)
{
	struct list_head pages;
	struct page *page;

	memory_world(PAGES, 0);
	read_pages(0, 4);
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 1, &pages), 1);
	page = list_first_entry(&pages, struct page, list);
	list_del(&page->list);
	SetPageActive(page);
	putback_lru_page(page);
	EXPECT_EQ(page_count(page), 1);
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 1);
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 3);
	EXPECT_OK(memory_check());
}

KTEST(lists, freed_pages_leave_their_list,
      "a page whose last reference goes is on no list, and counted on none", 2000000)
{
	memory_world(PAGES, 8);
	for (unsigned long i = 0; i < 6; i++)
		memory_touch(1, i, true);
	memory_exit(1);
	EXPECT_EQ(memory_free(), PAGES);
	EXPECT_EQ(on(LRU_INACTIVE_ANON) + on(LRU_ACTIVE_ANON), 0);
	EXPECT_TRUE(list_empty(&memory_node()->lruvec.lists[LRU_INACTIVE_ANON]));
	EXPECT_OK(memory_check());
}

KTEST(lists, the_active_list_is_trimmed,
      "while the active list is longer than the inactive one, its coldest pages lose their place", 4000000)
{
	struct lruvec *lruvec;

	memory_world(PAGES, 0);
	lruvec = &memory_node()->lruvec;
	read_pages(0, 30);
	EXPECT_FALSE(inactive_is_low(lruvec, true));
	for (unsigned long i = 0; i < 5; i++)
		memory_read(0, i);
	EXPECT_FALSE(inactive_is_low(lruvec, true));	/* 25 beside 5: long enough to see second uses */
	for (unsigned long i = 5; i < 20; i++)
		memory_read(0, i);
	EXPECT_TRUE(inactive_is_low(lruvec, true));
	shrink_active_list(lruvec, LRU_ACTIVE_FILE, 6, MAX_NR_ZONES - 1);
	EXPECT_EQ(on(LRU_ACTIVE_FILE), 14);
	EXPECT_EQ(on(LRU_INACTIVE_FILE), 16);
	for (unsigned long i = 0; i < 6; i++)
		EXPECT_FALSE(PageActive(memory_file_page(0, i)));
	EXPECT_TRUE(PageActive(memory_file_page(0, 19)));
	EXPECT_OK(memory_check());
}

/* Fills memory with pages of file 1 that are used once, until page 0 of file 0 has been evicted. */
static void stream_until_gone(pgoff_t *at)
{
	for (; memory_file_page(0, 0) && *at < 8 * PAGES; ++*at)
		memory_read(1, *at);
	ASSERT_TRUE(memory_file_page(0, 0) == NULL);
}

KTEST(lists, a_page_that_returns_soon_is_active,
      "a page that comes back before the active pages would have been reached is active at once", 20000000)
{
	pgoff_t at = 0;

	memory_world(PAGES, 0);
	for (unsigned long i = 0; i < 2; i++)		/* 100 active pages that nobody uses any more */
		for (unsigned long page = 0; page < 100; page++)
			memory_read(2, page);
	memory_read(0, 0);
	stream_until_gone(&at);
	memory_read(0, 0);
	EXPECT_TRUE(PageActive(memory_file_page(0, 0)));
	EXPECT_OK(memory_check());
}

KTEST(lists, a_page_that_returns_late_is_not,
      "a page that comes back after everything else was replaced starts anew", 40000000)
{
	pgoff_t at = 0;

	memory_world(PAGES, 0);
	memory_read(0, 0);
	stream_until_gone(&at);
	for (unsigned long i = 0; i < 4 * PAGES; i++)
		memory_read(1, at++);
	memory_read(0, 0);
	EXPECT_FALSE(PageActive(memory_file_page(0, 0)));
	EXPECT_OK(memory_check());
}

KTEST(lists, a_page_that_was_wanted_goes_next,
      "when the writeback of a page that reclaim waited for ends, the page is next in line", 2000000)
{
	struct list_head pages;

	memory_world(PAGES, 0);
	read_pages(0, 10);
	rotate_reclaimable_page(memory_file_page(0, 7));
	EXPECT_EQ(isolate(LRU_INACTIVE_FILE, 1, &pages), 1);
	EXPECT_EQ(list_first_entry(&pages, struct page, list)->index, 7);
	put_all_back(&pages);
	EXPECT_OK(memory_check());
}
