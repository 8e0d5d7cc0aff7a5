/*
 * The kernel's half of the address space: one map for both machines and every paging mode.
 *
 * Sv39 has the smallest kernel half, the top 256 GiB. Sv48, Sv57 and ARM64's 48 bits contain
 * those same addresses, so one set of constants serves all of them; only the number of
 * table levels above them differs. Constants also mean that virt_to_page() is two
 * instructions and no load.
 *
 *	ffffffc0_00000000	vmemmap: struct page of frame n at VMEMMAP + n * 64	  2 GiB
 *	ffffffc8_00000000	vmalloc: kernel stacks (guarded), ioremap		 16 GiB
 *	ffffffd8_00000000	direct map: physical address p at PAGE_OFFSET + p	124 GiB
 *	fffffff7_00000000	KASAN shadow: one byte for eight			 32 GiB
 *	ffffffff_00000000	fixmap: device tree, early console, interrupt controller  16 MiB
 *	ffffffff_80000000	the kernel's image					  1 GiB
 *	ffffffff_fffff000	never mapped: ERR_PTR values
 *
 * User space is [0, task_size): 2^38, 2^47 and 2^56 bytes under Sv39, Sv48 and Sv57, 2^48 on ARM64.
 * This header is included by assembly and linker scripts too.
 */
#pragma once

#define PAGE_SHIFT	12
#define PAGE_SIZE	0x1000
#define PMD_SHIFT	21
#define PMD_SIZE	0x200000
#define PUD_SHIFT	30
#define PUD_SIZE	0x40000000

#define VMEMMAP_START	0xffffffc000000000
#define VMEMMAP_END	0xffffffc080000000
#define VMALLOC_START	0xffffffc800000000
#define VMALLOC_END	0xffffffcc00000000
#define PAGE_OFFSET	0xffffffd800000000
#define PAGE_OFFSET_END	0xfffffff700000000
#define KASAN_SHADOW_START 0xfffffff700000000
#define KASAN_SHADOW_END 0xffffffff00000000
#define KASAN_SHADOW_OFFSET 0xdfffffff00000000
#define FIXMAP_START	0xffffffff00000000
#define FIXMAP_FDT	0xffffffff00000000	/* two 2 MiB leaves: a tree may cross a boundary */
#define FIXMAP_EARLYCON	0xffffffff00400000	/* one 4 KiB page of device registers */
#define KERNEL_LINK_ADDR 0xffffffff80000000

/* Physical memory above this has no direct map and is ignored. */
#define MAX_PHYSMEM	(PAGE_OFFSET_END - PAGE_OFFSET)

#define THREAD_SIZE	0x4000		/* a kernel stack, bytes */

#ifndef __ASSEMBLER__
#include "lib/types.h"

#define PAGE_MASK	(~(unsigned long)(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)	(((unsigned long)(x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PFN_UP(x)	(((unsigned long)(x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)	((unsigned long)(x) >> PAGE_SHIFT)
#define PFN_PHYS(pfn)	((phys_addr_t)(pfn) << PAGE_SHIFT)

#if !defined(CONFIG_ARCH_HOST) && !defined(CONFIG_WORLD)	/* test/ktest/world.h */
/* Direct map only: not for image, vmalloc or vmemmap addresses. */
static inline void *__va(phys_addr_t pa)
{
	return (void *)(pa + PAGE_OFFSET);
}

/* What was added to link addresses to get load addresses: set once by the boot code. */
extern unsigned long kernel_phys_offset;	/* physical = image address - kernel_phys_offset */

/* Physical address of a direct-map or image address. */
static inline phys_addr_t __pa(const void *va)
{
	unsigned long a = (unsigned long)va;

	return a >= KERNEL_LINK_ADDR ? a - kernel_phys_offset : a - PAGE_OFFSET;
}
#else
void *__va(phys_addr_t pa);
phys_addr_t __pa(const void *va);
#endif

/* First address that user space cannot use; fixed at boot by the paging mode. */
extern unsigned long task_size;

/* Linker symbols; image addresses. */
extern char _text[], _etext[], _rodata[], _erodata[], _data[], _edata[], _bss[], _ebss[], _end[];
#endif
