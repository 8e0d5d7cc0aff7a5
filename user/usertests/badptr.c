/*
 * Bad pointers, in every pointer argument of every system call.
 *
 * One table names the call, the position of the pointer, what the kernel does with it and how many
 * bytes it concerns; the other arguments are good. Each row is tried with NULL, an unmapped page,
 * kernel addresses of every paging mode, an address whose end wraps around, an object that
 * straddles the end of a page and, when the kernel writes there, a read-only page. Each must give
 * EFAULT and change nothing.
 */
#include <poll.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "ut.h"

enum kind {
	IN = 1,	      /* the kernel reads an object there */
	OUT = 2,      /* the kernel writes one */
	PATH = 4,     /* the kernel reads a string */
	NULL_OK = 8,  /* NULL means "none" */
	PARTIAL = 16, /* a transfer: the good part before the bad one may be done */
};

struct probe {
	const char *name;
	long number;
	long args[6];
	int position; /* which argument is the pointer */
	int kind;
	size_t size; /* of the object */
};

/* Places of one process that are bad in different ways. */
struct places {
	char *unmapped;
	char *readonly;
	char *edge; /* end of a mapped page, the next one is not */
};

static void prepare(struct places *places)
{
	char *p = map_pages(4);

	memset(p, 'x', 4 * PAGE);
	memset(p + 2 * PAGE, 0, PAGE);
	expect_eq(munmap(p + PAGE, PAGE), 0);
	expect_eq(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
	expect_eq(munmap(p + 3 * PAGE, PAGE), 0);
	places->edge = p + PAGE;
	places->unmapped = p + 3 * PAGE;
	places->readonly = p + 2 * PAGE;
}

static void attempt(const struct probe *probe, const void *pointer, const char *why)
{
	long a[6], result;

	memcpy(a, probe->args, sizeof(a));
	a[probe->position] = (long)pointer;
	result = syscall(probe->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result == -1 && errno == EFAULT)
		return;
	fail_at(__FILE__, __LINE__,
		"%s, argument %d is %s (%p): expected EFAULT, got %ld, errno %d", probe->name,
		probe->position, why, pointer, result, result == -1 ? errno : 0);
}

static void probe_all(const struct probe *probes, size_t n)
{
	struct places places;

	prepare(&places);
	for (const struct probe *p = probes; p < probes + n; p++) {
		if (!(p->kind & NULL_OK))
			attempt(p, NULL, "NULL");
		attempt(p, places.unmapped, "unmapped");
		for (size_t i = 0; i < n_forbidden; i++)
			attempt(p, forbidden[i], "not the process's");
		if (p->kind & OUT)
			attempt(p, places.readonly, "read-only");
		if (p->kind & PATH)
			attempt(p, places.edge - 5, "an endless string at the end of a page");
		else if (p->size > 1 && !(p->kind & PARTIAL))
			attempt(p, places.edge - p->size / 2, "straddling the end of a page");
		if (p->size > 1)
			attempt(p, (void *)-(p->size / 2), "wrapping around");
	}
}

#define CWD AT_FDCWD

TEST(bad_paths, "a path outside the process is EFAULT in every call that takes one")
{
	const long good = (long)"good", other = (long)"other";
	char buffer[256];
	const long out = (long)buffer;
	const struct probe probes[] = {
		{"openat", SYS_openat, {CWD, 0, O_RDONLY}, 1, PATH, 0},
		{"openat create", SYS_openat, {CWD, 0, O_CREAT | O_RDWR, 0644}, 1, PATH, 0},
		{"mkdirat", SYS_mkdirat, {CWD, 0, 0755}, 1, PATH, 0},
		{"unlinkat", SYS_unlinkat, {CWD, 0, 0}, 1, PATH, 0},
		{"unlinkat dir", SYS_unlinkat, {CWD, 0, AT_REMOVEDIR}, 1, PATH, 0},
		{"symlinkat target", SYS_symlinkat, {0, CWD, other}, 0, PATH, 0},
		{"symlinkat name", SYS_symlinkat, {other, CWD, 0}, 2, PATH, 0},
		{"linkat old", SYS_linkat, {CWD, 0, CWD, other, 0}, 1, PATH, 0},
		{"linkat new", SYS_linkat, {CWD, good, CWD, 0, 0}, 3, PATH, 0},
		{"renameat2 old", SYS_renameat2, {CWD, 0, CWD, other, 0}, 1, PATH, 0},
		{"renameat2 new", SYS_renameat2, {CWD, good, CWD, 0, 0}, 3, PATH, 0},
		{"statfs", SYS_statfs, {0, out}, 0, PATH, 0},
		{"truncate", SYS_truncate, {0, 0}, 0, PATH, 0},
		{"faccessat", SYS_faccessat, {CWD, 0, F_OK}, 1, PATH, 0},
		{"chdir", SYS_chdir, {0}, 0, PATH, 0},
		{"fchmodat", SYS_fchmodat, {CWD, 0, 0644}, 1, PATH, 0},
		{"fchownat", SYS_fchownat, {CWD, 0, 0, 0, 0}, 1, PATH, 0},
		{"readlinkat", SYS_readlinkat, {CWD, 0, out, 100}, 1, PATH, 0},
		{"newfstatat", SYS_newfstatat, {CWD, 0, out, 0}, 1, PATH, 0},
		{"utimensat", SYS_utimensat, {CWD, 0, 0, 0}, 1, PATH, 0},
		{"execve", SYS_execve, {0, 0, 0}, 0, PATH, 0},
	};

	put_file("good", "x", 1);
	probe_all(probes, ARRAY_SIZE(probes));
	expect_eq(count_entries("."), 1);
}

TEST(bad_file_buffers, "file calls with a buffer outside the process give EFAULT")
{
	int file = open("file", O_CREAT | O_RDWR, 0644), dir = open(".", O_RDONLY);
	int to = open("to", O_CREAT | O_RDWR, 0644);
	const long link = (long)"link", name = (long)"file";
	struct stat st;
	char bytes[64] = "sixty-four bytes of content, so that every read has enough to do";
	const struct probe probes[] = {
		{"read", SYS_read, {file, 0, 64}, 1, OUT | PARTIAL, 64},
		{"pread64", SYS_pread64, {file, 0, 64, 0}, 1, OUT | PARTIAL, 64},
		{"write", SYS_write, {to, 0, 64}, 1, IN | PARTIAL, 64},
		{"pwrite64", SYS_pwrite64, {to, 0, 64, 0}, 1, IN | PARTIAL, 64},
		{"readv", SYS_readv, {file, 0, 2}, 1, IN, 32},
		{"writev", SYS_writev, {to, 0, 2}, 1, IN, 32},
		{"getdents64", SYS_getdents64, {dir, 0, 1024}, 1, OUT | PARTIAL, 1024},
		{"fstat", SYS_fstat, {file, 0}, 1, OUT, 128},
		{"newfstatat", SYS_newfstatat, {CWD, name, 0, 0}, 2, OUT, 128},
		{"statfs", SYS_statfs, {name, 0}, 1, OUT, 120},
		{"fstatfs", SYS_fstatfs, {file, 0}, 1, OUT, 120},
		{"readlinkat", SYS_readlinkat, {CWD, link, 0, 64}, 2, OUT, 4},
		{"utimensat", SYS_utimensat, {CWD, name, 0, 0}, 2, IN | NULL_OK, 32},
		{"sendfile", SYS_sendfile, {to, file, 0, 10}, 2, IN | OUT | NULL_OK, 8},
		{"getcwd", SYS_getcwd, {0, 4096}, 0, OUT, 4},
	};

	expect_eq(write(file, bytes, 64), 64);
	expect_eq(symlink("file", "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		lseek(file, 0, SEEK_SET);
		lseek(dir, 0, SEEK_SET);
		probe_all(&probes[i], 1);
		/* Only sendfile has copied before it learns that it cannot tell. */
		expect_eq(fstat(to, &st), 0);
		if (probes[i].number != SYS_sendfile)
			expect_eq(st.st_size, 0);
		expect_eq(ftruncate(to, 0), 0);
	}
	close(file);
	close(dir);
	close(to);
}

TEST(bad_transfer_ends, "a transfer that runs off a page moves the good part or gives EFAULT")
{
	char *edge = page_end(), back[64];
	int file = open("file", O_CREAT | O_RDWR, 0644), p[2];
	struct stat st;
	ssize_t n;

	n = write(file, edge - 10, 64);
	expect(n == 10 || (n == -1 && errno == EFAULT), "write gave %zd, errno %d", n, errno);
	expect_eq(fstat(file, &st), 0);
	expect_eq(st.st_size, n < 0 ? 0 : n);
	memset(back, 'y', sizeof(back));
	expect_eq(pwrite(file, back, 64, 0), 64);
	n = pread(file, edge - 10, 64, 0);
	expect(n == 10 || (n == -1 && errno == EFAULT), "pread gave %zd, errno %d", n, errno);
	if (n == 10)
		expect_eq(edge[-1], 'y');

	expect_eq(pipe(p), 0);
	n = write(p[1], edge - 10, 64);
	expect(n == 10 || (n == -1 && errno == EFAULT), "pipe write gave %zd, errno %d", n, errno);
	expect_errno(write(p[1], edge, 1), EFAULT);
	close(p[1]);
	if (n == 10)
		expect_eq(read(p[0], back, 64), 10);
	expect_eq(read(p[0], back, 64), 0);
	close(p[0]);
	close(file);
}

TEST(bad_lengths, "lengths that wrap around or exceed the address space are refused")
{
	static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2 + 1, 1UL << 62};
	char *buffer = map_pages(1);
	int file = open("file", O_CREAT | O_RDWR, 0644);

	expect_eq(write(file, "abc", 3), 3);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		ssize_t n;

		lseek(file, 0, SEEK_SET);
		n = read(file, buffer, lengths[i]);
		expect(n == 3 || (n == -1 && (errno == EFAULT || errno == EINVAL)),
		       "read of 0x%lx bytes gave %zd, errno %d", (long)lengths[i], n, errno);
		lseek(file, 3, SEEK_SET);
		n = write(file, buffer + PAGE - 1, lengths[i]);
		expect(n == 1 || (n == -1 && (errno == EFAULT || errno == EINVAL)),
		       "write of 0x%lx bytes gave %zd, errno %d", (long)lengths[i], n, errno);
		expect_eq(ftruncate(file, 3), 0);

		struct iovec iov[2] = {{buffer, 16}, {buffer, lengths[i]}};

		n = writev(file, iov, 2);
		expect(n == -1 ? errno == EINVAL || errno == EFAULT : n <= 4096 + 16,
		       "writev with 0x%lx bytes gave %zd, errno %d", (long)lengths[i], n, errno);
		expect_eq(ftruncate(file, 3), 0);
	}
	expect_errno(syscall(SYS_readv, file, buffer, -1), EINVAL);
	expect_errno(syscall(SYS_writev, file, buffer, 100000), EINVAL);
	close(file);
}

TEST(bad_iovecs, "an iovec that points outside the process gives EFAULT or moves what came before")
{
	char good[8] = "12345678";
	int file = open("file", O_CREAT | O_RDWR, 0644);

	for (size_t i = 0; i < n_forbidden; i++) {
		struct iovec iov[2] = {{good, 8}, {forbidden[i], 4096}};
		ssize_t n = writev(file, iov, 2);

		expect(n == 8 || (n == -1 && errno == EFAULT), "writev with %p gave %zd, errno %d",
		       forbidden[i], n, errno);
		iov[0] = iov[1];
		expect_errno(writev(file, iov, 1), EFAULT);
	}
	pwrite(file, good, 8, 0);
	for (size_t i = 0; i < n_forbidden; i++) {
		struct iovec iov = {forbidden[i], 4096};

		lseek(file, 0, SEEK_SET);
		expect_errno(readv(file, &iov, 1), EFAULT);
	}
	close(file);
}

TEST(bad_system_buffers,
     "calls about the system and its clocks reject pointers outside the process")
{
	struct timespec soon = {0, 1000};
	const long ts = (long)&soon;
	const struct probe probes[] = {
		{"uname", SYS_uname, {0}, 0, OUT, 390},
		{"sysinfo", SYS_sysinfo, {0}, 0, OUT, 112},
		{"getrandom", SYS_getrandom, {0, 64, 0}, 0, OUT | PARTIAL, 64},
		{"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, 0}, 1, OUT, 16},
		{"gettimeofday", SYS_gettimeofday, {0, 0}, 0, OUT | NULL_OK, 16},
		{"nanosleep", SYS_nanosleep, {0, 0}, 0, IN, 16},
		{"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, 0, 0}, 2, IN, 16},
		{"getrlimit", SYS_getrlimit, {RLIMIT_STACK, 0}, 1, OUT, 16},
		{"prlimit64 old", SYS_prlimit64, {0, RLIMIT_STACK, 0, 0}, 3, OUT | NULL_OK, 16},
		{"prlimit64 new", SYS_prlimit64, {0, RLIMIT_STACK, 0, 0}, 2, IN | NULL_OK, 16},
		{"sched_getaffinity", SYS_sched_getaffinity, {0, 128, 0}, 2, OUT, 8},
		{"prctl PR_SET_NAME", SYS_prctl, {15, 0}, 1, IN, 0},
		{"prctl PR_GET_NAME", SYS_prctl, {16, 0}, 1, OUT, 16},
		{"pipe2", SYS_pipe2, {0, 0}, 0, OUT, 8},
		{"ppoll fds", SYS_ppoll, {0, 2, ts, 0, 8}, 0, IN | OUT, 16},
		{"ppoll timeout", SYS_ppoll, {0, 0, 0, 0, 8}, 2, IN | NULL_OK, 16},
		{"ppoll mask", SYS_ppoll, {0, 0, ts, 0, 8}, 3, IN | NULL_OK, 8},
		{"futex word", SYS_futex, {0, 0, 7, ts}, 0, IN, 0},
	};
	int first = dup(0), second;

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		/* A futex word must be aligned, or the answer is EINVAL: its bad addresses come
		 * below. */
		if (probes[i].number != SYS_futex)
			probe_all(&probes[i], 1);
	}
	second = dup(0);
	expect(second == first + 1, "failed calls left descriptors open: %d then %d", first,
	       second);

	struct places places;
	int word = 7;

	prepare(&places);
	expect_errno(futex(NULL, 0, 7, &soon), EFAULT);
	expect_errno(futex((int *)places.unmapped, 0, 7, &soon), EFAULT);
	expect_errno(futex((int *)0xffffffc000000000UL, 0, 7, &soon), EFAULT);
	expect_errno(futex((int *)(places.edge - 2), 0, 7, &soon), EINVAL);
	expect_errno(futex(&word, 0, 7, (struct timespec *)places.unmapped), EFAULT);
	expect_errno(futex(&word, 0, 7, (struct timespec *)(places.edge - 8)), EFAULT);
}

TEST(bad_signal_buffers, "signal calls reject pointers outside the process")
{
	const struct probe probes[] = {
		{"rt_sigaction new", SYS_rt_sigaction, {SIGUSR1, 0, 0, 8}, 1, IN | NULL_OK, 24},
		{"rt_sigaction old", SYS_rt_sigaction, {SIGUSR1, 0, 0, 8}, 2, OUT | NULL_OK, 24},
		{"rt_sigprocmask new", SYS_rt_sigprocmask, {0, 0, 0, 8}, 1, IN | NULL_OK, 8},
		{"rt_sigprocmask old", SYS_rt_sigprocmask, {0, 0, 0, 8}, 2, OUT | NULL_OK, 8},
		{"rt_sigpending", SYS_rt_sigpending, {0, 8}, 0, OUT, 8},
		{"rt_sigsuspend", SYS_rt_sigsuspend, {0, 8}, 0, IN, 8},
		{"rt_sigtimedwait", SYS_rt_sigtimedwait, {0, 0, 0, 8}, 0, IN, 8},
		{"sigaltstack new", SYS_sigaltstack, {0, 0}, 0, IN | NULL_OK, 24},
		{"sigaltstack old", SYS_sigaltstack, {0, 0}, 1, OUT | NULL_OK, 24},
	};

	probe_all(probes, ARRAY_SIZE(probes));
	expect_errno(syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 4), EINVAL);
	expect_errno(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
}

TEST(bad_wait_buffers, "wait4 with a bad status or usage pointer gives EFAULT and loses no process")
{
	static const int uses[] = {1, 3};
	struct places places;

	prepare(&places);
	void *const bad[] = {places.unmapped, places.readonly, forbidden[5], places.edge - 2};

	for (size_t use = 0; use < ARRAY_SIZE(uses); use++) {
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			pid_t pid = xfork();
			long args[4] = {pid, 0, 0, 0};

			if (pid == 0)
				_exit(0);
			args[uses[use]] = (long)bad[i];
			expect_errno(syscall(SYS_wait4, args[0], args[1], args[2], args[3]),
				     EFAULT);
			/* Linux has reaped it by then; a kernel that has not must still give it. */
			if (waitpid(pid, NULL, 0) < 0)
				expect_eq(errno, ECHILD);
		}
	}
}

TEST(bad_exec_vectors, "execve with bad argument or environment vectors gives EFAULT and goes on")
{
	char *edge = page_end();
	char **cut = (char **)(edge - 8); /* one pointer, then no page */
	char *good[] = {self_path, "--exit", "0", NULL};

	*cut = self_path;
	for (size_t i = 0; i < n_forbidden; i++) {
		char *bad[] = {self_path, forbidden[i], NULL};
		char **vector = (char **)((uintptr_t)forbidden[i] & ~7UL);

		expect_errno(execve(self_path, bad, NULL), EFAULT);
		expect_errno(execve(self_path, good, bad), EFAULT);
		if (vector) {
			expect_errno(execve(self_path, vector, NULL), EFAULT);
			expect_errno(execve(self_path, good, vector), EFAULT);
		}
	}
	expect_errno(execve(self_path, cut, NULL), EFAULT);
	expect_errno(execve(self_path, good, cut), EFAULT);

	char *open_end[] = {self_path, page_end() - 4, NULL};

	expect_errno(execve(self_path, open_end, NULL), EFAULT);
	expect_eq(execve(self_path, good, NULL), 0);
}

TEST(bad_numbers, "unknown system calls are ENOSYS, whatever their number")
{
	static const long numbers[] = {
		244, 430, 511, 512, 1023, 4096, 65536, 1L << 31, LONG_MAX, LONG_MIN, -1, -4096,
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (foreign_kernel && (numbers[i] < 600 || numbers[i] >> 32))
			continue;
		expect_errno(syscall(numbers[i], 1, 2, 3, 4, 5, 6), ENOSYS);
	}
}

/* Reads (or writes) one byte where no process may: the signal must be SIGSEGV, whatever the
 * address. */
TEST(bad_addresses_touched, "touching kernel or unmapped addresses kills the process with SIGSEGV")
{
	struct places places;

	prepare(&places);
	for (size_t i = 0; i < n_forbidden + 1; i++) {
		volatile char *p = address(i < n_forbidden ? (uintptr_t)forbidden[i]
							   : (uintptr_t)places.unmapped);

		for (int writing = 0; writing < 2; writing++) {
			pid_t pid = xfork();

			if (pid == 0) {
				if (writing)
					*p = 1;
				else
					(void)*p;
				_exit(0);
			}
			expect_killed(pid, SIGSEGV);
		}
	}

	pid_t pid = xfork();

	if (pid == 0) {
		*places.readonly = 1;
		_exit(0);
	}
	expect_killed(pid, SIGSEGV);
}

TEST(bad_jumps, "jumping to null, to data, to the kernel or off a page kills only the process")
{
	static void *data[4];
	struct places places;

	prepare(&places);
	void *const targets[] = {
		NULL,	      (void *)4,    data,	  places.unmapped, places.readonly,
		forbidden[2], forbidden[4], forbidden[5], forbidden[7],	   forbidden[8],
		forbidden[9],
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		pid_t pid = xfork();

		if (pid == 0) {
			((void (*)(void))targets[i])();
			_exit(0);
		}
		expect_killed(pid, SIGSEGV);
	}
}
