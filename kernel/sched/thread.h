/*
 * A thread: what the scheduler switches. The caller gives the memory (task/kthread.c and
 * proc/fork.c do, with stacks from vmalloc); struct task in proc/ embeds it as first member.
 */
#pragma once

#include "arch/arch.h"
#include "base/lockdep.h"
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
	TASK_NEW,		/* thread_start() has not been called yet */
};

struct mm;
struct thread;

struct thread {
	struct thread_head head;	/* must be first */
	int state;			/* enum thread_state; wakers change it under wake_lock */
	int on_cpu;			/* running right now: its stack is in use */
	int on_rq;			/* queued or running; under head.cpu's run queue lock */
	pid_t tid;			/* 0: idle; kernel threads have tids too */
	char comm[16];
	struct mm_context *mmctx;	/* NULL: no user memory */
	struct mm *mm;			/* the owner of mmctx; opaque here */
	void *stack;			/* lowest address; THREAD_SIZE bytes */
	void (*release)(struct thread *t);	/* called once it is off its stack for good */
	void (*fn)(void *arg);		/* where it starts */
	void *arg;
	bool user;			/* embedded in a struct task */
	bool in_kernel;			/* between account_kernel_enter() and _exit() */
	spinlock_t wake_lock;		/* serialises wake-ups */
	struct list_head run_node;
	struct list_head all_node;	/* thread_list, under thread_list_lock */
	u64 slice_end_ns;
	u64 utime_ns, stime_ns;		/* CPU time up to last_switch_ns */
	u64 start_ns;
	u64 last_switch_ns;		/* since when nothing is accounted */
	unsigned long cpus_allowed;	/* bit n: CPU n may run it; seen at the next wake-up */
	bool movable;			/* while queued: no CPU is forbidden to it */
	unsigned long nvcsw, nivcsw;
	void *journal;			/* free for upper layers: e.g. reclaim state */
	unsigned int gfp_mask_off;	/* flags masked from allocations (__GFP_FS, __GFP_IO) */
	unsigned int pf_flags;		/* PF_ below */
	bool oom_victim;		/* being killed for its memory: may use the reserves to die */
#ifdef CONFIG_DEBUG
	struct held_locks held;		/* mutexes, for base/lockdep.c */
#endif
};

#define PF_MEMALLOC	BIT(0)		/* frees memory by running: may use the reserves */
#define PF_KSWAPD	BIT(1)
#define PF_KTHREAD	BIT(2)
#define PF_EXITING	BIT(3)
#define PF_NO_OOM	BIT(4)		/* its allocations fail before anybody is killed for them */

#define current_thread() ((struct thread *)current_head())
/* Does it work for a user program other than init, without which nothing goes on? Fault injection spares
 * the others. */
#define thread_is_fallible() (current_thread()->user && current_thread()->tid != 1)

extern struct list_head thread_list;	/* every thread but the idle ones */
extern spinlock_t thread_list_lock;

/* Thread ids, 1 is kept for init: a positive number, or -EAGAIN, all are in use. Any context. */
pid_t tid_alloc(void);
void tid_free(pid_t tid);

/* Fills in a thread that will start in fn(arg), interrupts on; not running yet. @stack: THREAD_SIZE
 * bytes. The caller then sets tid, release, user, mm and what else differs from zero. */
void thread_init(struct thread *t, const char *name, void *stack, void (*fn)(void *), void *arg);
/* Makes a new thread runnable on a CPU that it picks; enters it into thread_list. Any context. */
void thread_start(struct thread *t);
/* Wakes @t if it sleeps in a state that @mask (BIT(TASK_…)) holds; true if it did. Any context. */
bool wake_up_thread(struct thread *t, unsigned int mask);
#define TASK_NORMAL	(BIT(TASK_INTERRUPTIBLE) | BIT(TASK_UNINTERRUPTIBLE) | BIT(TASK_KILLABLE))
#define wake_up_process(t) wake_up_thread(t, TASK_NORMAL)

/* Gives the CPU away. In TASK_RUNNING it stays runnable; else it sleeps until woken. Interrupts may
 * be on or off; no spinlock held. */
void schedule(void);
/*
 * Ends the current thread: TASK_DEAD. Once it is off its stack, a kernel thread ("reaper") takes it
 * off thread_list and calls t->release(t), which may sleep and frees stack, tid and memory. With
 * t->release NULL nothing more happens. sched_reap_flush() waits until all that are dead now have
 * been released.
 */
__noreturn void thread_exit(void);
void sched_reap_flush(void);
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

/*
 * CPU time of a user thread is all user time, but what lies between these two: system calls and
 * faults call them first and last. Current thread.
 */
void account_kernel_enter(void);
void account_kernel_exit(void);
/* CPU time of @t up to now, running or not. */
void thread_cputime(const struct thread *t, u64 *utime_ns, u64 *stime_ns);

void sched_init(void);			/* boot CPU; the boot thread counts as its idle thread */
/* The boot thread's last call: CPU 0's own idle thread, on @stack, takes over. */
__noreturn void sched_start(void *stack);
/* Run queue and idle thread of another CPU; @stack: THREAD_SIZE bytes. Returns the idle thread. */
struct thread *sched_init_cpu(unsigned int cpu, void *stack);
__noreturn void cpu_idle_loop(void);	/* the idle threads' life; turns interrupts on */
void sched_reaper_loop(void *unused);	/* the reaper's life: main.c makes a kernel thread of it */
unsigned int sched_nr_running(void);
void sched_loadavg(unsigned long avg[3]);	/* 1, 5, 15 minutes, fixed point << 11 */
u64 sched_idle_ns(unsigned int cpu);	/* time @cpu was idle, for /proc/uptime and /proc/stat */
u64 sched_nr_switches(unsigned int cpu);
/* Does some CPU run @t now? Never looks into *t, which may be gone. Any context. */
bool sched_is_running(const struct thread *t);

/* Between core.c and timer.c, interrupts off: when must this CPU's thread give way (~0: never, for
 * nobody waits); and that moment has perhaps come. */
u64 sched_slice_deadline(void);
void sched_tick(void);
