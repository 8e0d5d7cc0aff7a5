/*
 * fuzz: random system calls with interesting arguments, from a seed.
 *
 * A supervisor hands chunks of calls to workers, which are processes in a group of their own and
 * may die, hang or lose their memory at any time. What call number c does is a function of the
 * seed and c alone: so the same seed gives the same calls, and a worker that died in call c is
 * replaced by one that goes on with c + 1. A worker tells its position through a shared page; the
 * supervisor believes the page no more than it must, since any call may have written there.
 *
 * A worker that makes no progress is killed; one that then does not die is a bug in the kernel and
 * ends the run with status 1. All else is fine: only the kernel's survival is tested.
 *
 * Calls stay away from what is not theirs: signals go only to the worker itself, names that can be
 * created or removed are relative to a scratch directory, files elsewhere are only read, and no
 * call switches the machine off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define WORKERS	 3
#define CHUNK	 400
#define HANG_MS	 250   /* without progress: the worker is killed */
#define DYING_MS 30000 /* after SIGKILL: the kernel has failed */

static unsigned long total = 1000;
static volatile unsigned long *positions; /* one per worker, shared */
char *directory;

static long now_ms(void)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- workers ----------------------------------------------------------------------------------
 */

struct worker {
	pid_t pid;
	unsigned long done, end; /* its chunk: the next call, the first of the next chunk */
	unsigned long seen;	 /* the position at the last look, and when it last moved */
	long since;
};

/* A few descriptors of every kind, so that random small numbers hit something. */
static void open_descriptors(void)
{
	int null = open("/dev/null", O_RDWR), p[2];

	dup2(2, LOG_FD);
	fcntl(LOG_FD, F_SETFD, FD_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	mkdir("d", 0755);
	mkdir("e", 0755);
	open("a", O_CREAT | O_RDWR, 0644);
	open("b", O_CREAT | O_RDWR | O_APPEND, 0644);
	open("d", O_RDONLY | O_DIRECTORY);
	open("/dev/zero", O_RDWR);
	open("/proc/self/maps", O_RDONLY);
	if (pipe2(p, O_NONBLOCK) == 0)
		symlink("a", "l");
}

static void work(struct worker *w, int slot)
{
	setpgid(0, 0);
	if (chdir(directory) < 0)
		_exit(1);
	me = getpid();
	arena = mmap(NULL, ARENA * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (arena == MAP_FAILED)
		_exit(1);
	open_descriptors();
	for (unsigned long c = w->done; c < w->end; c++) {
		positions[slot] = c + 1;
		make_call(c);
		if (syscall(SYS_getpid) != me)
			_exit(0);
	}
	_exit(0);
}

static int start(struct worker *w, int slot)
{
	positions[slot] = w->done;
	w->seen = w->done;
	w->since = now_ms();
	fflush(stdout);
	w->pid = fork();
	if (w->pid == 0)
		work(w, slot);
	if (w->pid < 0) {
		w->pid = 0;
		return -1;
	}
	setpgid(w->pid, w->pid);
	return 0;
}

/* Waits for a worker that was killed. Gives -1 when the kernel does not let it die. */
static int bury(struct worker *w)
{
	long since = now_ms();

	while (waitpid(w->pid, NULL, WNOHANG) == 0) {
		if (now_ms() - since > DYING_MS) {
			printf("fuzz: a worker at call %lu does not die, seed %lu\n", w->seen - 1,
			       seed);
			return -1;
		}
		usleep(2000);
	}
	return 0;
}

/*
 * The calls the worker made since it was last looked at; the position is believed only within its
 * chunk, and every worker that ends has made at least one call.
 */
static void account(struct worker *w, int slot)
{
	unsigned long at = positions[slot];

	if (at > w->done && at <= w->end)
		w->done = at;
	else
		w->done++;
	w->pid = 0;
}

/* One look at a worker: 0 fine, -1 the kernel failed. */
static int look_after(struct worker *w, int slot)
{
	pid_t pid = w->pid;

	if (waitpid(pid, NULL, WNOHANG) == pid) {
		kill(-pid, SIGKILL);
		account(w, slot);
		return 0;
	}
	if (positions[slot] != w->seen) {
		w->seen = positions[slot];
		w->since = now_ms();
		return 0;
	}
	if (now_ms() - w->since < HANG_MS)
		return 0;
	kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
	if (bury(w) < 0)
		return -1;
	account(w, slot);
	return 0;
}

static void remove_all(const char *path, int depth)
{
	struct dirent *entry;
	char name[1200];
	DIR *dir = opendir(path);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) == 0 || rmdir(name) == 0 || depth > 3)
			continue;
		remove_all(name, depth + 1);
		rmdir(name);
	}
	closedir(dir);
}

/* Fork failed: the machine may be short of something for a moment. Gives up after ten seconds. */
static int start_again(struct worker *w, int slot)
{
	for (int try = 0; try < 100; try++) {
		if (start(w, slot) == 0)
			return 0;
		usleep(100000);
	}
	printf("fuzz: cannot fork: errno %d\n", errno);
	return -1;
}

static int supervise(void)
{
	struct worker workers[WORKERS] = {0};
	unsigned long handed = 0, done, reported = 0, cleaned = 0;

	for (;;) {
		int active = 0;

		for (int i = 0; i < WORKERS; i++) {
			struct worker *w = &workers[i];

			if (w->pid && look_after(w, i) < 0)
				return 1;
			if (!w->pid && w->done >= w->end && handed < total) {
				w->done = handed;
				handed += handed + CHUNK < total ? CHUNK : total - handed;
				w->end = handed;
			}
			if (!w->pid && w->done < w->end && start_again(w, i) < 0)
				return 1;
			active += w->pid != 0;
		}
		done = handed;
		for (int i = 0; i < WORKERS; i++)
			done -= workers[i].end - workers[i].done;
		for (; done >= reported + 1000; reported += 1000)
			printf("fuzz: %lu of %lu\n", reported + 1000, total);
		if (done >= cleaned + 2000) {
			remove_all(directory, 0);
			cleaned = done;
		}
		if (!active)
			return 0;
		usleep(3000);
	}
}

static int usage(void)
{
	printf("usage: fuzz [-s SEED] [-n CALLS] [-v] [-k]\n"
	       "Make random system calls. -v prints each before it is made; -k makes none whose\n"
	       "number is unknown.\n");
	return 2;
}

int main(int argc, char **argv)
{
	static char path[64];
	int status, option;

	opterr = 0;
	while ((option = getopt(argc, argv, "s:n:vk")) != -1) {
		if (option == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (option == 'n')
			total = strtoul(optarg, NULL, 0);
		else if (option == 'v')
			verbose = 1;
		else if (option == 'k')
			known_only = 1;
		else
			return usage();
	}
	snprintf(path, sizeof(path), "%s/fuzz.%d", access("/tmp", F_OK) ? "" : "/tmp", getpid());
	directory = path;
	if (mkdir(directory, 0755) < 0) {
		perror(directory);
		return 1;
	}
	positions = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (positions == MAP_FAILED) {
		perror("fuzz: mmap");
		return 1;
	}
	status = supervise();
	remove_all(directory, 0);
	rmdir(directory);
	if (status == 0)
		printf("fuzz: %lu calls, seed %lu, survived\n", total, seed);
	return status;
}
