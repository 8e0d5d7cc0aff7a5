/*
 * The page cache: the pages of every file, and of every block device's metadata, by index. It is
 * the only cache there is; reads, writes, mmap, directories and inode tables all use these pages.
 *
 * A page in the cache holds one reference for the cache. PG_locked is taken to fill, write or
 * truncate it. PG_dirty says it must be written, PG_writeback says it is on its way.
 * RADIX_TAG_DIRTY lasts from the one to the other: the bit is cleared before a page is submitted,
 * but the tag only as RADIX_TAG_WRITEBACK is set, so that who looks for pages not yet on the medium
 * finds it at any time. Locks: page lock, then mapping->tree_lock (irq-safe: I/O completion takes
 * it).
 */
#pragma once

#include "lib/radix.h"
#include "block/block.h"
#include "sched/mutex.h"
#include "mm/phys/page_alloc.h"
#include "mm/vm/uaccess.h"

#include "mm/vm/address_space.h"

void address_space_init(struct address_space *mapping, struct inode *host,
			const struct address_space_operations *ops);
/* Nodes for radix_insert(): at least @need in @pool, 0 or -ENOMEM; and what is left over given back. */
int radix_pool_fill(struct radix_pool *pool, unsigned int need, gfp_t gfp);
void radix_pool_release(struct radix_pool *pool);
/* Cached page, referenced, or NULL. Not locked, maybe not uptodate. */
struct page *find_get_page(struct address_space *mapping, pgoff_t index);
/* Locked and referenced; made (not uptodate) if missing. ERR_PTR(-ENOMEM). */
struct page *grab_cache_page(struct address_space *mapping, pgoff_t index);
/* Uptodate, referenced, unlocked; read if need be. ERR_PTR(-EIO, -ENOMEM …). Sleeps. */
struct page *read_cache_page(struct address_space *mapping, pgoff_t index);
/* The same; if the page is not cached at all, starts the reads of @ahead pages from it on first. */
struct page *read_cache_page_ahead(struct address_space *mapping, pgoff_t index,
				   unsigned long ahead);
/* Starts reads of up to n pages from index that are not cached. */
void page_cache_readahead(struct address_space *mapping, pgoff_t index, unsigned long n);

void lock_page(struct page *page);
bool trylock_page(struct page *page);
int lock_page_killable(struct page *page);
void unlock_page(struct page *page);
void wait_on_page_writeback(struct page *page);
void set_page_writeback(struct page *page);	/* page locked */
void end_page_writeback(struct page *page);	/* any context */
void wait_on_page_locked(struct page *page);
/* Marks a cached page dirty (tag, counts, ops->dirtied); true if it was clean. Page locked or
 * mapped under page_table_lock; not from interrupts. */
bool set_page_dirty(struct page *page);
/* The page's tags follow its bits: it is no longer meant to be written, nor dirty unless PG_dirty.
 * Its mapping's tree_lock held. */
void untag_written(struct address_space *mapping, struct page *page);
/* Clears PG_dirty before writing: also takes dirt from page tables (page_mkclean). Page locked. */
bool clear_page_dirty_for_io(struct page *page);

/* write-back.c */
/* Writes dirty pages in the range, waits for them if wbc->sync; first error. */
int do_writepages(struct address_space *mapping, struct writeback_control *wbc);
/* Starts the write of a locked page whose PG_dirty was just cleared (clear_page_dirty_for_io); unlocks it. 0 or
 * -errno, which the mapping remembers. */
int write_locked_page(struct address_space *mapping, struct page *page,
		      struct writeback_control *wbc);
int filemap_fdatawrite_range(struct address_space *mapping, loff_t start, loff_t end);
int filemap_fdatawait_range(struct address_space *mapping, loff_t start, loff_t end);
int filemap_write_and_wait(struct address_space *mapping);
/* Called after dirtying: a writer slows down here when too much is dirty. May sleep. */
void balance_dirty_pages(struct address_space *mapping);

/* Before a file is cut at byte @from: the page that is cut, read and held so that it cannot go before it is zeroed;
 * NULL: none is. ERR_PTR(-ENOMEM, -EIO): then the file must stay as it is. Sleeps. */
struct page *truncate_tail(struct address_space *mapping, loff_t from);
/* Removes pages from byte @from on: unmaps, waits for writeback, zeroes the rest of @tail, which
 * truncate_tail() gave, and lets go of it. The size was reduced before. Sleeps. */
void truncate_pagecache(struct address_space *mapping, loff_t from, struct page *tail);
/* Removes every page (clean or dirty) when the host dies. After it nobody who worked on a page of
 * the mapping touches the mapping any more: it may be freed. */
void truncate_inode_pages(struct address_space *mapping);
/* Frees clean, unmapped, unused pages of a mapping: number freed. */
unsigned long invalidate_mapping_pages(struct address_space *mapping);
/* Frees one locked, clean, unmapped page out of the cache if only the cache and the caller hold it;
 * true if so. Used by droppers and reclaim. */
bool remove_mapping(struct address_space *mapping, struct page *page);

/* filemap.c: read and write of a regular file through the cache; bytes or -errno. The write path is
 * called with the inode lock held; extends the size through @extend(mapping, new_size). *@prev_pos is
 * where the last read of this open file ended, 0 at first. */
ssize_t generic_file_read(struct address_space *mapping, loff_t *pos, struct iov_iter *it,
			  loff_t *prev_pos);
ssize_t generic_file_write(struct address_space *mapping, loff_t *pos, struct iov_iter *it,
			   void (*extend)(struct address_space *mapping, loff_t size));

/*
 * mm/reclaim: pages that enter and leave the cache; the FIFO dropper (labs 1-4) or the LRU (lab 5).
 */
struct lru_ops {
	void (*add)(struct page *page);		/* new cache or anonymous page */
	void (*del)(struct page *page);		/* being freed or removed */
	void (*touch)(struct page *page);	/* read by a system call */
	void (*rotate)(struct page *page);	/* PG_reclaim, and its writeback ended. Any context */
};
extern const struct lru_ops *lru_ops;
/* Frees all clean unused cache pages of every mapping, e.g. for /proc/sys/vm/drop_caches. */
unsigned long drop_pagecache(void);
