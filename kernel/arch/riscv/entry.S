/*
 * Into the kernel and out of it; from one thread to the next.
 *
 * In the kernel tp is the current thread_head and sscratch is zero. In user mode tp is
 * the program's and sscratch is the thread_head. One swap on entry tells which it was: what
 * arrives in tp is zero exactly if the kernel was interrupted.
 *
 * A trap from user mode starts on an empty kernel stack. A trap from the kernel goes on
 * where the stack pointer is, if that lies in the thread's stack: after an overflow it
 * points into the guard page, where storing the registers would trap for ever. Then one emergency stack,
 * shared by all CPUs under a lock that is never given back, carries the panic. It becomes
 * the thread's kernel_sp, so that a trap within the panic finds its stack pointer valid.
 *
 * The registers go into a struct pt_regs. A frame record behind them (the interrupted frame
 * pointer and pc; zeros if it was user mode) makes them look like a stack frame to a backtrace.
 */
#include "arch/layout.h"
#include "asm/csr.h"
#include "asm/offsets.h"

#define THREAD_SHIFT	14		/* log2 of THREAD_SIZE; process.c checks */

	.text
	.balign	4
	.globl	trap_entry
trap_entry:
	csrrw	tp, sscratch, tp
	bnez	tp, .Lfrom_user

	csrr	tp, sscratch
	sd	sp, TH_SCRATCH(tp)
	csrw	sscratch, t0
	addi	sp, sp, -PT_SIZE
	ld	t0, TH_KERNEL_SP(tp)
	sub	t0, t0, sp
	srli	t0, t0, THREAD_SHIFT
	bnez	t0, .Loverflow
.Lhave_stack:
	csrr	t0, sscratch
	sd	t0, PT_T0(sp)
	sd	tp, PT_TP(sp)
	csrr	t0, sepc
	sd	s0, PT_FRAME_FP(sp)
	sd	t0, PT_FRAME_PC(sp)
	j	.Lsave

.Loverflow:
	la	t0, emergency_lock
	li	sp, 1
	amoswap.w.aq sp, sp, (t0)
	bnez	sp, .Loverflow
	la	sp, emergency_stack_top
	sd	sp, TH_KERNEL_SP(tp)
	addi	sp, sp, -PT_SIZE
	j	.Lhave_stack

.Lfrom_user:
	sd	sp, TH_SCRATCH(tp)
	ld	sp, TH_KERNEL_SP(tp)
	addi	sp, sp, -PT_SIZE
	sd	t0, PT_T0(sp)
	csrr	t0, sscratch
	sd	t0, PT_TP(sp)
	sd	zero, PT_FRAME_FP(sp)
	sd	zero, PT_FRAME_PC(sp)

.Lsave:
	csrw	sscratch, zero
	ld	t0, TH_SCRATCH(tp)
	sd	ra, PT_RA(sp)
	sd	t0, PT_SP(sp)
	sd	gp, PT_GP(sp)
	sd	t1, PT_T1(sp)
	sd	t2, PT_T2(sp)
	sd	s0, PT_S0(sp)
	sd	s1, PT_S1(sp)
	sd	a0, PT_A0(sp)
	sd	a1, PT_A1(sp)
	sd	a2, PT_A2(sp)
	sd	a3, PT_A3(sp)
	sd	a4, PT_A4(sp)
	sd	a5, PT_A5(sp)
	sd	a6, PT_A6(sp)
	sd	a7, PT_A7(sp)
	sd	s2, PT_S2(sp)
	sd	s3, PT_S3(sp)
	sd	s4, PT_S4(sp)
	sd	s5, PT_S5(sp)
	sd	s6, PT_S6(sp)
	sd	s7, PT_S7(sp)
	sd	s8, PT_S8(sp)
	sd	s9, PT_S9(sp)
	sd	s10, PT_S10(sp)
	sd	s11, PT_S11(sp)
	sd	t3, PT_T3(sp)
	sd	t4, PT_T4(sp)
	sd	t5, PT_T5(sp)
	sd	t6, PT_T6(sp)
	li	t0, SR_SUM | SR_FS	/* the kernel neither pokes user memory nor uses FP */
	csrrc	t0, sstatus, t0
	csrr	t1, sepc
	csrr	t2, stval
	csrr	t3, scause
	sd	t0, PT_STATUS(sp)
	sd	t1, PT_EPC(sp)
	sd	t2, PT_TVAL(sp)
	sd	t3, PT_CAUSE(sp)
	sd	a0, PT_ORIG_A0(sp)

	addi	s0, sp, PT_SIZE
	mv	a0, sp
	call	riscv_trap

/* sp = pt_regs, interrupts off, nothing left to do. */
trap_return:
	ld	a0, PT_STATUS(sp)
	ld	a2, PT_EPC(sp)
	andi	t0, a0, SR_SPP
	bnez	t0, 1f
	csrw	sscratch, tp
1:	sc.d	zero, a2, PT_EPC(sp)	/* breaks a reservation: it must not outlive a switch */
	csrw	sstatus, a0
	csrw	sepc, a2
	ld	ra, PT_RA(sp)
	ld	gp, PT_GP(sp)
	ld	tp, PT_TP(sp)
	ld	t0, PT_T0(sp)
	ld	t1, PT_T1(sp)
	ld	t2, PT_T2(sp)
	ld	s0, PT_S0(sp)
	ld	s1, PT_S1(sp)
	ld	a0, PT_A0(sp)
	ld	a1, PT_A1(sp)
	ld	a2, PT_A2(sp)
	ld	a3, PT_A3(sp)
	ld	a4, PT_A4(sp)
	ld	a5, PT_A5(sp)
	ld	a6, PT_A6(sp)
	ld	a7, PT_A7(sp)
	ld	s2, PT_S2(sp)
	ld	s3, PT_S3(sp)
	ld	s4, PT_S4(sp)
	ld	s5, PT_S5(sp)
	ld	s6, PT_S6(sp)
	ld	s7, PT_S7(sp)
	ld	s8, PT_S8(sp)
	ld	s9, PT_S9(sp)
	ld	s10, PT_S10(sp)
	ld	s11, PT_S11(sp)
	ld	t3, PT_T3(sp)
	ld	t4, PT_T4(sp)
	ld	t5, PT_T5(sp)
	ld	t6, PT_T6(sp)
	ld	sp, PT_SP(sp)
	sret

/* riscv_enter_user(regs): the end of arch_return_to_user(); drops the kernel stack above regs. */
	.globl	riscv_enter_user
riscv_enter_user:
	mv	sp, a0
	j	trap_return

/* prev = riscv_switch(prev, next) */
	.globl	riscv_switch
riscv_switch:
	addi	a2, a0, TH_CTX
	addi	a3, a1, TH_CTX
	sd	ra, CTX_RA(a2)
	sd	sp, CTX_SP(a2)
	sd	s0, CTX_S0(a2)
	sd	s1, CTX_S0+8(a2)
	sd	s2, CTX_S0+16(a2)
	sd	s3, CTX_S0+24(a2)
	sd	s4, CTX_S0+32(a2)
	sd	s5, CTX_S0+40(a2)
	sd	s6, CTX_S0+48(a2)
	sd	s7, CTX_S0+56(a2)
	sd	s8, CTX_S0+64(a2)
	sd	s9, CTX_S0+72(a2)
	sd	s10, CTX_S0+80(a2)
	sd	s11, CTX_S0+88(a2)
	ld	ra, CTX_RA(a3)
	ld	sp, CTX_SP(a3)
	ld	s0, CTX_S0(a3)
	ld	s1, CTX_S0+8(a3)
	ld	s2, CTX_S0+16(a3)
	ld	s3, CTX_S0+24(a3)
	ld	s4, CTX_S0+32(a3)
	ld	s5, CTX_S0+40(a3)
	ld	s6, CTX_S0+48(a3)
	ld	s7, CTX_S0+56(a3)
	ld	s8, CTX_S0+64(a3)
	ld	s9, CTX_S0+72(a3)
	ld	s10, CTX_S0+80(a3)
	ld	s11, CTX_S0+88(a3)
	mv	tp, a1
	ret

/* Where a new thread begins: s1 = function, s2 = argument, s0 = 0. It must not return. */
	.globl	riscv_thread_entry
riscv_thread_entry:
	mv	a0, s2
	jalr	s1
	ebreak

/* riscv_fp_save(ctx), riscv_fp_load(ctx): all registers and fcsr. sstatus.FS is not Off. */
	.globl	riscv_fp_save
riscv_fp_save:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fsd	f\n, CTX_FREGS+8*\n(a0)
	.endr
	frcsr	t0
	sw	t0, CTX_FCSR(a0)
	ret

	.globl	riscv_fp_load
riscv_fp_load:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fld	f\n, CTX_FREGS+8*\n(a0)
	.endr
	lw	t0, CTX_FCSR(a0)
	fscsr	t0
	ret

/* What the kernel puts on the trampoline page: li a7, 139 (rt_sigreturn); ecall */
	.section .rodata
	.balign	8
	.globl	arch_sigreturn_code, arch_sigreturn_size
arch_sigreturn_code:
	.word	0x08b00893
	.word	0x00000073
arch_sigreturn_size:
	.dword	8

	.section .bss.emergency, "aw", @nobits
	.balign	PAGE_SIZE
	.zero	THREAD_SIZE
	.globl	emergency_stack_top
emergency_stack_top:
	.balign	16
emergency_lock:
	.zero	16
