/*
 * The platform-level interrupt controller (RISC-V PLIC specification; SiFive's layout).
 *
 * Each hart has a context for supervisor mode, with a bit per source that routes it there. All
 * sources are routed to the boot CPU once and for all; masking one means priority
 * 0, "never". That is a single store without a lock, and unlike a cleared routing bit it
 * does not make the controller ignore the completion of an interrupt being handled.
 */
#include "arch/riscv/riscv.h"
#include "arch/upcalls.h"
#include "asm/io.h"
#include "base/printk.h"
#include "lib/errno.h"
#include "lib/fdt.h"

#define PLIC_PRIORITY(irq)	(4UL * (irq))
#define PLIC_ENABLE(ctx, word)	(0x2000UL + 0x80 * (ctx) + 4 * (word))
#define PLIC_THRESHOLD(ctx)	(0x200000UL + 0x1000 * (ctx))
#define PLIC_CLAIM(ctx)		(PLIC_THRESHOLD(ctx) + 4)

static char *plic;			/* registers, NULL: none found */
static int plic_node;
static unsigned int plic_sources;
static unsigned int plic_context;	/* the boot CPU's, supervisor mode */

/* The hart that context @i of the controller belongs to, or -errno if it is not supervisor mode. */
static s64 context_hart(const void *fdt, unsigned int i)
{
	u32 cell;
	u64 hart;
	int n = fdt_get_interrupt(fdt, plic_node, i, &cell, 1);

	if (n < 0)
		return n == -ENOENT ? -ENOENT : -EINVAL;
	if (cell != IRQ_S_EXT)
		return -EINVAL;
	n = fdt_parent(fdt, fdt_get_interrupt_parent(fdt, plic_node, i));
	if (n < 0 || fdt_get_reg_raw(fdt, n, 0, &hart, NULL))
		return -EINVAL;
	return hart;
}

static int find_boot_context(const void *fdt)
{
	for (unsigned int i = 0;; i++) {
		s64 hart = context_hart(fdt, i);

		if (hart == -ENOENT)
			return -ENOENT;
		if (hart == (s64)riscv_boot_hart)
			return i;
	}
}

void riscv_plic_init(const void *fdt)
{
	u64 addr, size;
	u32 ndev = 0;
	int ctx;

	plic_node = fdt_next_compatible(fdt, -1, "riscv,plic0");
	if (plic_node < 0)
		plic_node = fdt_next_compatible(fdt, -1, "sifive,plic-1.0.0");
	if (plic_node < 0 || fdt_get_reg(fdt, plic_node, 0, &addr, &size)) {
		pr_warn("plic: no usable interrupt controller in the device tree\n");
		return;
	}
	ctx = find_boot_context(fdt);
	fdt_read_u32(fdt, plic_node, "riscv,ndev", &ndev);
	if (ctx < 0 || !ndev || ndev > 1023 || PLIC_CLAIM(ctx) + 4 > size) {
		pr_warn("plic: no context for hart %lu\n", riscv_boot_hart);
		return;
	}
	plic = riscv_map_device(addr, min(size, PLIC_CLAIM(ctx) + 4));
	if (!plic) {
		pr_warn("plic: registers at %#lx cannot be mapped\n", addr);
		return;
	}
	plic_sources = ndev + 1;
	plic_context = ctx;
	for (unsigned int irq = 1; irq < plic_sources; irq++)
		writel(0, plic + PLIC_PRIORITY(irq));
	for (unsigned int word = 0; word <= ndev / 32; word++)
		writel(~0U, plic + PLIC_ENABLE(ctx, word));
	writel(0, plic + PLIC_THRESHOLD(ctx));
	pr_info("plic: %u sources to hart %lu, context %d\n", ndev, riscv_boot_hart, ctx);
}

void riscv_plic_interrupt(void)
{
	u32 irq;

	while ((irq = readl(plic + PLIC_CLAIM(plic_context)))) {
		handle_irq(irq);
		writel(irq, plic + PLIC_CLAIM(plic_context));
	}
}

void arch_irq_enable(unsigned int irq)
{
	if (plic && irq && irq < plic_sources)
		writel(1, plic + PLIC_PRIORITY(irq));
}

void arch_irq_disable(unsigned int irq)
{
	if (plic && irq && irq < plic_sources)
		writel(0, plic + PLIC_PRIORITY(irq));
}

int arch_irq_of_node(const void *fdt, int node, unsigned int i)
{
	u32 cell;
	int n = fdt_get_interrupt(fdt, node, i, &cell, 1);

	if (n < 0)
		return n;
	if (!plic || fdt_get_interrupt_parent(fdt, node, i) != plic_node)
		return -ENODEV;
	return cell && cell < plic_sources ? (int)cell : -EINVAL;
}
