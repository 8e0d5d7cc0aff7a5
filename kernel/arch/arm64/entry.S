/*
 * Exception vectors, the way in and out of the kernel, and the switch between threads.
 *
 * A trap stores all general registers as a struct pt_regs on the kernel stack: at its top when it
 * comes from user mode (SP_EL1 is left there on the way out), below the interrupted frame
 * otherwise. The registers of the kernel itself need no set-up: tpidr_el1 always holds current.
 * sp_el0 is the user's stack pointer; once stored, it is free until the way out and serves as a
 * scratch register.
 *
 * All handlers are C functions that take the pt_regs, see traps.c; they start with every kind of
 * interrupt masked.
 */
#include "arch/layout.h"
#include "asm/offsets.h"

#define OVERFLOW_STACK_SIZE	0x2000

	.text

	.macro vector label
	.balign	128
	b	\label
	.endm

	.balign	2048
	.globl	vectors
vectors:
	vector	bad_entry		/* EL1 on SP_EL0: never used */
	vector	bad_entry
	vector	bad_entry
	vector	bad_entry
	vector	el1_sync_entry		/* EL1 */
	vector	el1_irq_entry
	vector	bad_entry
	vector	el1_serror_entry
	vector	el0_sync_entry		/* user mode */
	vector	el0_irq_entry
	vector	bad_entry
	vector	el0_serror_entry
	vector	bad_entry		/* user mode, 32 bits: never entered */
	vector	bad_entry
	vector	bad_entry
	vector	bad_entry

	.macro save_general
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.endm

	.macro load_general
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	.endm

	/* pc, pstate, orig_x0, "no system call"; x0 still is what it was. */
	.macro save_state
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	mov	x24, #-1
	stp	x22, x23, [sp, #PT_PC]
	stp	x0, x24, [sp, #PT_ORIG_X0]
	.endm

	.macro enter_from_user
	sub	sp, sp, #PT_SIZE
	save_general
	mrs	x21, sp_el0
	stp	x30, x21, [sp, #PT_X30]
	save_state
	stp	xzr, xzr, [sp, #PT_FRAME]
	add	x29, sp, #PT_FRAME
	mov	x0, sp
	.endm

	.macro enter_from_kernel		/* after check_stack */
	save_general
	add	x21, sp, #PT_SIZE
	stp	x30, x21, [sp, #PT_X30]
	save_state
	stp	x29, x22, [sp, #PT_FRAME]
	add	x29, sp, #PT_FRAME
	mov	x0, sp
	.endm

/*
 * Makes room for the pt_regs of a trap from kernel mode. Is there any? The stack pointer is
 * compared with the bounds of current's stack, because a store into the guard page would trap
 * again, forever. Without a free register: x0 hides in sp while it carries sp, x1 in sp_el0.
 */
	.macro check_stack
	sub	sp, sp, #PT_SIZE
	add	sp, sp, x0			/* sp + x0 */
	sub	x0, sp, x0			/* sp */
	msr	sp_el0, x1
	mrs	x1, tpidr_el1
	ldr	x1, [x1, #TH_KERNEL_SP]
	sub	x1, x1, x0			/* bytes in use, the pt_regs to come included */
	cmp	x1, #THREAD_SIZE
	b.hi	stack_overflow
	sub	x0, sp, x0			/* x0 */
	sub	sp, sp, x0			/* sp */
	mrs	x1, sp_el0
	.endm

el0_sync_entry:
	enter_from_user
	bl	el0_sync
	b	ret_to_user

el0_irq_entry:
	enter_from_user
	bl	el0_irq
	b	ret_to_user

el0_serror_entry:
	enter_from_user
	bl	el0_serror
	b	ret_to_user

el1_sync_entry:
	check_stack
	enter_from_kernel
	bl	el1_sync
	b	ret_to_kernel

el1_irq_entry:
	check_stack
	enter_from_kernel
	bl	el1_irq
	b	ret_to_kernel

el1_serror_entry:
	check_stack
	enter_from_kernel
	bl	el1_serror			/* does not return */

bad_entry:
	check_stack
	enter_from_kernel
	bl	bad_exception			/* does not return */

/* From check_stack. There is one emergency stack: the first to come here panics on it. */
stack_overflow:
	sub	x0, sp, x0			/* x0 */
	sub	sp, sp, x0			/* sp */
	msr	sp_el0, x0
	add	x0, sp, #PT_SIZE
	msr	tpidrro_el0, x0
	adrp	x0, overflow_taken
	add	x0, x0, :lo12:overflow_taken
	mov	w1, #1
	swp	w1, w1, [x0]
	cbz	w1, 2f
1:	wfi
	b	1b
2:	adrp	x0, overflow_stack
	add	x0, x0, :lo12:overflow_stack
	add	x0, x0, #OVERFLOW_STACK_SIZE
	mrs	x1, tpidr_el1
	str	x0, [x1, #TH_KERNEL_SP]		/* a trap on this stack passes the check */
	sub	sp, x0, #PT_SIZE
	mrs	x0, sp_el0			/* x1 is lost */
	enter_from_kernel
	mrs	x1, tpidrro_el0
	str	x1, [sp, #PT_SP]
	bl	kernel_stack_overflow		/* does not return */

/* x0 = pt_regs at the top of the kernel stack. */
	.globl	leave_to_user
leave_to_user:
	mov	sp, x0
ret_to_user:
	ldp	x30, x21, [sp, #PT_X30]
	ldp	x22, x23, [sp, #PT_PC]
	msr	sp_el0, x21
	msr	elr_el1, x22
	msr	spsr_el1, x23
	load_general
	add	sp, sp, #PT_SIZE
	eret

ret_to_kernel:
	ldr	x30, [sp, #PT_X30]
	ldp	x22, x23, [sp, #PT_PC]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	load_general
	add	sp, sp, #PT_SIZE
	eret

/*
 * struct thread_head *cpu_switch(prev, next): callee-saved registers and stack pointer of prev
 * go, those of next come. Returns prev, in next.
 */
	.globl	cpu_switch
cpu_switch:
	add	x8, x0, #TH_CONTEXT
	mov	x9, sp
	stp	x19, x20, [x8, #CTX_X19]
	stp	x21, x22, [x8, #CTX_X19 + 16]
	stp	x23, x24, [x8, #CTX_X19 + 32]
	stp	x25, x26, [x8, #CTX_X19 + 48]
	stp	x27, x28, [x8, #CTX_X19 + 64]
	stp	x29, x9, [x8, #CTX_X29]
	str	x30, [x8, #CTX_PC]
	add	x8, x1, #TH_CONTEXT
	ldp	x19, x20, [x8, #CTX_X19]
	ldp	x21, x22, [x8, #CTX_X19 + 16]
	ldp	x23, x24, [x8, #CTX_X19 + 32]
	ldp	x25, x26, [x8, #CTX_X19 + 48]
	ldp	x27, x28, [x8, #CTX_X19 + 64]
	ldp	x29, x9, [x8, #CTX_X29]
	ldr	x30, [x8, #CTX_PC]
	mov	sp, x9
	msr	tpidr_el1, x1
	ret

/* First instructions of a thread: fn(arg), as arch_thread_init() left them in x19 and x20. */
	.globl	thread_entry
thread_entry:
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
	brk	#0				/* fn must not return */

	.macro each_q op
	\op	q0, q1, [x0, #0]
	\op	q2, q3, [x0, #32]
	\op	q4, q5, [x0, #64]
	\op	q6, q7, [x0, #96]
	\op	q8, q9, [x0, #128]
	\op	q10, q11, [x0, #160]
	\op	q12, q13, [x0, #192]
	\op	q14, q15, [x0, #224]
	\op	q16, q17, [x0, #256]
	\op	q18, q19, [x0, #288]
	\op	q20, q21, [x0, #320]
	\op	q22, q23, [x0, #352]
	\op	q24, q25, [x0, #384]
	\op	q26, q27, [x0, #416]
	\op	q28, q29, [x0, #448]
	\op	q30, q31, [x0, #480]
	.endm

/* fp_save(struct arch_context *), fp_load(const struct arch_context *) */
	.globl	fp_save
fp_save:
	mrs	x1, fpsr
	mrs	x2, fpcr
	stp	w1, w2, [x0, #CTX_FPSR]
	add	x0, x0, #CTX_VREGS
	each_q	stp
	ret

	.globl	fp_load
fp_load:
	ldp	w1, w2, [x0, #CTX_FPSR]
	msr	fpsr, x1
	msr	fpcr, x2
	add	x0, x0, #CTX_VREGS
	each_q	ldp
	ret

	.bss
	.balign	16
overflow_stack:
	.skip	OVERFLOW_STACK_SIZE
overflow_taken:
	.word	0
