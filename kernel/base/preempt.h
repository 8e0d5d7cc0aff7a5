/*
 * Preemption. The kernel is preemptible wherever preempt_count is 0 and interrupts are on.
 * Spinlocks and interrupt handlers raise the count.
 */
#pragma once

#include "arch/thread_head.h"
#include "asm/current.h"
#include "asm/irqflags.h"
#include "arch/upcalls.h"

#define preempt_count()	(current_head()->preempt_count)

static __always_inline void preempt_disable(void)
{
	current_head()->preempt_count++;
	barrier();
}

static __always_inline void preempt_enable_no_resched(void)
{
	barrier();
	current_head()->preempt_count--;
}

void preempt_schedule(void);	/* sched/core.c: switches if that is allowed here and now */

static __always_inline void preempt_enable(void)
{
	preempt_enable_no_resched();
	if (unlikely(current_head()->flags & BIT(TIF_NEED_RESCHED)))
		preempt_schedule();
}

#define in_interrupt()	(current_head()->in_irq != 0)
/* May this context sleep? */
#define can_sleep()	(preempt_count() == 0 && !in_interrupt() && !irqs_disabled())

extern bool scheduler_running;	/* false while only the boot thread exists: it may not sleep */

/* In DEBUG=1 a sleep in atomic context is reported with a backtrace. */
#ifdef CONFIG_DEBUG
void might_sleep_check(const char *file, int line);
#define might_sleep()	might_sleep_check(__FILE__, __LINE__)
#else
#define might_sleep()	do { } while (0)
#endif
