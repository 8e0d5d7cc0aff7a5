/* swapoff: each page-table entry on the area that is to go is faulted in, as if the program had touched it. */
#include "mm/fault/fault.h"
#include "lib/errno.h"
#include "mm/vm/swapmap.h"
#include "sched/thread.h"

static bool on_area(const pte_t *slot, unsigned int type)
{
	pte_t pte = { READ_ONCE(slot->v) };

	return pte_is_swap(pte) && swp_type((swp_entry_t){ pte_swap_entry(pte) }) == type;
}

/* The first address in [from, end) whose entry is on the area, or @end; mmap_lock held. */
static unsigned long next_swapped(struct mm *mm, unsigned long from, unsigned long end,
				  unsigned int type)
{
	unsigned long next;

	while (from < end) {
		pte_t *slot = user_pte_find(mm, from, &next);

		if (slot && on_area(slot, type))
			return from;
		from = slot ? from + PAGE_SIZE : next;
	}
	return end;
}

static int result_error(enum fault_result result)
{
	return result == FAULT_DONE ? 0 : result == FAULT_NO_MEMORY ? -ENOMEM : -EIO;
}

int unuse_mm(struct mm *mm, unsigned int type)
{
	struct vma *vma;
	int err = 0;

	mutex_lock(&mm->mmap_lock);
	for_each_vma(mm, vma) {
		unsigned long at = vma->start;

		while (!err && (at = next_swapped(mm, at, vma->end, type)) < vma->end) {
			err = result_error(swap_in(vma, at));
			if (!err && fatal_signal_pending(current_thread()))
				err = -EINTR;
		}
		if (err)
			break;
	}
	mutex_unlock(&mm->mmap_lock);
	return err;
}
