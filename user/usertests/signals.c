/* Signals: handlers and what they are given, masks, waiting, nesting, stacks, faults, children. */
#include <sched.h>
#include <setjmp.h>

#include "ut.h"

static volatile int count, last, depth, deepest;
static volatile int values[8], n_values;

static void handler(int sig)
{
	count++;
	last = sig;
}

static void install(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

	expect_eq(sigaction(sig, &sa, NULL), 0);
}

static void set_mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	expect_eq(sigprocmask(how, &set, NULL), 0);
}

TEST(signal_handler,
     "a handler runs when its signal comes, and the interrupted code goes on unharmed")
{
	unsigned long sum = 0;
	struct sigaction old;

	install(SIGUSR1, handler, 0);
	for (int i = 0; i < 100; i++) {
		sum += i;
		expect_eq(kill(getpid(), SIGUSR1), 0);
		expect_eq(count, i + 1);
	}
	expect_eq(sum, 4950);
	expect_eq(last, SIGUSR1);
	expect_eq(sigaction(SIGUSR1, NULL, &old), 0);
	expect(old.sa_handler == handler, "sigaction shows another handler");
	signal(SIGUSR1, SIG_IGN);
	expect_eq(kill(getpid(), SIGUSR1), 0);
	expect_eq(count, 100);
	expect_errno(syscall(SYS_rt_sigaction, SIGKILL, &old, NULL, 8), EINVAL);
	expect_errno(syscall(SYS_rt_sigaction, SIGSTOP, &old, NULL, 8), EINVAL);
	expect_errno(syscall(SYS_rt_sigaction, 0, NULL, &old, 8), EINVAL);
	expect_errno(syscall(SYS_rt_sigaction, 65, NULL, &old, 8), EINVAL);
}

TEST(signal_default,
     "each signal's default is to kill, to be ignored or to stop, as POSIX lists it")
{
	static const int ignored[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
	static const int fatal[] = {SIGHUP,    SIGINT,	SIGQUIT, SIGILL,  SIGTRAP,
				    SIGFPE,    SIGUSR1, SIGUSR2, SIGALRM, SIGTERM,
				    SIGVTALRM, SIGPROF, SIGSYS,	 SIGBUS,  SIGXCPU};

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		expect_eq(kill(getpid(), ignored[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		pid_t pid = xfork();

		if (pid == 0) {
			kill(getpid(), fatal[i]);
			_exit(0);
		}
		expect_killed(pid, fatal[i]);
	}
}

TEST(signal_mask, "a blocked signal waits, shows as pending, and comes once when unblocked")
{
	sigset_t set, pending, old;

	install(SIGUSR1, handler, 0);
	set_mask(SIG_BLOCK, SIGUSR1);
	for (int i = 0; i < 3; i++)
		expect_eq(kill(getpid(), SIGUSR1), 0);
	expect_eq(count, 0);
	expect_eq(sigpending(&pending), 0);
	expect(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2), "pending wrong");
	set_mask(SIG_UNBLOCK, SIGUSR1);
	expect_eq(count, 1);
	expect_eq(sigpending(&pending), 0);
	expect(!sigismember(&pending, SIGUSR1), "still pending");

	sigfillset(&set);
	expect_eq(sigprocmask(SIG_SETMASK, &set, &old), 0);
	expect_eq(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	expect(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP), "SIGKILL was blocked");
	expect(sigismember(&set, SIGTERM), "SIGTERM was not blocked");
	expect_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	expect_errno(syscall(SYS_rt_sigprocmask, 17, &set, NULL, 8), EINVAL);

	pid_t pid = xfork();

	if (pid == 0) {
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		for (;;)
			nap_ms(1000);
	}
	nap_ms(20);
	expect_eq(kill(pid, SIGTERM), 0);
	expect_eq(kill(pid, SIGKILL), 0);
	expect_killed(pid, SIGKILL);
}

static void nest(int sig)
{
	(void)sig;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (depth < 5)
		kill(getpid(), SIGUSR1);
	count++;
	depth--;
}

static void raise_twice(int sig)
{
	(void)sig;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (++count < 3)
		kill(getpid(), SIGUSR1);
	depth--;
}

TEST(signal_nesting, "a handler's signal waits until it returns, unless SA_NODEFER nests it")
{
	install(SIGUSR1, nest, SA_NODEFER);
	expect_eq(kill(getpid(), SIGUSR1), 0);
	expect_eq(deepest, 5);
	expect_eq(count, 5);
	deepest = count = depth = 0;
	install(SIGUSR1, raise_twice, 0);
	expect_eq(kill(getpid(), SIGUSR1), 0);
	expect_eq(count, 3);
	expect_eq(deepest, 1);
}

static void record(int sig)
{
	if (n_values < 8)
		values[n_values++] = sig;
}

TEST(signal_handler_mask,
     "sa_mask blocks more signals in the handler, and the old mask returns after it")
{
	struct sigaction sa = {.sa_handler = record};
	sigset_t now;

	sigaddset(&sa.sa_mask, SIGUSR2);
	expect_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	install(SIGUSR2, record, 0);
	set_mask(SIG_BLOCK, SIGUSR1);
	set_mask(SIG_BLOCK, SIGUSR2);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR1);
	set_mask(SIG_SETMASK, 0);
	expect_eq(n_values, 2);
	expect_eq(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	expect(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2),
	       "the mask did not return");

	install(SIGUSR1, record, SA_RESETHAND);
	kill(getpid(), SIGUSR1);
	expect_eq(n_values, 3);
	struct sigaction after;

	expect_eq(sigaction(SIGUSR1, NULL, &after), 0);
	expect(after.sa_handler == SIG_DFL, "SA_RESETHAND kept the handler");
}

static siginfo_t info;

static void with_info(int sig, siginfo_t *given, void *context)
{
	last = sig;
	info = *given;
	if (context)
		count++;
}

TEST(signal_information, "SA_SIGINFO tells who sent the signal and why")
{
	struct sigaction sa = {.sa_flags = SA_SIGINFO};
	pid_t pid, self = getpid();

	sa.sa_sigaction = with_info;
	expect_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	expect_eq(sigaction(SIGCHLD, &sa, NULL), 0);
	expect_eq(kill(self, SIGUSR1), 0);
	expect(count == 1 && last == SIGUSR1, "count %d last %d", count, last);
	expect_eq(info.si_signo, SIGUSR1);
	expect_eq(info.si_code, SI_USER);
	expect_eq(info.si_pid, self);
	expect_eq(syscall(SYS_tgkill, self, syscall(SYS_gettid), SIGUSR1), 0);
	expect_eq(info.si_code, SI_TKILL);
	pid = xfork();
	if (pid == 0)
		_exit(6);
	expect_exit(pid, 6);
	expect_eq(last, SIGCHLD);
	expect_eq(info.si_pid, pid);
	expect_eq(info.si_code, CLD_EXITED);
	expect_eq(info.si_status, 6);
}

TEST(signal_suspend, "sigsuspend swaps the mask, waits for a signal, and restores the mask")
{
	pid_t parent = getpid(), pid;
	sigset_t none, now;

	install(SIGUSR1, handler, 0);
	set_mask(SIG_BLOCK, SIGUSR1);
	pid = xfork();
	if (pid == 0) {
		nap_ms(30);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	sigemptyset(&none);
	expect_errno(sigsuspend(&none), EINTR);
	expect_eq(count, 1);
	expect_eq(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	expect(sigismember(&now, SIGUSR1), "the mask did not return");
	expect_exit(pid, 0);
}

TEST(signal_timedwait, "rt_sigtimedwait takes a pending signal without its handler, or times out")
{
	struct timespec soon = {0, 30000000}, bad = {0, -1}, zero = {0, 0};
	pid_t parent = getpid(), pid;
	siginfo_t got;
	sigset_t set;
	long start;

	install(SIGUSR1, handler, 0);
	set_mask(SIG_BLOCK, SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	expect_eq(kill(parent, SIGUSR1), 0);
	expect_eq(syscall(SYS_rt_sigtimedwait, &set, &got, NULL, 8), SIGUSR1);
	expect_eq(got.si_signo, SIGUSR1);
	expect_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, &zero, 8), EAGAIN);
	start = now_ms();
	expect_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, &soon, 8), EAGAIN);
	expect(now_ms() - start >= 29, "it waited %ld ms", now_ms() - start);
	expect_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8), EINVAL);
	pid = xfork();
	if (pid == 0) {
		nap_ms(20);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	expect_eq(syscall(SYS_rt_sigtimedwait, &set, &got, NULL, 8), SIGUSR1);
	expect_eq(got.si_pid, pid);
	expect_exit(pid, 0);
	expect_eq(count, 0);
}

static sigjmp_buf escape;
static void *volatile stack_seen;

static void on_fault(int sig, siginfo_t *given, void *context)
{
	volatile char here;

	(void)context;
	here = 0;
	stack_seen = (void *)(uintptr_t)&here;
	info = *given;
	last = sig + here;
	siglongjmp(escape, 1);
}

static void catch_segv(int flags)
{
	struct sigaction sa = {.sa_flags = SA_SIGINFO | flags};

	sa.sa_sigaction = on_fault;
	expect_eq(sigaction(SIGSEGV, &sa, NULL), 0);
}

TEST(signal_segv_address,
     "SIGSEGV's handler learns the address and whether it was mapped, again and again")
{
	char *ro = map_pages(1);

	expect_eq(mprotect(ro, PAGE, PROT_READ), 0);
	catch_segv(0);
	for (int i = 1; i < 50; i++) {
		volatile char *p = i % 2 ? ro + i : address(i * 8);

		last = 0;
		if (sigsetjmp(escape, 1) == 0) {
			*p = 1;
			fail_at(__FILE__, __LINE__, "writing to %p worked", (void *)(uintptr_t)p);
		}
		expect_eq(last, SIGSEGV);
		expect_eq((long)info.si_addr, (long)p);
		expect_eq(info.si_code, i % 2 ? SEGV_ACCERR : SEGV_MAPERR);
	}
}

static int overflow(volatile int n)
{
	volatile char frame[2000];

	frame[0] = n;
	if (n == INT_MAX)
		return 0;
	return overflow(n + 1) + frame[0];
}

TEST(signal_alternate_stack,
     "with sigaltstack a stack overflow can be handled; the rules for it hold")
{
	char *area = map_pages(8);
	stack_t ss = {.ss_sp = area, .ss_size = 8 * PAGE}, old;

	expect_eq(sigaltstack(NULL, &old), 0);
	expect_eq(old.ss_flags, SS_DISABLE);
	expect_eq(sigaltstack(&ss, NULL), 0);
	expect_eq(sigaltstack(NULL, &old), 0);
	expect(old.ss_sp == area && old.ss_size == 8 * PAGE && old.ss_flags == 0, "flags %d",
	       old.ss_flags);
	catch_segv(SA_ONSTACK);
	for (int i = 0; i < 2; i++) {
		if (sigsetjmp(escape, 1) == 0)
			overflow(1);
		expect((char *)stack_seen >= area && (char *)stack_seen < area + 8 * PAGE,
		       "the handler ran at %p, the stack is at %p", stack_seen, (void *)area);
		expect_eq(last, SIGSEGV);
		last = 0;
	}
	ss.ss_size = 100;
	expect_errno(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = 0x777;
	expect_errno(sigaltstack(&ss, NULL), EINVAL);
	ss.ss_flags = SS_DISABLE;
	expect_eq(sigaltstack(&ss, NULL), 0);
}

TEST(signal_without_stack, "when no frame can be pushed for a handler, the process dies of SIGSEGV")
{
	char *area = map_pages(8);
	pid_t pid = xfork();

	if (pid == 0) {
		stack_t ss = {.ss_sp = area, .ss_size = 8 * PAGE};

		expect_eq(sigaltstack(&ss, NULL), 0);
		install(SIGUSR1, handler, SA_ONSTACK);
		expect_eq(munmap(area, 8 * PAGE), 0);
		kill(getpid(), SIGUSR1);
		_exit(0);
	}
	expect_killed(pid, SIGSEGV);

	pid = xfork();
	if (pid == 0) {
		catch_segv(0); /* on the overflown stack, no handler can run */
		_exit(overflow(1));
	}
	expect_killed(pid, SIGSEGV);

	pid = xfork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_IGN); /* a fault cannot be ignored */
		*(volatile char *)address(16) = 1;
		_exit(0);
	}
	expect_killed(pid, SIGSEGV);

	pid = xfork();
	if (pid == 0) {
		set_mask(SIG_BLOCK, SIGSEGV); /* nor blocked */
		*(volatile char *)address(16) = 1;
		_exit(0);
	}
	expect_killed(pid, SIGSEGV);
}

TEST(signal_bad_return, "rt_sigreturn on a garbage frame kills the process and does no more")
{
	pid_t pid = xfork();

	if (pid == 0) {
		volatile char junk[8192];

		memset((char *)junk, 0xff, sizeof(junk));
		syscall(SYS_rt_sigreturn);
		for (;;)
			nap_ms(100);
	}
	for (int i = 0; i < 40; i++) {
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			expect(WIFSIGNALED(status), "wait status 0x%x", status);
			return;
		}
		nap_ms(10);
	}
	/* A frame that happened to be acceptable may lead anywhere, even into an endless loop. */
	kill(pid, SIGKILL);
	expect_killed(pid, SIGKILL);
}

TEST(signal_children, "SIGCHLD comes for each batch of children; ignoring it reaps them at once")
{
	pid_t pid;
	int status;

	install(SIGCHLD, handler, SA_RESTART);
	for (int i = 0; i < 5; i++) {
		pid = xfork();
		if (pid == 0)
			_exit(i);
		expect_exit(pid, i);
		expect_eq(count, i + 1);
	}
	signal(SIGCHLD, SIG_IGN);
	pid = xfork();
	if (pid == 0)
		_exit(0);
	expect_errno(waitpid(pid, &status, 0), ECHILD);
	expect_errno(kill(pid, 0), ESRCH);
}

TEST(signal_interrupts_sleep,
     "a handled signal ends nanosleep with EINTR and the time that was left")
{
	struct timespec nap = {30, 0}, left = {0, 0};
	pid_t parent = getpid(), pid;

	install(SIGUSR1, handler, SA_RESTART);
	pid = xfork();
	if (pid == 0) {
		nap_ms(30);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	expect_errno(nanosleep(&nap, &left), EINTR);
	expect(left.tv_sec >= 5 && left.tv_sec < 30, "%ld s are left", (long)left.tv_sec);
	expect_exit(pid, 0);

	/* An ignored one does not. */
	signal(SIGUSR2, SIG_IGN);
	pid = xfork();
	if (pid == 0) {
		kill(parent, SIGUSR2);
		_exit(0);
	}
	nap = (struct timespec){0, 50000000};
	expect_eq(nanosleep(&nap, NULL), 0);
	expect_exit(pid, 0);
}

TEST(signal_flood, "thousands of signals between two running processes lose neither of them")
{
	pid_t parent = getpid(), pid;
	int status;

	install(SIGUSR1, handler, SA_RESTART);
	pid = xfork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++)
			kill(parent, SIGUSR1);
		while (count == 0)
			sched_yield();
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		kill(pid, SIGUSR1);
	expect_eq(status, 0);
	expect(count > 0 && count <= 1000, "%d signals came", count);
}

TEST(signal_registers, "all registers, also floating point, survive a handler that uses them")
{
	volatile double x = 1.5;
	double a = x, b = a * 3, c = b + 0.25, d = c * c, e = d / 7, f = e - a;
	pid_t parent = getpid(), pid;
	unsigned long rounds = 0;

	install(SIGUSR1, handler, SA_RESTART);
	pid = xfork();
	if (pid == 0) {
		for (int i = 0; i < 200; i++) {
			kill(parent, SIGUSR1);
			sched_yield();
		}
		_exit(0);
	}
	while (count < 20 && rounds < 50000000) {
		double g = a * 3, h = g + 0.25, i = h * h, j = i / 7, k = j - a;

		expect(g == b && h == c && i == d && j == e && k == f, "after %lu rounds", rounds);
		rounds++;
	}
	expect_exit(pid, 0);
}

static void exit_in_handler(int sig)
{
	_exit(sig);
}

TEST(signal_exit_inside,
     "a handler may exit or jump away; fork inherits handlers, not pending signals")
{
	pid_t pid;
	sigset_t pending;

	install(SIGUSR1, exit_in_handler, 0);
	pid = xfork();
	if (pid == 0) {
		kill(getpid(), SIGUSR1);
		for (;;)
			;
	}
	expect_exit(pid, SIGUSR1);
	set_mask(SIG_BLOCK, SIGUSR1);
	kill(getpid(), SIGUSR1);
	pid = xfork();
	if (pid == 0) {
		expect_eq(sigpending(&pending), 0);
		expect(!sigismember(&pending, SIGUSR1), "the child inherited a pending signal");
		set_mask(SIG_UNBLOCK, SIGUSR1);
		kill(getpid(), SIGUSR1);
		_exit(1);
	}
	expect_exit(pid, SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	expect_eq(sigpending(&pending), 0);
	expect(!sigismember(&pending, SIGUSR1), "ignoring a signal did not discard it");
}
