/* Scheduling and clone. */
#ifndef _SCHED_H
#define _SCHED_H

#include <sys/types.h>

#define CLONE_VM		0x00000100
#define CLONE_FS		0x00000200
#define CLONE_FILES		0x00000400
#define CLONE_SIGHAND		0x00000800
#define CLONE_VFORK		0x00004000
#define CLONE_PARENT		0x00008000
#define CLONE_THREAD		0x00010000
#define CLONE_NEWNS		0x00020000
#define CLONE_SYSVSEM		0x00040000
#define CLONE_SETTLS		0x00080000
#define CLONE_PARENT_SETTID	0x00100000
#define CLONE_CHILD_CLEARTID	0x00200000
#define CLONE_DETACHED		0x00400000
#define CLONE_CHILD_SETTID	0x01000000

typedef struct {
	unsigned long bits[16];
} cpu_set_t;

#define CPU_ISSET(cpu, set)	(((set)->bits[(cpu) / 64] >> ((cpu) % 64)) & 1)
#define CPU_COUNT(set)		__cpu_count(set)
int __cpu_count(const cpu_set_t *set);

/*
 * As glibc's: run fn(arg) on stack in a new process or thread, which exits with fn's result; the
 * optional arguments are int *parent_tid, void *tls, int *child_tid. The new id, or -1 with errno.
 */
int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
int sched_yield(void);
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);

#endif
