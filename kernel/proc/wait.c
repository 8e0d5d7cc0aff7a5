/*
 * Waiting for children. A wait looks at each child under tasklist_lock, under which every change
 * that a parent can wait for is made and announced (notify_parent() wakes wait_child after it);
 * between two looks it sleeps. Any thread of the parent may wait; one of them gets the child.
 */
#include "proc/internal.h"
#include "lib/string.h"
#include "mm/vm/uaccess.h"
#include "uapi/wait.h"

/* What is waited for, and what was found. */
struct wait {
	pid_t pid;			/* as for wait4: > 0, -1, 0 or -group */
	int options;
	struct process *reaped;		/* to be freed, or NULL */
	pid_t found;
	int status;			/* wait4's encoding */
	u64 utime_ns, stime_ns;
};

static bool wait_matches(const struct process *child, pid_t pid)
{
	if (pid > 0)
		return child->pid == pid;
	if (pid == -1)
		return true;
	return child->pgid == (pid == 0 ? current_process()->pgid : -pid);
}

static void reap(struct process *child, struct wait *w)
{
	struct process *self = current_process();

	w->reaped = child;
	self->cutime_ns += child->utime_ns + child->cutime_ns;
	self->cstime_ns += child->stime_ns + child->cstime_ns;
	unlink_process(child);
}

/* Has @child something to tell? tasklist_lock held. */
static bool wait_child(struct process *child, struct wait *w)
{
	bool consume = !(w->options & WNOWAIT);

	if (child->zombie && (w->options & WEXITED)) {
		w->status = child->exit_code;
		if (consume)
			reap(child, w);
	} else if (child->stopped && !child->nr_stopping && !child->stop_reported && (w->options & WUNTRACED)) {
		w->status = child->stop_signal << 8 | 0x7f;
		child->stop_reported = consume;
	} else if (child->continued && (w->options & WCONTINUED)) {
		w->status = 0xffff;
		child->continued = !consume;
	} else {
		return false;
	}
	w->found = child->pid;
	w->utime_ns = child->utime_ns;
	w->stime_ns = child->stime_ns;
	return true;
}

/* Looks at each child once: 1 for a result, 0 for none yet, -ECHILD when there never will be. */
static int wait_scan(struct wait *w)
{
	struct process *child;
	int ret = -ECHILD;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(child, &current_process()->children, sibling) {
		if (!wait_matches(child, w->pid))
			continue;
		ret = wait_child(child, w);
		if (ret)
			break;
	}
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

/* 1: found, what is left of the child is freed; 0: WNOHANG and nothing yet; or -errno. */
static int do_wait(struct wait *w)
{
	int found, err = 0;

	if (w->options & WNOHANG)
		found = wait_scan(w);
	else
		err = wait_event_interruptible(&current_process()->wait_child,
					       (found = wait_scan(w)) != 0);
	if (err)
		return err;
	if (w->reaped)
		free_process(w->reaped);
	return found;
}

static int put_rusage(void *urusage, const struct wait *w)
{
	s64 usage[18] = {
		(s64)(w->utime_ns / NSEC_PER_SEC), (s64)(w->utime_ns % NSEC_PER_SEC / 1000),
		(s64)(w->stime_ns / NSEC_PER_SEC), (s64)(w->stime_ns % NSEC_PER_SEC / 1000),
	};

	return copy_to_user(urusage, usage, sizeof(usage));
}

long do_wait4(pid_t pid, int *ustatus, int options, void *urusage)
{
	struct wait w = { .pid = pid, .options = options | WEXITED };
	int found;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
		return -EINVAL;
	if (pid == (pid_t)0x80000000)
		return -ESRCH;
	found = do_wait(&w);
	if (found <= 0)
		return found;
	if (ustatus && put_user(w.status, ustatus))
		return -EFAULT;
	if (urusage && put_rusage(urusage, &w))
		return -EFAULT;
	return w.found;
}

static struct kernel_siginfo wait_info(const struct wait *w)
{
	struct kernel_siginfo info = { .sig = SIGCHLD, .pid = w->found };

	if (w->status == 0xffff) {
		info.code = CLD_CONTINUED;
		info.status = SIGCONT;
	} else if ((w->status & 0xff) == 0x7f) {
		info.code = CLD_STOPPED;
		info.status = w->status >> 8;
	} else if (w->status & 0x7f) {
		info.code = CLD_KILLED;
		info.status = w->status & 0x7f;
	} else {
		info.code = CLD_EXITED;
		info.status = w->status >> 8;
	}
	return info;
}

long do_waitid(int type, pid_t id, void *uinfo, int options, void *urusage)
{
	struct wait w = { .options = options };
	struct kernel_siginfo info = { 0 };
	int found;

	if ((options & ~(WNOHANG | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL |
			 WCLONE)) || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (type == P_ALL)
		w.pid = -1;
	else if (type == P_PID && id > 0)
		w.pid = id;
	else if (type == P_PGID && id >= 0)
		w.pid = -id;
	else
		return -EINVAL;
	if (w.pid == -1 && type == P_PGID)
		return -ECHILD;		/* the group of process 1, which is nobody's child */
	found = do_wait(&w);
	if (found < 0)
		return found;
	if (found > 0)
		info = wait_info(&w);
	if (found > 0 && urusage && put_rusage(urusage, &w))
		return -EFAULT;
	return uinfo ? copy_siginfo_to_user(uinfo, &info) : 0;
}
