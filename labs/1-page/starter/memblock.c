/*
 * memblock: the allocator before the allocator. What each function owes its callers stands in
 * mm/phys/memblock.h; the theory and the task are in the lab's README.md.
 *
 * Keep two arrays of regions, memblock.memory and memblock.reserved, so that before and after every
 * call
 *
 *	- regions are sorted by base, not empty, and do not overlap
 *	- regions of the same node do not touch: they are merged into one
 *
 * What is free is memory minus reserved, worked out when somebody asks. Reserved memory has node 0.
 * What is in the array already keeps its node when it is added again. Only the boot CPU runs.
 */
#include "mm/phys/memblock.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define NOT_WRITTEN()	panic("lab 1: page allocator is not written yet (%s)", __func__)

struct memblock memblock = {
	.memory.name = "memory",
	.reserved.name = "reserved",
	.current_limit = ~0UL,
};

int memblock_add(phys_addr_t base, phys_addr_t size, int nid)
{
	(void)base, (void)size, (void)nid;
	NOT_WRITTEN();
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	(void)base, (void)size;
	NOT_WRITTEN();
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	(void)base, (void)size;
	NOT_WRITTEN();
}

int memblock_free(phys_addr_t base, phys_addr_t size)
{
	(void)base, (void)size;
	NOT_WRITTEN();
}

bool memblock_is_memory(phys_addr_t addr)
{
	(void)addr;
	NOT_WRITTEN();
}

bool memblock_is_reserved(phys_addr_t addr)
{
	(void)addr;
	NOT_WRITTEN();
}

phys_addr_t memblock_phys_mem_size(void)
{
	NOT_WRITTEN();
}

phys_addr_t memblock_end_of_DRAM(void)
{
	NOT_WRITTEN();
}

/* Free ranges in rising order. A range does not cross from one memory region into the next. What
 * *idx means, other than that a walk starts with 0, is yours to choose. */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	(void)idx, (void)base, (void)end, (void)nid;
	NOT_WRITTEN();
}

/* The highest place that fits. Address 0 is never given, because 0 means that there is none. */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				      phys_addr_t max_addr)
{
	(void)size, (void)align, (void)min_addr, (void)max_addr;
	NOT_WRITTEN();
}

void *memblock_alloc(size_t size, size_t align)
{
	(void)size, (void)align;
	NOT_WRITTEN();
}
