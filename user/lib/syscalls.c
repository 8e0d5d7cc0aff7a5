/*
 * The system calls, each a line: POSIX names on top of the generic table, which has only the *at
 * forms of many of them.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/futex.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Turn the kernel's negative errno into -1 and errno. */
static inline long result(long r)
{
	if ((unsigned long)r > -4096UL) {
		errno = (int)-r;
		return -1;
	}
	return r;
}

#define CALL6(n, a, b, c, d, e, f) \
	result(__syscall(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define CALL5(n, a, b, c, d, e)	CALL6(n, a, b, c, d, e, 0)
#define CALL4(n, a, b, c, d)	CALL6(n, a, b, c, d, 0, 0)
#define CALL3(n, a, b, c)	CALL6(n, a, b, c, 0, 0, 0)
#define CALL2(n, a, b)		CALL6(n, a, b, 0, 0, 0, 0)
#define CALL1(n, a)		CALL6(n, a, 0, 0, 0, 0, 0)
#define CALL0(n)		CALL6(n, 0, 0, 0, 0, 0, 0)

long syscall(long number, ...)
{
	va_list args;
	long a[6];

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return result(__syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* files */

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return (int)CALL4(openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return (int)CALL4(openat, AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int fcntl(int fd, int command, ...)
{
	va_list args;
	long arg;

	va_start(args, command);
	arg = va_arg(args, long);
	va_end(args);
	return (int)CALL3(fcntl, fd, command, arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	long arg;

	va_start(args, request);
	arg = va_arg(args, long);
	va_end(args);
	return (int)CALL3(ioctl, fd, request, arg);
}

ssize_t read(int fd, void *buf, size_t n)		{ return CALL3(read, fd, buf, n); }
ssize_t write(int fd, const void *buf, size_t n)	{ return CALL3(write, fd, buf, n); }
ssize_t readv(int fd, const struct iovec *v, int n)	{ return CALL3(readv, fd, v, n); }
ssize_t writev(int fd, const struct iovec *v, int n)	{ return CALL3(writev, fd, v, n); }
off_t lseek(int fd, off_t offset, int whence)		{ return CALL3(lseek, fd, offset, whence); }
int close(int fd)			{ return (int)CALL1(close, fd); }
int dup(int fd)				{ return (int)CALL1(dup, fd); }
int dup3(int from, int to, int flags)	{ return (int)CALL3(dup3, from, to, flags); }
int pipe2(int fds[2], int flags)	{ return (int)CALL2(pipe2, fds, flags); }
int pipe(int fds[2])			{ return (int)CALL2(pipe2, fds, 0); }
int ftruncate(int fd, off_t length)	{ return (int)CALL2(ftruncate, fd, length); }
int truncate(const char *p, off_t len)	{ return (int)CALL2(truncate, p, len); }
int fsync(int fd)			{ return (int)CALL1(fsync, fd); }
int fdatasync(int fd)			{ return (int)CALL1(fdatasync, fd); }
void sync(void)				{ CALL0(sync); }

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	return CALL4(pread64, fd, buf, n, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return CALL4(pwrite64, fd, buf, n, offset);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
	return CALL4(sendfile, out, in, offset, n);
}

/* dup3 refuses from == to; dup2 promises to return it if it is open. */
int dup2(int from, int to)
{
	if (from == to)
		return fcntl(from, F_GETFD) < 0 ? -1 : to;
	return dup3(from, to, 0);
}

int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
	return (int)-__syscall(SYS_fadvise64, fd, offset, length, advice, 0, 0);
}

int isatty(int fd)
{
	struct termios tio;

	return ioctl(fd, TCGETS, &tio) == 0;
}

int tcgetattr(int fd, struct termios *tio)	{ return ioctl(fd, TCGETS, tio); }
int tcsetpgrp(int fd, pid_t pgrp)		{ return ioctl(fd, TIOCSPGRP, &pgrp); }

int tcsetattr(int fd, int action, const struct termios *tio)
{
	return ioctl(fd, TCSETS + (unsigned long)action, tio);
}

pid_t tcgetpgrp(int fd)
{
	pid_t pgrp;

	return ioctl(fd, TIOCGPGRP, &pgrp) < 0 ? -1 : pgrp;
}

/* names */

int fstat(int fd, struct stat *st)		{ return (int)CALL2(fstat, fd, st); }
int stat(const char *path, struct stat *st)	{ return fstatat(AT_FDCWD, path, st, 0); }
int statfs(const char *path, struct statfs *st)	{ return (int)CALL2(statfs, path, st); }
int fstatfs(int fd, struct statfs *st)		{ return (int)CALL2(fstatfs, fd, st); }
int mkdir(const char *path, mode_t mode)	{ return mkdirat(AT_FDCWD, path, mode); }
int mkdirat(int d, const char *p, mode_t mode)	{ return (int)CALL3(mkdirat, d, p, mode); }
mode_t umask(mode_t mask)			{ return (mode_t)CALL1(umask, mask); }
int access(const char *path, int mode)
{
	return (int)CALL3(faccessat, AT_FDCWD, path, mode);
}
int chdir(const char *path)			{ return (int)CALL1(chdir, path); }
int fchdir(int fd)				{ return (int)CALL1(fchdir, fd); }
int link(const char *from, const char *to)	{ return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int dir, const char *path, int f)	{ return (int)CALL3(unlinkat, dir, path, f); }
int unlink(const char *path)			{ return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path)			{ return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int lstat(const char *path, struct stat *st)
{
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return (int)CALL4(newfstatat, dir, path, st, flags);
}

int chmod(const char *path, mode_t mode)
{
	return (int)CALL3(fchmodat, AT_FDCWD, path, mode);
}

int utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
	return (int)CALL4(utimensat, dir, path, times, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return (int)CALL5(linkat, from_dir, from, to_dir, to, flags);
}

int symlink(const char *target, const char *path)
{
	return (int)CALL3(symlinkat, target, AT_FDCWD, path);
}

ssize_t readlink(const char *path, char *buf, size_t size)
{
	return CALL4(readlinkat, AT_FDCWD, path, buf, size);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return (int)CALL5(renameat2, from_dir, from, to_dir, to, flags);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int remove(const char *path)
{
	if (unlink(path) == 0)
		return 0;
	return errno == EISDIR ? rmdir(path) : -1;
}

char *getcwd(char *buf, size_t size)
{
	char own[PATH_MAX];

	if (buf)
		return CALL2(getcwd, buf, size) < 0 ? NULL : buf;
	return CALL2(getcwd, own, sizeof(own)) < 0 ? NULL : strdup(own);
}

ssize_t getdents64(int fd, void *buf, size_t size)
{
	return CALL3(getdents64, fd, buf, size);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec ts = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L };

	return ppoll(fds, count, timeout < 0 ? NULL : &ts, NULL);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec copy;		/* the kernel writes the time left; POSIX promises const */

	if (timeout)
		copy = *timeout;
	return (int)CALL5(ppoll, fds, count, timeout ? &copy : NULL, mask, sizeof(sigset_t));
}

/* processes */

pid_t fork(void)			{ return (pid_t)CALL5(clone, SIGCHLD, 0, 0, 0, 0); }
pid_t getpid(void)			{ return (pid_t)CALL0(getpid); }
pid_t getppid(void)			{ return (pid_t)CALL0(getppid); }
pid_t gettid(void)			{ return (pid_t)CALL0(gettid); }
uid_t getuid(void)			{ return (uid_t)CALL0(getuid); }
uid_t geteuid(void)			{ return (uid_t)CALL0(geteuid); }
gid_t getgid(void)			{ return (gid_t)CALL0(getgid); }
gid_t getegid(void)			{ return (gid_t)CALL0(getegid); }
pid_t getpgid(pid_t pid)		{ return (pid_t)CALL1(getpgid, pid); }
pid_t getpgrp(void)			{ return getpgid(0); }
int setpgid(pid_t pid, pid_t pgrp)	{ return (int)CALL2(setpgid, pid, pgrp); }
pid_t getsid(pid_t pid)			{ return (pid_t)CALL1(getsid, pid); }
pid_t setsid(void)			{ return (pid_t)CALL0(setsid); }
int sched_yield(void)			{ return (int)CALL0(sched_yield); }
int uname(struct utsname *name)		{ return (int)CALL1(uname, name); }
int sysinfo(struct sysinfo *info)	{ return (int)CALL1(sysinfo, info); }
int swapon(const char *path, int flags)	{ return (int)CALL2(swapon, path, flags); }
int swapoff(const char *path)		{ return (int)CALL1(swapoff, path); }
pid_t wait(int *status)			{ return wait4(-1, status, 0, NULL); }
pid_t waitpid(pid_t p, int *s, int o)	{ return wait4(p, s, o, NULL); }
int pause(void)				{ return ppoll(NULL, 0, NULL, NULL); }

int execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)CALL3(execve, path, argv, envp);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	return (pid_t)CALL4(wait4, pid, status, options, usage);
}

int reboot(int command)
{
	return (int)CALL4(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (unsigned int)command,
			  0);
}

int prctl(int operation, ...)
{
	va_list args;
	long a[4];

	va_start(args, operation);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return (int)CALL5(prctl, operation, a[0], a[1], a[2], a[3]);
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	long bytes;

	memset(set, 0, size);
	bytes = CALL3(sched_getaffinity, pid, size, set);
	return bytes < 0 ? -1 : 0;
}

int __cpu_count(const cpu_set_t *set)
{
	int count = 0;

	for (size_t cpu = 0; cpu < 8 * sizeof(*set); cpu++)
		count += (int)CPU_ISSET(cpu, set);
	return count;
}

int prlimit(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
	return (int)CALL4(prlimit64, pid, resource, new_limit, old_limit);
}

int getrlimit(int resource, struct rlimit *limit)
{
	return (int)CALL2(getrlimit, resource, limit);
}
int setrlimit(int resource, const struct rlimit *limit)
{
	return prlimit(0, resource, limit, NULL);
}

/* memory */

void *mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)CALL6(mmap, address, length, prot, flags, fd, offset);
}

void *mremap(void *address, size_t old_size, size_t new_size, int flags, ...)
{
	va_list args;
	long target;

	va_start(args, flags);
	target = va_arg(args, long);
	va_end(args);
	return (void *)CALL5(mremap, address, old_size, new_size, flags, target);
}

int munmap(void *address, size_t length)	{ return (int)CALL2(munmap, address, length); }
int mprotect(void *a, size_t length, int prot)	{ return (int)CALL3(mprotect, a, length, prot); }
int msync(void *a, size_t length, int flags)	{ return (int)CALL3(msync, a, length, flags); }
int madvise(void *a, size_t length, int advice)	{ return (int)CALL3(madvise, a, length, advice); }
int mincore(void *a, size_t n, unsigned char *v) { return (int)CALL3(mincore, a, n, v); }
int getpagesize(void)				{ return 4096; }

/* The kernel answers brk with the resulting end, moved or not. */
int brk(void *end)
{
	if ((void *)__syscall(SYS_brk, (long)end, 0, 0, 0, 0, 0) == end)
		return 0;
	errno = ENOMEM;
	return -1;
}

void *sbrk(intptr_t increment)
{
	char *end = (char *)__syscall(SYS_brk, 0, 0, 0, 0, 0, 0);

	if (increment && brk(end + increment) < 0)
		return (void *)-1;
	return end;
}

/* time */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	return (int)CALL2(clock_gettime, clock, ts);
}
int clock_getres(clockid_t clock, struct timespec *ts)
{
	return (int)CALL2(clock_getres, clock, ts);
}
int gettimeofday(struct timeval *tv, void *zone)
{
	return (int)CALL2(gettimeofday, tv, zone);
}

int nanosleep(const struct timespec *request, struct timespec *left)
{
	return (int)CALL2(nanosleep, request, left);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
		    struct timespec *left)
{
	return (int)-__syscall(SYS_clock_nanosleep, clock, flags, (long)request, (long)left, 0, 0);
}

unsigned int sleep(unsigned int seconds)
{
	struct timespec ts = { .tv_sec = seconds };

	return nanosleep(&ts, &ts) < 0 ? (unsigned int)ts.tv_sec : 0;
}

int usleep(unsigned int microseconds)
{
	struct timespec ts = { microseconds / 1000000, microseconds % 1000000 * 1000L };

	return nanosleep(&ts, NULL);
}

/* the rest */

ssize_t getrandom(void *buf, size_t size, unsigned int flags)
{
	return CALL3(getrandom, buf, size, flags);
}

int futex_wait(int *word, int value, const struct timespec *timeout)
{
	return (int)CALL4(futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, timeout);
}

int futex_wake(int *word, int count)
{
	return (int)CALL3(futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count);
}
