/* One CPU that plays two: the other comes in where a lock was released, or a watermark looked at. */
#include "../helpers.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define PAGES	256

static unsigned int turn;

static void another_decides(void)
{
	if (!turn--)
		out_of_memory(GFP_USER_MOVABLE, 0);
}

KTEST(smp, what_decides_is_looked_at_with_the_lock,
      "a CPU that comes to decide when another has just done so kills nobody", 100000000)
{
	for (unsigned int when = 0; when < 20; when++) {
		unsigned int mark = ktest_mark();

		memory_world(PAGES, 0);
		fill_tasks();
		turn = when;
		memory_other_cpu = another_decides;
		EXPECT_TRUE(out_of_memory(GFP_USER_MOVABLE, 0));
		memory_other_cpu = NULL;
		EXPECT_EQ(memory_kills, 1);
		ktest_release(mark);
	}
}

static void process_ends(void)
{
	memory_exit(0);
}

KTEST(smp, a_process_ends_while_its_pages_are_isolated,
      "pages whose process ends while they are isolated are freed when they are put back", 20000000)
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

KTEST(smp, a_wakeup_during_the_last_look_is_not_lost,
      "kswapd that is woken between its last look at free memory and its sleep does not sleep", 60000000)
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
