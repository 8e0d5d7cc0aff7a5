/*
 * From the kernel's stack image to main, and from main to exit. At entry the stack holds argc, the
 * argv pointers and NULL, the environment pointers and NULL, then the auxiliary vector.
 */
#include <errno.h>
#include <prog.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

int errno;
char **environ;
const char *progname = "";

static unsigned long *auxv;

#define ATEXIT_MAX 32
static void (*exit_functions[ATEXIT_MAX])(void);
static int exit_count;

int main(int argc, char **argv, char **envp);
_Noreturn void __libc_start(unsigned long *sp);

/* Called by _start with the initial stack pointer. */
_Noreturn void __libc_start(unsigned long *sp)
{
	int argc = (int)sp[0];
	char **argv = (char **)(sp + 1);
	char **end = argv + argc + 1;

	environ = end;
	while (*end)
		end++;
	auxv = (unsigned long *)(end + 1);
	if (argc > 0)
		progname = base_name(argv[0]);
	exit(main(argc, argv, environ));
}

unsigned long getauxval(unsigned long type)
{
	for (unsigned long *entry = auxv; entry[0] != AT_NULL; entry += 2)
		if (entry[0] == type)
			return entry[1];
	errno = ENOENT;
	return 0;
}

int atexit(void (*fn)(void))
{
	if (exit_count == ATEXIT_MAX) {
		errno = ENOMEM;
		return -1;
	}
	exit_functions[exit_count++] = fn;
	return 0;
}

_Noreturn void exit(int status)
{
	while (exit_count > 0)
		exit_functions[--exit_count]();
	fflush(NULL);
	_exit(status);
}

_Noreturn void _exit(int status)
{
	for (;;)
		__syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

_Noreturn void _Exit(int status)
{
	_exit(status);
}
