/* Supervisor control registers: names of their bits and accessors. For C and assembly. */
#pragma once

/* sstatus */
#define SR_SIE		0x00000002	/* interrupts on */
#define SR_SPIE		0x00000020	/* ... before the trap */
#define SR_SPP		0x00000100	/* the trap came from supervisor mode */
#define SR_FS		0x00006000	/* state of the floating-point registers: */
#define SR_FS_OFF	0x00000000
#define SR_FS_INITIAL	0x00002000
#define SR_FS_CLEAN	0x00004000
#define SR_FS_DIRTY	0x00006000
#define SR_SUM		0x00040000	/* supervisor may touch user pages */
#define SR_UXL		0x300000000	/* user register width */

/* sie, sip */
#define SIE_SSIE	0x002		/* software: IPI */
#define SIE_STIE	0x020		/* timer */
#define SIE_SEIE	0x200		/* external: PLIC */

/* scause */
#define CAUSE_IRQ_FLAG	0x8000000000000000
#define IRQ_S_SOFT	1
#define IRQ_S_TIMER	5
#define IRQ_S_EXT	9
#define EXC_INST_MISALIGNED	0
#define EXC_INST_ACCESS		1
#define EXC_ILLEGAL		2
#define EXC_BREAKPOINT		3
#define EXC_LOAD_MISALIGNED	4
#define EXC_LOAD_ACCESS		5
#define EXC_STORE_MISALIGNED	6
#define EXC_STORE_ACCESS	7
#define EXC_SYSCALL		8
#define EXC_INST_PAGE_FAULT	12
#define EXC_LOAD_PAGE_FAULT	13
#define EXC_STORE_PAGE_FAULT	15

#define SATP_MODE_SHIFT	60
#define SATP_SV39	8		/* Sv48 and Sv57 follow: 5 + levels */

#define CSR_STIMECMP	0x14d		/* Sstc; assemblers of our age do not know the name */

#ifndef __ASSEMBLER__
#define __CSR_STR(x)	#x

#define csr_read(csr) ({						\
	unsigned long _csr_v;						\
	__asm__ __volatile__("csrr %0, " __CSR_STR(csr) : "=r"(_csr_v) : : "memory"); \
	_csr_v; })
#define csr_write(csr, v) \
	__asm__ __volatile__("csrw " __CSR_STR(csr) ", %0" : : "rK"((unsigned long)(v)) : "memory")
#define csr_set(csr, bits) \
	__asm__ __volatile__("csrs " __CSR_STR(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits) \
	__asm__ __volatile__("csrc " __CSR_STR(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")
#define csr_read_clear(csr, bits) ({					\
	unsigned long _csr_v;						\
	__asm__ __volatile__("csrrc %0, " __CSR_STR(csr) ", %1"		\
			     : "=r"(_csr_v) : "rK"((unsigned long)(bits)) : "memory"); \
	_csr_v; })
#endif
