/* Kernel threads: a struct thread, a guarded stack from vmalloc, a name. */
#pragma once

#include "sched/thread.h"

/* Creates and starts fn(arg) in a new kernel thread; NULL when memory is short. The thread ends
 * when fn returns. @fmt names it ("kswapd%d"). May sleep. */
struct thread *kthread_run(void (*fn)(void *), void *arg, const char *fmt, ...) __printf(3, 4);

void kthread_init(void);	/* after kmem_cache_init; before the first kthread_run */

/* A kernel stack: THREAD_SIZE bytes with an unmapped page below. NULL when memory is short. A few
 * freed ones are kept for reuse. */
void *stack_alloc(void);
void stack_free(void *stack);			/* may sleep */
/* drop_caches: waits until the dead threads are released, then gives back the stacks kept. */
void stack_cache_drain(void);

/* Work that runs soon in a kernel thread, for those who cannot sleep. A work item is queued once
 * until it starts. */
struct work {
	struct list_head node;
	void (*fn)(struct work *work);
	bool queued;
};
#define WORK_INIT(f) { .fn = (f) }
void work_init(struct work *work, void (*fn)(struct work *work));
void schedule_work(struct work *work);		/* any context */
void workqueue_init(void);			/* starts the workers */
void flush_work_all(void);			/* waits until the queue is empty; may sleep */
