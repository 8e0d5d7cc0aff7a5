/* Threads as such: identity, birth, and the list of all. How they run is core.c. */
#include "sched/thread.h"
#include "base/panic.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/run.h"

#define TID_INIT	1
#define TID_MAX		32768

/* The boot CPU's first thread, and its stack: known to arch/. */
struct thread init_thread;
char init_stack[THREAD_SIZE] __aligned(PAGE_SIZE);

LIST_HEAD(thread_list);
DEFINE_SPINLOCK(thread_list_lock);

static DECLARE_BITMAP(tid_map, TID_MAX);
static pid_t tid_last = TID_INIT;
static DEFINE_SPINLOCK(tid_lock);

/* Next fit, so that an id is not reused soon after its thread ended. */
pid_t tid_alloc(void)
{
	unsigned long flags, tid;

	spin_lock_irqsave(&tid_lock, flags);
	tid = find_next_zero_bit(tid_map, TID_MAX, tid_last + 1);
	if (tid == TID_MAX)
		tid = find_next_zero_bit(tid_map, TID_MAX, TID_INIT + 1);
	if (tid < TID_MAX) {
		__set_bit(tid, tid_map);
		tid_last = tid;
	}
	spin_unlock_irqrestore(&tid_lock, flags);
	return tid < TID_MAX ? (pid_t)tid : -EAGAIN;
}

void tid_free(pid_t tid)
{
	unsigned long flags;

	if (tid <= TID_INIT || tid >= TID_MAX)
		return;
	spin_lock_irqsave(&tid_lock, flags);
	__clear_bit(tid, tid_map);
	spin_unlock_irqrestore(&tid_lock, flags);
}

/* The first words of every thread: core.c's switch ends here instead of in schedule(). */
static void thread_entry(void *arg)
{
	struct thread *t = arg;

	sched_finish_switch();
	local_irq_enable();
	t->fn(t->arg);
	thread_exit();
}

void thread_init(struct thread *t, const char *name, void *stack, void (*fn)(void *), void *arg)
{
	void *top = (char *)stack + THREAD_SIZE;

	memset(t, 0, sizeof(*t));
	strscpy(t->comm, name, sizeof(t->comm));
	t->state = TASK_NEW;
	t->stack = stack;
	t->fn = fn;
	t->arg = arg;
	t->start_ns = arch_clock_ns();
	t->cpus_allowed = ~0UL;
	spin_lock_init(&t->wake_lock);
	INIT_LIST_HEAD(&t->run_node);
	INIT_LIST_HEAD(&t->all_node);
	t->head.kernel_sp = (unsigned long)top;
	t->head.cpu = smp_processor_id();
	t->head.preempt_count = 1;	/* the run queue's lock, as after any switch */
	arch_thread_init(&t->head, top, thread_entry, t);
}

void thread_start(struct thread *t)
{
	unsigned long flags;

	spin_lock_irqsave(&thread_list_lock, flags);
	list_add_tail(&t->all_node, &thread_list);
	spin_unlock_irqrestore(&thread_list_lock, flags);
	wake_up_thread(t, BIT(TASK_NEW));
}

void thread_forget(struct thread *t)
{
	unsigned long flags;

	spin_lock_irqsave(&thread_list_lock, flags);
	list_del_init(&t->all_node);
	spin_unlock_irqrestore(&thread_list_lock, flags);
}
