/*
 * From raw words to arguments: parameters, command substitution, field splitting, globbing, quotes.
 *
 * The result is built as a *pattern*: a character that was quoted and would mean something to the
 * globber is preceded by a backslash. Splitting then happens while the pattern grows (only text
 * that came from an unquoted expansion can split), and at the end each field is either matched
 * against the file system or has its backslashes removed. This way one string carries both the text
 * and which parts of it were quoted.
 */
#include "sh.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct expansion {
	struct text	field;		/* the field being built, a pattern */
	bool		present;	/* it exists even if empty: it had a quote */
	bool		split;		/* split fields and glob */
	struct list	*out;
};

static bool expand_into(struct expansion *ex, const char *p, const char *end, bool quoted);

void list_free_items(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static void add_quoted(struct text *text, char c)
{
	if (strchr("*?[]\\", c))
		text_char(text, '\\');
	text_char(text, c);
}

static char *remove_backslashes(const char *pattern)
{
	char *plain = xmalloc(strlen(pattern) + 1), *to = plain;

	for (; *pattern; pattern++) {
		if (*pattern == '\\' && pattern[1])
			pattern++;
		*to++ = *pattern;
	}
	*to = '\0';
	return plain;
}

/* globbing */

static bool is_pattern(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (strchr("*?[", *s))
			return true;
	}
	return false;
}

/* Append to out every path that begins with prefix (a plain path) and goes on as pattern says. */
static void glob_from(const char *prefix, const char *pattern, struct list *out)
{
	size_t length = strcspn(pattern, "/");
	const char *rest = pattern + length + strspn(pattern + length, "/");
	struct text component = { 0 };
	struct dirent *entry;
	DIR *dir;

	text_add(&component, pattern, length);
	dir = opendir(*prefix ? prefix : ".");
	while (dir && (entry = readdir(dir))) {
		struct text path = { 0 };
		struct stat st;

		if ((entry->d_name[0] == '.') != (pattern[0] == '.') ||
		    fnmatch(component.data, entry->d_name, 0))
			continue;
		text_add(&path, prefix, strlen(prefix));
		text_add(&path, entry->d_name, strlen(entry->d_name));
		if (!pattern[length]) {
			list_add(out, path.data);
			continue;
		}
		text_char(&path, '/');
		if (!*rest)
			list_add(out, path.data);
		else if (stat(path.data, &st) == 0 && S_ISDIR(st.st_mode))
			glob_from(path.data, rest, out);
		if (*rest)
			free(path.data);
	}
	if (dir)
		closedir(dir);
	free(component.data);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Components without wildcards go into the prefix unread, so "/proc/1/m*" opens only /proc/1. */
static bool glob(const char *pattern, struct list *out)
{
	size_t first = out->count, fixed = 0;
	struct text prefix = { 0 };
	char *plain;

	for (size_t i = 0; pattern[i]; i++) {
		if (pattern[i] == '\\' && pattern[i + 1])
			i++;
		else if (pattern[i] == '/')
			fixed = i + 1;
		else if (strchr("*?[", pattern[i]))
			break;
	}
	text_add(&prefix, pattern, fixed);
	plain = remove_backslashes(prefix.data);
	glob_from(plain, pattern + fixed, out);
	free(plain);
	free(prefix.data);
	if (out->count > first)
		qsort(out->item + first, out->count - first, sizeof(*out->item), compare_strings);
	return out->count > first;
}

/* The field is complete: put what it stands for into the result. */
static void end_field(struct expansion *ex)
{
	if (ex->present || ex->field.length) {
		if (!ex->field.data)
			text_add(&ex->field, "", 0);
		if (!ex->split || !is_pattern(ex->field.data) || !glob(ex->field.data, ex->out))
			list_add(ex->out, remove_backslashes(ex->field.data));
	}
	free(ex->field.data);
	memset(&ex->field, 0, sizeof(ex->field));
	ex->present = false;
}

/* The value of an expansion: split at blanks unless quoted; its wildcards count unless quoted. */
static void add_value(struct expansion *ex, const char *value, bool quoted)
{
	for (; *value; value++) {
		if (quoted)
			add_quoted(&ex->field, *value);
		else if (ex->split && isspace((unsigned char)*value))
			end_field(ex);
		else if (*value == '\\' || !ex->split)
			add_quoted(&ex->field, *value);
		else
			text_char(&ex->field, *value);
	}
}

/* "$@" keeps the arguments apart; $@ and $* without quotes split anyway. */
static void add_arguments(struct expansion *ex, bool separate, bool quoted)
{
	for (int i = 0; i < shell.argument_count; i++) {
		if (i > 0) {
			if (ex->split && (separate || !quoted))
				end_field(ex);
			else
				add_quoted(&ex->field, ' ');
		}
		if (quoted)
			ex->present = true;
		add_value(ex, shell.arguments[i], quoted);
	}
}

/* Run $(command) in a child and take what it prints, without the newlines at its end. */
static bool add_command(struct expansion *ex, const char *start, const char *end, bool quoted)
{
	struct text command = { 0 }, output = { 0 };
	char buf[1024];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds) < 0) {
		fprintf(stderr, "%s: pipe: %s\n", shell.name, strerror(errno));
		return false;
	}
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "%s: fork: %s\n", shell.name, strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return false;
	}
	text_add(&command, start, (size_t)(end - start));
	if (pid == 0) {
		enter_subshell();
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		if (fds[1] != STDOUT_FILENO)
			close(fds[1]);
		exit(run_string(command.data));
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			text_add(&output, buf, (size_t)n);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	shell.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	while (output.length && output.data[output.length - 1] == '\n')
		output.data[--output.length] = '\0';
	if (output.length)
		add_value(ex, output.data, quoted);
	free(output.data);
	free(command.data);
	return true;
}

/* A parameter's value, in buf if it has to be made; NULL if unset. */
static const char *parameter(const char *name, size_t length, char buf[24])
{
	char copy[256];

	if (length == 1 && strchr("?$!#", *name)) {
		snprintf(buf, 24, "%d", *name == '?' ? shell.status : *name == '$' ? shell.pid :
			 *name == '!' ? shell.last_background : shell.argument_count);
		return *name == '!' && !shell.last_background ? NULL : buf;
	}
	if (isdigit((unsigned char)*name)) {
		int number = atoi(name);

		if (number == 0)
			return shell.name;
		return number <= shell.argument_count ? shell.arguments[number - 1] : NULL;
	}
	if (length >= sizeof(copy))
		return NULL;
	memcpy(copy, name, length);
	copy[length] = '\0';
	return var_get(copy);
}

static size_t parameter_length(const char *p)
{
	size_t length = 0;

	if (isdigit((unsigned char)*p) || (*p && strchr("?$!#@*", *p)))
		return 1;
	while (isalnum((unsigned char)p[length]) || p[length] == '_')
		length++;
	return length;
}

/*
 * ${name} ${#name} ${name:-word} ${name-word} ${name:+word} ${name:=word}; p is behind the brace.
 */
static bool add_braced(struct expansion *ex, const char *p, const char *end, bool quoted)
{
	bool measure = *p == '#' && p[1] != '}' && parameter_length(p + 1);
	const char *name = p += measure, *value;
	size_t length = parameter_length(p);
	bool colon, set;
	char buf[24];

	if (isdigit((unsigned char)*p))
		while (isdigit((unsigned char)p[length]))
			length++;
	p += length;
	colon = *p == ':';
	p += colon;
	if (!length || (p != end && (measure || !strchr("-+=", *p))) || (colon && p == end)) {
		fprintf(stderr, "%s: bad substitution: ${%.*s}\n", shell.name, (int)(end - name),
			name);
		return false;
	}
	if (length == 1 && (*name == '@' || *name == '*')) {
		add_arguments(ex, *name == '@', quoted);
		return true;
	}
	value = parameter(name, length, buf);
	if (measure) {
		snprintf(buf, sizeof(buf), "%zu", value ? strlen(value) : 0);
		value = buf;
	}
	set = value && (!colon || *value);
	if (p == end || (set && *p != '+')) {
		add_value(ex, value ? value : "", quoted);
		return true;
	}
	if (*p == '=') {
		struct text word = { 0 }, variable = { 0 };
		char *result;

		text_add(&word, p + 1, (size_t)(end - p - 1));
		text_add(&variable, name, length);
		result = expand_string(word.data);
		if (result) {
			var_set(variable.data, result);
			add_value(ex, result, quoted);
		}
		free(word.data);
		free(variable.data);
		free(result);
		return result != NULL;
	}
	if ((*p == '+') != set)
		return true;
	return expand_into(ex, p + 1, end, quoted);
}

/* p is behind a '$'. Returns the position after the expansion, or NULL on an error. */
static const char *expand_dollar(struct expansion *ex, const char *p, bool quoted)
{
	size_t length = parameter_length(p);
	const char *value, *end;
	char buf[24];

	if (*p == '(' || *p == '{') {
		end = dollar_end(p);
		if (!end--)
			return NULL;
		if (!(*p == '(' ? add_command : add_braced)(ex, p + 1, end, quoted))
			return NULL;
		return end + 1;
	}
	if (!length) {
		add_quoted(&ex->field, '$');
		return p;
	}
	if (*p == '@' || *p == '*') {
		add_arguments(ex, *p == '@', quoted);
		return p + 1;
	}
	value = parameter(p, length, buf);
	add_value(ex, value ? value : "", quoted);
	return p + length;
}

static bool expand_into(struct expansion *ex, const char *p, const char *end, bool quoted)
{
	while (p < end) {
		char c = *p++;

		if (c == '"') {
			quoted = !quoted;
			/*
			 * "$@" without arguments is nothing at all, every other "" is an empty
			 * field
			 */
			if (!(quoted && !strncmp(p, "$@\"", 3)))
				ex->present |= quoted;
			else if (!shell.argument_count)
				p += 2;
		} else if (c == '\'' && !quoted) {
			ex->present = true;
			for (; p < end && *p != '\''; p++)
				add_quoted(&ex->field, *p);
			p++;
		} else if (c == '\\' && p < end) {
			if (*p == '\n') {
				p++;
				continue;
			}
			if (quoted && !strchr("$`\"\\", *p))
				add_quoted(&ex->field, '\\');
			add_quoted(&ex->field, *p++);
		} else if (c == '$') {
			p = expand_dollar(ex, p, quoted);
			if (!p)
				return false;
		} else if (quoted) {
			add_quoted(&ex->field, c);
		} else {
			text_char(&ex->field, c);
		}
	}
	return true;
}

bool expand_word(const char *raw, struct list *out)
{
	struct expansion ex = { .split = true, .out = out };
	bool ok = expand_into(&ex, raw, raw + strlen(raw), false);

	if (ok)
		end_field(&ex);
	free(ex.field.data);
	return ok;
}

bool expand_words(const struct list *raw, struct list *out)
{
	for (size_t i = 0; i < raw->count; i++)
		if (!expand_word(raw->item[i], out))
			return false;
	return true;
}

char *expand_string(const char *raw)
{
	struct list out = { 0 };
	struct expansion ex = { .present = true, .out = &out };
	char *result = NULL;

	if (expand_into(&ex, raw, raw + strlen(raw), false)) {
		ex.present = true;
		end_field(&ex);
		result = out.item[0];
	}
	free(ex.field.data);
	free(out.item);
	return result;
}
