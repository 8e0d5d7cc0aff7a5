/*
 * Running the tree.
 *
 * Every command of a pipeline is a child; a command alone is a child too unless it is a builtin or
 * a group. With job control (interactive, on a terminal) each pipeline started from the shell
 * itself is a process group of its own and owns the terminal while the shell waits, so Ctrl-C
 * reaches it and not the shell; children of a subshell stay in their parent's group. Parent and
 * child both call setpgid, because either may be first to need it.
 *
 * SIGINT unwinds the shell to its prompt: the handler (or a child that died of SIGINT) sets
 * `interrupted`, and every loop and list below looks at it.
 */
#include "sh.h"

#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAVED_FD_MIN 10 /* descriptors of the shell's own are kept out of the script's way */

struct shell shell;
volatile int interrupted;

static struct timeval used_user, used_system;	/* what waited-for children used: for `time` */

/* background children that have ended before anybody asked */
struct finished {
	pid_t		pid;
	int		status;
	struct finished	*next;
};

static struct finished *finished;

static int complain(const char *what, int status)
{
	fprintf(stderr, "%s: %s: %s\n", shell.name, what, strerror(errno));
	return status;
}

void reset_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	signal(SIGTTIN, SIG_DFL);
}

void enter_subshell(void)
{
	if (shell.job_control)
		reset_signals();
	shell.job_control = false;
	shell.loop_depth = 0;
	while (finished) {
		struct finished *next = finished->next;

		free(finished);
		finished = next;
	}
}

/* redirection */

static int open_redirect(const struct redirect *redirect, const char *file)
{
	int flags = O_RDONLY;

	if (redirect->type == REDIRECT_OUT)
		flags = O_WRONLY | O_CREAT | O_TRUNC;
	else if (redirect->type == REDIRECT_APPEND)
		flags = O_WRONLY | O_CREAT | O_APPEND;
	return open(file, flags | O_CLOEXEC, 0666);
}

static bool redirect_one(const struct redirect *redirect)
{
	char *word = expand_string(redirect->word);
	int fd, result;
	bool ok = false;

	if (!word)
		return false;
	if (redirect->type == REDIRECT_DUP) {
		if (!strcmp(word, "-")) {
			close(redirect->fd);
			ok = true;
		} else if (word[0] >= '0' && word[0] <= '9' && !word[1]) {
			ok = dup2(word[0] - '0', redirect->fd) >= 0;
		} else {
			errno = EBADF;
		}
	} else {
		fd = open_redirect(redirect, word);
		if (fd == redirect->fd) {
			ok = fcntl(fd, F_SETFD, 0) == 0;
		} else if (fd >= 0) {
			result = dup2(fd, redirect->fd);
			close(fd);
			ok = result >= 0;
		}
	}
	if (!ok)
		complain(word, 1);
	free(word);
	return ok;
}

/* What a redirected builtin must put back afterwards. */
struct saved_fd {
	int		fd, copy;		/* copy -1: it was closed */
	struct saved_fd	*next;
};

static struct saved_fd *saved_fds;

static void save_fd(int fd)
{
	struct saved_fd *saved = xmalloc(sizeof(*saved));

	saved->fd = fd;
	saved->copy = fcntl(fd, F_DUPFD_CLOEXEC, SAVED_FD_MIN);
	saved->next = saved_fds;
	saved_fds = saved;
}

/* Newest first, so that the oldest copy of a descriptor redirected twice wins. */
static void restore_fds(struct saved_fd *until)
{
	while (saved_fds != until) {
		struct saved_fd *saved = saved_fds;

		if (saved->copy >= 0) {
			dup2(saved->copy, saved->fd);
			close(saved->copy);
		} else {
			close(saved->fd);
		}
		saved_fds = saved->next;
		free(saved);
	}
}

/*
 * keep: the redirections outlive the command (exec), or the process is about to be something else.
 */
bool redirect_all(struct redirect *redirects, bool keep)
{
	for (; redirects; redirects = redirects->next) {
		if (!keep)
			save_fd(redirects->fd);
		if (!redirect_one(redirects))
			return false;
	}
	return true;
}

/* children */

static void add_time(struct timeval *sum, const struct timeval *more)
{
	sum->tv_sec += more->tv_sec;
	sum->tv_usec += more->tv_usec;
	if (sum->tv_usec >= 1000000) {
		sum->tv_usec -= 1000000;
		sum->tv_sec++;
	}
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void remember_finished(pid_t pid, int status)
{
	struct finished *done = xmalloc(sizeof(*done));

	done->pid = pid;
	done->status = exit_status(status);
	done->next = finished;
	finished = done;
}

/*
 * Wait for one child of the foreground; background children that end meanwhile are kept. One that
 * was stopped (Ctrl-Z) is a background child from then on, which `kill -CONT` lets go on.
 */
static int wait_foreground(pid_t pid)
{
	struct rusage usage;
	int status;

	for (;;) {
		pid_t done = wait4(pid, &status, shell.job_control ? WUNTRACED : 0, &usage);

		if (done == pid)
			break;
		if (done < 0 && errno != EINTR)
			return 127;
	}
	if (WIFSTOPPED(status)) {
		fprintf(stderr, "\nstopped: %d\n", (int)pid);
		return 128 + WSTOPSIG(status);
	}
	add_time(&used_user, &usage.ru_utime);
	add_time(&used_system, &usage.ru_stime);
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);

		if (sig == SIGINT && shell.job_control)
			interrupted = 1;
		else if (sig != SIGINT && sig != SIGPIPE)
			fprintf(stderr, "%s\n", strsignal(sig));
	}
	return exit_status(status);
}

/*
 * Collect background children without waiting, so that they do not stay zombies. Their statuses are
 * kept for `wait PID`.
 */
static void collect_finished(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		remember_finished(pid, status);
}

static bool take_finished(pid_t pid, int *status)
{
	for (struct finished **link = &finished; *link; link = &(*link)->next) {
		struct finished *done = *link;

		if (pid && done->pid != pid)
			continue;
		*status = done->status;
		*link = done->next;
		free(done);
		return true;
	}
	return false;
}

int wait_background(pid_t pid)
{
	int status = 0, ignored;

	if (pid && take_finished(pid, &status))
		return status;
	while (!interrupted) {
		pid_t done = waitpid(pid ? pid : -1, &status, 0);

		if (done > 0 && pid)
			return exit_status(status);
		if (done < 0 && errno != EINTR)
			break;
	}
	while (!pid && take_finished(0, &ignored))
		;
	return interrupted ? 128 + SIGINT : pid ? 127 : 0;
}

/*
 * Fork a child of the group `group` (0: it founds one). In the child, with job control, it has
 * joined and signals are back to default. Returns as fork does.
 */
static pid_t fork_child(pid_t group, bool foreground)
{
	bool control = shell.job_control;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		complain("fork", 0);
		return pid;
	}
	if (control) {
		setpgid(pid, group);
		if (pid == 0 && !group && foreground)
			tcsetpgrp(STDERR_FILENO, getpid());
	}
	if (pid == 0) {
		enter_subshell();
	} else if (control && !group && foreground) {
		tcsetpgrp(STDERR_FILENO, pid);
	}
	return pid;
}

static void take_terminal(void)
{
	if (shell.job_control)
		tcsetpgrp(STDERR_FILENO, getpgrp());
}

/* Replace this process by the command. */
static _Noreturn void exec_command(char **argv)
{
	const char *path = var_get("PATH");
	struct stat st;
	int error;

	environ = vars_environment();
	if (path)
		setenv("PATH", path, 1);
	execvp(argv[0], argv);
	error = errno;
	if (error == EACCES && strchr(argv[0], '/') && stat(argv[0], &st) == 0 &&
	    S_ISDIR(st.st_mode))
		error = EISDIR;
	if (error == ENOENT && !strchr(argv[0], '/'))
		fprintf(stderr, "%s: %s: not found\n", shell.name, argv[0]);
	else
		fprintf(stderr, "%s: %s: %s\n", shell.name, argv[0], strerror(error));
	_exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

static void trace(const struct list *words)
{
	fputc('+', stderr);
	for (size_t i = 0; i < words->count; i++)
		fprintf(stderr, " %s", words->item[i]);
	fputc('\n', stderr);
}

static bool assign_all(const struct list *assignments, bool export)
{
	for (size_t i = 0; i < assignments->count; i++) {
		const char *raw = assignments->item[i];
		size_t length = strcspn(raw, "=");
		char *value = expand_string(raw + length + 1);
		struct text name = { 0 };

		if (!value)
			return false;
		text_add(&name, raw, length);
		var_set(name.data, value);
		if (export)
			var_export(name.data);
		free(name.data);
		free(value);
	}
	return true;
}

static int run_builtin(builtin_fn *builtin, struct node *node, struct list *argv)
{
	struct saved_fd *before = saved_fds;
	bool keep = argv->count && !strcmp(argv->item[0], "exec");
	int status = 1;

	if (redirect_all(node->redirects, keep) && assign_all(&node->assignments, false)) {
		status = builtin ? builtin((int)argv->count, argv->item) : shell.status;
		if (fflush(stdout) || ferror(stdout)) {
			complain(argv->count ? argv->item[0] : "", 0);
			clearerr(stdout);
			status = 1;
		}
	}
	restore_fds(before);
	return status;
}

/* A command that is not a builtin. `forked`: this process is its own already. */
static int run_program(struct node *node, struct list *argv, bool forked)
{
	pid_t pid = forked ? 0 : fork_child(0, true);
	int status;

	if (pid < 0)
		return 126;
	if (pid == 0) {
		if (!redirect_all(node->redirects, true) || !assign_all(&node->assignments, true))
			_exit(1);
		exec_command(argv->item);
	}
	status = wait_foreground(pid);
	take_terminal();
	return status;
}

static int run_simple(struct node *node, bool forked)
{
	struct list argv = { 0 };
	builtin_fn *builtin = NULL;
	int status = 1;

	if (!node->words.count)
		shell.status = 0;		/* unless a substitution says otherwise */
	if (expand_words(&node->words, &argv)) {
		if (shell.trace && argv.count)
			trace(&argv);
		if (argv.count)
			builtin = find_builtin(argv.item[0]);
		if (builtin || !argv.count)
			status = run_builtin(builtin, node, &argv);
		else
			status = run_program(node, &argv, forked);
	}
	list_free_items(&argv);
	return status;
}

/* In a child: run the node and end with its status. */
static _Noreturn void run_and_exit(struct node *node)
{
	int status;

	if (node->type == NODE_SIMPLE)
		status = run_simple(node, true);
	else
		status = run(node);
	exit(status);
}

/* pipelines */

/*
 * Start the commands of a pipeline from the left: each reads what the previous one left and all but
 * the last write into a fresh pipe. Returns the last one's pid, or -1; *group is the pipeline's
 * group.
 */
static pid_t start_pipeline(struct node *node, bool last, int *input, pid_t *group,
			    struct list *pids)
{
	int fds[2] = { -1, -1 };
	pid_t pid;

	if (node->type == NODE_PIPE) {
		if (start_pipeline(node->left, false, input, group, pids) < 0)
			return -1;
		node = node->right;
	}
	if (!last && pipe2(fds, O_CLOEXEC) < 0) {
		complain("pipe", 0);
		return -1;
	}
	pid = fork_child(*group, true);
	if (pid == 0) {
		if (*input >= 0)
			dup2(*input, STDIN_FILENO);
		if (fds[1] >= 0)
			dup2(fds[1], STDOUT_FILENO);
		if (*input > STDERR_FILENO)
			close(*input);
		if (fds[0] > STDERR_FILENO)
			close(fds[0]);
		if (fds[1] > STDERR_FILENO)
			close(fds[1]);
		run_and_exit(node);
	}
	if (*input >= 0)
		close(*input);
	if (fds[1] >= 0)
		close(fds[1]);
	*input = fds[0];
	if (pid < 0)
		return -1;
	if (shell.job_control && !*group)
		*group = pid;
	list_add(pids, (char *)(long)pid);
	return pid;
}

static int run_pipeline(struct node *node)
{
	struct list pids = { 0 };
	int input = -1, status = 126;
	pid_t group = 0, last;

	last = start_pipeline(node, true, &input, &group, &pids);
	if (input >= 0)
		close(input);
	for (size_t i = 0; i < pids.count; i++) {
		pid_t pid = (pid_t)(long)pids.item[i];
		int one = wait_foreground(pid);

		if (pid == last)
			status = one;
	}
	free(pids.item);
	take_terminal();
	return status;
}

/* Without job control Ctrl-C reaches everybody in the group, so a background command ignores it. */
static int run_background(struct node *node)
{
	bool control = shell.job_control;
	pid_t pid = fork_child(0, false);

	if (pid < 0)
		return 126;
	if (pid == 0) {
		int null;

		if (!control) {
			signal(SIGINT, SIG_IGN);
			signal(SIGQUIT, SIG_IGN);
		}
		null = open("/dev/null", O_RDONLY);
		if (null > STDIN_FILENO) {
			dup2(null, STDIN_FILENO);
			close(null);
		}
		run_and_exit(node->left);
	}
	shell.last_background = pid;
	return 0;
}

static int run_subshell(struct node *node)
{
	pid_t pid = fork_child(0, true);
	int status;

	if (pid < 0)
		return 126;
	if (pid == 0) {
		if (!redirect_all(node->redirects, true))
			_exit(1);
		exit(run(node->left));
	}
	status = wait_foreground(pid);
	take_terminal();
	return status;
}

static int run_time(struct node *node)
{
	struct timespec start, end;
	int status = 0;

	memset(&used_user, 0, sizeof(used_user));
	memset(&used_system, 0, sizeof(used_system));
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (node->left)
		status = run(node->left);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec -= start.tv_sec;
	end.tv_nsec -= start.tv_nsec;
	if (end.tv_nsec < 0) {
		end.tv_nsec += 1000000000;
		end.tv_sec--;
	}
	fprintf(stderr, "real %ld.%03ld\nuser %ld.%03ld\nsys %ld.%03ld\n", end.tv_sec,
		end.tv_nsec / 1000000, used_user.tv_sec, used_user.tv_usec / 1000,
		used_system.tv_sec, used_system.tv_usec / 1000);
	return status;
}

/* loops */

/* After a round: should the loop end? */
static bool leave_loop(void)
{
	if (interrupted)
		return true;
	if (!shell.break_count)
		return false;
	if (--shell.break_count == 0 && shell.continuing) {
		shell.continuing = false;
		return false;
	}
	return true;
}

static int run_while(struct node *node)
{
	bool may_fail = shell.exit_on_error;
	int status = 0;

	shell.loop_depth++;
	for (;;) {
		int condition;

		shell.exit_on_error = false;
		condition = run(node->left);
		shell.exit_on_error = may_fail;
		if ((condition == 0) == node->negate || leave_loop())
			break;
		status = run(node->right);
		if (leave_loop())
			break;
	}
	shell.loop_depth--;
	return status;
}

static int run_for(struct node *node)
{
	struct list values = { 0 };
	bool ok =
		node->has_in ? expand_words(&node->words, &values) : expand_word("\"$@\"", &values);
	int status = ok ? 0 : 1;

	shell.loop_depth++;
	for (size_t i = 0; ok && i < values.count; i++) {
		var_set(node->name, values.item[i]);
		status = run(node->right);
		if (leave_loop())
			break;
	}
	shell.loop_depth--;
	list_free_items(&values);
	return status;
}

/* A condition's failure is not an error for set -e. */
static int run_condition(struct node *node)
{
	bool may_fail = shell.exit_on_error;
	int status;

	shell.exit_on_error = false;
	status = run(node);
	shell.exit_on_error = may_fail;
	return status;
}

static bool unwinding(void)
{
	return interrupted || shell.break_count;
}

static int run_compound(struct node *node)
{
	int status = 0;

	switch (node->type) {
	case NODE_AND:
	case NODE_OR:
		status = run_condition(node->left);
		if (!unwinding() && (status == 0) == (node->type == NODE_AND))
			status = run(node->right);
		return status;
	case NODE_NOT:
		return !run_condition(node->left);
	case NODE_SEQUENCE:
		status = run(node->left);
		return node->right && !unwinding() ? run(node->right) : status;
	case NODE_GROUP:
		return run(node->left);
	case NODE_IF:
		status = run_condition(node->left);
		if (unwinding())
			return status;
		if (status == 0)
			return run(node->right);
		return node->other ? run(node->other) : 0;
	case NODE_WHILE:
		return run_while(node);
	case NODE_FOR:
		return run_for(node);
	default:
		return status;
	}
}

static int run_redirected(struct node *node)
{
	struct saved_fd *before = saved_fds;
	int status = redirect_all(node->redirects, false) ? run_compound(node) : 1;

	fflush(stdout);
	restore_fds(before);
	return status;
}

int run(struct node *node)
{
	bool checked = false;

	switch (node->type) {
	case NODE_SIMPLE:
		shell.status = run_simple(node, false);
		checked = true;
		break;
	case NODE_PIPE:
		shell.status = run_pipeline(node);
		checked = true;
		break;
	case NODE_SUBSHELL:
		shell.status = run_subshell(node);
		checked = true;
		break;
	case NODE_BACKGROUND:
		shell.status = run_background(node);
		break;
	case NODE_TIME:
		shell.status = run_time(node);
		break;
	default:
		shell.status = run_redirected(node);
		break;
	}
	if (checked && shell.exit_on_error && shell.status)
		exit(shell.status);
	return shell.status;
}

int run_source(struct source *source)
{
	struct node *tree;

	for (;;) {
		enum parse_status parsed;

		collect_finished();
		parsed = parse_line(source, &tree);
		if (parsed == PARSE_EOF)
			return shell.status;
		if (parsed == PARSE_ERROR) {
			shell.status = 2;
			if (!source->interactive)
				return 2;
		} else if (tree) {
			run(tree);
			tree_free(tree);
		}
		if (interrupted) {
			if (!source->interactive)
				return 128 + SIGINT;
			interrupted = 0;
			fputc('\n', stderr);		/* behind the terminal's ^C */
		}
		if (shell.break_count && shell.loop_depth)
			return shell.status;
		shell.break_count = 0;
	}
}
