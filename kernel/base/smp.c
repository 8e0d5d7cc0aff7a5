/*
 * Calls between CPUs.
 *
 * A caller has one node for each CPU it asks, all on its own stack, and pushes them onto the CPUs'
 * queues, which are lock-free stacks: push by compare-and-swap, taken whole by exchange. It then
 * waits with interrupts on, so two CPUs that call each other serve each other. A callee reads what
 * it needs from the node before it reports back, since the node dies with the caller's wait.
 */
#include "base/irq.h"
#include "base/smp.h"
#include "arch/upcalls.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "base/preempt.h"
#include "asm/barrier.h"
#include "lib/atomic.h"

#define STOP_TIMEOUT_NS 200000000UL

struct call {
	void (*fn)(void *);
	void *arg;
	atomic_t pending;
};

struct call_node {
	struct call_node *next;
	struct call *call;
};

static DEFINE_PER_CPU(struct call_node *, call_queue);
static unsigned long stopped_mask;
void (*smp_reschedule_hook)(void);

static void call_push(unsigned int cpu, struct call_node *node)
{
	struct call_node **queue = &per_cpu(call_queue, cpu);
	struct call_node *old = READ_ONCE(*queue), *seen;

	for (;;) {
		node->next = old;
		seen = cmpxchg(queue, old, node);
		if (seen == old)
			return;
		old = seen;
	}
}

static void call_run_queue(void)
{
	struct call_node *node = xchg(&this_cpu(call_queue), NULL);

	while (node) {
		struct call_node *next = node->next;
		struct call *call = node->call;

		call->fn(call->arg);
		atomic_dec(&call->pending);	/* the node may be gone from here on */
		node = next;
	}
}

void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	struct call_node nodes[NR_CPUS];
	struct call call = { .fn = fn, .arg = arg };
	unsigned long flags, others;
	unsigned int cpu;

	WARN_ON_ONCE(irqs_disabled() && nr_cpus > 1);
	preempt_disable();
	mask &= READ_ONCE(cpu_online_mask);
	others = mask & ~BIT(smp_processor_id());
	for_each_online_cpu(cpu)
		if (others & BIT(cpu))
			atomic_inc(&call.pending);
	for_each_online_cpu(cpu) {
		if (!(others & BIT(cpu)))
			continue;
		nodes[cpu].call = &call;
		call_push(cpu, &nodes[cpu]);
	}
	if (others)
		arch_send_ipi(others, IPI_CALL);
	if (mask & BIT(smp_processor_id())) {
		flags = local_irq_save();
		fn(arg);
		local_irq_restore(flags);
	}
	while (atomic_read_acquire(&call.pending))
		cpu_relax();
	preempt_enable();
}

void smp_stop_self(void)
{
	local_irq_disable();
	arch_timer_set(~0UL);
	set_bit(smp_processor_id(), &stopped_mask);
	for (;;)
		__asm__ __volatile__("wfi");	/* the same word on both machines */
}

void smp_stop_others(void)
{
	unsigned long others = READ_ONCE(cpu_online_mask) & ~BIT(smp_processor_id());
	u64 start = arch_clock_ns();

	if (!others)
		return;
	arch_send_ipi(others, IPI_STOP);
	while ((READ_ONCE(stopped_mask) & others) != others &&
	       arch_clock_ns() - start < STOP_TIMEOUT_NS)
		cpu_relax();
}

unsigned long smp_stopped_mask(void)
{
	return READ_ONCE(stopped_mask);
}

void handle_ipi(unsigned int ipi)
{
	switch (ipi) {
	case IPI_RESCHEDULE:
		if (smp_reschedule_hook)
			smp_reschedule_hook();
		break;
	case IPI_CALL:
		call_run_queue();
		break;
	case IPI_STOP:
		smp_stop_self();
	}
}
