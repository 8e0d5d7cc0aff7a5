/*
 * Signals. The kernel maps the return trampoline itself, so no SA_RESTORER is passed; on machines
 * whose struct has the field it stays NULL.
 */
#include <errno.h>
#include <bits/arch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_sigaction {
	sighandler_t	handler;
	unsigned long	flags;
#if __SIGACTION_RESTORER
	void		*restorer;
#endif
	sigset_t	mask;
	sigset_t	spare;		/* QEMU 7's user emulation takes RISC-V's mask to be here */
};

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct kernel_sigaction new_action = { 0 }, old_action = { 0 };

	if (act) {
		new_action.handler = act->sa_handler;
		new_action.flags = (unsigned int)act->sa_flags;
		new_action.mask = new_action.spare = act->sa_mask;
	}
	if (syscall(SYS_rt_sigaction, sig, act ? &new_action : NULL, old ? &old_action : NULL,
		    sizeof(sigset_t)) < 0)
		return -1;
	if (old) {
		old->sa_handler = old_action.handler;
		old->sa_flags = (int)old_action.flags;
		old->sa_mask = old_action.mask;
	}
	return 0;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;

	return sigaction(sig, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)syscall(SYS_rt_sigprocmask, how, set, old, sizeof(sigset_t));
}

int sigpending(sigset_t *set)
{
	return (int)syscall(SYS_rt_sigpending, set, sizeof(sigset_t));
}

int sigsuspend(const sigset_t *mask)
{
	return (int)syscall(SYS_rt_sigsuspend, mask, sizeof(sigset_t));
}

int sigaltstack(const stack_t *new_stack, stack_t *old)
{
	return (int)syscall(SYS_sigaltstack, new_stack, old);
}

int kill(pid_t pid, int sig)
{
	return (int)syscall(SYS_kill, pid, sig);
}

int tgkill(pid_t tgid, pid_t tid, int sig)
{
	return (int)syscall(SYS_tgkill, tgid, tid, sig);
}

int raise(int sig)
{
	return tgkill(getpid(), gettid(), sig);
}

/* SIGABRT, and if the program catches or blocks it, the default action all the same. */
_Noreturn void abort(void)
{
	sigset_t set = 1UL << (SIGABRT - 1);

	raise(SIGABRT);
	signal(SIGABRT, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGABRT);
	_exit(128 + SIGABRT);
}

int __sigsave(sigjmp_buf env, int save)
{
	env->mask_saved = save;
	return save ? sigprocmask(SIG_SETMASK, NULL, &env->mask) : 0;
}

_Noreturn void siglongjmp(sigjmp_buf env, int value)
{
	if (env->mask_saved)
		sigprocmask(SIG_SETMASK, &env->mask, NULL);
	longjmp(env, value);
}

static const struct {
	const char *name;
	const char *text;
} signals[] = {
	[SIGHUP] = { "HUP", "Hangup" },
	[SIGINT] = { "INT", "Interrupt" },
	[SIGQUIT] = { "QUIT", "Quit" },
	[SIGILL] = { "ILL", "Illegal instruction" },
	[SIGTRAP] = { "TRAP", "Trace trap" },
	[SIGABRT] = { "ABRT", "Aborted" },
	[SIGBUS] = { "BUS", "Bus error" },
	[SIGFPE] = { "FPE", "Arithmetic error" },
	[SIGKILL] = { "KILL", "Killed" },
	[SIGUSR1] = { "USR1", "User signal 1" },
	[SIGSEGV] = { "SEGV", "Segmentation fault" },
	[SIGUSR2] = { "USR2", "User signal 2" },
	[SIGPIPE] = { "PIPE", "Broken pipe" },
	[SIGALRM] = { "ALRM", "Alarm clock" },
	[SIGTERM] = { "TERM", "Terminated" },
	[SIGSTKFLT] = { "STKFLT", "Stack fault" },
	[SIGCHLD] = { "CHLD", "Child exited" },
	[SIGCONT] = { "CONT", "Continued" },
	[SIGSTOP] = { "STOP", "Stopped" },
	[SIGTSTP] = { "TSTP", "Stopped from the terminal" },
	[SIGTTIN] = { "TTIN", "Stopped on terminal input" },
	[SIGTTOU] = { "TTOU", "Stopped on terminal output" },
	[SIGURG] = { "URG", "Urgent data" },
	[SIGXCPU] = { "XCPU", "CPU time limit exceeded" },
	[SIGXFSZ] = { "XFSZ", "File size limit exceeded" },
	[SIGVTALRM] = { "VTALRM", "Virtual timer expired" },
	[SIGPROF] = { "PROF", "Profiling timer expired" },
	[SIGWINCH] = { "WINCH", "Window size changed" },
	[SIGIO] = { "IO", "I/O possible" },
	[SIGPWR] = { "PWR", "Power failure" },
	[SIGSYS] = { "SYS", "Bad system call" },
};

const char *sigabbrev_np(int sig)
{
	return sig > 0 && sig <= SIGSYS ? signals[sig].name : NULL;
}

const char *strsignal(int sig)
{
	static char unknown[32];

	if (sig > 0 && sig <= SIGSYS)
		return signals[sig].text;
	snprintf(unknown, sizeof(unknown), "Signal %d", sig);
	return unknown;
}
