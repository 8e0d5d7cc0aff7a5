/*
 * Where RISC-V's system-call interface differs from other machines of the generic ABI.
 */
#ifndef _BITS_ARCH_H
#define _BITS_ARCH_H

#define __O_DIRECT	0040000
#define __O_LARGEFILE	0100000
#define __O_DIRECTORY	0200000
#define __O_NOFOLLOW	0400000

/* The kernel's struct sigaction has no sa_restorer here. */
#define __SIGACTION_RESTORER 0

#define __MACHINE	"riscv64"

#endif
