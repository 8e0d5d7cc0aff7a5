/*
 * The only instructions of the kernel that touch user memory.
 *
 * sstatus.SUM is open from the first to the last of them. A fault that mm cannot resolve goes on at
 * the fix-up that __ex_table names: the copy loops first fall back from words to bytes, so
 * that the number of bytes not done is exact, and the byte loop then gives up.
 */
#include "asm/csr.h"
#include "lib/errno.h"

	/* insn, which may fault; then execution goes on at fixup */
	.macro	EX fixup, insn:vararg
8888:	\insn
	.pushsection __ex_table, "a"
	.balign	4
	.long	8888b - .
	.long	\fixup - .
	.popsection
	.endm

	.macro	PLAIN fixup, insn:vararg
	\insn
	.endm

/* a0 = to, a1 = from, a2 = bytes. LOAD or STORE is EX, the other one PLAIN. */
	.macro	COPY LOAD, STORE
	li	t6, SR_SUM
	add	t5, a0, a2			/* end of the destination */
	csrs	sstatus, t6
	xor	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, 5f				/* never aligned alike */
	sltiu	t0, a2, 16
	bnez	t0, 5f
1:	andi	t0, a0, 7
	beqz	t0, 2f
	\LOAD	6f, lb t1, 0(a1)
	\STORE	6f, sb t1, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
2:	sub	t0, t5, a0
	sltiu	t0, t0, 64
	bnez	t0, 4f
3:	\LOAD	5f, ld t0, 0(a1)
	\LOAD	5f, ld t1, 8(a1)
	\LOAD	5f, ld t2, 16(a1)
	\LOAD	5f, ld t3, 24(a1)
	\LOAD	5f, ld a3, 32(a1)
	\LOAD	5f, ld a4, 40(a1)
	\LOAD	5f, ld a5, 48(a1)
	\LOAD	5f, ld a6, 56(a1)
	\STORE	5f, sd t0, 0(a0)
	\STORE	5f, sd t1, 8(a0)
	\STORE	5f, sd t2, 16(a0)
	\STORE	5f, sd t3, 24(a0)
	\STORE	5f, sd a3, 32(a0)
	\STORE	5f, sd a4, 40(a0)
	\STORE	5f, sd a5, 48(a0)
	\STORE	5f, sd a6, 56(a0)
	addi	a0, a0, 64
	addi	a1, a1, 64
	sub	t0, t5, a0
	sltiu	t0, t0, 64
	beqz	t0, 3b
4:	sub	t0, t5, a0
	sltiu	t0, t0, 8
	bnez	t0, 5f
	\LOAD	5f, ld t0, 0(a1)
	\STORE	5f, sd t0, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	j	4b
5:	beq	a0, t5, 6f
	\LOAD	6f, lb t1, 0(a1)
	\STORE	6f, sb t1, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	5b
6:	csrc	sstatus, t6
	sub	a0, t5, a0
	ret
	.endm

	.text
	.globl	arch_copy_from_user
arch_copy_from_user:
	COPY	EX, PLAIN

	.globl	arch_copy_to_user
arch_copy_to_user:
	COPY	PLAIN, EX

	.globl	arch_clear_user
arch_clear_user:
	li	t6, SR_SUM
	add	t5, a0, a1
	csrs	sstatus, t6
	sltiu	t0, a1, 16
	bnez	t0, 5f
1:	andi	t0, a0, 7
	beqz	t0, 2f
	EX	6f, sb zero, 0(a0)
	addi	a0, a0, 1
	j	1b
2:	sub	t0, t5, a0
	sltiu	t0, t0, 32
	bnez	t0, 5f
	EX	5f, sd zero, 0(a0)
	EX	5f, sd zero, 8(a0)
	EX	5f, sd zero, 16(a0)
	EX	5f, sd zero, 24(a0)
	addi	a0, a0, 32
	j	2b
5:	beq	a0, t5, 6f
	EX	6f, sb zero, 0(a0)
	addi	a0, a0, 1
	j	5b
6:	csrc	sstatus, t6
	sub	a0, t5, a0
	ret

/* int arch_user_cmpxchg32(u32 *uaddr, u32 *old, u32 new) */
	.globl	arch_user_cmpxchg32
arch_user_cmpxchg32:
	li	t6, SR_SUM
	lw	t0, 0(a1)
	csrs	sstatus, t6
1:	EX	3f, lr.w.aqrl t1, (a0)
	bne	t1, t0, 2f
	EX	3f, sc.w.aqrl t2, a2, (a0)
	bnez	t2, 1b
2:	csrc	sstatus, t6
	sw	t1, 0(a1)
	li	a0, 0
	ret
3:	csrc	sstatus, t6
	li	a0, -EFAULT
	ret

/* int arch_user_xchg_add32(u32 *uaddr, u32 *old, u32 add) */
	.globl	arch_user_xchg_add32
arch_user_xchg_add32:
	li	t6, SR_SUM
	csrs	sstatus, t6
	EX	3b, amoadd.w.aqrl t1, a2, (a0)
	csrc	sstatus, t6
	sw	t1, 0(a1)
	li	a0, 0
	ret
