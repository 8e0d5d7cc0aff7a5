/*
 * The first fields of every struct thread: those that assembly, spinlocks and per-CPU data
 * need. They live at the bottom of the house so that the lower layers can reach them
 * through current_head() without knowing what a thread is.
 *
 * "current" is a register: tp on RISC-V, tpidr_el1 on ARM64, always the running thread's
 * struct thread while in the kernel. Offsets are checked in each arch's asm_offsets.h users.
 */
#pragma once

#include "lib/compiler.h"
#include "asm/context.h"	/* struct arch_context: callee-saved registers and stack pointer */

/* thread_head.flags, set from any CPU with set_bit */
#define TIF_NEED_RESCHED	0	/* give the CPU away at the next chance */
#define TIF_SIGPENDING		1	/* a signal may be deliverable: look at it before user mode */
#define TIF_KILLED		2	/* the whole process dies: sleepers in killable waits return */
#define TIF_SINGLE_WORK		3	/* other work before returning to user mode */

#define TIF_USER_WORK		(BIT(TIF_NEED_RESCHED) | BIT(TIF_SIGPENDING) | BIT(TIF_KILLED) | \
				 BIT(TIF_SINGLE_WORK))

/* Where an address space's tables are and which CPUs may hold its translations. */
struct mm_context {
	phys_addr_t root;		/* physical address of the top-level table */
	unsigned long cpumask;		/* CPUs it is loaded on: changed by sched, read by shootdown */
};

struct thread_head {
	unsigned long kernel_sp;	/*  0: stack pointer for a trap from user mode */
	unsigned long scratch;		/*  8: for the trap entry */
	unsigned long percpu_base;	/* 16: &var + percpu_base is this CPU's copy */
	unsigned long flags;		/* 24: TIF_ bits */
	int preempt_count;		/* 32: > 0: not preemptible; see sched/preempt.h */
	int pagefault_disabled;		/* 36: > 0: a fault on user memory fails instead of sleeping */
	unsigned int cpu;		/* 40: where it runs, or last ran */
	unsigned int in_irq;		/* 44: interrupt nesting depth */
	struct arch_context ctx;	/* 48: what arch_switch_to saves */
#ifdef CONFIG_KASAN
	int kasan_off;			/* > 0: accesses are not checked */
#endif
#if defined(CONFIG_KASAN) || defined(CONFIG_DEBUG)
	unsigned int fail_nth;		/* > 0: so many allocations from now, one fails: debug/fault_inject.h */
#endif
};
