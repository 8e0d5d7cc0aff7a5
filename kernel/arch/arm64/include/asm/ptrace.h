/* The registers of the interrupted context, as the trap entry leaves them on the kernel stack. */
#pragma once

#include "lib/string.h"
#include "lib/types.h"

#define PSR_MODE_MASK	0x0fUL
#define PSR_MODE_EL0	0x00UL
#define PSR_I		BIT(7)
#define PSR_PAN		BIT(22)
#define PSR_NZCV	0xf0000000UL	/* all of pstate that a signal handler may change */

#define NO_SYSCALL	(-1L)

struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 orig_x0;		/* x0 before the system call's result overwrote it */
	s64 syscallno;		/* x8 if a system call brought us here, else NO_SYSCALL */
	u64 frame[2];		/* a frame record, so that a backtrace walks through the trap */
};

static inline bool user_mode(const struct pt_regs *regs)
{
	return (regs->pstate & PSR_MODE_MASK) == PSR_MODE_EL0;
}

static inline unsigned long instruction_pointer(const struct pt_regs *regs)
{
	return regs->pc;
}

static inline unsigned long frame_pointer(const struct pt_regs *regs)
{
	return regs->regs[29];
}

static inline unsigned long user_stack_pointer(const struct pt_regs *regs)
{
	return regs->sp;
}

static inline void set_user_stack_pointer(struct pt_regs *regs, unsigned long sp)
{
	regs->sp = sp;
}

/* NO_SYSCALL (-1) when the trap was not a system call, or its result must not be restarted. */
static inline long syscall_nr(const struct pt_regs *regs)
{
	return regs->syscallno;
}

/* Argument @i, 0..5: still right after the result was set. */
static inline unsigned long syscall_arg(const struct pt_regs *regs, unsigned int i)
{
	return i ? regs->regs[i] : regs->orig_x0;
}

static inline long syscall_return(const struct pt_regs *regs)
{
	return (long)regs->regs[0];
}

static inline void set_syscall_return(struct pt_regs *regs, long v)
{
	regs->regs[0] = (u64)v;
}

static inline bool regs_irqs_disabled(const struct pt_regs *regs)
{
	return regs->pstate & PSR_I;
}

/* A fresh program: every register zero but these two; user mode, interrupts on. */
static inline void start_user(struct pt_regs *regs, unsigned long pc, unsigned long sp)
{
	memset(regs, 0, sizeof(*regs));
	regs->pc = pc;
	regs->sp = sp;
	regs->pstate = PSR_MODE_EL0;
	regs->syscallno = NO_SYSCALL;
}
