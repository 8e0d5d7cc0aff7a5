/* The machine's part of a user signal frame, as Linux lays it out on ARM64. */
#pragma once

#include "lib/types.h"

#define FPSIMD_MAGIC	0x46508001U

struct _aarch64_ctx {		/* heads each record in __reserved; magic 0 ends them */
	u32 magic;
	u32 size;		/* of the whole record, a multiple of 16 */
};

struct fpsimd_context {
	struct _aarch64_ctx head;
	u32 fpsr;
	u32 fpcr;
	u64 vregs[64];
};

#define SIGCONTEXT_RESERVED 4096

struct sigcontext {
	u64 fault_address;
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u8 __reserved[SIGCONTEXT_RESERVED] __attribute__((aligned(16)));
};

/* Where uc_mcontext begins: behind flags, link, stack, 128 bytes of signal mask, alignment. */
#define UCONTEXT_MCONTEXT_OFFSET 176

/* What rt_sigaction takes. */
struct user_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;		/* never used: the kernel brings its own */
	u64 mask;
};
