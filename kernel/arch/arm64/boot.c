/*
 * The boot CPU's way from the boot tables to its own, and the start of the other CPUs.
 *
 * Until mm/ has memory, everything that must be mapped goes into the static tables of head.S: all
 * RAM in 1 GiB leaves of the one table that covers the kernel's 512 GiB, so that memblock
 * is free to choose; registers in 2 MiB leaves of the fixmap's table, above the device tree and
 * the early console. The fixmap's table outlives the boot tables: arch_load_kernel_root() hangs it
 * into the final ones, and register mappings stay where they are.
 */
#include "arch_arm64.h"
#include "arch/upcalls.h"
#include "asm/barrier.h"
#include "asm/io.h"
#include "lib/errno.h"
#include "lib/fdt.h"
#include "lib/string.h"
#include "mm/vm/pgtable.h"
#include "base/panic.h"

#define FIXMAP_REGISTERS	4	/* first slot of fixmap_l2 for arch_map_registers() */

unsigned long kernel_phys_offset;
unsigned long task_size;
phys_addr_t boot_fdt_phys;
u64 boot_ticks;

static phys_addr_t kernel_root;
static struct secondary_boot secondary_boot[NR_CPUS];

static void *pl011;
#define PL011_DR	0x00
#define PL011_FR	0x18
#define PL011_FR_TXFF	BIT(5)
#define PL011_CR	0x30
#define PL011_CR_ENABLE	0x301		/* UART, transmitter, receiver */

const void *arch_fdt(void)
{
	return (const void *)(FIXMAP_FDT + (boot_fdt_phys & (PMD_SIZE - 1)));
}

phys_addr_t arch_fdt_phys(void)
{
	return boot_fdt_phys;
}

/* All of it: see map_ram(). */
phys_addr_t arch_early_map_limit(void)
{
	return MAX_PHYSMEM;
}

u64 arch_boot_hwid(void)
{
	return cpu_mpidr[0];
}

void arch_early_putc(char c)
{
	if (!pl011)
		return;
	while (readl(pl011 + PL011_FR) & PL011_FR_TXFF)
		cpu_relax();
	writel((u8)c, pl011 + PL011_DR);
}

/* The UART that stdout-path names, or else the first there is. */
static void map_early_console(const void *fdt)
{
	int chosen = fdt_node_offset_by_path(fdt, "/chosen");
	const char *path = chosen >= 0 ? fdt_get_string(fdt, chosen, "stdout-path") : NULL;
	int node = path ? fdt_node_offset_by_path(fdt, path) : -ENOENT;
	u64 phys;

	if (node < 0 || !fdt_is_compatible(fdt, node, "arm,pl011"))
		node = fdt_next_compatible(fdt, -1, "arm,pl011");
	if (node < 0 || fdt_get_reg(fdt, node, 0, &phys, NULL))
		return;
	set_pte((pte_t *)fixmap_l3, pte_leaf(PFN_DOWN(phys), PTE_KERNEL_RW | PTE_DEVICE, 0));
	pl011 = (void *)(FIXMAP_EARLYCON + (phys & ~PAGE_MASK));
	writel(PL011_CR_ENABLE, pl011 + PL011_CR);
}

/* Every GiB that holds RAM appears in the direct map. */
static void map_ram(const void *fdt)
{
	pte_t *slots = (pte_t *)boot_l1 + pgtable_index(PAGE_OFFSET, 2);
	u64 start, size, gib;
	int node, i;

	for (node = fdt_next_device_type(fdt, -1, "memory"); node >= 0;
	     node = fdt_next_device_type(fdt, node, "memory")) {
		for (i = 0; fdt_get_reg(fdt, node, i, &start, &size) == 0; i++) {
			u64 end = min(start + size, (u64)MAX_PHYSMEM);

			for (gib = start >> PUD_SHIFT; gib << PUD_SHIFT < end; gib++)
				set_pte(&slots[gib], pte_leaf(gib << (PUD_SHIFT - PAGE_SHIFT),
							      PTE_KERNEL_RW, 2));
		}
	}
}

void *arch_map_registers(phys_addr_t phys, size_t size)
{
	static unsigned int next = FIXMAP_REGISTERS;
	phys_addr_t base = ALIGN_DOWN(phys, PMD_SIZE);
	unsigned int n = DIV_ROUND_UP(phys + size - base, PMD_SIZE), i;
	unsigned long va = FIXMAP_START + (unsigned long)next * PMD_SIZE;

	if (n > PTRS_PER_TABLE - next)
		panic("no room to map the registers at %#lx", phys);
	for (i = 0; i < n; i++)
		set_pte((pte_t *)&fixmap_l2[next++], pte_leaf(PFN_DOWN(base + i * PMD_SIZE),
							      PTE_KERNEL_RW | PTE_DEVICE, 1));
	return (void *)(va + (phys - base));
}

void arch_early_init(void)
{
	const void *fdt = arch_fdt();

	task_size = 1UL << 48;
	cpu_record(0);
	if (fdt_check(fdt))
		panic("the boot loader passed no device tree");
	map_early_console(fdt);
	psci_init(fdt);
	map_ram(fdt);
	cpu_check_features();
	arch_timer_probe(fdt);
	__asm__ __volatile__("msr pan, #1");
}

/* A clean copy of what the next CPU reads before its caches are on. */
static void clean_to_memory(const void *start, size_t size)
{
	const char *p = (const char *)((unsigned long)start & ~63UL);

	for (; p < (const char *)start + size; p += 64)
		__asm__ __volatile__("dc cvac, %0" : : "r"(p) : "memory");
	dsb(sy);
}

static pte_t *table_of(pte_t entry)
{
	return __va(PFN_PHYS(pte_pfn(entry)));
}

void arch_load_kernel_root(phys_addr_t root)
{
	void (*replace)(phys_addr_t, phys_addr_t) = (void *)__pa(replace_ttbr1);
	unsigned long flags;
	pte_t *l1;

	if (read_sysreg(ttbr1_el1) == root)
		return;
	l1 = table_of(((pte_t *)__va(root))[pgtable_index(FIXMAP_START, 3)]);
	set_pte(&l1[pgtable_index(FIXMAP_START, 2)], pte_table(PFN_DOWN(__pa(fixmap_l2))));
	kernel_root = root;

	flags = local_irq_save();
	write_sysreg(__pa(idmap_l0), ttbr0_el1);
	isb();
	replace(root, __pa(empty_root));
	mmu_cpu_init();
	local_irq_restore(flags);
}

void arch_init(void)
{
	irq_init(arch_fdt());
	irq_cpu_init();
}

void arch_cpu_init(void)
{
	unsigned int cpu = current_head()->cpu;

	write_sysreg(vectors, vbar_el1);
	write_sysreg(CPACR_FP_KERNEL, cpacr_el1);
	__asm__ __volatile__("msr pan, #1");
	write_sysreg(0, tpidr_el0);
	write_sysreg(0, tpidrro_el0);
	isb();
	cpu_record(cpu);
	mmu_cpu_init();
	irq_cpu_init();
	timer_cpu_init();
	__asm__ __volatile__("msr daifclr, #4");	/* asynchronous aborts speak */
}

int arch_cpu_start(unsigned int cpu, u64 hwid, struct thread_head *idle, void *stack_top)
{
	struct secondary_boot *boot = &secondary_boot[cpu];

	idle->kernel_sp = (unsigned long)stack_top;
	*boot = (struct secondary_boot){ idle, stack_top, kernel_root, cpu };
	clean_to_memory(boot, sizeof(*boot));
	return psci_cpu_on(hwid, __pa(secondary_entry), __pa(boot));
}
