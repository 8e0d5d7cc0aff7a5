/*
 * One page-table walker for three, four and five levels.
 *
 * A table is one page of 512 entries at every level on both machines. Level 0 holds 4 KiB leaves,
 * level 1 2 MiB leaves, level 2 1 GiB leaves. An architecture supplies only the encoding of an
 * entry (asm/pgtable.h):
 *
 *	typedef struct { u64 v; } pte_t;
 *	extern int pgtable_levels;		3, 4 or 5 (a constant 4 on ARM64), set by boot code
 *	pte_t pte_leaf(pfn_t pfn, unsigned long prot, int level);   PTE_* below
 *	pte_t pte_table(pfn_t pfn);		an entry that points to the next table
 *	bool pte_none(pte_t)			all zero: nothing here
 *	bool pte_present(pte_t)			the hardware uses it, perhaps after an A/D fault
 *	bool pte_is_leaf(pte_t, int level)
 *	pfn_t pte_pfn(pte_t)
 *	bool pte_write(pte_t), pte_exec(pte_t), pte_user(pte_t), pte_young(pte_t), pte_dirty(pte_t)
 *	pte_t pte_mkyoung(pte_t), pte_mkold(pte_t), pte_mkdirty(pte_t), pte_mkclean(pte_t)
 *	pte_t pte_mkwrite(pte_t), pte_wrprotect(pte_t)
 *	pte_t pte_modify(pte_t, unsigned long prot)	new permissions, same frame, keeps A/D
 *	pte_t pte_swap(u64 entry), bool pte_is_swap(pte_t), u64 pte_swap_entry(pte_t)
 *						not present, not none: 50 bits of software's
 *	void set_pte(pte_t *slot, pte_t)	single-copy atomic store + whatever barrier
 *						a later access needs
 *
 * Where hardware does not maintain the accessed and dirty bits, pte_leaf() makes a young (and
 * if writable, dirty) entry, and a fault on an old or clean one arrives in handle_page_fault(),
 * which marks it. User read-only and writable entries are never executable in kernel mode.
 *
 * Locking: kernel tables are changed under the lock of vmalloc.c, user tables under their mm's.
 * Tables only grow until exit or unmapping of their whole range.
 */
#pragma once

#include "arch/arch.h"

#define PTE_READ	BIT(0)
#define PTE_WRITE	BIT(1)		/* implies young and dirty in pte_leaf() */
#define PTE_EXEC	BIT(2)
#define PTE_USER	BIT(3)
#define PTE_GLOBAL	BIT(4)		/* kernel mappings: same in every address space */
#define PTE_DEVICE	BIT(5)		/* registers: uncached, unordered accesses forbidden */

#define PTE_KERNEL_RW	(PTE_READ | PTE_WRITE | PTE_GLOBAL)
#define PTE_KERNEL_RO	(PTE_READ | PTE_GLOBAL)
#define PTE_KERNEL_RX	(PTE_READ | PTE_EXEC | PTE_GLOBAL)

#define PTRS_PER_TABLE	512

#include "asm/pgtable.h"

/* Where a walk gets its table pages: zeroed, physical address; 0 when there is none. */
typedef phys_addr_t (*table_alloc_t)(void);

static inline unsigned int pgtable_index(unsigned long va, int level)
{
	return (va >> (PAGE_SHIFT + 9 * level)) & (PTRS_PER_TABLE - 1);
}

/*
 * The slot of @va at @level in the tables under @root, making missing tables with @alloc (NULL: do
 * not make any). Returns NULL when a table is missing and could not be made, or when a larger leaf
 * covers @va. *@level_out (if not NULL) is the level at which the walk ended.
 */
pte_t *pgtable_walk(phys_addr_t root, unsigned long va, int level, table_alloc_t alloc,
		    int *level_out);

/*
 * Maps [va, va+size) to [pa, …) with @prot in the largest leaves that alignment allows, up to
 * @max_level. All page aligned; the range must be unmapped. 0 or -ENOMEM (partly mapped then).
 */
int pgtable_map(phys_addr_t root, unsigned long va, phys_addr_t pa, size_t size,
		unsigned long prot, int max_level, table_alloc_t alloc);
