/* System calls on signals and futexes. */
#include "syscall/syscall.h"
#include "asm/ptrace.h"
#include "asm/signal.h"

static struct pt_regs *user_regs(void)
{
	return arch_user_regs((char *)current_thread()->stack + THREAD_SIZE);
}

static struct siginfo info_from_self(int sig, int code)
{
	return (struct siginfo){ .si_signo = sig, .si_code = code,
				 .kill.pid = current_process()->pid };
}

/* To everybody but init and the caller; tasklist_lock is taken here. */
static long kill_all(int sig, const struct siginfo *info)
{
	struct process *p;
	long ret = -ESRCH;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all) {
		if (p->pid == 1 || p == current_process())
			continue;
		ret = 0;
		if (sig)
			send_signal_locked(p, sig, info);
	}
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

SYSCALL(kill)
{
	pid_t pid = a[0];
	int sig = a[1];
	struct siginfo info = info_from_self(sig, SI_USER);
	struct process *p;
	int err;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	if (pid == -1)
		return kill_all(sig, &info);
	if (pid == (pid_t)0x80000000)
		return -ESRCH;
	if (pid <= 0)
		return send_signal_group(pid ? -pid : current_process()->pgid, sig, &info);
	p = find_get_process(pid);
	if (!p)
		return -ESRCH;
	err = send_signal_process(p, sig, &info);
	process_put(p);
	return err;
}

/* @tgid -1: any group. */
static long send_to_thread(pid_t tgid, pid_t tid, int sig)
{
	struct siginfo info = info_from_self(sig, SI_TKILL);
	struct task *t;
	long ret = -ESRCH;

	if (tid <= 0 || sig < 0 || sig > _NSIG)
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	t = find_task(tid);
	if (t && (tgid == -1 || t->process->pid == tgid))
		ret = send_signal_task(t, sig, &info);
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

SYSCALL(tkill)
{
	return send_to_thread(-1, a[0], a[1]);
}

SYSCALL(tgkill)
{
	if ((pid_t)a[0] <= 0)
		return -EINVAL;
	return send_to_thread(a[0], a[1], a[2]);
}

SYSCALL(rt_sigaction)
{
	struct process *p = current_process();
	int sig = a[0];
	struct user_sigaction new, old = { 0 };
	struct k_sigaction *act;

	if (a[3] != sizeof(sigset_t) || sig < 1 || sig > _NSIG)
		return -EINVAL;
	if (a[1] && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	if (a[1] && copy_from_user(&new, (void *)a[1], sizeof(new)))
		return -EFAULT;
	spin_lock_irq(&p->sig_lock);
	act = &p->sighand->action[sig - 1];
	old.handler = act->handler;
	old.flags = act->flags;
	old.mask = act->mask;
	if (a[1]) {
		act->handler = new.handler;
		act->flags = new.flags;
		act->mask = new.mask;
		discard_ignored(p, sig);
	}
	spin_unlock_irq(&p->sig_lock);
	return a[2] ? copy_to_user((void *)a[2], &old, sizeof(old)) : 0;
}

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

SYSCALL(rt_sigprocmask)
{
	sigset_t set, old = current_task()->blocked;

	if (a[3] != sizeof(sigset_t))
		return -EINVAL;
	if (a[1]) {
		if (get_user(set, (const sigset_t *)a[1]))
			return -EFAULT;
		if (a[0] == SIG_BLOCK)
			set_blocked(old | set);
		else if (a[0] == SIG_UNBLOCK)
			set_blocked(old & ~set);
		else if (a[0] == SIG_SETMASK)
			set_blocked(set);
		else
			return -EINVAL;
	}
	return a[2] ? put_user(old, (sigset_t *)a[2]) : 0;
}

SYSCALL(rt_sigpending)
{
	struct task *t = current_task();
	sigset_t set;

	if (a[1] > sizeof(set))
		return -EINVAL;
	spin_lock_irq(&t->process->sig_lock);
	set = (t->pending.set | t->process->shared_pending.set) & t->blocked;
	spin_unlock_irq(&t->process->sig_lock);
	return copy_to_user((void *)a[0], &set, a[1]);
}

SYSCALL(rt_sigsuspend)
{
	struct task *t = current_task();
	sigset_t set;

	if (a[1] != sizeof(set))
		return -EINVAL;
	if (get_user(set, (const sigset_t *)a[0]))
		return -EFAULT;
	t->saved_blocked = t->blocked;
	set_blocked(set);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending(&t->thread))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
	t->restore_blocked = true;	/* after the handler has run */
	return -ERESTARTNOHAND;
}

SYSCALL(rt_sigtimedwait)
{
	struct task *t = current_task();
	sigset_t wanted, old = t->blocked;
	struct siginfo info;
	int err = 0, sig;
	u64 timeout = get_timeout((const struct timespec *)a[2], &err), deadline;
	bool late = false;

	if (a[3] != sizeof(wanted))
		return -EINVAL;
	if (get_user(wanted, (const sigset_t *)a[0]))
		return -EFAULT;
	if (err)
		return err;
	wanted &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	deadline = timeout == ~0UL ? timeout : ktime_get() + timeout;
	set_blocked(old & ~wanted);	/* so that one of them wakes us */
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		spin_lock_irq(&t->process->sig_lock);
		sig = dequeue_signal(t, wanted, &info);
		spin_unlock_irq(&t->process->sig_lock);
		if (sig || late || signal_pending(&t->thread) || timeout == 0)
			break;
		late = !schedule_until(deadline);
	}
	set_current_state(TASK_RUNNING);
	set_blocked(old);
	if (!sig)
		return signal_pending(&t->thread) ? -EINTR : -EAGAIN;
	if (a[1] && copy_to_user((void *)a[1], &info, sizeof(info)))
		return -EFAULT;
	return sig;
}

SYSCALL(rt_sigreturn)
{
	(void)a;
	return do_sigreturn(user_regs());
}

SYSCALL(sigaltstack)
{
	struct task *t = current_task();
	struct sigaltstack new, old = t->altstack;
	bool on = task_on_altstack(user_regs());

	if (!old.ss_size)
		old.ss_flags = SS_DISABLE;
	if (on)
		old.ss_flags |= SS_ONSTACK;
	if (a[0]) {
		if (copy_from_user(&new, (void *)a[0], sizeof(new)))
			return -EFAULT;
		if (on)
			return -EPERM;
		if (new.ss_flags & ~(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		if (new.ss_flags & SS_DISABLE)
			new = (struct sigaltstack){ .ss_flags = SS_DISABLE };
		else if (new.ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		t->altstack = new;
	}
	return a[1] ? copy_to_user((void *)a[1], &old, sizeof(old)) : 0;
}

/* ---- futex ---------------------------------------------------------------------------- */

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_PRIVATE		128
#define FUTEX_CLOCK_REALTIME	256

/* A relative (FUTEX_WAIT) or absolute timeout as a point on CLOCK_MONOTONIC. */
static u64 futex_deadline(const unsigned long *a, int op, int *err)
{
	u64 t = get_timeout((const struct timespec *)a[3], err), now = ktime_get(), real;

	if (t == ~0UL)
		return t;
	if (op == FUTEX_WAIT)
		return now + t;
	if (!(a[1] & FUTEX_CLOCK_REALTIME))
		return t;
	real = ktime_get_real();
	return t > real ? now + (t - real) : now;
}

SYSCALL(futex)
{
	int op = a[1] & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME), err = 0;
	bool shared = !(a[1] & FUTEX_PRIVATE);
	u32 *uaddr = (u32 *)a[0], cmpval = a[5];
	u64 deadline;

	switch (op) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		deadline = futex_deadline(a, op, &err);
		if (err)
			return err;
		err = futex_wait(uaddr, a[2], deadline, op == FUTEX_WAIT ? ~0U : (u32)a[5], shared);
		/* Run again after a handler, a relative timeout would start anew. */
		return err == -ERESTARTSYS && op == FUTEX_WAIT && a[3] ? -EINTR : err;
	case FUTEX_WAKE:
		return futex_wake(uaddr, a[2], ~0U, shared);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, a[2], a[5], shared);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr, (u32 *)a[4], a[2], a[3],
				     op == FUTEX_CMP_REQUEUE ? &cmpval : NULL, shared);
	default:
		return -ENOSYS;
	}
}
