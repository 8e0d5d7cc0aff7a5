/*
 * What a backend of small objects supplies: page_backend.c, slab.c [lab 3], slub.c or slob.c [lab 4].
 * One of them is linked, the first and the last with keep_nothing.c. It keeps its state in
 * cache->private, which is zero when cache_setup() is called, and in the slab fields of struct page.
 *
 * A page that holds objects has PG_slab set and slab_cache pointing to its cache, and so has each
 * page of a slab of many: slab_pages_alloc() sees to that. slab_list, slab_mem, slab_state and aux
 * of all those pages are the backend's until slab_pages_free().
 */
#pragma once

#include "mm/slab/slab.h"
#include "mm/phys/page_alloc.h"

struct slab_stats {
	unsigned long active_objects, total_objects;
	unsigned long active_slabs, total_slabs;
	unsigned int objects_per_slab, pages_per_slab;
	unsigned int limit, batchcount, shared;		/* tunables; 0: there are none */
	unsigned long shared_avail;
};

/* ---- the backend's, beside those in slab.h ------------------------------------------------ */

/* Finishes a cache whose object_size, align, flags and ctor are set: fills in size and private.
 * 0 or -errno. Before slab_is_available() it may not use kmalloc. May sleep, afterwards. */
int cache_setup(struct kmem_cache *cache);
/* kmalloc works now, in whatever way, and slab_is_available(): what cache_setup() of this one of the
 * first caches had to leave out. Boot CPU; 0 or -errno, which ends in a panic. */
int cache_setup_late(struct kmem_cache *cache);
/* Frees an object that lies in @page, which is one of this cache; a bad one is reported and
 * ignored. Any context. */
void cache_free(struct kmem_cache *cache, struct page *page, void *object);
/* Gives empty slabs back, all of them; how many pages. May sleep. */
int cache_shrink(struct kmem_cache *cache);
/* Gives back some of what has lain unused, without waiting for anything; how many pages. */
int cache_reap(struct kmem_cache *cache);
/* Frees all the backend holds, before the cache goes; -EBUSY while objects live: then the cache is
 * as good as before. May sleep. */
int cache_release(struct kmem_cache *cache);
void cache_stats(struct kmem_cache *cache, struct slab_stats *stats);
/* Sets a tunable of the backend; 0, -EINVAL, -ENOENT (it has no such) or -ENOMEM. Under slab_mutex;
 * may sleep. */
int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value);
/* Bytes that the owner of an object in @page may use. */
size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page,
			 const void *object);
/* Do caches with objects of the same kind share slabs, unless slab_merge or slab_nomerge on the
 * command line says otherwise? */
extern const bool cache_merge_default;

/* ---- common.c ----------------------------------------------------------------------------- */

/* 2^@order pages for a slab of @cache, counted; NULL: none. */
struct page *slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order);
/* Gives them back; @page is the first. Any context. */
void slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order);
/* May kmalloc be used? */
bool slab_is_available(void);
/* One report about a bad free or a broken object, with a backtrace; @cache NULL: not known. */
void slab_bug(const struct kmem_cache *cache, const void *object, const char *what);

/* ---- free.c: from an object to its page --------------------------------------------------- */

/* The longest stretch of the direct map whose frames all have a struct page: nearly every question
 * is answered by one comparison. */
extern struct slab_span {
	unsigned long start, size;	/* bytes; size 0: before kmem_cache_init() */
	struct page *pages;		/* of start */
} slab_span;
void slab_span_init(void);		/* once, boot CPU */

static __always_inline bool in_slab_span(const void *object)
{
	return likely((unsigned long)object - slab_span.start < slab_span.size);
}

/* The page of an address in that stretch. */
static __always_inline struct page *slab_span_page(const void *object)
{
	return slab_span.pages + (((unsigned long)object - slab_span.start) >> PAGE_SHIFT);
}

/* The page that @object lies in, or NULL if it is not an address of the direct map. */
struct page *object_page(const void *object);

/* The same for what is known to be an object: a constant is all it takes. */
static __always_inline struct page *object_page_known(const void *object)
{
#if !defined(CONFIG_ARCH_HOST) && !defined(CONFIG_WORLD)
	return vmemmap + (((long)object >> PAGE_SHIFT) - ((long)PAGE_OFFSET >> PAGE_SHIFT));
#else
	return virt_to_page(object);
#endif
}

/* Is @page one of the slabs of @cache? In a page that is not a slab's there is
 * NULL or an address_space in the place of slab_cache, never a cache. */
static __always_inline bool page_is_of_cache(const struct page *page,
					     const struct kmem_cache *cache)
{
#ifdef CONFIG_SLAB_SLOB		/* caches share pages there */
	(void)cache;
	return PageSlab(page);
#else
	return page->slab_cache == cache;
#endif
}
/* free.c: what kmem_cache_free() and kfree() do in general, for a backend that has its own with the
 * most frequent case in front. */
void kmem_cache_free_rest(struct kmem_cache *cache, void *object);
void kfree_rest(const void *object);
