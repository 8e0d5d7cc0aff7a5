/*
 * The clock and the timer of each hart.
 *
 * CSR time ticks alike on all harts at the device tree's timebase-frequency. A nanosecond is an
 * inexact number of ticks, so both directions multiply by a fixed-point number into 128 bits:
 * nothing overflows, and the error of 2^-32 and 2^-64 per tick stays below one tick for years.
 */
#include "arch/riscv/riscv.h"
#include "arch/riscv/sbi.h"
#include "base/printk.h"
#include "lib/fdt.h"

#define NSEC_PER_SEC	1000000000UL

u64 riscv_boot_time;

static u64 ns_per_tick;			/* * 2^32 */
static u64 ticks_per_ns, ticks_per_ns_frac;	/* whole, and * 2^64 */
static bool has_sstc;

void riscv_time_init(const void *fdt)
{
	u64 hz = 10000000, rest;
	int node = fdt_node_offset_by_path(fdt, "/cpus");

	if (node < 0 || fdt_read_u64(fdt, node, "timebase-frequency", &hz) || !hz)
		pr_warn("riscv: no timebase-frequency in the device tree, assuming %lu Hz\n", hz);
	ns_per_tick = (NSEC_PER_SEC << 32) / hz;
	ticks_per_ns = hz / NSEC_PER_SEC;
	rest = hz % NSEC_PER_SEC;
	ticks_per_ns_frac = (rest << 32) / NSEC_PER_SEC << 32;
	rest = (rest << 32) % NSEC_PER_SEC;
	ticks_per_ns_frac |= (rest << 32) / NSEC_PER_SEC;
}

/* The instruction set may have Sstc while an older firmware keeps it closed. */
void riscv_timer_probe(bool isa_has_sstc)
{
	long closed = 1;

	if (!isa_has_sstc)
		return;
	__asm__ __volatile__("1:	csrw	0x14d, %1\n"
			     "		li	%0, 0\n"
			     "2:\n"
			     "	.pushsection __ex_table, \"a\"\n"
			     "	.balign	4\n"
			     "	.long	1b - .\n"
			     "	.long	2b - .\n"
			     "	.popsection\n"
			     : "+r"(closed) : "r"(~0UL) : "memory");
	has_sstc = !closed;
}

/*
 * Under instruction counting QEMU runs one virtual CPU at a time, and changes to the next when a
 * timer is due. Who waits for another CPU in a spinning loop must therefore have a timer due soon, or
 * the other does not run for a long time. (ARM64's yield instruction ends the turn by itself.) The
 * early interrupt does no harm: timer_interrupt() finds nothing due and sets the alarm anew.
 */
static void let_others_run(void)
{
	if (!has_sstc)
		return;
	csr_write(0x14d, csr_read(time) + 10);
	csr_set(sie, SIE_STIE);
}

#define RELAX_PER_YIELD	32

void riscv_relax_slow(void)
{
	static unsigned int count;	/* of all harts together: a rough number will do */

	riscv_shootdown_poll();
	if (++count % RELAX_PER_YIELD == 0)
		let_others_run();
}

u64 arch_clock_ns(void)
{
	u64 ticks = csr_read(time) - riscv_boot_time;

	return ((unsigned __int128)ticks * ns_per_tick) >> 32;
}

void arch_timer_set(u64 deadline_ns)
{
	u64 time = ~0UL;

	if (deadline_ns != ~0UL)
		time = riscv_boot_time + deadline_ns * ticks_per_ns +
		       (u64)(((unsigned __int128)deadline_ns * ticks_per_ns_frac) >> 64) + 1;
	if (has_sstc)
		csr_write(0x14d, time);
	else
		sbi_set_timer(time);
	csr_set(sie, SIE_STIE);		/* traps.c closed it when the last deadline came */
}
