/* GICv2: up to eight CPUs, everything in memory-mapped registers (Arm IHI 0048). */
#include "arch_arm64.h"
#include "asm/io.h"
#include "base/panic.h"
#include "gic.h"
#include "lib/fdt.h"

#define GICC_CTLR	0x00
#define GICC_PMR	0x04
#define GICC_BPR	0x08
#define GICC_IAR	0x0c
#define GICC_EOIR	0x10

static void *dist, *cpu_if;
static u8 target_mask[NR_CPUS];		/* the bit by which the distributor knows a CPU */

static void gicv2_cpu_init(void)
{
	unsigned int i;

	/* The first eight words of ITARGETSR are banked and name the CPU that reads them. */
	target_mask[current_head()->cpu] = readl(dist + GICD_ITARGETSR) & 0xff;
	writel(0xffff0000, dist + GICD_ICENABLER);
	writel(0x0000ffff, dist + GICD_ISENABLER);
	for (i = 0; i < GIC_PPIS_END; i += 4)
		writel(GIC_PRIORITY, dist + GICD_IPRIORITYR + i);
	writel(0xf0, cpu_if + GICC_PMR);
	writel(0, cpu_if + GICC_BPR);
	writel(1, cpu_if + GICC_CTLR);
}

static u32 gicv2_ack(void)
{
	return readl(cpu_if + GICC_IAR);
}

static void gicv2_eoi(u32 ack)
{
	writel(ack, cpu_if + GICC_EOIR);
}

static void gicv2_set_enable(unsigned int intid, bool enable)
{
	gic_frame_enable(dist, intid, enable);
}

static void gicv2_set_edge(unsigned int intid, bool edge)
{
	gic_frame_set_edge(dist, intid, edge);
}

static void gicv2_send_sgi(unsigned long cpumask, unsigned int sgi)
{
	u32 targets = 0;

	for (unsigned int cpu = 0; cpu < 8; cpu++)
		if (cpumask & BIT(cpu))
			targets |= target_mask[cpu];
	writel(targets << 16 | sgi, dist + GICD_SGIR);
}

static const struct gic_ops gicv2_ops = {
	.cpu_init = gicv2_cpu_init,
	.ack = gicv2_ack,
	.eoi = gicv2_eoi,
	.set_enable = gicv2_set_enable,
	.set_edge = gicv2_set_edge,
	.send_sgi = gicv2_send_sgi,
};

const struct gic_ops *gicv2_init(const void *fdt, int node)
{
	u64 phys, size;
	unsigned int lines, i;
	u32 self;

	if (fdt_get_reg(fdt, node, 0, &phys, &size))
		panic("gic: no distributor in the device tree");
	dist = arch_map_registers(phys, size);
	if (fdt_get_reg(fdt, node, 1, &phys, &size))
		panic("gic: no CPU interface in the device tree");
	cpu_if = arch_map_registers(phys, size);

	writel(0, dist + GICD_CTLR);
	lines = gic_lines(dist);
	self = (readl(dist + GICD_ITARGETSR) & 0xff) * 0x01010101;
	for (i = GIC_PPIS_END; i < lines; i += 32)
		writel(~0U, dist + GICD_ICENABLER + i / 8);
	for (i = GIC_PPIS_END; i < lines; i += 4) {
		writel(GIC_PRIORITY, dist + GICD_IPRIORITYR + i);
		writel(self, dist + GICD_ITARGETSR + i);
	}
	writel(1, dist + GICD_CTLR);
	pr_info("gic: v2, %u lines\n", lines);
	return &gicv2_ops;
}
