/* What the files of arch/arm64 share with one another and with nobody else. */
#pragma once

#include "arch/arch.h"
#include "asm/current.h"
#include "asm/irqflags.h"
#include "asm/sysreg.h"

/* head.S, entry.S */
struct secondary_boot {		/* what a CPU that starts needs, read with its MMU off */
	struct thread_head *idle;
	void *stack_top;
	phys_addr_t root;
	u64 cpu;
};
extern char vectors[], secondary_entry[], thread_entry[], idmap_l0[];
extern u64 boot_l1[], fixmap_l2[], fixmap_l3[];
void replace_ttbr1(phys_addr_t root, phys_addr_t empty);
__noreturn void leave_to_user(struct pt_regs *regs);
struct thread_head *cpu_switch(struct thread_head *prev, struct thread_head *next);
void fp_save(struct arch_context *ctx);
void fp_load(const struct arch_context *ctx);

/* boot.c */
extern u64 boot_ticks;		/* the virtual counter at kernel entry */
/* Maps a device's registers, before there is any memory; for good. Panics when out of room. */
void *arch_map_registers(phys_addr_t phys, size_t size);

/* traps.c */
void exit_to_user(struct pt_regs *regs);

/* cpu.c */
void cpu_check_features(void);	/* boot CPU: stops with a message if the CPU is too old */
void cpu_record(unsigned int cpu);
extern u64 cpu_mpidr[NR_CPUS];	/* affinity fields of MPIDR */
#define MPIDR_AFFINITY	0xff00ffffffUL

/* psci.c */
void psci_init(const void *fdt);
int psci_cpu_on(u64 mpidr, phys_addr_t entry, phys_addr_t context);	/* 0 or -errno */

/* irq.c */
void irq_init(const void *fdt);
void irq_cpu_init(void);
void irq_dispatch(void);	/* handles the pending interrupt; interrupts off */

/* timer.c */
void arch_timer_probe(const void *fdt);
void timer_cpu_init(void);
void timer_irq(void);		/* silences the timer until arch_timer_set(), calls up */
extern unsigned int timer_intid;

/* mmu.c */
extern u64 empty_root[];	/* a root table that maps nothing */
void mmu_cpu_init(void);	/* the identity map leaves TTBR0 */

/* thread.c */
void fp_trap(void);		/* user's first use of floating point; interrupts off */
