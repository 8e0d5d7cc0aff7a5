/* Wait queues; the macros around them are in wait.h. */
#include "sched/wait.h"
#include "base/panic.h"

void wait_queue_init(struct wait_queue *wq)
{
	spin_lock_init(&wq->lock);
	INIT_LIST_HEAD(&wq->waiters);
}

/* Exclusive waiters queue behind all others, in order: wake_up() stops at the first it woke. */
void prepare_to_wait(struct wait_queue *wq, struct wait_entry *entry, int state, bool exclusive)
{
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	entry->exclusive = exclusive;
	if (list_empty(&entry->node)) {
		if (exclusive)
			list_add_tail(&entry->node, &wq->waiters);
		else
			list_add(&entry->node, &wq->waiters);
	}
	set_current_state(state);
	spin_unlock_irqrestore(&wq->lock, flags);
}

/* Always takes the lock: a waker that still looks at the entry, or at the thread, holds it. */
void finish_wait(struct wait_queue *wq, struct wait_entry *entry)
{
	unsigned long flags;

	WRITE_ONCE(current_thread()->state, TASK_RUNNING);
	spin_lock_irqsave(&wq->lock, flags);
	list_del_init(&entry->node);
	spin_unlock_irqrestore(&wq->lock, flags);
}

static void wake_queue(struct wait_queue *wq, unsigned int mask, bool all)
{
	struct wait_entry *entry, *next;
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	list_for_each_entry_safe(entry, next, &wq->waiters, node) {
		bool exclusive = entry->exclusive;

		if (!wake_up_thread(entry->thread, mask))
			continue;
		list_del_init(&entry->node);
		if (exclusive && !all)
			break;
	}
	spin_unlock_irqrestore(&wq->lock, flags);
}

void wake_up(struct wait_queue *wq)
{
	smp_mb();	/* the condition before the look: pairs with prepare_to_wait() */
	if (!list_empty(&wq->waiters))
		wake_queue(wq, TASK_NORMAL, false);
}

void wake_up_all(struct wait_queue *wq)
{
	smp_mb();
	if (!list_empty(&wq->waiters))
		wake_queue(wq, TASK_NORMAL, true);
}

void wake_up_interruptible(struct wait_queue *wq)
{
	smp_mb();
	if (!list_empty(&wq->waiters))
		wake_queue(wq, BIT(TASK_INTERRUPTIBLE), false);
}
