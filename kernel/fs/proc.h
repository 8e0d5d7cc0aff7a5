/*
 * /proc: each subsystem registers its own files. A file's text is made anew at each open, into a
 * buffer that grows (seq_file, as in Linux).
 */
#pragma once

#include "lib/compiler.h"

struct seq_file {
	char *buf;
	size_t size, count;
	bool overflow;
};
void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq_file *m, const char *s);
void seq_putc(struct seq_file *m, char c);

/* /proc/@path ("meminfo", "sys/vm/drop_caches"); directories appear as needed. show fills; write
 * (NULL: read-only) gets a NUL-terminated copy of at most one page: 0 or -errno. */
int proc_create(const char *path, int (*show)(struct seq_file *m, void *data),
		int (*write)(const char *text, size_t n, void *data), void *data);

/* /proc/<pid>/@name, for proc/ (the process table): show gets the process with that pid, held
 * alive. */
struct process;
int proc_create_pid(const char *name, int (*show)(struct seq_file *m, struct process *p),
		    int (*write)(const char *text, size_t n, struct process *p));
/* A symbolic link in /proc/<pid>/ (exe, cwd): target text into buf, length or -errno. */
int proc_create_pid_link(const char *name, int (*target)(struct process *p, char *buf, size_t n));
/* How fs/proc.c finds processes; registered by proc/: next pid > after (0: none left), reference by
 * pid, the caller's pid (0: a kernel thread). */
struct proc_pid_ops {
	pid_t (*next)(pid_t after);
	struct process *(*get)(pid_t pid);
	void (*put)(struct process *p);
	pid_t (*self)(void);
};
void proc_set_pid_ops(const struct proc_pid_ops *ops);
