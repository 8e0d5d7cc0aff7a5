/* The commands that run in the shell itself, because they change it or to save a process. */
#include "sh.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *command, const char *what)
{
	fprintf(stderr, "%s: %s: %s: %s\n", shell.name, command, what, strerror(errno));
	return 1;
}

static int bad(const char *command, const char *problem)
{
	fprintf(stderr, "%s: %s: %s\n", shell.name, command, problem);
	return 2;
}

/* A non-negative decimal number, or -1. */
static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return !isdigit((unsigned char)*text) || *end ? -1 : value;
}

static int builtin_true(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int builtin_false(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}

static int builtin_cd(int argc, char **argv)
{
	const char *to = argc > 1 ? argv[1] : var_get("HOME");
	char cwd[PATH_MAX];

	if (argc > 2)
		return bad("cd", "too many arguments");
	if (to && !strcmp(to, "-"))
		to = var_get("OLDPWD");
	if (!to)
		return bad("cd", argc > 1 ? "OLDPWD is not set" : "HOME is not set");
	if (!getcwd(cwd, sizeof(cwd)))
		*cwd = '\0';
	if (chdir(to) < 0)
		return fail("cd", to);
	if (argc > 1 && !strcmp(argv[1], "-"))
		puts(to);
	var_set("OLDPWD", cwd);
	if (getcwd(cwd, sizeof(cwd)))
		var_set("PWD", cwd);
	return 0;
}

static int builtin_pwd(int argc, char **argv)
{
	char cwd[PATH_MAX];

	(void)argc;
	if (!getcwd(cwd, sizeof(cwd)))
		return fail(argv[0], ".");
	puts(cwd);
	return 0;
}

static int builtin_exit(int argc, char **argv)
{
	long status = argc > 1 ? number(argv[1]) : shell.status;

	if (status < 0) {
		bad("exit", "the status must be a number");
		status = 2;
	}
	exit((int)(status & 255));
}

static int builtin_export(int argc, char **argv)
{
	int status = 0;

	if (argc == 1 || (argc == 2 && !strcmp(argv[1], "-p")))
		vars_print_exported();
	for (int i = 1; i < argc; i++) {
		size_t length = strcspn(argv[i], "=");
		char *name;

		if (!strcmp(argv[i], "-p"))
			continue;
		if (!is_name(argv[i], length)) {
			status = bad("export", "not a variable name");
			continue;
		}
		if (argv[i][length])
			var_assign(argv[i]);
		name = strndup(argv[i], length);
		var_export(name);
		free(name);
	}
	return status;
}

static int builtin_unset(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		var_unset(argv[i]);
	return 0;
}

static int builtin_wait(int argc, char **argv)
{
	int status = 0;

	if (argc == 1)
		return wait_background(0);
	for (int i = 1; i < argc; i++) {
		long pid = number(argv[i]);

		if (pid <= 0 || pid > INT_MAX)
			return bad("wait", "not a process id");
		status = wait_background((pid_t)pid);
	}
	return status;
}

static int builtin_shift(int argc, char **argv)
{
	long count = argc > 1 ? number(argv[1]) : 1;

	if (count < 0 || count > shell.argument_count)
		return bad("shift", "can't shift that many");
	shell.arguments += count;
	shell.argument_count -= (int)count;
	return 0;
}

/* Leave, or go on with, the enclosing loop; the loops themselves count break_count down. */
static int leave_loops(int argc, char **argv)
{
	long count = argc > 1 ? number(argv[1]) : 1;

	if (count <= 0)
		return bad(argv[0], "bad loop count");
	if (!shell.loop_depth)
		return 0;
	shell.break_count = count < shell.loop_depth ? (int)count : shell.loop_depth;
	shell.continuing = !strcmp(argv[0], "continue");
	return 0;
}

static int builtin_set(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
		bool on = argv[i][0] == '-';

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		for (const char *p = argv[i] + 1; *p; p++) {
			if (*p == 'e')
				shell.exit_on_error = on;
			else if (*p == 'x')
				shell.trace = on;
			else
				return bad("set", "only -e and -x are known");
		}
	}
	if (i < argc || (argc > 1 && !strcmp(argv[i - 1], "--"))) {
		struct list arguments = { 0 };

		for (; i < argc; i++)
			list_add(&arguments, strdup(argv[i]));
		shell.arguments = arguments.item;
		shell.argument_count = (int)arguments.count;
	}
	return 0;
}

/* Byte by byte, because the rest of the input belongs to whoever reads next. */
static int builtin_read(int argc, char **argv)
{
	struct text line = { 0 };
	bool raw = argc > 1 && !strcmp(argv[1], "-r");
	int first = raw ? 2 : 1;
	ssize_t n;
	char c, *p;

	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (c == '\\' && !raw) {
			n = read(STDIN_FILENO, &c, 1);
			if (n == 1 && c == '\n')
				continue;
		}
		if (n == 1)
			text_char(&line, c);
	}
	if (!line.data)
		text_add(&line, "", 0);
	p = line.data;
	for (int i = first; i < argc; i++) {
		char *end;

		while (isspace((unsigned char)*p))
			p++;
		end = p + strlen(p);
		if (i < argc - 1)
			end = p + strcspn(p, " \t");
		else
			while (end > p && isspace((unsigned char)end[-1]))
				end--;
		c = *end;
		*end = '\0';
		var_set(argv[i], p);
		*end = c;
		p = end;
	}
	free(line.data);
	return n == 1 ? 0 : 1;
}

static int builtin_eval(int argc, char **argv)
{
	struct text text = { 0 };
	int status = 0;

	for (int i = 1; i < argc; i++) {
		if (i > 1)
			text_char(&text, ' ');
		text_add(&text, argv[i], strlen(argv[i]));
	}
	if (text.data)
		status = run_string(text.data);
	free(text.data);
	return status;
}

/* The redirections have been made for good by the time this runs. */
static int builtin_exec(int argc, char **argv)
{
	int status;

	if (argc == 1)
		return 0;
	if (shell.job_control)
		reset_signals();
	environ = vars_environment();
	execvp(argv[1], argv + 1);
	status = errno == ENOENT ? 127 : 126;
	fail("exec", argv[1]);
	exit(status);
}

static int builtin_umask(int argc, char **argv)
{
	if (argc > 1) {
		umask((mode_t)strtol(argv[1], NULL, 8) & 0777);
	} else {
		mode_t mask = umask(0);

		umask(mask);
		printf("%04o\n", mask);
	}
	return 0;
}

/* test: POSIX's rules by argument count, which need no precedence. */

static bool file_test(char which, const char *path)
{
	struct stat st;

	if (which == 'h' || which == 'L')
		return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
	if (stat(path, &st) < 0)
		return false;
	switch (which) {
	case 'd': return S_ISDIR(st.st_mode);
	case 'f': return S_ISREG(st.st_mode);
	case 'b': return S_ISBLK(st.st_mode);
	case 'c': return S_ISCHR(st.st_mode);
	case 'p': return S_ISFIFO(st.st_mode);
	case 's': return st.st_size > 0;
	case 'r': return access(path, R_OK) == 0;
	case 'w': return access(path, W_OK) == 0;
	case 'x': return access(path, X_OK) == 0;
	default: return true;
	}
}

/* 0 true, 1 false, 2 wrong. */
static int test_one(const char *operator, const char *operand)
{
	if (operator[0] != '-' || !operator[1] || operator[2])
		return bad("test", "unknown operator");
	if (operator[1] == 'n' || operator[1] == 'z')
		return (*operand != '\0') != (operator[1] == 'n');
	if (operator[1] == 't')
		return !isatty(atoi(operand));
	if (!strchr("edfbcpshLrwx", operator[1]))
		return bad("test", "unknown operator");
	return !file_test(operator[1], operand);
}

static int test_two(const char *left, const char *operator, const char *right)
{
	static const char *const names[] = { "-eq", "-ne", "-lt", "-le", "-gt", "-ge" };
	char *end_left, *end_right;
	long a, b;

	if (!strcmp(operator, "=") || !strcmp(operator, "=="))
		return strcmp(left, right) != 0;
	if (!strcmp(operator, "!="))
		return strcmp(left, right) == 0;
	a = strtol(left, &end_left, 10);
	b = strtol(right, &end_right, 10);
	for (int i = 0; i < 6; i++) {
		bool results[] = { a == b, a != b, a < b, a <= b, a > b, a >= b };

		if (strcmp(operator, names[i]))
			continue;
		if (*end_left || *end_right || end_left == left || end_right == right)
			return bad("test", "not a number");
		return !results[i];
	}
	return bad("test", "unknown operator");
}

static int test_words(int count, char **word)
{
	if (count == 0)
		return 1;
	if (count == 1)
		return !*word[0];
	if (count <= 4 && count != 3 && !strcmp(word[0], "!")) {
		int status = test_words(count - 1, word + 1);

		return status == 2 ? 2 : !status;
	}
	if (count == 2)
		return test_one(word[0], word[1]);
	if (count == 3)
		return !strcmp(word[0], "!") ? !test_words(2, word + 1)
					     : test_two(word[0], word[1], word[2]);
	return bad("test", "too many arguments");
}

int builtin_test(int argc, char **argv)
{
	if (!strcmp(argv[0], "[")) {
		if (strcmp(argv[argc - 1], "]"))
			return bad("[", "missing ]");
		argc--;
	}
	return test_words(argc - 1, argv + 1);
}

static const struct {
	const char	*name;
	builtin_fn	*run;
} builtins[] = {
	{":", builtin_true},	  {"[", builtin_test},	     {"break", leave_loops},
	{"cd", builtin_cd},	  {"continue", leave_loops}, {"eval", builtin_eval},
	{"exec", builtin_exec},	  {"exit", builtin_exit},    {"export", builtin_export},
	{"false", builtin_false}, {"pwd", builtin_pwd},	     {"read", builtin_read},
	{"set", builtin_set},	  {"shift", builtin_shift},  {"test", builtin_test},
	{"true", builtin_true},	  {"umask", builtin_umask},  {"unset", builtin_unset},
	{"wait", builtin_wait},
};

builtin_fn *find_builtin(const char *name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++)
		if (!strcmp(builtins[i].name, name))
			return builtins[i].run;
	return NULL;
}
