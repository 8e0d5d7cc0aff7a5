/*
 * Other harts: starting them, interrupting them, and naming them to the firmware.
 *
 * A logical CPU number is the kernel's, a hart id the platform's; hart ids may be sparse
 * and large. The firmware takes sets of harts as a 64-bit mask from a base on.
 */
#include "arch/riscv/riscv.h"
#include "arch/riscv/sbi.h"
#include "arch/upcalls.h"
#include "asm/offsets.h"
#include "lib/atomic.h"
#include "lib/bitops.h"

/* What a starting hart needs before it has paging; read by head.S. */
struct secondary_boot {
	unsigned long satp;
	struct thread_head *idle;
	void *stack_top;
	unsigned long cpu;
	void *stvec;			/* image address where it goes on with paging */
	u64 hart;
};

BUILD_BUG_ON(offsetof(struct secondary_boot, satp) != SB_SATP);
BUILD_BUG_ON(offsetof(struct secondary_boot, idle) != SB_IDLE);
BUILD_BUG_ON(offsetof(struct secondary_boot, stack_top) != SB_STACK);
BUILD_BUG_ON(offsetof(struct secondary_boot, cpu) != SB_CPU);
BUILD_BUG_ON(offsetof(struct secondary_boot, stvec) != SB_STVEC);
BUILD_BUG_ON(offsetof(struct secondary_boot, hart) != SB_HART);
BUILD_BUG_ON(sizeof(struct secondary_boot) != SB_SIZE);
BUILD_BUG_ON(NR_CPUS != SB_ENTRIES);

void secondary_entry(void);
void secondary_virtual(void);

u64 riscv_boot_hart;
u64 riscv_cpu_hart[NR_CPUS];
unsigned long riscv_cpu_started;

struct secondary_boot riscv_secondary_boot[NR_CPUS];	/* read by head.S */

/* Kinds of IPI that wait for a CPU; a line each, for they are written from everywhere. */
static struct {
	unsigned long pending;
} __aligned(64) ipi[NR_CPUS];

u64 arch_boot_hwid(void)
{
	return riscv_boot_hart;
}

int arch_cpu_start(unsigned int cpu, u64 hwid, struct thread_head *idle, void *stack_top)
{
	struct secondary_boot *boot = &riscv_secondary_boot[cpu];

	*boot = (struct secondary_boot){
		.satp = riscv_kernel_satp,
		.idle = idle,
		.stack_top = stack_top,
		.cpu = cpu,
		.stvec = secondary_virtual,
		.hart = hwid,
	};
	idle->kernel_sp = (unsigned long)stack_top;
	riscv_cpu_hart[cpu] = hwid;
	set_bit(cpu, &riscv_cpu_started);
	return sbi_hart_start(hwid, __pa(secondary_entry), __pa(boot));
}

void riscv_for_harts(unsigned long cpumask, void (*fn)(unsigned long mask, unsigned long base,
						       unsigned long a, unsigned long b),
		     unsigned long a, unsigned long b)
{
	while (cpumask) {
		u64 base = riscv_cpu_hart[__ffs(cpumask)] & ~63UL;
		unsigned long mask = 0;

		for (unsigned long left = cpumask; left; left &= left - 1) {
			unsigned int cpu = __ffs(left);

			if ((riscv_cpu_hart[cpu] & ~63UL) == base) {
				mask |= BIT(riscv_cpu_hart[cpu] & 63);
				cpumask &= ~BIT(cpu);
			}
		}
		fn(mask, base, a, b);
	}
}

static void send_ipi(unsigned long mask, unsigned long base, unsigned long a, unsigned long b)
{
	(void)a;
	(void)b;
	sbi_send_ipi(mask, base);
}

void arch_send_ipi(unsigned long cpumask, unsigned int kind)
{
	cpumask &= riscv_cpu_started;
	for (unsigned long left = cpumask; left; left &= left - 1)
		set_bit(kind, &ipi[__ffs(left)].pending);
	riscv_for_harts(cpumask, send_ipi, 0, 0);
}

/* The software interrupt: cleared first, so that a kind set from now on raises it anew. */
void riscv_ipi_interrupt(void)
{
	unsigned long pending;

	csr_clear(sip, SIE_SSIE);
	pending = xchg(&ipi[current_head()->cpu].pending, 0UL);
	if (pending & BIT(RISCV_IPI_SHOOTDOWN))
		riscv_shootdown_poll();
	pending &= ~BIT(RISCV_IPI_SHOOTDOWN);
	for (; pending; pending &= pending - 1)
		handle_ipi(__ffs(pending));
}
