/* The system itself: clocks, identity, /proc in Linux's formats, devices, random bytes, floating
 * point. */
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "ut.h"

static char text[16384];

/* The line that begins with `key`, or fails. */
static const char *line_of(const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, key, n))
			return line;
	}
	fail_at(__FILE__, __LINE__, "expected a line '%s'; the text begins '%.60s'", key, text);
}

static long number_after(const char *key)
{
	const char *p = line_of(key) + strlen(key);

	while (*p == ' ' || *p == '\t' || *p == ':')
		p++;
	expect((*p >= '0' && *p <= '9') || *p == '-', "'%s' is followed by '%.20s'", key, p);
	return strtol(p, NULL, 10);
}

TEST(proc_meminfo, "/proc/meminfo has Linux's lines, in kB, and they fit together")
{
	long total, available;

	get_file("/proc/meminfo", text, sizeof(text));
	total = number_after("MemTotal:");
	available = number_after("MemFree:");
	expect(total > 16384 && available > 0 && available < total, "%ld of %ld", available, total);
	number_after("MemAvailable:");
	number_after("Buffers:");
	number_after("Cached:");
	number_after("Dirty:");
	number_after("SwapTotal:");
	number_after("SwapFree:");
	expect(strstr(line_of("MemTotal:"), " kB\n"), "no unit");
}

TEST(proc_memory_seen, "MemFree falls when memory is used and rises when it is given back")
{
	long before, during, after;
	char *p;

	if (foreign_kernel)
		skip("other processes disturb the figure");
	p = map_pages(512);
	before = meminfo_kb("MemFree");
	memset(p, 1, 512 * PAGE);
	during = meminfo_kb("MemFree");
	munmap(p, 512 * PAGE);
	after = meminfo_kb("MemFree");
	expect(before - during > 1800, "%ld kB fewer after using 2048", before - during);
	expect(after - during > 1800, "%ld kB more after giving 2048 back", after - during);
}

TEST(proc_cpuinfo, "/proc/cpuinfo lists every CPU, and sched_getaffinity agrees")
{
	unsigned long mask[16] = {0};
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask), cpus = 0, listed = 0;

	expect(bytes >= 8 && bytes % 8 == 0, "%ld bytes", bytes);
	for (int i = 0; i < 16; i++)
		cpus += __builtin_popcountl(mask[i]);
	get_file("/proc/cpuinfo", text, sizeof(text));
	for (const char *p = text; (p = strstr(p, "processor")) != NULL; p++)
		listed++;
	expect(listed >= cpus && cpus >= 1, "%ld listed, %ld usable", listed, cpus);
	expect_errno(syscall(SYS_sched_getaffinity, 0, 3, mask), EINVAL);
	expect_errno(syscall(SYS_sched_getaffinity, 0x3fffffff, 128, mask), ESRCH);
}

TEST(proc_maps, "/proc/self/maps shows mappings with their rights, in order, and new ones appear")
{
	char want[64], *p;
	unsigned long start, end, last = 0;

	p = map_pages(3);
	expect_eq(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	expect(get_file("/proc/self/maps", text, sizeof(text)) > 100, "the file is short");
	snprintf(want, sizeof(want), "%lx-%lx r--p", (long)(p + PAGE), (long)(p + 2 * PAGE));
	expect(strstr(text, want), "no line '%s'", want);
	expect(strstr(text, "[stack]"), "no stack");
	expect(strstr(text, "usertests") || foreign_kernel, "no line of the program");
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		char *q;

		start = strtoul(line, &q, 16);
		expect_eq(*q, '-');
		end = strtoul(q + 1, &q, 16);
		expect(*q == ' ' && start < end && start >= last, "line '%.40s'", line);
		expect(strchr("r-", q[1]) && strchr("w-", q[2]) && strchr("x-", q[3]) &&
			       strchr("ps", q[4]),
		       "line '%.40s'", line);
		expect(!(q[2] == 'w' && q[3] == 'x'), "writable and executable: '%.40s'", line);
		last = end;
		if (!strchr(line, '\n'))
			break;
	}
}

TEST(proc_status, "/proc/<pid>/status and stat describe the process in Linux's words")
{
	char path[64];
	int pid, parent;
	char state;

	get_file("/proc/self/status", text, sizeof(text));
	expect_eq(number_after("Pid:"), getpid());
	expect_eq(number_after("PPid:"), getppid());
	expect_eq(number_after("Tgid:"), getpid());
	expect_eq(number_after("Threads:"), 1);
	expect(number_after("VmRSS:") > 0 && number_after("VmSize:") >= number_after("VmRSS:"),
	       "sizes");
	expect(strstr(line_of("Name:"), "usertests") || foreign_kernel, "another name");
	line_of("State:");

	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	get_file(path, text, sizeof(text));
	pid = atoi(text);
	expect_eq(pid, getpid());
	char *rest = strchr(text, ')');

	expect(rest && text[0] && strchr(text, '('), "stat is '%.60s'", text);
	state = rest[2];
	parent = atoi(rest + 4);
	expect_eq(state, 'R');
	expect_eq(parent, getppid());

	pid = xfork();
	if (pid == 0)
		_exit(0);
	nap_ms(30);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	get_file(path, text, sizeof(text));
	rest = strchr(text, ')');
	expect(rest && rest[2] == 'Z', "a zombie's stat is '%.40s'", text);
	expect_exit(pid, 0);
	expect_errno(open(path, O_RDONLY), ENOENT);
	expect_errno(open("/proc/0", O_RDONLY), ENOENT);
	expect_errno(open("/proc/99999999", O_RDONLY), ENOENT);
	expect(open("/proc/new", O_CREAT | O_RDWR, 0644) < 0, "created a file in /proc");
	expect(unlink("/proc/meminfo") < 0, "removed a file of /proc");
}

TEST(proc_rest, "/proc/mounts, uptime and cmdline can be read, piecemeal too")
{
	char small[8];
	long up;
	int fd;

	get_file("/proc/mounts", text, sizeof(text));
	expect(strstr(text, " / "), "mounts: '%.60s'", text);
	get_file("/proc/uptime", text, sizeof(text));
	up = strtol(text, NULL, 10);
	expect(up >= 0 && strchr(text, '.') && strchr(text, ' '), "uptime: '%.40s'", text);
	get_file("/proc/cmdline", text, sizeof(text));
	expect(strchr(text, '\n'), "cmdline: '%.40s'", text);
	size_t whole = get_file("/proc/cpuinfo", text, sizeof(text)), total = 0;
	ssize_t n;

	fd = open("/proc/cpuinfo", O_RDONLY);
	while ((n = read(fd, small, sizeof(small))) > 0) {
		expect(total + n > whole || foreign_kernel || !memcmp(small, text + total, n),
		       "at %lu", (unsigned long)total);
		total += n;
	}
	expect(total > 0 && n == 0, "read %lu of %lu", (unsigned long)total, (unsigned long)whole);
	close(fd);
}

/* Opens files of a process that dies at the same time. */
TEST(proc_races, "reading /proc entries of processes that come and go never fails oddly")
{
	char path[64], small[512];
	static const char *const files[] = {"stat", "status", "maps"};

	for (int i = 0; i < 40; i++) {
		pid_t pid = xfork();
		int fd;

		if (pid == 0)
			_exit(0);
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i % 3]);
		fd = open(path, O_RDONLY);
		if (i % 2)
			expect_exit(pid, 0);
		if (fd >= 0) {
			ssize_t n = read(fd, small, sizeof(small));

			expect(n >= 0 || errno == ESRCH || errno == ENOENT, "errno %d", errno);
			close(fd);
		}
		if (i % 2 == 0)
			expect_exit(pid, 0);
	}
}

TEST(dev_null_zero,
     "/dev/null swallows and is empty, /dev/zero gives zeros, both are character devices")
{
	char buffer[64];
	struct stat st;
	int fd = open("/dev/null", O_RDWR);

	expect(fd >= 0, "errno %d", errno);
	expect_eq(write(fd, "gone", 4), 4);
	expect_eq(read(fd, buffer, 64), 0);
	expect_eq(fstat(fd, &st), 0);
	expect(S_ISCHR(st.st_mode), "mode %o", st.st_mode);
	expect_errno(ioctl(fd, 0x5401, buffer), ENOTTY);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	expect(fd >= 0, "errno %d", errno);
	memset(buffer, 1, sizeof(buffer));
	expect_eq(read(fd, buffer, 64), 64);
	for (int i = 0; i < 64; i++)
		expect_eq(buffer[i], 0);
	expect_eq(write(fd, buffer, 64), 64);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (p != MAP_FAILED) { /* ENODEV is allowed, too */
		expect_eq(p[5], 0);
		p[5] = 1;
	}
	close(fd);
	if (!foreign_kernel) {
		fd = open("/dev/console", O_WRONLY);
		expect(fd >= 0, "errno %d", errno);
		expect_eq(write(fd, "", 0), 0);
		expect_eq(ioctl(fd, 0x5401, buffer), 0);
		expect_errno(ioctl(fd, 0x12345678, buffer), ENOTTY);
		expect_errno(ioctl(fd, 0x5401, NULL), EFAULT);
		close(fd);
	}
	expect_errno(ioctl(99, 0x5401, buffer), EBADF);
	fd = open("plain", O_CREAT | O_RDWR, 0644);
	expect_errno(ioctl(fd, 0x5401, buffer), ENOTTY);
	close(fd);
}

TEST(clock_monotonic,
     "the monotonic clock never runs backwards, on any CPU, and bad clocks are refused")
{
	struct timespec ts, before = {0, 0};
	struct {
		long sec, usec;
	} tv;

	for (int i = 0; i < 3000; i++) {
		expect_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
		expect(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000, "%ld ns", ts.tv_nsec);
		expect(ts.tv_sec > before.tv_sec ||
			       (ts.tv_sec == before.tv_sec && ts.tv_nsec >= before.tv_nsec),
		       "it ran backwards");
		before = ts;
		if (i % 64 == 0)
			sched_yield();
	}
	expect_eq(clock_gettime(CLOCK_REALTIME, &ts), 0);
	expect_eq(syscall(SYS_gettimeofday, &tv, NULL), 0);
	expect(labs(tv.sec - (long)ts.tv_sec) <= 2, "%ld and %ld", tv.sec, (long)ts.tv_sec);
	expect_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	expect_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
	expect_errno(clock_gettime(1234, &ts), EINVAL);
	expect_errno(syscall(SYS_clock_nanosleep, 1234, 0, &ts, NULL), EINVAL);
}

TEST(sleep_length,
     "nanosleep and clock_nanosleep last as long as asked, together, and refuse nonsense")
{
	struct timespec nap = {0, 40000000}, bad = {0, 1000000000}, past = {0, 1}, until;
	long start = now_ms();
	pid_t pids[6];

	expect_eq(nanosleep(&nap, NULL), 0);
	expect(now_ms() - start >= 40 - 1, "slept %ld ms instead of 40", now_ms() - start);
	expect_errno(nanosleep(&bad, NULL), EINVAL);
	bad = (struct timespec){-1, 0};
	expect_errno(nanosleep(&bad, NULL), EINVAL);
	expect_eq(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	until.tv_nsec = 0;
	expect_eq(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &nap);
	expect(nap.tv_sec >= until.tv_sec, "woke at %ld, not %ld", (long)nap.tv_sec,
	       (long)until.tv_sec);
	start = now_ms();
	for (int i = 0; i < 6; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			nap_ms(100);
			_exit(0);
		}
	}
	for (int i = 0; i < 6; i++)
		expect_exit(pids[i], 0);
	expect(now_ms() - start < 5000, "six naps of 0.1 s took %ld ms", now_ms() - start);
}

TEST(cpu_time, "CPU time grows while computing, not while sleeping")
{
	struct timespec before, after;
	volatile unsigned long spin = 0;
	long start = now_ms();

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	while (now_ms() - start < 60)
		spin++;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	long used =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;

	expect(used >= 1, "only %ld ms of 60", used);
	before = after;
	nap_ms(60);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	used = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	expect(used < 55, "%ld ms while sleeping for 60", used);
}

TEST(random_bytes, "getrandom fills the buffer with different bytes each time")
{
	unsigned char a[256], b[256];
	int zeros = 0;

	expect_eq(syscall(SYS_getrandom, a, 256, 0), 256);
	expect_eq(syscall(SYS_getrandom, b, 256, 1), 256);
	expect(memcmp(a, b, 256), "the same bytes twice");
	for (int i = 0; i < 256; i++)
		zeros += a[i] == 0;
	expect(zeros < 20, "%d zeros", zeros);
	memset(a, 0, 256);
	expect_eq(syscall(SYS_getrandom, a, 3, 0), 3);
	expect_eq(a[3], 0);
	expect_errno(syscall(SYS_getrandom, a, 3, 0x100), EINVAL);
	expect_eq(syscall(SYS_getrandom, a, 0, 0), 0);
}

TEST(system_names, "uname and sysinfo describe the machine")
{
	struct utsname uts;
	struct sysinfo info;

	expect_eq(uname(&uts), 0);
	expect(uts.sysname[0] && uts.release[0] >= '0' && uts.release[0] <= '9', "'%s' '%s'",
	       uts.sysname, uts.release);
#if defined(__riscv)
	expect(!strcmp(uts.machine, "riscv64"), "machine '%s'", uts.machine);
#elif defined(__aarch64__)
	expect(!strcmp(uts.machine, "aarch64"), "machine '%s'", uts.machine);
#endif
	expect_eq(sysinfo(&info), 0);
	expect(info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit > 0,
	       "%lu of %lu", info.freeram, info.totalram);
	expect(info.uptime >= 0 && info.procs >= 1, "up %ld, %d processes", info.uptime,
	       info.procs);
}

/* A sum whose value depends on every register that took part. */
static double compute(int seed, int rounds)
{
	double a = seed + 1, b = 0.5, c = 0.25, sum = 0;

	for (int i = 1; i < rounds; i++) {
		a = a * 1.0000001 + b;
		b = b * 0.999999 + c / a;
		c = c + 1.0 / i;
		sum += a * b - c;
	}
	return sum;
}

TEST(floating_point_switches,
     "processes computing with floating point at once each get their own result")
{
	double want[6];
	pid_t pids[6];

	for (int i = 0; i < 6; i++)
		want[i] = compute(i, 20000);
	for (int i = 0; i < 6; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			for (int round = 0; round < 8; round++) {
				if (compute(i, 20000) != want[i])
					_exit(1);
				if (round % 3 == 0)
					sched_yield();
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 6; i++)
		expect_exit(pids[i], 0);
}

TEST(floating_point_fork,
     "fork copies floating-point registers, and a new program starts with zeros")
{
	volatile double start = 1.25;
	double a = start, b = a * 2, c = b * 2, d = c * 2;
	pid_t pid = xfork();

	expect(a == 1.25 && b == 2.5 && c == 5 && d == 10, "a register changed across fork");
	if (pid == 0)
		_exit(compute(3, 1000) == compute(3, 1000) ? 0 : 1);
	expect_exit(pid, 0);
	expect(a + b + c + d == 18.75, "a register changed across wait");
}

static int compute_in_thread(void *arg)
{
	double want = compute((int)(intptr_t)arg, 5000);

	for (int i = 0; i < 10; i++)
		if (compute((int)(intptr_t)arg, 5000) != want)
			_exit(1);
	return 0;
}

TEST(floating_point_threads, "threads of one process have floating-point registers of their own")
{
	struct thread t[4];

	for (intptr_t i = 0; i < 4; i++)
		start_thread(&t[i], compute_in_thread, (void *)i);
	for (int i = 0; i < 4; i++)
		join_thread(&t[i]);
}
