/* System calls on signals and futexes. */
#include "syscall/syscall.h"
#include "asm/ptrace.h"
#include "asm/signal.h"
#include "lib/string.h"

static struct pt_regs *user_regs(void)
{
	return arch_user_regs((char *)current_thread()->stack + THREAD_SIZE);
}

static struct kernel_siginfo info_from_self(int code)
{
	return (struct kernel_siginfo){ .code = code, .pid = current_process()->pid };
}

/* To everybody but init and the caller; tasklist_lock is taken here. */
static long kill_all(int sig, const struct kernel_siginfo *info)
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
	struct kernel_siginfo info = info_from_self(SI_USER);
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
	struct kernel_siginfo info = info_from_self(SI_TKILL);
	struct task *t;
	long ret = -ESRCH;

	if (tid <= 0 || sig < 0 || sig > _NSIG)
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	t = find_task(tid);
	if (t && (tgid == -1 || t->process->pid == tgid)) {
		ret = 0;
		if (sig)
			send_signal_task(t, sig, &info);
	}
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
	struct user_sigaction user = { 0 };
	struct k_sigaction new = { 0 }, old;
	int sig = a[0];

	if (a[3] != sizeof(sigset_t) || sig < 1 || sig > _NSIG)
		return -EINVAL;
	if (a[1] && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	if (a[1] && copy_from_user(&user, (void *)a[1], sizeof(user)))
		return -EFAULT;
	new.handler = user.handler;
	new.flags = user.flags;
	new.mask = user.mask;
	do_sigaction(sig, a[1] ? &new : NULL, &old);
	memset(&user, 0, sizeof(user));
	user.handler = old.handler;
	user.flags = old.flags;
	user.mask = old.mask;
	return a[2] ? copy_to_user((void *)a[2], &user, sizeof(user)) : 0;
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
		if ((int)a[0] == SIG_BLOCK)
			set_blocked(old | set);
		else if ((int)a[0] == SIG_UNBLOCK)
			set_blocked(old & ~set);
		else if ((int)a[0] == SIG_SETMASK)
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

/*
 * Takes one of @wanted, sleeping until @deadline: the signal, -EAGAIN at the deadline (0: at once),
 * -EINTR when another one came. While it sleeps the wanted ones, blocked as they are, wake it: see
 * struct task.
 */
static int take_signal(sigset_t wanted, u64 deadline, struct kernel_siginfo *info)
{
	struct task *t = current_task();
	bool late = deadline == 0, interrupted;
	int sig;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		spin_lock_irq(&t->process->sig_lock);
		t->wanted = wanted;
		sig = dequeue_signal(t, wanted, info);
		recalc_sigpending(t);
		interrupted = signal_pending(&t->thread);
		if (sig || late || interrupted)
			t->wanted = 0;
		spin_unlock_irq(&t->process->sig_lock);
		if (sig || late || interrupted)
			break;
		late = !schedule_until(deadline);
	}
	set_current_state(TASK_RUNNING);
	if (sig)
		return sig;
	return interrupted ? -EINTR : -EAGAIN;
}

SYSCALL(rt_sigtimedwait)
{
	struct kernel_siginfo info;
	sigset_t wanted;
	int err = 0, sig;
	u64 timeout;

	if (a[3] != sizeof(wanted))
		return -EINVAL;
	if (get_user(wanted, (const sigset_t *)a[0]))
		return -EFAULT;
	timeout = get_timeout((const struct timespec *)a[2], &err);
	if (err)
		return err;
	if (timeout && timeout != ~0UL)
		timeout += ktime_get();
	sig = take_signal(wanted & ~(sigmask(SIGKILL) | sigmask(SIGSTOP)), timeout, &info);
	if (sig > 0 && a[1] && copy_siginfo_to_user((void *)a[1], &info))
		return -EFAULT;
	return sig;
}

SYSCALL(rt_sigreturn)
{
	(void)a;
	return do_sigreturn(user_regs());
}

/* Field by field: the gap between them is not for user space. */
static int put_altstack(const struct sigaltstack *stack, struct sigaltstack *user)
{
	struct sigaltstack out;

	memset(&out, 0, sizeof(out));
	out.ss_sp = stack->ss_sp;
	out.ss_flags = stack->ss_flags;
	out.ss_size = stack->ss_size;
	return copy_to_user(user, &out, sizeof(out));
}

SYSCALL(sigaltstack)
{
	unsigned long sp = user_stack_pointer(user_regs());
	struct sigaltstack new, old;
	int err;

	old = get_altstack(sp);
	if (a[0]) {
		if (copy_from_user(&new, (void *)a[0], sizeof(new)))
			return -EFAULT;
		err = set_altstack(&new, sp);
		if (err)
			return err;
	}
	return a[1] ? put_altstack(&old, (void *)a[1]) : 0;
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
		return restarted_deadline(now + t);
	if (!(a[1] & FUTEX_CLOCK_REALTIME))
		return t;
	real = ktime_get_real();
	return t > real ? now + (t - real) : now;
}

static long wait_on_futex(const unsigned long *a, int op, bool shared)
{
	int err = 0;
	u64 deadline = futex_deadline(a, op, &err);
	long ret;

	if (err)
		return err;
	ret = futex_wait((u32 *)a[0], a[2], deadline, op == FUTEX_WAIT ? ~0U : (u32)a[5], shared);
	/* A wait with a relative timeout goes on to the same end, or ends with the handler. */
	if (ret == -ERESTARTSYS && op == FUTEX_WAIT && deadline != ~0UL)
		ret = restart_with_deadline(deadline);
	return ret;
}

SYSCALL(futex)
{
	int op = a[1] & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
	bool shared = !(a[1] & FUTEX_PRIVATE);
	u32 *uaddr = (u32 *)a[0], cmpval = a[5];

	switch (op) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return wait_on_futex(a, op, shared);
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
