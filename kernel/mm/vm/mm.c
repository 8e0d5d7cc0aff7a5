/*
 * The life of an address space: made empty, copied by fork, torn down by the last user. And the
 * one way in which mapped pages leave it: zap_range().
 */
#include "mm/vm/mm.h"
#include "mm/vm/commit.h"
#include "mm/vm/swapmap.h"
#include "mm/vm/vmalloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/errno.h"

static struct kmem_cache *mm_cache;

static int mm_cache_init(void)
{
	mm_cache = kmem_cache_create("mm_struct", sizeof(struct mm), 64, SLAB_PANIC, NULL);
	return 0;
}
core_initcall(mm_cache_init);

struct mm *mm_alloc(void)
{
	struct mm *mm = kmem_cache_zalloc(mm_cache, GFP_KERNEL);
	struct page *root;

	if (!mm)
		return NULL;
	root = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!root) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	inc_vm_stat(NR_PAGETABLE);
	arch_root_init(page_address(root));
	mm->ctx.root = page_to_phys(root);
	mutex_init(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	INIT_LIST_HEAD(&mm->vmas);
	atomic_set(&mm->users, 1);
	atomic_set(&mm->pgtables, 1);
	mm->mmap_base = task_size - 128UL * 1024 * 1024;
	mm->stack_limit = 8UL << 20;
	mm->data_limit = ~0UL;
	mm->as_limit = ~0UL;
	return mm;
}

#define ZAP_BATCH	64

/* The pages just taken out of the tables are no longer mapped; page_table_lock held. */
static void account_zapped(struct mm *mm, struct page **pages, unsigned int n)
{
	unsigned int anon = 0;

	for (unsigned int i = 0; i < n; i++) {
		anon += page_is_anon(pages[i]);
		page_remove_rmap(pages[i]);
	}
	atomic_sub(anon, &mm->rss_anon);
	atomic_sub(n - anon, &mm->rss_file);
}

/*
 * Clears up to ZAP_BATCH entries from *addr on; the pages, whose mapping reference is now the
 * caller's, go to @pages. Advances *addr.
 */
static unsigned int zap_some(struct mm *mm, unsigned long *addr, unsigned long end,
			     struct page **pages)
{
	unsigned long next, first = end;
	unsigned int n = 0;
	pte_t *slot;

	spin_lock(&mm->page_table_lock);
	while (*addr < end && n < ZAP_BATCH) {
		slot = user_pte_find(mm, *addr, &next);
		if (!slot) {
			*addr = next;
			continue;
		}
		do {
			if (pte_present(*slot)) {
				pages[n] = pfn_to_page(pte_pfn(*slot));
				if (pte_young(*slot) && !PageReferenced(pages[n]))
					SetPageReferenced(pages[n]);
				n++;
				set_pte(slot, (pte_t){ 0 });
				first = min(first, *addr);
			} else if (pte_is_swap(*slot)) {
				swap_free((swp_entry_t){ pte_swap_entry(*slot) });
				set_pte(slot, (pte_t){ 0 });
				atomic_dec(&mm->swapents);
			}
			slot++;
			*addr += PAGE_SIZE;
		} while (*addr < end && n < ZAP_BATCH && !IS_ALIGNED(*addr, PMD_SIZE));
	}
	if (n) {
		arch_flush_tlb_range(&mm->ctx, first, *addr);
		account_zapped(mm, pages, n);
	}
	spin_unlock(&mm->page_table_lock);
	return n;
}

/* Before pages go: remembers how many there once were. Races only cost precision. */
static void update_hiwater_rss(struct mm *mm)
{
	unsigned long rss = max(atomic_read(&mm->rss_anon) + atomic_read(&mm->rss_file), 0L);

	if (rss > mm->hiwater_rss)
		mm->hiwater_rss = rss;
}

void put_mapped_page(struct page *page)
{
	swp_entry_t entry = { READ_ONCE(page->private) };

	/* Nobody may ever fault for the slot's copy again: then it is in the way. The hook makes sure. */
	if (PageSwapCache(page) && swap_orphan_hook)
		swap_orphan_hook(entry);
	put_page(page);
}

void zap_range(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end)
{
	struct page *pages[ZAP_BATCH];
	unsigned long addr = start;

	(void)vma;
	update_hiwater_rss(mm);
	while (addr < end) {
		unsigned int n = zap_some(mm, &addr, end, pages);

		/* No stale translation leads to these pages: now they may be reused. */
		for (unsigned int i = 0; i < n; i++)
			put_mapped_page(pages[i]);
	}
}

void mm_put(struct mm *mm)
{
	struct vma *vma, *next;

	if (!atomic_dec_and_test(&mm->users))
		return;
	list_for_each_entry_safe(vma, next, &mm->vmas, list) {
		zap_range(mm, vma, vma->start, vma->end);
		vma_remove(mm, vma);
	}
	free_user_tables(mm, 0, task_size, 0, task_size);
	if (mm->exe)
		mm->exe->ops->put(mm->exe);
	dec_vm_stat(NR_PAGETABLE);
	__free_page(phys_to_page(mm->ctx.root));
	kmem_cache_free(mm_cache, mm);
}

/* Copies one private page's entry into the child, both read-only from now on. True: anonymous. */
static bool share_pte(struct vma *vma, unsigned long addr, pte_t *from, pte_t *to)
{
	struct page *page = pfn_to_page(pte_pfn(*from));
	pte_t pte = pte_wrprotect(*from);
	bool anon = page_is_anon(page);

	if (pte_write(*from))
		set_pte(from, pte);
	get_page(page);
	if (anon)
		page_add_anon_rmap(page, vma, addr);
	else
		page_add_file_rmap(page);
	set_pte(to, pte);
	return anon;
}

/*
 * Copies the entries of a private vma; -ENOMEM leaves a part that teardown removes. The child's
 * page_table_lock is not needed: a reverse walk comes to the child after its parent (see rmap.c),
 * and until then these entries are empty to everybody else.
 */
static int copy_ptes(struct mm *old, struct mm *child, struct vma *vma)
{
	unsigned long addr = vma->start, next;

	while (addr < vma->end) {
		unsigned int anon = 0, all = 0, swapped = 0;
		pte_t *from, *to;
		int err = 0;

		from = user_pte_find(old, addr, &next);
		if (!from) {
			addr = next;
			continue;
		}
		to = user_pte_alloc(child, addr);
		if (!to)
			return -ENOMEM;
		spin_lock(&old->page_table_lock);
		do {
			if (pte_present(*from)) {
				anon += share_pte(vma, addr, from, to);
				all++;
			} else if (pte_is_swap(*from)) {
				err = swap_duplicate((swp_entry_t){ pte_swap_entry(*from) });
				if (err)
					break;
				set_pte(to, *from);
				swapped++;
			}
			from++;
			to++;
			addr += PAGE_SIZE;
		} while (addr < vma->end && !IS_ALIGNED(addr, PMD_SIZE));
		spin_unlock(&old->page_table_lock);
		atomic_add(anon, &child->rss_anon);
		atomic_add(all - anon, &child->rss_file);
		atomic_add(swapped, &child->swapents);
		if (err)
			return err;
	}
	return 0;
}

static int copy_vma(struct mm *old, struct mm *child, struct vma *vma)
{
	struct vma *new;

	if ((vma->flags & VM_ACCOUNT) && !vm_may_commit((vma->end - vma->start) >> PAGE_SHIFT))
		return -ENOMEM;
	new = vma_new(child, vma->start, vma->end, vma->flags);
	if (!new)
		return -ENOMEM;
	new->pgoff = vma->pgoff;
	new->mapping = vma->mapping;
	new->anon_vma = vma->anon_vma;
	if (new->mapping)
		new->mapping->ops->get(new->mapping);
	if (new->anon_vma)
		atomic_inc(&new->anon_vma->refs);
	vma_insert(child, new);
	/* Shared pages and untouched file pages are faulted in again by the child. */
	if ((vma->flags & VM_SHARED) || (!vma->anon_vma && !(vma->flags & VM_SPECIAL)))
		return 0;
	return copy_ptes(old, child, new);
}

static void copy_layout(struct mm *child, const struct mm *old)
{
	child->start_code = old->start_code;
	child->end_code = old->end_code;
	child->start_data = old->start_data;
	child->end_data = old->end_data;
	child->start_brk = old->start_brk;
	child->brk = old->brk;
	child->start_stack = old->start_stack;
	child->arg_start = old->arg_start;
	child->arg_end = old->arg_end;
	child->env_start = old->env_start;
	child->env_end = old->env_end;
	child->mmap_base = old->mmap_base;
	child->sigreturn = old->sigreturn;
	child->stack_limit = old->stack_limit;
	child->data_limit = old->data_limit;
	child->as_limit = old->as_limit;
	for (unsigned int i = 0; i < ARRAY_SIZE(child->saved_auxv); i++)
		child->saved_auxv[i] = old->saved_auxv[i];
	child->exe = old->exe;
	if (child->exe)
		child->exe->ops->get(child->exe);
}

struct mm *mm_copy(struct mm *old)
{
	struct mm *child = mm_alloc();
	struct vma *vma;
	int err = 0;

	if (!child)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&old->mmap_lock);
	copy_layout(child, old);
	for_each_vma(old, vma) {
		if (vma->flags & VM_DONTCOPY)
			continue;
		err = copy_vma(old, child, vma);
		if (err)
			break;
	}
	/*
	 * The parent's writable entries became read-only. Until here its other threads could still
	 * write through old translations; but none can fault in between, and the child has not run.
	 */
	arch_flush_tlb_mm(&old->ctx);
	mutex_unlock(&old->mmap_lock);
	if (err) {
		mm_put(child);
		return ERR_PTR(err);
	}
	return child;
}

void unmap_mapping_range(struct address_space *mapping, pgoff_t first, pgoff_t last, bool even_cows)
{
	struct vma *vma;

	(void)even_cows;	/* who only wants the page itself back uses try_to_unmap() */
	spin_lock(&mapping->i_mmap_lock);
	list_for_each_entry(vma, &mapping->i_mmap, shared_link) {
		pgoff_t end = vma->pgoff + ((vma->end - vma->start) >> PAGE_SHIFT) - 1;
		pgoff_t from = max(first, vma->pgoff), to = min(last, end);

		if (from > to)
			continue;
		zap_range(vma->mm, vma, vma->start + ((from - vma->pgoff) << PAGE_SHIFT),
			  vma->start + ((to - vma->pgoff + 1) << PAGE_SHIFT));
	}
	spin_unlock(&mapping->i_mmap_lock);
}

size_t access_process_vm(struct mm *mm, unsigned long addr, void *buf, size_t n, bool write)
{
	size_t done = 0;

	mutex_lock(&mm->mmap_lock);
	while (done < n) {
		unsigned long at = addr + done;
		size_t piece = min(n - done, (size_t)(PAGE_SIZE - (at & (PAGE_SIZE - 1))));
		struct page *page = NULL;
		pte_t *slot;
		char *mem;

		spin_lock(&mm->page_table_lock);
		slot = at < task_size ? user_pte_find(mm, at, NULL) : NULL;
		if (slot && pte_present(*slot) && (!write || pte_write(*slot))) {
			page = pfn_to_page(pte_pfn(*slot));
			get_page(page);
		}
		spin_unlock(&mm->page_table_lock);
		if (!page)
			break;
		mem = (char *)page_address(page) + (at & (PAGE_SIZE - 1));
		if (write)
			__builtin_memcpy(mem, (char *)buf + done, piece);
		else
			__builtin_memcpy((char *)buf + done, mem, piece);
		put_page(page);
		done += piece;
	}
	mutex_unlock(&mm->mmap_lock);
	return done;
}
