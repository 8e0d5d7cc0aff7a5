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
#include "mm/slab/kasan_slab.h"
#include "mm/phys/vmstat.h"
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
	cache->size = ALIGN(kasan_object_room(cache->object_size), cache->align);
	return cache->size <= PAGE_SIZE ? 0 : -EINVAL;
}

void *cache_alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	/* Zeroing the object alone is cheaper than the page. */
	struct page *page = alloc_pages_node(nid, gfp & ~(__GFP_ZERO | __GFP_MOVABLE), 0);
	void *object;

	if (!page)
		return NULL;
	__SetPageSlab(page);
	page->slab_cache = cache;
	atomic_inc(&private_of(cache)->active);
	inc_vm_stat(cache_stat_item(cache));

	object = page_address(page);
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->size);
	if (cache->ctor)
		cache->ctor(object);
	kasan_poison_slab(page, 0);
	return object;
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	if (object != page_address(page)) {
		pr_err("slab: %s: free of %p, which is not the start of an object\n", cache->name,
		       object);
		dump_stack();
		return;
	}
	page->slab_cache = NULL;
	__ClearPageSlab(page);
	atomic_dec(&private_of(cache)->active);
	dec_vm_stat(cache_stat_item(cache));
	__free_page(page);
}

int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++) {
		objects[i] = kmem_cache_alloc(cache, gfp);
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
	(void)cache;		/* nothing is ever kept */
	return 0;
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

void *cache_object_at(struct kmem_cache *cache, struct page *page, const void *addr)
{
	(void)cache;
	(void)addr;
	return page_address(page);
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	(void)cache;
	(void)key;
	(void)value;
	return -ENOENT;
}
