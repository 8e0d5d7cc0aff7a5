/* Host tests of SLUB (and, in part, of SLOB): against a shadow map that shares no code with it. */
#pragma once

#include "../hosted/kernel.h"
#include "base/cmdline.h"
#include "base/percpu.h"
#include "mm/slab/backend.h"
#ifdef CONFIG_SLAB_SLUB
#include "mm/slab/slub.h"
#endif

extern const struct test common_tests[], slub_tests[];

#define TEST_CPUS	4
#define RAM_BASE	0x40000000UL
#define RAM_SIZE	(64 * MIB)

/*
 * The shadow map. took(): an object of @size bytes was handed out; nobody else has any of it, and it
 * is aligned. Fills it. giving(): it is going to be freed, and still holds what it was filled with.
 */
void took(void *object, size_t size, size_t align);
void giving(void *object, size_t size);
unsigned long live_bytes(void);

/* All CPUs give what they have of a cache, as in smp_call(). Main thread. */
void on_each_cpu(void (*fn)(void *), void *arg);
/* Each CPU shrinks the cache. */
void shrink_everywhere(struct kmem_cache *cache);
/* Every CPU gives all it has back; the pages that all caches have then. */
unsigned long pages_of_slabs(void);
