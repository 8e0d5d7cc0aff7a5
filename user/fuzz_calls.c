/*
 * The calls that fuzz makes: which, with what arguments. Everything here is a function of the seed,
 * the call's number and where the arena lies.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/*
 * The calls and the kinds of their arguments:
 *   f descriptor      d directory descriptor   p own path        P any path, to read only
 *   b buffer          l length                 o offset          i small number or odd bits
 *   F open flags      R flags for reading      m mode            s signal
 *   t timespec        k process                a address         x protection
 *   y mmap flags      v iovec                  n count           z clock
 *   w futex operation u futex word             r signal set      8 the number 8
 *   e string vector   h sigaction              c ioctl command   q pollfd array
 *   T short timespec, never NULL               g a flag or none
 */
struct call {
	long number;
	const char *name;
	const char *kinds;
};

static const struct call calls[] = {
	{SYS_getcwd, "getcwd", "bl"},
	{SYS_dup, "dup", "f"},
	{SYS_dup3, "dup3", "ffR"},
	{SYS_fcntl, "fcntl", "fii"},
	{SYS_ioctl, "ioctl", "fcb"},
	{SYS_mkdirat, "mkdirat", "dpm"},
	{SYS_unlinkat, "unlinkat", "dpg"},
	{SYS_symlinkat, "symlinkat", "pdp"},
	{SYS_linkat, "linkat", "dpdpg"},
	{SYS_renameat2, "renameat2", "dpdpg"},
	{SYS_statfs, "statfs", "Pb"},
	{SYS_fstatfs, "fstatfs", "fb"},
	{SYS_truncate, "truncate", "po"},
	{SYS_ftruncate, "ftruncate", "fo"},
	{SYS_faccessat, "faccessat", "dPi"},
	{SYS_chdir, "chdir", "p"},
	{SYS_fchdir, "fchdir", "f"},
	{SYS_fchmodat, "fchmodat", "dpm"},
	{SYS_fchownat, "fchownat", "dpiig"},
	{SYS_openat, "openat", "dpFm"},
	{SYS_openat, "openat", "dpFm"},
	{SYS_openat, "openat", "dPR"},
	{SYS_close, "close", "f"},
	{SYS_pipe2, "pipe2", "bR"},
	{SYS_getdents64, "getdents64", "fbl"},
	{SYS_lseek, "lseek", "foi"},
	{SYS_read, "read", "fbl"},
	{SYS_read, "read", "fbl"},
	{SYS_write, "write", "fbl"},
	{SYS_write, "write", "fbl"},
	{SYS_readv, "readv", "fvn"},
	{SYS_writev, "writev", "fvn"},
	{SYS_pread64, "pread64", "fblo"},
	{SYS_pwrite64, "pwrite64", "fblo"},
	{SYS_sendfile, "sendfile", "ffbl"},
	{SYS_ppoll, "ppoll", "qnTr8"},
	{SYS_readlinkat, "readlinkat", "dPbl"},
	{SYS_newfstatat, "newfstatat", "dPbg"},
	{SYS_fstat, "fstat", "fb"},
	{SYS_fsync, "fsync", "f"},
	{SYS_fdatasync, "fdatasync", "f"},
	{SYS_utimensat, "utimensat", "dptg"},
	{SYS_set_tid_address, "set_tid_address", "b"},
	{SYS_futex, "futex", "uwiTui"},
	{SYS_set_robust_list, "set_robust_list", "bl"},
	{SYS_nanosleep, "nanosleep", "Tb"},
	{SYS_clock_gettime, "clock_gettime", "zb"},
	{SYS_clock_nanosleep, "clock_nanosleep", "ziTb"},
	{SYS_sched_yield, "sched_yield", ""},
	{SYS_sched_getaffinity, "sched_getaffinity", "klb"},
	{SYS_kill, "kill", "ks"},
	{SYS_tkill, "tkill", "ks"},
	{SYS_tgkill, "tgkill", "kks"},
	{SYS_sigaltstack, "sigaltstack", "bb"},
	{SYS_rt_sigaction, "rt_sigaction", "shb8"},
	{SYS_rt_sigprocmask, "rt_sigprocmask", "irb8"},
	{SYS_rt_sigpending, "rt_sigpending", "b8"},
	{SYS_rt_sigtimedwait, "rt_sigtimedwait", "rbT8"},
	{SYS_setpgid, "setpgid", "kk"},
	{SYS_getpgid, "getpgid", "k"},
	{SYS_getsid, "getsid", "k"},
	{SYS_uname, "uname", "b"},
	{SYS_getrlimit, "getrlimit", "ib"},
	{SYS_umask, "umask", "m"},
	{SYS_prctl, "prctl", "ibiii"},
	{SYS_gettimeofday, "gettimeofday", "bb"},
	{SYS_getpid, "getpid", ""},
	{SYS_getppid, "getppid", ""},
	{SYS_getuid, "getuid", ""},
	{SYS_geteuid, "geteuid", ""},
	{SYS_getgid, "getgid", ""},
	{SYS_getegid, "getegid", ""},
	{SYS_gettid, "gettid", ""},
	{SYS_sysinfo, "sysinfo", "b"},
	{SYS_brk, "brk", "a"},
	{SYS_munmap, "munmap", "al"},
	{SYS_mremap, "mremap", "allia"},
	{SYS_mmap, "mmap", "alxyfo"},
	{SYS_mmap, "mmap", "alxyfo"},
	{SYS_mprotect, "mprotect", "alx"},
	{SYS_msync, "msync", "alg"},
	{SYS_mincore, "mincore", "alb"},
	{SYS_madvise, "madvise", "ali"},
	{SYS_wait4, "wait4", "kbib"},
	{SYS_prlimit64, "prlimit64", "kibb"},
	{SYS_getrandom, "getrandom", "bli"},
};

/* Made rarely, since most of them end the worker or make it wait. */
static const struct call rare[] = {
	{SYS_execve, "execve", "Pee"},
	{SYS_exit, "exit", "i"},
	{SYS_exit_group, "exit_group", "i"},
	{SYS_rt_sigreturn, "rt_sigreturn", ""},
	{SYS_rt_sigsuspend, "rt_sigsuspend", "r8"},
	{SYS_setsid, "setsid", ""},
	{SYS_sync, "sync", ""},
	{SYS_nanosleep, "nanosleep", "bb"},
	{SYS_ppoll, "ppoll", "qntr8"},
};

/* Never called by number: they change the machine for everyone else, here or on another kernel. */
static const short forbidden[] = {39,  40,  41,	 51,  104, 105, 106, 112, 116, 142, 161,
				  162, 170, 171, 224, 225, 266, 273, 294, 97,  268, 89};

unsigned long seed = 1;
int verbose, known_only;
char *arena;
pid_t me;

static unsigned long random_state;
static int tame; /* this call gets only arguments that make sense one by one */

/* ---- numbers ----------------------------------------------------------------------------------
 */

static unsigned long next(void)
{
	unsigned long z = random_state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

static unsigned long below(unsigned long n)
{
	return next() % n;
}

static long odd_number(void)
{
	static const long odd[] = {0,
				   1,
				   2,
				   3,
				   -1,
				   -2,
				   7,
				   8,
				   15,
				   16,
				   63,
				   64,
				   100,
				   255,
				   4095,
				   4096,
				   4097,
				   65535,
				   65536,
				   0x7fffffff,
				   -0x80000000L,
				   0x80000000L,
				   0xffffffffL,
				   0x100000000L,
				   0x7fffffffffffffffL,
				   (long)0x8000000000000000UL,
				   -4096,
				   -100};

	if (tame)
		return below(2) ? 0 : (long)below(4);
	switch (below(4)) {
	case 0: return odd[below(sizeof(odd) / sizeof(odd[0]))];
	case 1: return 1L << below(64);
	case 2: return below(32);
	default: return next() >> below(64);
	}
}

static long length(void)
{
	switch (below(8)) {
	case 0: return tame ? 8 : odd_number();
	case 1: return below(tame ? 4 : ARENA) * PAGE;
	case 2: return PAGE;
	default: return below(600);
	}
}

static long offset(void)
{
	return below(6) ? (long)below(100000) : odd_number();
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static long wild_address(void)
{
	static const unsigned long wild[] = {0,
					     1,
					     8,
					     4095,
					     0x4000000000UL,
					     0x800000000000UL,
					     0x100000000000000UL,
					     0x8000000000000000UL,
					     0xff00000000000000UL,
					     0xffff000000000000UL,
					     0xffff800000000000UL,
					     0xffffffc000000000UL,
					     0xffffffff80000000UL,
					     0xfffffffffffff000UL,
					     0xfffffffffffffff8UL,
					     ~0UL};

	if (below(3))
		return wild[below(sizeof(wild) / sizeof(wild[0]))] + (below(2) ? 0 : below(PAGE));
	return next();
}

static long buffer(void)
{
	switch (tame ? 11 : below(12)) {
	case 0: return 0;
	case 1: return wild_address();
	case 2: return (long)arena + ARENA * PAGE - below(64);
	case 3: return (long)arena + below(ARENA) * PAGE - below(32);
	default: return (long)arena + below(ARENA * PAGE - 2048) / 8 * 8;
	}
}

static long page_address(void)
{
	switch (tame ? 9 : below(10)) {
	case 0: return wild_address();
	case 1: return wild_address() & ~4095L;
	case 2: return 0;
	case 3: return (long)arena + below(ARENA * PAGE);
	default: return (long)arena + below(ARENA) * PAGE;
	}
}

/* Copies an object to a random place of the arena, where calls may later damage it. */
static long place(const void *object, size_t size)
{
	char *at = arena + below(ARENA * PAGE - 8192) / 8 * 8;

	if (!tame && below(16) == 0)
		return buffer();
	memcpy(at, object, size);
	return (long)at;
}

/* ---- names ------------------------------------------------------------------------------------
 */

static long own_path(void)
{
	static const char *const names[] = {
		"a", "b", "c",	 "d",	 "e",	   "d/x",     "d/y", "e/x", "d/z/z", "l",
		"m", ".", "d/.", "d/..", "d/../a", "./././b", "",    "a/x", "d/",    "no/thing"};
	static char lengthy[5000];
	const char *name;

	switch (tame ? 2 + below(14) : below(16)) {
	case 0: return buffer();
	case 1:
		memset(lengthy, 'n', sizeof(lengthy));
		lengthy[below(2) ? 255 - below(3) : 4094 + below(3)] = 0;
		return place(lengthy, strlen(lengthy) + 1);
	default:
		name = names[below(sizeof(names) / sizeof(names[0]))];
		return place(name, strlen(name) + 1);
	}
}

static long any_path(void)
{
	static const char *const names[] = {"/",
					    "/proc",
					    "/proc/self/maps",
					    "/proc/self/stat",
					    "/proc/meminfo",
					    "/proc/self/status",
					    "/dev/null",
					    "/dev/zero",
					    "/bin/true",
					    "/bin",
					    "/proc/1/stat",
					    "/proc/cpuinfo",
					    "/proc/uptime",
					    "/proc/mounts",
					    "/tmp",
					    "..",
					    "/proc/self",
					    "/proc/99999",
					    "/proc/self/exe",
					    "/bin/none"};
	const char *name;

	if (below(2))
		return own_path();
	name = names[below(sizeof(names) / sizeof(names[0]))];
	return place(name, strlen(name) + 1);
}

/* ---- other kinds ------------------------------------------------------------------------------
 */

static long descriptor(void)
{
	long fd = tame ? (long)below(10) : below(10) ? (long)below(24) : odd_number();

	return (int)fd == LOG_FD ? 0 : fd;
}

/* Itself, its group, itself as a group, or nobody: never another process. */
static long process(void)
{
	switch (tame ? 4 : below(5)) {
	case 0: return 0;
	case 1: return -me;
	case 2: return 0x3fffffff;
	case 3: return -0x80000000L;
	default: return me;
	}
}

static long signal_number(void)
{
	static const signed char gentle[] = {0,	      SIGCHLD, SIGURG, SIGWINCH,
					     SIGCONT, SIGUSR1, 65,     -1};

	if (tame || below(8))
		return gentle[below(sizeof(gentle))];
	return below(66);
}

static long timespec(int brief)
{
	struct timespec ts = {0, below(500000)};

	if (!brief && below(3) == 0)
		return 0;
	if (!tame && below(12) == 0)
		ts.tv_nsec = odd_number();
	if (!tame && below(24) == 0)
		ts.tv_sec = odd_number();
	return place(&ts, sizeof(ts));
}

static long io_vectors(void)
{
	struct iovec iov[8];

	for (int i = 0; i < 8; i++)
		iov[i] = (struct iovec){(void *)buffer(), length()};
	return place(iov, sizeof(iov));
}

static long strings(void)
{
	long vector[8];
	int n = below(7);

	for (int i = 0; i < n; i++)
		vector[i] = own_path();
	vector[n] = tame || below(8) ? 0 : wild_address();
	return place(vector, sizeof(vector));
}

static void nothing(int sig)
{
	(void)sig;
}

static long action(void)
{
	long raw[4] = {(long)nothing, 0, 0, 0};

	if (!tame && below(4) == 0)
		raw[0] = below(2) ? (long)below(3) : wild_address();
	raw[1] = below(4) ? 0 : odd_number() & ~0x04000000L;
	raw[2] = below(4) ? 0 : (long)next();
	raw[3] = raw[2];
	return place(raw, sizeof(raw));
}

static long poll_set(void)
{
	struct {
		int fd;
		short events, revents;
	} set[8];

	for (int i = 0; i < 8; i++) {
		set[i].fd = descriptor();
		set[i].events = next();
		set[i].revents = next();
	}
	return place(set, sizeof(set));
}

static long ioctl_command(void)
{
	static const int commands[] = {0x5401, 0x5402, 0x540f, 0x5410, 0x5413,
				       0x541b, 0x5421, 0x5450, 0x5451};

	return below(4) ? commands[below(9)] : odd_number();
}

static long open_flags(int reading)
{
	long flags = reading ? O_RDONLY : (long)below(4);
	long more = reading ? (O_NONBLOCK | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW)
			    : (O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_CLOEXEC | O_DIRECTORY |
			       O_NOFOLLOW | O_SYNC | 010000000);

	if (!reading && below(3))
		flags |= O_CREAT;
	if (reading && tame)
		return below(2) ? O_CLOEXEC : 0;
	return flags | (below(3) ? 0 : next() & more) | O_NONBLOCK;
}

static long flag_bits(void)
{
	static const short bits[] = {1, 2, 4, 0x100, 0x200, 0x400, 0x1000};

	if (below(3))
		return 0;
	return tame || below(2) ? bits[below(7)] : odd_number();
}

static long argument(char kind)
{
	static const unsigned char futex_ops[] = {0, 1, 3, 4, 9, 10, 128, 129, 131, 137, 138};

	switch (kind) {
	case 'f': return descriptor();
	case 'd': return tame || below(3) ? AT_FDCWD : descriptor();
	case 'p': return own_path();
	case 'P': return any_path();
	case 'b': return buffer();
	case 'l': return length();
	case 'o': return offset();
	case 'F': return open_flags(0);
	case 'R': return open_flags(1);
	case 'm': return below(3) ? 0755 : odd_number();
	case 's': return signal_number();
	case 't': return timespec(0);
	case 'T': return timespec(1);
	case 'k': return process();
	case 'a': return page_address();
	case 'x': return tame || below(5) ? (long)below(4) : odd_number();
	case 'y':
		return tame || below(4)
			       ? (below(2) ? 0x22L : 1L + (long)below(2)) | (below(4) ? 0 : 0x10)
			       : odd_number();
	case 'v': return io_vectors();
	case 'n': return tame || below(8) ? (long)below(9) : odd_number();
	case 'z': return tame || below(4) ? (long)below(8) : odd_number();
	case 'w': return below(8) ? futex_ops[below(sizeof(futex_ops))] : odd_number();
	case 'u': return below(8) ? (long)(arena + 4 * below(16)) : buffer();
	case 'r': return below(3) ? buffer() : 0;
	case '8': return tame || below(32) ? 8 : odd_number();
	case 'e': return strings();
	case 'h': return action();
	case 'g': return flag_bits();
	case 'c': return ioctl_command();
	case 'q': return poll_set();
	default: return odd_number();
	}
}

/* ---- one call ---------------------------------------------------------------------------------
 */

static void report(unsigned long c, const char *name, long number, const long *a)
{
	char line[200];
	int n;

	if (!verbose)
		return;
	n = snprintf(line, sizeof(line), "%lu: %s[%ld](0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx)\n",
		     c, name, number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (write(LOG_FD, line, n) < 0)
		verbose = 0;
}

static int is_forbidden(long number)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (number == forbidden[i])
			return 1;
	return 0;
}

static int is_known(long number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (number == calls[i].number)
			return 1;
	for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]); i++)
		if (number == rare[i].number)
			return 1;
	return number == SYS_clone;
}

/* A number the table lacks, with anything as arguments. */
static void unknown_call(unsigned long c)
{
	long a[6], number = below(8) ? (long)below(512) : odd_number();

	for (int i = 0; i < 6; i++)
		a[i] = below(2) ? odd_number() : buffer();
	if (is_forbidden((int)number) || is_known((int)number) || known_only)
		return;
	report(c, "call", number, a);
	syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int thread(void *arg)
{
	for (int i = 0; i < 3; i++) {
		syscall(SYS_sched_yield);
		*(volatile char *)arg += 1;
	}
	syscall(SYS_exit, 0);
	return 0;
}

/* A thread or a process, with a mixture of flags; memory is shared only when it gets its own stack.
 */
static void clone_call(unsigned long c)
{
	static const unsigned long shared[] = {0x50f00, 0x100 | SIGCHLD, 0x4100 | SIGCHLD,
					       0xf00,	0x700 | SIGCHLD, 0x10900};
	const unsigned long any = 0x200 | 0x400 | 0x4000 | 0x100000 | 0x200000 | 0x1000000 | 0xff;
	long a[6] = {0};

	if (below(2)) {
		char *stack = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		a[0] = shared[below(sizeof(shared) / sizeof(shared[0]))];
		report(c, "clone", SYS_clone, a);
		if (stack != MAP_FAILED)
			clone(thread, stack + 4 * PAGE, a[0], stack);
		return;
	}
	a[0] = next() & any;
	a[2] = buffer();
	a[4] = buffer();
	report(c, "clone", SYS_clone, a);
	syscall(SYS_clone, a[0], a[1], a[2], a[3], a[4]);
}

void make_call(unsigned long c)
{
	const struct call *call;
	long a[6] = {0};

	random_state = seed * 0x2545f4914f6cdd1dUL + c * 0xd1342543de82ef95UL;
	next();
	tame = below(2);
	if (below(3) == 0 && chdir(directory) < 0)
		_exit(0);
	if (below(40) == 0) {
		clone_call(c);
		return;
	}
	if (below(30) == 0) {
		unknown_call(c);
		return;
	}
	call = below(120) ? &calls[below(sizeof(calls) / sizeof(calls[0]))]
			  : &rare[below(sizeof(rare) / sizeof(rare[0]))];
	for (int i = 0; call->kinds[i]; i++)
		a[i] = argument(call->kinds[i]);
	for (int i = strlen(call->kinds); i < 6; i++)
		a[i] = below(4) ? 0 : odd_number();
	report(c, call->name, call->number, a);
	syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
