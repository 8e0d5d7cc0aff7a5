/* The unistd side of files: pread, readv, sparse files, sendfile, O_APPEND, utimes, dup, fcntl,
 * poll. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static void vectors(int fd)
{
	char a[4] = "", b[8] = "", zero[10];
	struct iovec out[2] = {{"abcd", 4}, {"efghijkl", 8}};
	struct iovec in[2] = {{a, 4}, {b, 8}};

	check(writev(fd, out, 2) == 12 && lseek(fd, 0, SEEK_SET) == 0, "writev");
	check(readv(fd, in, 2) == 12 && !memcmp(a, "abcd", 4) && !memcmp(b, "efghijkl", 8),
	      "readv");
	check(pwrite(fd, "X", 1, 1000000) == 1, "pwrite past the end");
	check(pread(fd, zero, 10, 500000) == 10 && !memcmp(zero, "\0\0\0\0\0\0\0\0\0\0", 10),
	      "hole");
	check(lseek(fd, 0, SEEK_END) == 1000001, "size");
	check(lseek(fd, -1, SEEK_SET) < 0 && errno == EINVAL, "a negative position");
}

static void copies(int fd)
{
	struct timespec when[2] = {{1000, 0}, {2000, 0}};
	struct stat st;
	off_t from = 0;
	int to = open("rawio2.tmp", O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600), copy;

	check(to >= 0 && (fcntl(to, F_GETFD) & FD_CLOEXEC), "no close-on-exec");
	check(sendfile(to, fd, &from, 12) == 12 && from == 12, "sendfile");
	check(futimens(to, when) == 0 && fstat(to, &st) == 0 && st.st_mtime == 2000 &&
		      st.st_size == 12,
	      "times %ld size %ld", (long)st.st_mtime, (long)st.st_size);
	copy = dup(to);
	check(copy >= 0 && lseek(copy, 3, SEEK_SET) == 3 && lseek(to, 0, SEEK_CUR) == 3, "dup");
	check(fcntl(copy, F_SETFL, O_APPEND) == 0 && (fcntl(to, F_GETFL) & O_APPEND), "F_SETFL");
	check(write(to, "!", 1) == 1 && fstat(to, &st) == 0 && st.st_size == 13, "append");
	check(fcntl(to, F_DUPFD, 20) == 20 && close(20) == 0, "F_DUPFD");
	check(fsync(to) == 0 && fdatasync(to) == 0 && close(to) == 0 && close(copy) == 0, "close");
	check(close(to) < 0 && errno == EBADF, "closed twice");
	check(unlink("rawio2.tmp") == 0, "unlink");
}

static void readiness(void)
{
	int p[2];

	check(pipe2(p, O_NONBLOCK) == 0, "pipe2");
	struct pollfd pfd = {p[0], POLLIN, 0};
	char c;

	check(poll(&pfd, 1, 0) == 0, "an empty pipe is readable");
	check(read(p[0], &c, 1) < 0 && errno == EAGAIN, "a nonblocking read");
	check(write(p[1], "x", 1) == 1 && poll(&pfd, 1, 100) == 1 && pfd.revents == POLLIN,
	      "POLLIN");
	check(read(p[0], &c, 1) == 1 && close(p[1]) == 0, "read");
	check(poll(&pfd, 1, 100) == 1 && (pfd.revents & POLLHUP), "revents %x", pfd.revents);
	close(p[0]);
}

int main(void)
{
	int fd = open("rawio.tmp", O_CREAT | O_RDWR | O_EXCL, 0644);

	check(fd >= 0, "open");
	vectors(fd);
	copies(fd);
	readiness();
	check(close(fd) == 0 && unlink("rawio.tmp") == 0, "cleaning up");
	return done("rawio");
}
