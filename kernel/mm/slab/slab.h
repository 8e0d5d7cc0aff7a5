/* Small objects: one API, exchangeable backends (page in labs 1 and 2; slab, slub, slob). */
#pragma once

#include "mm/phys/gfp.h"
#include "lib/list.h"
#include "base/spinlock.h"

typedef unsigned int slab_flags_t;
#define SLAB_HWCACHE_ALIGN	BIT(0)
#define SLAB_PANIC		BIT(1)	/* panic if the cache cannot be made */
#define SLAB_RECLAIM_ACCOUNT	BIT(2)	/* counted as reclaimable */
#define SLAB_ACCOUNT		BIT(3)
#define SLAB_NO_MERGE		BIT(4)

#define KMEM_CACHE_PRIVATE	1024
#ifndef KMALLOC_MAX_CACHE_SIZE
#define KMALLOC_MAX_CACHE_SIZE	4096	/* larger ones are whole blocks of pages: not in LAB=1 */
#endif

struct kmem_cache {
	const char *name;
	unsigned int object_size;	/* what the user asked for */
	unsigned int size;		/* what one takes */
	unsigned int align;
	slab_flags_t flags;
	void (*ctor)(void *object);
	struct list_head node;		/* slab_caches, under slab_mutex */
	unsigned long private[KMEM_CACHE_PRIVATE / sizeof(long)];	/* the backend's */
};

/* NULL (or panic with SLAB_PANIC) if the size is 0 or too large, or memory is short. May sleep. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     slab_flags_t flags, void (*ctor)(void *));
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid);
void kmem_cache_free(struct kmem_cache *cache, void *object);
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects);
int kmem_cache_shrink(struct kmem_cache *cache);	/* pages given back */
int kmem_cache_destroy(struct kmem_cache *cache);	/* -EBUSY while objects live */
/* At least @size bytes, aligned to 8 (to the size if a power of two); NULL if none. LAB=1: at most
 * 4096 bytes. */
void *kmalloc(size_t size, gfp_t gfp);
void *krealloc(const void *p, size_t size, gfp_t gfp);
void kfree(const void *object);
size_t ksize(const void *object);
#define kzalloc(size, gfp) kmalloc(size, (gfp) | __GFP_ZERO)
#define kmem_cache_zalloc(cache, gfp) kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)
void *kmalloc_array(size_t n, size_t size, gfp_t gfp);	/* NULL on overflow too */
char *kstrdup(const char *s, gfp_t gfp);
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
/* After mem_init(): kmalloc and kmem_cache_create work from here on. */
void kmem_cache_init(void);
/* Every cache gives back its empty slabs (drop_caches). */
void kmem_cache_shrink_all(void);

/* Calls fn(cache, data) for every cache, under slab_mutex; may sleep. For /proc/slabinfo. */
void for_each_kmem_cache(void (*fn)(struct kmem_cache *cache, void *data), void *data);
