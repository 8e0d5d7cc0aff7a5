/* What arch_switch_to() keeps of a thread, and its user floating-point state. */
#pragma once

#include "lib/types.h"

struct arch_context {
	unsigned long ra;		/* where the thread goes on */
	unsigned long sp;
	unsigned long s[12];
	/*
	 * 1: this CPU's FP registers are the thread's and its user sstatus.FS is not Off. Then, and
	 * only if FS is Dirty, they are newer than fregs. 0: fregs is the truth.
	 */
	unsigned long fp_live;
	u64 fregs[32];
	u32 fcsr;
};
