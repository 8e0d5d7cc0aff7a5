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
#include "mm/phys/memblock.h"
#include "mm/phys/vmstat.h"
#include "base/panic.h"

struct slab_span slab_span;

struct page *object_page_slow(const void *object)
{
	unsigned long addr = (unsigned long)object;

	if (addr < (unsigned long)__va(0) || !pfn_valid(PFN_DOWN(__pa(object))))
		return NULL;
	return virt_to_page(object);
}

void slab_bug(const struct kmem_cache *cache, const void *object, const char *what)
{
	pr_err("BUG: slab %s: %p: %s\n", cache ? cache->name : "(no cache)", object, what);
	dump_stack();
}

noinline void refuse_free(const struct kmem_cache *cache, const void *object)
{
	struct page *page = object_page(object);

	if (!page)
		slab_bug(cache, object, "free of what is no address of kernel memory");
	else if (!PageSlab(page))
		slab_bug(cache, object, "free of what is not an object (double free?)");
	else
		slab_bug(cache, object, "free of an object of another cache");
}

__frameless void kmem_cache_free_rest(struct kmem_cache *cache, void *object)
{
	struct page *page = object_page(object);

	if (likely(page_is_of_cache(page, cache)))
		cache_free(cache, page, object);
	else if (object)
		refuse_free(cache, object);
}

/* A block of pages, or nothing that kmalloc made. */
static noinline void kfree_large(struct page *page, const void *object)
{
	if (!page || !PageHead(page) || PageReserved(page) || (unsigned long)object & ~PAGE_MASK) {
		slab_bug(NULL, object, !page ? "free of what is no address of kernel memory" :
			 "free of what kmalloc did not make (double free?)");
		return;
	}
	mod_vm_stat(NR_SLAB_UNRECLAIMABLE, -(1L << page->aux));
	put_page(page);
}

__frameless void kfree_rest(const void *object)
{
	struct page *page = object_page(object);

	if (likely(page && PageSlab(page)))
		cache_free(page->slab_cache, page, (void *)object);
	else if (object)
		kfree_large(page, object);
}

/* SLUB has its own, with the fast path of the free in them; KASAN asks first (kasan_slab.c). */
#if !defined(CONFIG_SLAB_SLUB) && !defined(CONFIG_KASAN)
__frameless void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	kmem_cache_free_rest(cache, object);
}

__frameless void kfree(const void *object)
{
	kfree_rest(object);
}
#endif

/* ---- at boot ------------------------------------------------------------------------------ */

void slab_span_init(void)
{
	pfn_t end = ALIGN(PFN_UP(memblock_end_of_DRAM()), PAGES_PER_SECTION);
	unsigned long best = 0, length = 0;
	pfn_t first = 0;

	for (pfn_t pfn = 0; pfn < end; pfn += PAGES_PER_SECTION) {
		length = pfn_valid(pfn) ? length + PAGES_PER_SECTION : 0;
		if (length > best) {
			best = length;
			first = pfn + PAGES_PER_SECTION - length;
		}
	}
	slab_span.start = (unsigned long)__va(PFN_PHYS(first));
	slab_span.pages = pfn_to_page(first);
	slab_span.size = best << PAGE_SHIFT;
}
