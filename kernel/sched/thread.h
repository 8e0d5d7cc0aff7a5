/*
 * A thread: what the scheduler switches. The caller gives the memory (task/kthread.c and proc/fork.c
 * do, with stacks from vmalloc); struct task in proc/ embeds it as first member.
 */
#pragma once

#include "arch/arch.h"
#include "base/percpu.h"
#include "base/spinlock.h"
#include "lib/list.h"

enum thread_state {
	TASK_RUNNING,		/* running or on a run queue */
	TASK_INTERRUPTIBLE,	/* sleeping; a signal wakes it */
	TASK_UNINTERRUPTIBLE,	/* sleeping; only its event wakes it */
	TASK_KILLABLE,		/* sleeping; its event or a fatal signal (TIF_KILLED) wakes it */
	TASK_STOPPED,		/* stopped by a signal, until SIGCONT or death */
	TASK_DEAD,		/* will never run again */
};

struct mm;
struct thread;

struct thread {
	struct thread_head head;	/* must be first */
	int state;			/* enum thread_state; changed under rq or by itself */
	int on_cpu;			/* running right now: its stack is in use */
	int on_rq;			/* queued or running */
	pid_t tid;			/* 0: idle; kernel threads have tids too */
	char comm[16];
	struct mm_context *mmctx;	/* NULL: no user memory */
	struct mm *mm;			/* the owner of mmctx; opaque here */
	void *stack;			/* lowest address; THREAD_SIZE bytes */
	void (*release)(struct thread *t);	/* called once it is off its stack for good */
	bool user;			/* embedded in a struct task */
	spinlock_t wake_lock;		/* serialises wake-ups */
	struct list_head run_node;
	struct list_head all_node;	/* thread_list, under thread_list_lock */
	u64 slice_end_ns;
	u64 utime_ns, stime_ns;		/* CPU time; accounted at switches and traps */
	u64 start_ns;
	u64 last_switch_ns;
	unsigned long nvcsw, nivcsw;
	void *journal;			/* free for upper layers: e.g. reclaim state */
	unsigned int gfp_mask_off;	/* flags masked from allocations (PF_MEMALLOC_NOFS and such) */
	unsigned int pf_flags;		/* PF_ below */
};

#define PF_MEMALLOC	BIT(0)		/* frees memory by running: may use the reserves */
#define PF_KSWAPD	BIT(1)
#define PF_KTHREAD	BIT(2)
#define PF_EXITING	BIT(3)

#define current_thread() ((struct thread *)current_head())

extern struct list_head thread_list;	/* every thread but the idle ones */
extern spinlock_t thread_list_lock;

/* Fills in a thread that will start in fn(arg); not running yet. @stack: THREAD_SIZE bytes. */
void thread_init(struct thread *t, const char *name, void *stack, void (*fn)(void *), void *arg);
/* Makes a new or sleeping thread runnable; picks a CPU. Any context. */
void thread_start(struct thread *t);
/* Wakes @t if it sleeps in a state that @mask (BIT(TASK_…)) holds; true if it did. Any context. */
bool wake_up_thread(struct thread *t, unsigned int mask);
#define TASK_NORMAL	(BIT(TASK_INTERRUPTIBLE) | BIT(TASK_UNINTERRUPTIBLE) | BIT(TASK_KILLABLE))
#define wake_up_process(t) wake_up_thread(t, TASK_NORMAL)

/* Gives the CPU away. In TASK_RUNNING it stays runnable; else it sleeps until woken. Interrupts may
 * be on or off; no spinlock held. */
void schedule(void);
/* Ends the current thread: TASK_DEAD, then t->release(t) from another thread's context. */
__noreturn void thread_exit(void);
void sched_yield(void);
/* Loads the current thread's new mmctx (exec, exit). Interrupts on. */
void sched_switch_mm(struct mm *mm, struct mm_context *ctx);

/* Announces the intention to sleep; the condition is tested after this, schedule() follows. */
#define set_current_state(s) do { WRITE_ONCE(current_thread()->state, (s)); smp_mb(); } while (0)

static inline bool signal_pending(struct thread *t)
{
	return READ_ONCE(t->head.flags) & (BIT(TIF_SIGPENDING) | BIT(TIF_KILLED));
}
static inline bool fatal_signal_pending(struct thread *t)
{
	return READ_ONCE(t->head.flags) & BIT(TIF_KILLED);
}

void sched_init(void);			/* boot CPU; before any lock is contended */
void sched_init_cpu(unsigned int cpu);	/* run queue and idle thread of another CPU */
__noreturn void cpu_idle_loop(void);
unsigned int sched_nr_running(void);
void sched_loadavg(unsigned long avg[3]);	/* 1, 5, 15 minutes, fixed point << 11 */
u64 sched_idle_ns(unsigned int cpu);	/* time this CPU slept, for /proc/uptime and /proc/stat */
/* Thread left behind that a trap from user mode found: time accounting. Called by user_mode_work. */
