/*
 * From an object to its cache: kfree(), kmem_cache_free(), and what is asked of every free before
 * the backend sees it.
 *
 * Nobody remembers where an object came from. Its address leads to its page, by arithmetic, and the
 * page says whose it is. A pointer that leads nowhere, or to a page that is not a slab's, is
 * refused with a report; what can only be known by who laid out the slab, whether an object begins
 * there and is in use, the backend refuses.
 *
 * These functions are on every path, so they have no frames and end in tail calls.
 */
#include "mm/slab/backend.h"
#include "mm/phys/vmstat.h"
#include "base/panic.h"

/* SLUB has both in its own file, with its most frequent case in front; KASAN asks first (kasan_slab.c). */
#if !defined(CONFIG_SLAB_SLUB) && !defined(CONFIG_KASAN)
#define kmem_cache_free_rest	kmem_cache_free
#define kfree_rest		kfree
#endif

struct slab_span slab_span;

struct page *object_page(const void *object)
{
	unsigned long addr = (unsigned long)object;

	if (in_slab_span(object))
		return slab_span_page(object);
	if (addr < (unsigned long)__va(0) || !pfn_valid(PFN_DOWN(__pa(object))))
		return NULL;
	return virt_to_page(object);
}

void slab_bug(const struct kmem_cache *cache, const void *object, const char *what)
{
	pr_err("BUG: slab %s: %p: %s\n", cache ? cache->name : "(no cache)", object, what);
	dump_stack();
}

/* It lies outside of the stretch, or its page is another's. */
static noinline void cache_free_rare(struct kmem_cache *cache, void *object)
{
	struct page *page = object_page(object);

	if (page && page_is_of_cache(page, cache))
		cache_free(cache, page, object);
	else if (page)
		slab_bug(cache, object, PageSlab(page) ? "free of an object of another cache" :
			 "free of what is not an object (double free?)");
	else if (object)
		slab_bug(cache, object, "free of what is no address of kernel memory");
}

__frameless void kmem_cache_free_rest(struct kmem_cache *cache, void *object)
{
	struct page *page = slab_span_page(object);

	if (in_slab_span(object) && likely(page_is_of_cache(page, cache)))
		cache_free(cache, page, object);
	else
		cache_free_rare(cache, object);
}

/* The same, or a block of pages. */
static noinline void kfree_rare(void *object)
{
	struct page *page = object_page(object);

	if (page && PageSlab(page)) {
		cache_free(page->slab_cache, page, object);
	} else if (page && PageHead(page) && !((unsigned long)object & ~PAGE_MASK)) {
		mod_vm_stat(NR_SLAB_UNRECLAIMABLE, -(1L << page->aux));
		put_page(page);
	} else if (object) {
		slab_bug(NULL, object, page ? "free of what kmalloc did not make (double free?)" :
			 "free of what is no address of kernel memory");
	}
}

__frameless void kfree_rest(const void *object)
{
	struct page *page = slab_span_page(object);

	if (in_slab_span(object) && likely(page->flags & BIT(PG_slab)))
		cache_free(page->slab_cache, page, (void *)object);
	else
		kfree_rare((void *)object);
}

/* ---- at boot ------------------------------------------------------------------------------ */

void slab_span_init(void)
{
	pfn_t first = 0;
	unsigned long pages = sections_longest_run(&first);

	slab_span.start = (unsigned long)__va(PFN_PHYS(first));
	slab_span.pages = pfn_to_page(first);
	slab_span.size = pages << PAGE_SHIFT;
}
