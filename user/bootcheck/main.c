/*
 * bootcheck: does a kernel with a new page allocator carry programs?
 *
 * As process 1 (init=/bin/bootcheck) it runs the checks that strata.check= names, and switches the
 * machine off; the grader boots it so. From a shell it runs those that its arguments name, or all.
 *
 * What it prints is KTAP, and each verdict carries a code if there is a key (seal.c). A check has a
 * budget of instructions: under instruction counting one takes a nanosecond of the guest's clock,
 * whatever the load of the machine that QEMU runs on. From a shell, where a nanosecond may be just
 * that, it has more. If the kernel itself hangs, nothing here can tell; the grader does.
 */
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bootcheck.h"

static const char help[] =
	"usage: bootcheck [check...]\n"
	"Run programs on this kernel, fill its memory and give it back; or only these checks.\n";

#define PATIENCE 50		/* times the budget, where instructions may not be counted */

static unsigned long times = PATIENCE;

static bool kernel_boots_to_init(void)
{
	return true;
}

/* The grader's scripts read this table: name, sentence, budget in instructions. */
static const struct check {
	const char *name;
	const char *about;
	unsigned long budget;
	bool (*run)(void);
} checks[] = {
	{"kernel_boots_to_init", "the real kernel boots on these files, up to process 1",
	 0, kernel_boots_to_init},
	{"programs_run_on_it", "programs fork, map memory, exchange data and keep what they wrote",
	 600000000, programs_run_on_it},
	{"memory_comes_back", "memory that was filled to the last page is there again, and again",
	 2000000000, memory_comes_back},
	{"blocks_merge_again", "memory that came back in pieces is large blocks in /proc/buddyinfo",
	 600000000, blocks_merge_again},
};

#define NR_CHECKS (sizeof(checks) / sizeof(*checks))

static unsigned long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

/* A child that does nothing but end when the time is over. */
static pid_t start_watch(unsigned long budget)
{
	pid_t pid = fork();

	if (pid == 0) {
		nanosleep(&(struct timespec){budget / 1000000000, budget % 1000000000}, NULL);
		_exit(0);
	}
	return pid;
}

/* Ends all that the check has started: its processes are one group. */
static void end_group(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0)
		;
}

/* 1 passed, 0 failed, -1 out of time */
static int run_check(const struct check *check)
{
	pid_t watch = start_watch(check->budget * times), pid, done;
	int status = 0;

	pid = watch < 0 ? -1 : fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(check->run() ? 0 : 1);
	}
	if (pid < 0) {
		say("fork fails: no memory for a process");
		if (watch > 0)
			kill(watch, SIGKILL);
		return 0;
	}
	setpgid(pid, pid);
	do
		done = wait(&status);
	while (done > 0 && done != pid && done != watch);
	kill(watch, SIGKILL);
	if (done == watch) {
		end_group(pid);
		return -1;
	}
	waitpid(watch, NULL, 0);
	end_group(pid);
	if (done == pid && WIFSIGNALED(status))
		say("the check itself was killed by signal %d", WTERMSIG(status));
	return done == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* In the order of the table, which is the order in which they are asked for. */
static bool run_checks(bool (*wanted)(const char *name))
{
	unsigned int number = 0;
	bool good = true;

	for (const struct check *check = checks; check < checks + NR_CHECKS; check++) {
		unsigned long start = now();
		int result;

		if (!wanted(check->name))
			continue;
		number++;
		/* The grader takes this one as started when it starts the machine. */
		if (check->budget)
			say_sealed("# start %u %s", number, check->name);
		result = check->budget ? run_check(check) : check->run();
		good &= result == 1;
		if (result < 0)
			say_sealed("not ok %u %s # timed out after %lu instructions", number,
				   check->name, check->budget * times);
		else
			say_sealed("%s %u %s # %lu instructions", result ? "ok" : "not ok", number,
				   check->name, now() - start);
	}
	return good;
}

static char asked[512];		/* ",name,name," */

static bool was_asked(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), ",%s,", name);
	return !asked[0] || strstr(asked, word);
}

static void ask_for(const char *name, size_t len)
{
	size_t used = strlen(asked);

	if (used + len + 3 > sizeof(asked))
		errx(2, "too many names");
	snprintf(asked + used, sizeof(asked) - used, "%s%.*s,", used ? "" : ",", (int)len, name);
}

static void read_command_line(void)
{
	char line[1024], *word;
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	line[len < 0 ? 0 : len] = '\0';
	word = strstr(line, "strata.check=");
	if (!word)
		return;
	word += strlen("strata.check=");
	ask_for(word, strcspn(word, " \n"));
}

static _Noreturn void as_init(void)
{
	int fd;

	while ((fd = open("/dev/console", O_RDWR)) >= 0 && fd < STDERR_FILENO)
		;
	times = 1;
	seal_init();
	read_command_line();
	run_checks(was_asked);
	write(STDOUT_FILENO, "# ktest: end\n", 13);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		as_init();
	prog_init(argc, argv, help);
	for (int i = 1; i < argc; i++)
		ask_for(argv[i], strlen(argv[i]));
	return run_checks(was_asked) ? 0 : 1;
}
