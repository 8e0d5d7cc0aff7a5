/* Whom the OOM killer chooses, and when it does not. */
#include "helpers.h"

#define PAGES	1024
#define SLOTS	1024

/* A machine whose memory is used up, without processes. */
static void begin(void)
{
	memory_world(PAGES, SLOTS);
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = 2;
}

static bool oom(void)
{
	return out_of_memory(GFP_USER_MOVABLE, 0);
}

KTEST(oom, badness_is_the_sum,
      "a process's badness is its pages in memory, in swap and of page tables, adjusted in thousandths of all",
      1000000)
{
	struct oom_task p = { .pid = 5, .rss_anon = 100, .rss_file = 20, .swapents = 30, .pgtables = 4,
			      .has_memory = true };

	begin();
	EXPECT_EQ(oom_badness(&p, 10000), 154);
	p.oom_score_adj = 50;
	EXPECT_EQ(oom_badness(&p, 10000), 654);
	p.oom_score_adj = -10;
	EXPECT_EQ(oom_badness(&p, 10000), 54);
	p.oom_score_adj = -1000;
	EXPECT_EQ(oom_badness(&p, 10000), OOM_NEVER);
	p.oom_score_adj = 1000;
	EXPECT_EQ(oom_badness(&p, 10000), 10154);
}

KTEST(oom, the_largest_goes,
      "the process whose end gives back the most is killed, wherever it stands, swap and page tables included",
      10000000)
{
	for (unsigned int way = 0; way < 4; way++) {
		begin();
		task(1, 10, 0);
		task(2, 100, 0);
		task(7, way == 0 ? 300 : 50, 0)->swapents = way == 1 ? 300 : 0;
		memory_tasks[2].pgtables = way == 2 ? 300 : 1;
		memory_tasks[2].rss_file = way == 3 ? 300 : 0;
		task(9, 120, 0);
		EXPECT_TRUE(oom());
		EXPECT_EQ(memory_kills, 1);
		EXPECT_EQ(memory_killed, 7);
		EXPECT_EQ(memory_reports, 1);		/* a person must be able to see why */
		EXPECT_EQ(memory_kill_reports, 1);
	}
}

KTEST(oom, adjustments_count,
      "oom_score_adj makes a small process the victim, or spares a large one", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, -500);
	task(3, 200, 0);
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_killed, 3);
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	task(3, 20, 900);
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_killed, 3);
	begin();
	task(2, 600, -999);		/* below zero, and the only one: it goes all the same */
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_killed, 2);
}

KTEST(oom, init_and_exempt_processes_live,
      "process 1 and processes with -1000 are never killed, however large", 10000000)
{
	begin();
	task(1, 5000, 1000);
	task(2, 4000, -1000);
	task(3, 1, 0);
	task(4, 3000, 0)->has_memory = false;	/* it has given back all that it had */
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_killed, 3);
	begin();
	task(1, 5000, 0);
	task(2, 4000, -1000);
	EXPECT_TRUE(PANICS(oom()));
	EXPECT_EQ(memory_kills, 0);
}

KTEST(oom, one_victim_at_a_time,
      "while a victim has not given its memory back, nobody else is killed", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	task(3, 500, 0);
	EXPECT_TRUE(oom());
	for (int i = 0; i < 20; i++)
		EXPECT_TRUE(oom());
	EXPECT_EQ(memory_kills, 1);
	memory_tasks[1].has_memory = false;		/* it is done, and it was not enough */
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_kills, 2);
	EXPECT_EQ(memory_killed, 3);
}

KTEST(oom, no_kill_when_memory_is_back,
      "nobody is killed if memory has been freed since reclaim gave up", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = PAGES / 2;
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_kills, 0);
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = 2;
	EXPECT_TRUE(oom());			/* and gone again */
	EXPECT_EQ(memory_kills, 1);
}

KTEST(oom, who_dies_anyway_gets_the_reserves,
      "a process that is dying already gets the reserves, not another's death", 10000000)
{
	begin();
	task(1, 10, 0);
	task(2, 600, 0);
	memory_current_dies(true);
	EXPECT_TRUE(oom());
	EXPECT_EQ(memory_marks, 1);
	EXPECT_EQ(memory_kills, 0);
	EXPECT_FALSE(oom());			/* even they are used up: the allocation fails */
	EXPECT_EQ(memory_kills, 0);
	memory_current_dies(false);
}

KTEST(oom, nobody_left_is_a_panic,
      "a machine out of memory with nobody to kill panics, and says so", 10000000)
{
	begin();
	task(1, 100, 0);
	EXPECT_TRUE(PANICS(oom()));
	begin();
	EXPECT_TRUE(PANICS(oom()));
}

