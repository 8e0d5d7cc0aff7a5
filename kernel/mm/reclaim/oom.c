/*
 * The OOM killer: when nothing can be reclaimed any more, somebody must go.
 *
 * The problem. Programs are promised more memory than there is (fork copies nothing at first, malloc maps what
 * may never be touched), because most of it is never asked for. If all of them do ask, one of the promises has to
 * be broken, and a page fault cannot return an error. The kernel kills a process: one, and the one whose end
 * gives back the most, for then the others can go on. The choice is a sum that a person can check:
 *
 *	pages in memory + pages in swap + pages of page tables + oom_score_adj thousandths of all memory
 *
 * Process 1 is never chosen, nor one whose adjustment is -1000.
 *
 * One at a time. A victim must run to die, and for that it may need memory: it has the reserves. Until it has given
 * its memory back, nobody else is killed, however many allocations fail meanwhile: they wait. If it does not go
 * within five seconds (it may wait for a lock whose holder waits for memory), the next is chosen.
 *
 * Not too early. Between the moment when reclaim gave up and now, another CPU may have freed memory or the last
 * victim may have died: so memory is looked at once more, with the lock held. And a request for a large block
 * fails rather than kills: memory is there, only in pieces, and who asks for such blocks must have another plan.
 *
 * Lock: oom_lock (mutex): one decides at a time. Whoever finds it taken waits a little and tries to allocate again.
 */
#include "mm/reclaim/oom.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "sched/timer.h"

#define MAX_KILL_ORDER	3			/* larger blocks are worth no process */
#define DEATH_NS	(5 * NSEC_PER_SEC)	/* a victim is given so long */
#define WAIT_NS		(10 * NSEC_PER_MSEC)

static DEFINE_MUTEX(oom_lock);

long oom_badness(const struct oom_task *task, unsigned long totalpages)
{
	long points;

	if (task->is_init || !task->has_memory || task->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return OOM_NEVER;
	points = task->rss_anon + task->rss_file + task->swapents + task->pgtables;
	return points + task->oom_score_adj * (long)totalpages / 1000;
}

/* Is somebody on its way out whose memory is worth waiting for? */
static bool victim_pending(void)
{
	struct oom_task task;

	for (pid_t pid = 0; oom_ops->next(pid, &task); pid = task.pid)
		if (task.oom_victim && task.has_memory &&
		    ktime_get() - task.victim_since_ns < DEATH_NS)
			return true;
	return false;
}

/* The worst; false: nobody may be killed. A victim that did not die in time does not count again. */
static bool select_victim(struct oom_task *worst)
{
	unsigned long totalpages = totalram_pages() + total_swap_pages();
	long most = OOM_NEVER;
	struct oom_task task;

	for (pid_t pid = 0; oom_ops->next(pid, &task); pid = task.pid) {
		long points = oom_badness(&task, totalpages);

		if (points <= most || task.oom_victim)
			continue;
		most = points;
		*worst = task;
	}
	return most != OOM_NEVER;
}

/* Could the request be served now? */
static bool memory_is_back(gfp_t gfp, unsigned int order)
{
	struct zonelist_cursor cursor;

	for (struct zone *zone = zonelist_first(&cursor, 0, gfp); zone; zone = zonelist_next(&cursor))
		if (zone_watermark_ok(zone, order, WMARK_HIGH, gfp & ~__GFP_MEMALLOC))
			return true;
	return false;
}

static void kill_somebody(gfp_t gfp, unsigned int order)
{
	struct oom_task victim;

	oom_report(gfp, order);
	if (sysctl_panic_on_oom)
		panic("Out of memory: panic_on_oom is set");
	if (!select_victim(&victim))
		panic("Out of memory and no killable processes");
	if (oom_ops->kill(victim.pid)) {
		inc_vm_stat(OOM_KILL);
		oom_report_kill(&victim);
	}
}

bool out_of_memory(gfp_t gfp, unsigned int order)
{
	if (!oom_ops || order > MAX_KILL_ORDER)
		return false;
	/* Who is dying already needs a few pages to get there, not another's death. */
	if (fatal_signal_pending(current_thread())) {
		if (READ_ONCE(current_thread()->oom_victim))
			return false;
		oom_ops->mark_current();
		return true;
	}
	if (mutex_trylock(&oom_lock)) {
		bool wait = memory_is_back(gfp, order) || victim_pending();

		if (!wait)
			kill_somebody(gfp, order);
		mutex_unlock(&oom_lock);
	}
	sleep_ns(WAIT_NS);
	return true;
}
