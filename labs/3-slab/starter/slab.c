/*
 * SLAB: caches of objects. The theory and the task are in the lab's README.md; what each function
 * owes stands in mm/slab/slab.h and mm/slab/backend.h.
 *
 * What you get: slab_pages_alloc() gives the pages of a slab, every one of them PG_slab and with
 * slab_cache pointing to the cache; slab_pages_free() takes them back. Of those pages slab_list,
 * slab_mem, slab_state and aux are yours, and so are the KMEM_CACHE_PRIVATE bytes of cache->private,
 * which are zero when cache_setup() is called. You may use kmalloc() from cache_setup_late() on.
 *
 * What is fixed: a slab has at most 8 pages (one in LAB=1); interrupt handlers allocate and free, so
 * spinlocks are taken with interrupts off; pages are not asked for while one is held.
 */
#include "mm/slab/backend.h"
#include "base/irq.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define NOT_WRITTEN()	panic("lab 3: SLAB is not written yet (%s)", __func__)

/* What you keep of a cache, in cache->private. */
struct cache_private {
	unsigned int num;		/* objects in a slab */
};
BUILD_BUG_ON(sizeof(struct cache_private) > KMEM_CACHE_PRIVATE);

const bool cache_merge_default = false;

/* ---- layout -------------------------------------------------------------------------------- */

/* Works out the layout of a cache: its size, the order of its slabs, objects in each, where the
 * management goes, colours; and makes its arrays, if slab_is_available(). 0 or -errno. */
int cache_setup(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

/* The arrays of one of the first caches: now there is kmalloc(). 0 or -errno. */
int cache_setup_late(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page, const void *object)
{
	(void)cache, (void)page, (void)object;
	NOT_WRITTEN();
}

/* ---- allocate and free --------------------------------------------------------------------- */

/* An object from this CPU's array, or else a batch from the shared array and the slabs, or else from
 * a new slab. NULL: no memory. */
void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	(void)cache, (void)gfp;
	NOT_WRITTEN();
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	(void)cache, (void)gfp, (void)nid;
	NOT_WRITTEN();
}

/* All @n or none: n or 0. */
int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	(void)cache, (void)gfp, (void)n, (void)objects;
	NOT_WRITTEN();
}

/* To this CPU's array. What is not the start of an object that is in use is reported with
 * slab_bug(), and nothing changes. */
void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	(void)cache, (void)page, (void)object;
	NOT_WRITTEN();
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	(void)cache, (void)n, (void)objects;
	NOT_WRITTEN();
}

/* ---- giving memory back -------------------------------------------------------------------- */

/* The arrays of all CPUs and the shared one into the slabs, then all free slabs back. How many
 * pages. */
int cache_shrink(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

/* What has lain idle since the last time, without waiting for anybody. How many pages. */
int cache_reap(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

/* All that the cache holds; -EBUSY while an object is in use: then the cache is as good as before. */
int cache_release(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

/* ---- numbers ------------------------------------------------------------------------------- */

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	(void)cache, (void)stats;
	NOT_WRITTEN();
}

/* "limit", "batchcount" or "shared"; 0, -EINVAL, -ENOENT or -ENOMEM. */
int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	(void)cache, (void)key, (void)value;
	NOT_WRITTEN();
}
