/*
 * The OOM killer, another right design: one walk that keeps the largest so far.
 *
 * Victims that still have memory and were killed a short while ago are met on the same walk and end it: then
 * there is nothing to choose.
 */
#include "mm/reclaim/oom.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "sched/timer.h"

#define MAX_ORDER_TO_KILL_FOR	3
#define WAIT_NS			(10 * NSEC_PER_MSEC)
#define PATIENCE_NS		(5 * NSEC_PER_SEC)

static DEFINE_MUTEX(oom_lock);

long oom_badness(const struct oom_task *task, unsigned long totalpages)
{
	long points;

	if (task->is_init || !task->has_memory || task->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return OOM_NEVER;
	points = task->rss_anon + task->rss_file + task->swapents + task->pgtables;
	return points + task->oom_score_adj * (long)totalpages / 1000;
}

static bool memory_is_back(gfp_t gfp, unsigned int order)
{
	struct zonelist_cursor cursor;

	for (struct zone *zone = zonelist_first(&cursor, 0, gfp); zone; zone = zonelist_next(&cursor))
		if (zone_watermark_ok(zone, order, WMARK_MIN, gfp))
			return true;
	return false;
}

enum choice { CHOSEN, ONE_IS_DYING, NOBODY };

static enum choice choose(struct oom_task *victim)
{
	unsigned long totalpages = totalram_pages() + total_swap_pages();
	long most = OOM_NEVER;
	struct oom_task task;

	for (pid_t pid = 0; oom_ops->next(pid, &task); pid = task.pid) {
		long points = oom_badness(&task, totalpages);

		if (task.oom_victim && task.has_memory) {
			if (ktime_get() - task.victim_since_ns < PATIENCE_NS)
				return ONE_IS_DYING;
			continue;
		}
		if (points > most) {
			most = points;
			*victim = task;
		}
	}
	return most == OOM_NEVER ? NOBODY : CHOSEN;
}

/* Lock held. */
static void kill_one(gfp_t gfp, unsigned int order)
{
	struct oom_task victim;
	enum choice choice;

	if (sysctl_panic_on_oom) {
		oom_report(gfp, order);
		panic("Out of memory: panic_on_oom is set");
	}
	choice = choose(&victim);
	if (choice == ONE_IS_DYING)
		return;
	oom_report(gfp, order);
	if (choice == NOBODY)
		panic("Out of memory and no process that may be killed");
	if (oom_ops->kill(victim.pid)) {
		oom_report_kill(&victim);
		inc_vm_stat(OOM_KILL);
	}
}

bool out_of_memory(gfp_t gfp, unsigned int order)
{
	if (order > MAX_ORDER_TO_KILL_FOR)
		return false;
	if (fatal_signal_pending(current_thread())) {
		if (current_thread()->oom_victim)
			return false;
		oom_ops->mark_current();
		return true;
	}
	if (mutex_trylock(&oom_lock)) {
		bool back = memory_is_back(gfp, order);

		if (!back)
			kill_one(gfp, order);
		mutex_unlock(&oom_lock);
		if (back)
			return true;
	}
	sleep_ns(WAIT_NS);
	return true;
}
