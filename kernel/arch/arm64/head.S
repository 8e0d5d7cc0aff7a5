/*
 * From the first instruction to start_kernel(), and the same for every other CPU.
 *
 * The image starts with Linux's ARM64 header, so a boot loader puts it at any 2 MiB boundary and
 * jumps to its first byte with the MMU off and the device tree's address in x0, at EL1 or EL2.
 * Code addresses its data relative to the pc, so what runs before the MMU finds everything at
 * physical addresses by itself.
 *
 * The boot tables are static pages behind .bss:
 *
 *	TTBR0	the 2 MiB block that holds this file, at its physical address: the code that
 *		turns the MMU on, or changes TTBR1, must not move while it does so
 *	TTBR1	the image in 2 MiB blocks at KERNEL_LINK_ADDR, the device tree at FIXMAP_FDT
 *
 * boot.c adds the registers of the early console and the direct map of RAM; the boot tables live
 * until arch_load_kernel_root(), the fixmap's and TTBR0's for good.
 */
#include "arch/layout.h"
#include "asm/offsets.h"
#include "asm/sysreg.h"

#define BLOCK		0x0000000000000701	/* valid, shareable, accessed, normal memory */
#define PXN_UXN		0x0060000000000000
#define UXN		0x0040000000000000
#define RDONLY		0x80
#define TABLE		3

	.section .head.text, "ax"

	b	primary_entry			/* code0 */
	nop					/* code1 */
	.quad	0				/* offset of the image from a 2 MiB boundary */
	.quad	image_size			/* kernel.lds.S: with .bss and the boot tables */
	.quad	0xa				/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/*
 * Leaves EL2 if that is where we are. At EL1 in any case: interrupts masked, MMU off, SP_EL1 in
 * use. Keeps x0; changes x1, x2.
 */
enter_el1:
	msr	daifset, #0xf
	mov	x1, #SCTLR_MMU_OFF & 0xffff
	movk	x1, #SCTLR_MMU_OFF >> 16, lsl #16
	mrs	x2, CurrentEL
	cmp	x2, #2 << 2
	b.eq	1f
	msr	spsel, #1
	msr	sctlr_el1, x1
	isb
	ret
1:	msr	sctlr_el1, x1
	mov	x1, #1 << 31			/* HCR_EL2.RW: EL1 is 64 bits wide */
	orr	x1, x1, #3 << 40		/* APK, API: pointer authentication is EL1's */
	msr	hcr_el2, x1
	mov	x1, #3				/* counters and timers too */
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	mov	x1, #0x33ff			/* CPTR_EL2: floating point does not trap to EL2 */
	msr	cptr_el2, x1
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x1, id_aa64pfr0_el1
	ubfx	x1, x1, #24, #4
	cbz	x1, 2f				/* GICv3: let EL1 use its system registers */
	mrs	x1, S3_4_C12_C9_5		/* ICC_SRE_EL2 */
	orr	x1, x1, #1			/* SRE */
	orr	x1, x1, #8			/* Enable */
	msr	S3_4_C12_C9_5, x1
	isb
	msr	S3_4_C12_C11_0, xzr		/* ICH_HCR_EL2 */
2:	mov	x1, #0x3c5			/* EL1h, everything masked */
	msr	spsr_el2, x1
	msr	elr_el2, x30
	eret

/* MMU on with TTBR0 = x0, TTBR1 = x1; returns to the virtual address in x30. Changes x2, x3. */
enable_mmu:
	tlbi	vmalle1
	dsb	nsh
	mov	x2, #MAIR_VALUE
	msr	mair_el1, x2
	ldr	x2, =TCR_VALUE
	mrs	x3, id_aa64mmfr0_el1
	and	x3, x3, #7			/* PARange: as many physical bits as the CPU has, */
	cmp	x3, #5				/* but 48 at most */
	mov	x4, #5
	csel	x3, x3, x4, ls
	bfi	x2, x3, #32, #3
	msr	tcr_el1, x2
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x1
	mov	x2, #CPACR_FP_KERNEL
	msr	cpacr_el1, x2
	mov	x2, #1 << 12			/* user mode gets no debug channel */
	msr	mdscr_el1, x2
	mov	x2, #2				/* it may read the virtual counter */
	msr	cntkctl_el1, x2
	isb
	ic	iallu
	dsb	nsh
	isb
	ldr	x2, =SCTLR_MMU_ON
	msr	sctlr_el1, x2
	isb
	ret

/* Drops [x0, x1) from the caches: it was, or will be, written with them off. Changes x0, x2, x3. */
inval_caches:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4			/* log2 of the smallest line in words */
	mov	x3, #4
	lsl	x2, x3, x2
1:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* Slot of x1's bits [shift+8:shift] in table \table becomes \value. Changes x2, x3. */
	.macro set_slot table, shift, value
	adrp	x2, \table
	ubfx	x3, x1, #\shift, #9
	str	\value, [x2, x3, lsl #3]
	.endm

	.macro set_table table, shift, next
	adrp	x4, \next
	orr	x4, x4, #TABLE
	set_slot \table, \shift, x4
	.endm

/* Fills the boot tables; x21 = device tree. */
make_boot_tables:
	mov	x10, x30
	adrp	x0, boot_tables
	adrp	x1, boot_tables_end
	bl	inval_caches
	adrp	x0, boot_tables
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	adrp	x1, _text			/* the identity map */
	set_table idmap_l0, 39, idmap_l1
	set_table idmap_l1, 30, idmap_l2
	ldr	x5, =BLOCK | UXN | RDONLY
	orr	x4, x1, x5
	set_slot idmap_l2, 21, x4

	adrp	x6, _text			/* the image: x6 are its physical addresses, */
	adrp	x7, _end
	ldr	x1, =KERNEL_LINK_ADDR		/* x1 its virtual ones */
	set_table boot_l0, 39, boot_l1
	set_table boot_l1, 30, boot_image_l2
	ldr	x5, =BLOCK | UXN
2:	orr	x4, x6, x5
	set_slot boot_image_l2, 21, x4
	add	x6, x6, #PMD_SIZE
	add	x1, x1, #PMD_SIZE
	cmp	x6, x7
	b.lo	2b

	/* The device tree, perhaps across a boundary; writable: cmdline_init() blanks what is secret. */
	ldr	x1, =FIXMAP_FDT
	set_table boot_l1, 30, fixmap_l2
	ldr	x5, =BLOCK | PXN_UXN
	and	x4, x21, #~(PMD_SIZE - 1)
	orr	x4, x4, x5
	set_slot fixmap_l2, 21, x4
	add	x1, x1, #PMD_SIZE
	add	x4, x4, #PMD_SIZE
	set_slot fixmap_l2, 21, x4
	ldr	x1, =FIXMAP_EARLYCON		/* registers come later, boot.c */
	set_table fixmap_l2, 21, fixmap_l3

	dmb	sy
	adrp	x0, boot_tables
	adrp	x1, boot_tables_end
	bl	inval_caches
	ret	x10

primary_entry:
	bl	enter_el1
	mrs	x22, cntvct_el0			/* time begins here */
	mov	x21, x0
	bl	make_boot_tables
	adrp	x20, _text
	adrp	x0, idmap_l0
	adrp	x1, boot_l0
	ldr	x30, =1f
	b	enable_mmu
1:	adrp	x0, _bss			/* virtual addresses from here on, caches on */
	adrp	x1, _ebss
2:	stp	xzr, xzr, [x0]
	stp	xzr, xzr, [x0, #16]
	stp	xzr, xzr, [x0, #32]
	stp	xzr, xzr, [x0, #48]
	add	x0, x0, #64
	cmp	x0, x1
	b.lo	2b

	ldr	x0, =KERNEL_LINK_ADDR
	sub	x0, x0, x20
	adrp	x1, kernel_phys_offset
	str	x0, [x1, :lo12:kernel_phys_offset]
	adrp	x1, boot_fdt_phys
	str	x21, [x1, :lo12:boot_fdt_phys]
	adrp	x1, boot_ticks
	str	x22, [x1, :lo12:boot_ticks]

	adrp	x0, init_stack
	add	x0, x0, :lo12:init_stack
	add	x0, x0, #THREAD_SIZE
	adrp	x1, init_thread
	add	x1, x1, :lo12:init_thread
	str	x0, [x1, #TH_KERNEL_SP]
	mov	sp, x0
	msr	tpidr_el1, x1
	adrp	x2, vectors
	add	x2, x2, :lo12:vectors
	msr	vbar_el1, x2
	isb
	mov	x29, xzr
	mov	x30, xzr
#ifdef CONFIG_KASAN
	bl	kasan_early_init
	mov	x30, xzr
#endif
	b	start_kernel

/* Where the firmware starts another CPU; x0 = physical address of its struct secondary_boot. */
	.globl	secondary_entry
secondary_entry:
	bl	enter_el1
	mov	x20, x0
	ldr	x1, [x20, #SB_ROOT]
	adrp	x0, idmap_l0
	adrp	x21, _text
	ldr	x30, =1f
	b	enable_mmu
1:	ldr	x0, =KERNEL_LINK_ADDR
	sub	x0, x0, x21
	add	x20, x20, x0
	ldr	x1, [x20, #SB_IDLE]
	ldr	x2, [x20, #SB_STACK]
	ldr	x0, [x20, #SB_CPU]
	mov	sp, x2
	msr	tpidr_el1, x1
	adrp	x2, vectors
	add	x2, x2, :lo12:vectors
	msr	vbar_el1, x2
	isb
	mov	x29, xzr
	mov	x30, xzr
	b	secondary_start

/*
 * replace_ttbr1(new root, empty root): physical addresses, called at its own physical address with
 * the identity map in TTBR0 and interrupts off. The old and the new tables map the same addresses
 * with blocks of different sizes, so no moment may see both: go through an empty table.
 */
	.globl	replace_ttbr1
replace_ttbr1:
	msr	ttbr1_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	ttbr1_el1, x0
	isb
	ret

	.ltorg

/* Whole pages of their own, behind .bss: they are written before .bss is cleared. */
	.section .boot_tables, "aw", @nobits
	.balign	PAGE_SIZE
boot_tables:
	.globl	boot_l1, arch_boot_pud, fixmap_l2, fixmap_l3, idmap_l0
idmap_l0:	.skip	PAGE_SIZE
idmap_l1:	.skip	PAGE_SIZE
idmap_l2:	.skip	PAGE_SIZE
boot_l0:	.skip	PAGE_SIZE
arch_boot_pud:
boot_l1:	.skip	PAGE_SIZE
boot_image_l2:	.skip	PAGE_SIZE
fixmap_l2:	.skip	PAGE_SIZE
fixmap_l3:	.skip	PAGE_SIZE
boot_tables_end:
