/* Messages and the manners that all programs share. */
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *usage_text = "";

static void message(const char *format, va_list args, const char *reason)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	if (reason)
		fprintf(stderr, "%s: %s: %s\n", progname, text, reason);
	else
		fprintf(stderr, "%s: %s\n", progname, text);
}

void warn(const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list args;

	va_start(args, format);
	message(format, args, reason);
	va_end(args);
}

void warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args, NULL);
	va_end(args);
}

_Noreturn void err(int status, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list args;

	va_start(args, format);
	message(format, args, reason);
	va_end(args);
	exit(status);
}

_Noreturn void errx(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args, NULL);
	va_end(args);
	exit(status);
}

_Noreturn void __assert_fail(const char *condition, const char *file, int line,
			     const char *function)
{
	fprintf(stderr, "%s: %s:%d: %s: assertion failed: %s\n", progname, file, line, function,
		condition);
	abort();
}

void prog_init(int argc, char **argv, const char *text)
{
	usage_text = text;
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(text, stdout);
		exit(finish(0));
	}
}

_Noreturn void usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE)
			warn("write error");
		return status ? status : 1;
	}
	return status;
}

long number_arg(const char *text, const char *what)
{
	char *end;
	long value;
	int shift;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || errno)
		errx(2, "bad %s: '%s'", what, text);
	shift = *end == 'k' || *end == 'K' ? 10 : *end == 'm' || *end == 'M' ? 20 :
		*end == 'g' || *end == 'G' ? 30 : 0;
	if (shift)
		end++;
	if (*end || __builtin_mul_overflow(value, 1L << shift, &value))
		errx(2, "bad %s: '%s'", what, text);
	return value;
}

char *path_join(const char *dir, const char *name)
{
	size_t length = strlen(dir);
	char *path = xmalloc(length + strlen(name) + 2);

	strcpy(path, dir);
	if (length && dir[length - 1] != '/')
		path[length++] = '/';
	strcpy(path + length, name);
	return path;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void *xrealloc(void *ptr, unsigned long size)
{
	ptr = realloc(ptr, size);
	if (!ptr)
		err(1, "out of memory");
	return ptr;
}

void *xmalloc(unsigned long size)
{
	return xrealloc(NULL, size);
}

char *xstrdup(const char *s)
{
	return strcpy(xmalloc(strlen(s) + 1), s);
}
