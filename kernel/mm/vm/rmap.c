/*
 * Reverse mapping: from a page to the page-table entries that map it.
 *
 * Without it, whoever wants a page back (truncation, write-back, later reclaim) would have to
 * search every table of every process. Instead:
 *
 * - A file's page is mapped only in vmas on its address_space's i_mmap list, at
 *   vma->start + (page->index - vma->pgoff) * PAGE_SIZE.
 * - An anonymous page is mapped only in vmas on its anon_vma's list, at the same formula,
 * page->index
 *   being the linear index at which it was first mapped. fork gives the child's vma the parent's
 *   anon_vma, so a page that both share is found in both. A vma that moves (mremap) keeps its
 *   pgoff, a split adjusts it, so the formula stays true.
 *
 * The lists say where a page may be mapped; only the entry itself, looked at under that mm's
 * page_table_lock, says that it is. A walk holds the list's lock from end to end but only one
 * page_table_lock at a time, so an entry that is copied (fork) or moved (mremap) under its feet
 * must go forward: the vma that receives it was appended to the list after the one that gives.
 *
 * Whoever takes an entry away, or write access, flushes the TLBs before it lets go of
 * page_table_lock: what the lock's next holder reads from the entries is then the truth about the
 * hardware, too.
 *
 * A page with anonymous contents holds a reference on its anon_vma until the page is freed, so that
 * a walker who holds the page can always read page->mapping safely. (This is the shape Linux had
 * from 2.6.7 to 2.6.33: one list per family of forks. Long chains of forks make the list long; what
 * Linux did about that, anon_vma_chain, is worth reading after this.)
 *
 * A writable entry of a shared file page, or of an anonymous page in the swap cache, exists only
 * while the page is PG_dirty: add_to_swap() marks the page that enters the cache, and the fault that
 * makes the entry writable marks the page, and page_mkclean() write-protects before PG_dirty is
 * cleared. So no dirt is ever lost by dropping an entry.
 *
 * Only a referenced bit is cleared without that. The hardware sets it when it loads the entry into a TLB; a CPU
 * that has it there already uses the page on without a mark, so each page that is hot would look cold
 * the next time. But that is a hint lost, and nothing else: the entry stays what it was, and who
 * takes it away flushes as ever, whether it is marked or not. So the flush need only come before the page is
 * looked at again, which is a round of its list later; and as one shootdown costs as much for
 * all pages as for one, page_referenced() notes the CPUs concerned, and once there are YOUNG_BATCH pages
 * they forget all user translations. Reclaim does the same when it ends, or the last few would
 * be used without a mark for who knows how long.
 *
 * Locks: the list's lock (i_mmap_lock or anon_vma->lock), then page_table_lock. Both spin.
 */
#include "mm/vm/mm.h"
#include "mm/vm/swapmap.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/errno.h"

static struct kmem_cache *anon_vma_cache;

static struct anon_vma *page_anon_vma(const struct page *page)
{
	return (struct anon_vma *)((unsigned long)page->mapping & ~1UL);
}

/* page_free_hook: the last reference to any page went. */
static void anon_page_freed(struct page *page)
{
	struct anon_vma *anon_vma;

	if (!page_is_anon(page))
		return;
	anon_vma = page_anon_vma(page);
	page->mapping = NULL;
	__ClearPageSwapBacked(page);
	if (atomic_dec_and_test(&anon_vma->refs))
		kmem_cache_free(anon_vma_cache, anon_vma);
}

/* As it is when the last reference goes: no vma on the list, and so nobody at the lock. */
static void anon_vma_ctor(void *object)
{
	struct anon_vma *anon_vma = object;

	spin_lock_init(&anon_vma->lock);
	INIT_LIST_HEAD(&anon_vma->vmas);
}

static int rmap_init(void)
{
	anon_vma_cache = kmem_cache_create("anon_vma", sizeof(struct anon_vma), 8,
					   SLAB_PANIC | SLAB_NO_MERGE, anon_vma_ctor);
	page_free_hook = anon_page_freed;
	return 0;
}
core_initcall(rmap_init);

int anon_vma_prepare(struct vma *vma)
{
	struct anon_vma *anon_vma;

	if (vma->anon_vma)
		return 0;
	anon_vma = kmem_cache_alloc(anon_vma_cache, GFP_KERNEL);
	if (!anon_vma)
		return -ENOMEM;
	atomic_set(&anon_vma->refs, 1);
	list_add(&vma->anon_link, &anon_vma->vmas);
	vma->anon_vma = anon_vma;
	return 0;
}

static pgoff_t linear_index(const struct vma *vma, unsigned long addr)
{
	return vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
}

void page_set_anon_rmap(struct page *page, struct vma *vma, unsigned long addr)
{
	atomic_inc(&vma->anon_vma->refs);
	page->mapping = (struct address_space *)((unsigned long)vma->anon_vma | 1);
	page->index = linear_index(vma, addr);
	__SetPageSwapBacked(page);
}

void page_add_new_anon_rmap(struct page *page, struct vma *vma, unsigned long addr)
{
	page_set_anon_rmap(page, vma, addr);
	atomic_set(&page->_mapcount, 0);
	inc_vm_stat(NR_ANON_MAPPED);
}

void page_add_anon_rmap(struct page *page, struct vma *vma, unsigned long addr)
{
	(void)vma;
	(void)addr;
	if (atomic_inc_return(&page->_mapcount) == 0)
		inc_vm_stat(NR_ANON_MAPPED);
}

void page_add_file_rmap(struct page *page)
{
	if (atomic_inc_return(&page->_mapcount) == 0)
		inc_vm_stat(NR_FILE_MAPPED);
}

void page_remove_rmap(struct page *page)
{
	int left = atomic_dec_return(&page->_mapcount);

	BUG_ON(left < -1);
	if (left == -1)
		dec_vm_stat(page_is_anon(page) ? NR_ANON_MAPPED : NR_FILE_MAPPED);
}

/* Address of @page in @vma by the formula, or -1UL when it lies outside. */
static unsigned long page_address_in_vma(const struct page *page, const struct vma *vma)
{
	unsigned long pages = (vma->end - vma->start) >> PAGE_SHIFT;

	if (page->index - vma->pgoff >= pages)	/* unsigned: also when it is smaller */
		return -1UL;
	return vma->start + ((page->index - vma->pgoff) << PAGE_SHIFT);
}

void rmap_walk(struct page *page, bool (*fn)(struct page *, struct vma *, unsigned long, void *),
	       void *arg)
{
	unsigned long addr;
	struct vma *vma;

	if (page_is_anon(page)) {
		struct anon_vma *anon_vma = page_anon_vma(page);

		spin_lock(&anon_vma->lock);
		list_for_each_entry(vma, &anon_vma->vmas, anon_link) {
			addr = page_address_in_vma(page, vma);
			if (addr != -1UL && !fn(page, vma, addr, arg))
				break;
		}
		spin_unlock(&anon_vma->lock);
	} else if (page->mapping) {
		struct address_space *mapping = page->mapping;

		spin_lock(&mapping->i_mmap_lock);
		list_for_each_entry(vma, &mapping->i_mmap, shared_link) {
			addr = page_address_in_vma(page, vma);
			if (addr != -1UL && !fn(page, vma, addr, arg))
				break;
		}
		spin_unlock(&mapping->i_mmap_lock);
	}
}

/* The entry that maps @page at @addr, with page_table_lock taken; or NULL, not taken. */
static pte_t *lock_mapping_pte(struct page *page, struct vma *vma, unsigned long addr)
{
	struct mm *mm = vma->mm;
	pte_t *slot;

	spin_lock(&mm->page_table_lock);
	slot = user_pte_find(mm, addr, NULL);
	if (slot && pte_present(*slot) && pte_pfn(*slot) == page_to_pfn(page))
		return slot;
	spin_unlock(&mm->page_table_lock);
	return NULL;
}

static bool unmap_one(struct page *page, struct vma *vma, unsigned long addr, void *arg)
{
	struct mm *mm = vma->mm;
	pte_t *slot = lock_mapping_pte(page, vma, addr), pte = { 0 };

	(void)arg;
	if (!slot)
		return true;
	if (page_is_anon(page)) {	/* the entry goes where the frame's number was */
		if (swap_duplicate((swp_entry_t){ page->private })) {
			spin_unlock(&mm->page_table_lock);
			return false;
		}
		pte = pte_swap(page->private);
		atomic_inc(&mm->swapents);
	}
	set_pte(slot, pte);
	arch_flush_tlb_range(&mm->ctx, addr, addr + PAGE_SIZE);
	atomic_dec(page_is_anon(page) ? &mm->rss_anon : &mm->rss_file);
	page_remove_rmap(page);
	put_page(page);			/* the caller holds another */
	spin_unlock(&mm->page_table_lock);
	return page_mapped(page);
}

/* An anonymous page outside of the swap cache has nowhere to go. */
bool try_to_unmap(struct page *page)
{
	if (page_mapped(page) && (!page_is_anon(page) || PageSwapCache(page)))
		rmap_walk(page, unmap_one, NULL);
	return !page_mapped(page);
}

static bool clean_one(struct page *page, struct vma *vma, unsigned long addr, void *arg)
{
	pte_t *slot;

	if (!(vma->flags & VM_SHARED))
		return true;
	slot = lock_mapping_pte(page, vma, addr);
	if (!slot)
		return true;
	if (pte_write(*slot)) {
		set_pte(slot, pte_mkclean(pte_wrprotect(*slot)));
		arch_flush_tlb_range(&vma->mm->ctx, addr, addr + PAGE_SIZE);
		*(bool *)arg = true;
	}
	spin_unlock(&vma->mm->page_table_lock);
	return true;
}

bool page_mkclean(struct page *page)
{
	bool was_writable = false;

	if (page_mapped(page))
		rmap_walk(page, clean_one, &was_writable);
	return was_writable;
}

/* ---- referenced bits ------------------------------------------------------------------------ */

#define YOUNG_BATCH	32		/* pages looked at for each flush: as many as reclaim isolates at a time */

/* Whose referenced bits were cleared since the last flush. Atomic: CPUs add before they count, and who
 * counts to the end takes what is there. */
static unsigned long young_cpus;
static unsigned int young_pages;

static bool referenced_one(struct page *page, struct vma *vma, unsigned long addr, void *arg)
{
	pte_t *slot = lock_mapping_pte(page, vma, addr);

	if (!slot)
		return true;
	if (pte_young(*slot)) {
		set_pte(slot, pte_mkold(*slot));
		__atomic_fetch_or(&young_cpus, arch_tlb_users(&vma->mm->ctx), __ATOMIC_RELAXED);
		++*(int *)arg;
	}
	spin_unlock(&vma->mm->page_table_lock);
	return true;
}

void page_referenced_flush(void)
{
	unsigned long cpus = xchg(&young_cpus, 0);

	WRITE_ONCE(young_pages, 0);
	if (cpus)
		arch_flush_tlb_user(cpus);
}

int page_referenced(struct page *page)
{
	int referenced = 0;

	if (page_mapped(page))
		rmap_walk(page, referenced_one, &referenced);
	if (referenced && __atomic_add_fetch(&young_pages, 1, __ATOMIC_RELAXED) >= YOUNG_BATCH)
		page_referenced_flush();
	return referenced;
}
