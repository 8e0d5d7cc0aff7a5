/*
 * Kernel stacks: vmalloc's memory, so that an overflow runs into an unmapped page instead of into
 * somebody's data. Mapping and unmapping costs a TLB shootdown, so a few freed stacks are kept.
 */
#include "base/spinlock.h"
#include "debug/kasan.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/vmalloc.h"
#include "task/kthread.h"

#define STACKS_KEPT 16

static void *kept[STACKS_KEPT];
static unsigned int nr_kept;
static DEFINE_SPINLOCK(kept_lock);

static void *take_kept(void)
{
	unsigned long flags;
	void *stack = NULL;

	spin_lock_irqsave(&kept_lock, flags);
	if (nr_kept)
		stack = kept[--nr_kept];
	spin_unlock_irqrestore(&kept_lock, flags);
	return stack;
}

void *stack_alloc(void)
{
	void *stack = take_kept();

	if (stack) {
		kasan_unpoison(stack, THREAD_SIZE);	/* its last user left in the middle */
		return stack;
	}
	stack = vmalloc_guarded(THREAD_SIZE, GFP_KERNEL);
	if (stack)
		mod_vm_stat(NR_KERNEL_STACK, THREAD_SIZE / PAGE_SIZE);
	return stack;
}

static void unmap_stack(void *stack)
{
	mod_vm_stat(NR_KERNEL_STACK, -(long)(THREAD_SIZE / PAGE_SIZE));
	vfree(stack);
}

void stack_free(void *stack)
{
	unsigned long flags;

	spin_lock_irqsave(&kept_lock, flags);
	if (nr_kept < STACKS_KEPT) {
		kept[nr_kept++] = stack;
		stack = NULL;
	}
	spin_unlock_irqrestore(&kept_lock, flags);
	if (stack)
		unmap_stack(stack);
}

void stack_cache_drain(void)
{
	void *stack;

	sched_reap_flush();
	while ((stack = take_kept()) != NULL)
		unmap_stack(stack);
	vm_unmap_aliases();
}
