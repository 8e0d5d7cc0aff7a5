/* Host tests of kernel/mm/phys: seeded, each compared with a model that shares no code with it. */
#pragma once

#include "../hosted/kernel.h"

/* Each file's tests, ended by an empty entry. */
extern const struct test memblock_tests[], init_tests[], alloc_tests[], buddy_tests[], tree_tests[];

/* Forgets all memory: memblock, nodes, pages. The pages of frames below @max_phys become
 * garbage. */
void reset_memory(phys_addr_t max_phys);

/* RAM at the given place, booted into an allocator. */
void boot_memory(phys_addr_t base, phys_addr_t size);
/* A random layout of up to 3 nodes with holes, crossing 4 GiB in half of the cases; not booted. */
void random_layout(struct prng *rng);
/* Pages that the per-CPU lists themselves take. */
unsigned long pcp_overhead(void);
/* Gives the per-CPU lists of all CPUs back to the cores. */
void drain_cpus(void);
/* Every page of a zone that is in a free block, counted; and the blocks' states checked. */
unsigned long walk_free_list(struct zone *zone);
