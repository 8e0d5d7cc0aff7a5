/*
 * vmalloc: memory that is contiguous in kernel addresses only, and device registers.
 *
 * Areas. The vmalloc area is handed out in ranges of pages, kept in a tree by address. An area
 * takes one page more than is mapped, at its end; with the one in front, every mapping has an
 * unmapped page on both sides. So a kernel stack that overflows faults instead of writing into its
 * neighbour.
 *
 * Finding room is first fit from the lowest address. Low addresses are used again and again and the
 * tables below them stay few, where a search that moves on would fill the whole area with tables in
 * time. The search is short because of what it remembers: no hole of hole_pages pages or more ends
 * below free_from.
 *
 * Freeing is lazy where it costs. The mapping is taken out and the pages are freed at once, but
 * stale translations may be left in some TLB. They harm nobody until the *addresses* are used
 * again. So a freed area stays in the tree, on the lazy list, until enough have gathered to pay for
 * one flush of all CPUs; only then may its addresses be found by the search.
 *
 * Locks: vmap_lock guards the tree, the lists and the kernel's page tables. It is not taken in
 * interrupts; inside it only zone->lock is taken, for tables. It is not held during a flush, which
 * may take long: the areas of a purge are in the tree, but on nobody's list but the purger's.
 */
#include "mm/vm/vmalloc.h"
#include "mm/vm/pgtable.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "base/panic.h"
#include "debug/kasan.h"
#include "lib/rbtree.h"

#define LAZY_PAGES_MAX	128	/* 25 kernel stacks */
#define NR_EARLY_AREAS	8
#define EAGER_TABLES	8	/* 100 stacks each */

struct vmap_area {
	unsigned long start;
	unsigned long pages;		/* mapped ones; one more is taken */
	struct rb_node node;
	struct list_head lazy;
	bool owns_pages;		/* vmalloc, not ioremap */
	bool dying;			/* being freed; set under vmap_lock */
};

static DEFINE_SPINLOCK(vmap_lock);
static struct rb_root areas;
static LIST_HEAD(lazy_areas);
static unsigned long lazy_pages;
static unsigned long free_from = VMALLOC_START, hole_pages = 1;

static struct kmem_cache *area_cache;
static struct vmap_area early_areas[NR_EARLY_AREAS];
static unsigned int nr_early_areas;

/* ---- areas -------------------------------------------------------------------------------- */

static unsigned long area_end(const struct vmap_area *area)
{
	return area->start + (area->pages + 1) * PAGE_SIZE;
}

/* Before there is a page allocator, areas come from a small array and are never freed. */
static struct vmap_area *area_alloc(gfp_t gfp)
{
	struct vmap_area *area = NULL;

	if (area_cache)
		return kmem_cache_zalloc(area_cache, gfp);
	spin_lock(&vmap_lock);
	if (nr_early_areas < NR_EARLY_AREAS)
		area = &early_areas[nr_early_areas++];
	spin_unlock(&vmap_lock);
	return area;
}

static void area_free(struct vmap_area *area)
{
	if (area < early_areas || area >= early_areas + NR_EARLY_AREAS)
		kmem_cache_free(area_cache, area);
}

/* The area with the lowest start that ends above @addr; under vmap_lock. */
static struct vmap_area *area_above(unsigned long addr)
{
	struct rb_node *node = areas.rb_node;
	struct vmap_area *best = NULL;

	while (node) {
		struct vmap_area *area = rb_entry(node, struct vmap_area, node);

		if (area_end(area) > addr) {
			best = area;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static void area_insert(struct vmap_area *area)
{
	struct rb_node **link = &areas.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = area->start < rb_entry(parent, struct vmap_area, node)->start ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&area->node, parent, link);
	rb_insert_color(&area->node, &areas);
}

/*
 * Finds the first hole for area->pages and one guard page, and puts the area there; false: there is
 * none. The first page of the whole area is left out, as the guard in front of the first area.
 * Under vmap_lock.
 */
static bool area_place(struct vmap_area *area)
{
	unsigned long need = (area->pages + 1) * PAGE_SIZE, addr;
	struct vmap_area *next;

	if (area->pages < hole_pages)
		free_from = VMALLOC_START + PAGE_SIZE;
	hole_pages = area->pages;

	addr = max(free_from, VMALLOC_START + (unsigned long)PAGE_SIZE);
	for (next = area_above(addr); next;
	     next = rb_entry_safe(rb_next(&next->node), struct vmap_area, node)) {
		if (next->start >= addr && next->start - addr >= need)
			break;
		addr = area_end(next);
	}
	if (need > VMALLOC_END - addr)
		return false;
	area->start = addr;
	area_insert(area);
	free_from = area_end(area);
	return true;
}

/* ---- the tables --------------------------------------------------------------------------- */

/* Under vmap_lock, so it cannot wait for memory. */
static phys_addr_t kernel_table(void)
{
	struct page *page;

	if (!totalram_pages())		/* before mem_init() */
		return __pa(memblock_alloc(PAGE_SIZE, PAGE_SIZE));
	page = alloc_page(GFP_ATOMIC | __GFP_ZERO);
	if (!page)
		return 0;
	inc_vm_stat(NR_PAGETABLE);
	return page_to_phys(page);
}

void vmalloc_init(void)
{
	area_cache = KMEM_CACHE(vmap_area, SLAB_PANIC | SLAB_NO_MERGE);
	/* Tables are never freed. Those for the first few hundred stacks exist from the start,
	 * so that free memory after a crowd of processes is the same as before it. */
	spin_lock(&vmap_lock);
	for (unsigned long i = 0; i < EAGER_TABLES; i++)
		pgtable_walk(kernel_root, VMALLOC_START + i * PMD_SIZE, 0, kernel_table, NULL);
	spin_unlock(&vmap_lock);
	kasan_vmalloc(VMALLOC_START, EAGER_TABLES * PMD_SIZE);	/* likewise */
}

/* Takes the mapping out and gives the pages back, if they are ours. */
static void unmap_area(struct vmap_area *area)
{
	for (unsigned long i = 0; i < area->pages; i++) {
		unsigned long va = area->start + i * PAGE_SIZE;
		pte_t *slot, pte = { 0 };

		spin_lock(&vmap_lock);
		slot = pgtable_walk(kernel_root, va, 0, NULL, NULL);
		if (slot) {
			pte = *slot;
			set_pte(slot, (pte_t){ 0 });
		}
		spin_unlock(&vmap_lock);
		if (!slot || pte_none(pte) || !area->owns_pages)
			continue;
		__free_page(pfn_to_page(pte_pfn(pte)));
		dec_vm_stat(NR_VMALLOC);
	}
}

/* ---- purging ------------------------------------------------------------------------------ */

/* One flush for all areas on the lazy list; their addresses are free afterwards. */
static void purge_lazy(void)
{
	unsigned long start = ~0UL, end = 0;
	struct vmap_area *area, *tmp;
	LIST_HEAD(purge);

	spin_lock(&vmap_lock);
	list_splice_init(&lazy_areas, &purge);
	lazy_pages = 0;
	spin_unlock(&vmap_lock);
	if (list_empty(&purge))
		return;

	list_for_each_entry(area, &purge, lazy) {
		start = min(start, area->start);
		end = max(end, area_end(area));
	}
	arch_flush_tlb_kernel(start, end);

	spin_lock(&vmap_lock);
	list_for_each_entry(area, &purge, lazy)
		rb_erase(&area->node, &areas);
	free_from = min(free_from, start);
	spin_unlock(&vmap_lock);

	list_for_each_entry_safe(area, tmp, &purge, lazy)
		area_free(area);
}

void vm_unmap_aliases(void)
{
	purge_lazy();
}

/* Unmaps an area and puts it on the lazy list. */
static void area_release(struct vmap_area *area)
{
	bool enough;

	unmap_area(area);
	spin_lock(&vmap_lock);
	list_add_tail(&area->lazy, &lazy_areas);
	lazy_pages += area->pages + 1;
	enough = lazy_pages >= LAZY_PAGES_MAX;
	spin_unlock(&vmap_lock);
	if (enough)
		purge_lazy();
}

/* An area of @pages with a place of its own, nothing mapped; NULL: no memory or no room. */
static struct vmap_area *area_get(unsigned long pages, gfp_t gfp, bool owns_pages)
{
	struct vmap_area *area = area_alloc(gfp & ~__GFP_ZERO);
	bool placed;

	if (!area)
		return NULL;
	area->pages = pages;
	area->owns_pages = owns_pages;
	for (int try = 0; try < 2; try++) {
		spin_lock(&vmap_lock);
		placed = area_place(area);
		spin_unlock(&vmap_lock);
		if (placed && !kasan_vmalloc(area->start, (area->pages + 1) * PAGE_SIZE))
			return area;
		if (placed) {
			area_release(area);
			return NULL;
		}
		purge_lazy();
	}
	area_free(area);
	return NULL;
}

/* The area that starts at @addr, which nobody else will find now; NULL if there is none. */
static struct vmap_area *area_take(const void *addr, bool owns_pages)
{
	struct vmap_area *area;

	spin_lock(&vmap_lock);
	area = area_above((unsigned long)addr);
	if (area && (area->start != (unsigned long)addr || area->owns_pages != owns_pages ||
		     area->dying))
		area = NULL;
	if (area)
		area->dying = true;
	spin_unlock(&vmap_lock);
	return area;
}

/* ---- the interface ------------------------------------------------------------------------ */

/* Allocates and maps page @i of @area: 0 or -1. */
static int map_new_page(struct vmap_area *area, unsigned long i, gfp_t gfp)
{
	struct page *page = alloc_page(gfp);
	pte_t *slot;

	if (!page)
		return -1;
	spin_lock(&vmap_lock);
	slot = pgtable_walk(kernel_root, area->start + i * PAGE_SIZE, 0, kernel_table, NULL);
	if (slot)
		set_pte(slot, pte_leaf(page_to_pfn(page), PTE_KERNEL_RW, 0));
	spin_unlock(&vmap_lock);
	if (!slot) {
		__free_page(page);
		return -1;
	}
	inc_vm_stat(NR_VMALLOC);
	return 0;
}

void *vmalloc(size_t size, gfp_t gfp)
{
	unsigned long pages = size / PAGE_SIZE + !!(size % PAGE_SIZE);
	struct vmap_area *area;

	if (!pages || pages > totalram_pages())
		return NULL;
	area = area_get(pages, gfp, true);
	if (!area)
		return NULL;
	for (unsigned long i = 0; i < pages; i++) {
		if (map_new_page(area, i, gfp)) {
			area_release(area);
			return NULL;
		}
	}
	return (void *)area->start;
}

void vfree(void *addr)
{
	struct vmap_area *area;

	if (!addr)
		return;
	area = area_take(addr, true);
	if (WARN_ON(!area))
		return;
	area_release(area);
}

struct page *vmalloc_to_page(const void *addr)
{
	struct page *page = NULL;
	pte_t *slot;

	spin_lock(&vmap_lock);
	slot = pgtable_walk(kernel_root, (unsigned long)addr, 0, NULL, NULL);
	if (slot && pte_present(*slot))
		page = pfn_to_page(pte_pfn(*slot));
	spin_unlock(&vmap_lock);
	return page;
}

void *ioremap(phys_addr_t pa, size_t size)
{
	phys_addr_t base = pa & PAGE_MASK;
	struct vmap_area *area;
	int err;

	if (!size || pa + size < pa || size > VMALLOC_END - VMALLOC_START)
		return NULL;
	area = area_get((PAGE_ALIGN(pa + size) - base) / PAGE_SIZE, GFP_KERNEL, false);
	if (!area)
		return NULL;
	spin_lock(&vmap_lock);
	err = pgtable_map(kernel_root, area->start, base, area->pages * PAGE_SIZE,
			  PTE_KERNEL_RW | PTE_DEVICE, 0, kernel_table);
	spin_unlock(&vmap_lock);
	if (err) {
		area_release(area);
		return NULL;
	}
	return (void *)(area->start + (pa & ~PAGE_MASK));
}

void iounmap(void *addr)
{
	struct vmap_area *area;

	if (!addr)
		return;
	area = area_take((void *)((unsigned long)addr & PAGE_MASK), false);
	if (!WARN_ON(!area))
		area_release(area);
}
