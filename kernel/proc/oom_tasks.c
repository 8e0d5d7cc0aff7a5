/*
 * The OOM killer's view of the processes, and its hand: see mm/reclaim/oom.h. Processes that share memory
 * (vfork, clone with CLONE_VM) die together, or nothing would be given back.
 */
#include "proc/internal.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "mm/reclaim/oom.h"
#include "sched/timer.h"

static unsigned long positive(const atomic_long_t *value)
{
	return max(atomic_read(value), 0L);
}

/* tasklist_lock held. */
static void describe(const struct process *p, struct oom_task *task)
{
	const struct mm *mm = p->mm;

	memset(task, 0, sizeof(*task));
	task->pid = p->pid;
	strscpy(task->comm, p->comm, sizeof(task->comm));
	task->oom_score_adj = p->oom_score_adj;
	task->is_init = p->pid == 1;
	task->dying = p->group_exiting;
	task->oom_victim = p->oom_victim_ns != 0;
	task->victim_since_ns = p->oom_victim_ns;
	task->has_memory = mm || task->oom_victim;	/* on its way out it has no mm, but is not done */
	if (!mm)
		return;
	task->total_vm = mm->total_pages;
	task->rss_anon = positive(&mm->rss_anon);
	task->rss_file = positive(&mm->rss_file);
	task->swapents = positive(&mm->swapents);
	task->pgtables = positive(&mm->pgtables);
}

/* The process with the lowest pid above @after, or NULL; tasklist_lock held. */
static struct process *process_after(pid_t after)
{
	struct process *p, *best = NULL;

	list_for_each_entry(p, &process_list, all)
		if (p->pid > after && !p->zombie && (!best || p->pid < best->pid))
			best = p;
	return best;
}

static bool next_task(pid_t after, struct oom_task *task)
{
	struct process *p;

	spin_lock_irq(&tasklist_lock);
	p = process_after(after);
	if (p)
		describe(p, task);
	spin_unlock_irq(&tasklist_lock);
	return p != NULL;
}

/* tasklist_lock held, interrupts off. */
static void kill_process(struct process *p)
{
	struct task *t;

	spin_lock(&p->sig_lock);
	p->oom_victim_ns = max(ktime_get(), 1UL);
	list_for_each_entry(t, &p->threads, group_node)
		WRITE_ONCE(t->thread.oom_victim, true);
	if (!p->group_exiting)
		kill_threads(p, SIGKILL);
	spin_unlock(&p->sig_lock);
}

static bool kill_pid(pid_t pid)
{
	struct process *p, *victim = NULL;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all)
		if (p->pid == pid && !p->zombie && p->mm)
			victim = p;
	if (victim)
		list_for_each_entry(p, &process_list, all)
			if (p->pid != 1 && p->mm == victim->mm)
				kill_process(p);
	spin_unlock_irq(&tasklist_lock);
	return victim != NULL;
}

static void mark_current(void)
{
	WRITE_ONCE(current_thread()->oom_victim, true);
}

void oom_describe(struct process *p, struct oom_task *task)
{
	spin_lock_irq(&tasklist_lock);
	describe(p, task);
	spin_unlock_irq(&tasklist_lock);
}

/* fault_oom_hook: the allocator did all it could, and still there is no page. Who is being killed dies; others
 * give way to those who will free memory. */
static bool fault_without_memory(void)
{
	if (fatal_signal_pending(current_thread()) || (current_thread()->pf_flags & PF_EXITING))
		return false;
	sleep_ns(NSEC_PER_MSEC);
	return true;
}

static int oom_tasks_init(void)
{
	static const struct oom_ops ops = {
		.next = next_task,
		.kill = kill_pid,
		.mark_current = mark_current,
	};

	oom_ops = &ops;
	fault_oom_hook = fault_without_memory;
	return 0;
}
core_initcall(oom_tasks_init);
