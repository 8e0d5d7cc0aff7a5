/*
 * Encoding of a page-table entry (Sv39, Sv48, Sv57: the same).
 *
 *	63..54 zero	53..10 frame	9 8 software	7 D 6 A 5 G 4 U 3 X 2 W 1 R 0 V
 *
 * An entry without R, W and X but with V points to a table, so a mapping without any
 * permission (PROT_NONE) cannot keep V: bit 8 marks it then. Present means V or bit 8.
 * A swap entry has neither, bit 9 set, and 50 bits from bit 10 on. PTE_DEVICE needs no bit: what is
 * memory and what is registers is fixed by physical address (PMAs).
 */
#pragma once

#include "arch/layout.h"
#include "lib/atomic.h"

typedef struct { u64 v; } pte_t;

extern int pgtable_levels;

#define _PTE_V		0x001UL
#define _PTE_R		0x002UL
#define _PTE_W		0x004UL
#define _PTE_X		0x008UL
#define _PTE_U		0x010UL
#define _PTE_G		0x020UL
#define _PTE_A		0x040UL
#define _PTE_D		0x080UL
#define _PTE_NONE	0x100UL		/* mapped without permissions */
#define _PTE_SWAP	0x200UL
#define _PTE_RWX	(_PTE_R | _PTE_W | _PTE_X)
#define _PTE_PFN_SHIFT	10
#define _PTE_PFN_MASK	(((1UL << 44) - 1) << _PTE_PFN_SHIFT)

/* The permission bits for PTE_* in @prot; A and D are the caller's. */
static inline u64 __pte_prot(unsigned long prot)
{
	u64 v = 0;

	if (prot & PTE_READ)
		v |= _PTE_R;
	if (prot & PTE_WRITE)
		v |= _PTE_R | _PTE_W;	/* W alone is reserved */
	if (prot & PTE_EXEC)
		v |= _PTE_X;
	v |= v ? _PTE_V : _PTE_NONE;
	if (prot & PTE_USER)
		v |= _PTE_U;
	if (prot & PTE_GLOBAL)
		v |= _PTE_G;
	return v;
}

static inline pte_t pte_leaf(pfn_t pfn, unsigned long prot, int level)
{
	(void)level;
	return (pte_t){ pfn << _PTE_PFN_SHIFT | __pte_prot(prot) | _PTE_A |
			(prot & PTE_WRITE ? _PTE_D : 0) };
}

static inline pte_t pte_table(pfn_t pfn)
{
	return (pte_t){ pfn << _PTE_PFN_SHIFT | _PTE_V };
}

static inline bool pte_none(pte_t pte)
{
	return !pte.v;
}

static inline bool pte_present(pte_t pte)
{
	return pte.v & (_PTE_V | _PTE_NONE);
}

static inline bool pte_is_leaf(pte_t pte, int level)
{
	(void)level;
	return pte_present(pte) && (pte.v & (_PTE_RWX | _PTE_NONE));
}

static inline pfn_t pte_pfn(pte_t pte)
{
	return (pte.v & _PTE_PFN_MASK) >> _PTE_PFN_SHIFT;
}

static inline bool pte_write(pte_t pte)
{
	return pte.v & _PTE_W;
}

static inline bool pte_exec(pte_t pte)
{
	return pte.v & _PTE_X;
}

static inline bool pte_user(pte_t pte)
{
	return pte.v & _PTE_U;
}

static inline bool pte_young(pte_t pte)
{
	return pte.v & _PTE_A;
}

static inline bool pte_dirty(pte_t pte)
{
	return pte.v & _PTE_D;
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return (pte_t){ pte.v | _PTE_A };
}

static inline pte_t pte_mkold(pte_t pte)
{
	return (pte_t){ pte.v & ~_PTE_A };
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return (pte_t){ pte.v | _PTE_D };
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return (pte_t){ pte.v & ~_PTE_D };
}

static inline pte_t pte_mkwrite(pte_t pte)
{
	return (pte_t){ pte.v & _PTE_NONE ? pte.v : pte.v | _PTE_R | _PTE_W };
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return (pte_t){ pte.v & ~_PTE_W };
}

static inline pte_t pte_modify(pte_t pte, unsigned long prot)
{
	return (pte_t){ (pte.v & (_PTE_PFN_MASK | _PTE_A | _PTE_D)) | __pte_prot(prot) };
}

static inline pte_t pte_swap(u64 entry)
{
	return (pte_t){ entry << _PTE_PFN_SHIFT | _PTE_SWAP };
}

static inline bool pte_is_swap(pte_t pte)
{
	return !pte_present(pte) && (pte.v & _PTE_SWAP);
}

static inline u64 pte_swap_entry(pte_t pte)
{
	return pte.v >> _PTE_PFN_SHIFT;
}

/* Released, so that a walker on another CPU that finds the entry finds the page filled too. */
static inline void set_pte(pte_t *slot, pte_t pte)
{
	smp_store_release(&slot->v, pte.v);
}
