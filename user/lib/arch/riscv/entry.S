/*
 * Everything in the C library that must know RISC-V: the entry point, the system call, the clone
 * trampoline, setjmp and longjmp.
 */
#include <sys/syscall.h>

	.text

/* The kernel enters here with sp at argc; __libc_start finds argv, environ and auxv above it. */
	.globl	_start
	.type	_start, @function
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	mv	a0, sp
	andi	sp, sp, -16
	mv	ra, zero
	mv	s0, zero
	call	__libc_start
	.size	_start, . - _start

/* long __syscall(long number, long a, long b, long c, long d, long e, long f) */
	.globl	__syscall
	.type	__syscall, @function
__syscall:
	mv	t0, a0
	mv	a0, a1
	mv	a1, a2
	mv	a2, a3
	mv	a3, a4
	mv	a4, a5
	mv	a5, a6
	mv	a7, t0
	ecall
	ret
	.size	__syscall, . - __syscall

/*
 * long __clone(flags, stack, ptid, tls, ctid, int (*fn)(void *), void *arg)
 * The child runs fn(arg) on its stack and exits with the result; the parent gets the thread id.
 */
	.globl	__clone
	.type	__clone, @function
__clone:
	andi	a1, a1, -16
	addi	a1, a1, -16
	sd	a5, 0(a1)
	sd	a6, 8(a1)
	li	a7, SYS_clone
	ecall
	beqz	a0, 1f
	ret
1:	ld	t0, 0(sp)
	ld	a0, 8(sp)
	addi	sp, sp, 16
	mv	ra, zero
	mv	s0, zero
	jalr	t0
	li	a7, SYS_exit
	ecall
	.size	__clone, . - __clone

/* int setjmp(jmp_buf) */
	.globl	setjmp
	.type	setjmp, @function
setjmp:
	sd	ra, 0(a0)
	sd	sp, 8(a0)
	sd	s0, 16(a0)
	sd	s1, 24(a0)
	sd	s2, 32(a0)
	sd	s3, 40(a0)
	sd	s4, 48(a0)
	sd	s5, 56(a0)
	sd	s6, 64(a0)
	sd	s7, 72(a0)
	sd	s8, 80(a0)
	sd	s9, 88(a0)
	sd	s10, 96(a0)
	sd	s11, 104(a0)
	fsd	fs0, 112(a0)
	fsd	fs1, 120(a0)
	fsd	fs2, 128(a0)
	fsd	fs3, 136(a0)
	fsd	fs4, 144(a0)
	fsd	fs5, 152(a0)
	fsd	fs6, 160(a0)
	fsd	fs7, 168(a0)
	fsd	fs8, 176(a0)
	fsd	fs9, 184(a0)
	fsd	fs10, 192(a0)
	fsd	fs11, 200(a0)
	li	a0, 0
	ret
	.size	setjmp, . - setjmp

/* void longjmp(jmp_buf, int value) */
	.globl	longjmp
	.type	longjmp, @function
longjmp:
	ld	ra, 0(a0)
	ld	sp, 8(a0)
	ld	s0, 16(a0)
	ld	s1, 24(a0)
	ld	s2, 32(a0)
	ld	s3, 40(a0)
	ld	s4, 48(a0)
	ld	s5, 56(a0)
	ld	s6, 64(a0)
	ld	s7, 72(a0)
	ld	s8, 80(a0)
	ld	s9, 88(a0)
	ld	s10, 96(a0)
	ld	s11, 104(a0)
	fld	fs0, 112(a0)
	fld	fs1, 120(a0)
	fld	fs2, 128(a0)
	fld	fs3, 136(a0)
	fld	fs4, 144(a0)
	fld	fs5, 152(a0)
	fld	fs6, 160(a0)
	fld	fs7, 168(a0)
	fld	fs8, 176(a0)
	fld	fs9, 184(a0)
	fld	fs10, 192(a0)
	fld	fs11, 200(a0)
	seqz	a0, a1
	add	a0, a0, a1
	ret
	.size	longjmp, . - longjmp

	.section .note.GNU-stack, "", @progbits
