/* Ordering against devices and other observers; between CPUs see smp_* in lib/atomic.h. */
#pragma once

#define isb()		__asm__ __volatile__("isb" : : : "memory")
#define dsb(scope)	__asm__ __volatile__("dsb " #scope : : : "memory")
#define dmb(scope)	__asm__ __volatile__("dmb " #scope : : : "memory")

#define mb()		dsb(sy)
#define rmb()		dsb(ld)
#define wmb()		dsb(st)
/* Orders accesses to registers and to memory that a device shares, without waiting for them. */
#define io_mb()		dmb(osh)

static inline void cpu_relax(void)
{
	__asm__ __volatile__("yield" : : : "memory");
}
