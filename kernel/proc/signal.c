/*
 * Signals: sent to a process or a thread, kept pending, delivered on the way back to user mode.
 *
 * Sending only marks: a bit in a pending set, TIF_SIGPENDING on a thread that may take it, a wake-
 * up if it sleeps, an interrupt if it runs. All else happens in the target's own context, in
 * user_mode_work(): so no thread ever changes another's registers or stack.
 *
 * Exceptions to that rule act at once on the sender's side: SIGKILL marks every thread TIF_KILLED;
 * SIGCONT ends a stop even if it is blocked or ignored; and a stop signal and SIGCONT delete each
 * other from the pending sets.
 *
 * process->sig_lock guards handlers, pending sets and the thread list; it is taken inside
 * tasklist_lock, from interrupts too (Ctrl-C).
 */
#include "proc/internal.h"
#include "arch/upcalls.h"
#include "asm/ptrace.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "drivers/tty.h"
#include "lib/bitops.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

#define STOP_SIGNALS	(sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
#define IGNORED_SIGNALS	(sigmask(SIGCHLD) | sigmask(SIGURG) | sigmask(SIGWINCH) | sigmask(SIGCONT))
#define SYNC_SIGNALS	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGFPE) | \
			 sigmask(SIGTRAP))
#define UNMASKABLE	(sigmask(SIGKILL) | sigmask(SIGSTOP))

static struct kmem_cache *sighand_cache;

/* Ctrl-C and such: from the terminal's interrupt. */
static void tty_signal(pid_t pgid, int sig)
{
	send_signal_group(pgid, sig, NULL);
}

static pid_t tty_pgrp(void)
{
	return current_thread()->user ? READ_ONCE(current_process()->pgid) : 0;
}

static int signal_init(void)
{
	sighand_cache = kmem_cache_create("sighand_cache", sizeof(struct sighand), 8, SLAB_PANIC,
					  NULL);
	tty_signal_hook = tty_signal;
	tty_pgrp_hook = tty_pgrp;
	return 0;
}
core_initcall(signal_init);

struct sighand *sighand_copy(struct sighand *old)
{
	struct sighand *new = kmem_cache_zalloc(sighand_cache, GFP_KERNEL);

	if (!new)
		return NULL;
	if (old)
		memcpy(new->action, old->action, sizeof(new->action));
	atomic_set(&new->refs, 1);
	return new;
}

void sighand_put(struct sighand *sighand)
{
	if (atomic_dec_and_test(&sighand->refs))
		kmem_cache_free(sighand_cache, sighand);
}

void sighand_reset(struct sighand *sighand)
{
	for (unsigned int i = 0; i < _NSIG; i++) {
		struct k_sigaction *act = &sighand->action[i];

		*act = (struct k_sigaction){ .handler = act->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	}
}

/* ---- sending -------------------------------------------------------------------------- */

void recalc_sigpending(struct task *t)
{
	sigset_t ready = (t->pending.set | t->process->shared_pending.set) & ~t->blocked;

	if (ready || t->process->stopped)
		set_bit(TIF_SIGPENDING, &t->thread.head.flags);
	else
		clear_bit(TIF_SIGPENDING, &t->thread.head.flags);
}

/* Makes the thread look at its flags: wakes it in a state of @mask, or interrupts its CPU. */
static void signal_wake(struct task *t, unsigned int mask)
{
	set_bit(TIF_SIGPENDING, &t->thread.head.flags);
	if (!wake_up_thread(&t->thread, mask) && t != (struct task *)current_thread())
		arch_send_ipi(BIT(READ_ONCE(t->thread.head.cpu)), IPI_RESCHEDULE);
}

void kill_threads(struct process *p, int code)
{
	struct task *t;

	p->group_exiting = true;
	p->exit_code = code;
	p->stopped = false;
	p->nr_stopping = 0;
	list_for_each_entry(t, &p->threads, group_node) {
		t->stopping = false;
		set_bit(TIF_KILLED, &t->thread.head.flags);
		signal_wake(t, BIT(TASK_INTERRUPTIBLE) | BIT(TASK_KILLABLE) | BIT(TASK_STOPPED));
	}
}

void retarget_signals(struct process *p)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, group_node)
		if (p->shared_pending.set & ~t->blocked)
			signal_wake(t, BIT(TASK_INTERRUPTIBLE));
}

static void drop_pending(struct process *p, sigset_t mask)
{
	struct task *t;

	p->shared_pending.set &= ~mask;
	list_for_each_entry(t, &p->threads, group_node)
		t->pending.set &= ~mask;
}

/* SIGCONT: ends a stop, also one that is about to begin. True if the process was stopped. */
static bool continue_process(struct process *p)
{
	bool was_stopped = p->stopped;
	struct task *t;

	p->stopped = false;
	p->nr_stopping = 0;
	if (was_stopped)
		p->continued = true;
	list_for_each_entry(t, &p->threads, group_node) {
		t->stop_dequeued = t->stopping = false;
		wake_up_thread(&t->thread, BIT(TASK_STOPPED));
	}
	return was_stopped;
}

/* Would the process as it is now do nothing with it? */
static bool signal_ignored(const struct process *p, int sig)
{
	unsigned long handler = p->sighand->action[sig - 1].handler;

	if (handler == SIG_IGN)
		return true;
	if (handler != SIG_DFL)
		return false;
	/* init dies of nothing that it has no handler for. */
	return (sigmask(sig) & IGNORED_SIGNALS) || p->pid == 1;
}

static void add_pending(struct sigpending *pending, int sig, const struct kernel_siginfo *info)
{
	if (pending->set & sigmask(sig))
		return;
	pending->set |= sigmask(sig);
	if (info)
		pending->info[sig] = *info;
	else
		pending->info[sig] = (struct kernel_siginfo){ .code = SI_KERNEL };
	pending->info[sig].sig = sig;
}

static bool takes_signal(const struct task *t, int sig)
{
	return !(t->blocked & ~t->wanted & sigmask(sig));
}

/* The thread to wake for a signal to the group: one that would take it, or NULL. */
static struct task *choose_thread(struct process *p, int sig)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, group_node)
		if (takes_signal(t, sig) && !(READ_ONCE(t->thread.pf_flags) & PF_EXITING))
			return t;
	return NULL;
}

/*
 * sig_lock held. @only: the thread it is for, or NULL: any. True if that ended a stop: then the
 * parent is to be told, once sig_lock is free (two processes' locks are never held at once).
 */
static bool send_locked(struct process *p, struct task *only, int sig,
			const struct kernel_siginfo *info)
{
	bool continued = false;
	struct task *t;

	if (p->zombie || p->group_exiting)
		return false;
	if (sig == SIGKILL) {
		if (p->pid != 1)
			kill_threads(p, SIGKILL);
		return false;
	}
	if (sig == SIGCONT) {
		drop_pending(p, STOP_SIGNALS);
		continued = continue_process(p);
	} else if (sigmask(sig) & STOP_SIGNALS) {
		drop_pending(p, sigmask(SIGCONT));
	}
	t = only ? only : choose_thread(p, sig);
	/* What is blocked stays pending even if it would be ignored now: that may change. */
	if (t && !(t->blocked & sigmask(sig)) && signal_ignored(p, sig))
		return continued;
	add_pending(only ? &only->pending : &p->shared_pending, sig, info);
	if (t && takes_signal(t, sig))
		signal_wake(t, BIT(TASK_INTERRUPTIBLE));
	return continued;
}

static void send_one(struct process *p, struct task *only, int sig,
		     const struct kernel_siginfo *info)
{
	bool continued;

	spin_lock(&p->sig_lock);
	continued = send_locked(p, only, sig, info);
	spin_unlock(&p->sig_lock);
	if (continued)
		notify_parent(p, CLD_CONTINUED, SIGCONT);
}

void send_signal_locked(struct process *p, int sig, const struct kernel_siginfo *info)
{
	send_one(p, NULL, sig, info);
}

void send_signal_task(struct task *t, int sig, const struct kernel_siginfo *info)
{
	send_one(t->process, t, sig, info);
}

int send_signal_process(struct process *p, int sig, const struct kernel_siginfo *info)
{
	unsigned long flags;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	if (sig == 0)
		return 0;
	spin_lock_irqsave(&tasklist_lock, flags);
	send_signal_locked(p, sig, info);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

int send_signal_group(pid_t pgid, int sig, const struct kernel_siginfo *info)
{
	struct process *p;
	unsigned long flags;
	int ret = -ESRCH;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	spin_lock_irqsave(&tasklist_lock, flags);
	list_for_each_entry(p, &process_list, all) {
		if (p->pgid != pgid)
			continue;
		ret = 0;
		if (sig)
			send_signal_locked(p, sig, info);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

void send_signal_self(int sig)
{
	struct kernel_siginfo info = { .code = SI_USER, .pid = current_process()->pid };
	struct process *p = current_process();
	unsigned long flags;

	spin_lock_irqsave(&p->sig_lock, flags);
	send_locked(p, current_task(), sig, &info);
	spin_unlock_irqrestore(&p->sig_lock, flags);
}

void force_signal(int sig, int code, unsigned long addr)
{
	struct kernel_siginfo info = { .code = code, .addr = addr };
	struct task *t = current_task();
	struct process *p = t->process;
	struct k_sigaction *act;
	unsigned long flags;

	spin_lock_irqsave(&p->sig_lock, flags);
	act = &p->sighand->action[sig - 1];
	if (act->handler == SIG_IGN || (t->blocked & sigmask(sig))) {
		act->handler = SIG_DFL;
		t->blocked &= ~sigmask(sig);
	}
	t->pending.set &= ~sigmask(sig);
	add_pending(&t->pending, sig, &info);
	set_bit(TIF_SIGPENDING, &t->thread.head.flags);
	spin_unlock_irqrestore(&p->sig_lock, flags);
}

void user_exception(struct pt_regs *regs, int sig, int code, unsigned long addr)
{
	struct task *t = current_task();

	pr_debug("%s[%d]: signal %d code %d at pc %016lx sp %016lx addr %016lx\n", t->thread.comm,
		 t->tid, sig, code, instruction_pointer(regs), user_stack_pointer(regs), addr);
	force_signal(sig, code, addr);
}

void set_blocked(sigset_t mask)
{
	struct task *t = current_task();

	spin_lock_irq(&t->process->sig_lock);
	t->blocked = mask & ~UNMASKABLE;
	recalc_sigpending(t);
	/* What this thread now blocks another may take. */
	if (t->process->nr_threads > 1)
		retarget_signals(t->process);
	spin_unlock_irq(&t->process->sig_lock);
}

void do_sigaction(int sig, const struct k_sigaction *new, struct k_sigaction *old)
{
	struct process *p = current_process();
	struct k_sigaction *act;

	spin_lock_irq(&p->sig_lock);
	act = &p->sighand->action[sig - 1];
	*old = *act;
	if (new) {
		*act = *new;
		act->mask &= ~UNMASKABLE;
		/* What is pending now was meant for the old handler. */
		if (signal_ignored(p, sig))
			drop_pending(p, sigmask(sig));
	}
	spin_unlock_irq(&p->sig_lock);
}

/* ---- delivery ------------------------------------------------------------------------- */

int dequeue_signal(struct task *t, sigset_t wanted, struct kernel_siginfo *info)
{
	struct sigpending *from = &t->pending;
	sigset_t ready = from->set & wanted;
	int sig;

	if (!ready) {
		from = &t->process->shared_pending;
		ready = from->set & wanted;
	}
	if (!ready)
		return 0;
	sig = __ffs((ready & SYNC_SIGNALS) ? ready & SYNC_SIGNALS : ready) + 1;
	from->set &= ~sigmask(sig);
	*info = from->info[sig];
	if (sigmask(sig) & STOP_SIGNALS)
		t->stop_dequeued = true;
	return sig;
}

/*
 * Stops the whole group by @sig, unless SIGCONT or death came meanwhile. Each thread stops where it next looks at its
 * signals, and the last that does tells the parent: from then on the process makes no step.
 */
static void stop_group(struct process *p, int sig)
{
	struct task *self = current_task(), *t;

	spin_lock_irq(&tasklist_lock);		/* for wait4, which looks at all of this */
	spin_lock(&p->sig_lock);
	if (self->stop_dequeued && !p->stopped && !p->group_exiting) {
		p->stopped = true;
		p->continued = false;
		p->stop_reported = false;
		p->stop_signal = sig;
		list_for_each_entry(t, &p->threads, group_node) {
			if (t->thread.pf_flags & PF_EXITING)
				continue;
			t->stopping = true;
			p->nr_stopping++;
			if (t != self)
				signal_wake(t, BIT(TASK_INTERRUPTIBLE));
		}
	}
	self->stop_dequeued = false;
	spin_unlock(&p->sig_lock);
	spin_unlock_irq(&tasklist_lock);
}

bool stop_reached(struct task *t)
{
	if (!t->stopping)
		return false;
	t->stopping = false;
	return --t->process->nr_stopping == 0;
}

/* Is the group stopped? Then this thread is now, too, and the parent is told if it was the last. */
static bool stopped_here(struct process *p)
{
	bool stopped, last;

	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	stopped = p->stopped;
	last = stop_reached(current_task());
	spin_unlock(&p->sig_lock);
	if (last)
		notify_parent(p, CLD_STOPPED, p->stop_signal);
	spin_unlock_irq(&tasklist_lock);
	return stopped;
}

/*
 * Sleeps while the group is stopped: until SIGCONT or death. Before this thread has run again after a SIGCONT, the
 * next stop may have begun, and waits for it as for all.
 */
static void stop_here(struct process *p)
{
	struct task *self = current_task();

	for (;;) {
		set_current_state(TASK_STOPPED);
		if (!stopped_here(p) || fatal_signal_pending(&self->thread))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
	spin_lock_irq(&p->sig_lock);
	recalc_sigpending(self);
	spin_unlock_irq(&p->sig_lock);
}

static void default_action(struct process *p, int sig)
{
	if (p->pid == 1 && !(sigmask(sig) & SYNC_SIGNALS))
		return;
	if (sigmask(sig) & STOP_SIGNALS)
		stop_group(p, sig);
	else if (!(sigmask(sig) & IGNORED_SIGNALS))
		do_group_exit(sig);
}

/*
 * A system call that a signal interrupted: it runs again, or returns EINTR. @act: the handler that
 * is about to start, NULL: none was found. Whichever comes first decides; what follows finds no
 * system call.
 */
static void finish_syscall(struct pt_regs *regs, const struct k_sigaction *act)
{
	bool restart;

	if (syscall_nr(regs) < 0)
		return;
	switch (syscall_return(regs)) {
	case -ERESTARTSYS:
		restart = !act || (act->flags & SA_RESTART);
		break;
	case -ERESTARTNOHAND:
		restart = !act;
		break;
	case -ERESTARTNOINTR:
		restart = true;
		break;
	default:
		return;
	}
	if (restart)
		arch_restart_syscall(regs);
	else
		set_syscall_return(regs, -EINTR);
}

/* Enters the handler: the mask for its time, its frame on the user's stack. */
static void run_handler(struct pt_regs *regs, int sig, struct k_sigaction *act,
			const struct kernel_siginfo *info)
{
	struct task *t = current_task();
	sigset_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;
	sigset_t during = t->blocked | act->mask;

	finish_syscall(regs, act);
	t->restart_deadline = 0;	/* the handler may sleep, too */
	if (!setup_signal_frame(regs, sig, act, info, mask)) {
		if (sig == SIGSEGV)		/* its handler has no stack: nothing to return to */
			do_group_exit(SIGSEGV);
		force_signal(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	t->restore_blocked = false;
	if (!(act->flags & SA_NODEFER))
		during |= sigmask(sig);
	set_blocked(during);
}

/* Takes a signal off and says what is to be done about it; 0: none is left, or it is too late. */
static int next_signal(struct task *t, struct kernel_siginfo *info, struct k_sigaction *act)
{
	struct process *p = t->process;
	int sig = 0;

	spin_lock_irq(&p->sig_lock);
	/* A thread that execve or exit_group has ended must take nothing away from those who live
	 * on. */
	if (!fatal_signal_pending(&t->thread)) {
		sig = dequeue_signal(t, ~t->blocked, info);
		if (!sig)
			recalc_sigpending(t);
	}
	if (sig) {
		*act = p->sighand->action[sig - 1];
		if ((act->flags & SA_RESETHAND) && act->handler > SIG_IGN)
			p->sighand->action[sig - 1].handler = SIG_DFL;
	}
	spin_unlock_irq(&p->sig_lock);
	return sig;
}

static void do_signals(struct pt_regs *regs)
{
	struct task *t = current_task();
	struct process *p = t->process;
	struct kernel_siginfo info;
	struct k_sigaction act;
	int sig;

	for (;;) {
		if (READ_ONCE(p->stopped))
			stop_here(p);
		sig = next_signal(t, &info, &act);
		if (!sig)
			break;
		if (act.handler == SIG_IGN)
			continue;
		if (act.handler == SIG_DFL) {
			default_action(p, sig);
			continue;
		}
		run_handler(regs, sig, &act, &info);
		return;
	}
	finish_syscall(regs, NULL);
	if (t->restore_blocked) {
		t->restore_blocked = false;
		set_blocked(t->saved_blocked);
	}
}

void user_mode_work(struct pt_regs *regs)
{
	struct task *t = current_task();
	unsigned long flags;

	while ((flags = READ_ONCE(t->thread.head.flags)) & TIF_USER_WORK) {
		local_irq_enable();
		if (flags & BIT(TIF_KILLED))
			do_exit(READ_ONCE(t->process->exit_code));
		if (flags & BIT(TIF_NEED_RESCHED))
			schedule();
		if (flags & BIT(TIF_SIGPENDING))
			do_signals(regs);
		clear_bit(TIF_SINGLE_WORK, &t->thread.head.flags);
		local_irq_disable();
	}
}
