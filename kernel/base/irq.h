/* Device interrupts by global number, and inter-processor calls. */
#pragma once

#include "arch/arch.h"

/* Handlers run with interrupts off, on the interrupted thread's stack; they may not sleep. */
typedef void (*irq_handler_t)(unsigned int irq, void *data);

/* Installs the handler and unmasks; 0, -EBUSY or -EINVAL. Callable once memory is up. */
int request_irq(unsigned int irq, irq_handler_t handler, const char *name, void *data);
void free_irq(unsigned int irq);
u64 irq_count(unsigned int irq);

/* base/smp.c: runs fn(arg) on each online CPU in @mask (the caller's included, if set) and waits
 * for all. fn runs with interrupts off. The caller: interrupts on, not from an interrupt, no
 * spinlock held that another CPU may spin on with interrupts off. */
void smp_call(unsigned long mask, void (*fn)(void *), void *arg);
void smp_stop_others(void);	/* panic */
