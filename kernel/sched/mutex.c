/*
 * The sleeping lock.
 *
 * The word is the owner: taken from NULL by compare-and-swap. Who finds it taken spins a little if
 * the owner is running, for most sections are shorter than two switches; then joins the waiters, in
 * order, and sleeps.
 *
 * unlock() frees the word and wakes the first waiter, which must compete with threads that come
 * just then: cheap, since a lock need not lie idle until a sleeper has got up, but unfair. So a
 * waiter that got up in vain says so, and the next unlock() gives it the lock without freeing it.
 * Nobody loses more than one race after having been woken.
 *
 * An owner is compared, never looked into: it may have ended since. wait.lock guards the list.
 */
#include "sched/mutex.h"
#include "base/panic.h"

#define SPIN_LIMIT	64

struct mutex_waiter {
	struct thread *thread;
	struct list_head node;
	bool starved;		/* was woken, found the lock taken again */
};

void __mutex_init(struct mutex *lock)
{
	lock->owner = NULL;
	wait_queue_init(&lock->wait);
}

static bool mutex_try(struct mutex *lock, struct thread *me)
{
	return !READ_ONCE(lock->owner) && cmpxchg(&lock->owner, NULL, me) == NULL;
}

static bool mutex_spin(struct mutex *lock, struct thread *me)
{
	for (int i = 0; nr_cpus > 1 && i < SPIN_LIMIT; i++) {
		struct thread *owner = READ_ONCE(lock->owner);

		if (!owner) {
			if (mutex_try(lock, me))
				return true;
		} else if (!sched_is_running(owner)) {
			return false;
		}
		cpu_relax();
	}
	return false;
}

/* Announces the sleep, then looks once more: true if the lock is ours now. */
static bool mutex_wait_step(struct mutex *lock, struct mutex_waiter *w, int state)
{
	unsigned long flags;

	spin_lock_irqsave(&lock->wait.lock, flags);
	if (list_empty(&w->node))
		list_add_tail(&w->node, &lock->wait.waiters);
	set_current_state(state);
	spin_unlock_irqrestore(&lock->wait.lock, flags);
	return mutex_try(lock, w->thread) || READ_ONCE(lock->owner) == w->thread;
}

/*
 * Wakes the first waiter. With @release the lock is ours to free, which is done under wait.lock,
 * and goes to a starved waiter directly.
 */
static void mutex_wake_first(struct mutex *lock, bool release)
{
	struct mutex_waiter *w;
	unsigned long flags;

	spin_lock_irqsave(&lock->wait.lock, flags);
	w = list_first_entry_or_null(&lock->wait.waiters, struct mutex_waiter, node);
	if (release)
		smp_store_release(&lock->owner, w && READ_ONCE(w->starved) ? w->thread : NULL);
	if (w)
		wake_up_thread(w->thread, TASK_NORMAL);
	spin_unlock_irqrestore(&lock->wait.lock, flags);
}

static void mutex_release(struct mutex *lock)
{
	if (!list_empty(&lock->wait.waiters)) {
		mutex_wake_first(lock, true);
		return;
	}
	smp_store_release(&lock->owner, NULL);
	smp_mb();	/* free before the look at the list: pairs with mutex_wait_step() */
	if (!list_empty(&lock->wait.waiters))
		mutex_wake_first(lock, false);
}

static int mutex_lock_slow(struct mutex *lock, struct thread *me, int state)
{
	struct mutex_waiter w = { .thread = me, .node = LIST_HEAD_INIT(w.node) };
	unsigned long flags;
	int err = 0;

	while (!mutex_wait_step(lock, &w, state)) {
		if (wait_interrupted(state)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
		if (mutex_try(lock, me) || READ_ONCE(lock->owner) == me)
			break;
		WRITE_ONCE(w.starved, true);
	}
	WRITE_ONCE(me->state, TASK_RUNNING);
	spin_lock_irqsave(&lock->wait.lock, flags);
	list_del_init(&w.node);
	spin_unlock_irqrestore(&lock->wait.lock, flags);
	if (!err)
		return 0;
	/* Going without the lock: it may have been handed to us, or a wake-up been spent on us. */
	if (READ_ONCE(lock->owner) == me)
		mutex_release(lock);
	else if (!READ_ONCE(lock->owner))
		mutex_wake_first(lock, false);
	return err;
}

static int mutex_lock_common(struct mutex *lock, int state)
{
	struct thread *me = current_thread();

	might_sleep();
	if (unlikely(READ_ONCE(lock->owner) == me))
		panic("recursive mutex_lock of %p by %s", (void *)lock, me->comm);
#ifdef CONFIG_DEBUG
	lockdep_check(lock->class);
#endif
	if (unlikely(!mutex_try(lock, me)) && !mutex_spin(lock, me)) {
		int err = mutex_lock_slow(lock, me, state);

		if (err)
			return err;
	}
#ifdef CONFIG_DEBUG
	lockdep_acquire(lock, lock->class, true);
#endif
	return 0;
}

void mutex_lock(struct mutex *lock)
{
	mutex_lock_common(lock, TASK_UNINTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *lock)
{
	return mutex_lock_common(lock, TASK_KILLABLE);
}

bool mutex_trylock(struct mutex *lock)
{
	if (!mutex_try(lock, current_thread()))
		return false;
#ifdef CONFIG_DEBUG
	lockdep_acquire(lock, lock->class, true);
#endif
	return true;
}

void mutex_unlock(struct mutex *lock)
{
	BUG_ON(!mutex_is_held(lock));
#ifdef CONFIG_DEBUG
	lockdep_release(lock, lock->class);
#endif
	mutex_release(lock);
}
