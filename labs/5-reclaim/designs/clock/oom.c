/*
 * The OOM killer, another right design: it remembers when it killed last.
 *
 * A process that is the largest and was killed already is what everybody waits for; so one walk finds both, the
 * largest of all that have memory and the largest that was not killed yet. Patience runs from the last kill.
 */
#include "mm/reclaim/oom.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "sched/timer.h"

#define PAUSE		(10 * NSEC_PER_MSEC)
#define PATIENCE	(5 * NSEC_PER_SEC)

static DEFINE_MUTEX(killer);
static u64 last_kill;			/* ktime_get(), with the lock held */

static bool may_be_killed(const struct oom_task *task)
{
	return task->has_memory && !task->is_init && task->oom_score_adj != OOM_SCORE_ADJ_MIN;
}

long oom_badness(const struct oom_task *task, unsigned long totalpages)
{
	long badness = task->pgtables + task->swapents + task->rss_file + task->rss_anon;

	return may_be_killed(task) ? badness + (long)totalpages * task->oom_score_adj / 1000 : OOM_NEVER;
}

/* The worst that was not killed yet: its pid, or 0. *@dying: one that was killed has memory still. */
static pid_t find_victim(struct oom_task *victim, bool *dying)
{
	unsigned long totalpages = totalram_pages() + total_swap_pages();
	long worst = OOM_NEVER, badness;
	struct oom_task task;
	pid_t pid = 0, found = 0;

	*dying = false;
	while (oom_ops->next(pid, &task)) {
		pid = task.pid;
		if (task.oom_victim) {
			*dying |= task.has_memory;
			continue;
		}
		badness = oom_badness(&task, totalpages);
		if (badness <= worst)
			continue;
		worst = badness;
		found = pid;
		*victim = task;
	}
	return found;
}

static bool allocation_can_succeed(gfp_t gfp, unsigned int order)
{
	struct zonelist_cursor cursor;
	bool can = false;

	for (struct zone *zone = zonelist_first(&cursor, 0, gfp); zone && !can;)
		if (!(can = zone_watermark_ok(zone, order, WMARK_HIGH, gfp)))
			zone = zonelist_next(&cursor);
	return can;
}

static void kill_worst(gfp_t gfp, unsigned int order)
{
	struct oom_task victim;
	bool dying;
	pid_t pid;

	if (allocation_can_succeed(gfp, order))
		return;
	pid = find_victim(&victim, &dying);
	if (dying && ktime_get() < last_kill + PATIENCE)
		return;
	oom_report(gfp, order);
	if (sysctl_panic_on_oom || !pid)
		panic("Out of memory: %s", pid ? "panic_on_oom" : "nobody left to kill");
	if (!oom_ops->kill(pid))
		return;
	last_kill = ktime_get();
	oom_report_kill(&victim);
	inc_vm_stat(OOM_KILL);
}

bool out_of_memory(gfp_t gfp, unsigned int order)
{
	bool again = true;

	if (order > 3)
		return false;
	if (!fatal_signal_pending(current_thread())) {
		if (mutex_trylock(&killer)) {
			kill_worst(gfp, order);
			mutex_unlock(&killer);
		}
		sleep_ns(PAUSE);
	} else if (current_thread()->oom_victim) {
		again = false;
	} else {
		oom_ops->mark_current();
	}
	return again;
}
