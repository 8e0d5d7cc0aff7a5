/* Memory: copy-on-write, mappings of files and of nothing, protection, brk, the stack, running out.
 */
#include <setjmp.h>

#include "ut.h"

static jmp_buf escape;
static volatile uintptr_t fault_address;
static volatile int fault_signal, fault_code, armed;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	sigset_t set;

	(void)context;
	if (!armed)
		fail_at(__FILE__, __LINE__, "an unexpected signal %d at %p, code %d", sig,
			info->si_addr, info->si_code);
	armed = 0;
	fault_signal = sig;
	fault_code = info->si_code;
	fault_address = (uintptr_t)info->si_addr;
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	longjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = {.sa_flags = SA_SIGINFO};

	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* The signal that touching the address raises; 0 when it works. */
static int touch(volatile char *p, int writing)
{
	fault_signal = 0;
	armed = 1;
	if (setjmp(escape) == 0) {
		if (writing)
			*p = 'w';
		else
			(void)*p;
		armed = 0;
		return 0;
	}
	expect(fault_address == (uintptr_t)p, "si_addr is 0x%lx, not %p", (long)fault_address, p);
	return fault_signal;
}

#define expect_readable(p) expect_eq(touch((p), 0), 0)
#define expect_writable(p) expect_eq(touch((p), 1), 0)
#define expect_no_read(p)  expect_eq(touch((p), 0), SIGSEGV)
#define expect_no_write(p) expect_eq(touch((p), 1), SIGSEGV)

TEST(cow_isolation,
     "after fork each process sees its own writes only, on stack, heap, data and mappings")
{
	static int data = 1;
	volatile int stack = 1;
	char *map = map_pages(40);
	int *heap = malloc(sizeof(int));
	pid_t pid;

	*heap = 1;
	memset(map, 1, 40 * PAGE);
	pid = xfork();
	if (pid == 0) {
		data = stack = *heap = 2;
		memset(map, 2, 40 * PAGE);
		nap_ms(30);
		expect(data == 2 && stack == 2 && *heap == 2, "the child lost its writes");
		for (size_t i = 0; i < 40 * PAGE; i += 512)
			expect_eq(map[i], 2);
		_exit(0);
	}
	for (int i = 0; i < 40; i += 2)
		map[i * PAGE] = 3;
	expect(data == 1 && stack == 1 && *heap == 1, "the parent sees the child's writes");
	expect_exit(pid, 0);
	for (int i = 0; i < 40; i++)
		expect_eq(map[i * PAGE], i % 2 ? 1 : 3);
	free(heap);
}

TEST(cow_chain, "pages stay shared and right through five generations of fork")
{
	char *map = map_pages(8);
	int depth;
	pid_t pid = 1;

	for (depth = 0; depth < 5; depth++) {
		map[depth * PAGE] = 10 + depth;
		pid = xfork();
		if (pid > 0)
			break;
	}
	for (int i = 0; i < 5; i++)
		expect_eq(map[i * PAGE], i <= depth ? 10 + i : 0);
	map[7 * PAGE] = depth;
	if (pid > 0)
		expect_exit(pid, 0);
	expect_eq(map[7 * PAGE], depth);
	if (depth > 0)
		_exit(0);
}

TEST(cow_by_kernel, "the kernel's own writes to shared pages make copies too")
{
	char *map = map_pages(2);
	int p[2];
	pid_t pid;

	memset(map, 'a', 2 * PAGE);
	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		expect_eq(write(p[1], "bbbb", 4), 4);
		expect_eq(read(p[0], map + PAGE - 2, 4), 4);
		expect_eq(map[PAGE], 'b');
		_exit(0);
	}
	expect_exit(pid, 0);
	expect_eq(map[PAGE - 1], 'a');
	expect_eq(map[PAGE], 'a');
	close(p[0]);
	close(p[1]);
}

TEST(zero_page_reads, "untouched memory reads as zeros, and writing it after reading works")
{
	char *map = map_pages(64);

	for (size_t i = 0; i < 64 * PAGE; i += 256)
		expect_eq(map[i], 0);
	for (size_t i = 0; i < 64; i++)
		map[i * PAGE + i] = i;
	for (size_t i = 0; i < 64; i++)
		expect(map[i * PAGE + i] == (char)i && map[i * PAGE + 100] == 0, "page %lu",
		       (long)i);
	expect_eq(munmap(map, 64 * PAGE), 0);
	map = map_pages(64);
	for (size_t i = 0; i < 64 * PAGE; i += 256)
		expect(map[i] == 0, "old content at %lu", (unsigned long)i);
}

TEST(mmap_shared_anonymous, "a shared anonymous mapping is one memory for parent and children")
{
	int *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[4];

	expect(p != MAP_FAILED, "errno %d", errno);
	for (int i = 0; i < 4; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			for (int k = 0; k < 500; k++)
				__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
			p[1024 * i + 1] = i + 50;
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		expect_exit(pids[i], 0);
	expect_eq(*p, 2000);
	for (int i = 0; i < 4; i++)
		expect_eq(p[1024 * i + 1], i + 50);
	expect_eq(munmap(p, 4 * PAGE), 0);
}

TEST(mmap_file_shared, "a shared file mapping and read/write show each other's changes")
{
	static char block[2 * PAGE];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char *p, c;
	pid_t pid;

	memset(block, 'a', sizeof(block));
	expect_eq(write(fd, block, sizeof(block)), sizeof(block));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(p != MAP_FAILED, "errno %d", errno);
	expect_eq(p[100], 'a');
	p[100] = 'b';
	expect_eq(pread(fd, &c, 1, 100), 1);
	expect_eq(c, 'b');
	expect_eq(pwrite(fd, "c", 1, PAGE + 5), 1);
	expect_eq(p[PAGE + 5], 'c');
	pid = xfork();
	if (pid == 0) {
		p[200] = 'd';
		_exit(0);
	}
	expect_exit(pid, 0);
	expect_eq(p[200], 'd');
	expect_eq(msync(p, 2 * PAGE, MS_SYNC), 0);
	p[300] = 'e';
	close(fd);
	expect_eq(munmap(p, 2 * PAGE), 0);
	fd = open("f", O_RDONLY);
	expect_eq(pread(fd, &c, 1, 300), 1);
	expect_eq(c, 'e');
	close(fd);
}

TEST(mmap_file_private,
     "a private file mapping never changes the file, and its own page stays its own")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char *p, c;

	expect_eq(write(fd, "original", 8), 8);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	expect(p != MAP_FAILED, "errno %d", errno);
	expect_eq(p[0], 'o');
	p[0] = 'X';
	expect_eq(pread(fd, &c, 1, 0), 1);
	expect_eq(c, 'o');
	expect_eq(pwrite(fd, "Z", 1, 1), 1);
	expect(p[0] == 'X' && p[7] == 'l' && p[8] == 0, "the page holds %.8s", p);
	expect_eq(munmap(p, PAGE), 0);
	close(fd);

	fd = open("f", O_RDONLY);
	expect(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES,
	       "a read-only file was mapped writable, errno %d", errno);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect(p != MAP_FAILED, "errno %d", errno);
	expect_errno(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	expect(p != MAP_FAILED, "errno %d", errno);
	p[3] = 'q';
	close(fd);
	fd = open("f", O_WRONLY);
	expect(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EACCES,
	       "a write-only file was mapped, errno %d", errno);
	close(fd);
}

TEST(mmap_truncated,
     "touching a mapping behind the file's end is SIGBUS, also when truncated later")
{
	static char block[3 * PAGE];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char *p, *q;

	memset(block, 'a', sizeof(block));
	expect_eq(write(fd, block, sizeof(block)), sizeof(block));
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	expect(p != MAP_FAILED && q != MAP_FAILED, "errno %d", errno);
	catch_faults();
	expect_writable(p + 2 * PAGE);
	expect_writable(q + 2 * PAGE);
	expect_eq(touch(p + 3 * PAGE, 0), SIGBUS);
	expect_eq(touch(q + 3 * PAGE, 1), SIGBUS);
	expect_eq(ftruncate(fd, PAGE + 10), 0);
	expect_eq(touch(p + 2 * PAGE, 0), SIGBUS);
	expect_eq(touch(q + 2 * PAGE, 0), SIGBUS);
	expect_eq(p[PAGE + 9], 'a');
	expect_eq(p[PAGE + 10], 0);
	expect_eq(ftruncate(fd, 3 * PAGE), 0);
	expect_eq(p[2 * PAGE], 0);
	expect_eq(p[PAGE + 10], 0);
	/* The kernel's own access to such a page is an error, not a death. */
	expect_eq(ftruncate(fd, 0), 0);
	int null = open("pipe", O_CREAT | O_RDWR, 0644);

	expect_errno(write(null, p, 10), EFAULT);
	close(null);
	close(fd);
}

TEST(mmap_arguments, "mmap refuses lengths, offsets, descriptors and flags that make no sense")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), rw = PROT_READ | PROT_WRITE, p[2];
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS;

#define refused(error, ...)                                                                        \
	do {                                                                                       \
		void *at = mmap(__VA_ARGS__);                                                      \
		expect(at == MAP_FAILED && errno == (error), "mmap gave %p, errno %d", at, errno); \
	} while (0)
	refused(EINVAL, NULL, 0, rw, anon, -1, 0);
	refused(ENOMEM, NULL, SIZE_MAX - 4095, rw, anon, -1, 0);
	refused(ENOMEM, NULL, 1UL << 62, rw, anon, -1, 0);
	refused(EINVAL, NULL, PAGE, rw, MAP_ANONYMOUS, -1, 0);
	refused(EINVAL, NULL, PAGE, rw, MAP_PRIVATE, fd, 100);
	refused(EBADF, NULL, PAGE, rw, MAP_PRIVATE, -1, 0);
	refused(EBADF, NULL, PAGE, rw, MAP_SHARED, 99, 0);
	refused(EINVAL, (void *)(PAGE * 1000 + 1), PAGE, rw, anon | MAP_FIXED, -1, 0);
	refused(ENOMEM, (void *)0xffffffc000000000UL, PAGE, rw, anon | MAP_FIXED, -1, 0);
	refused(ENOMEM, (void *)(~0UL & ~4095UL), 2 * PAGE, rw, anon | MAP_FIXED, -1, 0);
	expect_eq(pipe(p), 0);
	refused(ENODEV, NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0);

	void *hint = map_pages(1), *got;

	got = mmap(hint, PAGE, rw, anon, -1, 0);
	expect(got != MAP_FAILED && got != hint, "a hint replaced a mapping");
	refused(EEXIST, hint, PAGE, rw, anon | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0);
	*(char *)hint = 'x';
	got = mmap(hint, PAGE, rw, anon | MAP_FIXED, -1, 0);
	expect(got == hint && *(char *)hint == 0, "MAP_FIXED gave %p", got);
#undef refused
}

TEST(munmap_pieces, "munmap may cut a hole, an end or several mappings at once")
{
	char *p = map_pages(10);

	catch_faults();
	memset(p, 'm', 10 * PAGE);
	expect_eq(munmap(p + 3 * PAGE, 2 * PAGE), 0);
	expect_readable(p + 2 * PAGE);
	expect_no_read(p + 3 * PAGE);
	expect_no_write(p + 4 * PAGE);
	expect_eq(p[5 * PAGE], 'm');
	expect_eq(munmap(p + 9 * PAGE, PAGE), 0);
	expect_no_read(p + 9 * PAGE);
	expect_eq(munmap(p, PAGE), 0);
	expect_no_read(p);
	expect_eq(p[PAGE], 'm');
	expect_eq(munmap(p + 2 * PAGE, 5 * PAGE), 0);
	expect_no_read(p + 6 * PAGE);
	expect_eq(p[7 * PAGE], 'm');
	expect_eq(munmap(p, 10 * PAGE), 0);
	expect_eq(munmap(p, 10 * PAGE), 0);
	expect_errno(munmap(p + 1, PAGE), EINVAL);
	expect_errno(munmap(p, 0), EINVAL);
	expect_errno(munmap(p, SIZE_MAX - 4095), EINVAL);
	expect_errno(munmap((void *)0xffffffc000000000UL, PAGE), EINVAL);
}

TEST(mprotect_effect, "mprotect takes effect at once, splits mappings, and keeps the content")
{
	char *p = map_pages(6);
	pid_t pid;

	catch_faults();
	memset(p, 'p', 6 * PAGE);
	expect_eq(mprotect(p + PAGE, 2 * PAGE, PROT_READ), 0);
	expect_writable(p);
	expect_no_write(p + PAGE);
	expect_eq(fault_code, SEGV_ACCERR);
	expect_readable(p + 2 * PAGE);
	expect_writable(p + 3 * PAGE);
	expect_eq(mprotect(p + 2 * PAGE, 2 * PAGE, PROT_NONE), 0);
	expect_no_read(p + 2 * PAGE);
	expect_no_read(p + 3 * PAGE);
	expect_eq(mprotect(p, 6 * PAGE, PROT_READ | PROT_WRITE), 0);
	for (int i = 0; i < 6; i++) {
		expect_eq(p[i * PAGE + 1], 'p');
		expect_writable(p + i * PAGE);
	}
	expect_errno(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	expect_eq(munmap(p + 5 * PAGE, PAGE), 0);
	expect_errno(mprotect(p, 6 * PAGE, PROT_READ), ENOMEM);
	expect_errno(mprotect(p, SIZE_MAX - 4095, PROT_READ), ENOMEM);
	expect_eq(mprotect(p, 5 * PAGE, PROT_READ | PROT_WRITE), 0);

	/* A page made read-only and writable again after fork must still be copied. */
	p[0] = 'p';
	expect_eq(mprotect(p, PAGE, PROT_READ), 0);
	pid = xfork();
	if (pid == 0) {
		expect_eq(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
		p[0] = 'c';
		_exit(0);
	}
	expect_exit(pid, 0);
	expect_eq(p[0], 'p');
	expect_eq(munmap(p, 6 * PAGE), 0);
	expect_errno(mprotect(p, PAGE, PROT_READ), ENOMEM);
}

TEST(mprotect_execute, "memory is executable only when asked for, and text is never writable")
{
	catch_faults();
	expect_no_write((char *)(uintptr_t)xfork);
	expect_readable((char *)(uintptr_t)xfork);
}

TEST(mremap_moves, "mremap grows in place or moves with its content, and shrinks")
{
	char *room = map_pages(8), *p = map_pages(4), *q, *wall;

	catch_faults();
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = 'a' + i;
	q = mremap(p, 4 * PAGE, 2 * PAGE, 0);
	expect_eq(q, p);
	expect_no_read(p + 2 * PAGE);
	wall = mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	expect_eq(wall, p + 2 * PAGE);
	q = mremap(p, 2 * PAGE, 8 * PAGE, 0);
	expect(q == MAP_FAILED && errno == ENOMEM, "it grew through a wall: %p, errno %d", q,
	       errno);
	q = mremap(p, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	expect(q != MAP_FAILED && q != p, "%p, errno %d", q, errno);
	expect(q[0] == 'a' && q[PAGE] == 'b' && q[7 * PAGE] == 0, "the content did not move");
	expect_no_read(p);
	expect_no_read(p + PAGE);
	q[7 * PAGE] = 'z';
	p = mremap(q, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	expect(p == room && p[7 * PAGE] == 'z' && p[0] == 'a', "MREMAP_FIXED gave %p", p);
	expect_no_read(q);
	expect(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL, "errno %d", errno);
	expect(mremap(p, PAGE, 0, 0) == MAP_FAILED && errno == EINVAL, "errno %d", errno);
	expect(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
	       "errno %d", errno);
	expect(mremap(p, PAGE, 1UL << 62, MREMAP_MAYMOVE) == MAP_FAILED &&
		       (errno == ENOMEM || errno == EINVAL),
	       "errno %d", errno);
}

TEST(madvise_dontneed, "MADV_DONTNEED zeroes private memory and rereads files; nonsense is refused")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char *p = map_pages(4), *q;

	memset(p, 'x', 4 * PAGE);
	expect_eq(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	expect(p[0] == 'x' && p[PAGE] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 'x',
	       "wrong pages");
	p[PAGE] = 'y';
	expect_eq(p[PAGE], 'y');
	expect_eq(write(fd, "file", 4), 4);
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	q[0] = 'Q';
	expect_eq(madvise(q, PAGE, MADV_DONTNEED), 0);
	expect_eq(q[0], 'f');
	expect_eq(madvise(p, 4 * PAGE, MADV_NORMAL), 0);
	expect_eq(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
	expect_errno(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	expect_errno(madvise(p, PAGE, 9999), EINVAL);
	expect_eq(munmap(p + 3 * PAGE, PAGE), 0);
	expect_errno(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
	close(fd);
}

TEST(msync_mincore, "msync and mincore accept mapped ranges and refuse others")
{
	unsigned char vector[8];
	char *p = map_pages(4);

	memset(p, 1, 2 * PAGE);
	expect_eq(msync(p, 4 * PAGE, MS_SYNC), 0);
	expect_eq(msync(p, 4 * PAGE, MS_ASYNC), 0);
	expect_errno(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	expect_errno(msync(p, PAGE, 64), EINVAL);
	expect_errno(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	expect_eq(syscall(SYS_mincore, p, 4 * PAGE, vector), 0);
	expect(vector[0] & 1 && vector[1] & 1, "touched pages are not in core");
	expect(!(vector[3] & 1), "an untouched page is in core");
	expect_errno(syscall(SYS_mincore, p + 1, PAGE, vector), EINVAL);
	expect_errno(syscall(SYS_mincore, p, PAGE, NULL), EFAULT);
	expect_eq(munmap(p + 3 * PAGE, PAGE), 0);
	expect_errno(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	expect_errno(syscall(SYS_mincore, p, 4 * PAGE, vector), ENOMEM);
}

TEST(brk_moves, "brk grows with zeros, shrinks at once, and refuses to run into mappings")
{
	uintptr_t start = syscall(SYS_brk, 0), end;
	char *p = (char *)((start + PAGE - 1) & ~(PAGE - 1));

	catch_faults();
	expect(start > 0, "brk(0) gave %lx", (long)start);
	end = syscall(SYS_brk, p + 10 * PAGE);
	expect_eq(end, p + 10 * PAGE);
	for (size_t i = 0; i < 10 * PAGE; i += 512)
		expect_eq(p[i], 0);
	memset(p, 'b', 10 * PAGE);
	expect_eq(syscall(SYS_brk, p + 2 * PAGE + 100), p + 2 * PAGE + 100);
	expect_eq(syscall(SYS_brk, 0), p + 2 * PAGE + 100);
	expect_readable(p + 2 * PAGE);
	expect_no_read(p + 3 * PAGE);
	expect_eq(syscall(SYS_brk, p + 5 * PAGE), p + 5 * PAGE);
	expect_eq(p[4 * PAGE], 0);
	expect_eq(syscall(SYS_brk, 0xffffffc000000000UL), p + 5 * PAGE);
	expect_eq(syscall(SYS_brk, 1), p + 5 * PAGE);
	expect_eq(syscall(SYS_brk, 1UL << 62), p + 5 * PAGE);
	expect_eq(syscall(SYS_brk, start), start);
	expect_no_read(p + PAGE);
}

static int recurse(int depth)
{
	volatile char frame[1000];

	frame[0] = depth;
	if (depth == 0)
		return frame[0];
	return recurse(depth - 1) + (frame[0] == (char)depth ? 0 : 1);
}

static int recurse_forever(volatile int depth)
{
	volatile char frame[4000];

	frame[depth & 7] = 1;
	if (depth == INT_MAX)
		return 0;
	return recurse_forever(depth + 1) + frame[depth & 7];
}

TEST(stack_grows, "the stack grows by megabytes, and ends in SIGSEGV at its limit")
{
	pid_t pid;

	expect_eq(recurse(2000), 0);
	pid = xfork();
	if (pid == 0)
		_exit(recurse_forever(1));
	expect_killed(pid, SIGSEGV);
}

TEST(stack_guard, "far below the stack nothing is mapped, and the stack is not executable memory")
{
	volatile char here;
	pid_t pid;

	catch_faults();
	here = 1;
	expect_eq(here, 1);
	expect_no_read(address((uintptr_t)&here - (64UL << 20)));
	expect_no_write(address((uintptr_t)&here - (64UL << 20)));
	pid = xfork();
	if (pid == 0) {
		volatile unsigned int code[4] = {0};

		signal(SIGSEGV, SIG_DFL);
		((void (*)(void))(uintptr_t)code)();
		_exit(0);
	}
	expect_killed(pid, SIGSEGV);
}

TEST(many_mappings, "a thousand mappings with different protection can be made and removed")
{
	enum { N = 1000 };
	char *area = mmap(NULL, N * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(area != MAP_FAILED, "errno %d", errno);
	catch_faults();
	for (int i = 0; i < N; i += 2)
		expect_eq(mprotect(area + i * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	for (int i = 0; i < N; i += 50)
		area[i * PAGE] = i;
	expect_no_read(area + 501 * PAGE);
	for (int i = 1; i < N; i += 2)
		expect_eq(munmap(area + i * PAGE, PAGE), 0);
	for (int i = 0; i < N; i += 50)
		expect_eq(area[i * PAGE], (char)i);
	expect_no_read(area + 501 * PAGE);
	expect_eq(munmap(area, N * PAGE), 0);
}

TEST(overcommit_refused, "a mapping far larger than the machine's memory is ENOMEM")
{
	void *p = MAP_FAILED;
	size_t size;

	if (foreign_kernel)
		skip("another kernel may have another policy");
	for (size = 1UL << 30; size; size <<= 1) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			break;
		expect_eq(munmap(p, size), 0);
	}
	expect(p == MAP_FAILED && errno == ENOMEM, "no size was refused, errno %d", errno);
}

TEST(memory_exhausted, "a process that touches more memory than there is dies; the others go on")
{
	long total = meminfo_kb("MemTotal");
	int status, p[2];
	pid_t pid;
	char c;

	if (foreign_kernel || total > 600 * 1024)
		skip("the machine has too much memory to use it up");
	for (int round = 0; round < 2; round++) {
		expect_eq(pipe(p), 0);
		pid = xfork();
		if (pid == 0) {
			for (;;) {
				char *q = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

				if (q == MAP_FAILED)
					_exit(errno == ENOMEM ? 55 : 1);
				for (int i = 0; i < 64; i++)
					q[i * PAGE] = 1;
			}
		}
		status = xwait(pid);
		expect(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 55),
		       "wait status 0x%x", status);
		expect_eq(write(p[1], "x", 1), 1);
		expect_eq(read(p[0], &c, 1), 1);
		close(p[0]);
		close(p[1]);
	}
	char *q = map_pages(200);

	memset(q, 1, 200 * PAGE);
	put_file("f", "still alive", 11);
}

/* The child uses up the memory, then calls the kernel for things that need some: each must fail
 * cleanly. */
TEST(memory_exhausted_in_kernel,
     "system calls without memory give ENOMEM, and work again afterwards")
{
	int status;
	pid_t pid;

	if (foreign_kernel || meminfo_kb("MemTotal") > 300 * 1024)
		skip("the machine has too much memory to use it up");
	pid = xfork();
	if (pid == 0) {
		/* Leaves one megabyte, then eats with pipes and processes, which cost the kernel
		 * memory. */
		long pages = meminfo_kb("MemFree") / 4 - 256;
		char *q = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int p[2], made = 0;

		if (q == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
		for (long i = 0; i < pages; i++)
			q[i * PAGE] = 1;
		for (int i = 0; i < 200; i++) {
			pid_t child = fork();

			if (child == 0) {
				nap_ms(100);
				_exit(0);
			}
			made += child > 0;
			if (child < 0 && errno != ENOMEM && errno != EAGAIN)
				_exit(2);
			if (pipe(p) < 0 && errno != ENOMEM && errno != EMFILE && errno != ENFILE)
				_exit(3);
		}
		while (made > 0 && waitpid(-1, &status, 0) > 0)
			made--;
		_exit(0);
	}
	status = xwait(pid);
	expect(status == 0 || WIFSIGNALED(status), "wait status 0x%x", status);
	nap_ms(200);
	put_file("f", "works", 5);
	pid = xfork();
	if (pid == 0)
		_exit(0);
	expect_exit(pid, 0);
}
