/* The exec family on top of execve: searching PATH, scripts without an interpreter line. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH	"/bin"
#define EXECL_ARGS	64

/* A file that is executable but of no known format is a shell script. Returns only on failure. */
static void exec_or_script(const char *path, char *const argv[])
{
	size_t count = 0;
	char **args;

	execve(path, argv, environ);
	if (errno != ENOEXEC)
		return;
	while (argv[count])
		count++;
	args = malloc((count + 3) * sizeof(*args));
	if (!args)
		return;
	args[0] = "sh";
	args[1] = (char *)path;
	memcpy(args + 2, count ? argv + 1 : argv, (count ? count : 1) * sizeof(*args));
	execve("/bin/sh", args, environ);
	free(args);
	errno = ENOEXEC;
}

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

/* A file that is found but may not be executed (EACCES) is remembered while the search goes on. */
int execvp(const char *file, char *const argv[])
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	int denied = 0;

	if (strchr(file, '/')) {
		exec_or_script(file, argv);
		return -1;
	}
	if (!*file) {
		errno = ENOENT;
		return -1;
	}
	for (const char *dir = path ? path : DEFAULT_PATH; ; dir++) {
		size_t length = strcspn(dir, ":");

		if (length + strlen(file) + 2 <= sizeof(candidate)) {
			memcpy(candidate, length ? dir : ".", length ? length : 1);
			candidate[length ? length : 1] = '/';
			strcpy(candidate + (length ? length : 1) + 1, file);
			exec_or_script(candidate, argv);
			if (errno == EACCES)
				denied = 1;
			else if (errno != ENOENT && errno != ENOTDIR)
				return -1;
		}
		dir += length;
		if (!*dir)
			break;
	}
	errno = denied ? EACCES : ENOENT;
	return -1;
}

static int collect(char *argv[EXECL_ARGS], const char *arg, va_list args)
{
	argv[0] = (char *)arg;
	for (int i = 0; argv[i]; argv[i] = va_arg(args, char *))
		if (++i == EXECL_ARGS) {
			errno = E2BIG;
			return -1;
		}
	return 0;
}

int execl(const char *path, const char *arg, ...)
{
	char *argv[EXECL_ARGS];
	va_list args;
	int error;

	va_start(args, arg);
	error = collect(argv, arg, args);
	va_end(args);
	return error < 0 ? -1 : execv(path, argv);
}

int execlp(const char *file, const char *arg, ...)
{
	char *argv[EXECL_ARGS];
	va_list args;
	int error;

	va_start(args, arg);
	error = collect(argv, arg, args);
	va_end(args);
	return error < 0 ? -1 : execvp(file, argv);
}
