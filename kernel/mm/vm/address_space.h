/*
 * An address space in Linux's sense: the pages of one object (a file, a block device, shared
 * anonymous memory) by index, and who maps them. A vma points here, not to a file; the page cache
 * (mm/cache) works on it.
 */
#pragma once

#include "lib/radix.h"
#include "lib/list.h"
#include "lib/atomic.h"
#include "base/spinlock.h"

struct page;
struct inode;
struct address_space;

struct writeback_control {
	long nr_to_write;		/* pages; counts down */
	bool sync;			/* wait for pages already under writeback: fsync */
	pgoff_t start, end;		/* inclusive range */
	bool for_reclaim;
};

struct address_space_operations {
	bool swap_backed;		/* no file is behind it: shared anonymous memory */
	/* Fills a locked page, unlocks it when done (perhaps later): 0 started, or -errno
	 * (unlocked). */
	int (*readpage)(struct address_space *mapping, struct page *page);
	/* Writes a locked dirty page (PG_dirty already cleared, mappings cleaned): sets
	 * PG_writeback, unlocks it, ends with end_page_writeback. 0 or -errno (then redirtied). */
	int (*writepage)(struct address_space *mapping, struct page *page,
			 struct writeback_control *wbc);
	/* Makes [from, from+len) of a locked page ready to be overwritten (reads it or zeroes it,
	 * allocates blocks or reserves them). 0 or -errno. */
	int (*write_begin)(struct address_space *mapping, struct page *page, unsigned int from,
			   unsigned int len);
	/* A shared mapping is about to write a locked page: allocate its block. 0 or -errno
	 * (-ENOSPC: SIGBUS) */
	int (*page_mkwrite)(struct address_space *mapping, struct page *page);
	void (*get)(struct address_space *mapping);	/* a vma holds the host */
	void (*put)(struct address_space *mapping);
	/* Path for /proc/<pid>/maps; writes at most size bytes with NUL. */
	int (*name)(struct address_space *mapping, char *buf, size_t size);
	/* msync(MS_SYNC): writes the byte range [start, end] and waits. 0 or -errno. */
	int (*sync_range)(struct address_space *mapping, loff_t start, loff_t end);
	/* Called when a dirty page appears: puts the host on the dirty list. Any context but
	 * interrupts. */
	void (*dirtied)(struct address_space *mapping);
};

struct address_space {
	struct inode *host;
	const struct address_space_operations *ops;
	spinlock_t tree_lock;
	struct radix_tree pages;
	unsigned long nrpages;
	unsigned long nr_dirty;			/* tagged dirty; under tree_lock */
	spinlock_t i_mmap_lock;
	struct list_head i_mmap;		/* vmas that map it */
	atomic_t i_mmap_writable;
	int wb_err;				/* first error since last reported by fsync */
	loff_t (*size)(struct address_space *mapping);	/* bytes; pages wholly beyond are SIGBUS */
};
