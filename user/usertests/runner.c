/*
 * The runner: chooses cases, runs each in a process and a directory of its own, and checks that it
 * left nothing.
 *
 * A case may hang, crash, kill its process group or leave children: it runs in a new process group,
 * the runner polls for its end (no alarm is needed) and kills the group when time is up.
 *
 * Leaks. What a case leaves is seen in three places: processes in /proc, free blocks and inodes in
 * statfs, and MemFree after "3" was written to /proc/sys/vm/drop_caches, which writes back and
 * drops every clean cache page, unused inode and per-CPU list. The first run of a case may honestly
 * keep something (a page of the runner's own text is mapped for the first time, a directory or a
 * kernel cache grew by a block): so when less is free than before, the case runs again, up to three
 * more times, and it leaks only if every single run made it less. A leak of one page per run is
 * caught that way, and growth that stops is not reported.
 */
#include <sys/statfs.h>

#include "ut.h"

#define TIME_LIMIT_MS 90000
#define ATTEMPTS      4

extern const struct test *const __start_ut_cases[];
extern const struct test *const __stop_ut_cases[];

static const struct test *cases[400];
static int n_cases;

enum verdict { PASSED, FAILED, SKIPPED };

/* What is free on the machine. More is better in each field. */
struct resources {
	long memory_kb;
	long blocks;
	long inodes;
	long processes; /* negated: fewer processes are better */
};

static char base[64];
static int quiet, show_times, check_leaks;

void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3\n", 2) != 2)
		printf("# cannot drop caches: errno %d\n", errno);
	if (fd >= 0)
		close(fd);
}

static int is_number(const char *name)
{
	while (*name >= '0' && *name <= '9')
		name++;
	return *name == 0;
}

static long count_processes(void)
{
	uint64_t buffer[256];
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);
	long n, count = 0;

	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n; at += *(unsigned short *)((char *)buffer + at + 16))
			count += is_number((char *)buffer + at + 19);
	}
	if (fd >= 0)
		close(fd);
	return count;
}

static void measure(struct resources *r)
{
	struct statfs fs;

	memset(r, 0, sizeof(*r));
	if (!check_leaks)
		return;
	drop_caches();
	r->memory_kb = meminfo_kb("MemFree");
	if (statfs(base, &fs) == 0) {
		r->blocks = fs.f_bfree;
		r->inodes = fs.f_ffree;
	}
	r->processes = -count_processes();
}

/*
 * Orphans are reaped by init, and stacks freed by the scheduler, a moment after the case's end:
 * looks again for up to two seconds while processes are too many, a few times while anything else
 * is short.
 */
static void measure_settled(struct resources *r, const struct resources *before)
{
	for (int try = 0; try < 25; try++) {
		measure(r);
		if (r->processes >= before->processes &&
		    (try >= 5 || (r->memory_kb >= before->memory_kb &&
				  r->blocks >= before->blocks && r->inodes >= before->inodes)))
			return;
		nap_ms(try < 5 ? 5 : 100);
	}
}

static void child(const struct test *test, const char *dir)
{
	setpgid(0, 0);
	if (chdir(dir) < 0)
		fail_at(__FILE__, __LINE__, "cannot enter %s: errno %d", dir, errno);
	test->run();
	_exit(0);
}

/* The wait status of the case, or -1 when it outlived its time. */
static int await(pid_t pid)
{
	long start = now_ms(), step = 1;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return -1;
		if (now_ms() - start > TIME_LIMIT_MS) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nap_ms(step);
		if (step < 16)
			step *= 2;
	}
}

static enum verdict run_once(const struct test *test)
{
	char dir[128];
	int status;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/%s", base, test->name);
	if (mkdir(dir, 0755) < 0) {
		printf("# cannot make %s: errno %d\n", dir, errno);
		return FAILED;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(test, dir);
	if (pid < 0) {
		printf("# cannot fork: errno %d\n", errno);
		rmdir(dir);
		return FAILED;
	}
	setpgid(pid, pid);
	status = await(pid);
	for (int i = 0; kill(-pid, 0) == 0; i++) {
		if (i == 100) {
			printf("# it left processes behind\n");
			status = 1 << 8;
			kill(-pid, SIGKILL);
			break;
		}
		nap_ms(5);
	}
	if (remove_tree(dir) < 0) {
		printf("# cannot remove %s: errno %d\n", dir, errno);
		status = 1 << 8;
	}
	if (status == 0)
		return PASSED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP_STATUS)
		return SKIPPED;
	if (status == -1)
		printf("# it took longer than %d s\n", TIME_LIMIT_MS / 1000);
	else if (WIFSIGNALED(status))
		printf("# it was killed by signal %d\n", WTERMSIG(status));
	return FAILED;
}

static enum verdict run_case(const struct test *test)
{
	struct resources before, start, after;
	enum verdict verdict;
	int memory = 0, blocks = 0, inodes = 0, processes = 0;

	measure(&start);
	before = start;
	for (int attempt = 1;; attempt++) {
		verdict = run_once(test);
		if (verdict != PASSED || !check_leaks)
			return verdict;
		measure_settled(&after, &before);
		memory += after.memory_kb < before.memory_kb;
		blocks += after.blocks < before.blocks;
		inodes += after.inodes < before.inodes;
		processes += after.processes < before.processes;
		if (memory < attempt && blocks < attempt && inodes < attempt &&
		    processes < attempt) {
			if (show_times && attempt > 1)
				printf("# %s was run %d times until nothing was missing\n",
				       test->name, attempt);
			return PASSED;
		}
		if (attempt == ATTEMPTS)
			break;
		before = after;
	}
	printf("# every one of %d runs left something: %ld KiB of memory, %ld blocks, %ld inodes, "
	       "%ld processes in all\n",
	       ATTEMPTS, start.memory_kb - after.memory_kb, start.blocks - after.blocks,
	       start.inodes - after.inodes, start.processes - after.processes);
	return FAILED;
}

/* The shell's patterns, with * and ? only. */
static int match(const char *glob, const char *name)
{
	for (; *glob; glob++, name++) {
		if (*glob == '*') {
			for (glob++;; name++) {
				if (match(glob, name))
					return 1;
				if (!*name)
					return 0;
			}
		}
		if (!*name || (*glob != '?' && *glob != *name))
			return 0;
	}
	return *name == 0;
}

static int chosen(const struct test *test, char **names, int n)
{
	for (int i = 0; i < n; i++)
		if (match(names[i], test->name))
			return 1;
	return n == 0;
}

static void find_self(const char *argv0)
{
	char here[256];
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	if (n > 0) {
		self_path[n] = 0;
		return;
	}
	if (argv0[0] == '/' || !strchr(argv0, '/') || !getcwd(here, sizeof(here)))
		snprintf(self_path, sizeof(self_path), "%s%s", argv0[0] == '/' ? "" : "/bin/",
			 argv0);
	else
		snprintf(self_path, sizeof(self_path), "%s/%s", here, argv0);
}

/*
 * Reads every page of the program once. A case may use up the memory; a runner that then needs a
 * page of its own text would be among the victims, and pages in use are not dropped.
 */
static void touch_own_pages(void)
{
	static char maps[8192];
	int fd = open("/proc/self/maps", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, maps, sizeof(maps) - 1);

	if (fd >= 0)
		close(fd);
	maps[n > 0 ? n : 0] = 0;
	for (char *line = maps, *next; *line; line = next) {
		uintptr_t at, end;
		char *rest;

		next = strchr(line, '\n');
		if (!next)
			return;
		*next++ = 0;
		if (!strchr(line, '/'))
			continue;
		at = strtoul(line, &rest, 16);
		end = strtoul(rest + 1, &rest, 16);
		for (; rest[1] == 'r' && at < end; at += PAGE)
			(void)*(volatile char *)at;
	}
}

static void prepare(const char *parent)
{
	snprintf(base, sizeof(base), "%s/ut.%d", parent, getpid());
	remove_tree(base); /* of a run that the power ended */
	if (mkdir(base, 0755) < 0) {
		printf("usertests: cannot make %s: errno %d\n", base, errno);
		exit(2);
	}
	if (!foreign_kernel && access("/proc/sys/vm/drop_caches", F_OK) == 0)
		check_leaks = 1;
	else
		printf("# leaks are not looked for\n");
}

static int comes_before(const struct test *a, const struct test *b)
{
	int order = strcmp(a->file, b->file);

	return order ? order < 0 : a->line < b->line;
}

static void sort_cases(void)
{
	for (const struct test *const *t = __start_ut_cases; t < __stop_ut_cases; t++) {
		int i = n_cases++;

		for (; i > 0 && comes_before(*t, cases[i - 1]); i--)
			cases[i] = cases[i - 1];
		cases[i] = *t;
	}
}

static int run_all(char **names, int n)
{
	int total = 0, number = 0, passed = 0, failed = 0, skipped = 0;
	static const char *const word[] = {"ok", "not ok", "ok"};

	for (int i = 0; i < n_cases; i++)
		total += chosen(cases[i], names, n);
	if (!quiet)
		printf("KTAP version 1\n1..%d\n", total);
	for (int i = 0; i < n_cases; i++) {
		const struct test *test = cases[i];
		enum verdict verdict;
		long start = now_ms();

		if (!chosen(test, names, n))
			continue;
		verdict = run_case(test);
		number++;
		passed += verdict == PASSED;
		failed += verdict == FAILED;
		skipped += verdict == SKIPPED;
		if (!quiet || verdict == FAILED)
			printf("%s %d - %s: %s%s\n", word[verdict], number, test->name, test->title,
			       verdict == SKIPPED ? " # SKIP" : "");
		if (show_times)
			printf("# %s took %ld ms\n", test->name, now_ms() - start);
		fflush(stdout);
	}
	if (skipped)
		printf("# %d skipped\n", skipped);
	printf("usertests: %d passed, %d failed\n", passed, failed);
	return failed || !total;
}

static int usage(void)
{
	printf("usage: usertests [-lqtn] [-d DIR] [NAME]...\n"
	       "Runs the cases whose names match (* and ? are wildcards), or all.\n"
	       "  -l  list the cases      -q  print failures only      -t  print how long each "
	       "took\n"
	       "  -n  the kernel is not ours: no leak checks, nothing that exhausts the machine\n"
	       "  -d  work in DIR instead of /tmp\n");
	return 2;
}

int main(int argc, char **argv, char **envp)
{
	const char *parent = "/tmp";
	int i, status;

	if (argc > 1 && !strncmp(argv[1], "--", 2))
		return child_main(argc, argv, envp);
	sort_cases();
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		for (const char *p = argv[i] + 1; *p; p++) {
			if (*p == 'l') {
				for (int k = 0; k < n_cases; k++)
					printf("%-28s %s\n", cases[k]->name, cases[k]->title);
				return 0;
			} else if (*p == 'q') {
				quiet = 1;
			} else if (*p == 't') {
				show_times = 1;
			} else if (*p == 'n') {
				foreign_kernel = 1;
			} else if (*p == 'd' && i + 1 < argc && !p[1]) {
				parent = argv[++i];
				break;
			} else {
				return usage();
			}
		}
	}
	if (access(parent, F_OK) < 0)
		parent = ".";
	find_self(argv[0]);
	prepare(parent);
	if (check_leaks)
		touch_own_pages();
	status = run_all(argv + i, argc - i);
	remove_tree(base);
	return status;
}
