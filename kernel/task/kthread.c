/* Kernel threads. */
#include "task/kthread.h"
#include "base/panic.h"
#include "lib/format.h"
#include "mm/slab/slab.h"

static struct kmem_cache *thread_cache;

void kthread_init(void)
{
	thread_cache = KMEM_CACHE(thread, SLAB_PANIC);
}

static void kthread_release(struct thread *t)
{
	stack_free(t->stack);
	tid_free(t->tid);
	kmem_cache_free(thread_cache, t);
}

struct thread *kthread_run(void (*fn)(void *), void *arg, const char *fmt, ...)
{
	struct thread *t = kmem_cache_alloc(thread_cache, GFP_KERNEL);
	void *stack = stack_alloc();
	pid_t tid = tid_alloc();
	char name[sizeof(t->comm)];
	va_list args;

	if (!t || !stack || tid < 0)
		goto fail;
	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	thread_init(t, name, stack, fn, arg);
	t->tid = tid;
	t->pf_flags = PF_KTHREAD;
	t->release = kthread_release;
	thread_start(t);
	return t;

fail:
	if (tid > 0)
		tid_free(tid);
	if (stack)
		stack_free(stack);
	if (t)
		kmem_cache_free(thread_cache, t);
	return NULL;
}
