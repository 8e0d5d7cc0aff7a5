/*
 * Copying from and to user memory: the only code that runs with PAN open.
 *
 * Each instruction that touches user memory has an entry in __ex_table. If its fault cannot be
 * resolved, the trap resumes at the entry's other address. A wide access that fails is
 * repeated byte by byte up to the byte that faults, so the count returned is exact. Aligned
 * operands of 2, 4 and 8 bytes are moved by one access: the value of a futex is never torn.
 */
	.text

/* One access to user memory, resumed at \fixup after a fault. */
	.macro user fixup, insn:vararg
.Laccess\@:
	\insn
	.pushsection __ex_table, "a"
	.balign	4
	.long	.Laccess\@ - .
	.long	\fixup - .
	.popsection
	.endm

	.macro kernel fixup, insn:vararg
	\insn
	.endm

/* Moves \size bytes through \reg with \load and \store. */
	.macro move load, store, from, to, reg, size
	\from	9f, \load \reg, [x1]
	\to	9f, \store \reg, [x0]
	add	x0, x0, #\size
	add	x1, x1, #\size
	sub	x2, x2, #\size
	.endm

/* size_t \name(to, from, n): the bytes not copied. \from and \to say which side is the user's. */
	.macro copy_routine name, from, to
	.globl	\name
\name:
	msr	pan, #0
	cmp	x2, #64
	b.lo	2f
1:	\from	9f, ldp x3, x4, [x1]
	\from	9f, ldp x5, x6, [x1, #16]
	\from	9f, ldp x7, x8, [x1, #32]
	\from	9f, ldp x9, x10, [x1, #48]
	\to	9f, stp x3, x4, [x0]
	\to	9f, stp x5, x6, [x0, #16]
	\to	9f, stp x7, x8, [x0, #32]
	\to	9f, stp x9, x10, [x0, #48]
	add	x0, x0, #64
	add	x1, x1, #64
	sub	x2, x2, #64
	cmp	x2, #64
	b.hs	1b
2:	cmp	x2, #8
	b.lo	4f
3:	move	ldr, str, \from, \to, x3, 8
	cmp	x2, #8
	b.hs	3b
4:	tbz	x2, #2, 5f
	move	ldr, str, \from, \to, w3, 4
5:	tbz	x2, #1, 6f
	move	ldrh, strh, \from, \to, w3, 2
6:	tbz	x2, #0, 7f
	move	ldrb, strb, \from, \to, w3, 1
7:	msr	pan, #1
	mov	x0, x2
	ret
9:	cbz	x2, 7b			/* byte by byte: a fault now ends it */
8:	\from	7f, ldrb w3, [x1], #1
	\to	7f, strb w3, [x0], #1
	subs	x2, x2, #1
	b.ne	8b
7:	msr	pan, #1
	mov	x0, x2
	ret
	.endm

	copy_routine arch_copy_from_user, user, kernel
	copy_routine arch_copy_to_user, kernel, user

/* size_t arch_clear_user(to, n): the bytes not cleared. */
	.globl	arch_clear_user
arch_clear_user:
	msr	pan, #0
	cmp	x1, #32
	b.lo	2f
1:	user	9f, stp xzr, xzr, [x0]
	user	9f, stp xzr, xzr, [x0, #16]
	add	x0, x0, #32
	sub	x1, x1, #32
	cmp	x1, #32
	b.hs	1b
2:	cbz	x1, 7f
9:	user	7f, strb wzr, [x0], #1
	subs	x1, x1, #1
	b.ne	9b
7:	msr	pan, #1
	mov	x0, x1
	ret

	.macro efault
9:	msr	pan, #1
	mov	w0, #-14		/* -EFAULT */
	ret
	.endm

/* int arch_user_cmpxchg32(uaddr, old, new) */
	.globl	arch_user_cmpxchg32
arch_user_cmpxchg32:
	ldr	w3, [x1]
	msr	pan, #0
	user	9f, casal w3, w2, [x0]
	msr	pan, #1
	str	w3, [x1]
	mov	w0, #0
	ret
	efault

/* int arch_user_xchg_add32(uaddr, old, add) */
	.globl	arch_user_xchg_add32
arch_user_xchg_add32:
	msr	pan, #0
	user	9f, ldaddal w2, w3, [x0]
	msr	pan, #1
	str	w3, [x1]
	mov	w0, #0
	ret
	efault
