/*
 * Address spaces: the paging mode, the roots, the translation caches.
 *
 * Boot tables. The three modes differ only in how many tables stand above a Sv39 root, and the
 * kernel's half fits below the last entry of each. So a Sv48 root whose last entry is the Sv39
 * root, and a Sv57 root whose last entry is that, map exactly the same: writing satp with
 * either changes nothing but the mode, and a mode the CPU lacks leaves satp as it was.
 *
 * Roots. Every user root carries a copy of the kernel's upper half, taken when it is made. It
 * stays right because the kernel's top-level entries never change once arch_load_kernel_root() has
 * seen them: under Sv39 these are 1 GiB each, so mm/vm makes the tables of the whole vmalloc area
 * beforehand; under Sv48 and Sv57 it is the one last entry.
 *
 * Translation caches. There are no ASIDs: loading another root flushes all but global
 * entries. Loading the root that is loaded does nothing, which makes switching
 * between threads of a process, or to a kernel thread and back, cheap. A CPU in an mm_context's
 * cpumask may hold its translations. Who changes an entry orders the store before
 * reading the mask, who loads a root sets the bit before loading: one of them sees the other.
 */
#include "arch/riscv/riscv.h"
#include "arch/riscv/sbi.h"
#include "asm/barrier.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "mm/vm/pgtable.h"

#define FLUSH_PAGES_MAX	16		/* above this one flush of everything is cheaper */
#define FIXMAP_DEVICES	4		/* first 2 MiB slot behind the device tree and early console */
#define FIXMAP_DEVICES_END 8

extern pte_t boot_root[], boot_fixmap_pmd[];	/* head.S */

unsigned long task_size;
unsigned long kernel_phys_offset;
int pgtable_levels;
unsigned long riscv_kernel_satp;

static pte_t boot_p4d[PTRS_PER_TABLE] __aligned(PAGE_SIZE);
static pte_t boot_pgd[PTRS_PER_TABLE] __aligned(PAGE_SIZE);

static unsigned long make_satp(phys_addr_t root)
{
	return (SATP_SV39 + pgtable_levels - 3UL) << SATP_MODE_SHIFT | PFN_DOWN(root);
}

static inline void flush_tlb_all(void)
{
	__asm__ __volatile__("sfence.vma" : : : "memory");
}

/* All but global entries: those of address space identifier 0, the only one in use. */
static inline void flush_tlb_user(void)
{
	__asm__ __volatile__("sfence.vma zero, %0" : : "r"(0UL) : "memory");
}

static inline void flush_tlb_page(unsigned long va)
{
	__asm__ __volatile__("sfence.vma %0" : : "r"(va) : "memory");
}

/* ---- the paging mode ----------------------------------------------------------------- */

static bool try_levels(int levels, pte_t *root)
{
	pgtable_levels = levels;
	riscv_kernel_satp = make_satp(__pa(root));
	flush_tlb_all();
	csr_write(satp, riscv_kernel_satp);
	flush_tlb_all();
	return csr_read(satp) == riscv_kernel_satp;
}

void riscv_choose_paging(int wanted)
{
	const int last = PTRS_PER_TABLE - 1;

	boot_p4d[last] = pte_table(PFN_DOWN(__pa(boot_root)));
	boot_pgd[last] = pte_table(PFN_DOWN(__pa(boot_p4d)));
	if (!(wanted >= 5 && try_levels(5, boot_pgd)) && !(wanted >= 4 && try_levels(4, boot_p4d)))
		try_levels(3, boot_root);
	task_size = 1UL << (PAGE_SHIFT + 9 * pgtable_levels - 1);
}

/* ---- the kernel's root --------------------------------------------------------------- */

phys_addr_t arch_early_map_limit(void)
{
	return MAX_PHYSMEM;
}

const void *arch_fdt(void)
{
	return (const void *)(FIXMAP_FDT + (riscv_fdt_phys & (PMD_SIZE - 1)));
}

phys_addr_t arch_fdt_phys(void)
{
	return riscv_fdt_phys;
}

/* The kernel table of the fixmap's gigabyte lives on, with the device tree in it. */
static void adopt_fixmap(phys_addr_t root)
{
	pte_t *table = __va(root), *slot;

	for (int level = pgtable_levels - 1; level > 2; level--)
		table = __va(PFN_PHYS(pte_pfn(table[pgtable_index(FIXMAP_START, level)])));
	slot = &table[pgtable_index(FIXMAP_START, 2)];
	if (pte_none(*slot)) {
		set_pte(slot, pte_table(PFN_DOWN(__pa(boot_fixmap_pmd))));
		return;
	}
	table = __va(PFN_PHYS(pte_pfn(*slot)));
	for (int i = 0; i < FIXMAP_DEVICES_END; i++)
		if (pte_none(table[i]))
			set_pte(&table[i], boot_fixmap_pmd[i]);
}

void arch_load_kernel_root(phys_addr_t root)
{
	adopt_fixmap(root);
	riscv_kernel_satp = make_satp(root);
	flush_tlb_all();
	csr_write(satp, riscv_kernel_satp);
	flush_tlb_all();
}

void *riscv_map_device(phys_addr_t pa, size_t size)
{
	static unsigned int next = FIXMAP_DEVICES;
	phys_addr_t first = ALIGN_DOWN(pa, PMD_SIZE);
	unsigned int n = DIV_ROUND_UP(pa + size - first, PMD_SIZE);
	unsigned long va = FIXMAP_START + next * PMD_SIZE;
	pte_t *slot;

	if (n > FIXMAP_DEVICES_END - next)
		return NULL;
	slot = pgtable_walk(PFN_PHYS(riscv_kernel_satp & ((1UL << 44) - 1)), va, 1, NULL, NULL);
	if (!slot)
		return NULL;
	for (unsigned int i = 0; i < n; i++)
		set_pte(&slot[i], pte_leaf(PFN_DOWN(first + i * PMD_SIZE),
					   PTE_KERNEL_RW | PTE_DEVICE, 1));
	next += n;
	flush_tlb_all();
	return (void *)(va + (pa - first));
}

/* ---- user roots ---------------------------------------------------------------------- */

void arch_root_init(void *root)
{
	const pte_t *kernel = __va(PFN_PHYS(riscv_kernel_satp & ((1UL << 44) - 1)));
	pte_t *user = root;

	for (int i = PTRS_PER_TABLE / 2; i < PTRS_PER_TABLE; i++)
		user[i] = kernel[i];
}

void arch_switch_mm(struct mm_context *ctx)
{
	unsigned long satp = ctx ? make_satp(ctx->root) : riscv_kernel_satp;

	if (csr_read(satp) == satp)
		return;
	smp_mb();		/* the cpumask bit before the first translation */
	csr_write(satp, satp);
	flush_tlb_user();
}

/* ---- shootdown -----------------------------------------------------------------------
 *
 * What other harts may have cached of the tables, or of instructions, they must forget themselves: one
 * request at a time, an interrupt to those it names, and a wait until each has answered. (The firmware
 * could do it, too: SBI RFENCE. But OpenSBI spins until all have answered where no timer of ours can
 * interrupt it, which under QEMU's instruction counting keeps the others from running for a tenth of a
 * second of virtual time.)
 *
 * Two harts may want each other, or one may wait with interrupts off for a lock of the other. So whoever
 * waits, here or in any loop with cpu_relax(), also answers: riscv_shootdown_poll().
 */
static struct {
	u32 locked;
	unsigned long waiting;		/* CPUs that have not answered; 0: no request */
	unsigned long start, end;
	bool fence_i;
} shootdown;

/* This hart's part: pages [start, end), all of them if they are many. */
static void flush_local(unsigned long start, unsigned long end)
{
	if ((end - start) >> PAGE_SHIFT > FLUSH_PAGES_MAX) {
		flush_tlb_all();
		return;
	}
	for (unsigned long va = start; va < end; va += PAGE_SIZE)
		flush_tlb_page(va);
}

void riscv_shootdown_poll(void)
{
	unsigned long flags, self;

	if (!READ_ONCE(shootdown.waiting))
		return;
	flags = local_irq_save();	/* or the interrupt would answer in between, too */
	self = BIT(current_head()->cpu);
	if (smp_load_acquire(&shootdown.waiting) & self) {
		if (shootdown.fence_i)
			__asm__ __volatile__("fence.i" : : : "memory");
		else
			flush_local(shootdown.start, shootdown.end);
		__atomic_fetch_and(&shootdown.waiting, ~self, __ATOMIC_RELEASE);
	}
	local_irq_restore(flags);
}

/* @cpus without this one; interrupts off, so that the caller stays here. */
static void shoot(unsigned long cpus, unsigned long start, unsigned long end, bool fence_i)
{
	cpus &= READ_ONCE(cpu_online_mask);	/* who comes later starts with nothing cached */
	if (!cpus || panic_in_progress())	/* the others are deaf by then */
		return;
	while (xchg(&shootdown.locked, 1))
		cpu_relax();
	shootdown.start = start;
	shootdown.end = end;
	shootdown.fence_i = fence_i;
	smp_store_release(&shootdown.waiting, cpus);
	arch_send_ipi(cpus, RISCV_IPI_SHOOTDOWN);
	while (smp_load_acquire(&shootdown.waiting) && !panic_in_progress())
		cpu_relax();
	smp_store_release(&shootdown.locked, 0);
}

static void flush_range(unsigned long cpumask, unsigned long start, unsigned long end)
{
	unsigned long flags = local_irq_save();		/* stay on this CPU */
	unsigned long self = BIT(current_head()->cpu);

	if (cpumask & self)
		flush_local(start, end);
	shoot(cpumask & ~self, start, end, false);
	local_irq_restore(flags);
}

/* Between the first translation and the online bit nobody asked this hart to forget anything. */
void arch_cpu_online(void)
{
	flush_tlb_all();
}

void arch_flush_tlb_range(struct mm_context *ctx, unsigned long start, unsigned long end)
{
	smp_mb();
	flush_range(READ_ONCE(ctx->cpumask), start & PAGE_MASK, end);
}

void arch_flush_tlb_mm(struct mm_context *ctx)
{
	arch_flush_tlb_range(ctx, 0, ~0UL);
}

unsigned long arch_tlb_users(struct mm_context *ctx)
{
	smp_mb();
	return READ_ONCE(ctx->cpumask);
}

void arch_flush_tlb_user(unsigned long cpus)
{
	flush_range(cpus, 0, ~0UL);
}

void arch_flush_tlb_local(unsigned long addr)
{
	flush_tlb_page(addr);
}

void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	smp_mb();
	flush_range(riscv_cpu_started, start & PAGE_MASK, end);
}

void arch_sync_icache(void *start, size_t size)
{
	unsigned long flags;

	(void)start;
	(void)size;
	smp_mb();
	flags = local_irq_save();
	__asm__ __volatile__("fence.i" : : : "memory");
	shoot(~BIT(current_head()->cpu), 0, 0, true);
	local_irq_restore(flags);
}
