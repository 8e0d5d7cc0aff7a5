/* The machine part of a user signal frame, laid out as Linux does for riscv64. */
#pragma once

#include "lib/types.h"

/* uc_mcontext. Behind the 32 double registers Linux leaves room for quad precision. */
struct sigcontext {
	u64 regs[32];			/* pc, then x1..x31 */
	u64 fregs[32];
	u32 fcsr;
	u32 unused[(528 - 32 * 8) / 4 - 1];	/* zero */
} __attribute__((aligned(16)));

/* Offset of uc_mcontext in struct ucontext: flags, link, stack, 1024 bits of mask, alignment. */
#define SIGCONTEXT_OFFSET	176

/* What rt_sigaction takes. */
struct user_sigaction {
	unsigned long handler;
	unsigned long flags;
	u64 mask;
};
