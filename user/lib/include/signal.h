/* Signals. */
#ifndef _SIGNAL_H
#define _SIGNAL_H

#include <sys/types.h>

#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGSTKFLT	16
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGXFSZ		25
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGWINCH	28
#define SIGIO		29
#define SIGPWR		30
#define SIGRTMIN 34	/* the first two are the C library's, as with glibc */
#define SIGSYS		31
#define NSIG		65

#define SA_NOCLDSTOP	1
#define SA_NOCLDWAIT	2
#define SA_SIGINFO	4
#define SA_ONSTACK	0x08000000
#define SA_RESTART	0x10000000
#define SA_NODEFER	0x40000000
#define SA_RESETHAND	0x80000000

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

typedef void (*sighandler_t)(int);
#define SIG_DFL		((sighandler_t)0)
#define SIG_IGN		((sighandler_t)1)
#define SIG_ERR		((sighandler_t)-1)

/* si_code */
#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_TKILL	(-6)
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define CLD_EXITED	1
#define CLD_KILLED	2

typedef unsigned long sigset_t;		/* exactly the kernel's: 64 signals */
typedef volatile int sig_atomic_t;

union sigval {
	int	sival_int;
	void	*sival_ptr;
};

typedef struct {
	int	si_signo;
	int	si_errno;
	int	si_code;
	int	__pad;
	union {
		struct {
			pid_t		pid;
			uid_t		uid;
			union {
				int		status;
				union sigval	value;
			};
		} __kill;
		void	*addr;
		char	__fill[112];
	} __u;
} siginfo_t;

#define si_pid		__u.__kill.pid
#define si_uid		__u.__kill.uid
#define si_status	__u.__kill.status
#define si_addr		__u.addr

struct sigaction {
	union {
		sighandler_t	sa_handler;
		void		(*sa_sigaction)(int, siginfo_t *, void *);
	};
	sigset_t	sa_mask;
	int		sa_flags;
};

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define MINSIGSTKSZ	6144
#define SIGSTKSZ	16384

typedef struct {
	void	*ss_sp;
	int	ss_flags;
	size_t	ss_size;
} stack_t;

/* As in POSIX: 0, or -1 with errno. signal() restarts interrupted calls. */
int sigaction(int sig, const struct sigaction *act, struct sigaction *old);
sighandler_t signal(int sig, sighandler_t handler);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigaltstack(const stack_t *new_stack, stack_t *old);
int kill(pid_t pid, int sig);
int tgkill(pid_t tgid, pid_t tid, int sig);
int raise(int sig);
/* The signal's name without "SIG", or NULL. */
const char *sigabbrev_np(int sig);
/* A phrase for a person, never NULL. */
const char *strsignal(int sig);

static inline int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

static inline int sigfillset(sigset_t *set)
{
	*set = ~0UL;
	return 0;
}

static inline int sigaddset(sigset_t *set, int sig)
{
	*set |= 1UL << (sig - 1);
	return 0;
}

static inline int sigdelset(sigset_t *set, int sig)
{
	*set &= ~(1UL << (sig - 1));
	return 0;
}

static inline int sigismember(const sigset_t *set, int sig)
{
	return (*set >> (sig - 1)) & 1;
}

#endif
