/*
 * init: process 1. It either runs one command and switches the machine off, or keeps an interactive
 * shell going.
 *
 * SIGRTMIN+4 makes it end everybody, sync and power off; SIGRTMIN+5, restart. That is what poweroff does.
 *
 * The kernel command line decides (it is read from /proc/cmdline):
 *	strata.run=HEX	  print "strata: run: start", run the shell command whose bytes HEX spells
 *			  (lower-case hexadecimal), print "strata: run: exit status N", sync, power off
 *	swap=DEVICE	  swap to it
 *	strata.bootmark	  the shell prints "strata: prompt after N ns" before its first prompt
 * The command travels in hexadecimal because a command line knows no quoting worth the name.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: init\n"
	"Process 1: run the command of strata.run= on the kernel command line, or an interactive shell.\n";

static void open_console(void)
{
	int fd;

	while ((fd = open("/dev/console", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The value of a word "name" or "name=value" of the command line: a fresh string, or NULL. */
static char *boot_option(const char *name)
{
	size_t length = strlen(name), size = 0;
	FILE *file = fopen("/proc/cmdline", "r");
	char *line = NULL, *rest, *word, *value = NULL;

	if (!file)
		return NULL;
	if (getdelim(&line, &size, '\0', file) > 0) {
		rest = line;
		while (!value && (word = strsep(&rest, " \t\n"))) {
			if (strncmp(word, name, length))
				continue;
			if (word[length] == '=')
				value = strdup(word + length + 1);
			else if (!word[length])
				value = strdup("");
		}
	}
	free(line);
	fclose(file);
	return value;
}

static void start_swapping(void)
{
	char *device = boot_option("swap");

	if (device && syscall(SYS_swapon, device, 0) < 0)
		warn("swapon %s", device);
	free(device);
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode in place; false if it is not hexadecimal. */
static bool decode_hex(char *s)
{
	char *to = s;

	for (; s[0]; s += 2) {
		int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0)
			return false;
		*to++ = (char)(high << 4 | low);
	}
	*to = '\0';
	return true;
}

/* Start the shell in a session of its own that has the console as its terminal. */
static pid_t start_shell(const char *command)
{
	pid_t pid = fork();

	if (pid < 0)
		warn("fork");
	if (pid != 0)
		return pid;
	signal(SIGINT, SIG_DFL);
	setsid();
	ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	if (command)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	else
		execl("/bin/sh", "sh", (char *)NULL);
	warn("/bin/sh");
	_exit(127);
}

/* Nothing may write or hold a deleted file open any more when the disk is closed. */
static void end_everybody(void)
{
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static _Noreturn void shut_down(int how)
{
	end_everybody();
	sync();
	reboot(how);
	warn("reboot");
	for (;;)
		pause();
}

/* What a signal asked for: SIGRTMIN+4 power off, SIGRTMIN+5 restart, as systemd has it. */
static volatile int asked;

static void on_signal(int sig)
{
	asked = sig == SIGRTMIN + 4 ? RB_POWER_OFF : RB_AUTOBOOT;
}

/*
 * Wait for pid, burying every orphan that ends before it. Its wait status; -1 if there is no child.
 */
static int reap_until(pid_t pid)
{
	int status;

	for (;;) {
		pid_t done = asked ? -1 : wait(&status);

		if (asked)
			shut_down(asked);
		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
	}
}

static _Noreturn void run_and_power_off(char *command)
{
	int status = 127 << 8;

	printf("strata: run: start\n");
	fflush(stdout);
	if (!decode_hex(command))
		warnx("strata.run: not hexadecimal");
	else
		status = reap_until(start_shell(command));
	end_everybody();
	sync();
	printf("strata: run: exit status %d\n", status < 0 ? 127 : WIFEXITED(status) ?
	       WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
	shut_down(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	char *command;

	prog_init(argc, argv, help);
	if (getpid() != 1)
		errx(1, "must be process 1");
	open_console();
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/", 1);
	setenv("TERM", "dumb", 0);
	setenv("SHELL", "/bin/sh", 1);
	signal(SIGINT, SIG_IGN);
	sigaction(SIGRTMIN + 4, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	sigaction(SIGRTMIN + 5, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	start_swapping();
	command = boot_option("strata.run");
	if (command)
		run_and_power_off(command);
	if (boot_option("strata.bootmark"))
		setenv("BOOTMARK", "1", 1);
	for (;;) {
		pid_t pid = start_shell(NULL);

		if (pid < 0 || reap_until(pid) == 127 << 8)
			sleep(1);		/* do not spin if there is no shell to be had */
		unsetenv("BOOTMARK");
	}
}
