/* What the files of arch/riscv share with each other and nobody else. */
#pragma once

#include "arch/arch.h"
#include "asm/current.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"

/* Set by head.S. */
extern u64 riscv_boot_hart;
extern phys_addr_t riscv_fdt_phys;
extern u64 riscv_boot_time;		/* CSR time at kernel entry */

/* mmu.c */
extern unsigned long riscv_kernel_satp;	/* boot tables first, then mm/vm's */
/* Leaves Sv39 for the deepest mode the CPU has, not above @wanted levels. Boot CPU, boot tables. */
void riscv_choose_paging(int wanted);
/* Maps a device's registers for good, at most 8 MiB; NULL if they do not fit. Boot CPU only. */
void *riscv_map_device(phys_addr_t pa, size_t size);

/* Answers another hart's shootdown if there is one for this hart. Any context. */
void riscv_shootdown_poll(void);

/* smp.c */
#define RISCV_IPI_SHOOTDOWN	8	/* beside the IPI_ numbers of arch.h */
extern u64 riscv_cpu_hart[NR_CPUS];	/* hart id of each logical CPU */
extern unsigned long riscv_cpu_started;	/* CPUs that may hold kernel translations */
void riscv_ipi_interrupt(void);
/* Calls fn(hart mask, mask base) until all harts of @cpumask are covered. */
void riscv_for_harts(unsigned long cpumask, void (*fn)(unsigned long mask, unsigned long base,
						       unsigned long a, unsigned long b),
		     unsigned long a, unsigned long b);

/* time.c */
void riscv_time_init(const void *fdt);
void riscv_timer_probe(bool isa_has_sstc);

/* plic.c */
void riscv_plic_init(const void *fdt);
void riscv_plic_interrupt(void);

/* process.c */
extern bool riscv_has_fp;
bool riscv_fp_first_use(struct pt_regs *regs);
/* Last touch on @regs before user mode. */
void riscv_prepare_user(struct pt_regs *regs);

/* traps.c; the fix-up for a faulting kernel instruction, or false */
bool riscv_fixup(struct pt_regs *regs);
void trap_entry(void);
extern char emergency_stack_top[];
