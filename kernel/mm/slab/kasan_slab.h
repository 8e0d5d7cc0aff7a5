/* KASAN for small objects, between common.c, the backends and kasan_slab.c. Nothing of it without KASAN=1. */
#pragma once

#include "debug/kasan.h"
#include "mm/slab/slab.h"

struct page;

#ifdef CONFIG_KASAN
#define IS_KASAN	true
/* What an object of @size takes with what KASAN keeps behind it: the object_size of the new @cache. */
size_t kasan_cache_init(struct kmem_cache *cache, size_t size);
/* Bytes of an object that its owner may use; @size without KASAN. */
size_t kasan_usable_size(const struct kmem_cache *cache, size_t size);
/* Pages for a slab: none of them may be used but by its backend. */
void kasan_poison_slab(struct page *page, unsigned int order);
/* They go back. */
void kasan_forget_slab(struct page *page, unsigned int order);
/* Of @object, which was just allocated, only @size bytes were asked for. */
void kasan_kmalloc(struct kmem_cache *cache, void *object, size_t size);
/* A block of pages of which @size bytes were asked for. */
void kasan_kmalloc_large(void *block, size_t size, size_t room);
/* Empties the quarantine of @cache's objects (NULL: of all); how many. Any context. */
unsigned long kasan_quarantine_flush(struct kmem_cache *cache);
void kasan_slab_init(void);
#else
#define IS_KASAN	false
static inline size_t kasan_cache_init(struct kmem_cache *cache, size_t size)
{
	(void)cache;
	return size;
}
static inline size_t kasan_usable_size(const struct kmem_cache *cache, size_t size)
{
	(void)cache;
	return size;
}
static inline void kasan_poison_slab(struct page *page, unsigned int order) { (void)page; (void)order; }
static inline void kasan_forget_slab(struct page *page, unsigned int order) { (void)page; (void)order; }
static inline void kasan_kmalloc(struct kmem_cache *cache, void *object, size_t size)
{
	(void)cache; (void)object; (void)size;
}
static inline void kasan_kmalloc_large(void *block, size_t size, size_t room)
{
	(void)block; (void)size; (void)room;
}
static inline unsigned long kasan_quarantine_flush(struct kmem_cache *cache) { (void)cache; return 0; }
static inline void kasan_slab_init(void) { }
#endif
