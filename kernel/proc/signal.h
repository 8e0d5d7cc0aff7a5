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

struct siginfo {			/* 128 bytes, Linux's layout on 64-bit machines */
	int si_signo, si_errno, si_code, pad;
	union {
		struct { int pid; u32 uid; u64 value; } kill;
		struct { int pid; u32 uid; int status; s64 utime, stime; } chld;
		struct { u64 addr; } fault;
		u8 room[112];
	};
};
BUILD_BUG_ON(sizeof(struct siginfo) != 128);

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

/* The first 40 bytes of a siginfo: all that any signal here fills in. */
#define SIGINFO_USED	40

struct sigpending {
	sigset_t set;
	/* One each: real-time signals are not queued either. */
	unsigned long info[_NSIG + 1][SIGINFO_USED / sizeof(long)];
};

struct process;
struct task;
struct pt_regs;

/* Sends to a process (any thread may take it) or to one thread; any context. 0 or -errno. */
int send_signal_process(struct process *p, int sig, const struct siginfo *info);
int send_signal_task(struct task *t, int sig, const struct siginfo *info);
/* To every process of group @pgid: 0, -ESRCH. */
int send_signal_group(pid_t pgid, int sig, const struct siginfo *info);
/* As send_signal_process, tasklist_lock held. */
void send_signal_locked(struct process *p, int sig, const struct siginfo *info);
void tty_signal(pid_t pgid, int sig);		/* Ctrl-C: from the terminal's interrupt */
/* Changes the current thread's mask (SIGKILL and SIGSTOP stay unblocked). */
void set_blocked(sigset_t mask);
/* After @p changed what it does with @sig: forgets a pending one that is ignored now. sig_lock held. */
void discard_ignored(struct process *p, int sig);
/* The next pending signal of @t in @wanted and its info, taken off; 0: none. process->sig_lock held. */
int dequeue_signal(struct task *t, sigset_t wanted, struct siginfo *info);
/* rt_sigreturn: registers and mask from the frame; the interrupted call's result. */
long do_sigreturn(struct pt_regs *regs);
bool task_on_altstack(const struct pt_regs *regs);
/* A synchronous fault of the current task: cannot be blocked or ignored. */
void force_signal(int sig, int code, unsigned long addr);
