/* Signals through glibc: sigaction, masks, sigsetjmp, alternate stack, SIGCHLD, EINTR, abort. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t count, last;
static volatile void *fault_address;
static sigjmp_buf escape;

static void handler(int sig)
{
	count++;
	last = sig;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_address = info->si_addr;
	siglongjmp(escape, sig);
}

static void handlers_and_masks(void)
{
	struct sigaction sa = {.sa_handler = handler};
	sigset_t set, old, pending;

	check(sigaction(SIGUSR1, &sa, NULL) == 0 && raise(SIGUSR1) == 0, "raise");
	check(count == 1 && last == SIGUSR1, "count %d last %d", count, last);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(sigprocmask(SIG_BLOCK, &set, &old) == 0 && kill(getpid(), SIGUSR1) == 0, "block");
	check(count == 1, "a blocked signal was delivered");
	check(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1), "not pending");
	check(sigsuspend(&old) < 0 && errno == EINTR && count == 2, "sigsuspend, count %d", count);
	kill(getpid(), SIGUSR1);
	int sig;

	check(sigwait(&set, &sig) == 0 && sig == SIGUSR1 && count == 2, "sigwait");
	check(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && count == 2, "unblock");
}

static void faults(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

	check(sigaltstack(&stack, NULL) == 0 && sigaction(SIGSEGV, &sa, NULL) == 0, "sigaltstack");
	for (int i = 1; i <= 3; i++) {
		volatile int *bad = (volatile int *)(uintptr_t)(i * 16);

		if (sigsetjmp(escape, 1) == 0) {
			*bad = 1;
			check(0, "a write near NULL succeeded");
		}
		check(fault_address == bad, "si_addr is %p", fault_address);
	}
	signal(SIGSEGV, SIG_DFL);
	stack.ss_flags = SS_DISABLE;
	check(sigaltstack(&stack, NULL) == 0, "disabling the alternate stack");
	free(stack.ss_sp);
}

static void children(void)
{
	struct sigaction sa = {.sa_handler = handler};
	int status;
	pid_t pid;

	count = 0;
	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid == 0)
		_exit(3);
	check(pid > 0, "fork");
	while (waitpid(pid, &status, 0) < 0)
		check(errno == EINTR, "waitpid");
	check(WIFEXITED(status) && WEXITSTATUS(status) == 3 && count == 1, "count %d", count);
	signal(SIGCHLD, SIG_DFL);

	pid = fork();
	if (pid == 0)
		abort();
	check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	      "abort gave status %x", status);

	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	check(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid &&
		      WTERMSIG(status) == SIGTERM,
	      "SIGTERM gave status %x", status);
}

static void interrupted_sleep(void)
{
	struct sigaction sa = {.sa_handler = handler};
	struct timespec nap = {20, 0}, left = {0, 0};
	pid_t parent = getpid(), pid;

	sigaction(SIGUSR2, &sa, NULL);
	pid = fork();
	if (pid == 0) {
		usleep(50000);
		kill(parent, SIGUSR2);
		_exit(0);
	}
	check(nanosleep(&nap, &left) < 0 && errno == EINTR, "the sleep was not interrupted");
	check(left.tv_sec >= 5 && left.tv_sec < 20, "left %ld s", (long)left.tv_sec);
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

int main(void)
{
	handlers_and_masks();
	faults();
	children();
	interrupted_sleep();
	return done("signals");
}
