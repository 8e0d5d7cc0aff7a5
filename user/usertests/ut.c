/* The helpers that cases share; ut.h says what each one does. */
#include <dirent.h>
#include <stdarg.h>

#include "ut.h"

int foreign_kernel;
char self_path[512];

void *const forbidden[] = {
	(void *)1UL,
	(void *)0x0000000000000fffUL,
	(void *)0x0100000000000000UL, /* first address above Sv57's user half */
	(void *)0x8000000000000000UL,
	(void *)0xff00000000000000UL, /* lowest kernel address of Sv57 */
	(void *)0xffff000000000000UL, /* of ARM64 */
	(void *)0xffff800000000000UL, /* of Sv48 */
	(void *)0xffffffc000000000UL, /* of Sv39 */
	(void *)0xffffffff80000000UL,
	(void *)0xfffffffffffff000UL,
	(void *)0xffffffffffffffffUL,
};
const size_t n_forbidden = ARRAY_SIZE(forbidden);

static void say(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(1, text, left);

		if (n <= 0)
			return;
		text += n;
		left -= n;
	}
}

static void fail(const char *file, int line, const char *what, const char *format, va_list args)
{
	char text[600];
	size_t n;

	if (what)
		n = snprintf(text, sizeof(text), "# %s:%d: expected %s; ", file, line, what);
	else
		n = snprintf(text, sizeof(text), "# %s:%d: ", file, line);
	if (n < sizeof(text) - 2)
		vsnprintf(text + n, sizeof(text) - n - 2, format, args);
	strcat(text, "\n");
	say(text);
	_exit(1);
}

void fail_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(file, line, NULL, format, args);
	va_end(args);
	_exit(1);
}

void expect_failed_at(const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(file, line, what, format, args);
	va_end(args);
	_exit(1);
}

void skip(const char *why)
{
	char text[200];

	snprintf(text, sizeof(text), "# skipped: %s\n", why);
	say(text);
	_exit(SKIP_STATUS);
}

void expect_long_at(const char *file, int line, const char *what, long actual, long expected)
{
	int error = errno;

	if (actual != expected)
		fail_at(file, line, "expected %s to be %ld (0x%lx), got %ld (0x%lx), errno %d",
			what, expected, expected, actual, actual, error);
}

void expect_errno_at(const char *file, int line, const char *what, long result, int error)
{
	if (result != -1)
		fail_at(file, line, "expected %s to fail with errno %d, got result %ld", what,
			error, result);
	if (errno != error)
		fail_at(file, line, "expected %s to fail with errno %d, got errno %d", what, error,
			errno);
}

void expect_status_at(const char *file, int line, pid_t pid, int exited, int value)
{
	int status = xwait(pid);

	if (exited && !(WIFEXITED(status) && WEXITSTATUS(status) == value))
		fail_at(file, line, "expected child %d to exit with %d, got wait status 0x%x", pid,
			value, status);
	if (!exited && !(WIFSIGNALED(status) && WTERMSIG(status) == value))
		fail_at(file, line,
			"expected child %d to be killed by signal %d, got wait status 0x%x", pid,
			value, status);
}

pid_t xfork(void)
{
	pid_t pid = fork();

	expect(pid >= 0, "fork: errno %d", errno);
	return pid;
}

int xwait(pid_t pid)
{
	int status = -1;
	pid_t got;

	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	expect(got == pid, "waitpid(%d) gave %d, errno %d", pid, got, errno);
	return status;
}

long now_ms(void)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void nap_ms(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void put_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	expect(fd >= 0, "creating %s: errno %d", path, errno);
	expect_eq(write(fd, data, size), size);
	expect_eq(close(fd), 0);
}

size_t get_file(const char *path, char *data, size_t room)
{
	int fd = open(path, O_RDONLY);
	size_t total = 0;
	ssize_t n;

	expect(fd >= 0, "opening %s: errno %d", path, errno);
	while (total < room - 1 && (n = read(fd, data + total, room - 1 - total)) != 0) {
		expect(n > 0, "reading %s: errno %d", path, errno);
		total += n;
	}
	data[total] = 0;
	close(fd);
	return total;
}

char *map_pages(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	expect(p != MAP_FAILED, "mmap of %lu pages: errno %d", (unsigned long)pages, errno);
	return p;
}

char *page_end(void)
{
	char *p = map_pages(2);

	expect_eq(munmap(p + PAGE, PAGE), 0);
	memset(p, 'x', PAGE);
	return p + PAGE;
}

/* Linux's directory record, as getdents64 writes it. */
struct record {
	uint64_t ino;
	int64_t off;
	unsigned short length;
	unsigned char type;
	char name[];
};

static int is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int count_entries(const char *path)
{
	uint64_t buffer[128];
	int fd = open(path, O_RDONLY | O_DIRECTORY), count = 0;
	long n;

	if (fd < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			struct record *r = (struct record *)((char *)buffer + at);

			count += !is_dot(r->name);
			at += r->length;
		}
	}
	close(fd);
	return n < 0 ? -1 : count;
}

/* Works with the current directory instead of growing paths, so that any depth can be removed. */
static int empty_here(int depth)
{
	uint64_t buffer[128];
	int again = 1;

	while (again) {
		int fd = open(".", O_RDONLY | O_DIRECTORY);
		long n = fd < 0 ? -1 : syscall(SYS_getdents64, fd, buffer, sizeof(buffer));

		again = 0;
		if (fd >= 0)
			close(fd);
		for (long at = 0; at < n;) {
			struct record *r = (struct record *)((char *)buffer + at);

			at += r->length;
			if (is_dot(r->name))
				continue;
			if (unlink(r->name) == 0 || rmdir(r->name) == 0) {
				again = 1;
				continue;
			}
			if (depth > 200 || chdir(r->name) < 0)
				return -1;
			if (empty_here(depth + 1) < 0 || chdir("..") < 0 || rmdir(r->name) < 0)
				return -1;
			again = 1;
		}
	}
	return 0;
}

int remove_tree(const char *path)
{
	int back, result;

	if (unlink(path) == 0 || rmdir(path) == 0)
		return 0;
	back = open(".", O_RDONLY | O_DIRECTORY);
	if (back < 0 || chdir(path) < 0)
		return -1;
	result = empty_here(0);
	if (fchdir(back) < 0 || rmdir(path) < 0)
		result = -1;
	close(back);
	return result;
}

long meminfo_kb(const char *field)
{
	static char text[4096];
	size_t length = strlen(field);
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, field, length) && line[length] == ':')
			return strtol(line + length + 1, NULL, 10);
	}
	return -1;
}

#define THREAD_STACK (16 * PAGE)

/* From the C library: starts fn(arg) as a thread of this process on the given stack; its tid or -1.
 */
int thread_create(int (*fn)(void *), void *arg, void *stack_top);

void start_thread(struct thread *thread, int (*fn)(void *), void *arg)
{
	thread->stack = map_pages(THREAD_STACK / PAGE);
	thread->tid = thread_create(fn, arg, thread->stack + THREAD_STACK);
	expect(thread->tid > 0, "starting a thread: errno %d", errno);
}

void join_thread(struct thread *thread)
{
	while (syscall(SYS_tgkill, getpid(), thread->tid, 0) == 0)
		nap_ms(1);
	munmap(thread->stack, THREAD_STACK);
}

long futex(volatile int *word, int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, 0, 0);
}
