/* Waiting for children. */
#ifndef _SYS_WAIT_H
#define _SYS_WAIT_H

#include <sys/types.h>
#include <sys/resource.h>

#define WNOHANG		1
#define WUNTRACED	2
#define WCONTINUED	8
#define __WALL		0x40000000

#define WTERMSIG(s)	((s) & 0x7f)
#define WEXITSTATUS(s)	(((s) >> 8) & 0xff)
#define WSTOPSIG(s)	WEXITSTATUS(s)
#define WIFEXITED(s)	(WTERMSIG(s) == 0)
#define WIFSIGNALED(s)	(((s) & 0xffff) - 1U < 0xffU)
#define WIFSTOPPED(s)	(((s) & 0xff) == 0x7f)
#define WCOREDUMP(s)	((s) & 0x80)

/* As in POSIX: the child's pid, 0 with WNOHANG and none ready, or -1 with errno. */
pid_t wait(int *status);
pid_t waitpid(pid_t pid, int *status, int options);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

#endif
