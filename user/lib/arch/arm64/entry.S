/*
 * Everything in the C library that must know ARM64: the entry point, the system call, the clone
 * trampoline, setjmp and longjmp.
 */
#include <sys/syscall.h>

	.text

/* The kernel enters here with sp at argc; __libc_start finds argv, environ and auxv above it. */
	.globl	_start
	.type	_start, %function
_start:
	mov	x0, sp
	mov	x29, xzr
	mov	x30, xzr
	bl	__libc_start
	.size	_start, . - _start

/* long __syscall(long number, long a, long b, long c, long d, long e, long f) */
	.globl	__syscall
	.type	__syscall, %function
__syscall:
	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	mov	x5, x6
	svc	#0
	ret
	.size	__syscall, . - __syscall

/*
 * long __clone(flags, stack, ptid, tls, ctid, int (*fn)(void *), void *arg)
 * The child runs fn(arg) on its stack and exits with the result; the parent gets the thread id.
 */
	.globl	__clone
	.type	__clone, %function
__clone:
	and	x1, x1, #-16
	stp	x5, x6, [x1, #-16]!
	mov	x8, #SYS_clone
	svc	#0
	cbz	x0, 1f
	ret
1:	ldp	x1, x0, [sp], #16
	mov	x29, xzr
	mov	x30, xzr
	blr	x1
	mov	x8, #SYS_exit
	svc	#0
	.size	__clone, . - __clone

/* int setjmp(jmp_buf) */
	.globl	setjmp
	.type	setjmp, %function
setjmp:
	mov	x2, sp
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	str	x2, [x0, #96]
	stp	d8, d9, [x0, #112]
	stp	d10, d11, [x0, #128]
	stp	d12, d13, [x0, #144]
	stp	d14, d15, [x0, #160]
	mov	w0, #0
	ret
	.size	setjmp, . - setjmp

/* void longjmp(jmp_buf, int value) */
	.globl	longjmp
	.type	longjmp, %function
longjmp:
	ldp	x19, x20, [x0, #0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x2, [x0, #96]
	ldp	d8, d9, [x0, #112]
	ldp	d10, d11, [x0, #128]
	ldp	d12, d13, [x0, #144]
	ldp	d14, d15, [x0, #160]
	mov	sp, x2
	cmp	w1, #0
	csinc	w0, w1, wzr, ne
	ret
	.size	longjmp, . - longjmp

	.section .note.GNU-stack, "", %progbits
