/*
 * Processes. struct process is the thread group (what has a pid, a parent, memory and files),
 * struct task one thread of it. Kernel threads (task/kthread.c) are neither.
 *
 * Locks, outermost first: tasklist_lock (spin, irq-safe: parents, children, pids, states, groups),
 * process->sig_lock (spin, irq-safe: handlers, pending sets, thread list). files->lock, fs lock:
 * spin.
 */
#pragma once

#include "sched/timer.h"
#include "sched/wait.h"
#include "mm/vm/mm.h"
#include "fs/vfs.h"
#include "proc/signal.h"

#define NR_OPEN_DEFAULT	256		/* soft limit of descriptors */
#define NR_OPEN_MAX	512

struct files {
	atomic_t refs;
	spinlock_t lock;
	struct file **fd;			/* NR_OPEN_MAX slots */
	unsigned long open[NR_OPEN_MAX / 64];	/* set, but no file: reserved by an open under way */
	unsigned long cloexec[NR_OPEN_MAX / 64];
};

struct fs_struct {
	atomic_t refs;
	spinlock_t lock;
	struct dentry *cwd, *root;
	umode_t umask;
};

struct rlimit {
	u64 cur, max;
};
#define RLIM_NLIMITS	16
#define RLIMIT_DATA	2
#define RLIMIT_STACK	3
#define RLIMIT_NOFILE	7
#define RLIMIT_AS	9

struct process {
	pid_t pid, pgid, sid;
	atomic_t refs;
	struct process *parent;
	struct list_head children, sibling;
	struct list_head all;			/* process_list */
	struct list_head threads;		/* struct task.group_node */
	unsigned int nr_threads;		/* in that list, */
	unsigned int nr_live;			/* and not on their way out; both under sig_lock */
	struct mm *mm;				/* each live thread holds it; NULL when there is none */
	int exit_code;				/* wait status */
	bool zombie, group_exiting, stopped, continued, stop_reported;
	bool vfork_pending;			/* the parent waits for exec or exit */
	int exit_signal;			/* to the parent */
	int stop_signal;			/* what stopped it */
	unsigned int nr_stopping;		/* threads that the stop has not reached yet; under sig_lock */
	struct wait_queue wait_child;		/* wait4 of this process sleeps here */
	/* signals */
	spinlock_t sig_lock;
	struct sighand *sighand;		/* shared by CLONE_SIGHAND */
	struct sigpending shared_pending;
	struct rlimit rlimits[RLIM_NLIMITS];
	char comm[16];
	u64 utime_ns, stime_ns, cutime_ns, cstime_ns;	/* of exited threads; of waited-for children */
	u64 start_ns;
	unsigned long min_flt, maj_flt;
	int oom_score_adj;			/* -1000 … 1000; fork copies it */
	u64 oom_victim_ns;			/* when the OOM killer chose it; 0: it did not */
	struct timer alarm;			/* itimer.c */
	u64 alarm_interval_ns;			/* 0: only once */
	struct task *exec_task;			/* waits until it is alone; under sig_lock */
};

struct task {
	struct thread thread;			/* must be first */
	pid_t tid;
	struct process *process;
	struct list_head group_node;
	struct files *files;			/* NULL when exiting; others look under tasklist_lock */
	struct fs_struct *fs;			/* likewise */
	/* signals, under process->sig_lock; blocked is changed only by the task itself */
	struct sigpending pending;
	sigset_t blocked;
	sigset_t wanted;			/* blocked, but rt_sigtimedwait waits for them */
	bool stop_dequeued;			/* about to stop, unless a SIGCONT comes first */
	bool stopping;				/* counted in nr_stopping */
	/* the task's own */
	sigset_t saved_blocked;			/* sigsuspend, ppoll: the mask to return to, */
	bool restore_blocked;			/* if so */
	u64 restart_deadline;			/* of the sleep that starts again; 0: none */
	u64 nomem_since_ns;			/* first fault of a series that found no memory */
	struct sigaltstack altstack;
	u32 *clear_child_tid;			/* user address */
	void *robust_list;
};

/* Only in user threads' context (not kernel threads, not idle). */
#define current_task() ((struct task *)current_thread())
#define current_process() (current_task()->process)

extern spinlock_t tasklist_lock;
extern struct list_head process_list;

struct task *find_task(pid_t tid);		/* tasklist_lock held; NULL */
struct process *find_get_process(pid_t pid);	/* referenced, or NULL */
/* The pids of all processes, up to @max of them: how many processes there are. */
unsigned int pid_list(pid_t *pids, unsigned int max);
void process_get(struct process *p);
void process_put(struct process *p);

/* Starts pid 1 from @path in a new process: 0 or -errno. */
int proc_start_init(const char *path);

long do_clone(unsigned long flags, unsigned long stack, u32 *ptid, unsigned long tls, u32 *ctid,
	      struct pt_regs *regs);
/* Replaces a process's first, kernel-only image (pid 1); returns only on failure, -errno. */
long exec_first(const char *path);
long do_execve(const char *path, const char *const *uargv, const char *const *uenvp);
__noreturn void do_exit(int code);		/* this thread; code is a wait status */
__noreturn void do_group_exit(int code);
long do_wait4(pid_t pid, int *ustatus, int options, void *urusage);
long do_waitid(int type, pid_t id, void *uinfo, int options, void *urusage);

/* itimer.c: the current process's real-time alarm; times from now on, 0: none. */
struct itimer {
	u64 interval_ns, value_ns;
};
void get_itimer(struct itimer *out);
void set_itimer(const struct itimer *new);

/* The process's memory, mm_get()ed, or NULL when it has none (any more). */
struct mm *get_process_mm(struct process *p);

/* oom_tasks.c: what the OOM killer sees of @p. */
struct oom_task;
void oom_describe(struct process *p, struct oom_task *task);

/* futex.c: Linux's futex(2); @deadline_ns absolute on CLOCK_MONOTONIC, ~0: none. */
long futex_wait(u32 *uaddr, u32 val, u64 deadline_ns, u32 bitset, bool shared);
long futex_wake(u32 *uaddr, int nr, u32 bitset, bool shared);
long futex_requeue(u32 *from, u32 *to, int nr_wake, int nr_requeue, const u32 *cmpval, bool shared);

/* files.c */
struct file *fget(unsigned int fd);		/* referenced, or NULL */
int fd_alloc(unsigned int from, bool cloexec);	/* a reserved slot, or -EMFILE */
void fd_install(unsigned int fd, struct file *file);	/* takes over the reference */
void fd_release(unsigned int fd);		/* a reserved slot that stays empty */
int fd_close(unsigned int fd);
struct files *files_copy(struct files *old);
void files_put(struct files *files);
void files_close_on_exec(struct files *files);
/* dup and fcntl(F_DUPFD): the new descriptor, -EBADF or -EMFILE. */
int fd_dup(unsigned int old, unsigned int from, bool cloexec);
int fd_dup_to(unsigned int old, unsigned int new, bool cloexec);	/* dup3; old != new */
/* The close-on-exec flag before; @set 1 or 0 changes it, -1 does not. -EBADF. */
int fd_cloexec(unsigned int fd, int set);
struct dentry *get_cwd(void);			/* referenced */
void set_cwd(struct dentry *cwd);		/* takes over the reference */
struct fs_struct *fs_copy(struct fs_struct *old);
void fs_put(struct fs_struct *fs);
