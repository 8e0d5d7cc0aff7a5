#pragma once
#include "mm/phys/gfp.h"
#include "lib/list.h"
#define SLAB_PANIC		BIT(1)
#define SLAB_RECLAIM_ACCOUNT	BIT(2)
#define SLAB_NO_MERGE 0
struct kmem_cache { size_t size; };
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags, void (*ctor)(void *));
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
void *kmalloc(size_t size, gfp_t gfp);
void kfree(const void *object);
#define kzalloc(size, gfp) kmalloc(size, (gfp) | __GFP_ZERO)
#define kmem_cache_alloc(cache, gfp) kmalloc((cache)->size, gfp)
#define kmem_cache_zalloc(cache, gfp) kzalloc((cache)->size, gfp)
#define kmem_cache_free(cache, object) ((void)(cache), kfree(object))
