/*
 * Device registers. A read is done before any later access, a write after all earlier ones: memory
 * that a device is told of by a write is there when the device looks. The accesses are written as
 * assembly because a compiler may choose an addressing mode that a hypervisor cannot emulate.
 */
#pragma once

#include "asm/barrier.h"
#include "lib/types.h"

#define IO_READ(name, type, load)						\
static inline type name(const volatile void *addr)				\
{										\
	type value;								\
										\
	__asm__ __volatile__(load ", [%1]" : "=r"(value) : "r"(addr));		\
	dmb(oshld);								\
	return value;								\
}

#define IO_WRITE(name, type, store)						\
static inline void name(type value, volatile void *addr)			\
{										\
	dmb(oshst);								\
	__asm__ __volatile__(store ", [%1]" : : "rZ"(value), "r"(addr) : "memory"); \
}

IO_READ(readb, u8, "ldrb %w0")
IO_READ(readw, u16, "ldrh %w0")
IO_READ(readl, u32, "ldr %w0")
IO_READ(readq, u64, "ldr %x0")
IO_WRITE(writeb, u8, "strb %w0")
IO_WRITE(writew, u16, "strh %w0")
IO_WRITE(writel, u32, "str %w0")
IO_WRITE(writeq, u64, "str %x0")

#undef IO_READ
#undef IO_WRITE
