/* Memory that is contiguous only in kernel addresses; device registers. May sleep. */
#pragma once

#include "mm/phys/gfp.h"

struct page;

/* @size bytes rounded up to pages; an unmapped page on both sides. NULL when memory is short. May
 * sleep if @gfp may; not from an interrupt. */
void *vmalloc(size_t size, gfp_t gfp);
#define vmalloc_guarded(size, gfp) vmalloc(size, gfp)
void vfree(void *addr);			/* NULL is fine. Not from an interrupt. */
/* The page behind an address that vmalloc() returned; NULL if nothing is mapped there. */
struct page *vmalloc_to_page(const void *addr);
/* Freed ranges wait for a common TLB flush; this flushes and releases them now. May sleep. */
void vm_unmap_aliases(void);
/* Maps device registers; usable once vm_kernel_init is done. NULL on failure. Not from an
 * interrupt. */
void *ioremap(phys_addr_t pa, size_t size);
void iounmap(void *addr);		/* the address ioremap returned */

/* After kmem_cache_init(): vmalloc() works from here on. */
void vmalloc_init(void);

/* kernel_map.c: builds the final kernel tables from memblock (image W^X, direct map, vmemmap)
 * and loads them. */
void vm_kernel_init(void);
extern phys_addr_t kernel_root;		/* the kernel's own top-level table */
