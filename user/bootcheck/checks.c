/*
 * The checks. None believes the allocator's counters: that two owners were given one page shows in
 * its contents, and that pages were lost, in how many can be had the next time.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootcheck.h"

static void *map(size_t bytes, int flags)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Runs fn(arg) in a child. -1: there is no memory for one. */
static pid_t spawn(bool (*fn)(unsigned long), unsigned long arg)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(arg) ? 0 : 1);
	if (pid < 0)
		say("fork fails: no memory for a process");
	return pid;
}

/* Waits for @n children; true if all of them returned true. */
static bool join(unsigned int n)
{
	bool good = true;
	int status;

	while (n--) {
		if (wait(&status) < 0)
			return false;
		if (WIFSIGNALED(status))
			say("a program was killed by signal %d", WTERMSIG(status));
		good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return good;
}

/* ---- contents ------------------------------------------------------------------------------- */

static uint64_t pattern(uint64_t seed, size_t page)
{
	uint64_t x = (seed << 32 | page) * 0x9e3779b97f4a7c15UL;

	return x ^ x >> 29;
}

/* Eight words of each page; all of a page would only show the same. */
static void fill_page(char *p, uint64_t value)
{
	for (size_t at = 0; at < PAGE; at += PAGE / 8)
		*(volatile uint64_t *)(p + at) = value + at;
}

/* Is every word as it was written or, with @value 0, zero? */
static bool page_holds(const char *p, uint64_t value, const char *what)
{
	for (size_t at = 0; at < PAGE; at += PAGE / 8) {
		uint64_t found = *(volatile const uint64_t *)(p + at);
		uint64_t want = value ? value + at : 0;

		if (found == want)
			continue;
		say("%s: expected %lx, found %lx", what, (unsigned long)want, (unsigned long)found);
		return false;
	}
	return true;
}

static void fill(char *p, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		fill_page(p + i * PAGE, pattern(seed, i));
}

static bool holds(const char *p, size_t pages, uint64_t seed, const char *what)
{
	for (size_t i = 0; i < pages; i++)
		if (!page_holds(p + i * PAGE, seed ? pattern(seed, i) : 0, what))
			return false;
	return true;
}

/* ---- programs ------------------------------------------------------------------------------- */

#define PAGES	192
#define WORKERS	6
#define CROWD	40

static char *shared;		/* what a worker and its child both see until one of them writes */

static bool copy_on_write_child(unsigned long seed)
{
	if (!holds(shared, PAGES, seed, "a parent's memory, in its child"))
		return false;
	fill(shared, PAGES / 2, seed + 1);
	sched_yield();
	return holds(shared, PAGES / 2, seed + 1, "memory that a child wrote");
}

/* Writes, has copies made, writes in them, looks. */
static bool worker(unsigned long seed)
{
	unsigned int children = 0;

	shared = map(PAGES * PAGE, MAP_PRIVATE);
	if (!shared || !holds(shared, PAGES, 0, "new memory"))
		return false;
	fill(shared, PAGES, seed);
	for (int i = 0; i < 3; i++) {
		children += spawn(copy_on_write_child, seed) > 0;
		sched_yield();
		if (!holds(shared, PAGES, seed, "memory of which a child wrote its copy"))
			return false;
	}
	if (!join(children) || children < 3)
		return false;
	munmap(shared, PAGES * PAGE);
	shared = map(PAGES * PAGE, MAP_PRIVATE);
	return shared && holds(shared, PAGES, 0, "memory mapped anew");
}

/* A program that waits for its parent: memory for tables and a kernel stack, and not much more. */
static bool bystander(unsigned long fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

static bool crowd(void)
{
	unsigned int n = 0;
	int fds[2];

	if (pipe(fds) < 0)
		return false;
	for (unsigned int i = 0; i < CROWD; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			close(fds[1]);
			_exit(bystander(fds[0]) ? 0 : 1);
		}
		n += pid > 0;
	}
	close(fds[1]);
	close(fds[0]);
	if (n < CROWD)
		say("of %d programs that only wait, %u could be started", CROWD, n);
	return join(n) && n == CROWD;
}

static bool send_pages(unsigned long fd)
{
	static char page[PAGE];

	for (size_t i = 0; i < PAGES; i++) {
		fill_page(page, pattern(99, i));
		if (write(fd, page, PAGE) != PAGE)
			return false;
	}
	return true;
}

static bool pipes(void)
{
	static char page[PAGE];
	bool good = true;
	int fds[2];

	if (pipe(fds) < 0 || spawn(send_pages, fds[1]) < 0)
		return false;
	close(fds[1]);
	for (size_t i = 0; i < PAGES && good; i++) {
		for (size_t got = 0; got < PAGE;) {
			ssize_t n = read(fds[0], page + got, PAGE - got);

			if (n <= 0) {
				say("a pipe ends after %lu pages", (unsigned long)i);
				return false;
			}
			got += n;
		}
		good = page_holds(page, pattern(99, i), "what came through a pipe");
	}
	close(fds[0]);
	return join(1) && good;
}

bool programs_run_on_it(void)
{
	bool good = true;

	for (int round = 0; round < 2; round++) {
		unsigned int n = 0;

		for (unsigned long i = 0; i < WORKERS; i++)
			n += spawn(worker, 10 * i + 1) > 0;
		good = pipes() && join(n) && n == WORKERS && crowd() && good;
	}
	return good;
}

/* ---- all of memory -------------------------------------------------------------------------- */

#define ROUNDS	3
#define SLACK	256		/* pages: what CPUs and the kernel's caches keep at hand */

static volatile unsigned long *touched;		/* by the program that fills memory */

/* A number from /proc/meminfo, in pages; 0: there is none. */
static unsigned long meminfo(const char *name)
{
	unsigned long found = 0;
	size_t len = strlen(name);
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && !found && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && line[len] == ':')
			found = strtoul(line + len + 1, NULL, 10) * 1024 / PAGE;
	if (file)
		fclose(file);
	return found;
}

/* Touches @pages and looks at them again. With more than can be had the kernel ends it. */
static bool fill_memory(unsigned long pages)
{
	char *p = map(pages * PAGE, MAP_PRIVATE);

	if (!p)
		return false;
	for (size_t i = 0; i < pages; i++) {
		fill_page(p + i * PAGE, pattern(7, i));
		*touched = i + 1;
	}
	return holds(p, pages, 7, "memory when nearly all is in use");
}

/* How many pages a program got before there were no more. */
static unsigned long pages_to_be_had(void)
{
	pid_t pid;
	int status;

	*touched = 0;
	pid = spawn(fill_memory, meminfo("MemTotal"));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 0;
	if (!WIFSIGNALED(status)) {
		say("a program was to get more memory than there is, but it ended otherwise");
		return 0;
	}
	return *touched;
}

static bool fills_again(unsigned long first)
{
	for (int round = 1; round <= ROUNDS; round++) {
		unsigned long n = pages_to_be_had();

		say("round %d: a program got %lu pages", round, n);
		if (n + SLACK >= first)
			continue;
		say("a program got %lu pages, and %d rounds later another one only %lu", first,
		    round, n);
		return false;
	}
	return true;
}

bool memory_comes_back(void)
{
	unsigned long first, before, after;

	touched = map(PAGE, MAP_SHARED);
	if (!touched)
		return false;
	pages_to_be_had();		/* the page cache gives way, the kernel's caches grow */
	before = meminfo("MemFree");
	first = pages_to_be_had();
	if (first < before - before / 8) {
		say("MemFree says %lu pages, but a program got only %lu", before, first);
		return false;
	}
	if (!fills_again(first))
		return false;
	after = meminfo("MemFree");
	if (after + SLACK < before) {
		say("MemFree was %lu pages, and is %lu when all is given back", before, after);
		return false;
	}
	return spawn(fill_memory, first - first / 16) > 0 && join(1);
}

/* ---- blocks --------------------------------------------------------------------------------- */

#define NR_ORDERS	11
#define LARGE		5		/* the order from which on a block is large */

/* Free pages in all blocks and in large ones; false: this is not Linux's format. */
static bool read_buddyinfo(unsigned long *all, unsigned long *large)
{
	FILE *file = fopen("/proc/buddyinfo", "r");
	unsigned int zones = 0;
	char line[256];

	*all = *large = 0;
	for (; file && fgets(line, sizeof(line), file); zones++) {
		char *p = strstr(line, ", zone "), *end;

		if (strncmp(line, "Node ", 5) || !p)
			return false;
		p += strlen(", zone ");
		p += strspn(p, " ");
		p += strcspn(p, " ");
		for (int order = 0; order < NR_ORDERS; order++, p = end) {
			unsigned long pages = strtoul(p, &end, 10) << order;

			if (end == p)
				return false;
			*all += pages;
			*large += order >= LARGE ? pages : 0;
		}
	}
	if (file)
		fclose(file);
	return zones > 0;
}

bool blocks_merge_again(void)
{
	unsigned long all, large, unused;

	touched = map(PAGE, MAP_SHARED);
	if (!touched || !pages_to_be_had())
		return false;
	if (!read_buddyinfo(&all, &large)) {
		say("/proc/buddyinfo is not in Linux's format");
		return false;
	}
	unused = meminfo("MemFree");
	say("MemFree %lu pages, in blocks %lu, of them in large ones %lu", unused, all, large);
	if (all > unused + SLACK || large < unused / 2)
		return false;
	return true;
}
