/*
 * Device registers. A write is ordered after all earlier memory accesses, a read before all later
 * ones: what a driver needs that fills a ring and then rings a bell.
 */
#pragma once

#include "lib/types.h"

#define __IO_READ(name, type, insn)					\
static inline type name(const volatile void *addr)			\
{									\
	type v;								\
	__asm__ __volatile__(insn " %0, 0(%1)\n\tfence i, ir"		\
			     : "=r"(v) : "r"(addr) : "memory");		\
	return v;							\
}

#define __IO_WRITE(name, type, insn)					\
static inline void name(type v, volatile void *addr)			\
{									\
	__asm__ __volatile__("fence w, ow\n\t" insn " %0, 0(%1)"	\
			     : : "r"(v), "r"(addr) : "memory");		\
}

__IO_READ(readb, u8, "lbu")
__IO_READ(readw, u16, "lhu")
__IO_READ(readl, u32, "lwu")
__IO_READ(readq, u64, "ld")
__IO_WRITE(writeb, u8, "sb")
__IO_WRITE(writew, u16, "sh")
__IO_WRITE(writel, u32, "sw")
__IO_WRITE(writeq, u64, "sd")

#undef __IO_READ
#undef __IO_WRITE
