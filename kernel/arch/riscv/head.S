/*
 * The first instructions, on every hart.
 *
 * The firmware enters the raw image with paging off, a0 = hart id and a1 = the device tree's
 * physical address, at any multiple of 2 MiB. All references are pc-relative, so the same `la`
 * gives a physical address before paging and an image address after it.
 *
 * The boot tables are Sv39, which every hart has (riscv_choose_paging() goes deeper):
 *
 *	KERNEL_LINK_ADDR	the image, 2 MiB leaves, all permissions for now
 *	PAGE_OFFSET		all the physical memory a direct map can hold, 1 GiB leaves
 *	FIXMAP_FDT		the device tree, two 2 MiB leaves
 *
 * Nothing is mapped at its physical address. Paging goes on with stvec at the image
 * address of the next label: the fetch behind the write of satp faults, and the "trap" is the jump.
 */
#include "arch/layout.h"
#include "asm/csr.h"
#include "asm/offsets.h"

#define BOOT_PTE_TABLE	0x01
#define BOOT_PTE_RW	0xe7		/* D A G - - W R V */
#define BOOT_PTE_RWX	0xef
#define ROOT_SLOT(va)	((((va) >> 30) & 511) * 8)

	.section .head.text, "ax"
	.option norvc
	.globl _start
_start:
	j	boot_entry
	.word	0
	.dword	0x200000			/* load offset from the start of RAM */
	.dword	_end - _start			/* memory the image needs, bss too */
	.dword	0				/* flags: little endian */
	.word	2				/* header version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0

boot_entry:
	csrw	sie, zero
	csrw	satp, zero
	csrr	s2, time
	mv	s0, a0
	mv	s1, a1
	li	t0, SR_FS | SR_SUM | SR_SIE
	csrc	sstatus, t0

	la	t0, boot_taken
	li	t1, 1
	amoswap.w.aqrl t1, t1, (t0)
	bnez	t1, boot_stray

	la	t0, _bss			/* both ends lie on page boundaries */
	la	t1, _ebss
1:	sd	zero, 0(t0)
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	sd	zero, 32(t0)
	sd	zero, 40(t0)
	sd	zero, 48(t0)
	sd	zero, 56(t0)
	addi	t0, t0, 64
	bltu	t0, t1, 1b

	la	s3, _start			/* where we were loaded */
	li	s4, KERNEL_LINK_ADDR
	sub	s4, s4, s3			/* kernel_phys_offset */

	/* the image: an entry is (address >> 2) | bits */
	la	t0, boot_image_pmd
	la	t2, _end
	sub	t2, t2, s3
	srli	t1, s3, 2
	ori	t1, t1, BOOT_PTE_RWX
	li	t3, PMD_SIZE
	srli	t4, t3, 2
1:	sd	t1, 0(t0)
	addi	t0, t0, 8
	add	t1, t1, t4
	sub	t2, t2, t3
	bgtz	t2, 1b

	/* the device tree */
	la	t0, boot_fixmap_pmd
	srli	t1, s1, PMD_SHIFT
	slli	t1, t1, PMD_SHIFT - 2
	ori	t1, t1, BOOT_PTE_RW
	sd	t1, 0(t0)
	add	t1, t1, t4
	sd	t1, 8(t0)

	/* the root: the direct map, then the two tables above */
	la	s5, boot_root
	li	t0, ROOT_SLOT(PAGE_OFFSET)
	add	t0, t0, s5
	li	t1, ROOT_SLOT(PAGE_OFFSET_END)
	add	t1, t1, s5
	li	t2, BOOT_PTE_RW
	li	t3, PUD_SIZE >> 2
1:	sd	t2, 0(t0)
	add	t2, t2, t3
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	la	t0, boot_fixmap_pmd
	srli	t0, t0, 2
	ori	t0, t0, BOOT_PTE_TABLE
	li	t1, ROOT_SLOT(FIXMAP_START)
	add	t1, t1, s5
	sd	t0, 0(t1)
	la	t0, boot_image_pmd
	srli	t0, t0, 2
	ori	t0, t0, BOOT_PTE_TABLE
	li	t1, ROOT_SLOT(KERNEL_LINK_ADDR)
	add	t1, t1, s5
	sd	t0, 0(t1)

	la	t0, 1f
	add	t0, t0, s4
	csrw	stvec, t0
	srli	t0, s5, PAGE_SHIFT
	li	t1, SATP_SV39
	slli	t1, t1, SATP_MODE_SHIFT
	or	t0, t0, t1
	sfence.vma
	csrw	satp, t0
	.balign	4
1:	sfence.vma
	la	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero

	la	t0, kernel_phys_offset
	sd	s4, 0(t0)
	la	t0, riscv_boot_hart
	sd	s0, 0(t0)
	la	t0, riscv_fdt_phys
	sd	s1, 0(t0)
	la	t0, riscv_boot_time
	sd	s2, 0(t0)

	la	tp, init_thread
	la	sp, init_stack
	li	t0, THREAD_SIZE
	add	sp, sp, t0
	sd	sp, TH_KERNEL_SP(tp)
	addi	sp, sp, -PT_SIZE
	li	s0, 0				/* backtraces end here */
#ifdef CONFIG_KASAN
	call	kasan_early_init
#endif
	call	start_kernel
1:	wfi
	j	1b

/* A hart started through SBI HSM: paging off, a1 = physical address of its struct secondary_boot. */
	.globl	secondary_entry
secondary_entry:
	csrw	sie, zero
	csrw	satp, zero
	li	t0, SR_FS | SR_SUM | SR_SIE
	csrc	sstatus, t0
	ld	t0, SB_SATP(a1)
	ld	tp, SB_IDLE(a1)
	ld	sp, SB_STACK(a1)
	ld	a0, SB_CPU(a1)
	ld	t1, SB_STVEC(a1)
	csrw	stvec, t1
	sfence.vma
	csrw	satp, t0
	.balign	4
	.globl	secondary_virtual
secondary_virtual:
	sfence.vma
	la	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	li	s0, 0
	call	secondary_start
1:	wfi
	j	1b

/*
 * A second hart at the first instruction. OpenSBI 1.1 marks a hart as starting before it stores
 * where; a hart that looks just then goes where the first one went. What it should have got is in
 * the table: it was filled in before the call. A hart that nobody started is stopped.
 */
boot_stray:
	la	a1, riscv_secondary_boot
	li	t0, SB_ENTRIES
1:	ld	t1, SB_SATP(a1)
	ld	t2, SB_HART(a1)
	beqz	t1, 2f
	beq	t2, a0, secondary_entry
2:	addi	a1, a1, SB_SIZE
	addi	t0, t0, -1
	bnez	t0, 1b
	li	a7, 0x48534d		/* HSM */
	li	a6, 1			/* hart_stop */
	ecall
3:	wfi
	j	3b

	.section .data
	.balign	4
boot_taken:
	.word	0

	.section .bss.boot_tables, "aw", @nobits
	.balign	PAGE_SIZE
	.globl	boot_root, boot_fixmap_pmd, arch_boot_pud
boot_root:
arch_boot_pud:
	.zero	PAGE_SIZE
boot_image_pmd:
	.zero	PAGE_SIZE
boot_fixmap_pmd:
	.zero	PAGE_SIZE
