/*
 * Memory runs out in the middle of a call: at each of its allocations in turn.
 *
 * A kernel built for it (KASAN=1) lets a thread say that its N-th allocation from now on fails
 * (/proc/self/fail-nth). Each case here does one thing again and again, in a new process each time,
 * with N = 1, 2, … until nothing failed any more; then once more with several failures in a row, so that a way
 * out of the first meets the next. The thing may then work all the same, or fail with an
 * errno that says so, or its process is killed, when it was a page fault that found no memory; what
 * must not happen is any other answer, a kernel that stumbles, or something lost: the runner looks
 * for leaks after each case.
 */
#include <dirent.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "ut.h"

#define MOST	4000	/* no call asks for memory so often */
#define CALM	0	/* exit statuses: it worked and nothing had failed, */
#define HIT	3	/* an allocation had failed */

static int control = -1;

static void arm(int n, int count)
{
	char text[24];

	snprintf(text, sizeof(text), "%d %d\n", n, count);
	while (write(control, text, strlen(text)) < 0)	/* asks for memory, too */
		expect_eq(errno, ENOMEM);
}

/* How many allocations are to come until one fails; 0: it has. */
static int remaining(void)
{
	char text[16] = "";

	expect(pread(control, text, sizeof(text) - 1, 0) > 0, "reading fail-nth: errno %d", errno);
	return atoi(text);
}

/* Each process opens its own. Its text has a buffer once it was read, so that reading asks for none later. */
static void open_control(void)
{
	if (control >= 0)
		close(control);
	control = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	expect(control >= 0, "open: errno %d", errno);
	arm(0, 0);
	expect_eq(remaining(), 0);
}

static int honest(int error)
{
	return error == ENOMEM || error == EAGAIN || error == EFAULT;
}

static void one_try(int (*op)(void), int n, int count)
{
	int result, error, hit;

	open_control();
	arm(n, count);
	errno = 0;
	result = op();
	error = errno;
	hit = remaining() == 0;
	arm(0, 0);
	expect(result == 0 || hit, "try %d: errno %d though nothing failed", n, error);
	expect(result == 0 || honest(error), "try %d: memory ran out, but errno is %d", n, error);
	_exit(hit ? HIT : CALM);
}

static void fail_runs(void (*prepare)(void), int (*op)(void), int count)
{
	for (int n = 1;; n++) {
		int status;
		pid_t pid;

		expect(mkdir("d", 0755) == 0, "mkdir: errno %d", errno);
		if (prepare) {
			prepare();
			drop_caches();
		}
		pid = xfork();
		if (pid == 0) {
			if (chdir("d") == 0)
				one_try(op, n, count);
			_exit(1);
		}
		status = xwait(pid);
		expect(remove_tree("d") == 0, "try %d: cannot remove what it left", n);
		if (WIFEXITED(status) && WEXITSTATUS(status) == CALM)
			return;
		expect((WIFEXITED(status) && WEXITSTATUS(status) == HIT) ||
		       (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL), "try %d: status %x", n, status);
		expect(n < MOST, "there is no end to it");
	}
}

/* What op needs is made in "d", before anything fails; nothing of it is in memory then. */
static void fail_each_after(void (*prepare)(void), int (*op)(void))
{
	if (access("/proc/self/fail-nth", F_OK) < 0)
		skip("the kernel was not built with KASAN=1");
	fail_runs(prepare, op, 1);
	fail_runs(prepare, op, 4);
}

static void fail_each(int (*op)(void))
{
	fail_each_after(NULL, op);
}

/* In an op: what fails is the op's result, after what was opened is left to the process's end. */
#define must(call) do { if ((call) < 0) return -1; } while (0)

static char buffer[5 * PAGE];

static int use_file(void)
{
	struct stat st;
	int fd = open("file", O_CREAT | O_RDWR, 0644);

	must(fd);
	must(write(fd, buffer, sizeof(buffer)));
	must(pwrite(fd, buffer, 100, 300 * PAGE));	/* a hole, and an indirect block */
	must(pread(fd, buffer, sizeof(buffer), 0));
	must(fsync(fd));
	must(ftruncate(fd, 12 * PAGE));
	must(fstat(fd, &st));
	must(close(fd));
	return unlink("file");
}

static void make_victims(void)
{
	int fd;

	expect_eq(mkdir("d/dir", 0755), 0);
	fd = open("d/file", O_CREAT | O_RDWR, 0644);
	expect_eq(pwrite(fd, buffer, sizeof(buffer), 1500 * PAGE), sizeof(buffer)); /* indirect blocks */
	expect_eq(pwrite(fd, buffer, sizeof(buffer), 10 * PAGE), sizeof(buffer));
	close(fd);
}

/* What has no name left must go: there is nobody to tell that it did not. */
static int delete(void)
{
	must(rmdir("dir"));
	return unlink("file");
}

#define FAR	1500		/* pages: behind the double indirect block's beginning */

static void make_data(void)
{
	int fd = open("d/data", O_CREAT | O_RDWR, 0644);

	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = pattern(i, 5);
	expect_eq(pwrite(fd, buffer, sizeof(buffer), FAR * PAGE), sizeof(buffer));
	expect_eq(pwrite(fd, buffer, sizeof(buffer), 0), sizeof(buffer));
	close(fd);
	expect_eq(symlink("data", "d/sym"), 0);
}

/* 0, or -1: not the pattern from byte @first on. */
static int is_data(const char *data, size_t first, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)data[i] != pattern(first + i, 5)) {
			errno = EIO;
			return -1;
		}
	}
	return 0;
}

/* Wrong bytes are an answer that is not honest, a part of them is. */
static int use_data(void)
{
	int fd = open("sym", O_RDWR);
	ssize_t n;
	char *p;

	must(fd);
	n = pread(fd, buffer, sizeof(buffer), 0);
	must(n);
	must(is_data(buffer, 0, n));
	n = pread(fd, buffer, sizeof(buffer), FAR * PAGE);
	must(n);
	must(is_data(buffer, 0, n));
	p = mmap(NULL, sizeof(buffer), PROT_READ | PROT_WRITE, MAP_SHARED, fd, FAR * PAGE);
	must(p == MAP_FAILED ? -1 : 0);
	must(is_data(p, 0, sizeof(buffer)));
	p[PAGE + 3] = pattern(PAGE + 3, 5);
	must(munmap(p, sizeof(buffer)));
	must(fsync(fd));
	return close(fd);
}

/* Once fsync() has said so, the data is on disk, whatever failed before. */
static int sync_data(void)
{
	int drop = open("/proc/sys/vm/drop_caches", O_WRONLY), fd = open("data", O_CREAT | O_RDWR, 0644);
	ssize_t n, written;

	must(drop);
	must(fd);
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = pattern(i, 5);
	written = pwrite(fd, buffer, sizeof(buffer), FAR * PAGE);
	must(written);
	while (fsync(fd) < 0)
		must(honest(errno) ? 0 : -1);
	while (write(drop, "3\n", 2) < 0)
		must(honest(errno) ? 0 : -1);
	for (ssize_t done = 0; done < written; done += n) {
		while ((n = pread(fd, buffer, sizeof(buffer), FAR * PAGE + done)) < 0)
			must(honest(errno) ? 0 : -1);
		must(n ? is_data(buffer, done, n) : (errno = EIO, -1));
	}
	return 0;
}

/* 0, or -1: not zeros in the rest of this page. */
static int is_zero(int fd, off_t at)
{
	ssize_t n = pread(fd, buffer, PAGE - at % PAGE, at);

	must(n);
	for (ssize_t i = 0; i < n; i++) {
		if (buffer[i]) {
			errno = EIO;
			return -1;
		}
	}
	return 0;
}

/* What was cut off must not be seen when the file grows again. */
static int cut_data(void)
{
	int fd = open("data", O_RDWR);

	must(fd);
	must(ftruncate(fd, PAGE + 10));
	must(ftruncate(fd, (FAR + 5) * PAGE));
	must(is_zero(fd, PAGE + 10));
	must(is_zero(fd, 4 * PAGE));
	must(is_zero(fd, FAR * PAGE));
	return rename("data", "sym");
}

static int use_names(void)
{
	char text[200];
	DIR *dir;

	must(mkdir("one", 0755));
	must(symlink("one/a-target-that-is-longer-than-what-an-inode-holds-in-itself-so-it-needs-a-block", "sym"));
	must(readlink("sym", text, sizeof(text)));
	must(mkdir("one/two", 0755));
	must(open("one/two/file", O_CREAT | O_WRONLY, 0644));
	must(link("one/two/file", "hard"));
	must(rename("one/two", "three"));
	must(rename("hard", "three/file"));
	must(chdir("three"));
	must(getcwd(text, sizeof(text)) ? 0 : -1);
	must(chdir(".."));
	dir = opendir(".");
	must(dir ? 0 : -1);
	while (readdir(dir))
		;
	closedir(dir);
	must(unlink("three/file"));
	must(rmdir("three"));
	return 0;
}

static int use_pipe(void)
{
	struct iovec iov[2] = {{buffer, 100}, {buffer + PAGE, 3 * PAGE}};
	struct pollfd fds[20];
	int pipes[2];

	must(pipe2(pipes, O_NONBLOCK));
	must(dup3(pipes[0], 90, O_CLOEXEC));	/* the table grows */
	must(fcntl(pipes[0], F_DUPFD, 200));
	must(writev(pipes[1], iov, 2));
	for (int i = 0; i < 20; i++)
		fds[i] = (struct pollfd){.fd = i % 2 ? 90 : pipes[1], .events = POLLIN | POLLOUT};
	must(poll(fds, 20, 1));
	must(read(90, buffer, sizeof(buffer)));
	return 0;
}

static int use_memory(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	char *p, *q, *shared;

	must(fd);
	must(ftruncate(fd, 4 * PAGE));
	p = mmap(NULL, 600 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p == MAP_FAILED ? -1 : 0);
	p[0] = p[599 * PAGE] = 1;
	must(mprotect(p + 10 * PAGE, 10 * PAGE, PROT_READ));
	must(munmap(p + 30 * PAGE, PAGE));
	q = mremap(p + 40 * PAGE, 20 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
	must(q == MAP_FAILED ? -1 : 0);
	q[0] = 2;
	must(madvise(p, PAGE, MADV_DONTNEED));
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(shared == MAP_FAILED ? -1 : 0);
	shared[PAGE] = 3;
	must(msync(shared, 4 * PAGE, MS_SYNC));
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(p == MAP_FAILED ? -1 : 0);
	p[PAGE] = 4;
	must(brk((char *)sbrk(0) + 3 * PAGE));
	return 0;
}

static int use_fork(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	must(p == MAP_FAILED ? -1 : 0);
	p[0] = 1;
	pid = fork();
	must(pid);
	if (pid == 0)
		_exit(0);
	p[0] = 2;	/* a copy */
	must(waitpid(pid, &status, 0));
	return 0;
}

/* The new program looks itself whether it failed; see nomem_child(). */
static int use_exec(void)
{
	char *argv[] = {self_path, "--nomem", "word", buffer, NULL};
	char *envp[] = {"A=1", buffer, NULL};

	memset(buffer, 'x', 2 * PAGE);
	return execve(self_path, argv, envp);
}

int nomem_child(void)
{
	char text[16];
	int hit;

	while ((control = open("/proc/self/fail-nth", O_RDWR)) < 0)
		expect(honest(errno), "open: errno %d", errno);
	while (pread(control, text, sizeof(text), 0) < 0)
		expect(honest(errno), "read: errno %d", errno);
	hit = remaining() == 0;
	arm(0, 0);
	return hit ? HIT : CALM;
}

static int idle(void *arg)
{
	return arg != NULL;
}

int thread_create(int (*fn)(void *), void *arg, void *stack_top);

static int use_thread(void)
{
	static volatile int word;
	struct timespec soon = {.tv_nsec = 1000};
	struct thread thread;

	thread.stack = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(thread.stack == MAP_FAILED ? -1 : 0);
	thread.tid = thread_create(idle, NULL, thread.stack + 16 * PAGE);
	must(thread.tid);
	if (futex(&word, 0, 0, &soon) < 0 && errno != ETIMEDOUT)
		return -1;
	join_thread(&thread);
	return 0;
}

static void handler(int sig)
{
	(void)sig;
}

static int use_signals(void)
{
	struct sigaction act = {.sa_handler = handler};
	sigset_t set;

	must(sigaction(SIGUSR1, &act, NULL));
	must(kill(getpid(), SIGUSR1));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	must(kill(getpid(), SIGUSR2));
	must(sigpending(&set));
	return 0;
}

static int read_whole(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	must(fd);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		;
	must(n);
	return close(fd);
}

static int use_proc(void)
{
	static const char *const names[] = {"maps", "status", "stat", "cmdline", "environ"};
	char path[40];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		must(read_whole(path));
	}
	must(readlink("/proc/self/exe", buffer, sizeof(buffer)));
	must(readlink("/proc/self/cwd", buffer, sizeof(buffer)));
	return 0;
}

static int use_proc_root(void)
{
	must(read_whole("/proc/meminfo"));
	must(read_whole("/proc/slabinfo"));
	must(count_entries("/proc"));
	return 0;
}

TEST(nomem_file, "a file is written, read and truncated while memory runs out")
{
	fail_each(use_file);
}

TEST(nomem_names, "directories and links are made, moved and removed while memory runs out")
{
	fail_each(use_names);
}

TEST(nomem_delete, "what is removed while memory runs out is free afterwards")
{
	fail_each_after(make_victims, delete);
}

TEST(nomem_data, "a file is read and mapped while memory runs out")
{
	fail_each_after(make_data, use_data);
}

TEST(nomem_sync, "fsync fails or has written all while memory runs out")
{
	fail_each(sync_data);
}

TEST(nomem_truncate, "a file is cut off and grows while memory runs out")
{
	fail_each_after(make_data, cut_data);
}

/* The page that is cut must be read first. */
static void make_cold_data(void)
{
	make_data();
	sync();
	drop_caches();
}

/* The same when it grows by a write, which does not look at what lies between. */
static int cut_cold_data(void)
{
	int fd = open("data", O_RDWR);

	must(fd);
	must(ftruncate(fd, PAGE + 10));
	must(pwrite(fd, "", 1, 4 * PAGE));
	must(is_zero(fd, PAGE + 10));
	return rename("data", "sym");
}

TEST(nomem_truncate_cold, "a file that is not in memory is cut off while memory runs out")
{
	fail_each_after(make_cold_data, cut_cold_data);
}

TEST(nomem_pipe, "pipes, descriptors and poll while memory runs out")
{
	fail_each(use_pipe);
}

TEST(nomem_memory, "memory is mapped, split, moved and touched while memory runs out")
{
	fail_each(use_memory);
}

TEST(nomem_fork, "fork and copy on write while memory runs out")
{
	fail_each(use_fork);
}

TEST(nomem_exec, "execve while memory runs out")
{
	fail_each(use_exec);
}

TEST(nomem_thread, "threads and futexes while memory runs out")
{
	fail_each(use_thread);
}

TEST(nomem_signals, "signals while memory runs out")
{
	fail_each(use_signals);
}

TEST(nomem_proc, "/proc/self is read while memory runs out")
{
	fail_each(use_proc);
}

TEST(nomem_proc_root, "/proc is read while memory runs out")
{
	fail_each(use_proc_root);
}
