/* Processes: fork, exit, wait, orphans, storms, groups and sessions, identity. exec has a file of
 * its own. */
#include <sched.h>
#include <sys/resource.h>

#include "ut.h"

TEST(fork_basics, "fork gives the child a new pid, its parent's pid, and a copy of the descriptors")
{
	pid_t self = getpid(), pid;
	int fd = open("f", O_CREAT | O_RDWR, 0644), p[2], seen[2];

	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		int mine[2] = {getpid(), getppid()};

		expect_eq(write(p[1], mine, sizeof(mine)), sizeof(mine));
		expect_eq(write(fd, "child", 5), 5);
		close(fd);
		_exit(0);
	}
	expect_eq(read(p[0], seen, sizeof(seen)), sizeof(seen));
	expect_eq(seen[0], pid);
	expect_eq(seen[1], self);
	expect(pid != self && pid > 0, "pid %d", pid);
	expect_exit(pid, 0);
	expect_eq(lseek(fd, 0, SEEK_CUR), 5);
	close(fd);
	close(p[0]);
	close(p[1]);
}

TEST(exit_codes, "wait sees every exit status and every killing signal")
{
	static const int codes[] = {0, 1, 42, 127, 255};
	static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGHUP, 40, 64};
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid = xfork();
		if (pid == 0)
			_exit(codes[i]);
		expect_exit(pid, codes[i]);
	}
	pid = xfork();
	if (pid == 0)
		_exit(0x12345);
	expect_exit(pid, 0x45);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pid = xfork();
		if (pid == 0) {
			kill(getpid(), signals[i]);
			nap_ms(10000);
			_exit(0);
		}
		expect_killed(pid, signals[i]);
	}
}

TEST(wait_semantics,
     "wait4 picks children by pid, group or any, does not block with WNOHANG, and says ECHILD")
{
	struct rusage usage;
	pid_t a, b, got;
	int status, p[2];
	char c;

	expect_errno(waitpid(-1, &status, 0), ECHILD);
	expect_errno(waitpid(getpid(), &status, 0), ECHILD);
	expect_errno(waitpid(1, &status, WNOHANG), ECHILD);
	expect_errno(syscall(SYS_wait4, -1, NULL, 0x100, NULL), EINVAL);
	expect_eq(pipe(p), 0);
	a = xfork();
	if (a == 0)
		_exit(read(p[0], &c, 1) == 1 ? 1 : 9);
	b = xfork();
	if (b == 0)
		_exit(2);
	expect_eq(waitpid(a, &status, WNOHANG), 0);
	expect_exit(b, 2);
	expect_errno(waitpid(b, &status, 0), ECHILD);
	expect_eq(waitpid(-1, &status, WNOHANG), 0);
	expect_eq(write(p[1], "x", 1), 1);
	memset(&usage, 0xff, sizeof(usage));
	got = wait4(0, &status, 0, &usage);
	expect_eq(got, a);
	expect_eq(WEXITSTATUS(status), 1);
	expect(usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000, "usec %ld",
	       (long)usage.ru_utime.tv_usec);

	a = xfork();
	if (a == 0) {
		setpgid(0, 0);
		_exit(3);
	}
	setpgid(a, a);
	expect_eq(waitpid(-a, &status, 0), a);
	expect_errno(waitpid(-a, &status, 0), ECHILD);
	close(p[0]);
	close(p[1]);
}

TEST(wait_zombie, "an exited child stays visible until waited for, then its pid is gone")
{
	pid_t pid = xfork();

	if (pid == 0)
		_exit(0);
	nap_ms(30);
	expect_eq(kill(pid, 0), 0);
	expect_eq(kill(pid, SIGKILL), 0);
	expect_exit(pid, 0);
	expect_errno(kill(pid, 0), ESRCH);
	expect_errno(kill(pid, SIGKILL), ESRCH);
}

TEST(wait_orphans, "children of a dead parent get a new parent and do not stay as zombies")
{
	int p[2], seen[2];
	pid_t pid;

	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		pid_t middle = getpid();

		if (xfork() == 0) {
			while (getppid() == middle)
				nap_ms(5);
			seen[0] = getpid();
			seen[1] = getppid();
			expect_eq(write(p[1], seen, sizeof(seen)), sizeof(seen));
			_exit(0);
		}
		_exit(0);
	}
	expect_exit(pid, 0);
	expect_eq(read(p[0], seen, sizeof(seen)), sizeof(seen));
	expect(seen[1] != pid && seen[1] > 0, "the orphan's parent is %d", seen[1]);
	if (!foreign_kernel)
		expect_eq(seen[1], 1);
	for (int i = 0; i < 400 && kill(seen[0], 0) == 0; i++)
		nap_ms(5);
	if (!foreign_kernel)
		expect_errno(kill(seen[0], 0), ESRCH);
	close(p[0]);
	close(p[1]);
}

TEST(wait_blocks_until_exit,
     "a blocked wait ends when a child exits, or with EINTR when a signal comes")
{
	pid_t pid = xfork();
	long start = now_ms();

	if (pid == 0) {
		nap_ms(50);
		_exit(0);
	}
	expect_exit(pid, 0);
	expect(now_ms() - start >= 45, "wait came back after %ld ms", now_ms() - start);
}

TEST(fork_storm, "a tree of processes forking as fast as it can is counted to the last")
{
	int p[2], children = 0, status;
	pid_t original = getpid();
	char c;

	expect_eq(pipe(p), 0);
	for (int level = 0; level < 6; level++) {
		pid_t pid = xfork();

		children = pid == 0 ? 0 : children + 1;
	}
	expect_eq(write(p[1], "x", 1), 1);
	for (; children > 0; children--)
		expect(waitpid(-1, &status, 0) > 0 && status == 0, "status 0x%x", status);
	expect_errno(waitpid(-1, &status, 0), ECHILD);
	if (getpid() != original)
		_exit(0);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 64; i++)
		expect_eq(read(p[0], &c, 1), 1);
	expect_errno(read(p[0], &c, 1), EAGAIN);
	close(p[0]);
	close(p[1]);
}

TEST(fork_exit_many, "three hundred short processes, four at a time, leave nothing")
{
	int running = 0, status;

	for (int i = 0; i < 300; i++) {
		pid_t pid = xfork();

		if (pid == 0)
			_exit(i & 63);
		if (++running == 4) {
			expect(waitpid(-1, &status, 0) > 0 && WIFEXITED(status), "status 0x%x",
			       status);
			running--;
		}
	}
	while (running-- > 0)
		expect(waitpid(-1, &status, 0) > 0, "errno %d", errno);
	expect_errno(waitpid(-1, &status, 0), ECHILD);
}

TEST(fork_exhausted,
     "hundreds of living processes work or fork says EAGAIN or ENOMEM, and all can be ended")
{
	enum { WANTED = 250 };
	int p[2], made = 0, status;
	char c;

	expect_eq(pipe(p), 0);
	while (made < WANTED) {
		pid_t pid = fork();

		if (pid == 0) {
			close(p[1]);
			_exit(read(p[0], &c, 1) == 0 ? 0 : 1);
		}
		if (pid < 0) {
			expect(errno == EAGAIN || errno == ENOMEM, "errno %d", errno);
			break;
		}
		made++;
	}
	expect(made >= 50, "only %d processes", made);
	close(p[1]);
	for (int i = 0; i < made; i++)
		expect(waitpid(-1, &status, 0) > 0 && (status == 0 || WIFSIGNALED(status)),
		       "status 0x%x, errno %d", status, errno);
	expect_errno(waitpid(-1, &status, 0), ECHILD);
	close(p[0]);
}

TEST(kill_everything_running,
     "processes killed while they compute, sleep, write or fork are all collected")
{
	pid_t pids[8];

	for (int i = 0; i < 8; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			volatile unsigned long spin = 0;
			char name[8];
			int p[2];

			snprintf(name, sizeof(name), "k%d", i);
			if (pipe(p) < 0)
				_exit(1);
			for (;;) {
				if (i % 4 == 0)
					spin++;
				else if (i % 4 == 1)
					nap_ms(1000);
				else if (i % 4 == 2)
					put_file(name, name, 3);
				else if (read(p[0], name, 1) != 0)
					_exit(1);
			}
		}
	}
	nap_ms(60);
	for (int i = 0; i < 8; i++)
		expect_eq(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < 8; i++)
		expect_killed(pids[i], SIGKILL);
}

TEST(kill_arguments, "kill checks its signal and its target, and reaches whole groups")
{
	pid_t pids[3], leader;

	expect_errno(kill(getpid(), 65), EINVAL);
	expect_errno(kill(getpid(), -1), EINVAL);
	expect_errno(kill(0x3fffffff, 0), ESRCH);
	expect_errno(kill(-0x3fffffff, SIGTERM), ESRCH);
	expect_errno(syscall(SYS_tkill, 0x3fffffff, 0), ESRCH);
	expect_errno(syscall(SYS_tkill, -1, SIGTERM), EINVAL);
	expect_errno(syscall(SYS_tgkill, getpid(), 0x3fffffff, 0), ESRCH);
	expect_errno(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH);
	expect_eq(kill(getpid(), 0), 0);
	expect_eq(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0), 0);
	for (int i = 0; i < 3; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			nap_ms(20000);
			_exit(0);
		}
		expect_eq(setpgid(pids[i], pids[0]), 0);
	}
	leader = pids[0];
	expect_eq(kill(-leader, SIGTERM), 0);
	for (int i = 0; i < 3; i++)
		expect_killed(pids[i], SIGTERM);
	expect_errno(kill(-leader, SIGTERM), ESRCH);
}

TEST(process_groups, "groups and sessions are inherited, changed and refused as POSIX says")
{
	pid_t pid, self = getpid();
	int p[2], ids[2];

	expect_eq(getpgid(0), getpgrp());
	expect_eq(getpgid(self), self); /* the runner made us a leader */
	expect_errno(setsid(), EPERM);
	expect_errno(getpgid(0x3fffffff), ESRCH);
	expect_errno(getsid(0x3fffffff), ESRCH);
	expect_errno(setpgid(0x3fffffff, 0), ESRCH);
	expect_errno(setpgid(0, -1), EINVAL);
	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		expect_eq(getpgid(0), self);
		expect_eq(getsid(0), getsid(self));
		expect_eq(setsid(), getpid());
		expect_eq(getpgid(0), getpid());
		expect_eq(getsid(0), getpid());
		expect_errno(setpgid(0, 0), EPERM);
		ids[0] = getpgid(0);
		ids[1] = getsid(0);
		expect_eq(write(p[1], ids, sizeof(ids)), sizeof(ids));
		_exit(0);
	}
	expect_eq(read(p[0], ids, sizeof(ids)), sizeof(ids));
	expect(ids[0] == pid && ids[1] == pid, "group %d, session %d", ids[0], ids[1]);
	expect_exit(pid, 0);
	close(p[0]);
	close(p[1]);
}

TEST(clone_thread_ids,
     "clone stores and clears thread ids where its flags say, in parent and child")
{
	volatile int *ids =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int own = -1;
	pid_t pid;

#ifdef __x86_64__
	skip("clone's arguments come in another order");
#endif
	pid = syscall(SYS_clone,
		      CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
		      NULL, &own, NULL, &ids[1]);
	expect(pid >= 0, "errno %d", errno);
	if (pid == 0) {
		_exit(ids[1] == getpid() ? 0 : 1);
	}
	expect_eq(own, pid);
	expect_exit(pid, 0);
	expect(ids[1] == 0 || ids[1] == pid, "the cleared id is %d", ids[1]);
	expect_errno(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
	expect_errno(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
}

static int nap_and_store(void *shared)
{
	struct timespec nap = {0, 30000000};

	syscall(SYS_nanosleep, &nap, NULL);
	*(volatile int *)shared = 7;
	return 4;
}

TEST(vfork_order, "after CLONE_VM|CLONE_VFORK the parent runs only when the child has exited")
{
	volatile int *shared = (int *)map_pages(1);
	char *stack = map_pages(4);
	pid_t pid;

	pid = clone(nap_and_store, stack + 4 * PAGE, CLONE_VM | CLONE_VFORK | SIGCHLD,
		    (void *)(uintptr_t)shared);
	expect(pid > 0, "errno %d", errno);
	expect_eq(*shared, 7);
	expect_exit(pid, 4);
}

TEST(process_limits, "prlimit64, getrlimit and umask give plausible limits and refuse nonsense")
{
	struct rlimit limit;

	expect_eq(getrlimit(RLIMIT_STACK, &limit), 0);
	expect(limit.rlim_cur >= 64 * 1024 && limit.rlim_cur <= limit.rlim_max, "stack %lu of %lu",
	       (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
	expect_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	expect(limit.rlim_cur >= 16, "%lu files", (unsigned long)limit.rlim_cur);
	expect_errno(syscall(SYS_getrlimit, 99, &limit), EINVAL);
	expect_errno(syscall(SYS_prlimit64, 0, 99, NULL, &limit), EINVAL);
	expect_errno(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_STACK, NULL, &limit), ESRCH);
	expect_eq(getuid(), geteuid());
	expect_eq(getgid(), getegid());
	expect_eq(syscall(SYS_sched_yield), 0);
}

TEST(process_name, "prctl sets the process's name and refuses what it does not know")
{
	char name[16] = "";

	expect_eq(syscall(SYS_prctl, 15, "renamed"), 0);
	expect_eq(syscall(SYS_prctl, 16, name), 0);
	expect(!strcmp(name, "renamed"), "the name is '%s'", name);
	expect_eq(syscall(SYS_prctl, 15, "a name that is far too long"), 0);
	expect_eq(syscall(SYS_prctl, 16, name), 0);
	expect(!strcmp(name, "a name that is "), "the name is '%s'", name);
	expect_errno(syscall(SYS_prctl, 99999, 0, 0, 0, 0), EINVAL);
}

TEST(reboot_refused, "reboot with the wrong magic numbers does nothing")
{
	expect_errno(syscall(SYS_reboot, 1, 2, 3, 4), EINVAL);
	expect_errno(syscall(SYS_reboot, 0xfee1dead, 2, 0x4321fedc, 0), EINVAL);
	expect_errno(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x99999, 0), EINVAL);
}
