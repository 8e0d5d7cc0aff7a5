/*
 * The system calls that shape an address space: mmap, munmap, mprotect, brk, mremap, madvise,
 * msync, mincore, with Linux's semantics and error numbers. Each takes mmap_lock once, outside.
 */
#include "mm/vm/mm.h"
#include "mm/vm/commit.h"
#include "mm/vm/uaccess.h"
#include "mm/phys/vmstat.h"
#include "lib/errno.h"
#include "uapi/mman.h"

#define MAX_PGOFF	((pgoff_t)__LONG_MAX__ >> PAGE_SHIFT)	/* of a byte position in loff_t */

static bool range_ok(unsigned long addr, unsigned long len)
{
	return IS_ALIGNED(addr, PAGE_SIZE) && len <= task_size && addr <= task_size - len;
}

static unsigned long prot_to_flags(unsigned long prot)
{
	return ((prot & PROT_READ) ? VM_READ : 0) | ((prot & PROT_WRITE) ? VM_WRITE : 0) |
	       ((prot & PROT_EXEC) ? VM_EXEC : 0);
}

/* Makes vma boundaries at @start and @end where they cut through a vma. */
static int split_at_bounds(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vma *vma = find_vma(mm, start);
	int err;

	if (vma && vma->start < start) {
		err = vma_split(vma, start);
		if (err)
			return err;
	}
	vma = find_vma(mm, end - 1);
	if (vma && vma->start < end && vma->end > end)
		return vma_split(vma, end);
	return 0;
}

/* Removes everything in the range; mmap_lock held. */
static int do_munmap(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vma *vma, *prev, *next;
	int err;

	if (!find_vma_intersection(mm, start, end))
		return 0;
	err = split_at_bounds(mm, start, end);
	if (err)
		return err;
	vma = find_vma(mm, start);
	prev = vma ? vma_prev(vma) : NULL;
	while (vma && vma->start < end) {
		next = vma_next(vma);
		zap_range(mm, vma, vma->start, vma->end);
		vma_remove(mm, vma);
		vma = next;
	}
	free_user_tables(mm, start, end, prev ? prev->end : 0, vma ? vma->start : task_size);
	return 0;
}

/* Do these flags promise memory? MAP_NORESERVE asks that they do not, which the strict policy overrules. */
static bool promises(unsigned long vm_flags)
{
	if ((vm_flags & (VM_WRITE | VM_SHARED | VM_SPECIAL)) != VM_WRITE)
		return false;
	return !(vm_flags & VM_NORESERVE) || READ_ONCE(overcommit_memory) == OVERCOMMIT_NEVER;
}

/* Is it more than the process may have, or than the machine can promise? */
static bool too_much_memory(const struct mm *mm, unsigned long len, unsigned long vm_flags)
{
	if (mm->total_pages + (len >> PAGE_SHIFT) > mm->as_limit >> PAGE_SHIFT)
		return true;
	return ((vm_flags & VM_ACCOUNT) || promises(vm_flags)) && !vm_may_commit(len >> PAGE_SHIFT);
}

/* Where a mapping of @len goes, or -errno; MAP_FIXED has removed what was there. */
static unsigned long place_mapping(struct mm *mm, unsigned long addr, unsigned long len,
				   unsigned long flags)
{
	int err;

	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return get_unmapped_area(mm, addr, len);
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!range_ok(addr, len))
		return -ENOMEM;
	if (flags & MAP_FIXED_NOREPLACE)
		return find_vma_intersection(mm, addr, addr + len) ? (unsigned long)-EEXIST : addr;
	err = do_munmap(mm, addr, addr + len);
	return err ? (unsigned long)err : addr;
}

static long map_vma(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags,
		    struct address_space *mapping, pgoff_t pgoff)
{
	struct vma *vma;

	if (mm->map_count >= MAX_MAP_COUNT)
		return -ENOMEM;
	if (promises(vm_flags))
		vm_flags |= VM_ACCOUNT;
	vma = vma_new(mm, addr, addr + len, vm_flags);
	if (!vma)
		return -ENOMEM;
	if (mapping) {
		mapping->ops->get(mapping);
		vma->mapping = mapping;
		vma->pgoff = pgoff;
	}
	vma_insert(mm, vma);
	vma_merge(vma);
	return addr;
}

long vm_mmap(struct mm *mm, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flags, struct address_space *mapping, unsigned long may_flags,
	     pgoff_t pgoff)
{
	unsigned long vm_flags = prot_to_flags(prot) | may_flags;
	long ret;

	if (len == 0)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (len == 0 || len > task_size)
		return -ENOMEM;
	if (mapping && (pgoff > MAX_PGOFF || (len >> PAGE_SHIFT) - 1 > MAX_PGOFF - pgoff))
		return -EOVERFLOW;
	if ((flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		vm_flags |= VM_SHARED;
	else if ((flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	if ((vm_flags & VM_SHARED) && !mapping)
		return -EINVAL;		/* shared pages live in a mapping */
	if (flags & MAP_NORESERVE)
		vm_flags |= VM_NORESERVE;
	if ((flags & MAP_GROWSDOWN) && !mapping)
		vm_flags |= VM_GROWSDOWN;
	mutex_lock(&mm->mmap_lock);
	if (too_much_memory(mm, len, vm_flags)) {
		ret = -ENOMEM;
	} else {
		ret = place_mapping(mm, addr, len, flags);
		if (ret >= 0)
			ret = map_vma(mm, ret, len, vm_flags, mapping, pgoff);
	}
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

long vm_map_anon(struct mm *mm, unsigned long start, unsigned long len, unsigned long vm_flags)
{
	long ret = -ENOMEM;

	vm_flags |= VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	mutex_lock(&mm->mmap_lock);
	if (range_ok(start, len) && !find_vma_intersection(mm, start, start + len) &&
	    !too_much_memory(mm, len, vm_flags))
		ret = map_vma(mm, start, len, vm_flags, NULL, 0);
	mutex_unlock(&mm->mmap_lock);
	return ret < 0 ? ret : 0;
}

long vm_map_special(struct mm *mm, struct page *page)
{
	unsigned long addr;
	pte_t *slot;
	long ret;

	mutex_lock(&mm->mmap_lock);
	addr = get_unmapped_area(mm, 0, PAGE_SIZE);
	ret = (long)addr;
	if (ret < 0)
		goto out;
	ret = map_vma(mm, addr, PAGE_SIZE, VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC | VM_SPECIAL,
		      NULL, 0);
	if (ret < 0)
		goto out;
	slot = user_pte_alloc(mm, addr);
	if (!slot) {
		ret = -ENOMEM;		/* the vma goes with the mm, which exec drops */
		goto out;
	}
	get_page(page);
	page_add_file_rmap(page);
	atomic_inc(&mm->rss_file);
	spin_lock(&mm->page_table_lock);
	set_pte(slot, pte_leaf(page_to_pfn(page), PTE_USER | PTE_READ | PTE_EXEC, 0));
	spin_unlock(&mm->page_table_lock);
out:
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

long vm_munmap(struct mm *mm, unsigned long addr, unsigned long len)
{
	long ret;

	len = PAGE_ALIGN(len);
	if (len == 0 || !range_ok(addr, len))
		return -EINVAL;
	mutex_lock(&mm->mmap_lock);
	ret = do_munmap(mm, addr, addr + len);
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

/* A vma is to have these permissions: what it promises from now on counts. 0 or -ENOMEM. */
static int set_protection(struct vma *vma, unsigned long want)
{
	unsigned long flags = (vma->flags & ~(VM_READ | VM_WRITE | VM_EXEC)) | want;
	unsigned long pages = (vma->end - vma->start) >> PAGE_SHIFT;

	if (promises(flags) && !(flags & VM_ACCOUNT)) {
		if (!vm_may_commit(pages))
			return -ENOMEM;
		vm_commit(pages);
		flags |= VM_ACCOUNT;
	}
	vma->flags = flags;
	return 0;
}

/* Rewrites the present entries for the vma's new permissions; write access comes back by fault. */
static void change_ptes(struct vma *vma)
{
	struct mm *mm = vma->mm;
	unsigned long addr = vma->start, next, prot = vma_pte_prot(vma);
	bool changed = false;

	spin_lock(&mm->page_table_lock);
	while (addr < vma->end) {
		pte_t *slot = user_pte_find(mm, addr, &next);

		if (!slot) {
			addr = next;
			continue;
		}
		do {
			if (pte_present(*slot)) {
				bool write = pte_write(*slot) && (vma->flags & VM_WRITE);

				set_pte(slot, pte_modify(*slot, prot | (write ? PTE_WRITE : 0)));
				changed = true;
			}
			slot++;
			addr += PAGE_SIZE;
		} while (addr < vma->end && !IS_ALIGNED(addr, PMD_SIZE));
	}
	if (changed)
		arch_flush_tlb_range(&mm->ctx, vma->start, vma->end);
	spin_unlock(&mm->page_table_lock);
}

/* The whole range is mapped and may have these permissions: 0, -ENOMEM or -EACCES. */
static int check_protectable(struct mm *mm, unsigned long start, unsigned long end,
			     unsigned long want)
{
	unsigned long at = start;
	struct vma *vma;

	for (vma = find_vma(mm, start); at < end; vma = vma_next(vma)) {
		if (!vma || vma->start > at)
			return -ENOMEM;
		if ((want & ~(vma->flags >> 4)) & (VM_READ | VM_WRITE | VM_EXEC))
			return -EACCES;
		at = vma->end;
	}
	return 0;
}

long vm_mprotect(struct mm *mm, unsigned long addr, unsigned long len, unsigned long prot)
{
	unsigned long want = prot_to_flags(prot), end;
	struct vma *vma;
	long ret;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return -EINVAL;
	if (len == 0)
		return 0;
	len = PAGE_ALIGN(len);
	if (len == 0 || !range_ok(addr, len))
		return -ENOMEM;
	end = addr + len;
	mutex_lock(&mm->mmap_lock);
	ret = check_protectable(mm, addr, end, want);
	if (ret == 0)
		ret = split_at_bounds(mm, addr, end);
	if (ret)
		goto out;
	vma = find_vma(mm, addr);
	while (vma && vma->start < end) {
		ret = set_protection(vma, want);
		if (ret)
			break;
		change_ptes(vma);
		vma = vma_next(vma_merge(vma));
	}
out:
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

long vm_brk(struct mm *mm, unsigned long brk)
{
	unsigned long old, new;
	long ret;

	mutex_lock(&mm->mmap_lock);
	ret = mm->brk;
	if (brk < mm->start_brk || brk > task_size || brk - mm->start_brk > mm->data_limit)
		goto out;
	old = PAGE_ALIGN(mm->brk);
	new = PAGE_ALIGN(brk);
	if (new < old) {
		if (do_munmap(mm, new, old))
			goto out;
	} else if (new > old) {
		unsigned long flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
				      VM_HEAP;

		if (too_much_memory(mm, new - old, flags) ||
		    find_vma_intersection(mm, old, new + PAGE_SIZE) ||
		    map_vma(mm, old, new - old, flags, NULL, 0) < 0)
			goto out;
	}
	mm->brk = brk;
	ret = brk;
out:
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

/* Pages from @from and @to on, at most @left bytes, that one table holds on either side. */
static unsigned long move_step(unsigned long from, unsigned long to, unsigned long left)
{
	unsigned long step = PMD_SIZE - max(from & (PMD_SIZE - 1), to & (PMD_SIZE - 1));

	return min(step, left);
}

/* Makes the tables at @to that move_ptes() will need: 0 or -ENOMEM. */
static int prepare_move(struct mm *mm, unsigned long from, unsigned long to, unsigned long len)
{
	for (unsigned long off = 0, next; off < len; ) {
		if (!user_pte_find(mm, from + off, &next)) {
			off = next - from;
			continue;
		}
		if (!user_pte_alloc(mm, to + off))
			return -ENOMEM;
		off += move_step(from + off, to + off, len - off);
	}
	return 0;
}

/* Moves the entries of [from, from+len) to @to in the same mm, where the tables exist. */
static void move_ptes(struct mm *mm, unsigned long from, unsigned long to, unsigned long len)
{
	for (unsigned long off = 0, next, step; off < len; off += step) {
		pte_t *src = user_pte_find(mm, from + off, &next), *dst;
		bool moved = false;

		if (!src) {
			step = next - (from + off);
			continue;
		}
		dst = user_pte_find(mm, to + off, NULL);
		step = move_step(from + off, to + off, len - off);
		spin_lock(&mm->page_table_lock);
		for (unsigned long i = 0; i < step >> PAGE_SHIFT; i++) {
			if (pte_none(src[i]))
				continue;
			set_pte(&dst[i], src[i]);
			set_pte(&src[i], (pte_t){ 0 });
			moved = true;
		}
		if (moved)
			arch_flush_tlb_range(&mm->ctx, from + off, from + off + step);
		spin_unlock(&mm->page_table_lock);
	}
}

/*
 * Makes a second vma like @vma's [old, old+new_len) at @to, which is free, and moves the pages
 * there. All that can fail comes before the first page moves. The new vma is behind the old one on
 * the lists of reverse mapping, as rmap.c wants it.
 */
static long move_vma(struct vma *vma, unsigned long old, unsigned long old_len,
		     unsigned long new_len, unsigned long to)
{
	unsigned long both = min(old_len, new_len);
	struct mm *mm = vma->mm;
	struct vma *new;

	if (mm->map_count > MAX_MAP_COUNT - 3 || split_at_bounds(mm, old, old + old_len))
		return -ENOMEM;
	vma = find_vma(mm, old);
	new = vma_new(mm, to, to + new_len, vma->flags & ~VM_HEAP);
	if (!new)
		return -ENOMEM;
	new->pgoff = vma->pgoff;
	new->mapping = vma->mapping;
	new->anon_vma = vma->anon_vma;
	if (new->mapping)
		new->mapping->ops->get(new->mapping);
	if (new->anon_vma)
		atomic_inc(&new->anon_vma->refs);
	vma_insert(mm, new);
	if (prepare_move(mm, old, to, both)) {
		do_munmap(mm, to, to + new_len);
		return -ENOMEM;
	}
	move_ptes(mm, old, to, both);
	do_munmap(mm, old, old + old_len);	/* ends at bounds of vmas: splits nothing */
	return to;
}

/* mmap_lock held; everything was checked but what depends on the vma. */
static long do_mremap(struct mm *mm, unsigned long addr, unsigned long old_len,
		      unsigned long new_len, unsigned long flags, unsigned long new_addr)
{
	struct vma *vma = find_vma_intersection(mm, addr, addr + 1), *next;
	long to;
	int err;

	if (!vma || vma->end - addr < old_len || (vma->flags & VM_SPECIAL))
		return -EFAULT;
	if (vma->mapping &&
	    vma->pgoff + ((addr - vma->start + new_len - 1) >> PAGE_SHIFT) > MAX_PGOFF)
		return -EINVAL;
	if (new_len > old_len && too_much_memory(mm, new_len - old_len, vma->flags))
		return -ENOMEM;
	if (flags & MREMAP_FIXED) {
		if (addr < new_addr + new_len && new_addr < addr + old_len)
			return -EINVAL;
		err = do_munmap(mm, new_addr, new_addr + new_len);
		if (err)
			return err;
		vma = find_vma(mm, addr);
		return move_vma(vma, addr, old_len, new_len, new_addr);
	}
	if (new_len <= old_len) {
		err = new_len < old_len ? do_munmap(mm, addr + new_len, addr + old_len) : 0;
		return err ? err : (long)addr;
	}
	next = vma_next(vma);
	if (vma->end == addr + old_len && range_ok(addr, new_len) &&
	    (!next || next->start >= addr + new_len)) {
		vma_resize(vma, vma->start, addr + new_len);
		return addr;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = get_unmapped_area(mm, 0, new_len);
	return to < 0 ? to : move_vma(vma, addr, old_len, new_len, to);
}

long vm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
	       unsigned long flags, unsigned long new_addr)
{
	long ret;

	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || new_len == 0 || old_len == 0 ||
	    !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && (!(flags & MREMAP_MAYMOVE) || !range_ok(new_addr, new_len)))
		return -EINVAL;
	if (!range_ok(addr, old_len))
		return -EFAULT;
	if (new_len > task_size)
		return -ENOMEM;
	mutex_lock(&mm->mmap_lock);
	ret = do_mremap(mm, addr, old_len, new_len, flags, new_addr);
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

/*
 * Calls fn on each piece of the range that is mapped: first error, or -ENOMEM if there are holes.
 */
static long for_each_piece(struct mm *mm, unsigned long addr, unsigned long len,
			   int (*fn)(struct vma *vma, unsigned long start, unsigned long end))
{
	unsigned long at = addr, end = addr + len;
	struct vma *vma;
	long ret = 0;

	for (vma = find_vma(mm, addr); vma && vma->start < end; vma = vma_next(vma)) {
		int err;

		if (vma->start > at)
			ret = -ENOMEM;
		at = min(vma->end, end);
		err = fn(vma, max(vma->start, addr), at);
		if (err)
			return err;
	}
	return at < end ? -ENOMEM : ret;
}

static int dont_need(struct vma *vma, unsigned long start, unsigned long end)
{
	if (vma->flags & (VM_LOCKED | VM_SPECIAL))
		return -EINVAL;
	zap_range(vma->mm, vma, start, end);
	return 0;
}

static int nothing(struct vma *vma, unsigned long start, unsigned long end)
{
	(void)vma;
	(void)start;
	(void)end;
	return 0;
}

/* Advice in the narrow sense may be ignored; what changes contents or fork may not. */
static bool advice_known(int advice)
{
	switch (advice) {
	case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED:
	case MADV_DONTNEED: case MADV_FREE: case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
		return true;
	default:
		return false;
	}
}

long vm_madvise(struct mm *mm, unsigned long addr, unsigned long len, int advice)
{
	long ret;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || !advice_known(advice) || (len && !PAGE_ALIGN(len)))
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (len == 0)
		return 0;
	if (!range_ok(addr, len))
		return -ENOMEM;
	mutex_lock(&mm->mmap_lock);
	ret = for_each_piece(mm, addr, len, advice == MADV_DONTNEED ? dont_need : nothing);
	mutex_unlock(&mm->mmap_lock);
	return ret;
}

/*
 * Write-back takes page locks and sleeps for the disk: not under mmap_lock. So each file range is
 * looked up under the lock, and written with only a reference on its mapping.
 */
long vm_msync(struct mm *mm, unsigned long addr, unsigned long len, int flags)
{
	unsigned long at = addr, end;
	long ret = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || (flags & ~(MS_ASYNC | MS_SYNC | MS_INVALIDATE)) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!range_ok(addr, len))
		return -ENOMEM;
	end = addr + len;
	while (at < end) {
		struct address_space *mapping = NULL;
		struct vma *vma;
		loff_t from = 0, to = 0;
		int err;

		mutex_lock(&mm->mmap_lock);
		vma = find_vma(mm, at);
		if (!vma || vma->start > at)
			ret = -ENOMEM;
		if (!vma || vma->start >= end) {
			mutex_unlock(&mm->mmap_lock);
			break;
		}
		at = max(at, vma->start);
		if ((flags & MS_SYNC) && vma->mapping && (vma->flags & VM_SHARED)) {
			mapping = vma->mapping;
			mapping->ops->get(mapping);
			from = (loff_t)vma->pgoff * PAGE_SIZE + (at - vma->start);
			to = from + (min(vma->end, end) - at) - 1;
		}
		at = min(vma->end, end);
		mutex_unlock(&mm->mmap_lock);
		if (!mapping)
			continue;
		err = mapping->ops->sync_range ? mapping->ops->sync_range(mapping, from, to) : 0;
		mapping->ops->put(mapping);
		if (err)
			return err;
	}
	return ret;
}

long vm_mincore(struct mm *mm, unsigned long addr, unsigned long len, unsigned char *user_vec)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (len > task_size || !range_ok(addr, PAGE_ALIGN(len)))
		return -ENOMEM;
	for (unsigned long i = 0; i < PAGE_ALIGN(len) >> PAGE_SHIFT; i++) {
		unsigned char present;
		pte_t *slot;
		bool mapped;

		mutex_lock(&mm->mmap_lock);
		mapped = find_vma_intersection(mm, addr, addr + 1) != NULL;
		spin_lock(&mm->page_table_lock);
		slot = user_pte_find(mm, addr, NULL);
		present = slot && pte_present(*slot);
		spin_unlock(&mm->page_table_lock);
		mutex_unlock(&mm->mmap_lock);
		if (!mapped)
			return -ENOMEM;
		if (put_user(present, user_vec + i))
			return -EFAULT;
		addr += PAGE_SIZE;
	}
	return 0;
}
