#pragma once
#include "lib/compiler.h"
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define PMD_SHIFT	21
#define PMD_SIZE	(1UL << PMD_SHIFT)
#define PFN_PHYS(n)	((phys_addr_t)(n) << PAGE_SHIFT)
#define PFN_DOWN(a)	((a) >> PAGE_SHIFT)
#define PFN_UP(a)	(((a) + PAGE_SIZE - 1) >> PAGE_SHIFT)
extern char *host_memory;
#define __va(pa)	((void *)(host_memory + (pa)))
#define __pa(va)	((phys_addr_t)((char *)(va) - host_memory))
