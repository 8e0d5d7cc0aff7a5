/* Device interrupts: a table from global interrupt number to handler. */
#include "base/irq.h"
#include "arch/upcalls.h"
#include "base/printk.h"
#include "base/spinlock.h"
#include "lib/errno.h"

#define NR_IRQS 1024

static struct irq_desc {
	irq_handler_t handler;
	void *data;
	const char *name;
	u64 count;
} irq_table[NR_IRQS];

static DEFINE_SPINLOCK(irq_lock);	/* changes of the table; handle_irq only reads */

int request_irq(unsigned int irq, irq_handler_t handler, const char *name, void *data)
{
	unsigned long flags;
	int err = 0;

	if (irq >= NR_IRQS || !handler)
		return -EINVAL;
	spin_lock_irqsave(&irq_lock, flags);
	if (irq_table[irq].handler) {
		err = -EBUSY;
	} else {
		irq_table[irq].data = data;
		irq_table[irq].name = name;
		smp_store_release(&irq_table[irq].handler, handler);
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	if (!err)
		arch_irq_enable(irq);
	return err;
}

/* The handler may still be running on another CPU when this returns. */
void free_irq(unsigned int irq)
{
	unsigned long flags;

	if (irq >= NR_IRQS)
		return;
	arch_irq_disable(irq);
	spin_lock_irqsave(&irq_lock, flags);
	irq_table[irq].handler = NULL;
	spin_unlock_irqrestore(&irq_lock, flags);
}

u64 irq_count(unsigned int irq)
{
	return irq < NR_IRQS ? READ_ONCE(irq_table[irq].count) : 0;
}

void irq_enter(void)
{
	current_head()->in_irq++;
	preempt_disable();
}

void irq_exit(void)
{
	preempt_enable_no_resched();
	current_head()->in_irq--;
}

void handle_irq(unsigned int irq)
{
	irq_handler_t handler = irq < NR_IRQS ? smp_load_acquire(&irq_table[irq].handler) : NULL;

	if (!handler) {
		arch_irq_disable(irq);
		pr_warn("interrupt %u has no handler: masked\n", irq);
		return;
	}
	irq_table[irq].count++;
	handler(irq, irq_table[irq].data);
}
