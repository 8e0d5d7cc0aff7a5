/*
 * The kernel's own tables, built once at boot from what memblock knows, in place of the boot
 * tables, which map everything writable and executable.
 *
 *	image		text read-only and executable, constants read-only, data and bss writable
 *	direct map	RAM only, in the largest leaves that fit, never executable; what the image
 *			holds read-only is read-only here as well, or the one could be written
 *			through the other; memory marked no-map is not there at all
 *	vmemmap		struct page for each section of 2 MiB that contains RAM
 *	vmalloc		empty, but under Sv39 its root entries exist
 *	fixmap		arch_load_kernel_root() moves it over from the boot tables
 *
 * Nothing is both writable and executable (boot with selftest=wx to have that checked).
 *
 * Every user root has a copy of the kernel's half of this root, made when the process is. So
 * the entries of the root may never change after boot. With four or five levels the whole kernel
 * lies below one of them; with three, each covers 1 GiB, and those of the vmalloc area, the only
 * one that grows later, get their tables here.
 *
 * All memory comes from memblock; an allocation that fails is a panic.
 */
#include "mm/vm/pgtable.h"
#include "mm/vm/vmalloc.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page.h"
#include "base/panic.h"
#include "debug/kasan.h"

#define LEVEL_4K	0
#define LEVEL_2M	1
#define LEVEL_1G	2

phys_addr_t kernel_root;

static phys_addr_t boot_table(void)
{
	return __pa(memblock_alloc(PAGE_SIZE, PAGE_SIZE));
}

static void map(unsigned long va, phys_addr_t pa, size_t size, unsigned long prot, int max_level)
{
	if (pgtable_map(kernel_root, va, pa, size, prot, max_level, boot_table))
		panic("kernel_map: cannot map %#lx", va);
}

static void map_image_part(const char *start, const char *end, unsigned long prot)
{
	map((unsigned long)start, __pa(start), PAGE_ALIGN(end) - (unsigned long)start, prot,
	    LEVEL_2M);
}

static void map_image(void)
{
	map_image_part(_text, _etext, PTE_KERNEL_RX);
	map_image_part(_rodata, _erodata, PTE_KERNEL_RO);
	map_image_part(_data, _end, PTE_KERNEL_RW);
}

static void map_direct(phys_addr_t base, phys_addr_t end, unsigned long prot)
{
	if (base < end)
		map((unsigned long)__va(base), base, end - base, prot, LEVEL_1G);
}

/* A region of RAM in three pieces: in front of, in, and behind the read-only part of the image. */
static void map_direct_region(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t ro_base = clamp(__pa(_text), base, end);
	phys_addr_t ro_end = clamp(__pa(_erodata), base, end);

	map_direct(base, ro_base, PTE_KERNEL_RW);
	map_direct(ro_base, ro_end, PTE_KERNEL_RO);
	map_direct(ro_end, end, PTE_KERNEL_RW);
}

/*
 * Backs the page array at [va, end) with memory, in 2 MiB leaves where the range has them. It is
 * not zeroed: page_init() writes every field of every page.
 */
static void back_vmemmap(unsigned long va, unsigned long end)
{
	while (va < end) {
		unsigned long size = min(end, ALIGN_DOWN(va, PMD_SIZE) + PMD_SIZE) - va;
		phys_addr_t pa = memblock_phys_alloc_range(size, size == PMD_SIZE ? PMD_SIZE :
							   PAGE_SIZE, 0, MAX_PHYSMEM);

		if (!pa)
			panic("kernel_map: no memory for the page array (%lu KiB more)",
			      (end - va) / 1024);
		map(va, pa, size, PTE_KERNEL_RW, LEVEL_2M);
		va += size;
	}
}

/* The same sections that sections_init() finds; two regions may share one. */
static void map_vmemmap(void)
{
	unsigned long done = 0;

	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		pfn_t first = ALIGN_DOWN(r->base, 1UL << SECTION_SHIFT) >> PAGE_SHIFT;
		pfn_t last = ALIGN(r->base + r->size, 1UL << SECTION_SHIFT) >> PAGE_SHIFT;

		back_vmemmap(max(done, (unsigned long)pfn_to_page(first)),
			     (unsigned long)pfn_to_page(last));
		done = (unsigned long)pfn_to_page(last);
	}
}

static void reserve_vmalloc_roots(void)
{
	const int top = pgtable_levels - 1;

	for (unsigned long va = VMALLOC_START; va < VMALLOC_END; va += PUD_SIZE)
		if (!pgtable_walk(kernel_root, va, top - 1, boot_table, NULL))
			panic("kernel_map: cannot prepare the vmalloc area");
}

void vm_kernel_init(void)
{
	const struct memblock_type *memory = &memblock.memory;

	kernel_root = boot_table();
	map_image();
	for (unsigned int i = 0; i < memory->cnt; i++)
		map_direct_region(memory->regions[i].base,
				  memory->regions[i].base + memory->regions[i].size);
	map_vmemmap();
	reserve_vmalloc_roots();
	kasan_map_shadow();
	arch_load_kernel_root(kernel_root);
	kasan_seal_shared();
	memblock.current_limit = MAX_PHYSMEM;
}
