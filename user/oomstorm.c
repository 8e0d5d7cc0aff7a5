/*
 * oomstorm: does the OOM killer choose the right one, and does the machine go on?
 *
 * Each round a few processes hold some memory, one of them exempt (oom_score_adj -1000) and one small but with a high
 * adjustment of its own, within bounds; then one grows until it is killed: it holds more than twice the
 * score of any other by then. Afterwards it must be the only one that died, the others' memory must be as
 * it was, programs must start, and the free memory must be back.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
	"usage: oomstorm [-n ROUNDS] [-s SEED]\n"
	"Run out of memory on purpose, ROUNDS (10) times; status 1 if the wrong process dies or memory is not back.\n";

#define PAGE		4096
#define MAX_HOLDERS	6

struct holder {
	pid_t	pid;
	int	go[2], done[2];		/* pipes: check your memory; it is good */
};

static uint64_t state;

static unsigned long below(unsigned long n)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (state >> 33) % n;
}

static unsigned long meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kb = 0;
	char line[128];

	if (!file)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			kb = strtoul(line + strlen(name) + 1, NULL, 10);
	fclose(file);
	return kb;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static uint64_t *map_pages(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static _Noreturn void hold(struct holder *self, size_t pages, unsigned long seed, const char *adjust)
{
	uint64_t *words = map_pages(pages);
	char byte;

	if (adjust)
		write_file("/proc/self/oom_score_adj", adjust);
	for (size_t i = 0; words && i < pages; i++)
		words[i * PAGE / 8] = words[i * PAGE / 8 + 511] = seed * 1000003 + i;
	if (!words || write(self->done[1], "r", 1) != 1 || read(self->go[0], &byte, 1) != 1)
		_exit(2);
	for (size_t i = 0; i < pages; i++)
		if (words[i * PAGE / 8] != seed * 1000003 + i || words[i * PAGE / 8 + 511] != seed * 1000003 + i)
			_exit(3);
	_exit(0);
}

static void start(struct holder *h, size_t pages, const char *adjust)
{
	unsigned long seed = below(1000000);
	char byte;

	if (pipe(h->go) < 0 || pipe(h->done) < 0)
		err(1, "pipe");
	h->pid = fork();
	if (h->pid < 0)
		err(1, "fork");
	if (!h->pid)
		hold(h, pages, seed, adjust);
	if (read(h->done[0], &byte, 1) != 1)
		errx(1, "a process of %zu pages could not begin", pages);
}

/* Grows until it is killed, in one of several ways. */
static _Noreturn void grow(unsigned int way, size_t total)
{
	size_t step = way == 0 ? 1 : way == 1 ? 64 : 1024;

	for (size_t done = 0; done < 4 * total; done += step) {
		uint64_t *words = map_pages(step);

		if (!words)
			continue;		/* refused: that is no reason to stop */
		for (size_t i = 0; i < step; i++)
			words[i * PAGE / 8] = i;
	}
	_exit(4);
}

/* 0: alive and its memory as it was. */
static int finish_holder(struct holder *h)
{
	int status;

	if (write(h->go[1], "g", 1) != 1)
		warn("a holder is gone");
	waitpid(h->pid, &status, 0);
	close(h->go[0]), close(h->go[1]), close(h->done[0]), close(h->done[1]);
	return status;
}

static bool programs_start(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static unsigned long free_after_drop(void)
{
	write_file("/proc/sys/vm/drop_caches", "3");
	return meminfo("MemFree");
}

static bool storm(unsigned int round)
{
	size_t total = (meminfo("MemTotal") + meminfo("SwapTotal")) / 4;
	unsigned int n = 2 + below(MAX_HOLDERS - 1), way = below(3);
	struct holder holders[MAX_HOLDERS];
	unsigned long before = free_after_drop(), after = 0;
	bool good = true;
	int status;
	pid_t hog;

	for (unsigned int i = 0; i < n; i++)
		start(&holders[i], total / 100 + below(total / 30), i == 0 ? "-1000" : i == 1 ? "50" : NULL);
	hog = fork();
	if (!hog)
		grow(way, total);
	if (hog < 0 || waitpid(hog, &status, 0) != hog)
		err(1, "the hog");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		warnx("round %u: the process that ate the memory ended with status %#x, not killed", round, status);
		good = false;
	}
	if (!programs_start()) {
		warnx("round %u: no program starts", round);
		good = false;
	}
	for (unsigned int i = 0; i < n; i++) {
		status = finish_holder(&holders[i]);
		if (status) {
			warnx("round %u: process %u of %u, which should live, ended with status %#x", round,
			      i, n, status);
			good = false;
		}
	}
	for (int try = 0; try < 20; try++) {	/* what died a moment ago may still be on its way */
		after = free_after_drop();
		if (after + before / 100 >= before)
			break;
		usleep(50000);
	}
	if (after + before / 100 < before) {
		warnx("round %u: %lu kB were free, %lu kB are", round, before, after);
		good = false;
	}
	printf("round %u: %u others, way %u, %s\n", round, n, way, good ? "good" : "BAD");
	fflush(stdout);
	return good;
}

int main(int argc, char **argv)
{
	long rounds = 10, seed = 1;
	bool good = true;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		switch (option) {
		case 'n': rounds = number_arg(optarg, "rounds"); break;
		case 's': seed = number_arg(optarg, "seed"); break;
		default: usage();
		}
	}
	state = (uint64_t)seed << 20 | 1;
	signal(SIGPIPE, SIG_IGN);
	for (long round = 0; round < rounds; round++)
		good &= storm(round);
	return finish(!good);
}
