/*
 * Small objects, the part above the backends: the registry of caches, the kmalloc classes, and the
 * checks that every free passes.
 *
 * A cache hands out objects of one size. kmalloc() is a row of caches of rising sizes; kfree()
 * finds the cache of an object through its page, so nobody has to remember sizes. What is larger
 * than the largest class is a block of pages, and its page is not PG_slab.
 *
 * The caches of caches and of kmalloc are static, since the first cache cannot come from one.
 *
 * Locks: slab_mutex guards the list of caches; nothing here is held while a backend allocates.
 */
#include "mm/slab/backend.h"
#include "mm/slab/kasan_slab.h"
#include "mm/phys/vmstat.h"
#include "sched/mutex.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

/* The sizes between powers of two are there because much in a kernel is a little over 64 or 128. */
static const struct kmalloc_class {
	unsigned int size;
	const char *name;
} kmalloc_classes[] = {
	{ 8, "kmalloc-8" }, { 16, "kmalloc-16" }, { 32, "kmalloc-32" }, { 64, "kmalloc-64" },
	{ 96, "kmalloc-96" }, { 128, "kmalloc-128" }, { 192, "kmalloc-192" },
	{ 256, "kmalloc-256" }, { 512, "kmalloc-512" }, { 1024, "kmalloc-1024" },
	{ 2048, "kmalloc-2048" }, { 4096, "kmalloc-4096" },
};
#define NR_CLASSES	ARRAY_SIZE(kmalloc_classes)

static struct kmem_cache kmalloc_caches[NR_CLASSES];
static struct kmem_cache cache_cache;
static LIST_HEAD(slab_caches);
static DEFINE_MUTEX(slab_mutex);

/* Class of a size up to 192, in steps of 8: small sizes are asked for most. */
static u8 small_class[192 / 8];
#define CLASS_256	7

static unsigned int class_of(size_t size)
{
	unsigned int class = CLASS_256;

	if (size <= 192)
		return small_class[size ? (size - 1) / 8 : 0];
	while (kmalloc_classes[class].size < size)
		class++;
	return class;
}

/* ---- the registry ------------------------------------------------------------------------- */

static int cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align,
		      slab_flags_t flags, void (*ctor)(void *))
{
	int err;

	memset(cache, 0, sizeof(*cache));
	cache->name = name;
	cache->object_size = size;
	cache->align = max(align, sizeof(long));
	if (flags & SLAB_HWCACHE_ALIGN)
		cache->align = max(cache->align, size > 32 ? 64U : 32U);
	cache->flags = flags;
	cache->ctor = ctor;
	err = cache_setup(cache);
	if (err)
		return err;

	mutex_lock(&slab_mutex);
	list_add_tail(&cache->node, &slab_caches);
	mutex_unlock(&slab_mutex);
	return 0;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = NULL;

	if (size && size <= KMALLOC_MAX_CACHE_SIZE && !(align & (align - 1)) && align <= PAGE_SIZE)
		cache = kmem_cache_alloc(&cache_cache, GFP_KERNEL);
	if (cache && cache_init(cache, name, size, align, flags, ctor)) {
		kmem_cache_free(&cache_cache, cache);
		cache = NULL;
	}
	if (!cache && (flags & SLAB_PANIC))
		panic("slab: cannot create cache %s of %lu bytes", name, size);
	return cache;
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
	int err;

	if (!cache)
		return 0;
	kasan_quarantine_flush(cache);
	mutex_lock(&slab_mutex);
	err = cache_release(cache);
	if (!err)
		list_del(&cache->node);
	mutex_unlock(&slab_mutex);
	if (err)
		pr_err("slab: %s cannot be destroyed: it has objects\n", cache->name);
	else
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

void for_each_kmem_cache(void (*fn)(struct kmem_cache *cache, void *data), void *data)
{
	struct kmem_cache *cache;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, node)
		fn(cache, data);
	mutex_unlock(&slab_mutex);
}

int cache_stat_item(const struct kmem_cache *cache)
{
	return cache->flags & SLAB_RECLAIM_ACCOUNT ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE;
}

void kmem_cache_init(void)
{
	unsigned int class = 0;

	if (cache_init(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 0, 0, NULL))
		panic("slab: struct kmem_cache does not fit");
	for (unsigned int i = 0; i < NR_CLASSES; i++) {
		const struct kmalloc_class *c = &kmalloc_classes[i];
		/* A power of two is aligned to itself, others to 32. */
		size_t align = c->size & (c->size - 1) ? 32 : c->size;

		if (cache_init(&kmalloc_caches[i], c->name, c->size, align, 0, NULL))
			panic("slab: cannot set up %s", c->name);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(small_class); i++) {
		if (8 * (i + 1) > kmalloc_classes[class].size)
			class++;
		small_class[i] = class;
	}
	kasan_slab_init();
}

/* ---- objects of a cache ------------------------------------------------------------------- */

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	void *object = cache_alloc(cache, gfp, nid);

	kasan_slab_alloc(cache, object, cache->object_size);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc_node(cache, gfp, cpu_node[smp_processor_id()]);
}

struct page *object_page(const void *object)
{
	return virt_to_page(object);
}

static void bad_free(const char *what, const void *object)
{
	pr_err("slab: free of %p, %s\n", object, what);
	dump_stack();
}

/* The page of @object if that lies in RAM; else NULL, reported. */
static struct page *page_to_free(const void *object)
{
	unsigned long addr = (unsigned long)object;

	if (addr < (unsigned long)__va(0) || !pfn_valid(PFN_DOWN(__pa(object)))) {
		bad_free("which is no address of kernel memory", object);
		return NULL;
	}
	return object_page(object);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct page *page;

	if (!object)
		return;
	page = page_to_free(object);
	if (!page)
		return;
	if (unlikely(!PageSlab(page) || page->slab_cache != cache)) {
		bad_free(PageSlab(page) ? "an object of another cache" :
			 "which is not an object (double free?)", object);
		return;
	}
	if (!kasan_slab_free(cache, page, object))
		cache_free(cache, page, object);
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	return cache_alloc_bulk(cache, gfp, n, objects);
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	cache_free_bulk(cache, n, objects);
}

/* ---- kmalloc ------------------------------------------------------------------------------ */

static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while (order <= MAX_ORDER && (size_t)PAGE_SIZE << order < size)
		order++;
	return order;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	unsigned int order;
	void *p;

	if (likely(size <= KMALLOC_MAX_CACHE_SIZE)) {
		struct kmem_cache *cache = &kmalloc_caches[class_of(size)];

		p = cache_alloc(cache, gfp, cpu_node[smp_processor_id()]);
		kasan_slab_alloc(cache, p, size);
		return p;
	}
	order = order_of(size);
	p = __get_free_pages(gfp, order);
	kasan_kmalloc_large(p, size, PAGE_SIZE << order);
	return p;
}

void kfree(const void *object)
{
	struct page *page;

	if (!object)
		return;
	page = page_to_free(object);
	if (!page)
		return;
	if (likely(PageSlab(page))) {
		if (!kasan_slab_free(page->slab_cache, page, (void *)object))
			cache_free(page->slab_cache, page, (void *)object);
	} else if (PageHead(page) && !((unsigned long)object & ~PAGE_MASK))
		put_page(page);
	else
		bad_free("which kmalloc did not make (double free?)", object);
}

size_t ksize(const void *object)
{
	struct page *page;

	if (!object)
		return 0;
	page = object_page(object);
	return PageSlab(page) ? page->slab_cache->object_size :
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
	if (p && size <= old) {
		kasan_unpoison_object((void *)p, size);
		return (void *)p;
	}
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
