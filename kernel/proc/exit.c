/*
 * The end of a thread, of a process, and what is left of it until wait4.
 *
 * A thread that exits gives back what it holds: memory, files, its place in the group. The last one
 * makes the process a zombie: its children go to init, its parent is told, and only number and
 * status remain, until the parent collects them. The stack and struct task are freed later, by the
 * scheduler's reaper, when the thread is off them.
 *
 * Threads leave in no order, also the first one before others, and several at the same time. So two
 * counters are taken down under the locks: nr_live on the way in, whose last thread takes the
 * memory from the process before it drops its own reference; nr_threads on the way out, whose last
 * thread ends the process. Who finds a process, a task or its files through the tables does so
 * under tasklist_lock, under which each of them is taken out.
 */
#include "proc/internal.h"
#include "base/printk.h"
#include "lib/string.h"

#define NSEC_PER_TICK	(NSEC_PER_SEC / 100)

static struct process *init_process(void)
{
	struct process *p;

	list_for_each_entry(p, &process_list, all)
		if (p->pid == 1)
			return p;
	return NULL;
}

/* Does the parent want no zombies? tasklist_lock held. */
static bool parent_ignores(const struct process *p)
{
	const struct k_sigaction *act = &p->parent->sighand->action[SIGCHLD - 1];

	return p->exit_signal == SIGCHLD &&
	       (act->handler == SIG_IGN || (act->flags & SA_NOCLDWAIT));
}

void notify_parent(struct process *child, int code, int status)
{
	bool ended = code == CLD_EXITED || code == CLD_KILLED;
	int sig = ended ? child->exit_signal : SIGCHLD;
	struct kernel_siginfo info = {
		.code = code, .pid = child->pid, .status = status,
		.utime = child->utime_ns / NSEC_PER_TICK, .stime = child->stime_ns / NSEC_PER_TICK,
	};

	if (!child->parent)
		return;
	if (!ended && (child->parent->sighand->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		sig = 0;
	if (sig)
		send_signal_locked(child->parent, sig, &info);
	wake_up_all(&child->parent->wait_child);
}

static void notify_exit(struct process *p)
{
	int sig = p->exit_code & 0x7f;

	notify_parent(p, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : p->exit_code >> 8);
}

void unlink_process(struct process *p)
{
	list_del_init(&p->sibling);
	list_del_init(&p->all);
}

void free_process(struct process *p)
{
	tid_free(p->pid);
	sighand_put(p->sighand);
	process_put(p);
}

/* Gives the children of a dying process to init; zombies that nobody wants go to @dead. */
static void reparent_children(struct process *p, struct list_head *dead)
{
	struct process *init = init_process(), *child, *next;

	list_for_each_entry_safe(child, next, &p->children, sibling) {
		child->parent = init;
		child->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &init->children);
		if (!child->zombie)
			continue;
		if (parent_ignores(child)) {
			unlink_process(child);
			list_add(&child->sibling, dead);
		} else {
			notify_exit(child);
		}
	}
}

/* The last thread leaves: the process becomes a zombie. tasklist_lock held. */
static void process_exit(struct process *p, struct list_head *dead)
{
	bool unwanted;

	reparent_children(p, dead);
	vfork_done(p);
	p->zombie = true;
	unwanted = parent_ignores(p);
	notify_exit(p);
	if (unwanted) {
		unlink_process(p);
		list_add(&p->sibling, dead);
	}
}

/*
 * From here on the thread counts as gone: what the group has and only it held is taken away. True
 * if it was the last to begin.
 */
static bool begin_exit(struct task *t, int code)
{
	struct process *p = t->process;
	bool last, stopped;

	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	t->thread.pf_flags |= PF_EXITING;
	stopped = stop_reached(t);
	/* The status is the first thread's, even if it is not the last, unless all were ended at
	 * once. */
	if (!p->group_exiting && t->tid == p->pid)
		p->exit_code = code;
	last = --p->nr_live == 0;
	if (last) {
		p->group_exiting = true;
		p->mm = NULL;
	}
	spin_unlock(&p->sig_lock);
	if (stopped)
		notify_parent(p, CLD_STOPPED, p->stop_signal);
	spin_unlock_irq(&tasklist_lock);
	return last;
}

static void release_files(struct task *t)
{
	struct files *files = t->files;
	struct fs_struct *fs = t->fs;

	spin_lock_irq(&tasklist_lock);
	t->files = NULL;
	t->fs = NULL;
	spin_unlock_irq(&tasklist_lock);
	files_put(files);
	fs_put(fs);
}

static void leave_group(struct task *t, struct list_head *dead)
{
	struct process *p = t->process;
	u64 utime, stime;

	thread_cputime(&t->thread, &utime, &stime);
	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	list_del_init(&t->group_node);
	p->nr_threads--;
	p->utime_ns += utime;
	p->stime_ns += stime;
	/* What was meant for the group and this thread was to take, another must. */
	retarget_signals(p);
	spin_unlock(&p->sig_lock);
	if (p->nr_threads == 0)
		process_exit(p, dead);
	else if (p->exec_task)
		wake_up_all(&p->wait_child);
	spin_unlock_irq(&tasklist_lock);
}

/*
 * Process 1 is gone, killed perhaps by a damaged /bin/init: nothing can go on, but nothing is lost.
 */
static __noreturn void init_ended(int code)
{
	pr_emerg("init (process 1) ended, %s %d: powering off\n", code & 0x7f ? "killed by signal" :
		 "exit status", code & 0x7f ? code & 0x7f : code >> 8);
	sync_all();
	printk_flush();
	arch_poweroff();
}

void do_exit(int code)
{
	struct task *t = current_task();
	struct process *child, *next;
	struct mm *mm = t->thread.mm;
	LIST_HEAD(dead);

	if (begin_exit(t, code)) {
		if (t->process->pid == 1)
			init_ended(t->process->exit_code);
		itimer_cancel(t->process);
	}
	futex_exit(t);
	release_files(t);
	sched_switch_mm(NULL, NULL);
	mm_put(mm);
	leave_group(t, &dead);
	list_for_each_entry_safe(child, next, &dead, sibling) {
		list_del_init(&child->sibling);
		free_process(child);
	}
	thread_exit();
}

void do_group_exit(int code)
{
	struct process *p = current_process();

	spin_lock_irq(&p->sig_lock);
	if (!p->group_exiting)
		kill_threads(p, code);
	else
		code = p->exit_code;
	spin_unlock_irq(&p->sig_lock);
	do_exit(code);
}

struct mm *get_process_mm(struct process *p)
{
	unsigned long flags;
	struct mm *mm;

	spin_lock_irqsave(&tasklist_lock, flags);
	mm = p->mm;
	if (mm && !atomic_inc_not_zero(&mm->users))
		mm = NULL;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return mm;
}
