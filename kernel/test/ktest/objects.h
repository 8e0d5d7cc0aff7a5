/*
 * The oracle of objects: what an allocator of small objects handed out, written down by the harness.
 *
 * There is one bit for each 8 bytes of the world's memory that says whether they are part of a live
 * object, and one that says whether a constructed object begins there. All slabs are known, for
 * the files under test get and return their pages through here (`via` in lab.toml). Nothing is read
 * from what the code under test keeps. What may be asked of any right design:
 *
 *	- an object lies in one slab of its cache, is aligned, and overlaps no live one
 *	- its contents stay as its owner left them, from allocation to free; those of a constructed one
 *	  from free to the next allocation, too
 *	- a constructor runs once for each object while the slab lives, and before it is handed out
 *	- no slab is given back while one of its objects is live
 *
 * What does not hold is a failure of the test at once; if it is not safe to go on, the test ends.
 */
#pragma once

#include "test/ktest/pages.h"
#include "mm/slab/slab.h"

/* A world of @pages frames (see pages.h) in which kmem_cache_init() was called. Once a test. */
void objects_world(unsigned long pages);

/* kmem_cache_alloc(), judged; fills the object. NULL: refused. Any CPU; so are all these. */
void *objects_take(struct kmem_cache *cache, gfp_t gfp);
void *objects_take_node(struct kmem_cache *cache, gfp_t gfp, int nid);
/* Judges the contents, and kmem_cache_free(). */
void objects_give(struct kmem_cache *cache, void *object);
/* Several; how many there were. */
unsigned long objects_take_many(struct kmem_cache *cache, void **objects, unsigned long n);
void objects_give_many(struct kmem_cache *cache, void **objects, unsigned long n);
/* How many of @objects lie in the slab of @object. */
unsigned long objects_beside(void *object, void **objects, unsigned long n);
/* The same for kmalloc(), krealloc() of an object of @old bytes, and kfree(). */
void *objects_kmalloc(size_t size, gfp_t gfp);
void *objects_krealloc(void *object, size_t old, size_t size, gfp_t gfp);
void objects_kfree(void *object, size_t size);
/* The two halves: for what was allocated, or is about to be freed, in another way. */
void objects_took(struct kmem_cache *cache, void *object);
void objects_gave(struct kmem_cache *cache, void *object);

/* A constructor, for kmem_cache_create(): its calls are counted and its objects watched. */
void objects_ctor(void *object);
unsigned long objects_constructed(void);	/* calls so far */

/* A slab, seen by the pages it consists of. */
struct objects_slab {
	struct kmem_cache *cache;	/* NULL: no slab */
	pfn_t first;
	unsigned int order;
	unsigned long serial;		/* rises with each slab */
};
/* The slab in which @address lies; cache NULL: in none. */
struct objects_slab objects_slab_of(const void *address);
/* Slabs and pages that @cache has now (NULL: all caches), and slabs it has got so far. */
unsigned long objects_slabs(const struct kmem_cache *cache);
unsigned long objects_pages(const struct kmem_cache *cache);
unsigned long objects_slabs_got(void);
/* With nothing live in @cache: shrinks it. Has it given back all its pages, and said how many? */
const char *objects_all_back(struct kmem_cache *cache);

/* How many spinlocks the files under test have released, on all CPUs, and how many of them while
 * interrupts were on. */
unsigned long objects_locks(void);
unsigned long objects_locks_irqs_on(void);
