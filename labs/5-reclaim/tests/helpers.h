/* What tests of more than one file do. */
#pragma once

#include "test/ktest/memory.h"

static inline unsigned long on(enum lru_list lru)
{
	return memory_node()->lruvec.nr[lru];
}

/* Takes pages off a list: their indices of file 0, in the order of the list given back. */
static inline unsigned long isolate(enum lru_list lru, unsigned long nr, struct list_head *to)
{
	INIT_LIST_HEAD(to);
	return isolate_lru_pages(&memory_node()->lruvec, lru, nr, MAX_NR_ZONES - 1, to, NULL);
}

static inline void put_all_back(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, list) {
		list_del(&page->list);
		putback_lru_page(page);
	}
}

/* One direct reclaim, as an allocation of one page starts it: pages it says it freed. */
static inline unsigned long reclaim(void)
{
	unsigned long before = memory_free(), freed;

	freed = try_to_free_pages(memory_zone(), memory_gfp, 0);
	EXPECT_EQ(freed, memory_free() - before);
	EXPECT_OK(memory_check());
	return freed;
}

/* kswapd runs once, because memory is short: it is made so by a watermark above what is free. */
static inline void run_kswapd(unsigned long want)
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

static inline void read_pages(unsigned int file, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		memory_read(file, i);
}

/* kswapd's turn, if it wants one. */
static inline bool kswapd_runs(void)
{
	if (!kswapd_wanted(memory_node()))
		return false;
	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	balance_node(memory_node());
	current_thread()->pf_flags &= ~(PF_MEMALLOC | PF_KSWAPD);
	return true;
}

/* All of memory holds what cannot go. */
static inline void fill_with_unreclaimable(void)
{
	memory_kswapd_runs = false;
	for (unsigned long i = 0; memory_free() > memory_zone()->watermark[WMARK_MIN] + 1; i++)
		memory_touch(0, i, true);
}

static inline struct oom_task *task(pid_t pid, unsigned long rss, int adj)
{
	static struct oom_task *t;

	t = memory_tasks;
	while (t->pid)
		t++;
	*t = (struct oom_task){ .pid = pid, .rss_anon = rss, .oom_score_adj = adj, .has_memory = true,
				.is_init = pid == 1, .comm = "task" };
	return t;
}

static inline void fill_tasks(void)
{
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = 2;
	for (unsigned int i = 0; i < 4; i++)
		memory_tasks[i] = (struct oom_task){ .pid = i + 1, .rss_anon = 100 * i + 10, .has_memory = true,
						     .is_init = !i };
}
