/* Memory that is contiguous only in kernel addresses; device registers. May sleep. */
#pragma once

#include "mm/phys/gfp.h"

/* @size bytes rounded up to pages; an unmapped page on both sides. NULL when memory is short. */
void *vmalloc(size_t size, gfp_t gfp);
#define vmalloc_guarded(size, gfp) vmalloc(size, gfp)
void vfree(void *addr);			/* NULL is fine. Not from an interrupt. */
/* Maps device registers; usable once vm_kernel_init is done. NULL on failure. */
void *ioremap(phys_addr_t pa, size_t size);
void iounmap(void *addr);

/* kernel_map.c: builds the final kernel tables from memblock (image W^X, direct map, vmemmap) and loads them. */
void vm_kernel_init(void);
extern phys_addr_t kernel_root;		/* the kernel's own top-level table */
