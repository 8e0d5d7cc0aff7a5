/* The lock checker's own interface, see lockdep.c; what locks call is in spinlock.h. */
#pragma once

#include "lib/types.h"

#define MAX_HELD 24

struct held_lock {
	void *lock;
	struct lock_class *class;
	unsigned long ip;		/* who took it */
};

/* Locks held by one CPU (spinlocks) or one thread (mutexes), oldest first. All zero: none. */
struct held_locks {
	unsigned int nr;
	struct held_lock lock[MAX_HELD];
};

#ifdef CONFIG_DEBUG
void lockdep_off(void);			/* for good */
void lockdep_show_held(void);		/* prints what this CPU and this thread hold */
/* sched/ registers where the running thread keeps its mutexes. */
extern struct held_locks *(*lockdep_thread_hook)(void);
#else
static inline void lockdep_off(void)
{
}
static inline void lockdep_show_held(void)
{
}
#endif
