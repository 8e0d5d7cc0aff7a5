/*
 * Where ARM64's system-call interface differs from other machines of the generic ABI.
 */
#ifndef _BITS_ARCH_H
#define _BITS_ARCH_H

#define __O_DIRECTORY	0040000
#define __O_NOFOLLOW	0100000
#define __O_DIRECT	0200000
#define __O_LARGEFILE	0400000

/* The kernel's struct sigaction has an sa_restorer between the flags and the mask. */
#define __SIGACTION_RESTORER 1

#define __MACHINE	"aarch64"

#endif
