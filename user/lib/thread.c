/*
 * Threads and the lock.
 *
 * A thread's bookkeeping sits at the top of its own stack, so nothing has to be allocated: the
 * creator fills it in before clone, and the kernel clears `tid` there and wakes its futex once the
 * thread is gone (CLONE_CHILD_CLEARTID). Only then is nobody on the stack any more, which is why
 * thread_join waits for that word and not for fn's return.
 *
 * The lock is the classic three-state futex: 0 free, 1 held, 2 held and somebody may sleep. A
 * releaser enters the kernel only from state 2; a sleeper always re-acquires in state 2, because it
 * cannot know whether it was the last one waiting.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/futex.h>
#include <sys/syscall.h>
#include <thread.h>

struct thread {
	int tid; /* cleared by the kernel when the thread has left the stack */
	int	result;
	int	(*fn)(void *);
	void	*arg;
};

#define THREAD_AREA 64

long __clone(unsigned long flags, void *stack, int *ptid, void *tls, int *ctid,
	     int (*fn)(void *), void *arg);

static struct thread *thread_of(void *stack_top)
{
	return (struct thread *)(((unsigned long)stack_top & ~15UL) - THREAD_AREA);
}

static int thread_main(void *arg)
{
	struct thread *thread = arg;

	return thread->result = thread->fn(thread->arg);
}

int thread_create(int (*fn)(void *), void *arg, void *stack_top)
{
	struct thread *thread = thread_of(stack_top);

	thread->fn = fn;
	thread->arg = arg;
	thread->tid = -1;
	return clone(thread_main, thread,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			     CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		     thread, &thread->tid, (void *)0, &thread->tid);
}

int thread_join(void *stack_top)
{
	struct thread *thread = thread_of(stack_top);
	int tid;

	/* Not FUTEX_PRIVATE: the kernel's wake-up on exit is a shared one. */
	while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0)
		__syscall(SYS_futex, (long)&thread->tid, FUTEX_WAIT, tid, 0, 0, 0);
	return thread->result;
}

int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	va_list args;
	int *ptid, *ctid;
	void *tls;
	long id;

	va_start(args, arg);
	ptid = va_arg(args, int *);
	tls = va_arg(args, void *);
	ctid = va_arg(args, int *);
	va_end(args);
	id = __clone((unsigned int)flags, stack, ptid, tls, ctid, fn, arg);
	if (id < 0) {
		errno = (int)-id;
		return -1;
	}
	return (int)id;
}

void lock_acquire(lock_t *lock)
{
	int state = 0;

	if (__atomic_compare_exchange_n(lock, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		__syscall(SYS_futex, (long)lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, 0, 0, 0);
}

void lock_release(lock_t *lock)
{
	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		__syscall(SYS_futex, (long)lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}
