/*
 * Small objects, the part above the backends: the registry of caches, the kmalloc classes, and the
 * pages that slabs are made of. What every free passes through is in free.c.
 *
 * A cache hands out objects of one size. kmalloc() is a row of caches of rising sizes; kfree()
 * finds the cache of an object through its page, so nobody has to remember sizes. What is larger
 * than the largest class is a block of pages, and its page is not PG_slab.
 *
 * The cache of caches and those of kmalloc are static, since the first cache cannot come from one.
 * They are set up in two steps: cache_setup() of all, which makes kmalloc work somehow, then
 * cache_setup_late(), which may use it.
 *
 * Caches of like objects can be one (merging): less memory, and warmer; but then a wild write hits
 * a stranger's object, and the statistics of both mix. slab_merge and slab_nomerge on the command
 * line decide, else the backend.
 *
 * Locks: slab_mutex guards the list of caches. Backends allocate pages while it is held, so who
 * frees memory for an allocation, kmem_cache_reap(), only tries it.
 */
#include "mm/slab/backend.h"
#include "mm/slab/kasan_slab.h"
#include "mm/phys/vmstat.h"
#include "sched/mutex.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

static const struct kmalloc_class {
	unsigned int size;
	const char *name;
} kmalloc_classes[NR_KMALLOC_CLASSES] = {
	{ 8, "kmalloc-8" }, { 16, "kmalloc-16" }, { 32, "kmalloc-32" }, { 64, "kmalloc-64" },
	{ 96, "kmalloc-96" }, { 128, "kmalloc-128" }, { 192, "kmalloc-192" },
	{ 256, "kmalloc-256" }, { 512, "kmalloc-512" }, { 1024, "kmalloc-1k" },
	{ 2048, "kmalloc-2k" }, { 4096, "kmalloc-4k" }, { 8192, "kmalloc-8k" },
};

struct kmem_cache kmalloc_caches[NR_KMALLOC_CLASSES];
static struct kmem_cache cache_cache;
static LIST_HEAD(slab_caches);
static DEFINE_MUTEX(slab_mutex);
static bool available, merge;

/* Class of a size up to 192, in steps of 8: small sizes are asked for most. */
static u8 small_class[192 / 8];
#define CLASS_256	7

bool slab_is_available(void)
{
	return available;
}

/* ---- the registry ------------------------------------------------------------------------- */

/* Cache lines are 64 bytes; objects of half a line or less share one, but lie in one. */
static size_t real_align(size_t size, size_t align, slab_flags_t flags)
{
	size_t line = 64;

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = max(align, line);
	}
	return ALIGN(max(align, sizeof(long)), sizeof(long));
}

static int cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align,
		      slab_flags_t flags, void (*ctor)(void *))
{
	int err;

	memset(cache, 0, sizeof(*cache));
	cache->name = name;
	cache->object_size = kasan_cache_init(cache, size);
	cache->align = align;
	cache->flags = flags;
	cache->ctor = ctor;
	cache->users = 1;
	err = cache_setup(cache);
	if (!err)
		list_add_tail(&cache->node, &slab_caches);
	return err;
}

/* A cache whose objects can serve as those asked for, without wasting a word on each. */
static struct kmem_cache *find_mergeable(size_t size, size_t align, slab_flags_t flags,
					 void (*ctor)(void *))
{
	struct kmem_cache *cache;

	if (!merge || ctor || flags & (SLAB_NO_MERGE | SLAB_BACKEND_FLAGS))
		return NULL;
	list_for_each_entry(cache, &slab_caches, node) {
		if (cache->ctor || cache == &cache_cache ||
		    cache->flags & (SLAB_NO_MERGE | SLAB_BACKEND_FLAGS) ||
		    (cache->flags ^ flags) & SLAB_RECLAIM_ACCOUNT || cache->align % align)
			continue;
		if (cache->object_size >= size && cache->size - size < sizeof(long))
			return cache;
	}
	return NULL;
}

static struct kmem_cache *create_locked(const char *name, size_t size, size_t align,
					slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = find_mergeable(size, align, flags, ctor);

	if (cache) {
		cache->users++;
		return cache;
	}
	cache = kmem_cache_alloc(&cache_cache, GFP_KERNEL);
	if (cache && cache_init(cache, name, size, align, flags, ctor)) {
		kmem_cache_free(&cache_cache, cache);
		cache = NULL;
	}
	return cache;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = NULL;

	if (size && size <= KMALLOC_MAX_CACHE_SIZE && !(align & (align - 1)) && align <= PAGE_SIZE) {
		mutex_lock(&slab_mutex);
		cache = create_locked(name, size, real_align(size, align, flags), flags, ctor);
		mutex_unlock(&slab_mutex);
	}
	if (!cache && (flags & SLAB_PANIC))
		panic("slab: cannot create cache %s of %lu bytes", name, size);
	return cache;
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
	bool last;
	int err = 0;

	if (!cache)
		return 0;
	kasan_quarantine_flush(cache);
	mutex_lock(&slab_mutex);
	last = cache->users == 1;
	if (last)
		err = cache_release(cache);
	if (!err)
		cache->users--;
	if (!err && last)
		list_del(&cache->node);
	mutex_unlock(&slab_mutex);
	if (err)
		pr_err("slab: %s cannot be destroyed: it has objects\n", cache->name);
	else if (last)
		kmem_cache_free(&cache_cache, cache);
	return err;
}

int kmem_cache_shrink(struct kmem_cache *cache)
{
	kasan_quarantine_flush(cache);
	return cache_shrink(cache);
}

void kmem_cache_shrink_all(void)
{
	struct kmem_cache *cache;

	kasan_quarantine_flush(NULL);
	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, node)
		cache_shrink(cache);
	mutex_unlock(&slab_mutex);
}

unsigned long kmem_cache_reap(void)
{
	struct kmem_cache *cache;
	unsigned long pages = 0;

	kasan_quarantine_flush(NULL);
	if (!mutex_trylock(&slab_mutex))
		return 0;
	list_for_each_entry(cache, &slab_caches, node)
		pages += cache_reap(cache);
	mutex_unlock(&slab_mutex);
	return pages;
}

void for_each_kmem_cache(void (*fn)(struct kmem_cache *cache, void *data), void *data)
{
	struct kmem_cache *cache;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, node)
		fn(cache, data);
	mutex_unlock(&slab_mutex);
}

static int set_tunables(struct kmem_cache *cache, unsigned int limit, unsigned int batchcount,
			unsigned int shared)
{
	int err = cache_tune(cache, "limit", limit);

	if (!err)
		err = cache_tune(cache, "batchcount", batchcount);
	if (!err)
		err = cache_tune(cache, "shared", shared);
	return err == -ENOENT ? -EIO : err;
}

int kmem_cache_set_tunables(const char *name, unsigned int limit, unsigned int batchcount,
			    unsigned int shared)
{
	struct kmem_cache *cache;
	int err = -EINVAL;

	if (!limit || !batchcount || batchcount > limit)
		return -EINVAL;
	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, node) {
		if (!strcmp(cache->name, name)) {
			err = set_tunables(cache, limit, batchcount, shared);
			break;
		}
	}
	mutex_unlock(&slab_mutex);
	return err;
}

void kmem_cache_init(void)
{
	struct kmem_cache *cache;
	unsigned int class = 0;

	slab_span_init();
	/* What slub_debug= is to watch must not be hidden in another cache. */
	merge = cmdline_has("slab_merge") || (cache_merge_default && !cmdline_has("slab_nomerge") &&
					      !cmdline_has("slub_debug"));
	merge = merge && !IS_KASAN;	/* whose object was it? */
	if (cache_init(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), sizeof(long), 0, NULL))
		panic("slab: struct kmem_cache does not fit");
	for (unsigned int i = 0; i < NR_KMALLOC_CLASSES; i++) {
		const struct kmalloc_class *c = &kmalloc_classes[i];
		/* A power of two is aligned to itself, up to a page; others to 32. */
		size_t align = c->size & (c->size - 1) ? 32 : min(c->size, (unsigned int)PAGE_SIZE);

		if (c->size <= KMALLOC_MAX_CACHE_SIZE &&
		    cache_init(&kmalloc_caches[i], c->name, c->size, align, 0, NULL))
			panic("slab: cannot set up %s", c->name);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(small_class); i++) {
		if (8 * (i + 1) > kmalloc_classes[class].size)
			class++;
		small_class[i] = class;
	}
	kasan_slab_init();
	available = true;
	list_for_each_entry(cache, &slab_caches, node)
		if (cache_setup_late(cache))
			panic("slab: no memory for %s", cache->name);
}

/* ---- the pages of slabs ------------------------------------------------------------------- */

static enum vm_stat_item stat_item(const struct kmem_cache *cache)
{
	return cache->flags & SLAB_RECLAIM_ACCOUNT ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE;
}

struct page *slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order)
{
	/* Objects are zeroed one by one. */
	struct page *page = alloc_pages_node(nid, gfp & ~(__GFP_ZERO | __GFP_MOVABLE), order);

	if (!page)
		return NULL;
	for (struct page *p = page; p < page + (1UL << order); p++) {
		__SetPageSlab(p);
		p->slab_cache = cache;
	}
	mod_vm_stat(stat_item(cache), 1L << order);
	kasan_poison_slab(page, order);
	return page;
}

void slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order)
{
	for (struct page *p = page; p < page + (1UL << order); p++) {
		p->slab_cache = NULL;
		p->aux = 0;
		__ClearPageSlab(p);
	}
	page->aux = order;
	kasan_forget_slab(page, order);
	mod_vm_stat(stat_item(cache), -(1L << order));
	__free_pages(page, order);
}

/* ---- kmalloc ------------------------------------------------------------------------------ */

static unsigned int class_of(size_t size)
{
	unsigned int class = CLASS_256;

	if (size <= 192)
		return small_class[size ? (size - 1) / 8 : 0];
	while (kmalloc_classes[class].size < size)
		class++;
	return class;
}

static noinline void *kmalloc_large(size_t size, gfp_t gfp)
{
	unsigned int order = 0;
	void *block;

	while (order <= MAX_ORDER && (size_t)PAGE_SIZE << order < size)
		order++;
	block = __get_free_pages(gfp, order);
	if (block)
		mod_vm_stat(NR_SLAB_UNRECLAIMABLE, 1L << order);
	kasan_kmalloc_large(block, size, PAGE_SIZE << order);
	return block;
}

__frameless void *__kmalloc(size_t size, gfp_t gfp)
{
	struct kmem_cache *cache;
	void *object;

	if (unlikely(size > KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_large(size, gfp);
	cache = &kmalloc_caches[class_of(size)];
	object = kmem_cache_alloc(cache, gfp);
	kasan_kmalloc(cache, object, size);
	return object;
}

size_t ksize(const void *object)
{
	struct page *page = object ? object_page(object) : NULL;

	if (!page)
		return 0;
	return PageSlab(page) ? kasan_usable_size(page->slab_cache, cache_usable_size(
					page->slab_cache, page, object)) :
	       PageHead(page) ? (size_t)PAGE_SIZE << page->aux : 0;
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old = ksize(p);
	void *object;

	if (!size) {
		kfree(p);
		return NULL;
	}
	kasan_unpoison((void *)p, min(size, old));
	if (p && size <= old)
		return (void *)p;
	object = kmalloc(size, gfp);
	if (object && p) {
		memcpy(object, p, old);
		kfree(p);
	}
	return object;
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, gfp);
}

char *kstrdup(const char *s, gfp_t gfp)
{
	size_t size;
	char *copy;

	if (!s)
		return NULL;
	size = strlen(s) + 1;
	copy = kmalloc(size, gfp);
	return copy ? memcpy(copy, s, size) : NULL;
}
