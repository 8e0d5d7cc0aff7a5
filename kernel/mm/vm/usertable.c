/*
 * User page tables: find, make and free the tables below a mm's root.
 *
 * Tables are only added under mmap_lock, and only removed under mmap_lock and page_table_lock. So
 * whoever holds either lock may follow them; a walk from reverse mapping, which holds only
 * page_table_lock, sees a table completely or not at all.
 */
#include "mm/vm/mm.h"
#include "mm/phys/vmstat.h"

static phys_addr_t user_table_alloc(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!page)
		return 0;
	inc_vm_stat(NR_PAGETABLE);
	return page_to_phys(page);
}

pte_t *user_pte_find(struct mm *mm, unsigned long addr, unsigned long *next)
{
	int level;
	pte_t *slot = pgtable_walk(mm->ctx.root, addr, 0, NULL, &level);

	if (next) {
		unsigned long span = 1UL << (PAGE_SHIFT + 9 * (slot ? 0 : level));

		*next = ALIGN_DOWN(addr, span) + span;
	}
	return slot;
}

pte_t *user_pte_alloc(struct mm *mm, unsigned long addr)
{
	int missing, left;
	pte_t *slot = pgtable_walk(mm->ctx.root, addr, 0, NULL, &missing);

	if (likely(slot))
		return slot;
	slot = pgtable_walk(mm->ctx.root, addr, 0, user_table_alloc, &left);
	atomic_add(missing - left, &mm->pgtables);	/* some stay even if the last one failed */
	return slot;
}

struct table_free {
	struct mm *mm;
	unsigned long start, end;	/* look here */
	unsigned long floor, ceiling;	/* a table that serves addresses outside stays */
	struct list_head pages;		/* unlinked, not yet safe to free */
};

/* Unlinks the tables below @table (at @level, covering from @base on) that lie within the range. */
static void unlink_tables(struct table_free *tf, pte_t *table, int level, unsigned long base)
{
	unsigned long span = 1UL << (PAGE_SHIFT + 9 * level);
	unsigned int first = base >= tf->start ? 0 : (tf->start - base) / span;

	for (unsigned int i = first; i < PTRS_PER_TABLE; i++) {
		unsigned long start = base + i * span;
		struct page *page;

		if (start >= tf->end)
			break;
		if (pte_none(table[i]) || pte_is_leaf(table[i], level))
			continue;
		page = pfn_to_page(pte_pfn(table[i]));
		if (level > 1)
			unlink_tables(tf, page_address(page), level - 1, start);
		if (start < tf->floor || start + span > tf->ceiling)
			continue;
		set_pte(&table[i], (pte_t){ 0 });
		list_add(&page->list, &tf->pages);
	}
}

void free_user_tables(struct mm *mm, unsigned long start, unsigned long end, unsigned long floor,
		      unsigned long ceiling)
{
	struct table_free tf = { mm, start, end, floor, ceiling, { NULL, NULL } };
	struct page *page, *next;
	long freed = 0;

	INIT_LIST_HEAD(&tf.pages);
	spin_lock(&mm->page_table_lock);
	unlink_tables(&tf, __va(mm->ctx.root), pgtable_levels - 1, 0);
	spin_unlock(&mm->page_table_lock);
	if (list_empty(&tf.pages))
		return;
	/* Hardware may hold walks through these tables: make it forget before they are reused. */
	arch_flush_tlb_mm(&mm->ctx);
	list_for_each_entry_safe(page, next, &tf.pages, list) {
		list_del(&page->list);
		dec_vm_stat(NR_PAGETABLE);
		__free_page(page);
		freed++;
	}
	atomic_sub(freed, &mm->pgtables);
}
