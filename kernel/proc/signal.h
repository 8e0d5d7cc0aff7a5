/* Signals: Linux's numbers, structures and rules. */
#pragma once

#include "sched/thread.h"
#include "lib/signo.h"

#define _NSIG	64
#define SIG_DFL	0UL
#define SIG_IGN	1UL

#define SA_NOCLDSTOP	0x1
#define SA_NOCLDWAIT	0x2
#define SA_SIGINFO	0x4
#define SA_ONSTACK	0x08000000
#define SA_RESTART	0x10000000
#define SA_NODEFER	0x40000000
#define SA_RESETHAND	0x80000000
#define SA_RESTORER	0x04000000

#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_TKILL	-6
#define CLD_EXITED	1
#define CLD_KILLED	2
#define CLD_STOPPED	5
#define CLD_CONTINUED	6

typedef u64 sigset_t;
#define sigmask(sig)	(1UL << ((sig) - 1))

/* What user space is told of a signal: Linux's layout on 64-bit machines. */
struct siginfo {
	int si_signo, si_errno, si_code, pad;
	union {
		struct { int pid; u32 uid; u64 value; } kill;
		struct { int pid; u32 uid; int status; s64 utime, stime; } chld;
		struct { u64 addr; } fault;
		u8 room[112];
	};
};
BUILD_BUG_ON(sizeof(struct siginfo) != 128);

/* The same while the signal is pending: only what this kernel ever fills in. */
struct kernel_siginfo {
	int sig, code;
	pid_t pid;			/* who sent it, or which child */
	int status;			/* of the child */
	union {
		unsigned long addr;	/* of a fault */
		struct {
			u32 utime, stime;	/* of the child, in ticks of 10 ms */
		};
	};
};

/* The system call's view: generic 64-bit ABI (no restorer on riscv; arm64 has the field). */
struct k_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	sigset_t mask;
};

struct sigaltstack {
	void *ss_sp;
	int ss_flags;
	size_t ss_size;
};

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define MINSIGSTKSZ	2048

struct sighand {
	atomic_t refs;
	struct k_sigaction action[_NSIG];
};

struct sigpending {
	sigset_t set;
	struct kernel_siginfo info[_NSIG + 1];	/* one each: real-time signals are not queued */
};

struct process;
struct task;
struct pt_regs;

/*
 * Sending. @info NULL: from the kernel. send_signal_process: any thread may take it;
 * send_signal_group: every process of a group gets it. They take tasklist_lock; any context. 0,
 * -EINVAL, -ESRCH.
 */
int send_signal_process(struct process *p, int sig, const struct kernel_siginfo *info);
int send_signal_group(pid_t pgid, int sig, const struct kernel_siginfo *info);
/* The same to a process or to one of its threads; tasklist_lock held, @sig 1 to _NSIG. */
void send_signal_locked(struct process *p, int sig, const struct kernel_siginfo *info);
void send_signal_task(struct task *t, int sig, const struct kernel_siginfo *info);
/* To the current thread, a signal such as SIGPIPE (not SIGCONT). */
void send_signal_self(int sig);
/* A synchronous fault of the current task: cannot be blocked or ignored. */
void force_signal(int sig, int code, unsigned long addr);

/* rt_sigaction of the current process; @new may be NULL. */
void do_sigaction(int sig, const struct k_sigaction *new, struct k_sigaction *old);
/* Changes the current thread's mask (SIGKILL and SIGSTOP stay unblocked). */
void set_blocked(sigset_t mask);
/* sig_lock held: sets or clears TIF_SIGPENDING by what is pending and not blocked. */
void recalc_sigpending(struct task *t);
/* The next pending signal of @t in @wanted and its info, taken off; 0: none. sig_lock held. */
int dequeue_signal(struct task *t, sigset_t wanted, struct kernel_siginfo *info);

/* signal_frame.c: 0 or -EFAULT. */
int copy_siginfo_to_user(void *user, const struct kernel_siginfo *info);
/* rt_sigreturn: registers and mask from the frame; the interrupted call's result. */
long do_sigreturn(struct pt_regs *regs);
/* The current thread's alternate stack, its stack pointer being @sp: as sigaltstack(2). */
int set_altstack(const struct sigaltstack *new, unsigned long sp);
struct sigaltstack get_altstack(unsigned long sp);
