/*
 * Threads, thinly: a thread is a clone that shares everything with its creator. There is no
 * thread-local storage and errno is shared.
 */
#ifndef _THREAD_H
#define _THREAD_H

/*
 * Run fn(arg) in a new thread on the stack that ends at stack_top. The uppermost 64 bytes of that
 * stack belong to the library until thread_join. Returns the thread id, or -1 with errno. The
 * thread ends when fn returns; exit() ends the process.
 */
int thread_create(int (*fn)(void *), void *arg, void *stack_top);

/*
 * Wait until the thread on that stack has gone; afterwards the stack may be unmapped. Returns fn's
 * result.
 */
int thread_join(void *stack_top);

/* A lock: zero when free, 1 held, 2 held with waiters. Not recursive, not for signal handlers. */
typedef int lock_t;
void lock_acquire(lock_t *lock);
void lock_release(lock_t *lock);

#endif
