/* This CPU's interrupt switch: sstatus.SIE. */
#pragma once

#include "asm/csr.h"
#include "lib/compiler.h"

static __always_inline void local_irq_enable(void)
{
	csr_set(sstatus, SR_SIE);
}

static __always_inline void local_irq_disable(void)
{
	csr_clear(sstatus, SR_SIE);
}

/* Disables; returns what local_irq_restore() needs. */
static __always_inline unsigned long local_irq_save(void)
{
	return csr_read_clear(sstatus, SR_SIE) & SR_SIE;
}

static __always_inline void local_irq_restore(unsigned long flags)
{
	csr_set(sstatus, flags & SR_SIE);
}

static __always_inline bool irqs_disabled(void)
{
	return !(csr_read(sstatus) & SR_SIE);
}

static __always_inline bool irqs_disabled_flags(unsigned long flags)
{
	return !(flags & SR_SIE);
}
