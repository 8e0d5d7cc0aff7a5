/*
 * Address spaces: struct mm and the vmas in it.
 *
 * Locks, outermost first:
 *	mm->mmap_lock (sleeping)	the set of vmas and their fields; held across a page fault
 *	page lock (PG_locked)
 *	mapping->i_mmap_lock, anon_vma->lock (spin)	the lists that reverse mapping walks
 *	mm->page_table_lock (spin)	every change of this mm's page tables
 * Nobody touches user memory while holding mmap_lock: the fault would want it again.
 */
#pragma once

#include "arch/arch.h"
#include "lib/rbtree.h"
#include "lib/list.h"
#include "sched/mutex.h"
#include "mm/vm/pgtable.h"
#include "mm/phys/page_alloc.h"

#include "mm/vm/address_space.h"

struct vma;

/* vma->flags */
#define VM_READ		0x1
#define VM_WRITE	0x2
#define VM_EXEC		0x4
#define VM_SHARED	0x8
#define VM_MAYREAD	0x10
#define VM_MAYWRITE	0x20
#define VM_MAYEXEC	0x40
#define VM_GROWSDOWN	0x100
#define VM_STACK	0x200	/* [stack] in /proc/<pid>/maps */
#define VM_LOCKED	0x2000
#define VM_DONTCOPY	0x20000
#define VM_ACCOUNT	0x100000	/* its pages count as promised: commit.h */
#define VM_NORESERVE	0x200000
#define VM_HEAP		0x400000
#define VM_SPECIAL	0x800000	/* one kernel-made page (signal trampoline), without rmap */

/*
 * All anonymous vmas of a family of forks share one anon_vma: the list of vmas in which one of its
 * pages may be mapped, at address vma->start + (page->index - vma->pgoff) * PAGE_SIZE. A mapped
 * anonymous page holds a reference on it until it is freed.
 */
struct anon_vma {
	spinlock_t lock;
	atomic_t refs;			/* vmas and pages */
	struct list_head vmas;
};

struct vma {
	unsigned long start, end;	/* bytes; page aligned; end exclusive */
	unsigned long flags;
	struct mm *mm;
	struct rb_node rb;		/* mm->vma_tree, by start */
	struct list_head list;		/* mm->vmas, by start */
	struct address_space *mapping;	/* the file's pages; NULL: anonymous. Holds a reference. */
	pgoff_t pgoff;			/* page index of start; anonymous: its page at creation */
	struct anon_vma *anon_vma;	/* set at the first anonymous fault, also of files */
	struct list_head anon_link;	/* anon_vma->vmas */
	struct list_head shared_link;	/* mapping->i_mmap */
};

struct mm {
	struct mm_context ctx;
	struct mutex mmap_lock;
	spinlock_t page_table_lock;
	struct rb_root vma_tree;
	struct list_head vmas;
	unsigned int map_count;
	atomic_t users;			/* threads and temporary holders; 0: torn down */
	unsigned long total_pages;	/* of all vmas */
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long mmap_base;	/* mmap searches downwards from here */
	unsigned long sigreturn;	/* address of the trampoline page */
	atomic_long_t rss_anon, rss_file, pgtables, swapents;	/* pages */
	unsigned long hiwater_rss, hiwater_vm;
	unsigned long stack_limit;	/* bytes, RLIMIT_STACK at exec */
	unsigned long data_limit, as_limit;
	unsigned long saved_auxv[2 * 24];
	struct address_space *exe;	/* for /proc/<pid>/exe; holds a reference */
};

#define MAX_MAP_COUNT	65530

extern struct mm init_mm;		/* the kernel's own tables */

/* mm.c: an empty address space with its root table, users = 1; NULL when memory is short. */
struct mm *mm_alloc(void);
static inline void mm_get(struct mm *mm) { atomic_inc(&mm->users); }
/* Drops a user; the last one unmaps everything and frees it. May sleep. */
void mm_put(struct mm *mm);
/* Fork: a copy with copy-on-write of private pages. ERR_PTR(-ENOMEM). Takes old's mmap_lock. */
struct mm *mm_copy(struct mm *old);

/* vma.c; mmap_lock held. */
struct vma *find_vma(struct mm *mm, unsigned long addr);	/* first with end > addr, or NULL */
struct vma *find_vma_intersection(struct mm *mm, unsigned long start, unsigned long end);
/* A free range of @len bytes, at @hint if that is free and fits; 0-page guard; or -ENOMEM. */
unsigned long get_unmapped_area(struct mm *mm, unsigned long hint, unsigned long len);

/* mmap.c: Linux's calls on the current (or given) mm; they take mmap_lock. Addresses or -errno. */
long vm_mmap(struct mm *mm, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flags, struct address_space *mapping, unsigned long may_flags,
	     pgoff_t pgoff);	/* takes its own reference on mapping */
long vm_munmap(struct mm *mm, unsigned long addr, unsigned long len);
long vm_mprotect(struct mm *mm, unsigned long addr, unsigned long len, unsigned long prot);
long vm_brk(struct mm *mm, unsigned long brk);		/* the new (or unchanged) break */
long vm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
	       unsigned long flags, unsigned long new_addr);
long vm_madvise(struct mm *mm, unsigned long addr, unsigned long len, int advice);
long vm_msync(struct mm *mm, unsigned long addr, unsigned long len, int flags);
long vm_mincore(struct mm *mm, unsigned long addr, unsigned long len, unsigned char *user_vec);
/* Anonymous memory that may not exist yet, e.g. a bss, the stack: 0 or -errno. */
long vm_map_anon(struct mm *mm, unsigned long start, unsigned long len, unsigned long vm_flags);
/* One kernel-made, read-only executable page at a chosen place (the signal trampoline). */
long vm_map_special(struct mm *mm, struct page *page);
/* User page tables (usertable.c). The slot of @addr's 4 KiB entry, tables made as needed (mmap_lock
 * held); NULL when memory is short. */
pte_t *user_pte_alloc(struct mm *mm, unsigned long addr);
/* The slot if its table exists, else NULL; *@next (if not NULL) = the first address after @addr
 * that may have one. page_table_lock or mmap_lock held. */
pte_t *user_pte_find(struct mm *mm, unsigned long addr, unsigned long *next);
/* Frees the tables of [start, end) that serve only addresses in [floor, ceiling), where nothing is
 * mapped; end and ceiling at most task_size. mmap_lock held. */
void free_user_tables(struct mm *mm, unsigned long start, unsigned long end, unsigned long floor,
		      unsigned long ceiling);

/* vma.c, for mm/vm itself; mmap_lock held. A vma counts as promised by its VM_ACCOUNT. */
struct vma *vma_new(struct mm *mm, unsigned long start, unsigned long end, unsigned long flags);
void vma_insert(struct mm *mm, struct vma *vma);	/* tree, list, rmap lists, accounting */
void vma_remove(struct mm *mm, struct vma *vma);	/* the reverse; frees it */
int vma_split(struct vma *vma, unsigned long addr);	/* vma keeps [start, addr): 0 or -ENOMEM */
struct vma *vma_merge(struct vma *vma);			/* with its neighbours; what it became */
void vma_resize(struct vma *vma, unsigned long start, unsigned long end);
static inline struct vma *vma_prev(struct vma *vma)
{
	return vma->list.prev == &vma->mm->vmas ? NULL :
						  list_entry(vma->list.prev, struct vma, list);
}
static inline struct vma *vma_next(struct vma *vma)
{
	return vma->list.next == &vma->mm->vmas ? NULL :
						  list_entry(vma->list.next, struct vma, list);
}
#define for_each_vma(mm, vma) list_for_each_entry(vma, &(mm)->vmas, list)
/* PTE_ permissions for a fresh mapping in @vma: never writable, see mm/fault. */
unsigned long vma_pte_prot(const struct vma *vma);
bool expand_stack(struct vma *vma, unsigned long addr);	/* false: beyond the limit or the guard */

/* Removes the range from @mm's tables, accounting and rmap done; mmap_lock held. */
void zap_range(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end);

/* Drops the reference that a page-table entry had, which is gone from the TLBs, too. */
void put_mapped_page(struct page *page);

/* rmap.c ---------------------------------------------------------------------------------- */

/* Page @page becomes mapped at @addr in @vma: counts, anon_vma and index set up. page_table_lock
 * held. */
void page_add_anon_rmap(struct page *page, struct vma *vma, unsigned long addr); /* another entry */
void page_add_new_anon_rmap(struct page *page, struct vma *vma, unsigned long addr);
/* Whose it is, without an entry yet: it is being read from swap. anon_vma_prepare() was called. */
void page_set_anon_rmap(struct page *page, struct vma *vma, unsigned long addr);
void page_add_file_rmap(struct page *page);
void page_remove_rmap(struct page *page);
int anon_vma_prepare(struct vma *vma);		/* 0 or -ENOMEM; mmap_lock held */
/* Calls fn for each vma and address where @page may be mapped, until it returns false; the
 * mapping's or anon_vma's lock is held. The page must be locked or otherwise pinned. */
void rmap_walk(struct page *page, bool (*fn)(struct page *, struct vma *, unsigned long, void *),
	       void *arg);
/* Removes every mapping of a locked page (an anonymous one in the swap cache: its entries become swap
 * entries). True if none is left. */
bool try_to_unmap(struct page *page);
/* Write-protects every mapping of a shared file page before it is written back; true if any was
 * dirty (then the page is dirty). Page locked. */
bool page_mkclean(struct page *page);
/* Referenced bits seen (and cleared) in its mappings. A CPU that has a translation cached may use the page
 * unseen until page_referenced_flush(), which comes by itself when enough pages were looked at. */
int page_referenced(struct page *page);
void page_referenced_flush(void);
/* Truncation: unmaps pages [first, last] of @mapping from every address space (private copies
 * stay unless @even_cows). */
void unmap_mapping_range(struct address_space *mapping, pgoff_t first, pgoff_t last,
			 bool even_cows);

static inline bool page_is_anon(const struct page *page)
{
	return ((unsigned long)page->mapping & 1) != 0;
}
