/*
 * Small objects without an allocator of small objects: every object gets a page of its own.
 *
 * This is the backend of labs 1 and 2. It wastes most of the memory it takes, and has two
 * virtues: it needs nothing but alloc_pages(), and it is too simple to be wrong. What slab and
 * slub are worth can be read from the difference.
 *
 * The constructor runs at each allocation, as no object outlives its page.
 */
#include "mm/slab/backend.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

struct page_cache_private {
	atomic_long_t active;		/* objects, each of them one page */
};
BUILD_BUG_ON(sizeof(struct page_cache_private) > KMEM_CACHE_PRIVATE);

static struct page_cache_private *private_of(struct kmem_cache *cache)
{
	return (struct page_cache_private *)cache->private;
}

int cache_setup(struct kmem_cache *cache)
{
	cache->size = ALIGN(cache->object_size, cache->align);
	return cache->size <= PAGE_SIZE ? 0 : -EINVAL;
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct page *page = slab_pages_alloc(cache, gfp, nid, 0);
	void *object;

	if (!page)
		return NULL;
	atomic_inc(&private_of(cache)->active);
	object = page_address(page);
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->size);
	if (cache->ctor)
		cache->ctor(object);
	return object;
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	if (object != page_address(page)) {
		slab_bug(cache, object, "free of what is not the start of an object");
		return;
	}
	atomic_dec(&private_of(cache)->active);
	slab_pages_free(cache, page, 0);
}

int cache_release(struct kmem_cache *cache)
{
	return atomic_read(&private_of(cache)->active) ? -EBUSY : 0;
}

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	unsigned long active = atomic_read(&private_of(cache)->active);

	*stats = (struct slab_stats){
		.active_objects = active, .total_objects = active,
		.active_slabs = active, .total_slabs = active,
		.objects_per_slab = 1, .pages_per_slab = 1,
	};
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page,
			 const void *object)
{
	(void)page;
	(void)object;
	return cache->object_size;
}
