/* What a switch of threads saves beside the stack, and the user's floating-point registers. */
#pragma once

#include "lib/types.h"

struct arch_context {
	u64 x19_x28[10];	/* callee-saved registers; asm/offsets.h knows where they are */
	u64 fp;
	u64 sp;
	u64 pc;
	u64 tls;		/* tpidr_el0 of the user, while the thread is not running */
	bool fp_live;		/* the state is in the CPU's registers, what is below is stale */
	bool fp_used;		/* there is a state at all, else all registers read as zero */
	u32 fpsr;
	u32 fpcr;
	u64 vregs[64];		/* q0 to q31 */
};
