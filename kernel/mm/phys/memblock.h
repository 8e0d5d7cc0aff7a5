/*
 * memblock: the allocator before the allocator. Two sorted arrays of regions, memory and reserved;
 * a region is free if in the first and not in the second. Boot CPU only, until page_init() hands
 * everything free to the page core. All in bytes, physical.
 */
#pragma once

#include "lib/types.h"

#define MEMBLOCK_MAX_REGIONS 128

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	int nid;
};

struct memblock_type {
	unsigned int cnt;
	struct memblock_region regions[MEMBLOCK_MAX_REGIONS];
	const char *name;
};

struct memblock {
	struct memblock_type memory, reserved;
	phys_addr_t current_limit;	/* allocations end below this */
};

extern struct memblock memblock;

/* Sorted insertion that merges neighbours and overlaps of the same node: 0, or -ENOSPC when the
 * array is full, -EINVAL for an empty or wrapping range. */
int memblock_add(phys_addr_t base, phys_addr_t size, int nid);
int memblock_remove(phys_addr_t base, phys_addr_t size);	/* from memory; splits */
int memblock_reserve(phys_addr_t base, phys_addr_t size);
int memblock_free(phys_addr_t base, phys_addr_t size);		/* from reserved; splits */
/* A free range of @size bytes aligned to @align (power of two) within [min, max), reserved and
 * zeroed through the direct map (memblock_alloc); top down. 0 / NULL: none. */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min,
				      phys_addr_t max);
void *memblock_alloc(size_t size, size_t align);	/* below current_limit; panics if none */
bool memblock_is_memory(phys_addr_t addr);
bool memblock_is_reserved(phys_addr_t addr);
phys_addr_t memblock_phys_mem_size(void);
phys_addr_t memblock_end_of_DRAM(void);
/* Next free range at or after *@idx (start with 0): true and base, end, nid. */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid);
/* memblock_fdt.c, given: memory nodes, reserved-memory, the /memreserve/ block, the image,
 * initrd, the tree. */
void memblock_init_fdt(void);
extern phys_addr_t initrd_start, initrd_size;	/* 0: none */
