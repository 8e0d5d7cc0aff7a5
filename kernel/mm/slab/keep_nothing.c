/*
 * What is the same for all backends that keep nothing: a free object has no place of its own, so there is
 * nothing to shrink, to reap or to tune, and many objects at once are one after the other.
 */
#include "mm/slab/backend.h"
#include "base/percpu.h"
#include "lib/errno.h"

const bool cache_merge_default = false;		/* there is nothing to gain */

int cache_setup_late(struct kmem_cache *cache)
{
	(void)cache;
	return 0;
}

void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return cache_alloc_node(cache, gfp, cpu_node[smp_processor_id()]);
}

int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++) {
		objects[i] = cache_alloc(cache, gfp);
		if (!objects[i]) {
			cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return n;
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++)
		kmem_cache_free(cache, objects[i]);
}

int cache_shrink(struct kmem_cache *cache)
{
	(void)cache;
	return 0;
}

int cache_reap(struct kmem_cache *cache)
{
	(void)cache;
	return 0;
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	(void)cache;
	(void)key;
	(void)value;
	return -ENOENT;
}
