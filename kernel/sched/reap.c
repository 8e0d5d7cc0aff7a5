/*
 * The end of threads. A thread cannot free the stack it stands on, and the thread that follows it
 * on the CPU does so with interrupts off, where memory cannot be freed either. So the dead are put
 * on a list, and one kernel thread, the reaper, releases them.
 */
#include "base/panic.h"
#include "sched/run.h"
#include "sched/wait.h"

static DEFINE_SPINLOCK(dead_lock);
static LIST_HEAD(dead_list);		/* by run_node */
static unsigned long nr_buried, nr_reaped;	/* under dead_lock */
static DEFINE_WAIT_QUEUE(reaper_wait);
static DEFINE_WAIT_QUEUE(flush_wait);

void sched_bury(struct thread *t)
{
	unsigned long flags;

	spin_lock_irqsave(&dead_lock, flags);
	list_add_tail(&t->run_node, &dead_list);
	nr_buried++;
	spin_unlock_irqrestore(&dead_lock, flags);
	wake_up(&reaper_wait);
}

static void reap_one(void)
{
	unsigned long flags;
	struct thread *t;

	spin_lock_irqsave(&dead_lock, flags);
	t = list_first_entry(&dead_list, struct thread, run_node);
	list_del_init(&t->run_node);
	spin_unlock_irqrestore(&dead_lock, flags);

	thread_forget(t);
	if (t->release)
		t->release(t);

	spin_lock_irqsave(&dead_lock, flags);
	nr_reaped++;
	spin_unlock_irqrestore(&dead_lock, flags);
	wake_up_all(&flush_wait);
}

void sched_reaper_loop(void *unused)
{
	(void)unused;
	for (;;) {
		wait_event(&reaper_wait, !list_empty(&dead_list));
		reap_one();
	}
}

void sched_reap_flush(void)
{
	unsigned long until = READ_ONCE(nr_buried);

	wait_event(&flush_wait, (long)(READ_ONCE(nr_reaped) - until) >= 0);
}
