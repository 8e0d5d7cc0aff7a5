/* Where patience ends: hopeless reclaim, victims that do not die, requests that nobody can serve. */
#include "../helpers.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define PAGES	480

/* A machine whose memory is used up, without processes. */
static void begin(void)
{
	memory_world(PAGES, 0);
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = 2;
}

static bool oom(void)
{
	return out_of_memory(GFP_USER_MOVABLE, 0);
}

KTEST(kswapd, kswapd_comes_back_after_success,
      "kswapd is woken again once direct reclaim has had success", 400000000)
{
	memory_world(PAGES, 0);
	fill_with_unreclaimable();
	for (int i = 0; i < 100; i++) {
		wakeup_kswapd(memory_zone(), 0);
		kswapd_runs();
	}
	memory_exit(0);
	for (unsigned long i = 0; i < PAGES / 2; i++)
		memory_read(0, i);
	EXPECT_GE(try_to_free_pages(memory_zone(), memory_gfp, 0), 1);
	wakeup_kswapd(memory_zone(), 0);
	EXPECT_TRUE(kswapd_wanted(memory_node()));
}

KTEST(kswapd, who_is_to_die_does_not_wait,
      "a thread that is to die does not wait for the disk first", 60000000)
{
	memory_world(PAGES, 0);
	memory_kswapd_runs = false;
	memory_fast_disk = false;
	for (unsigned long i = 0; i < 300; i++)
		memory_write(0, i);
	memory_current_dies(true);
	try_to_free_pages(memory_zone(), memory_gfp, 0);
	memory_current_dies(false);
	EXPECT_EQ(memory_stats.waits, 0);
	EXPECT_OK(memory_check());
}

KTEST(kswapd, hopeless_kswapd_is_left_asleep,
      "kswapd that can free nothing is not woken for ever", 400000000)
{
	unsigned int runs = 0;

	memory_world(PAGES, 0);
	fill_with_unreclaimable();
	for (int i = 0; i < 100; i++) {
		wakeup_kswapd(memory_zone(), 0);
		runs += kswapd_runs();
	}
	EXPECT_GE(runs, 1);
	EXPECT_LE(runs, 50);
	EXPECT_OK(memory_check());
}

KTEST(oom, a_victim_that_does_not_die_is_passed_over,
      "a victim that is still there after seconds does not keep the machine waiting for ever", 100000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	task(3, 500, 0);
	for (int i = 0; i < 5000 && memory_kills < 2; i++)
		EXPECT_TRUE(oom());
	EXPECT_EQ(memory_kills, 2);
	EXPECT_EQ(memory_killed, 3);
	EXPECT_GE(ktime_get() - memory_tasks[1].victim_since_ns, NSEC_PER_SEC);
}

KTEST(oom, panic_on_oom_panics, "with panic_on_oom nobody is killed: the machine stops", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	sysctl_panic_on_oom = 1;
	EXPECT_TRUE(PANICS(oom()));
	EXPECT_EQ(memory_kills, 0);
}

KTEST(oom, large_orders_fail_instead,
      "a request for a large block fails, for memory in pieces is no reason to kill", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	EXPECT_FALSE(out_of_memory(GFP_KERNEL, 4));
	EXPECT_FALSE(out_of_memory(GFP_KERNEL, 10));
	EXPECT_EQ(memory_kills, 0);
	EXPECT_TRUE(out_of_memory(GFP_KERNEL, 3));
	EXPECT_EQ(memory_kills, 1);
}
