/*
 * faultbench: what a page fault costs, by its kind. For `make bench`: under QEMU's instruction counting a
 * nanosecond is one instruction.
 *
 * Each figure is the time to touch many pages of a mapping, one after the other, per page: trap, fault and
 * return, the loop, and a share of the tables. What makes them faults of that kind is done before, and that
 * there were as many faults as pages (major ones, where pages come from swap) is looked up in /proc/vmstat
 * afterwards; so a kernel that maps more than one page at a fault is told, not measured.
 */
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: faultbench [PUSH]\n"
	"Time page faults. With PUSH, also those that read from swap: that many MiB are written to push\n"
	"other pages out.\n";

#define PAGE	4096L
#define PAGES	1024L
#define SLACK	16		/* faults that are not the loop's: code, stack, stdio */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Since boot; nobody else runs here. */
static long faults(int major)
{
	const char *name = major ? "pgmajfault " : "pgfault ";
	FILE *file = fopen("/proc/vmstat", "r");
	char line[64];
	long n = -1;

	if (!file)
		err(1, "/proc/vmstat");
	while (n < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			n = strtol(line + strlen(name), NULL, 10);
	fclose(file);
	if (n < 0)
		errx(1, "/proc/vmstat has no %s", name);
	return n;
}

static char *map(int prot, int flags, int fd, long pages)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static char *fresh(long pages)
{
	return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, pages);
}

static void read_pages(volatile const char *p, long pages)
{
	for (long i = 0; i < pages; i++)
		(void)p[i * PAGE];
}

static void write_pages(volatile char *p, long pages)
{
	for (long i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

/* Touches PAGES pages at @p, of which at least @least must fault, and prints what a fault took. */
static void measure(const char *name, char *p, int write, int major, long least)
{
	long before = faults(major), count;
	uint64_t start = now(), took;

	if (write)
		write_pages(p, PAGES);
	else
		read_pages(p, PAGES);
	took = now() - start;
	count = faults(major) - before;
	if (count < least || count > PAGES + SLACK)
		errx(1, "%s: %ld faults for %ld pages", name, count, PAGES);
	printf("bench: 1 %s %lu of %ld\n", name, (unsigned long)(took + count / 2) / count, count);
	fflush(stdout);
}

/* A child writes to what it shares with its parent. */
static void copy_on_write(void)
{
	char *p = fresh(PAGES);
	int status;
	pid_t pid;

	write_pages(p, PAGES);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		measure("fault_copy_on_write", p, 1, 0, PAGES);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the child ended with status %#x", status);
	munmap(p, PAGES * PAGE);
}

/* A file that was just written is in the page cache. */
static void file_hit(void)
{
	static const char path[] = "/tmp/faultbench";
	static char page[PAGE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	if (fd < 0)
		err(1, "%s", path);
	for (long i = 0; i < PAGES; i++)
		if (write(fd, page, PAGE) != PAGE)
			err(1, "%s", path);
	unlink(path);
	p = map(PROT_READ, MAP_SHARED, fd, PAGES);
	measure("fault_file_hit", p, 0, 0, PAGES);
	munmap(p, PAGES * PAGE);
	close(fd);
}

/* Pages go to swap because @mib MiB are written after them, and these are given back before they return. */
static void swap_in(long mib)
{
	char *p = fresh(PAGES), *push;

	write_pages(p, PAGES);
	push = fresh(mib << 20 >> 12);
	write_pages(push, mib << 20 >> 12);
	munmap(push, mib << 20);
	measure("fault_swap_in", p, 0, 1, PAGES * 9 / 10);
}

int main(int argc, char **argv)
{
	prog_init(argc, argv, help);
	if (getopt(argc, argv, "") != -1 || argc - optind > 1)
		usage();
	measure("fault_zero_page", fresh(PAGES), 1, 0, PAGES);
	copy_on_write();
	file_hit();
	if (optind < argc)
		swap_in(number_arg(argv[optind], "MiB"));
	return finish(0);
}
