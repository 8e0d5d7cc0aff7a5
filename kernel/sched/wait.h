/*
 * Wait queues: sleep until a condition holds.
 *
 *	waiter: wait_event(&wq, condition)      waker: make condition true; wake_up(&wq)
 *
 * The waiter is on the queue before it tests, so a wake-up between test and sleep is not lost.
 */
#pragma once

#include "lib/errno.h"
#include "sched/thread.h"
#include "sched/timer.h"

struct wait_queue {
	spinlock_t lock;		/* irq-safe */
	struct list_head waiters;
};

struct wait_entry {
	struct thread *thread;
	struct list_head node;		/* a wake-up takes it off the queue */
	bool exclusive;
};

#define WAIT_ENTRY_INIT(name) { current_thread(), LIST_HEAD_INIT((name).node), false }
#define WAIT_QUEUE_INIT(name) { SPIN_LOCK_UNLOCKED(#name), LIST_HEAD_INIT((name).waiters) }
#define DEFINE_WAIT_QUEUE(name) struct wait_queue name = WAIT_QUEUE_INIT(name)
void wait_queue_init(struct wait_queue *wq);

/* Any context. The waker's changes before the call are seen by the woken. */
void wake_up(struct wait_queue *wq);			/* all, but one exclusive waiter */
void wake_up_all(struct wait_queue *wq);
void wake_up_interruptible(struct wait_queue *wq);	/* those in TASK_INTERRUPTIBLE */

/* Building blocks; see wait_event. prepare: on the queue (again) and in @state, not yet asleep.
 * finish: off the queue and TASK_RUNNING; the entry may go. */
void prepare_to_wait(struct wait_queue *wq, struct wait_entry *entry, int state, bool exclusive);
void finish_wait(struct wait_queue *wq, struct wait_entry *entry);
static inline bool wait_interrupted(int state)
{
	return (state == TASK_INTERRUPTIBLE && signal_pending(current_thread())) ||
	       (state == TASK_KILLABLE && fatal_signal_pending(current_thread()));
}

#define ___wait_event(wq, cond, state, excl, sleep_stmt) ({		\
	struct wait_entry _entry = WAIT_ENTRY_INIT(_entry);		\
	int _ret = 0;							\
	might_sleep();							\
	for (;;) {							\
		prepare_to_wait(wq, &_entry, state, excl);		\
		if (cond)						\
			break;						\
		if (wait_interrupted(state)) {				\
			_ret = -ERESTARTSYS;				\
			break;						\
		}							\
		sleep_stmt;						\
	}								\
	finish_wait(wq, &_entry);					\
	_ret; })

#define wait_event(wq, cond) do { if (!(cond)) \
	(void)___wait_event(wq, cond, TASK_UNINTERRUPTIBLE, false, schedule()); } while (0)
/* One of several equal waiters: wake_up() wakes one of these. */
#define wait_event_exclusive(wq, cond) do { if (!(cond)) \
	(void)___wait_event(wq, cond, TASK_UNINTERRUPTIBLE, true, schedule()); } while (0)
/* 0, or -ERESTARTSYS when a signal came first. */
#define wait_event_interruptible(wq, cond) ((cond) ? 0 : \
	___wait_event(wq, cond, TASK_INTERRUPTIBLE, false, schedule()))
#define wait_event_killable(wq, cond) ((cond) ? 0 : \
	___wait_event(wq, cond, TASK_KILLABLE, false, schedule()))
/* As above until @deadline_ns (arch_clock_ns; ~0 forever): 0, -ERESTARTSYS or -ETIMEDOUT. */
#define wait_event_interruptible_until(wq, cond, deadline_ns) ({	\
	int _r = 0; bool _late = false;					\
	if (!(cond))							\
		_r = ___wait_event(wq, (cond) || _late, TASK_INTERRUPTIBLE, false, \
				   _late = !schedule_until(deadline_ns)); \
	(_r == 0 && _late && !(cond)) ? -ETIMEDOUT : _r; })
#define wait_event_until(wq, cond, deadline_ns) ({			\
	bool _late = false;						\
	if (!(cond))							\
		(void)___wait_event(wq, (cond) || _late, TASK_UNINTERRUPTIBLE, false, \
				    _late = !schedule_until(deadline_ns)); \
	(_late && !(cond)) ? -ETIMEDOUT : 0; })
