/*
 * memstress: processes that together hold more than memory, and notice every byte that is lost.
 *
 * Each process has anonymous pages and the pages of a file that it maps shared. A page's contents follow from the
 * process, the page and how often it was written, which the page's first word says, and a table says too. So a page
 * that comes back as it was before, or as another page, is found at once; and a file can be checked without
 * the program that wrote it. Now and then a process forks, and both go on with what they share; or the end of its file
 * is cut off, which must come back as zeroes.
 *
 *	word 0	generation		words 1..511	mix(seed, process, area, page, generation, word)
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <prog.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: memstress [-p PROCESSES] [-a ANON] [-f FILE] [-t SECONDS] [-s SEED] [-k] [DIR]\n"
	"Hold ANON bytes of anonymous memory (16M) and a mapped FILE (0: none) in DIR (/) per process,\n"
	"write and verify random pages for SECONDS (10), fork now and then, cut files short and let them grow.\n"
	"-k keeps the files. Status 1: a byte was wrong.\n";

#define PAGE	4096
#define WORDS	(PAGE / 8)
#define CUT	128		/* pages of a file at most that are cut off at a time */

static long processes = 8, anon_bytes = 16 << 20, file_bytes, seconds = 10, seed = 1;
static bool keep_files;
static const char *dir = "/";

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdUL;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53UL;
	return x ^ x >> 33;
}

static uint64_t state;

static unsigned long below(unsigned long n)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return mix(state) % n;
}

struct area {
	const char	*name;
	long		process;
	uint64_t	*words;
	size_t		pages;
	uint32_t	*generation;
};

static uint64_t key_of(const struct area *area, size_t page, uint64_t generation)
{
	return mix(seed) ^ mix(area->process << 1 | (area->name[0] == 'f')) ^ mix(page << 32 | generation);
}

static void fill(struct area *area, size_t page)
{
	uint64_t generation = ++area->generation[page], key = key_of(area, page, generation);
	uint64_t *words = area->words + page * WORDS;

	words[0] = generation;
	for (unsigned int i = 1; i < WORDS; i++)
		words[i] = key + i * 0x9e3779b97f4a7c15UL;
}

static void verify(const struct area *area, size_t page)
{
	uint64_t generation = area->generation[page], key = key_of(area, page, generation);
	const uint64_t *words = area->words + page * WORDS;

	for (unsigned int i = 0; i < WORDS; i++) {
		uint64_t want = i ? key + i * 0x9e3779b97f4a7c15UL : generation;

		if (words[i] == want)
			continue;
		errx(1, "process %ld: %s page %zu of %zu, word %u: expected %#lx, found %#lx "
		     "(generation %lu, page says %lu)",
		     area->process, area->name, page, area->pages, i, (unsigned long)want, (unsigned long)words[i],
		     (unsigned long)generation, (unsigned long)words[0]);
	}
}

static void set_up(struct area *area, long process, const char *name, size_t bytes, int fd)
{
	area->name = name;
	area->process = process;
	area->pages = bytes / PAGE;
	if (!area->pages)
		return;
	area->words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (area->words == MAP_FAILED)
		err(1, "mmap of %zu bytes", bytes);
	area->generation = calloc(area->pages, sizeof(*area->generation));
	if (!area->generation)
		err(1, "calloc");
	for (size_t page = 0; page < area->pages; page++)
		fill(area, page);
}

static void touch(struct area *area)
{
	size_t page = below(area->pages);

	verify(area, page);
	if (below(2))
		fill(area, page);
}

/* A child that sees what its parent had, and changes it for itself alone. */
static void fork_once(struct area *anon)
{
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		if (errno != ENOMEM && errno != EAGAIN)
			err(1, "fork");
		return;
	}
	if (!pid) {
		for (int i = 0; i < 16; i++)
			touch(anon);
		_exit(0);
	}
	for (int i = 0; i < 8; i++)
		touch(anon);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "process %ld: its child ended with status %#x", anon->process, status);
}

/* The end of the file is cut off, and what comes back in its place must be zero: then it is filled again. */
static void cut_once(struct area *file, int fd)
{
	size_t first = file->pages - 1 - below(file->pages < CUT ? file->pages : CUT), last = WORDS - 1;

	while (ftruncate(fd, first * PAGE + PAGE / 2) < 0 || ftruncate(fd, file->pages * PAGE) < 0)
		if (errno != ENOMEM)
			err(1, "ftruncate");
	for (size_t page = first; page < file->pages; page++) {
		if (file->words[page * WORDS + last])
			errx(1, "process %ld: page %zu was cut off, and is back", file->process, page);
		fill(file, page);
	}
}

static void run(long process)
{
	char path[PATH_MAX];
	struct area anon = { 0 }, file = { 0 };
	unsigned long steps = 0;
	time_t end;
	int fd = -1;

	state = mix(seed * 1000 + process);
	set_up(&anon, process, "anonymous", anon_bytes, -1);
	if (file_bytes) {
		snprintf(path, sizeof(path), "%s/memstress.%ld", dir, process);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, file_bytes) < 0)
			err(1, "%s", path);
		set_up(&file, process, "file", file_bytes, fd);
	}
	end = time(NULL) + seconds;
	while (time(NULL) < end) {
		unsigned long what = below(1000);

		if (what < 5 && anon.pages)
			fork_once(&anon);
		else if (what < 7 && file.pages)
			cut_once(&file, fd);
		else if (file.pages && (what < 350 || !anon.pages))
			touch(&file);
		else if (anon.pages)
			touch(&anon);
		steps++;
	}
	for (size_t page = 0; page < anon.pages; page++)
		verify(&anon, page);
	for (size_t page = 0; page < file.pages; page++)
		verify(&file, page);
	if (fd >= 0) {
		if (fsync(fd) < 0)
			err(1, "fsync %s", path);
		close(fd);
		if (!keep_files)
			unlink(path);
	}
	printf("process %ld: %lu steps\n", process, steps);
}

int main(int argc, char **argv)
{
	int option, bad = 0;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "p:a:f:t:s:k")) != -1) {
		switch (option) {
		case 'p': processes = number_arg(optarg, "processes"); break;
		case 'a': anon_bytes = number_arg(optarg, "size"); break;
		case 'f': file_bytes = number_arg(optarg, "size"); break;
		case 't': seconds = number_arg(optarg, "seconds"); break;
		case 's': seed = number_arg(optarg, "seed"); break;
		case 'k': keep_files = true; break;
		default: usage();
		}
	}
	if (optind < argc)
		dir = argv[optind++];
	if (optind < argc)
		usage();
	for (long i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			run(i);
			return finish(0);
		}
	}
	for (long i = 0; i < processes; i++) {
		int status;

		if (wait(&status) < 0)
			err(1, "wait");
		if (status)
			warnx("a process ended with status %#x", status);
		bad |= status != 0;
	}
	return finish(bad);
}
