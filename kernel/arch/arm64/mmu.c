/*
 * Which user table this CPU walks, and how translations disappear.
 *
 * All user entries carry ASID 0: a CPU that goes from one address space to another drops the
 * user's half of its TLB. It need not when it comes back to the one it left, with only kernel
 * threads in between, which is what happens each time a process sleeps. So a CPU that leaves for
 * the kernel's own context loads an empty table, keeps its TLB, and remembers in tlb_root[] whose
 * translations that TLB may hold.
 *
 * ARM broadcasts invalidations in hardware, but a broadcast makes all CPUs stop and take note, and
 * most processes run on one. So a flush is local unless another CPU may be running the
 * address space. The two sides are ordered by full barriers:
 *
 *	arch_switch_mm:	set own bit in cpumask;	barrier; is tlb_root[self] still my root?
 *	flush:		change the entry; tlb_root[others] = none; barrier; who is in cpumask?
 *
 * At least one sees what the other wrote: either the flusher broadcasts, or the CPU that comes
 * back flushes on its own. sched clears a bit only after its CPU has loaded something else.
 *
 * A root page that is freed and becomes the root of a new address space would look like the old
 * one; arch_root_init() therefore makes every CPU forget it. Page tables are freed only after a
 * flush.
 */
#include "arch_arm64.h"
#include "asm/barrier.h"
#include "asm/irqflags.h"
#include "lib/atomic.h"

#define FLUSH_PAGES_MAX	16	/* above this one operation for everything is cheaper */
#define NO_ROOT		0

u64 empty_root[512] __aligned(PAGE_SIZE);
static phys_addr_t tlb_root[NR_CPUS];
static unsigned int tlb_cpus;		/* CPUs that ever ran are below this */

static void flush_local_user(void)
{
	dsb(nshst);
	__asm__ __volatile__("tlbi aside1, xzr" : : : "memory");
	dsb(nsh);
	isb();
}

/* The identity map's entries are global: this takes them all, once per CPU. */
void mmu_cpu_init(void)
{
	unsigned int cpus = READ_ONCE(tlb_cpus), self = current_head()->cpu + 1;

	while (cpus < self && !__atomic_compare_exchange_n(&tlb_cpus, &cpus, self, false,
							   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	write_sysreg(__pa((void *)empty_root), ttbr0_el1);
	isb();
	__asm__ __volatile__("tlbi vmalle1" : : : "memory");
	dsb(nsh);
	isb();
}

void arch_switch_mm(struct mm_context *ctx)
{
	unsigned long flags = local_irq_save();
	unsigned int cpu = current_head()->cpu;
	phys_addr_t root = ctx ? ctx->root : __pa((void *)empty_root);

	if (ctx && !test_bit(cpu, &ctx->cpumask))
		set_bit(cpu, &ctx->cpumask);
	smp_mb();
	if (read_sysreg(ttbr0_el1) != root) {
		write_sysreg(root, ttbr0_el1);
		isb();
	}
	if (ctx && READ_ONCE(tlb_root[cpu]) != root) {
		WRITE_ONCE(tlb_root[cpu], root);
		flush_local_user();
	}
	local_irq_restore(flags);
}

static void forget_root(phys_addr_t root, unsigned long except)
{
	for (unsigned int cpu = 0; cpu < READ_ONCE(tlb_cpus); cpu++)
		if (READ_ONCE(tlb_root[cpu]) == root && !(except & BIT(cpu)))
			cmpxchg(&tlb_root[cpu], root, NO_ROOT);
}

void arch_root_init(void *root)
{
	forget_root(__pa(root), 0);
}

/* Interrupts off. Other CPUs that may translate through @ctx right now? */
static bool others_use(struct mm_context *ctx)
{
	unsigned long self = BIT(current_head()->cpu);
	unsigned long before = READ_ONCE(ctx->cpumask);

	forget_root(ctx->root, before | self);
	smp_mb();
	return (before | READ_ONCE(ctx->cpumask)) & ~self;
}

void arch_flush_tlb_mm(struct mm_context *ctx)
{
	unsigned long flags = local_irq_save();

	dsb(ishst);
	if (others_use(ctx))
		__asm__ __volatile__("tlbi aside1is, xzr\n\tdsb ish" : : : "memory");
	else
		__asm__ __volatile__("tlbi aside1, xzr\n\tdsb nsh" : : : "memory");
	isb();
	local_irq_restore(flags);
}

void arch_flush_tlb_range(struct mm_context *ctx, unsigned long start, unsigned long end)
{
	unsigned long flags, va;

	if (PFN_UP(end) - PFN_DOWN(start) > FLUSH_PAGES_MAX) {
		arch_flush_tlb_mm(ctx);
		return;
	}
	flags = local_irq_save();
	dsb(ishst);
	if (others_use(ctx)) {
		for (va = start & PAGE_MASK; va < end; va += PAGE_SIZE)
			__asm__ __volatile__("tlbi vae1is, %0"
					     : : "r"(va >> PAGE_SHIFT) : "memory");
		dsb(ish);
	} else {
		for (va = start & PAGE_MASK; va < end; va += PAGE_SIZE)
			__asm__ __volatile__("tlbi vae1, %0"
					     : : "r"(va >> PAGE_SHIFT) : "memory");
		dsb(nsh);
	}
	isb();
	local_irq_restore(flags);
}

unsigned long arch_tlb_users(struct mm_context *ctx)
{
	unsigned long before = READ_ONCE(ctx->cpumask);

	forget_root(ctx->root, before);
	smp_mb();
	return before | READ_ONCE(ctx->cpumask);
}

void arch_flush_tlb_user(unsigned long cpus)
{
	unsigned long flags = local_irq_save();

	if (cpus & ~BIT(current_head()->cpu)) {
		dsb(ishst);
		__asm__ __volatile__("tlbi aside1is, xzr\n\tdsb ish" : : : "memory");
		isb();
	} else {
		flush_local_user();
	}
	local_irq_restore(flags);
}

void arch_flush_tlb_local(unsigned long addr)
{
	__asm__ __volatile__("tlbi vae1, %0" : : "r"(addr >> PAGE_SHIFT) : "memory");
	dsb(nsh);
	isb();
}

/* Bits 55..12 of the address make the operand; above them would be an ASID, ignored here. */
void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	unsigned long va;

	dsb(ishst);
	if (PFN_UP(end) - PFN_DOWN(start) > FLUSH_PAGES_MAX)
		__asm__ __volatile__("tlbi vmalle1is" : : : "memory");
	else
		for (va = start & PAGE_MASK; va < end; va += PAGE_SIZE)
			__asm__ __volatile__("tlbi vaae1is, %0"
					     : : "r"((va << 8) >> 20) : "memory");
	dsb(ish);
	isb();
}

/*
 * The data caches are cleaned by address; the instruction caches are emptied whole, because the
 * code will be executed at another address than this one. Other CPUs synchronise as they enter
 * user mode.
 */
void arch_sync_icache(void *start, size_t size)
{
	unsigned long line = 4UL << id_field(read_sysreg(ctr_el0), 16);
	unsigned long p = (unsigned long)start & ~(line - 1);

	for (; p < (unsigned long)start + size; p += line)
		__asm__ __volatile__("dc cvau, %0" : : "r"(p) : "memory");
	dsb(ish);
	__asm__ __volatile__("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}

/* Shootdown is broadcast by hardware, to CPUs that are not online yet as well. */
void arch_cpu_online(void)
{
}
