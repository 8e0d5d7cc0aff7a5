/*
 * Small objects under test: a world with memory in it, and a shadow map of what was handed out. The map
 * is the harness's own: nothing in it comes from lists, words or counters of the code under test.
 */
#pragma once

#include "mm/phys/vmstat.h"
#include "mm/slab/slub.h"
#include "test/ktest/world.h"

#define WORLD_FIRST	0x40000UL	/* frame */
#define WORLD_PAGES	512UL		/* one section: every test and seed builds it anew */

/* Memory, a page allocator with one node (or two), and kmalloc. Once a test. */
void boot_slabs(unsigned int nodes);
/* A cache of its own, never merged. */
struct kmem_cache *new_cache(const char *name, size_t size, size_t align, slab_flags_t flags,
			     void (*ctor)(void *));
/* Pages that slabs are made of, as slab_pages_alloc() and slab_pages_free() count them. */
unsigned long slab_pages(void);
/* Slabs' worth of @pages. */
unsigned long slabs_of(const struct kmem_cache *cache, unsigned long pages);
unsigned int objects_per_slab(const struct kmem_cache *cache);

/* took(): @object was handed out. Of @size bytes none is anybody else's, and it is aligned; filled with a
 * pattern of its own. giving(): it is about to be freed, and still holds that pattern. Any CPU. */
bool took(void *object, size_t size, size_t align);
void giving(void *object, size_t size);
unsigned long live_objects(void);
/* Bytes of an object that are filled and looked at: boot_slabs() sets all. Who wants CPUs to meet inside
 * the allocator, and not here, sets few. */
extern size_t shadow_depth;

/* Allocates @n objects with took(), and frees with giving(); stop at a failure. */
void take_n(struct kmem_cache *cache, void **objects, unsigned int n);
void give_n(struct kmem_cache *cache, void **objects, unsigned int n);
/* Random order. */
void shuffle(struct prng *rng, void **objects, unsigned int n);
/* Everything was freed: every CPU gives what it has back, the cache can be destroyed, and all its pages
 * are back, so that there are @pages of slabs as before. */
void expect_all_back(struct kmem_cache *cache, unsigned long pages);
/* Runs fn(arg) on CPU @cpu alone. */
void run_on(unsigned int cpu, u64 seed, void (*fn)(void *arg), void *arg);
/* Every CPU gives its slabs of the cache back to their nodes. */
void flush_cpus(struct kmem_cache *cache);

/* Before each call of slab_pages_alloc() by the code under test: false refuses the pages. */
extern bool (*before_pages)(struct kmem_cache *cache, gfp_t gfp);
/* How often it was called. */
extern unsigned long pages_calls;
/* What slub_debug= says. */
extern const char *slub_debug_option;

#ifdef CONFIG_ARCH_HOST
#define MACHINE		(-1)		/* no instructions are counted */
#elif defined(CONFIG_ARCH_ARM64)
#define MACHINE		0
#else
#define MACHINE		1
#endif
