/* A lock whose waiters sleep. Thread context only. DEBUG=1 checks order and recursion. */
#pragma once

#include "sched/wait.h"

struct mutex {
	struct thread *owner;		/* NULL: free */
	struct wait_queue wait;		/* lock and list of struct mutex_waiter, see mutex.c */
#ifdef CONFIG_DEBUG
	struct lock_class *class;
#endif
};

void __mutex_init(struct mutex *lock);
#ifdef CONFIG_DEBUG
#define mutex_init(l) do { static struct lock_class _c = { .name = #l }; \
	__mutex_init(l); (l)->class = &_c; } while (0)
#define DEFINE_MUTEX(n) struct mutex n = { NULL, WAIT_QUEUE_INIT((n).wait), \
	&(struct lock_class){ .name = #n } }
#else
#define mutex_init(l) __mutex_init(l)
#define DEFINE_MUTEX(n) struct mutex n = { NULL, WAIT_QUEUE_INIT((n).wait) }
#endif

void mutex_lock(struct mutex *lock);
int mutex_lock_killable(struct mutex *lock);	/* 0 or -ERESTARTSYS */
bool mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
static inline bool mutex_is_held(const struct mutex *lock)
{
	return READ_ONCE(lock->owner) == current_thread();
}
