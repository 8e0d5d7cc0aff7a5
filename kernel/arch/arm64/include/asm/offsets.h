/* What assembly knows of C structures; thread.c checks every line of it at compile time. */
#pragma once

/* struct thread_head */
#define TH_KERNEL_SP	0
#define TH_CPU		40
#define TH_CONTEXT	48

/* struct arch_context */
#define CTX_X19		0
#define CTX_X29		80
#define CTX_SP		88
#define CTX_PC		96
#define CTX_FPSR	116
#define CTX_VREGS	128

/* struct pt_regs */
#define PT_X30		240
#define PT_SP		248
#define PT_PC		256
#define PT_ORIG_X0	272
#define PT_FRAME	288
#define PT_SIZE		304

/* struct secondary_boot */
#define SB_IDLE		0
#define SB_STACK	8
#define SB_ROOT		16
#define SB_CPU		24
