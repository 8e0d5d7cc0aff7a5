/* When reclaim starts, when it stops, and when it gives up. */
#include "helpers.h"
#include "mm/phys/vmstat.h"

#define PAGES	480		/* min 30, low 40, high 60 */

KTEST(kswapd, kswapd_is_woken_at_low_and_stops_at_high,
      "kswapd frees memory up to the high watermark, and not much more", 60000000)
{
	unsigned long high;

	memory_world(PAGES, 0);
	high = memory_zone()->watermark[WMARK_HIGH];
	for (unsigned long i = 0; i < 3 * PAGES; i++)
		memory_read(0, i);
	EXPECT_EQ(memory_stats.direct_runs, 0);
	EXPECT_GE(memory_stats.kswapd_runs, 2);
	/* Between low and high it rests: each run frees about as much as lies between the two. */
	EXPECT_LE(memory_stats.kswapd_runs, 2 * PAGES / (high - memory_zone()->watermark[WMARK_LOW]) + 4);
	EXPECT_LE(memory_free(), high + 3 * SWAP_CLUSTER_MAX + high);
	EXPECT_OK(memory_check());
}

KTEST(kswapd, kswapd_sleeps_when_there_is_nothing_to_do,
      "nobody wakes kswapd, and it wants nothing, when it has done its work", 60000000)
{
	memory_world(PAGES, 0);
	EXPECT_FALSE(kswapd_wanted(memory_node()));
	for (unsigned long i = 0; i < PAGES / 2; i++)
		memory_read(0, i);
	memory_kswapd_runs = false;
	EXPECT_FALSE(memory_kswapd_awake());
	wakeup_kswapd(memory_zone(), 0);
	EXPECT_TRUE(kswapd_wanted(memory_node()));
	EXPECT_TRUE(memory_kswapd_awake());
	kswapd_runs();
	EXPECT_FALSE(kswapd_wanted(memory_node()));
	EXPECT_EQ(memory_stats.evicted_file, 0);		/* there was enough */
	EXPECT_OK(memory_check());
}

KTEST(kswapd, large_orders_do_not_empty_memory,
      "kswapd that is asked for a large block does not give up all of memory for it", 100000000)
{
	memory_world(PAGES, 0);
	memory_kswapd_runs = false;
	for (unsigned long i = 0; memory_free() > memory_zone()->watermark[WMARK_LOW]; i++)
		memory_read(0, i);
	wakeup_kswapd(memory_zone(), 4);		/* the zone never has one: its pages are single */
	EXPECT_TRUE(kswapd_runs());
	EXPECT_GE(memory_free(), memory_zone()->watermark[WMARK_HIGH]);
	EXPECT_GE(memory_resident(0), PAGES / 3);
	EXPECT_FALSE(kswapd_wanted(memory_node()));
	EXPECT_OK(memory_check());
}

KTEST(kswapd, direct_reclaim_frees_a_batch_not_all,
      "direct reclaim frees about a batch of pages, not all that could go", 60000000)
{
	unsigned long freed;

	memory_world(PAGES, 0);
	memory_kswapd_runs = false;
	for (unsigned long i = 0; i < 400; i++)
		memory_read(0, i);
	freed = try_to_free_pages(memory_zone(), memory_gfp, 0);
	EXPECT_GE(freed, 1);
	EXPECT_LE(freed, 4 * SWAP_CLUSTER_MAX);
	EXPECT_OK(memory_check());
}

KTEST(kswapd, waiting_comes_before_giving_up,
      "when all that could go is dirty or being written, reclaim waits for it", 100000000)
{
	memory_world(PAGES, 0);
	memory_kswapd_runs = false;
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 300; i++)
		memory_write(0, i);
	EXPECT_GE(try_to_free_pages(memory_zone(), memory_gfp, 0), 1);
	EXPECT_GE(memory_stats.waits, 1);
	EXPECT_OK(memory_check());
}

KTEST(kswapd, nothing_to_free_is_said,
      "reclaim that can free nothing says 0, and comes to an end", 100000000)
{
	memory_world(PAGES, 0);
	fill_with_unreclaimable();
	EXPECT_EQ(try_to_free_pages(memory_zone(), memory_gfp, 0), 0);
	EXPECT_GE(memory_stats.slab_scans, 1);
	EXPECT_OK(memory_check());
}
