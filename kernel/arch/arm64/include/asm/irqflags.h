/* PSTATE.I masks interrupts; FIQ is never enabled and nothing is routed to it. */
#pragma once

#include "lib/types.h"

#define DAIF_I	0x80UL

static inline void local_irq_enable(void)
{
	__asm__ __volatile__("msr daifclr, #2" : : : "memory");
}

static inline void local_irq_disable(void)
{
	__asm__ __volatile__("msr daifset, #2" : : : "memory");
}

static inline unsigned long local_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("mrs %0, daif\n\tmsr daifset, #2" : "=r"(flags) : : "memory");
	return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
	__asm__ __volatile__("msr daif, %0" : : "r"(flags) : "memory");
}

static inline bool irqs_disabled_flags(unsigned long flags)
{
	return flags & DAIF_I;
}

static inline bool irqs_disabled(void)
{
	unsigned long flags;

	__asm__ __volatile__("mrs %0, daif" : "=r"(flags));
	return irqs_disabled_flags(flags);
}
