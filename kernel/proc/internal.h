/* Between the files of proc/. */
#pragma once

#include "proc/process.h"

struct process *process_alloc(void);		/* zeroed, locks and lists ready, refs 1; NULL */
struct task *task_alloc(const char *comm, void (*fn)(void *), void *arg);	/* with stack and tid; NULL */
void task_free(struct task *task);		/* one that never ran */
void task_link(struct task *task, struct process *p);	/* joins the group; sig_lock held */

void sighand_put(struct sighand *sighand);
struct sighand *sighand_copy(struct sighand *old);	/* NULL: no memory */
void sighand_reset(struct sighand *sighand);		/* exec: handlers become default */
/* Everything dies: marks all threads of @p killed with @code. sig_lock held. */
void kill_threads(struct process *p, int code);
/* @t stops, or goes for ever: true if a stop of its process waited for it alone; then the parent is to be told.
 * sig_lock held. */
bool stop_reached(struct task *t);
/* A thread can no longer take the group's signals: others look again. sig_lock held. */
void retarget_signals(struct process *p);
/* Tells the parent that @child stopped, went on or died; tasklist_lock held. */
void notify_parent(struct process *child, int code, int status);

/* signal_frame.c: true when the handler's frame is on the user stack. */
bool setup_signal_frame(struct pt_regs *regs, int sig, const struct k_sigaction *act,
			const struct kernel_siginfo *info, sigset_t mask);

/* fork.c: lets the parent of a vfork go on. Locks may be held. */
void vfork_done(struct process *p);

/* exec.c */
struct elf_image {
	unsigned long entry, phdr, phnum;	/* addresses in the new memory */
};
/* elf.c: maps the program in @file (its mapping is @mm->exe) into @mm; @header: its first page, @n
 * bytes of it valid. 0 or -errno. */
int load_elf(struct file *file, const void *header, size_t n, struct mm *mm,
	     struct elf_image *image);
/* Writes (or with @from NULL zeroes) memory of a mm that is not running yet. 0, -EFAULT, -ENOMEM */
int write_new_mm(struct mm *mm, unsigned long addr, const void *from, size_t n);

/* itimer.c */
void itimer_init(struct process *p);
void itimer_cancel(struct process *p);		/* no tasklist_lock: waits for the one that takes it */

/*
 * exit.c: takes a dead process out of the tables, tasklist_lock held; then frees it, no lock held.
 */
void unlink_process(struct process *p);
void free_process(struct process *p);

/* futex.c */
void futex_exit(struct task *task);		/* clear_child_tid; current task */
