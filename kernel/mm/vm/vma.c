/*
 * The set of vmas of an address space: a red-black tree to find one, a sorted list to walk.
 * Everything here runs under mm->mmap_lock. A vma's bounds are also read by reverse mapping,
 * which does not hold mmap_lock but the lock of the list it walks: so bounds change only
 * between rmap_lock() and rmap_unlock().
 */
#include "mm/vm/mm.h"
#include "mm/vm/commit.h"
#include "mm/slab/slab.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/errno.h"

static struct kmem_cache *vma_cache;

static int vma_cache_init(void)
{
	vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vma), 8,
				      SLAB_PANIC | SLAB_NO_MERGE | SLAB_ACCOUNT, NULL);
	return 0;
}
core_initcall(vma_cache_init);

static void rmap_lock(struct vma *vma)
{
	if (vma->mapping)
		spin_lock(&vma->mapping->i_mmap_lock);
	if (vma->anon_vma)
		spin_lock(&vma->anon_vma->lock);
}

static void rmap_unlock(struct vma *vma)
{
	if (vma->anon_vma)
		spin_unlock(&vma->anon_vma->lock);
	if (vma->mapping)
		spin_unlock(&vma->mapping->i_mmap_lock);
}

struct vma *find_vma(struct mm *mm, unsigned long addr)
{
	struct rb_node *node = mm->vma_tree.rb_node;
	struct vma *best = NULL;

	while (node) {
		struct vma *vma = rb_entry(node, struct vma, rb);

		if (vma->end > addr) {
			best = vma;
			if (vma->start <= addr)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct vma *find_vma_intersection(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vma *vma = find_vma(mm, start);

	return vma && vma->start < end ? vma : NULL;
}

struct vma *vma_new(struct mm *mm, unsigned long start, unsigned long end, unsigned long flags)
{
	struct vma *vma = kmem_cache_zalloc(vma_cache, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->start = start;
	vma->end = end;
	vma->flags = flags;
	vma->mm = mm;
	vma->pgoff = start >> PAGE_SHIFT;
	INIT_LIST_HEAD(&vma->anon_link);
	INIT_LIST_HEAD(&vma->shared_link);
	return vma;
}

/* @pages more (or fewer) of a vma with these flags. */
static void account(struct mm *mm, unsigned long flags, long pages)
{
	mm->total_pages += pages;
	mm->hiwater_vm = max(mm->hiwater_vm, mm->total_pages);
	if (flags & VM_ACCOUNT)
		vm_commit(pages);
}

/* Links into tree and sorted list. */
static void link_vma(struct mm *mm, struct vma *vma)
{
	struct rb_node **link = &mm->vma_tree.rb_node, *parent = NULL;
	struct list_head *before = &mm->vmas;

	while (*link) {
		struct vma *at = rb_entry(*link, struct vma, rb);

		parent = *link;
		if (vma->start < at->start) {
			link = &parent->rb_left;
		} else {
			before = &at->list;
			link = &parent->rb_right;
		}
	}
	rb_link_node(&vma->rb, parent, link);
	rb_insert_color(&vma->rb, &mm->vma_tree);
	list_add(&vma->list, before);
	mm->map_count++;
	account(mm, vma->flags, (vma->end - vma->start) >> PAGE_SHIFT);
}

void vma_insert(struct mm *mm, struct vma *vma)
{
	link_vma(mm, vma);
	rmap_lock(vma);
	if (vma->mapping)
		list_add_tail(&vma->shared_link, &vma->mapping->i_mmap);
	if (vma->anon_vma)
		list_add_tail(&vma->anon_link, &vma->anon_vma->vmas);
	rmap_unlock(vma);
	if (vma->mapping && (vma->flags & VM_SHARED) && (vma->flags & VM_MAYWRITE))
		atomic_inc(&vma->mapping->i_mmap_writable);
}

static void anon_vma_drop(struct anon_vma *anon_vma)
{
	if (atomic_dec_and_test(&anon_vma->refs))
		kfree(anon_vma);
}

void vma_remove(struct mm *mm, struct vma *vma)
{
	struct address_space *mapping = vma->mapping;

	rb_erase(&vma->rb, &mm->vma_tree);
	list_del(&vma->list);
	mm->map_count--;
	account(mm, vma->flags, -(long)((vma->end - vma->start) >> PAGE_SHIFT));
	rmap_lock(vma);
	if (mapping)
		list_del(&vma->shared_link);
	if (vma->anon_vma)
		list_del(&vma->anon_link);
	rmap_unlock(vma);
	if (mapping && (vma->flags & VM_SHARED) && (vma->flags & VM_MAYWRITE))
		atomic_dec(&mapping->i_mmap_writable);
	if (vma->anon_vma)
		anon_vma_drop(vma->anon_vma);
	kmem_cache_free(vma_cache, vma);
	if (mapping)
		mapping->ops->put(mapping);
}

void vma_resize(struct vma *vma, unsigned long start, unsigned long end)
{
	account(vma->mm, vma->flags, (long)((end - start) - (vma->end - vma->start)) >> PAGE_SHIFT);
	rmap_lock(vma);
	vma->pgoff += ((long)(start - vma->start)) >> PAGE_SHIFT;
	vma->start = start;
	vma->end = end;
	rmap_unlock(vma);
}

int vma_split(struct vma *vma, unsigned long addr)
{
	struct mm *mm = vma->mm;
	struct vma *tail;

	if (mm->map_count >= MAX_MAP_COUNT)
		return -ENOMEM;
	tail = vma_new(mm, addr, vma->end, vma->flags);
	if (!tail)
		return -ENOMEM;
	tail->pgoff = vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
	tail->mapping = vma->mapping;
	tail->anon_vma = vma->anon_vma;
	if (tail->mapping)
		tail->mapping->ops->get(tail->mapping);
	if (tail->anon_vma)
		atomic_inc(&tail->anon_vma->refs);
	/* In this order a page of the tail is found through one vma or the other, or both. */
	vma_insert(mm, tail);
	vma_resize(vma, vma->start, addr);
	return 0;
}

static bool can_merge(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->flags == b->flags && a->mapping == b->mapping &&
	       !(a->flags & (VM_SPECIAL | VM_GROWSDOWN)) &&
	       b->pgoff == a->pgoff + ((a->end - a->start) >> PAGE_SHIFT) &&
	       (!a->anon_vma || !b->anon_vma || a->anon_vma == b->anon_vma);
}

/* @vma takes over the anon_vma of a neighbour that it absorbs. */
static void adopt_anon_vma(struct vma *vma, struct vma *from)
{
	if (vma->anon_vma || !from->anon_vma)
		return;
	atomic_inc(&from->anon_vma->refs);
	spin_lock(&from->anon_vma->lock);
	vma->anon_vma = from->anon_vma;
	list_add_tail(&vma->anon_link, &vma->anon_vma->vmas);
	spin_unlock(&vma->anon_vma->lock);
}

static struct vma *absorb(struct vma *vma, struct vma *next)
{
	unsigned long end = next->end;

	adopt_anon_vma(vma, next);
	vma_resize(vma, vma->start, end);
	vma_remove(vma->mm, next);
	return vma;
}

struct vma *vma_merge(struct vma *vma)
{
	struct vma *prev = vma_prev(vma), *next = vma_next(vma);

	if (prev && can_merge(prev, vma))
		vma = absorb(prev, vma);
	if (next && can_merge(vma, next))
		vma = absorb(vma, next);
	return vma;
}

unsigned long vma_pte_prot(const struct vma *vma)
{
	unsigned long prot = PTE_USER;

	if (vma->flags & (VM_READ | VM_WRITE))
		prot |= PTE_READ;
	if (vma->flags & VM_EXEC)
		prot |= PTE_READ | PTE_EXEC;
	return prot;
}

#define STACK_GUARD_GAP	(256 * PAGE_SIZE)
#define LOWEST_ADDRESS	(16 * PAGE_SIZE)	/* below only by MAP_FIXED: null pointers fault */

/* First address that a mapping below @vma may not use: stacks keep a gap. */
static unsigned long vma_low(const struct vma *vma)
{
	if (!(vma->flags & VM_GROWSDOWN))
		return vma->start;
	return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

unsigned long get_unmapped_area(struct mm *mm, unsigned long hint, unsigned long len)
{
	unsigned long top = mm->mmap_base;
	struct vma *vma;

	if (len == 0 || len > task_size)
		return -ENOMEM;
	hint = PAGE_ALIGN(hint);
	if (hint >= LOWEST_ADDRESS && hint <= task_size - len) {
		vma = find_vma(mm, hint);
		if (!vma || hint + len <= vma_low(vma))
			return hint;
	}
	list_for_each_entry_reverse(vma, &mm->vmas, list) {
		if (vma->end <= top && top - vma->end >= len)
			return top - len;
		top = min(top, vma_low(vma));
	}
	return top >= len + LOWEST_ADDRESS ? top - len : (unsigned long)-ENOMEM;
}

bool expand_stack(struct vma *vma, unsigned long addr)
{
	struct vma *prev = vma_prev(vma);
	struct mm *mm = vma->mm;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr >= vma->start)
		return true;
	if (addr < LOWEST_ADDRESS || vma->end - addr > mm->stack_limit ||
	    mm->total_pages + ((vma->start - addr) >> PAGE_SHIFT) > mm->as_limit >> PAGE_SHIFT)
		return false;
	if (prev && addr < prev->end)
		return false;
	if ((vma->flags & VM_ACCOUNT) && !vm_may_commit((vma->start - addr) >> PAGE_SHIFT))
		return false;
	/* A neighbour without permissions is somebody's own guard. */
	if (prev && addr - prev->end < STACK_GUARD_GAP &&
	    (prev->flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return false;
	vma_resize(vma, addr, vma->end);
	return true;
}
