/* What /proc says about memory and lets one set: smaps, zoneinfo, /proc/sys/vm, promises, the OOM killer's view. */
#include "ut.h"

static char text[32768];

/* The number that follows `key` in `text` from `at` on. */
static long number_from(const char *at, const char *key)
{
	const char *p = strstr(at, key);

	expect(p, "no '%s' in '%.80s'", key, at);
	p += strlen(key);
	p += strspn(p, " \t:");
	expect((*p >= '0' && *p <= '9') || *p == '-', "'%s' is followed by '%.20s'", key, p);
	return strtol(p, NULL, 10);
}

static long read_number(const char *path)
{
	char small[32];

	get_file(path, small, sizeof(small));
	return strtol(small, NULL, 10);
}

/* 0, or -1 with errno. */
static int write_text(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), error;
	ssize_t n;

	expect(fd >= 0, "opening %s: errno %d", path, errno);
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

static int write_number(const char *path, long value)
{
	char small[32];

	snprintf(small, sizeof(small), "%ld\n", value);
	return write_text(path, small);
}

TEST(meminfo_order, "meminfo's lines stand in Linux's order and add up")
{
	static const char *const lines[] = {
		"MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "\nCached:", "SwapCached:",
		"\nActive:", "\nInactive:", "Active(anon):", "Inactive(anon):", "Active(file):",
		"Inactive(file):", "Unevictable:", "Mlocked:", "SwapTotal:", "SwapFree:", "Dirty:",
		"Writeback:", "AnonPages:", "Mapped:", "Shmem:", "KReclaimable:", "Slab:",
		"SReclaimable:", "SUnreclaim:", "KernelStack:", "PageTables:", "Bounce:",
		"WritebackTmp:", "CommitLimit:", "Committed_AS:", "VmallocTotal:", "VmallocUsed:",
		"VmallocChunk:", "Percpu:",
	};
	const char *at = text;

	get_file("/proc/meminfo", text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *found = strstr(at, lines[i]);

		expect(found, "'%s' is missing or stands too early", lines[i]);
		number_from(found, lines[i]);
		at = found + 1;
	}
	long active = number_from(text, "\nActive:"), inactive = number_from(text, "\nInactive:");

	expect_eq(active, number_from(text, "Active(anon):") + number_from(text, "Active(file):"));
	expect_eq(inactive, number_from(text, "Inactive(anon):") + number_from(text, "Inactive(file):"));
	expect_eq(number_from(text, "Slab:"),
		  number_from(text, "SReclaimable:") + number_from(text, "SUnreclaim:"));
}

/* The block of smaps for the mapping that starts at p. */
static const char *smaps_of(const void *p)
{
	char start[32];
	const char *at;

	snprintf(start, sizeof(start), "%08lx-", (long)p);
	get_file("/proc/self/smaps", text, sizeof(text));
	at = strstr(text, start);
	expect(at, "no mapping at %s", start);
	return at;
}

TEST(proc_smaps, "smaps tells how much of a mapping is there, whose it is, and how it may be used")
{
	const char *at;
	char *p = map_pages(12);
	pid_t pid;

	expect_eq(munmap(p, PAGE), 0);		/* so that it does not merge with its neighbours */
	expect_eq(munmap(p + 11 * PAGE, PAGE), 0);
	p += PAGE;
	for (int i = 0; i < 6; i++)
		p[i * PAGE] = 1;
	at = smaps_of(p);
	expect_eq(number_from(at, "Size:"), 40);
	expect_eq(number_from(at, "KernelPageSize:"), 4);
	expect_eq(number_from(at, "MMUPageSize:"), 4);
	expect_eq(number_from(at, "Rss:"), 24);
	expect_eq(number_from(at, "Pss:"), 24);
	expect_eq(number_from(at, "Shared_Clean:") + number_from(at, "Shared_Dirty:"), 0);
	expect_eq(number_from(at, "Private_Clean:") + number_from(at, "Private_Dirty:"), 24);
	expect_eq(number_from(at, "Anonymous:"), 24);
	expect_eq(number_from(at, "Referenced:"), 24);
	expect_eq(number_from(at, "Swap:"), 0);
	expect_eq(number_from(at, "Locked:"), 0);
	at = strstr(at, "VmFlags:");
	expect(at && strstr(at, " rd wr "), "flags '%.40s'", at ? at : "");
	pid = xfork();
	if (pid == 0) {				/* all six are shared, then one is the child's own */
		p[0] = 2;
		at = smaps_of(p);
		expect_eq(number_from(at, "Rss:"), 24);
		expect_eq(number_from(at, "Shared_Clean:") + number_from(at, "Shared_Dirty:"), 20);
		expect_eq(number_from(at, "Private_Clean:") + number_from(at, "Private_Dirty:"), 4);
		expect_eq(number_from(at, "Pss:"), 14);
		_exit(0);
	}
	expect_exit(pid, 0);
}

TEST(proc_smaps_sum, "the mappings' pages in smaps are together what status says is resident")
{
	long rss = 0, size = 0, want;

	if (foreign_kernel)
		skip("Linux's VmRSS is not exact");
	get_file("/proc/self/smaps", text, sizeof(text));
	get_file("/proc/self/status", text, sizeof(text));
	want = number_from(text, "VmRSS:");
	get_file("/proc/self/smaps", text, sizeof(text));
	for (const char *at = text; (at = strstr(at, "\nSize:")); at++) {
		size += number_from(at, "\nSize:");
		rss += number_from(at, "\nRss:");
	}
	expect(labs(rss - want) <= 8, "%ld kB in smaps, %ld kB in status", rss, want);
	get_file("/proc/self/status", text, sizeof(text));
	expect_eq(size, number_from(text, "VmSize:"));
	expect_eq(number_from(text, "VmLck:"), 0);
	expect(number_from(text, "VmSwap:") >= 0, "VmSwap");
}

struct marks {
	long min, low, high, managed;
};

/* Sums over the zones of /proc/zoneinfo, pages. */
static void read_marks(struct marks *m)
{
	memset(m, 0, sizeof(*m));
	get_file("/proc/zoneinfo", text, sizeof(text));
	for (const char *at = text; (at = strstr(at, "\n  pages free ")); at++) {
		m->min += number_from(at, "\n        min ");
		m->low += number_from(at, "\n        low ");
		m->high += number_from(at, "\n        high ");
		m->managed += number_from(at, "\n        managed ");
	}
	expect(m->min > 0 && m->min < m->low && m->low < m->high && m->high < m->managed,
	       "min %ld low %ld high %ld managed %ld", m->min, m->low, m->high, m->managed);
}

TEST(zoneinfo_format, "zoneinfo has the watermarks of each zone and its node's lists")
{
	struct marks m;

	read_marks(&m);
	expect(!strncmp(text, "Node 0, zone ", 13), "it begins '%.30s'", text);
	expect(strstr(text, "\n  per-node stats\n"), "no per-node stats");
	number_from(text, "nr_inactive_anon");
	number_from(text, "nr_active_anon");
	number_from(text, "nr_inactive_file");
	number_from(text, "nr_active_file");
	number_from(text, "\n      nr_free_pages");
	expect(strstr(text, "\n        protection: ("), "no protection");
	expect(strstr(text, "\n  pagesets"), "no pagesets");
}

TEST(sysctl_watermarks, "min_free_kbytes and watermark_scale_factor move the watermarks")
{
	long reserve, factor;
	struct marks before, after;

	if (foreign_kernel)
		skip("another kernel's settings are left alone");
	reserve = read_number("/proc/sys/vm/min_free_kbytes");
	factor = read_number("/proc/sys/vm/watermark_scale_factor");
	read_marks(&before);
	expect_eq(write_number("/proc/sys/vm/min_free_kbytes", reserve + 1024), 0);
	read_marks(&after);
	expect_eq(write_number("/proc/sys/vm/min_free_kbytes", reserve), 0);
	expect(labs(after.min - before.min - 256) <= 8, "min rose by %ld pages", after.min - before.min);
	expect(after.low > before.low && after.high > before.high, "low and high did not rise");

	expect_eq(write_number("/proc/sys/vm/watermark_scale_factor", 200), 0);
	read_marks(&after);
	expect_eq(write_number("/proc/sys/vm/watermark_scale_factor", factor), 0);
	expect_eq(after.min, before.min);
	expect(labs(after.low - after.min - after.managed / 50) <= 8, "low is %ld pages above min of %ld",
	       after.low - after.min, after.managed);
	expect_errno(write_number("/proc/sys/vm/watermark_scale_factor", 0), EINVAL);
	expect_errno(write_number("/proc/sys/vm/watermark_scale_factor", 1001), EINVAL);
	read_marks(&after);
	expect(after.min == before.min && after.low == before.low && after.high == before.high,
	       "the watermarks did not go back");
}

TEST(sysctl_numbers, "/proc/sys/vm takes numbers in their ranges and refuses all else")
{
	static const struct {
		const char *path;
		long least, most;
	} numbers[] = {
		{"/proc/sys/vm/swappiness", 0, 200},
		{"/proc/sys/vm/panic_on_oom", 0, 2},
		{"/proc/sys/vm/overcommit_memory", 0, 2},
		{"/proc/sys/vm/dirty_ratio", 0, 100},
		{"/proc/sys/vm/dirty_background_ratio", 0, 100},
		{"/proc/sys/vm/vfs_cache_pressure", 0, 1000},
		{"/proc/sys/vm/overcommit_ratio", 0, 1000},
	};

	if (foreign_kernel)
		skip("another kernel's settings are left alone");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *path = numbers[i].path;
		long old;

		if (access(path, F_OK) < 0 && i < 2)
			continue;		/* a stage without reclaim */
		old = read_number(path);
		expect(old >= numbers[i].least && old <= numbers[i].most, "%s is %ld", path, old);
		expect_eq(write_number(path, numbers[i].least), 0);
		expect_eq(read_number(path), numbers[i].least);
		expect_eq(write_number(path, numbers[i].most), 0);
		expect_eq(read_number(path), numbers[i].most);
		expect_eq(write_number(path, old), 0);
		expect_errno(write_number(path, -1), EINVAL);
		expect_errno(write_text(path, "many\n"), EINVAL);
		expect_errno(write_text(path, "99999999999999999999\n"), EINVAL);
		if (numbers[i].most < 1000)
			expect_errno(write_number(path, numbers[i].most + 1), EINVAL);
		expect_eq(read_number(path), old);
	}
}

/* ---- promises ----------------------------------------------------------------------------- */

static long promised(void)
{
	return meminfo_kb("Committed_AS");
}

static char *map(size_t pages, int prot, int flags)
{
	return mmap(NULL, pages * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
}

TEST(commit_counted, "Committed_AS counts what may be written, privately or shared, for as long as it is mapped")
{
	enum { N = 1000, KB = N * 4, RW = PROT_READ | PROT_WRITE };
	long base;
	char *p, *q;
	pid_t pid;
	int fd;

	if (foreign_kernel)
		skip("other processes disturb the figure");
	base = promised();			/* faults this path in, which promises nothing */
	base = promised();
	expect(base > 0, "%ld kB", base);
	p = map(N, RW, MAP_PRIVATE);
	expect_eq(promised() - base, KB);
	expect_eq(munmap(p + 100 * PAGE, 200 * PAGE), 0);
	expect_eq(promised() - base, KB - 800);
	expect_eq(munmap(p, N * PAGE), 0);
	expect_eq(promised(), base);

	p = map(N, PROT_READ, MAP_PRIVATE);
	expect_eq(promised(), base);
	expect_eq(mprotect(p, 300 * PAGE, RW), 0);
	expect_eq(promised() - base, 1200);
	expect_eq(mprotect(p, N * PAGE, PROT_READ), 0);	/* it may have been written */
	expect_eq(promised() - base, 1200);
	expect_eq(munmap(p, N * PAGE), 0);
	expect_eq(promised(), base);

	p = map(N, RW, MAP_SHARED);
	expect_eq(promised() - base, KB);
	pid = xfork();
	if (pid == 0)
		_exit(0);
	expect_exit(pid, 0);
	expect_eq(munmap(p, N * PAGE), 0);
	expect_eq(promised(), base);

	p = map(N, RW, MAP_PRIVATE | MAP_NORESERVE);
	expect_eq(promised(), base);
	expect_eq(munmap(p, N * PAGE), 0);

	fd = open("f", O_CREAT | O_RDWR, 0644);
	expect_eq(ftruncate(fd, N * PAGE), 0);
	p = mmap(NULL, N * PAGE, RW, MAP_SHARED, fd, 0);	/* the file's pages have a place */
	expect_eq(promised(), base);
	q = mmap(NULL, N * PAGE, RW, MAP_PRIVATE, fd, 0);
	expect_eq(promised() - base, KB);
	expect(p != MAP_FAILED && q != MAP_FAILED, "errno %d", errno);
	expect_eq(munmap(q, N * PAGE), 0);
	expect_eq(munmap(p, N * PAGE), 0);
	close(fd);

	p = map(N, RW, MAP_PRIVATE);
	pid = xfork();				/* the child may write all of its copy, too */
	if (pid == 0)
		_exit(promised() - base >= 2 * KB ? 0 : 1);
	expect_exit(pid, 0);
	expect_eq(promised() - base, KB);
	q = mremap(p, N * PAGE, 2 * N * PAGE, MREMAP_MAYMOVE);
	expect(q != MAP_FAILED, "errno %d", errno);
	expect_eq(promised() - base, 2 * KB);
	expect_eq(munmap(q, 2 * N * PAGE), 0);
	expect_eq(promised(), base);
}

/* What the strict policy allows and refuses; the settings are put back by the caller. */
static void strict(void)
{
	enum { RW = PROT_READ | PROT_WRITE };
	long left, limit = meminfo_kb("CommitLimit"), swap = meminfo_kb("SwapTotal");
	char *p, *q;
	pid_t pid;

	expect(labs(limit - swap - meminfo_kb("MemTotal") / 4) <= 4, "limit %ld kB", limit);
	left = (limit - promised()) / 4;	/* pages */
	expect(left > 2000, "%ld pages are left", left);
	p = map(left + 1, RW, MAP_PRIVATE);
	expect(p == MAP_FAILED && errno == ENOMEM, "more than the limit: %p, errno %d", p, errno);
	p = map(left + 1, RW, MAP_SHARED);
	expect(p == MAP_FAILED && errno == ENOMEM, "shared: %p, errno %d", p, errno);
	p = map(left + 1, RW, MAP_PRIVATE | MAP_NORESERVE);
	expect(p == MAP_FAILED && errno == ENOMEM, "MAP_NORESERVE: %p, errno %d", p, errno);
	p = map(left + 1, PROT_READ, MAP_PRIVATE);
	expect(p != MAP_FAILED, "read-only: errno %d", errno);
	expect_errno(mprotect(p, (left + 1) * PAGE, RW), ENOMEM);
	expect_eq(munmap(p, (left + 1) * PAGE), 0);

	p = map(left - 500, RW, MAP_PRIVATE);	/* little by little, to the limit */
	expect(p != MAP_FAILED, "within the limit: errno %d", errno);
	q = map(1000, RW, MAP_PRIVATE);
	expect(q == MAP_FAILED && errno == ENOMEM, "beyond: %p, errno %d", q, errno);
	expect(mremap(p, (left - 500) * PAGE, (left + 500) * PAGE, MREMAP_MAYMOVE) == MAP_FAILED &&
		       errno == ENOMEM,
	       "mremap: errno %d", errno);
	pid = fork();				/* and a child would need as much again */
	if (pid == 0)
		_exit(0);
	expect(pid == -1 && errno == ENOMEM, "fork gave %d, errno %d", pid, errno);
	expect_eq(munmap(p, (left - 500) * PAGE), 0);
	pid = xfork();
	if (pid == 0)
		_exit(0);
	expect_exit(pid, 0);
}

/* Back to what `old` was after a child ran `fn`; then the child's verdict counts. */
static void with_policy(long policy, long ratio, void (*fn)(void))
{
	long old_policy = read_number("/proc/sys/vm/overcommit_memory");
	long old_ratio = read_number("/proc/sys/vm/overcommit_ratio");
	pid_t pid;
	int status;

	expect_eq(write_number("/proc/sys/vm/overcommit_ratio", ratio), 0);
	expect_eq(write_number("/proc/sys/vm/overcommit_memory", policy), 0);
	pid = fork();
	if (pid == 0) {
		fn();
		_exit(0);
	}
	status = pid > 0 ? xwait(pid) : -1;
	expect_eq(write_number("/proc/sys/vm/overcommit_memory", old_policy), 0);
	expect_eq(write_number("/proc/sys/vm/overcommit_ratio", old_ratio), 0);
	expect_eq(status, 0);
}

TEST(overcommit_never, "with overcommit_memory 2 no more is promised than can be kept")
{
	if (foreign_kernel)
		skip("another kernel's settings are left alone");
	with_policy(2, 25, strict);
}

static void guess(void)
{
	size_t most = (meminfo_kb("MemTotal") + meminfo_kb("SwapTotal")) / 4;
	char *p = map(most - 1, PROT_READ | PROT_WRITE, MAP_PRIVATE), *q;

	expect(p != MAP_FAILED, "as much as there is: errno %d", errno);
	q = map(most - 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	expect(q != MAP_FAILED, "as much again: errno %d", errno);
	expect(map(most + 64, PROT_READ | PROT_WRITE, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM,
	       "more than there is at once: errno %d", errno);
	expect(map(most + 64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE) != MAP_FAILED,
	       "MAP_NORESERVE: errno %d", errno);
}

static void always(void)
{
	size_t pages = (meminfo_kb("MemTotal") + meminfo_kb("SwapTotal")) / 4 * 3;

	expect(map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED, "errno %d", errno);
}

TEST(overcommit_guess, "overcommit_memory 0 refuses only what is too large by itself, 1 nothing")
{
	if (foreign_kernel)
		skip("another kernel's settings are left alone");
	with_policy(0, 50, guess);
	with_policy(1, 50, always);
}

/* ---- the OOM killer's view ----------------------------------------------------------------- */

TEST(oom_score_adj, "oom_score_adj is -1000 to 1000, is inherited, and moves oom_score")
{
	char *p = map_pages(600);
	long before, after;
	pid_t pid;

	if (access("/proc/self/oom_score_adj", F_OK) < 0)
		skip("this stage has no OOM killer");
	if (foreign_kernel)
		skip("needs rights");
	expect_eq(read_number("/proc/self/oom_score_adj"), 0);
	expect_errno(write_text("/proc/self/oom_score_adj", "1001"), EINVAL);
	expect_errno(write_text("/proc/self/oom_score_adj", "-1001"), EINVAL);
	expect_errno(write_text("/proc/self/oom_score_adj", "99999999999"), EINVAL);
	expect_errno(write_text("/proc/self/oom_score_adj", "x"), EINVAL);
	expect_eq(read_number("/proc/self/oom_score_adj"), 0);
	before = read_number("/proc/self/oom_score");
	expect(before > 0 && before <= 1334, "score %ld", before);
	expect_eq(write_text("/proc/self/oom_score_adj", "300\n"), 0);
	after = read_number("/proc/self/oom_score");
	expect(labs(after - before - 200) <= 2, "300 thousandths more: %ld, then %ld", before, after);
	pid = xfork();
	if (pid == 0) {
		expect_eq(read_number("/proc/self/oom_score_adj"), 300);
		expect_eq(write_text("/proc/self/oom_score_adj", "-1000"), 0);
		expect_eq(read_number("/proc/self/oom_score"), 0);
		_exit(0);
	}
	expect_exit(pid, 0);
	expect_eq(read_number("/proc/self/oom_score_adj"), 300);
	expect_eq(write_text("/proc/self/oom_score_adj", "0"), 0);
	memset(p, 1, 600 * PAGE);
	after = read_number("/proc/self/oom_score");
	before += 600 * 4 * 1000 / (meminfo_kb("MemTotal") + meminfo_kb("SwapTotal")) * 2 / 3;
	expect(labs(after - before) <= 2, "600 pages more make it %ld, not %ld", after, before);
}
