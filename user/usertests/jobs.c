/* Stopping and going on, and the ends of processes that are hard to time: races of exit, exec, fork
 * and signals. */
#include <sched.h>
#include <sys/futex.h>

#include "ut.h"

static volatile int count, last, stop, started;

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

static volatile int *shared_words(void)
{
	volatile int *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect((void *)(uintptr_t)p != MAP_FAILED, "errno %d", errno);
	return p;
}

#define STOPPED_BY(sig) ((sig) << 8 | 0x7f)
#define WENT_ON		0xffff

static int spin(void *arg)
{
	volatile int *word = arg;

	started = 1;
	while (!stop)
		(*word)++;
	return 0;
}

TEST(job_stop_continue,
     "a stopped process makes no step, its parent sees it stop and go on, and it can be killed")
{
	volatile int *words = shared_words();
	struct thread t;
	int status, seen;
	pid_t pid = xfork();

	if (pid == 0) {
		start_thread(&t, spin, (void *)(uintptr_t)&words[0]);
		for (;;)
			words[1]++;
	}
	while (words[0] < 1000 || words[1] < 1000)
		nap_ms(1);
	for (int i = 0; i < 3; i++) {
		expect_eq(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
		expect_eq(kill(pid, i == 1 ? SIGTSTP : SIGSTOP), 0);
		expect_eq(waitpid(pid, &status, WUNTRACED), pid);
		expect_eq(status, STOPPED_BY(i == 1 ? SIGTSTP : SIGSTOP));
		expect_eq(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);
		seen = words[0] + words[1];
		nap_ms(30);
		expect_eq(words[0] + words[1], seen);
		if (i == 2)
			break;
		expect_eq(kill(pid, SIGCONT), 0);
		expect_eq(waitpid(pid, &status, WCONTINUED), pid);
		expect_eq(status, WENT_ON);
		while (words[0] + words[1] == seen)
			nap_ms(1);
	}
	/* Stopped again before all threads have gone on. */
	for (int i = 0; i < 200; i++) {
		expect_eq(kill(pid, SIGCONT), 0);
		expect_eq(kill(pid, SIGSTOP), 0);
		expect_eq(waitpid(pid, &status, WUNTRACED), pid);
		expect_eq(status, STOPPED_BY(SIGSTOP));
		seen = words[0] + words[1];
		if (i % 20 == 0)
			nap_ms(1);
		expect_eq(words[0] + words[1], seen);
	}
	expect_eq(kill(pid, SIGKILL), 0);
	expect_killed(pid, SIGKILL);
}

TEST(job_sleep_stopped,
     "a stop and what follows do not shorten, lengthen or fail the sleep that they fall into")
{
	volatile int *words = shared_words();
	struct timespec nap = {0, 120000000};
	int status;
	pid_t pid = xfork();

	if (pid == 0) {
		long start = now_ms();

		words[0] = 1;
		expect_eq(syscall(SYS_nanosleep, &nap, NULL), 0);
		expect(now_ms() - start >= 119, "it slept %ld ms", now_ms() - start);
		start = now_ms();
		words[0] = 2;
		expect_errno(syscall(SYS_futex, &words[1], FUTEX_WAIT, 0, &nap), ETIMEDOUT);
		expect(now_ms() - start >= 119, "it waited %ld ms", now_ms() - start);
		start = now_ms();
		words[0] = 3;
		expect_eq(syscall(SYS_ppoll, NULL, 0, &nap, NULL, 0), 0);
		expect(now_ms() - start >= 119, "it polled %ld ms", now_ms() - start);
		_exit(0);
	}
	for (int i = 1; i <= 3; i++) {
		while (words[0] < i)
			nap_ms(1);
		nap_ms(10);
		expect_eq(kill(pid, SIGSTOP), 0);
		expect_eq(waitpid(pid, &status, WUNTRACED), pid);
		expect_eq(status, STOPPED_BY(SIGSTOP));
		expect_eq(kill(pid, SIGCONT), 0);
	}
	expect_exit(pid, 0);
}

TEST(job_stop_storm, "after any number of stops the last SIGCONT wins, at whatever moment it comes")
{
	int status;
	pid_t pid = xfork();

	if (pid == 0)
		for (;;)
			getppid();
	for (int i = 0; i < 400; i++) {
		expect_eq(kill(pid, SIGSTOP), 0);
		if (i % 3 == 0)
			sched_yield();
		expect_eq(kill(pid, SIGCONT), 0);
	}
	expect_eq(kill(pid, SIGTERM), 0);
	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status 0x%x", status);
}

TEST(job_pending_stop, "SIGCONT deletes a pending stop signal and the other way round")
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	expect_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	install(SIGCONT, handler, 0);
	expect_eq(kill(getpid(), SIGTSTP), 0);
	expect_eq(kill(getpid(), SIGCONT), 0);
	expect_eq(sigpending(&pending), 0);
	expect(!sigismember(&pending, SIGTSTP) && sigismember(&pending, SIGCONT), "SIGTSTP stayed");
	expect_eq(kill(getpid(), SIGTSTP), 0);
	expect_eq(sigpending(&pending), 0);
	expect(sigismember(&pending, SIGTSTP) && !sigismember(&pending, SIGCONT), "SIGCONT stayed");
	expect_eq(kill(getpid(), SIGCONT), 0);
}

TEST(job_wait_for_ignored,
     "rt_sigtimedwait also waits for a signal that would be ignored, such as SIGCHLD")
{
	siginfo_t info;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	expect_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	pid = xfork();
	if (pid == 0) {
		nap_ms(20);
		_exit(3);
	}
	expect_eq(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8), SIGCHLD);
	expect_eq(info.si_pid, pid);
	expect_eq(info.si_status, 3);
	expect_exit(pid, 3);
}

TEST(job_child_signals,
     "SA_NOCLDWAIT leaves no zombie but signals; SA_NOCLDSTOP keeps quiet about stops")
{
	int status;
	pid_t pid;

	install(SIGCHLD, handler, SA_NOCLDWAIT | SA_RESTART);
	pid = xfork();
	if (pid == 0)
		_exit(0);
	expect_errno(waitpid(pid, &status, 0), ECHILD);
	expect_eq(count, 1);

	install(SIGCHLD, handler, SA_NOCLDSTOP | SA_RESTART);
	count = 0;
	pid = xfork();
	if (pid == 0)
		for (;;)
			nap_ms(1000);
	expect_eq(kill(pid, SIGSTOP), 0);
	expect_eq(waitpid(pid, &status, WUNTRACED), pid);
	expect_eq(count, 0);
	expect_eq(kill(pid, SIGKILL), 0);
	expect_killed(pid, SIGKILL);
	expect_eq(count, 1);
}

TEST(init_cannot_die, "no signal that it does not handle harms process 1")
{
	static const int signals[] = {SIGKILL, SIGSTOP, SIGHUP, SIGSEGV, SIGINT, SIGTSTP, 64};
	char text[256];

	if (foreign_kernel)
		skip("it might be anybody's");
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		expect_eq(kill(1, signals[i]), 0);
	nap_ms(20);
	expect_eq(kill(1, 0), 0);
	get_file("/proc/1/stat", text, sizeof(text));
	expect(strstr(text, ") S ") || strstr(text, ") R "), "process 1 is '%.40s'", text);
}

/* ---- ends ------------------------------------------------------------------------------ */

static int leave_at_once(void *arg)
{
	started++;
	while (!stop)
		;
	(void)arg;
	return 0;
}

TEST(exit_all_at_once,
     "threads that exit in the same moment end the process once, with the first thread's status")
{
	struct thread t[4];

	for (int round = 0; round < 15; round++) {
		pid_t pid = xfork();

		if (pid == 0) {
			for (int i = 0; i < 4; i++)
				start_thread(&t[i], leave_at_once, NULL);
			stop = 1;
			syscall(SYS_exit, 7);
		}
		expect_exit(pid, 7);
	}
}

static int exec_late(void *arg)
{
	extern char **environ;
	char *argv[] = {self_path, "--exit", "62", NULL};

	nap_ms((long)arg);
	execve(self_path, argv, environ);
	return 1;
}

TEST(exec_after_leader, "a thread may exec after the first thread has gone; the process's id stays")
{
	struct thread t;
	pid_t pid = xfork();
	int status;

	if (pid == 0) {
		start_thread(&t, exec_late, (void *)20L);
		syscall(SYS_exit, 1);
	}
	nap_ms(5);
	expect_eq(waitpid(pid, &status, WNOHANG), 0);
	expect_exit(pid, 62);
}

static int exit_group_late(void *arg)
{
	nap_ms((long)arg);
	syscall(SYS_exit_group, 63);
	return 0;
}

TEST(exec_races,
     "threads that exec, exit and spin at the same time end in one of the outcomes asked for")
{
	struct thread t[4];
	int status;

	for (long round = 0; round < 12; round++) {
		pid_t pid = xfork();

		if (pid == 0) {
			start_thread(&t[0], exec_late, (void *)2L);
			start_thread(&t[1], exec_late, (void *)2L);
			start_thread(&t[2], spin, (void *)(uintptr_t)&count);
			start_thread(&t[3], exit_group_late, (void *)(round / 2));
			for (;;)
				nap_ms(1000);
		}
		status = xwait(pid);
		expect(status == 62 << 8 || status == 63 << 8, "status 0x%x", status);
	}
}

TEST(exec_killed, "processes killed in the middle of fork and exec leave nothing")
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = xfork();

		if (pid == 0) {
			for (;;) {
				pid_t child = fork();

				if (child == 0)
					exec_late((void *)0L);
				waitpid(child, NULL, 0);
			}
		}
		nap_ms(1 + i % 7);
		expect_eq(kill(pid, SIGKILL), 0);
		expect_killed(pid, SIGKILL);
	}
	nap_ms(50);
}

TEST(kill_group_forking, "SIGKILL to a group that forks as fast as it can leaves none of it alive")
{
	for (int round = 0; round < 10; round++) {
		pid_t leader = xfork();

		if (leader == 0) {
			setpgid(0, 0);
			for (;;) {
				pid_t child = fork();

				/* each generation goes on; its parent waits or has had enough */
				if (child > 0)
					waitpid(child, NULL, 0);
			}
		}
		setpgid(leader, leader);
		nap_ms(3);
		while (kill(-leader, SIGSTOP) < 0)
			nap_ms(1);
		expect_eq(kill(-leader, SIGKILL), 0);
		expect_killed(leader, SIGKILL);
		for (int i = 0; kill(-leader, 0) == 0; i++) {
			expect(i < 1000, "some of the group live on");
			nap_ms(2);
		}
	}
}

static int outlive_parent(void *arg)
{
	volatile int *words = arg;

	words[0] = 1;
	nap_ms(40);
	words[1] = 1;
	return 0;
}

TEST(vfork_parent_killed, "a process that waits for its vfork can be killed; the child goes on")
{
	volatile int *words = shared_words();
	pid_t pid = xfork();

	if (pid == 0) {
		char *stack = map_pages(4);

		clone(outlive_parent, stack + 4 * PAGE, CLONE_VM | CLONE_VFORK | SIGCHLD,
		      (void *)(uintptr_t)words);
		_exit(1);
	}
	while (!words[0])
		nap_ms(1);
	expect_eq(words[1], 0);
	expect_eq(kill(pid, SIGKILL), 0);
	expect_killed(pid, SIGKILL);
	for (int i = 0; i < 1000 && !words[1]; i++)
		nap_ms(1);
	expect_eq(words[1], 1);
	nap_ms(10);
}

static int change_handler(void *arg)
{
	(void)arg;
	install(SIGUSR1, handler, 0);
	return close(started);
}

TEST(clone_shared_tables,
     "clone shares handlers and descriptors with a process as its flags say, or refuses them")
{
	char *stack = map_pages(4);
	struct sigaction sa;
	pid_t pid;

	started = open("f", O_CREAT | O_RDWR, 0644);
	pid = clone(change_handler, stack + 4 * PAGE,
		    CLONE_VM | CLONE_SIGHAND | CLONE_FILES | SIGCHLD, NULL);
	expect(pid > 0, "errno %d", errno);
	expect_exit(pid, 0);
	expect_eq(sigaction(SIGUSR1, NULL, &sa), 0);
	expect(sa.sa_handler == handler, "the handler is not shared");
	expect_errno(fcntl(started, F_GETFD), EBADF);
}

TEST(futex_requeue_checked, "FUTEX_CMP_REQUEUE moves nobody when the word has changed")
{
	volatile int *words = shared_words();

	words[0] = 5;
	expect_errno(syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, 1, 1, &words[1], 4), EAGAIN);
	expect_eq(syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, 1, 1, &words[1], 5), 0);
	expect_errno(syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, -1, 1, &words[1], 5), EINVAL);
	expect_errno(syscall(SYS_futex, &words[0], FUTEX_REQUEUE, 1, 1, forbidden[4], 0), EFAULT);
}

TEST(exec_odd_files, "a script runs its interpreter; a fifo, an empty line and a loop are refused")
{
	extern char **environ;
	char script[600], *argv[] = {"script", "64", NULL};
	pid_t pid;

	snprintf(script, sizeof(script), "#! %s  --script \nignored\n", self_path);
	put_file("script", script, strlen(script));
	expect_eq(chmod("script", 0755), 0);
	pid = xfork();
	if (pid == 0) {
		execve("./script", argv, environ);
		_exit(98);
	}
	expect_exit(pid, 99);	/* usertests knows no --script */
	put_file("empty", "#!\n", 3);
	expect_eq(chmod("empty", 0755), 0);
	expect_errno(execve("empty", argv, environ), ENOEXEC);
	put_file("loop", "#!loop\n", 7);
	expect_eq(chmod("loop", 0755), 0);
	expect_errno(execve("loop", argv, environ), ELOOP);
	put_file("lost", "#!/no/such/thing\n", 17);
	expect_eq(chmod("lost", 0755), 0);
	expect_errno(execve("lost", argv, environ), ENOENT);
	if (syscall(SYS_mknodat, AT_FDCWD, "fifo", 010755, 0) == 0)
		expect_errno(execve("fifo", argv, environ), EACCES);
}

/* ---- alarms, and the other ways to wait ---------------------------------------------------- */

#ifndef SYS_setitimer
#define SYS_getitimer 102
#define SYS_setitimer 103
#endif

struct clock_setting {
	long interval_s, interval_us, value_s, value_us;
};

TEST(alarm_clock, "setitimer sends SIGALRM after its time, once or again and again, until it is disarmed")
{
	struct clock_setting once = {0, 0, 0, 30000}, often = {0, 5000, 0, 5000}, off = {0}, left;
	struct clock_setting bad = {0, 0, 0, 1000000};
	long start = now_ms();

	install(SIGALRM, handler, 0);
	expect_eq(syscall(SYS_setitimer, 0, &once, NULL), 0);
	expect_eq(syscall(SYS_getitimer, 0, &left), 0);
	expect(left.value_s == 0 && left.value_us > 0 && left.value_us <= 30000, "%ld us are left",
	       left.value_us);
	while (!count)
		nap_ms(2);
	expect(now_ms() - start >= 29, "it came after %ld ms", now_ms() - start);
	expect_eq(syscall(SYS_getitimer, 0, &left), 0);
	expect_eq(left.value_us, 0);
	expect_eq(syscall(SYS_setitimer, 0, &often, NULL), 0);
	while (count < 5)
		nap_ms(2);
	expect_eq(syscall(SYS_setitimer, 0, &off, &left), 0);
	expect_eq(left.interval_us, 5000);
	count = 0;
	nap_ms(20);
	expect_eq(count, 0);
	expect_errno(syscall(SYS_setitimer, 0, &bad, NULL), EINVAL);
	expect_errno(syscall(SYS_setitimer, 77, &once, NULL), EINVAL);
	expect_errno(syscall(SYS_setitimer, 0, forbidden[3], NULL), EFAULT);

	pid_t pid = xfork();

	if (pid == 0) {
		expect_eq(syscall(SYS_setitimer, 0, &often, NULL), 0);
		_exit(0);	/* with the alarm armed */
	}
	expect_exit(pid, 0);
}

TEST(job_waitid, "waitid tells what happened to a child, and with WNOWAIT leaves it to be waited for")
{
	enum { PIDS = 1, NOHANG = 1, STOPPED = 2, EXITED = 4, NOWAIT = 0x01000000 };
	siginfo_t info;
	pid_t pid = xfork();

	if (pid == 0)
		for (;;)
			nap_ms(1000);
	memset(&info, 0xff, sizeof(info));
	expect_eq(syscall(SYS_waitid, PIDS, pid, &info, EXITED | STOPPED | NOHANG, NULL), 0);
	expect_eq(info.si_pid, 0);
	expect_eq(kill(pid, SIGSTOP), 0);
	for (int i = 0; i < 2; i++) {
		expect_eq(syscall(SYS_waitid, PIDS, pid, &info, STOPPED | (i ? 0 : NOWAIT), NULL), 0);
		expect_eq(info.si_pid, pid);
		expect_eq(info.si_status, SIGSTOP);
	}
	expect_eq(kill(pid, SIGKILL), 0);
	for (int i = 0; i < 2; i++) {
		expect_eq(syscall(SYS_waitid, PIDS, pid, &info, EXITED | (i ? 0 : NOWAIT), NULL), 0);
		expect_eq(info.si_code, CLD_KILLED);
		expect_eq(info.si_status, SIGKILL);
	}
	expect_errno(syscall(SYS_waitid, PIDS, pid, &info, EXITED, NULL), ECHILD);
	expect_errno(syscall(SYS_waitid, PIDS, pid, &info, NOHANG, NULL), EINVAL);
}

TEST(select_ready, "pselect6 leaves the bits of the descriptors that are ready")
{
	unsigned long in = 0, out = 0;
	struct timespec zero = {0, 0}, soon = {0, 20000000};
	long start = now_ms();
	int p[2];

	expect_eq(pipe(p), 0);
	in = 1UL << p[0];
	out = 1UL << p[1];
	expect_eq(syscall(SYS_pselect6, p[1] + 1, &in, &out, NULL, &zero, NULL), 1);
	expect(in == 0 && out == 1UL << p[1], "in %lx out %lx", in, out);
	in = 1UL << p[0];
	expect_eq(syscall(SYS_pselect6, p[1] + 1, &in, NULL, NULL, &soon, NULL), 0);
	expect(in == 0 && now_ms() - start >= 19, "in %lx after %ld ms", in, now_ms() - start);
	expect_eq(write(p[1], "x", 1), 1);
	in = 1UL << p[0];
	expect_eq(syscall(SYS_pselect6, p[1] + 1, &in, NULL, NULL, NULL, NULL), 1);
	expect_eq(in, 1UL << p[0]);
	in = 1UL << 50;
	expect_errno(syscall(SYS_pselect6, 51, &in, NULL, NULL, &zero, NULL), EBADF);
	expect_errno(syscall(SYS_pselect6, -1, &in, NULL, NULL, &zero, NULL), EINVAL);
	expect_errno(syscall(SYS_pselect6, 51, forbidden[3], NULL, NULL, &zero, NULL), EFAULT);
	close(p[0]);
	close(p[1]);
}
