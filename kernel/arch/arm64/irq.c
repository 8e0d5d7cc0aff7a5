/*
 * Interrupts: from the device tree to a number, and from the controller to a handler.
 *
 * The global interrupt number is the GIC's: SGIs 0..15, PPIs from 16, SPIs from 32. Arrays of SGIs
 * are not spread any further: inter-processor interrupt n is SGI n.
 */
#include "arch_arm64.h"
#include "arch/upcalls.h"
#include "asm/io.h"
#include "base/panic.h"
#include "gic.h"
#include "lib/errno.h"
#include "lib/fdt.h"

#define FDT_GIC_SPI	0	/* first cell of an interrupt */
#define FDT_GIC_PPI	1
#define FDT_GIC_EDGE	3	/* third cell: rising or falling edge */

static const struct gic_ops *gic;

unsigned int gic_lines(void *dist)
{
	return min(32 * ((readl(dist + GICD_TYPER) & 0x1f) + 1), GIC_SPURIOUS & ~31U);
}

void gic_frame_enable(void *frame, unsigned int intid, bool enable)
{
	writel(1U << (intid % 32),
	       frame + (enable ? GICD_ISENABLER : GICD_ICENABLER) + intid / 32 * 4);
}

void gic_frame_set_edge(void *frame, unsigned int intid, bool edge)
{
	void *reg = frame + GICD_ICFGR + intid / 16 * 4;
	u32 bit = 2U << (intid % 16 * 2);
	u32 old = readl(reg), new = edge ? old | bit : old & ~bit;

	if (new != old)
		writel(new, reg);
}

void irq_init(const void *fdt)
{
	int node = fdt_next_compatible(fdt, -1, "arm,gic-v3");

	if (node >= 0) {
		gic = gicv3_init(fdt, node);
		return;
	}
	node = fdt_next_compatible(fdt, -1, "arm,cortex-a15-gic");
	if (node < 0)
		node = fdt_next_compatible(fdt, -1, "arm,gic-400");
	if (node < 0)
		panic("no interrupt controller in the device tree");
	gic = gicv2_init(fdt, node);
}

/* Once the controller is known; again for each other CPU as it starts. */
void irq_cpu_init(void)
{
	if (!gic)
		return;
	gic->cpu_init();
	gic->set_enable(timer_intid, true);
}

/* One interrupt. Not a loop: if there are more, the next trap is there at once, and a thread that
 * should give way could do so in between. */
void irq_dispatch(void)
{
	u32 ack = gic->ack();
	unsigned int intid = ack & 0x3ff;

	if (intid >= GIC_SPURIOUS)
		return;
	if (intid < GIC_SGIS) {
		gic->eoi(ack);		/* first: IPI_STOP does not return */
		handle_ipi(intid);
		return;
	}
	if (intid == timer_intid)
		timer_irq();
	else
		handle_irq(intid);
	gic->eoi(ack);
}

void arch_irq_enable(unsigned int irq)
{
	gic->set_enable(irq, true);
}

void arch_irq_disable(unsigned int irq)
{
	gic->set_enable(irq, false);
}

void arch_send_ipi(unsigned long cpumask, unsigned int ipi)
{
	dsb(ishst);		/* what the other CPU is to find is there before it is told */
	gic->send_sgi(cpumask, ipi);
}

int arch_irq_of_node(const void *fdt, int node, unsigned int i)
{
	u32 cells[3];
	int n = fdt_get_interrupt(fdt, node, i, cells, ARRAY_SIZE(cells));
	unsigned int intid;

	if (n < 3)
		return n < 0 ? n : -EINVAL;
	if (cells[0] == FDT_GIC_PPI && cells[1] < GIC_PPIS_END - GIC_SGIS)
		return GIC_SGIS + cells[1];
	if (cells[0] != FDT_GIC_SPI || cells[1] >= GIC_SPURIOUS - GIC_PPIS_END)
		return -EINVAL;
	intid = GIC_PPIS_END + cells[1];
	if (gic)
		gic->set_edge(intid, cells[2] & FDT_GIC_EDGE);
	return intid;
}
