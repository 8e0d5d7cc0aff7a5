/*
 * Page faults: memory that exists only once it is touched.
 *
 * A mapping promises pages; the page table holds those that were used. The fault keeps the promise:
 *
 *	anonymous, never touched	a zeroed page				(demand zero)
 *	file, read			the page cache's page, read-only
 *	private file, write		a copy of the cache's page, now anonymous
 *	shared file, write		the cache's page, marked dirty first
 *	private, present, write		a copy, unless nobody else has it	(copy on write)
 *	private, in swap		the page, read back, read-only at first
 *	stack, below its end		the stack grows, then demand zero
 *
 * mmap_lock is held throughout, so the vma cannot change and no other fault of this mm runs; only
 * reverse mapping can take an entry away in between, under page_table_lock. A file page is mapped
 * under its page lock, after checking that it is still the file's: truncation, which takes the same
 * lock, either has removed it before or will find the new entry through i_mmap.
 *
 * A shared file page becomes writable only after set_page_dirty(), with the page locked; see
 * rmap.c.
 */
#include "mm/fault/fault.h"
#include "arch/upcalls.h"
#include "asm/ptrace.h"
#include "base/panic.h"
#include "lib/signo.h"
#include "lib/string.h"
#include "mm/cache/pagecache.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

#define FAULT_AHEAD	4	/* pages read on a miss: programs run forward, but not far */

bool (*fault_oom_hook)(void);

/* Before @page is mapped executable: as often as its contents changed, not as often as it is
 * mapped. */
static void sync_icache(struct page *page)
{
	if (PageIcache(page))
		return;
	arch_sync_icache(page_address(page), PAGE_SIZE);
	SetPageIcache(page);
}

/* Fills the empty @slot with a new page, whose reference it takes over; page_table_lock held. */
static void set_anon_pte(struct vma *vma, unsigned long addr, pte_t *slot, struct page *page)
{
	unsigned long prot = vma_pte_prot(vma) | ((vma->flags & VM_WRITE) ? PTE_WRITE : 0);

	page_add_new_anon_rmap(page, vma, addr);
	set_pte(slot, pte_leaf(page_to_pfn(page), prot, 0));
	atomic_inc(&vma->mm->rss_anon);
}

static void map_anon(struct vma *vma, unsigned long addr, pte_t *slot, struct page *page)
{
	spin_lock(&vma->mm->page_table_lock);
	set_anon_pte(vma, addr, slot, page);
	spin_unlock(&vma->mm->page_table_lock);
	if (lru_ops)
		lru_ops->add(page);
}

static enum fault_result demand_zero(struct vma *vma, unsigned long addr, pte_t *slot)
{
	struct page *page;

	if (anon_vma_prepare(vma))
		return FAULT_NO_MEMORY;
	page = alloc_page(GFP_USER_MOVABLE | __GFP_ZERO);
	if (!page)
		return FAULT_NO_MEMORY;
	map_anon(vma, addr, slot, page);
	return FAULT_DONE;
}

/* A page of the vma's own with @from's contents, not yet mapped; NULL: no memory. */
static struct page *copy_for(struct vma *vma, struct page *from)
{
	struct page *page = anon_vma_prepare(vma) ? NULL : alloc_page(GFP_USER_MOVABLE);

	if (!page)
		return NULL;
	copy_page(page_address(page), page_address(from));
	if (vma->flags & VM_EXEC)
		sync_icache(page);
	return page;
}

static bool beyond_file(struct address_space *mapping, pgoff_t index)
{
	return mapping->size && index >= (pgoff_t)DIV_ROUND_UP(mapping->size(mapping),
							       (loff_t)PAGE_SIZE);
}

static enum fault_result error_result(long err)
{
	return err == -ENOMEM ? FAULT_NO_MEMORY : FAULT_IO_ERROR;
}

/* The locked page @index of @mapping, uptodate and surely still the file's. */
static enum fault_result lock_file_page(struct address_space *mapping, pgoff_t index,
					struct page **found)
{
	for (;;) {
		struct page *page;

		if (beyond_file(mapping, index))
			return FAULT_BEYOND_FILE;
		page = read_cache_page_ahead(mapping, index, FAULT_AHEAD);
		if (IS_ERR(page))
			return error_result(PTR_ERR(page));
		lock_page(page);
		if (page->mapping == mapping && PageUptodate(page)) {
			if (beyond_file(mapping, index)) {
				unlock_page(page);
				put_page(page);
				return FAULT_BEYOND_FILE;
			}
			*found = page;
			return FAULT_DONE;
		}
		unlock_page(page);
		put_page(page);
	}
}

/* The filesystem allows a write to this locked page of a shared mapping, and knows it is dirty. */
static enum fault_result make_shared_writable(struct address_space *mapping, struct page *page)
{
	if (mapping->ops->page_mkwrite) {
		int err = mapping->ops->page_mkwrite(mapping, page);

		if (err)
			return err == -ENOMEM ? FAULT_NO_MEMORY : FAULT_BEYOND_FILE;
	}
	wait_on_page_writeback(page);
	set_page_dirty(page);
	return FAULT_DONE;
}

/*
 * A process that dirties a mapping is slowed down like one that calls write(). Under mmap_lock,
 * which is allowed: nobody who holds a page lock waits for it.
 */
static void throttle(struct address_space *mapping)
{
	if (mapping->ops->writepage)
		balance_dirty_pages(mapping);
}

static enum fault_result file_fault(struct vma *vma, unsigned long addr, pte_t *slot, bool write)
{
	struct mm *mm = vma->mm;
	struct address_space *mapping = vma->mapping;
	pgoff_t index = vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
	unsigned long prot = vma_pte_prot(vma);
	enum fault_result result;
	struct page *page;

	result = lock_file_page(mapping, index, &page);
	if (result != FAULT_DONE)
		return result;
	if (write && !(vma->flags & VM_SHARED)) {
		struct page *copy = copy_for(vma, page);

		if (copy)
			map_anon(vma, addr, slot, copy);
		else
			result = FAULT_NO_MEMORY;
		goto out_put;
	}
	if (write) {
		result = make_shared_writable(mapping, page);
		if (result != FAULT_DONE)
			goto out_put;
		prot |= PTE_WRITE;
	}
	if (prot & PTE_EXEC)
		sync_icache(page);
	spin_lock(&mm->page_table_lock);
	page_add_file_rmap(page);
	set_pte(slot, pte_leaf(page_to_pfn(page), prot, 0));
	spin_unlock(&mm->page_table_lock);
	atomic_inc(&mm->rss_file);
	unlock_page(page);
	if (write)
		throttle(mapping);
	return FAULT_DONE;	/* our reference is the mapping's now */
out_put:
	unlock_page(page);
	put_page(page);
	return result;
}

/* Write to a present, read-only entry of a shared file mapping. */
static enum fault_result shared_write(struct vma *vma, unsigned long addr, pte_t *slot,
				      struct page *page)
{
	struct mm *mm = vma->mm;
	enum fault_result result = FAULT_DONE;

	lock_page(page);
	if (page->mapping == vma->mapping)	/* else truncated: the next try tells */
		result = make_shared_writable(vma->mapping, page);
	if (result == FAULT_DONE) {
		spin_lock(&mm->page_table_lock);
		if (page->mapping == vma->mapping && pte_present(*slot) &&
		    pte_pfn(*slot) == page_to_pfn(page))
			set_pte(slot, pte_mkyoung(pte_mkdirty(pte_mkwrite(*slot))));
		spin_unlock(&mm->page_table_lock);
		arch_flush_tlb_local(addr);
	}
	unlock_page(page);
	throttle(vma->mapping);
	return result;
}

/* Write to a present, read-only private page, which the caller holds. */
static enum fault_result copy_on_write(struct vma *vma, unsigned long addr, pte_t *slot,
				       struct page *page)
{
	struct mm *mm = vma->mm;
	struct page *copy;

	if (PageSwapCache(page)) {	/* with a slot that nobody needs: then it need not be there */
		lock_page(page);
		try_to_free_swap(page);
		unlock_page(page);
	}
	spin_lock(&mm->page_table_lock);
	/*
	 * Ours alone: one mapping, one reference for it and one of our caller's. Another mapping
	 * cannot appear, as only a fork of this mm could make it; one that is just going keeps its
	 * reference until its TLB entries are gone.
	 */
	if (page_is_anon(page) && page_mapcount(page) == 1 && page_count(page) == 2 &&
	    !PageSwapCache(page)) {
		set_pte(slot, pte_mkyoung(pte_mkdirty(pte_mkwrite(*slot))));
		spin_unlock(&mm->page_table_lock);
		arch_flush_tlb_local(addr);
		return FAULT_DONE;
	}
	spin_unlock(&mm->page_table_lock);

	copy = copy_for(vma, page);
	if (!copy)
		return FAULT_NO_MEMORY;
	spin_lock(&mm->page_table_lock);
	if (!pte_present(*slot) || pte_pfn(*slot) != page_to_pfn(page)) {
		spin_unlock(&mm->page_table_lock);
		put_page(copy);		/* taken away meanwhile: the next try starts afresh */
		return FAULT_DONE;
	}
	/* The old entry goes first: no two CPUs may ever see the address in two frames. */
	set_pte(slot, (pte_t){ 0 });
	arch_flush_tlb_range(&mm->ctx, addr, addr + PAGE_SIZE);
	atomic_dec(page_is_anon(page) ? &mm->rss_anon : &mm->rss_file);
	page_remove_rmap(page);
	set_anon_pte(vma, addr, slot, copy);
	spin_unlock(&mm->page_table_lock);
	if (lru_ops)
		lru_ops->add(copy);
	put_mapped_page(page);
	return FAULT_DONE;
}

/* An entry is there: write access to get, or accessed and dirty bits to set, or nothing at all. */
static enum fault_result present_fault(struct vma *vma, unsigned long addr, pte_t *slot, bool write)
{
	struct mm *mm = vma->mm;
	enum fault_result result;
	struct page *page;
	pte_t pte;

	spin_lock(&mm->page_table_lock);
	pte = *slot;
	if (!pte_present(pte)) {
		spin_unlock(&mm->page_table_lock);
		return FAULT_DONE;
	}
	if (!write || pte_write(pte)) {
		pte = pte_mkyoung(pte);
		set_pte(slot, write ? pte_mkdirty(pte) : pte);
		spin_unlock(&mm->page_table_lock);
		arch_flush_tlb_local(addr);
		return FAULT_DONE;
	}
	page = pfn_to_page(pte_pfn(pte));
	get_page(page);
	spin_unlock(&mm->page_table_lock);
	if (vma->flags & VM_SHARED)
		result = shared_write(vma, addr, slot, page);
	else
		result = copy_on_write(vma, addr, slot, page);
	put_page(page);
	return result;
}

/*
 * The entry in @slot becomes the page that it stands for, which is locked and uptodate and whose
 * reference the entry takes over. False: the entry has changed meanwhile.
 */
static bool map_swapped(struct vma *vma, unsigned long addr, pte_t *slot, pte_t pte,
			struct page *page)
{
	struct mm *mm = vma->mm;
	bool same;

	if (vma->flags & VM_EXEC)
		sync_icache(page);
	spin_lock(&mm->page_table_lock);
	same = slot->v == pte.v;
	if (same) {
		page_add_anon_rmap(page, vma, addr);
		set_pte(slot, pte_leaf(page_to_pfn(page), vma_pte_prot(vma), 0));
		atomic_inc(&mm->rss_anon);
		atomic_dec(&mm->swapents);
	}
	spin_unlock(&mm->page_table_lock);
	if (same)
		swap_free((swp_entry_t){ pte_swap_entry(pte) });
	return same;
}

/* Who has the page to itself from now on need not keep the slot, unless it is likely to go there again. */
static bool slot_is_ballast(const struct page *page, bool write)
{
	return write || PageError(page) || nr_swap_pages() < total_swap_pages() / 2;
}

static enum fault_result swap_fault(struct vma *vma, unsigned long addr, pte_t *slot, pte_t pte,
				    bool write)
{
	swp_entry_t entry = { pte_swap_entry(pte) };
	enum fault_result result = FAULT_DONE;
	struct page *page;
	bool major;

	if (anon_vma_prepare(vma))
		return FAULT_NO_MEMORY;
	page = read_swap_cache(entry, vma, addr, &major);
	if (IS_ERR(page))
		return FAULT_NO_MEMORY;
	if (!page)
		return FAULT_DONE;		/* nobody's any more: the entry has changed */
	if (major)
		inc_vm_stat(PGMAJFAULT);
	lock_page(page);
	if (!PageSwapCache(page) || page_swap_entry(page).val != entry.val) {
		;				/* the next try finds what there is now */
	} else if (!PageUptodate(page)) {
		result = FAULT_IO_ERROR;
	} else if (map_swapped(vma, addr, slot, pte, page)) {
		if (slot_is_ballast(page, write))
			try_to_free_swap(page);
		unlock_page(page);
		return FAULT_DONE;		/* a write faults again, and is a copy-on-write */
	}
	unlock_page(page);
	put_page(page);
	return result;
}

enum fault_result swap_in(struct vma *vma, unsigned long addr)
{
	pte_t *slot = user_pte_find(vma->mm, addr, NULL);
	pte_t pte = { slot ? READ_ONCE(slot->v) : 0 };

	return pte_is_swap(pte) ? swap_fault(vma, addr, slot, pte, false) : FAULT_DONE;
}

static bool access_allowed(const struct vma *vma, unsigned int flags)
{
	if (flags & FAULT_EXEC)
		return vma->flags & VM_EXEC;
	if (flags & FAULT_WRITE)
		return vma->flags & VM_WRITE;
	return vma->flags & (VM_READ | VM_WRITE | VM_EXEC);
}

static enum fault_result locked_fault(struct mm *mm, unsigned long addr, unsigned int flags)
{
	struct vma *vma = find_vma(mm, addr);
	bool write = flags & FAULT_WRITE;
	pte_t *slot, pte;

	inc_vm_stat(PGFAULT);
	if (!vma)
		return FAULT_BAD_MAP;
	if (vma->start > addr && (!(vma->flags & VM_GROWSDOWN) || !expand_stack(vma, addr)))
		return FAULT_BAD_MAP;
	if (!access_allowed(vma, flags))
		return FAULT_BAD_ACCESS;
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	slot = user_pte_alloc(mm, addr);
	if (!slot)
		return FAULT_NO_MEMORY;
	pte = (pte_t){ READ_ONCE(slot->v) };
	if (pte_is_swap(pte))
		return swap_fault(vma, addr, slot, pte, write);
	if (!pte_none(pte))
		return present_fault(vma, addr, slot, write);
	if (vma->mapping)
		return file_fault(vma, addr, slot, write);
	return demand_zero(vma, addr, slot);
}

enum fault_result mm_fault(struct mm *mm, unsigned long addr, unsigned int flags)
{
	enum fault_result result;

	mutex_lock(&mm->mmap_lock);
	result = locked_fault(mm, addr, flags);
	mutex_unlock(&mm->mmap_lock);
	return result;
}

/* A fault of user mode that cannot be resolved. */
static void user_fault_failed(struct pt_regs *regs, unsigned long addr, enum fault_result result)
{
	switch (result) {
	case FAULT_BAD_ACCESS:
		user_exception(regs, SIGSEGV, SEGV_ACCERR, addr);
		break;
	case FAULT_BEYOND_FILE:
		user_exception(regs, SIGBUS, BUS_ADRERR, addr);
		break;
	case FAULT_IO_ERROR:
		user_exception(regs, SIGBUS, BUS_OBJERR, addr);
		break;
	case FAULT_NO_MEMORY:
		break;			/* killed: it dies on its way back */
	default:
		user_exception(regs, SIGSEGV, SEGV_MAPERR, addr);
	}
}

bool handle_page_fault(struct pt_regs *regs, unsigned long addr, unsigned int flags)
{
	struct thread *t = current_thread();
	enum fault_result result = FAULT_BAD_MAP;

	if (addr < task_size && t->mm) {
		if (!(flags & FAULT_USER) && (t->head.pagefault_disabled || !can_sleep()))
			return false;
		do {
			result = mm_fault(t->mm, addr, flags);
		} while (result == FAULT_NO_MEMORY && fault_oom_hook());
		if (result == FAULT_DONE)
			return true;
	}
	if (!(flags & FAULT_USER))
		return false;
	user_fault_failed(regs, addr, result);
	return true;
}
