/* System registers by name; constants that assembly shares with C. */
#pragma once

#define SCTLR_M		(1 << 0)
#define SCTLR_C		(1 << 2)
#define SCTLR_SA	(1 << 3)
#define SCTLR_SA0	(1 << 4)
#define SCTLR_SED	(1 << 8)
#define SCTLR_I		(1 << 12)
#define SCTLR_DZE	(1 << 14)	/* user mode may use dc zva, */
#define SCTLR_UCT	(1 << 15)	/* read ctr_el0 */
#define SCTLR_UCI	(1 << 26)	/* and clean caches: C libraries do */
#define SCTLR_NTWE	(1 << 18)
/* Bits that read as one where the feature behind them is missing. SPAN (23) is none of them:
 * clear, so that a trap closes PAN. */
#define SCTLR_RES1	((1 << 7) | (1 << 11) | (1 << 20) | (1 << 22) | (1 << 28) | (1 << 29))
#define SCTLR_MMU_OFF	SCTLR_RES1
#define SCTLR_MMU_ON	(SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_SA0 | SCTLR_SED | \
			 SCTLR_I | SCTLR_DZE | SCTLR_UCT | SCTLR_UCI | SCTLR_NTWE)

/* 48-bit addresses in both halves, 4 KiB granule, walks cached and inner shareable. No tags. */
#define TCR_HALF	(16 | (1 << 8) | (1 << 10) | (3 << 12))
#define TCR_TG1_4K	(2 << 30)
#define TCR_VALUE	(TCR_HALF | (TCR_HALF << 16) | TCR_TG1_4K)

#define MAIR_NORMAL	0		/* indices: write-back, read and write allocate */
#define MAIR_DEVICE	1		/* nGnRE */
#define MAIR_VALUE	0x04ff

#define CPACR_FP_KERNEL	(1 << 20)	/* floating point traps from user mode only */
#define CPACR_FP_ALL	(3 << 20)

#ifndef __ASSEMBLER__
#include "lib/types.h"

#define read_sysreg(name) ({						\
	u64 _v;								\
	__asm__ __volatile__("mrs %0, " #name : "=r"(_v) : : "memory");	\
	_v; })

#define write_sysreg(value, name)					\
	__asm__ __volatile__("msr " #name ", %x0" : : "rZ"((u64)(value)) : "memory")

/* Bits [@lo, @lo + 4) of an identification register. */
static inline unsigned int id_field(u64 reg, unsigned int lo)
{
	return (reg >> lo) & 0xf;
}
#endif
