/*
 * Time: the architected virtual counter, the same on all CPUs, and each CPU's virtual timer.
 *
 * Counter ticks become nanoseconds by a 64.32 bit fixed-point factor and a 128-bit product: no
 * overflow in any uptime, and exact at QEMU's 62.5 MHz.
 */
#include "arch_arm64.h"
#include "arch/upcalls.h"
#include "asm/barrier.h"
#include "lib/fdt.h"

#define TIMER_VIRTUAL	2		/* index in the timer node's interrupts */
#define CTL_ENABLE	1

unsigned int timer_intid = 27;
static u64 ns_per_tick_32, ticks_per_ns_32;	/* 32 bits behind the binary point */

static u64 scale(u64 value, u64 factor_32)
{
	return ((unsigned __int128)value * factor_32) >> 32;
}

/* The barrier keeps the read from being done ahead of its turn, even before a lock is taken. */
static u64 counter(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

u64 arch_clock_ns(void)
{
	return scale(counter() - boot_ticks, ns_per_tick_32);
}

void arch_timer_set(u64 deadline_ns)
{
	u64 ticks, now;

	if (deadline_ns == ~0UL) {
		write_sysreg(0, cntv_ctl_el0);
		isb();
		return;
	}
	/* From now on rather than from boot: the rounding error is that of the distance. Late
	 * by a tick or two, so that the clock never shows less than the deadline. */
	ticks = counter();
	now = scale(ticks - boot_ticks, ns_per_tick_32);
	if (deadline_ns > now)
		ticks += scale(min(deadline_ns - now, 1UL << 60), ticks_per_ns_32) + 2;
	write_sysreg(ticks, cntv_cval_el0);
	write_sysreg(CTL_ENABLE, cntv_ctl_el0);
	isb();
}

void timer_irq(void)
{
	write_sysreg(0, cntv_ctl_el0);
	isb();
	timer_interrupt();
}

/* Boot CPU, early: arch_clock_ns() works from here on. */
void arch_timer_probe(const void *fdt)
{
	u64 hz = read_sysreg(cntfrq_el0);
	int node = fdt_next_compatible(fdt, -1, "arm,armv8-timer");
	int intid = node >= 0 ? arch_irq_of_node(fdt, node, TIMER_VIRTUAL) : -1;

	if (hz == 0)
		hz = 62500000;			/* firmware did not say */
	ns_per_tick_32 = (1000000000UL << 32) / hz;
	ticks_per_ns_32 = (hz << 32) / 1000000000UL;
	if (intid > 0)
		timer_intid = intid;
}

void timer_cpu_init(void)
{
	write_sysreg(0, cntv_ctl_el0);
	isb();
}
