/*
 * Small objects: one API, exchangeable backends (page in labs 1 and 2; slab, slub, slob).
 *
 * kmalloc() of a constant size costs what kmem_cache_alloc() costs: the compiler finds the class. And
 * kmem_cache_alloc() is the backend's function itself, there is no layer in between.
 */
#pragma once

#include "mm/phys/gfp.h"
#include "lib/list.h"
#include "base/spinlock.h"

typedef unsigned int slab_flags_t;
#define SLAB_HWCACHE_ALIGN	BIT(0)
#define SLAB_PANIC		BIT(1)	/* panic if the cache cannot be made */
#define SLAB_RECLAIM_ACCOUNT	BIT(2)	/* counted as reclaimable */
#define SLAB_ACCOUNT		BIT(3)
#define SLAB_NO_MERGE		BIT(4)	/* never share the slabs of another cache */
#define SLAB_BACKEND_FLAGS	(~0U << 16)	/* for the backend: bits 16 and above */

#define KMEM_CACHE_PRIVATE	1024
/* Larger ones are whole blocks of pages: not in LAB=1. */
#ifndef KMALLOC_MAX_CACHE_SIZE
#if defined(CONFIG_SLAB_PAGE) || CONFIG_LAB == 1
#define KMALLOC_MAX_CACHE_SIZE	4096
#else
#define KMALLOC_MAX_CACHE_SIZE	8192
#endif
#endif

struct kmem_cache {
	const char *name;
	unsigned int object_size;	/* what the user asked for */
	unsigned int size;		/* what one takes */
	unsigned int align;
	slab_flags_t flags;
	void (*ctor)(void *object);
	struct list_head node;		/* slab_caches, under slab_mutex */
	unsigned int users;		/* kmem_cache_create()s that share it; under slab_mutex */
	unsigned long private[KMEM_CACHE_PRIVATE / sizeof(long)];	/* the backend's */
};

/* ---- the backend's own functions, called without a layer in between ----------------------- */

/* An object, constructed, from this CPU's node if there is a choice; zeroed with __GFP_ZERO (not for
 * a cache with a constructor). NULL: no memory. With __GFP_DIRECT_RECLAIM may sleep, else any
 * context. */
void *cache_alloc(struct kmem_cache *cache, gfp_t gfp);
/* The same, @nid preferred. */
void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid);
/* All @n or none: n or 0. */
int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects);
void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects);

/* ---- caches ------------------------------------------------------------------------------- */

/* NULL (or panic with SLAB_PANIC) if the size is 0 or too large, or memory is short. May sleep.
 * @name must live as long as the cache. @ctor runs once for each object, not at each allocation. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     slab_flags_t flags, void (*ctor)(void *));
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
int kmem_cache_shrink(struct kmem_cache *cache);	/* pages given back; may sleep */
int kmem_cache_destroy(struct kmem_cache *cache);	/* -EBUSY while objects live; may sleep */

static __always_inline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return cache_alloc(cache, gfp);
}

static __always_inline void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	return cache_alloc_node(cache, gfp, nid);
}

/* NULL is ignored; an object that is not the cache's is reported and ignored. Any context. */
void kmem_cache_free(struct kmem_cache *cache, void *object);

static inline int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n,
					void **objects)
{
	return cache_alloc_bulk(cache, gfp, n, objects);
}

static inline void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	cache_free_bulk(cache, n, objects);
}

#define kmem_cache_zalloc(cache, gfp) kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)

/* ---- kmalloc ------------------------------------------------------------------------------ */

#define NR_KMALLOC_CLASSES	13
extern struct kmem_cache kmalloc_caches[NR_KMALLOC_CLASSES];

/* The class of a size up to KMALLOC_MAX_CACHE_SIZE, for a size that the compiler knows. The sizes
 * between powers of two are there because much in a kernel is a little over 64 or 128. */
static __always_inline unsigned int kmalloc_index(size_t size)
{
	return size <= 8 ? 0 : size <= 16 ? 1 : size <= 32 ? 2 : size <= 64 ? 3 :
	       size <= 96 ? 4 : size <= 128 ? 5 : size <= 192 ? 6 : size <= 256 ? 7 :
	       size <= 512 ? 8 : size <= 1024 ? 9 : size <= 2048 ? 10 : size <= 4096 ? 11 : 12;
}

void *__kmalloc(size_t size, gfp_t gfp);

/* At least @size bytes, aligned to 8 (to the size if a power of two); NULL if none. LAB=1: at most
 * 4096 bytes. */
static __always_inline void *kmalloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && size <= KMALLOC_MAX_CACHE_SIZE)
		return kmem_cache_alloc(&kmalloc_caches[kmalloc_index(size)], gfp);
	return __kmalloc(size, gfp);
}

#define kzalloc(size, gfp) kmalloc(size, (gfp) | __GFP_ZERO)
void kfree(const void *object);			/* any context; NULL is ignored */
size_t ksize(const void *object);		/* bytes that may be used */
void *krealloc(const void *p, size_t size, gfp_t gfp);	/* NULL: @p is as it was */
void *kmalloc_array(size_t n, size_t size, gfp_t gfp);	/* NULL on overflow too */
char *kstrdup(const char *s, gfp_t gfp);

/* ---- all caches --------------------------------------------------------------------------- */

/* After mem_init(): kmalloc and kmem_cache_create work from here on. */
void kmem_cache_init(void);
/* Every cache gives back its empty slabs (drop_caches). May sleep. */
void kmem_cache_shrink_all(void);
/* Memory is short: caches give back some of what they do not use. Sleeps for nothing: who allocates
 * may call it. Pages given back, roughly. */
unsigned long kmem_cache_reap(void);

/* Calls fn(cache, data) for every cache, under slab_mutex; may sleep. For /proc/slabinfo. */
void for_each_kmem_cache(void (*fn)(struct kmem_cache *cache, void *data), void *data);
/* Sets what /proc/slabinfo shows as tunables of the cache called @name, all three or as many as there is
 * memory for: 0, -EINVAL (a wrong value, no such cache), -EIO (the backend has none) or -ENOMEM. May
 * sleep. */
int kmem_cache_set_tunables(const char *name, unsigned int limit, unsigned int batchcount,
			    unsigned int shared);
