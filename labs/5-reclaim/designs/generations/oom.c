/*
 * The OOM killer, another right design: two walks, and a round of those who are left to ask.
 *
 * The first walk looks for a victim that is still dying; only if there is none does the second choose. Who has
 * gone between the choice and the kill is no reason to go home: the next one is chosen at once.
 */
#include "mm/reclaim/oom.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "sched/timer.h"

#define A_LITTLE	(10 * NSEC_PER_MSEC)
#define LONG_ENOUGH	(5000 * NSEC_PER_MSEC)

static DEFINE_MUTEX(decision);

#define for_each_task(task) \
	for (pid_t _pid = 0; oom_ops->next(_pid, &(task)); _pid = (task).pid)

long oom_badness(const struct oom_task *task, unsigned long totalpages)
{
	long whole = totalpages / 1000, rest = totalpages % 1000, adj = task->oom_score_adj;

	if (!task->has_memory || task->is_init || adj <= OOM_SCORE_ADJ_MIN)
		return OOM_NEVER;
	return (long)(task->rss_anon + task->rss_file + task->swapents + task->pgtables) +
	       whole * adj + rest * adj / 1000;
}

static bool enough_free(gfp_t gfp, unsigned int order)
{
	struct zonelist_cursor cursor;
	struct zone *zone = zonelist_first(&cursor, 0, gfp);

	while (zone && !zone_watermark_ok(zone, order, WMARK_LOW, gfp))
		zone = zonelist_next(&cursor);
	return zone;
}

static bool is_dying_slowly(const struct oom_task *task, u64 now)
{
	return now >= task->victim_since_ns + LONG_ENOUGH;
}

static bool somebody_is_dying(void)
{
	u64 now = ktime_get();
	struct oom_task task;

	for_each_task(task)
		if (task.oom_victim && task.has_memory && !is_dying_slowly(&task, now))
			return true;
	return false;
}

static bool worst_task(struct oom_task *worst)
{
	unsigned long totalpages = totalram_pages() + total_swap_pages();
	struct oom_task task;
	bool found = false;

	for_each_task(task) {
		long points = oom_badness(&task, totalpages);

		if (points == OOM_NEVER || task.oom_victim)
			continue;
		if (!found || points > oom_badness(worst, totalpages))
			*worst = task;
		found = true;
	}
	return found;
}

static void decide(gfp_t gfp, unsigned int order)
{
	struct oom_task worst;

	if (enough_free(gfp, order))
		return;
	if (sysctl_panic_on_oom)
		panic("Out of memory (order %u): panic_on_oom is %u", order, sysctl_panic_on_oom);
	if (somebody_is_dying())
		return;
	oom_report(gfp, order);
	do {
		if (!worst_task(&worst))
			panic("Out of memory: no process is left that could be killed");
	} while (!oom_ops->kill(worst.pid));
	oom_report_kill(&worst);
	inc_vm_stat(OOM_KILL);
}

bool out_of_memory(gfp_t gfp, unsigned int order)
{
	struct thread *self = current_thread();

	if (order > 3)
		return false;
	if (fatal_signal_pending(self)) {
		bool had_reserves = READ_ONCE(self->oom_victim);

		if (!had_reserves)
			oom_ops->mark_current();
		return !had_reserves;
	}
	if (mutex_trylock(&decision)) {
		decide(gfp, order);
		mutex_unlock(&decision);
	}
	if (!fatal_signal_pending(self))	/* it may have been this one */
		sleep_ns(A_LITTLE);
	return true;
}
