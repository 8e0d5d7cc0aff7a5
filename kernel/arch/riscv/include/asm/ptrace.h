/* Registers of an interrupted context, as entry.S stores them on the kernel stack. */
#pragma once

#include "asm/csr.h"
#include "lib/compiler.h"

struct pt_regs {
	/* the first 32 words are Linux's struct user_regs_struct */
	unsigned long pc;
	unsigned long ra, sp, gp, tp;
	unsigned long t0, t1, t2;
	unsigned long s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long t3, t4, t5, t6;
	unsigned long status;		/* sstatus */
	unsigned long tval;		/* stval: faulting address or instruction */
	unsigned long cause;		/* scause */
	unsigned long orig_a0;		/* a0 as the system call got it */
	unsigned long frame_fp;		/* a frame record, so that backtraces walk through the trap */
	unsigned long frame_pc;
};

static inline bool user_mode(const struct pt_regs *regs)
{
	return !(regs->status & SR_SPP);
}

static inline unsigned long instruction_pointer(const struct pt_regs *regs)
{
	return regs->pc;
}

static inline unsigned long frame_pointer(const struct pt_regs *regs)
{
	return regs->s0;
}

static inline void set_user_stack_pointer(struct pt_regs *regs, unsigned long sp)
{
	regs->sp = sp;
}

static inline unsigned long user_stack_pointer(const struct pt_regs *regs)
{
	return regs->sp;
}

/* -1 when the trap was not a system call, or has become none (a signal frame was restored). */
static inline long syscall_nr(const struct pt_regs *regs)
{
	return regs->cause == EXC_SYSCALL ? (long)regs->a7 : -1;
}

/* Argument @i, 0..5, also after the result was stored. */
static inline unsigned long syscall_arg(const struct pt_regs *regs, unsigned int i)
{
	return i ? (&regs->a0)[i] : regs->orig_a0;
}

static inline long syscall_return(const struct pt_regs *regs)
{
	return (long)regs->a0;
}

static inline void set_syscall_return(struct pt_regs *regs, long v)
{
	regs->a0 = (unsigned long)v;
}

static inline bool regs_irqs_disabled(const struct pt_regs *regs)
{
	return !(regs->status & SR_SPIE);
}

/* A fresh user context: all registers zero, interrupts on, FP off until its first use. */
static inline void start_user(struct pt_regs *regs, unsigned long pc, unsigned long sp)
{
	*regs = (struct pt_regs){
		.pc = pc,
		.sp = sp,
		.status = (csr_read(sstatus) & SR_UXL) | SR_SPIE,
	};
}
