/* Pipes: order, atomicity, blocking, end of file, broken pipes, polling, signals in between. */
#include <poll.h>
#include <sys/ioctl.h>

#include "ut.h"

TEST(pipe_basics, "bytes come out in order, the end comes when the last writer closes")
{
	char text[16] = "";
	int p[2];

	expect_eq(pipe(p), 0);
	expect_eq(write(p[1], "hello", 5), 5);
	expect_eq(write(p[1], "world", 5), 5);
	expect_eq(read(p[0], text, 3), 3);
	expect_eq(read(p[0], text + 3, 12), 7);
	expect(!memcmp(text, "helloworld", 10), "read '%s'", text);
	expect_errno(read(p[1], text, 1), EBADF);
	expect_errno(write(p[0], text, 1), EBADF);
	expect_eq(write(p[1], "x", 1), 1);
	close(p[1]);
	expect_eq(read(p[0], text, 16), 1);
	expect_eq(read(p[0], text, 16), 0);
	close(p[0]);
	expect_errno(syscall(SYS_pipe2, p, 0x7777777), EINVAL);

	struct stat st;

	expect_eq(syscall(SYS_pipe2, p, O_CLOEXEC), 0);
	expect_eq(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	expect_eq(fstat(p[0], &st), 0);
	expect(S_ISFIFO(st.st_mode), "mode %o", st.st_mode);
	expect_eq(read(p[0], text, 0), 0);
	close(p[0]);
	close(p[1]);
}

TEST(pipe_between_processes, "a stream larger than the pipe passes whole from process to process")
{
	enum { TOTAL = 200000 };
	static unsigned char buffer[7777];
	size_t total = 0;
	ssize_t n;
	int p[2];
	pid_t pid;

	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		size_t sent = 0;

		close(p[0]);
		while (sent < TOTAL) {
			size_t want = TOTAL - sent < 5000 ? TOTAL - sent : 5000;

			for (size_t i = 0; i < want; i++)
				buffer[i] = pattern(sent + i, 9);
			expect_eq(write(p[1], buffer, want), want);
			sent += want;
		}
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			expect(buffer[i] == pattern(total + i, 9), "byte %ld", (long)(total + i));
		total += n;
	}
	expect_eq(total, TOTAL);
	expect_exit(pid, 0);
	close(p[0]);
}

TEST(pipe_atomic, "writes of up to PIPE_BUF from many processes never mix")
{
	enum { WRITERS = 4, RECORDS = 50, LENGTH = 700 };
	static char record[LENGTH];
	int seen[WRITERS] = {0}, p[2];
	pid_t pids[WRITERS];

	expect_eq(pipe(p), 0);
	for (int w = 0; w < WRITERS; w++) {
		pids[w] = xfork();
		if (pids[w] == 0) {
			close(p[0]);
			memset(record, 'a' + w, LENGTH);
			for (int i = 0; i < RECORDS; i++)
				expect_eq(write(p[1], record, LENGTH), LENGTH);
			_exit(0);
		}
	}
	close(p[1]);
	for (int i = 0; i < WRITERS * RECORDS; i++) {
		size_t got = 0;

		while (got < LENGTH) {
			ssize_t n = read(p[0], record + got, LENGTH - got);

			expect(n > 0, "read gave %zd", n);
			got += n;
		}
		for (int k = 1; k < LENGTH; k++)
			expect(record[k] == record[0], "record %d is mixed at byte %d", i, k);
		seen[record[0] - 'a']++;
	}
	for (int w = 0; w < WRITERS; w++) {
		expect_eq(seen[w], RECORDS);
		expect_exit(pids[w], 0);
	}
	close(p[0]);
}

static volatile int sigpipes;

static void count_sigpipe(int sig)
{
	sigpipes += sig == SIGPIPE;
}

TEST(pipe_broken, "writing with no reader raises SIGPIPE and gives EPIPE")
{
	int p[2];
	pid_t pid;

	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		close(p[0]);
		nap_ms(20);
		for (;;)
			if (write(p[1], "x", 1) != 1)
				_exit(1);
	}
	close(p[0]);
	expect_killed(pid, SIGPIPE);
	signal(SIGPIPE, count_sigpipe);
	expect_errno(write(p[1], "x", 1), EPIPE);
	expect_eq(sigpipes, 1);
	signal(SIGPIPE, SIG_IGN);
	expect_errno(write(p[1], "x", 1), EPIPE);
	expect_eq(sigpipes, 1);
	close(p[1]);

	/* A writer that sleeps in a full pipe wakes when the reader goes. */
	static char buffer[65536];
	int q[2];

	expect_eq(pipe(q), 0);
	pid = xfork();
	if (pid == 0) {
		ssize_t n = 0;

		close(q[0]);
		while ((n = write(q[1], buffer, sizeof(buffer))) > 0)
			;
		_exit(n == -1 && errno == EPIPE ? 5 : 6);
	}
	close(q[1]);
	nap_ms(30);
	close(q[0]);
	expect_exit(pid, 5);
}

TEST(pipe_nonblocking,
     "with O_NONBLOCK an empty and a full pipe give EAGAIN, a half full one takes a part")
{
	static char buffer[70000];
	size_t total = 0;
	ssize_t n;
	int p[2];

	expect_eq(syscall(SYS_pipe2, p, O_NONBLOCK), 0);
	expect_errno(read(p[0], buffer, 1), EAGAIN);
	while ((n = write(p[1], buffer, 1000)) > 0)
		total += n;
	expect(n == -1 && errno == EAGAIN, "%zd, errno %d", n, errno);
	expect(total >= 4000, "the pipe holds only %lu bytes", (unsigned long)total);
	expect_errno(write(p[1], buffer, 1000), EAGAIN);
	while ((n = read(p[0], buffer, sizeof(buffer))) > 0)
		total -= n;
	expect_eq(errno, EAGAIN);
	expect_eq(total, 0);
	n = write(p[1], buffer, sizeof(buffer));
	expect(n >= 4096 && n < (ssize_t)sizeof(buffer), "a too large write took %zd", n);
	close(p[1]);
	close(p[0]);
}

TEST(pipe_poll, "ppoll reports readable, writable, hung up and broken ends, and waits with a limit")
{
	int p[2];
	char c;
	pid_t pid;
	long start;

	expect_eq(pipe(p), 0);
	struct pollfd fds[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 0}};

	expect_eq(poll(fds, 3, 0), 1);
	expect_eq(fds[0].revents, 0);
	expect_eq(fds[1].revents, POLLOUT);
	expect_eq(fds[2].revents, 0);
	start = now_ms();
	expect_eq(poll(fds, 1, 40), 0);
	expect(now_ms() - start >= 39, "poll waited %ld ms instead of 40", now_ms() - start);
	pid = xfork();
	if (pid == 0) {
		nap_ms(30);
		_exit(write(p[1], "x", 1) != 1);
	}
	expect_eq(poll(fds, 1, 20000), 1);
	expect_eq(fds[0].revents, POLLIN);
	expect_exit(pid, 0);
	expect_eq(read(p[0], &c, 1), 1);
	close(p[1]);
	expect_eq(poll(fds, 1, 1000), 1);
	expect(fds[0].revents & POLLHUP, "revents %x", fds[0].revents);
	close(p[0]);
	fds[0].fd = 99;
	expect_eq(poll(fds, 1, 1000), 1);
	expect_eq(fds[0].revents, POLLNVAL);
	expect_eq(pipe(p), 0);
	close(p[0]);
	fds[0] = (struct pollfd){p[1], POLLOUT, 0};
	expect_eq(poll(fds, 1, 1000), 1);
	expect(fds[0].revents & POLLERR, "revents %x", fds[0].revents);
	expect_errno(syscall(SYS_ppoll, fds, 0x7fffffff, NULL, NULL, 8), EINVAL);
	close(p[1]);
}

static void ignore_it(int sig)
{
	(void)sig;
}

TEST(pipe_interrupted,
     "a blocked read ends with EINTR, or goes on when the handler says SA_RESTART")
{
	struct sigaction sa = {.sa_handler = ignore_it};
	pid_t parent = getpid(), pid;
	int p[2];
	char c;

	expect_eq(pipe(p), 0);
	for (int restart = 0; restart < 2; restart++) {
		sa.sa_flags = restart ? SA_RESTART : 0;
		expect_eq(sigaction(SIGUSR1, &sa, NULL), 0);
		pid = xfork();
		if (pid == 0) {
			for (int i = 0; i < 5; i++) {
				nap_ms(20);
				kill(parent, SIGUSR1);
				if (!restart)
					continue;
				if (i == 4)
					_exit(write(p[1], "x", 1) != 1);
			}
			_exit(0);
		}
		if (restart)
			expect_eq(read(p[0], &c, 1), 1);
		else
			expect_errno(read(p[0], &c, 1), EINTR);
		expect_exit(pid, 0);
	}
	close(p[0]);
	close(p[1]);
}

TEST(pipe_many, "two hundred pipes can be open, and vanish with the process that made them")
{
	pid_t pid = xfork();

	if (pid == 0) {
		int p[2], n = 0;
		static char block[4096];

		while (n < 200 && pipe(p) == 0) {
			if (write(p[1], block, sizeof(block)) != sizeof(block))
				_exit(2);
			n++;
		}
		_exit(n == 200 || errno == EMFILE ? 0 : 1);
	}
	expect_exit(pid, 0);
}
