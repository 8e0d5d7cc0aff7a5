/*
 * The encoding of a page-table entry (VMSAv8-64, 4 KiB granule). The same bits at every level,
 * except bit 1: set in a 4 KiB page and in an entry for a next table, clear in a larger leaf.
 *
 * The hardware of ARMv8.0 keeps no accessed and dirty bits, so software does. An entry without
 * AF faults at the first access. A writable entry that is clean is read-only to the hardware
 * (AP[2]) and says in PTE_SW_WRITE that this is not the whole truth; the write faults and
 * generic code makes the entry dirty. So, always: hardware-writable = PTE_SW_WRITE && PTE_SW_DIRTY.
 *
 * A user entry without any permission (PROT_NONE) is not valid, so that the kernel on the user's
 * behalf cannot read it either, but PTE_SW_PROTNONE makes it present to software.
 */
#pragma once

#include "asm/barrier.h"
#include "asm/sysreg.h"
#include "lib/compiler.h"

typedef struct { u64 v; } pte_t;

#define pgtable_levels		4

#define PTE_VALID		BIT(0)
#define PTE_TYPE		BIT(1)
#define PTE_ATTR_DEVICE		((u64)MAIR_DEVICE << 2)
#define PTE_AP_USER		BIT(6)
#define PTE_AP_RDONLY		BIT(7)
#define PTE_SH_INNER		(3UL << 8)
#define PTE_AF			BIT(10)
#define PTE_NG			BIT(11)
#define PTE_ADDR_MASK		0x0000fffffffff000UL
#define PTE_PXN			BIT(53)		/* never executable in kernel mode */
#define PTE_UXN			BIT(54)		/* never executable in user mode */
#define PTE_SW_DIRTY		BIT(55)
#define PTE_SW_WRITE		BIT(56)
#define PTE_SW_PROTNONE		BIT(57)
#define PTE_SW_SWAP		BIT(58)

#define PTE_MEMORY_TYPE		(PTE_SH_INNER | (7UL << 2))

/* Restores the invariant on AP[2] after one of the software bits changed. */
static inline pte_t pte_fix_write(u64 v)
{
	const u64 both = PTE_SW_WRITE | PTE_SW_DIRTY;

	return (pte_t){ (v & both) == both ? v & ~PTE_AP_RDONLY : v | PTE_AP_RDONLY };
}

/* The permission bits of a leaf; AF and the software bits included. */
static inline u64 pte_prot_bits(unsigned long prot)
{
	u64 v = PTE_AF | PTE_AP_RDONLY | PTE_PXN | PTE_UXN;

	v |= prot & (PTE_READ | PTE_WRITE | PTE_EXEC) ? PTE_VALID : PTE_SW_PROTNONE;
	if (prot & PTE_WRITE)
		v = (v | PTE_SW_WRITE | PTE_SW_DIRTY) & ~PTE_AP_RDONLY;
	if (prot & PTE_USER)
		v |= PTE_AP_USER;
	if (prot & PTE_EXEC)
		v &= prot & PTE_USER ? ~PTE_UXN : ~PTE_PXN;
	if (!(prot & PTE_GLOBAL))
		v |= PTE_NG;
	return v;
}

static inline pte_t pte_leaf(pfn_t pfn, unsigned long prot, int level)
{
	u64 v = (pfn << 12) | pte_prot_bits(prot) | (level == 0 ? PTE_TYPE : 0);

	return (pte_t){ v | (prot & PTE_DEVICE ? PTE_ATTR_DEVICE : PTE_SH_INNER) };
}

static inline pte_t pte_table(pfn_t pfn)
{
	return (pte_t){ (pfn << 12) | PTE_TYPE | PTE_VALID };
}

static inline bool pte_none(pte_t pte)
{
	return pte.v == 0;
}

static inline bool pte_present(pte_t pte)
{
	return pte.v & (PTE_VALID | PTE_SW_PROTNONE);
}

static inline bool pte_is_leaf(pte_t pte, int level)
{
	return level == 0 || !(pte.v & PTE_TYPE);
}

static inline pfn_t pte_pfn(pte_t pte)
{
	return (pte.v & PTE_ADDR_MASK) >> 12;
}

static inline bool pte_write(pte_t pte)
{
	return pte.v & PTE_SW_WRITE;
}

static inline bool pte_user(pte_t pte)
{
	return pte.v & PTE_AP_USER;
}

static inline bool pte_exec(pte_t pte)
{
	return !(pte.v & (pte_user(pte) ? PTE_UXN : PTE_PXN));
}

static inline bool pte_young(pte_t pte)
{
	return pte.v & PTE_AF;
}

static inline bool pte_dirty(pte_t pte)
{
	return pte.v & PTE_SW_DIRTY;
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return (pte_t){ pte.v | PTE_AF };
}

static inline pte_t pte_mkold(pte_t pte)
{
	return (pte_t){ pte.v & ~PTE_AF };
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return pte_fix_write(pte.v | PTE_SW_DIRTY);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return pte_fix_write(pte.v & ~PTE_SW_DIRTY);
}

static inline pte_t pte_mkwrite(pte_t pte)
{
	return pte_fix_write(pte.v | PTE_SW_WRITE);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return pte_fix_write(pte.v & ~PTE_SW_WRITE);
}

static inline pte_t pte_modify(pte_t pte, unsigned long prot)
{
	const u64 keep = PTE_ADDR_MASK | PTE_TYPE | PTE_MEMORY_TYPE | PTE_AF | PTE_SW_DIRTY;
	const u64 drop = PTE_AF | PTE_SW_DIRTY;

	return pte_fix_write((pte.v & keep) | (pte_prot_bits(prot) & ~drop));
}

/* Not present, yet not none: 50 bits of software's own. */
static inline pte_t pte_swap(u64 entry)
{
	return (pte_t){ (entry << 2) | PTE_SW_SWAP };
}

static inline bool pte_is_swap(pte_t pte)
{
	return (pte.v & (PTE_SW_SWAP | PTE_VALID | PTE_SW_PROTNONE)) == PTE_SW_SWAP;
}

static inline u64 pte_swap_entry(pte_t pte)
{
	return (pte.v & ~PTE_SW_SWAP) >> 2;
}

/* The walker sees the store before any later instruction's access is translated. */
static inline void set_pte(pte_t *slot, pte_t pte)
{
	WRITE_ONCE(slot->v, pte.v);
	dsb(ishst);
	isb();
}
