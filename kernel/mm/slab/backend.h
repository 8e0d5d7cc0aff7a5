/*
 * What a backend of small objects supplies: page_backend.c, slab.c [lab 3], slub.c or slob.c [lab
 * 4]. One of them is linked. It keeps its state in cache->private, which is zero when cache_setup()
 * is called, and in the slab fields of struct page. A page that holds objects has PG_slab set and
 * slab_cache pointing to its cache.
 */
#pragma once

#include "mm/slab/slab.h"
#include "mm/phys/page_alloc.h"

struct slab_stats {
	unsigned long active_objects, total_objects;
	unsigned long active_slabs, total_slabs;
	unsigned int objects_per_slab, pages_per_slab;
};

/* Finishes a cache whose object_size, align, flags and ctor are set: fills in size and private.
 * 0 or -errno. May not use kmalloc. */
int cache_setup(struct kmem_cache *cache);
/* An object, constructed; zeroed with __GFP_ZERO. NULL: no memory. @nid: preferred node. */
void *cache_alloc(struct kmem_cache *cache, gfp_t gfp, int nid);
/* Frees an object that lies in a page of this cache; a bad one is reported and ignored. Any
 * context. */
void cache_free(struct kmem_cache *cache, struct page *page, void *object);
/* All @n or none: returns n or 0. */
int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects);
void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects);
/* Gives empty slabs back; how many pages. May sleep. */
int cache_shrink(struct kmem_cache *cache);
/* Frees all the backend holds, before the cache goes; -EBUSY while objects live. */
int cache_release(struct kmem_cache *cache);
void cache_stats(struct kmem_cache *cache, struct slab_stats *stats);
/* The start of the object, or of the room for one, that @addr in a slab of @cache lies in; NULL: in none. */
void *cache_object_at(struct kmem_cache *cache, struct page *page, const void *addr);
/* Sets a tunable of the backend; 0, -EINVAL or -ENOENT. */
int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value);

/* common.c: the vmstat counter that a cache's pages count in. */
int cache_stat_item(const struct kmem_cache *cache);
/* The page that describes the block which @object lies in: the first of a slab of many pages. */
struct page *object_page(const void *object);
