/* sh: the shell. This file reads its input; sh/ parses, expands and runs it. */
#include "sh/sh.h"

#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: sh [-ex] [-c COMMAND [NAME [ARG...]] | FILE [ARG...]]\n"
	"Run COMMAND, the commands in FILE, or those on standard input.\n"
	"Builtins: : [ break cd continue eval exec exit export false pwd read set shift test true umask\n"
	"unset wait. Syntax: | & ; && || ! time < > >> 2> 2>&1 ( ) { } if while until for, quotes,\n"
	"$X ${X:-word} $(command) $? $$ $! $# $@ $1, * ? [set].\n";

/* sources of text */

static char *string_line(struct source *source, bool continued)
{
	size_t length = strcspn(source->string, "\n");
	struct text line = { 0 };

	(void)continued;
	if (!*source->string)
		return NULL;
	text_add(&line, source->string, length);
	text_char(&line, '\n');
	source->string += length + (source->string[length] == '\n');
	return line.data;
}

/*
 * Standard input is shared with the commands that run, so from there only one byte is taken at a
 * time.
 */
static int read_byte(struct source *source)
{
	size_t want = source->fd == STDIN_FILENO && !source->interactive ? 1 : sizeof(source->buf);

	if (source->buf_at == source->buf_end) {
		ssize_t n = read(source->fd, source->buf, want);

		source->buf_at = 0;
		source->buf_end = n > 0 ? (size_t)n : 0;
		if (n <= 0)
			return n < 0 && errno == EINTR ? -2 : -1;
	}
	return (unsigned char)source->buf[source->buf_at++];
}

static void bootmark(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &ts);
	printf("strata: prompt after %ld ns\n", ts.tv_sec * 1000000000 + ts.tv_nsec);
	var_unset("BOOTMARK");
}

static void prompt(bool continued)
{
	if (var_get("BOOTMARK"))
		bootmark();
	fflush(stdout);
	fputs(continued ? "> " : "$ ", stderr);
}

static char *file_line(struct source *source, bool continued)
{
	struct text line = { 0 };
	int c;

	if (source->interactive && source->buf_at == source->buf_end)
		prompt(continued);
	while ((c = read_byte(source)) != '\n') {
		if (c == -2 && interrupted) {
			/* Ctrl-C at the prompt */
			free(line.data);
			fputc('\n', stderr);
			source->buf_at = source->buf_end = 0;
			interrupted = 0;
			shell.status = 128 + SIGINT;
			if (continued) {
				source->cancelled = true;
				return NULL;
			}
			memset(&line, 0, sizeof(line));
			prompt(false);
		} else if (c == -1) {
			if (!line.length)
				return NULL;
			break;
		} else if (c > 0) {
			text_char(&line, (char)c);
		}
	}
	text_char(&line, '\n');
	return line.data;
}

int run_string(const char *string)
{
	struct source *source = calloc(1, sizeof(*source));
	char *copy = xstrdup(string);
	int status;

	if (!source)
		return 1;
	source->next_line = string_line;
	source->string = copy;
	status = run_source(source);
	free(copy);
	free(source);
	return status;
}

static int run_fd(int fd, bool interactive)
{
	static struct source source;

	source.next_line = file_line;
	source.fd = fd;
	source.interactive = interactive;
	run_source(&source);
	if (interactive)
		fputc('\n', stderr);
	return shell.status;
}

/* starting */

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/*
 * Interactive on a terminal: the shell leads a group of its own and owns the terminal. No
 * SA_RESTART, so that Ctrl-C ends the read of the prompt.
 */
static void start_job_control(void)
{
	struct sigaction act = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &act, NULL);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	setpgid(0, 0);
	tcsetpgrp(STDERR_FILENO, getpgrp());
	shell.job_control = true;
}

static int run_script(char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC), high;

	if (fd < 0) {
		fprintf(stderr, "sh: %s: %s\n", argv[0], strerror(errno));
		return errno == ENOENT ? 127 : 126;
	}
	high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	shell.name = argv[0];
	return run_fd(fd, false);
}

static bool option(char c)
{
	if (c == 'e')
		shell.exit_on_error = true;
	else if (c == 'x')
		shell.trace = true;
	else if (c != 'i' && c != 's')
		return false;
	return true;
}

int main(int argc, char **argv, char **envp)
{
	bool command = false;
	int i = 1;

	prog_init(argc, argv, help);
	shell.name = "sh";
	shell.pid = getpid();
	vars_init(envp);
	if (!var_get("PATH")) {
		var_set("PATH", "/bin");
		var_export("PATH");
	}
	for (; i < argc && argv[i][0] == '-' && argv[i][1] && !command; i++)
		for (const char *p = argv[i] + 1; *p; p++) {
			if (*p == 'c')
				command = true;
			else if (!option(*p))
				usage();
		}
	if (command && i == argc)
		usage();
	if (i < argc) {
		const char *string = argv[i];

		shell.arguments = argv + i + 1;
		shell.argument_count = argc - i - 1;
		if (!command)
			return run_script(argv + i);
		if (shell.argument_count) {
			shell.name = *shell.arguments++;
			shell.argument_count--;
		}
		return run_string(string);
	}
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		start_job_control();
		return run_fd(STDIN_FILENO, true);
	}
	return run_fd(STDIN_FILENO, false);
}
