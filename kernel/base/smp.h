/* What base/ and sched/ owe each other about other CPUs; callers of smp_call() want base/irq.h. */
#pragma once

#include "lib/compiler.h"

/* sched/core.c: what an IPI_RESCHEDULE means. Called in the interrupt. */
extern void (*smp_reschedule_hook)(void);

/* Halts this CPU for good, interrupts off: a panic elsewhere. */
__noreturn void smp_stop_self(void);
unsigned long smp_stopped_mask(void);
