/*
 * Work for those who cannot sleep: a queue, and two kernel threads that empty it, so that one
 * slow item does not hold up all others. An item's queued flag is cleared before its function runs;
 * from then on it may be queued again, even to run beside itself.
 */
#include "base/panic.h"
#include "sched/wait.h"
#include "task/kthread.h"

#define NR_WORKERS 2

static LIST_HEAD(work_list);
static unsigned int nr_busy;		/* workers inside a function; under work_lock */
static DEFINE_SPINLOCK(work_lock);
static DEFINE_WAIT_QUEUE(work_wait);
static DEFINE_WAIT_QUEUE(drained_wait);

void work_init(struct work *work, void (*fn)(struct work *work))
{
	INIT_LIST_HEAD(&work->node);
	work->fn = fn;
	work->queued = false;
}

void schedule_work(struct work *work)
{
	unsigned long flags;

	spin_lock_irqsave(&work_lock, flags);
	if (!work->queued) {
		work->queued = true;
		list_add_tail(&work->node, &work_list);
	}
	spin_unlock_irqrestore(&work_lock, flags);
	wake_up(&work_wait);
}

static struct work *take_work(void)
{
	struct work *work;
	unsigned long flags;

	spin_lock_irqsave(&work_lock, flags);
	work = list_first_entry_or_null(&work_list, struct work, node);
	if (work) {
		list_del_init(&work->node);
		work->queued = false;
		nr_busy++;
	}
	spin_unlock_irqrestore(&work_lock, flags);
	return work;
}

static void worker(void *unused)
{
	struct work *work;
	unsigned long flags;

	(void)unused;
	for (;;) {
		wait_event_exclusive(&work_wait, !list_empty(&work_list));
		while ((work = take_work()) != NULL) {
			work->fn(work);		/* may free *work */
			spin_lock_irqsave(&work_lock, flags);
			nr_busy--;
			spin_unlock_irqrestore(&work_lock, flags);
		}
		wake_up_all(&drained_wait);
	}
}

static bool work_drained(void)
{
	unsigned long flags;
	bool drained;

	spin_lock_irqsave(&work_lock, flags);
	drained = list_empty(&work_list) && !nr_busy;
	spin_unlock_irqrestore(&work_lock, flags);
	return drained;
}

void flush_work_all(void)
{
	wait_event(&drained_wait, work_drained());
}

void workqueue_init(void)
{
	for (int i = 0; i < NR_WORKERS; i++)
		if (!kthread_run(worker, NULL, "worker/%d", i))
			panic("no memory for a worker");
}
