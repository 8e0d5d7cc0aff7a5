/*
 * The few lines every glibc test program shares: check() and done().
 *
 * These programs are compiled by the distribution's unmodified cross compiler
 * and linked statically against glibc. They show that the kernel's system calls
 * are what a real C library expects. Each one prints "ok NAME" and exits with 0,
 * or says what went wrong, where, and exits with 1.
 */
#ifndef GLIBC_CHECK_H
#define GLIBC_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define check(cond, ...)                                                                 \
	do {                                                                             \
		if (!(cond)) {                                                           \
			int check_errno = errno;                                         \
			\
			printf("%s:%d: expected %s", __FILE__, __LINE__, #cond);         \
			printf("; " __VA_ARGS__);                                        \
			printf(" (errno %d, %s)\n", check_errno, strerror(check_errno)); \
			fflush(stdout);                                                  \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static inline int done(const char *name)
{
	printf("ok %s\n", name);
	return fflush(stdout) ? 1 : 0;
}

#endif
