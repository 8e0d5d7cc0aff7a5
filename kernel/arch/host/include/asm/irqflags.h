/* There are no interrupts; the flag is kept so that code which asks gets a consistent answer. */
#pragma once

#include "lib/types.h"

extern __thread bool host_irqs_off;

static inline void local_irq_enable(void)
{
	host_irqs_off = false;
}

static inline void local_irq_disable(void)
{
	host_irqs_off = true;
}

static inline unsigned long local_irq_save(void)
{
	unsigned long flags = host_irqs_off;

	host_irqs_off = true;
	return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
	host_irqs_off = flags;
}

static inline bool irqs_disabled(void)
{
	return host_irqs_off;
}

static inline bool irqs_disabled_flags(unsigned long flags)
{
	return flags;
}
