/*
 * GICv3: a distributor for the shared interrupts, a redistributor for each CPU's own, and the CPU
 * interface in system registers (Arm IHI 0069). Everything in non-secure group 1.
 */
#include "arch_arm64.h"
#include "asm/barrier.h"
#include "asm/io.h"
#include "base/panic.h"
#include "gic.h"
#include "lib/fdt.h"

#define CTLR_GROUP1	BIT(1)
#define CTLR_ARE	BIT(4)		/* affinity routing: the v3 way */
#define CTLR_RWP	BIT(31)		/* a write is still under way */

/* Redistributor: a frame of control registers, then one like a distributor's first lines. */
#define GICR_CTLR	0x0000
#define GICR_TYPER	0x0008
#define GICR_WAKER	0x0014
#define GICR_SGI_FRAME	0x10000
#define GICR_SIZE	0x20000
#define GICR_SIZE_VLPI	0x40000
#define GICR_CTLR_RWP	BIT(3)
#define TYPER_VLPIS	BIT(1)
#define TYPER_LAST	BIT(4)
#define WAKER_SLEEP	BIT(1)
#define WAKER_ASLEEP	BIT(2)

#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR1_EL1	S3_0_C12_C12_0
#define ICC_EOIR1_EL1	S3_0_C12_C12_1
#define ICC_BPR1_EL1	S3_0_C12_C12_3
#define ICC_CTLR_EL1	S3_0_C12_C12_4
#define ICC_SRE_EL1	S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1	S3_0_C12_C12_7
#define ICC_SGI1R_EL1	S3_0_C12_C11_5
/* The names must be expanded before they become text. */
#define read_icc(name)		read_sysreg(name)
#define write_icc(v, name)	write_sysreg(v, name)

#define MAX_REGIONS	8

static void *dist;
static struct {
	void *base;
	size_t size;
} regions[MAX_REGIONS];
static unsigned int nr_regions;
static void *redist[NR_CPUS];

static void wait_dist(void)
{
	while (readl(dist + GICD_CTLR) & CTLR_RWP)
		cpu_relax();
}

/* The redistributor of the CPU with affinity @mpidr. Its TYPER has Aff3..Aff0 in the upper word. */
static void *find_redist(u64 mpidr)
{
	u64 affinity = (mpidr >> 32 & 0xff) << 24 | (mpidr & 0xffffff);

	for (unsigned int i = 0; i < nr_regions; i++) {
		void *p = regions[i].base;
		u64 typer;

		do {
			typer = readq(p + GICR_TYPER);
			if (typer >> 32 == affinity)
				return p;
			p += typer & TYPER_VLPIS ? GICR_SIZE_VLPI : GICR_SIZE;
		} while (!(typer & TYPER_LAST) && p < regions[i].base + regions[i].size);
	}
	panic("gic: no redistributor for CPU %#lx", mpidr);
}

static void gicv3_cpu_init(void)
{
	unsigned int cpu = current_head()->cpu, i;
	void *rd = redist[cpu] ? redist[cpu] : find_redist(cpu_mpidr[cpu]);
	void *frame = rd + GICR_SGI_FRAME;

	redist[cpu] = rd;
	writel(readl(rd + GICR_WAKER) & ~WAKER_SLEEP, rd + GICR_WAKER);
	while (readl(rd + GICR_WAKER) & WAKER_ASLEEP)
		cpu_relax();
	writel(~0U, frame + GICD_IGROUPR);
	writel(0xffff0000, frame + GICD_ICENABLER);
	for (i = 0; i < GIC_PPIS_END; i += 4)
		writel(GIC_PRIORITY, frame + GICD_IPRIORITYR + i);
	while (readl(rd + GICR_CTLR) & GICR_CTLR_RWP)
		cpu_relax();
	writel(0x0000ffff, frame + GICD_ISENABLER);

	write_icc(read_icc(ICC_SRE_EL1) | 1, ICC_SRE_EL1);
	isb();
	write_icc(0xf0, ICC_PMR_EL1);
	write_icc(0, ICC_BPR1_EL1);
	write_icc(0, ICC_CTLR_EL1);
	write_icc(1, ICC_IGRPEN1_EL1);
	isb();
}

static u32 gicv3_ack(void)
{
	u32 intid = read_icc(ICC_IAR1_EL1);

	dsb(sy);
	return intid;
}

static void gicv3_eoi(u32 ack)
{
	write_icc(ack, ICC_EOIR1_EL1);
	isb();
}

static void *frame_of(unsigned int intid)
{
	return intid < GIC_PPIS_END ? redist[current_head()->cpu] + GICR_SGI_FRAME : dist;
}

static void gicv3_set_enable(unsigned int intid, bool enable)
{
	gic_frame_enable(frame_of(intid), intid, enable);
}

static void gicv3_set_edge(unsigned int intid, bool edge)
{
	gic_frame_set_edge(frame_of(intid), intid, edge);
}

/* One write reaches up to 16 CPUs: those that differ only in the low four bits of Aff0. */
static void gicv3_send_sgi(unsigned long cpumask, unsigned int sgi)
{
	for (unsigned int cpu = 0; cpumask; cpu++) {
		u64 group = cpu_mpidr[cpu] & ~0xfUL, targets = 0;

		if (!(cpumask & BIT(cpu)))
			continue;
		for (unsigned int other = cpu; other < NR_CPUS; other++) {
			if (!(cpumask & BIT(other)) || (cpu_mpidr[other] & ~0xfUL) != group)
				continue;
			targets |= BIT(cpu_mpidr[other] & 0xf);
			cpumask &= ~BIT(other);
		}
		write_icc((group >> 32 & 0xff) << 48 | (group >> 4 & 0xf) << 44 |
			  (group >> 16 & 0xff) << 32 | (u64)sgi << 24 |
			  (group >> 8 & 0xff) << 16 | targets, ICC_SGI1R_EL1);
	}
	isb();
}

static const struct gic_ops gicv3_ops = {
	.cpu_init = gicv3_cpu_init,
	.ack = gicv3_ack,
	.eoi = gicv3_eoi,
	.set_enable = gicv3_set_enable,
	.set_edge = gicv3_set_edge,
	.send_sgi = gicv3_send_sgi,
};

const struct gic_ops *gicv3_init(const void *fdt, int node)
{
	u64 phys, size, route = cpu_mpidr[current_head()->cpu];
	unsigned int lines, i;
	u32 n = 1;

	if (fdt_get_reg(fdt, node, 0, &phys, &size))
		panic("gic: no distributor in the device tree");
	dist = arch_map_registers(phys, size);
	fdt_read_u32(fdt, node, "#redistributor-regions", &n);
	for (i = 0; i < min(n, (u32)MAX_REGIONS); i++) {
		if (fdt_get_reg(fdt, node, 1 + i, &phys, &size))
			break;
		regions[nr_regions].base = arch_map_registers(phys, size);
		regions[nr_regions++].size = size;
	}

	writel(0, dist + GICD_CTLR);
	wait_dist();
	lines = gic_lines(dist);
	for (i = GIC_PPIS_END; i < lines; i += 32) {
		writel(~0U, dist + GICD_ICENABLER + i / 8);
		writel(~0U, dist + GICD_IGROUPR + i / 8);
	}
	for (i = GIC_PPIS_END; i < lines; i += 4)
		writel(GIC_PRIORITY, dist + GICD_IPRIORITYR + i);
	wait_dist();
	writel(CTLR_ARE | CTLR_GROUP1, dist + GICD_CTLR);
	wait_dist();
	for (i = GIC_PPIS_END; i < lines; i++)
		writeq(route, dist + GICD_IROUTER + i * 8);
	pr_info("gic: v3, %u lines, %u redistributor regions\n", lines, nr_regions);
	return &gicv3_ops;
}
