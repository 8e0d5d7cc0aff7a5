/*
 * A page fault found no memory. Before there is an OOM killer (lab 5) the rule is: the process that
 * faulted dies. But not every such process is at fault: a shell that touches a page while a hog
 * eats the rest would die for the hog. So a process that is not the largest waits a little and
 * tries again; the largest, which cannot be helped by waiting for smaller ones, dies at its own
 * next fault. Nobody is killed for another, and a wait ends after a second.
 */
#include "proc/internal.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "mm/fault/fault.h"
#include "sched/timer.h"

#define RETRY_NS	(10 * NSEC_PER_MSEC)
#define PATIENCE_NS	NSEC_PER_SEC
#define FORGET_NS	(2 * NSEC_PER_SEC)	/* a fault this much later is another shortage */

static long rss(const struct mm *mm)
{
	return atomic_read(&mm->rss_anon) + atomic_read(&mm->rss_file);
}

/* Does another process hold more memory, or is one about to give its memory back? */
static bool others_first(const struct mm *mm)
{
	struct process *p;
	bool found = false;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all) {
		if (p->mm && p->mm != mm && (p->group_exiting || rss(p->mm) > rss(mm)))
			found = true;
	}
	spin_unlock_irq(&tasklist_lock);
	return found;
}

static void kill_current(struct process *p)
{
	const struct mm *mm = current_thread()->mm;

	pr_warn("Out of memory: Killed process %d (%s) anon-rss:%ldkB file-rss:%ldkB\n", p->pid,
		p->comm, atomic_read(&mm->rss_anon) * 4, atomic_read(&mm->rss_file) * 4);
	spin_lock_irq(&p->sig_lock);
	if (!p->group_exiting)
		kill_threads(p, SIGKILL);
	spin_unlock_irq(&p->sig_lock);
}

/* fault_oom_hook: true when the fault is to be tried again. Sleeps. */
static bool fault_without_memory(void)
{
	struct task *t = current_task();
	u64 now = ktime_get();

	if (fatal_signal_pending(&t->thread) || (t->thread.pf_flags & PF_EXITING))
		return false;
	if (now - t->nomem_since_ns > FORGET_NS)
		t->nomem_since_ns = now;
	if (now - t->nomem_since_ns < PATIENCE_NS && others_first(t->thread.mm)) {
		sleep_ns(RETRY_NS);
		return true;
	}
	kill_current(t->process);
	return false;
}

static int nomem_init(void)
{
	fault_oom_hook = fault_without_memory;
	return 0;
}
core_initcall(nomem_init);
