/* Ordering against devices, and the spin hint. Ordering between CPUs is in lib/atomic.h. */
#pragma once

#define mb()	__asm__ __volatile__("fence iorw, iorw" : : : "memory")
#define rmb()	__asm__ __volatile__("fence ir, ir" : : : "memory")
#define wmb()	__asm__ __volatile__("fence ow, ow" : : : "memory")
#define io_mb()	mb()

/* In a loop that waits for another CPU. "pause" of Zihintpause, a fence without effect on machines
 * that lack it; then see time.c. */
void riscv_relax_slow(void);
static inline void cpu_relax(void)
{
	__asm__ __volatile__(".4byte 0x0100000f" : : : "memory");
	riscv_relax_slow();
}
