/* Threads: shared memory and files, futexes, exit of one and of all, signals to one thread. */
#include <sched.h>
#include <sys/futex.h>

#include "ut.h"

#define N 4

static volatile int word, counter, ready, stop;
static volatile int ids[N], done[N];

/* The plain three-state lock over a futex: 0 free, 1 held, 2 held and waited for. */
static void lock(volatile int *l)
{
	int state = 0;

	if (__atomic_compare_exchange_n(l, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(l, 2, __ATOMIC_ACQUIRE) != 0)
		futex(l, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL);
}

static void unlock(volatile int *l)
{
	if (__atomic_exchange_n(l, 0, __ATOMIC_RELEASE) == 2)
		futex(l, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
}

static int add(void *arg)
{
	int me = (int)(intptr_t)arg;

	ids[me] = syscall(SYS_gettid);
	for (int i = 0; i < 1500; i++) {
		lock(&word);
		counter = counter + 1;
		unlock(&word);
	}
	done[me] = getpid();
	return 0;
}

TEST(thread_mutex, "four threads adding under a futex lock lose no update")
{
	struct thread t[N];

	for (intptr_t i = 0; i < N; i++)
		start_thread(&t[i], add, (void *)i);
	for (int i = 0; i < N; i++)
		join_thread(&t[i]);
	expect_eq(counter, N * 1500);
	for (int i = 0; i < N; i++) {
		expect_eq(ids[i], t[i].tid);
		expect_eq(done[i], getpid());
		expect(ids[i] != getpid(), "thread %d has the process's id", i);
	}
}

static int open_and_move(void *arg)
{
	*(int *)arg = open("made-by-thread", O_CREAT | O_RDWR, 0644);
	if (chdir("d") < 0)
		return 1;
	done[0] = 1;
	return 0;
}

TEST(thread_sharing, "threads share descriptors, working directory and memory mappings")
{
	struct thread t;
	int fd = -1;

	expect_eq(mkdir("d", 0755), 0);
	start_thread(&t, open_and_move, &fd);
	join_thread(&t);
	expect(fd >= 0 && done[0] == 1, "fd %d", fd);
	expect_eq(write(fd, "x", 1), 1);
	expect_eq(close(fd), 0);
	expect_eq(access("../made-by-thread", F_OK), 0);
	expect_eq(chdir(".."), 0);
}

static int wait_on_word(void *arg)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (word == 7)
		futex(&word, FUTEX_WAIT, 7, NULL);
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	(void)arg;
	return 0;
}

TEST(futex_wait_wake,
     "FUTEX_WAIT sleeps while the word is as expected; FUTEX_WAKE wakes as many as asked")
{
	struct timespec soon = {0, 30000000}, bad = {0, 1000000000};
	struct thread t[N];
	long start = now_ms(), woken = 0;

	word = 7;
	expect_errno(futex(&word, FUTEX_WAIT, 8, NULL), EAGAIN);
	expect_errno(futex(&word, FUTEX_WAIT, 7, &soon), ETIMEDOUT);
	expect(now_ms() - start >= 29, "it waited %ld ms", now_ms() - start);
	expect_errno(futex(&word, FUTEX_WAIT, 7, &bad), EINVAL);
	expect_eq(futex(&word, FUTEX_WAKE, 100, NULL), 0);
	expect_errno(futex(&word, 127, 0, NULL), ENOSYS);
	expect_errno(futex((int *)((char *)&word + 1), FUTEX_WAKE, 1, NULL), EINVAL);
	for (int i = 0; i < N; i++)
		start_thread(&t[i], wait_on_word, NULL);
	while (ready < N)
		nap_ms(1);
	nap_ms(50);
	expect_eq(counter, 0);
	word = 8;
	while (counter < N) {
		long n = futex(&word, FUTEX_WAKE, 1, NULL);

		expect(n == 0 || n == 1, "one was to be woken, not %ld", n);
		woken += n;
		nap_ms(2);
	}
	for (int i = 0; i < N; i++)
		join_thread(&t[i]);
	expect(woken <= N && woken >= 1, "%ld were woken", woken);
}

static volatile int second;

TEST(futex_requeue, "FUTEX_REQUEUE moves sleepers to another word, FUTEX_WAKE there wakes them")
{
	struct thread t[N];
	long moved;

	word = 7;
	for (int i = 0; i < N; i++)
		start_thread(&t[i], wait_on_word, NULL);
	while (ready < N)
		nap_ms(1);
	nap_ms(100);
	moved = syscall(SYS_futex, &word, FUTEX_REQUEUE, 0, 100, &second, 0);
	expect(moved >= 1 && moved <= N, "%ld moved", moved);
	word = 8;
	futex(&word, FUTEX_WAKE, 100, NULL);
	expect_eq(futex(&second, FUTEX_WAKE, 100, NULL), moved);
	for (int i = 0; i < N; i++)
		join_thread(&t[i]);
	expect_eq(counter, N);
}

TEST(futex_bitset, "a bitset wait takes an absolute time and wakes only for a common bit")
{
	struct timespec until;
	long start = now_ms();

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 30000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	word = 1;
	expect_errno(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, &until, NULL, -1), ETIMEDOUT);
	expect(now_ms() - start >= 29, "it waited %ld ms", now_ms() - start);
	expect_errno(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, &until, NULL, 0), EINVAL);
	expect_errno(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 2, NULL, NULL, -1), EAGAIN);
	expect_eq(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 2), 0);
}

TEST(futex_between_processes, "a futex in shared memory works between processes")
{
	volatile int *shared =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = xfork();

	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			while (*shared != 2 * i + 1)
				futex(shared, FUTEX_WAIT, 2 * i, NULL);
			*shared = 2 * i + 2;
			futex(shared, FUTEX_WAKE, 1, NULL);
		}
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		*shared = 2 * i + 1;
		futex(shared, FUTEX_WAKE, 1, NULL);
		while (*shared != 2 * i + 2)
			futex(shared, FUTEX_WAIT, 2 * i + 1, NULL);
	}
	expect_exit(pid, 0);
	expect_eq(munmap((void *)(uintptr_t)shared, PAGE), 0);
}

static int clear_on_exit(void *arg)
{
	syscall(SYS_set_tid_address, &word);
	word = 99;
	done[0] = 1;
	nap_ms(20);
	(void)arg;
	return 0;
}

TEST(thread_clear_tid,
     "set_tid_address: the word is cleared and its futex woken when the thread exits")
{
	struct thread t;

	start_thread(&t, clear_on_exit, NULL);
	while (!done[0])
		nap_ms(1);
	while (word == 99)
		futex(&word, FUTEX_WAIT, 99, NULL);
	expect_eq(word, 0);
	join_thread(&t);
	expect_errno(syscall(SYS_set_robust_list, &word, 5), EINVAL);
}

static int spin(void *arg)
{
	(void)arg;
	while (!stop)
		counter++;
	return 0;
}

static int sleep_long(void *arg)
{
	struct timespec nap = {60, 0};

	(void)arg;
	ready = 1;
	syscall(SYS_nanosleep, &nap, NULL);
	return 0;
}

static int read_nothing(void *arg)
{
	char c;

	if (read(*(int *)arg, &c, 1) < 0)
		counter = 0;
	return 0;
}

static int leave_group(void *arg)
{
	nap_ms(20);
	syscall(SYS_exit_group, (long)arg);
	return 0;
}

TEST(thread_exit_group,
     "exit_group by any thread ends all of them: spinning, sleeping and blocked ones")
{
	struct thread t[N];
	pid_t pid;
	int p[2];

	expect_eq(pipe(p), 0);
	for (int who = 0; who < 2; who++) {
		pid = xfork();
		if (pid == 0) {
			start_thread(&t[0], spin, NULL);
			start_thread(&t[1], sleep_long, NULL);
			start_thread(&t[2], read_nothing, &p[0]);
			if (who == 0) {
				start_thread(&t[3], leave_group, (void *)33L);
				for (;;)
					nap_ms(1000);
			}
			nap_ms(20);
			_exit(33);
		}
		expect_exit(pid, 33);
	}
	close(p[0]);
	close(p[1]);
}

TEST(thread_killed, "a fatal signal or fault in one thread kills the whole process")
{
	struct thread t[N];
	pid_t pid = xfork();

	if (pid == 0) {
		start_thread(&t[0], spin, NULL);
		start_thread(&t[1], sleep_long, NULL);
		for (;;)
			nap_ms(1000);
	}
	nap_ms(50);
	expect_eq(kill(pid, SIGKILL), 0);
	expect_killed(pid, SIGKILL);
	pid = xfork();
	if (pid == 0) {
		start_thread(&t[0], spin, NULL);
		start_thread(&t[1], (int (*)(void *))8, NULL);
		for (;;)
			nap_ms(1000);
	}
	expect_killed(pid, SIGSEGV);
}

static int outlive(void *arg)
{
	nap_ms(50);
	syscall(SYS_exit_group, (long)arg);
	return 0;
}

TEST(thread_main_leaves,
     "when the first thread exits alone, the process lives until the last one ends")
{
	struct thread t;
	pid_t pid = xfork();
	int status;

	if (pid == 0) {
		start_thread(&t, outlive, (void *)44L);
		syscall(SYS_exit, 1);
	}
	nap_ms(15);
	expect_eq(waitpid(pid, &status, WNOHANG), 0);
	expect_exit(pid, 44);
}

static volatile int handled_by;

static void note_thread(int sig)
{
	(void)sig;
	handled_by = syscall(SYS_gettid);
}

static int until_stopped(void *arg)
{
	(void)arg;
	ready = 1;
	while (!stop)
		nap_ms(2);
	return 0;
}

TEST(thread_signal,
     "tgkill reaches the one thread; a blocked process signal goes to another thread")
{
	struct thread t;
	sigset_t set;

	signal(SIGUSR1, note_thread);
	start_thread(&t, until_stopped, NULL);
	while (!ready)
		nap_ms(1);
	expect_eq(syscall(SYS_tgkill, getpid(), t.tid, SIGUSR1), 0);
	for (int i = 0; i < 1000 && !handled_by; i++)
		nap_ms(2);
	expect_eq(handled_by, t.tid);
	handled_by = 0;
	expect_eq(syscall(SYS_tkill, getpid(), SIGUSR1), 0);
	expect_eq(handled_by, getpid());
	handled_by = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	expect_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	expect_eq(kill(getpid(), SIGUSR1), 0);
	for (int i = 0; i < 1000 && !handled_by; i++)
		nap_ms(2);
	expect_eq(handled_by, t.tid);
	stop = 1;
	join_thread(&t);
}

static int map_and_unmap(void *arg)
{
	for (int i = 0; i < 60; i++) {
		char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (int k = 0; k < 4; k++)
			p[k * PAGE] = k;
		if (i % 3 == 0)
			mprotect(p, 2 * PAGE, PROT_READ);
		for (int k = 0; k < 4; k++)
			if (p[k * PAGE] != k)
				__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
		munmap(p, 4 * PAGE);
	}
	done[(int)(intptr_t)arg] = 1;
	return 0;
}

TEST(thread_mapping_races,
     "threads mapping, protecting, touching and unmapping at once do not disturb")
{
	struct thread t[N];

	for (intptr_t i = 0; i < N; i++)
		start_thread(&t[i], map_and_unmap, (void *)i);
	for (int i = 0; i < N; i++)
		join_thread(&t[i]);
	expect_eq(counter, 0);
	for (int i = 0; i < N; i++)
		expect_eq(done[i], 1);
}

static char *volatile target;

static int write_target(void *arg)
{
	(void)arg;
	ready = 1;
	while (!stop)
		target[0]++;
	return 0;
}

TEST(thread_tlb_shootdown, "an unmapped or protected page is out of reach for other CPUs at once")
{
	struct thread t;
	pid_t pid;

	for (int how = 0; how < 2; how++) {
		pid = xfork();
		if (pid == 0) {
			target = map_pages(1);
			ready = 0;
			start_thread(&t, write_target, NULL);
			while (!ready)
				sched_yield();
			nap_ms(20);
			if (how == 0) {
				munmap(target, PAGE);
				for (;;)
					nap_ms(1000);
			}
			mprotect(target, PAGE, PROT_READ);
			char before = target[0];

			for (volatile int i = 0; i < 100000; i++)
				;
			_exit(target[0] == before ? 0 : 1);
		}
		int status = xwait(pid);

		expect((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
			       (how == 1 && status == 0),
		       "wait status 0x%x", status);
	}
}

static int short_life(void *arg)
{
	__atomic_fetch_add((volatile int *)arg, 1, __ATOMIC_SEQ_CST);
	return 0;
}

TEST(thread_many, "a hundred threads, eight at a time, start, run and leave")
{
	struct thread t[8];

	for (int round = 0; round < 13; round++) {
		for (int i = 0; i < 8; i++)
			start_thread(&t[i], short_life, (void *)(uintptr_t)&counter);
		for (int i = 0; i < 8; i++)
			join_thread(&t[i]);
	}
	expect_eq(counter, 104);
}

static int exec_self(void *arg)
{
	extern char **environ;
	char *argv[] = {self_path, "--exit", "61", NULL};

	nap_ms(20);
	execve(self_path, argv, environ);
	(void)arg;
	return 0;
}

TEST(thread_exec, "execve by one thread ends the others and keeps the process's id")
{
	struct thread t[3];
	pid_t pid = xfork();

	if (pid == 0) {
		start_thread(&t[0], spin, NULL);
		start_thread(&t[1], sleep_long, NULL);
		start_thread(&t[2], exec_self, NULL);
		for (;;)
			nap_ms(1000);
	}
	expect_exit(pid, 61);
}

TEST(thread_fork, "fork in a process with threads copies the calling thread only")
{
	struct thread t;
	pid_t pid;

	start_thread(&t, until_stopped, NULL);
	while (!ready)
		nap_ms(1);
	pid = xfork();
	if (pid == 0) {
		expect_errno(syscall(SYS_tgkill, getpid(), t.tid, 0), ESRCH);
		_exit(0);
	}
	expect_exit(pid, 0);
	stop = 1;
	join_thread(&t);
}
