/*
 * Swap: anonymous pages on a block device.
 *
 * The swap cache is to swap areas what the page cache is to files: the pages that memory and a slot both
 * have, found by swap entry. A page is in it from the moment a slot is given to it (add_to_swap) until
 * nothing reads or writes the slot any more and memory's copy alone is kept, or memory's copy goes and the
 * slot's stays. In between
 *
 *	PG_swapcache	private = the entry; the cache holds one reference
 *	PG_dirty	the slot does not have these contents (yet)
 *
 * and no page-table entry may be writable unless the page is dirty. So a page that is clean and unmapped can
 * simply be dropped. Only a locked page enters, leaves, or starts writeback; one under writeback does not
 * leave, for its slot would be given to another while the device still writes to it.
 *
 * Locks: page lock; page_table_lock; the cache's lock (spin, irq-safe); swap_lock of vm/swapmap.c.
 */
#pragma once

#include "mm/cache/pagecache.h"
#include "mm/vm/mm.h"
#include "mm/vm/swapmap.h"

static inline swp_entry_t page_swap_entry(const struct page *page)
{
	return (swp_entry_t){ page->private };
}

/* ---- swap_cache.c ------------------------------------------------------------------------- */

/* Gives a locked, uptodate anonymous page a slot and enters it, dirty. False: no slot, no memory. */
bool add_to_swap(struct page *page);
/* The page of @entry, referenced, or NULL. Not locked, maybe not uptodate. Any context. */
struct page *lookup_swap_cache(swp_entry_t entry);
/*
 * The page of @entry for @addr in @vma, referenced; if it must be read, the read is started and *@major set:
 * it is locked until it ends, and uptodate then unless the device failed. NULL: nobody holds the entry any
 * more. ERR_PTR(-ENOMEM). mmap_lock held; sleeps.
 */
struct page *read_swap_cache(swp_entry_t entry, struct vma *vma, unsigned long addr, bool *major);
/* Takes a locked page that is not under writeback out of the cache: memory has the only copy of it. */
void delete_from_swap_cache(struct page *page);
/* Does so if no page-table entry needs the slot any more, and nothing is being written: true if it did. */
bool try_to_free_swap(struct page *page);
/* Takes a locked page out whose only holders are the cache and the caller, if it is clean or nobody needs
 * its contents: its slot has them. True if it went. */
bool remove_swap_cache(struct page *page);
/* Starts the write of a locked, unmapped page whose PG_dirty was just cleared; unlocks it. */
void swap_writepage(struct page *page);
/* Pages of area @type that are only in the cache lose their slots. */
void swap_cache_purge(unsigned int type);

/* ---- swapfile.c --------------------------------------------------------------------------- */

struct block_device;

/* The device becomes a swap area, if mkswap(8) has written its header: 0, -EINVAL (no header that we know),
 * -EBUSY, -EPERM (too many areas), -EIO, -ENOMEM. @prio: -1 for the order of their coming. Sleeps. */
int swap_on(struct block_device *bdev, const char *name, int prio);
/* The area's type that lies on @bdev, or -EINVAL. */
int swap_type_of(const struct block_device *bdev);
/* Before and after its pages were brought back by unuse_mm() for every mm. The last: 0 or -EBUSY. */
int swap_off_end(unsigned int type);
/* Where the swap device of @type is. */
struct block_device *swap_bdev(unsigned int type);
