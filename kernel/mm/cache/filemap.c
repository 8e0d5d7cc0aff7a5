/*
 * The page cache: finding, filling, reading and writing the pages of files.
 *
 * A page is in the cache while its address_space's tree points to it; the tree's pointer is one
 * reference. What may happen to it is said by three bits, in this life:
 *
 *	absent -> locked, not uptodate -> uptodate (clean) <-> dirty -> writeback -> clean -> absent
 *
 * It enters locked, and whoever entered it starts the read, whose completion sets PG_uptodate (or
 * leaves it clear: an I/O error) and unlocks. Only a locked page enters, leaves, becomes dirty
 * through a write, or starts writeback. Readers copy from an uptodate page without locking it.
 *
 * remove_mapping() is the one way out that asks whether anyone else holds the page: under
 * tree_lock, where find_get_page() takes its reference, a count of two (the tree's and the
 * caller's) cannot grow.
 */
#include "mm/cache/pagecache.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/string.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "mm/vm/mm.h"

static struct kmem_cache *radix_node_cache;
const struct lru_ops *lru_ops;

static int filemap_init(void)
{
	radix_node_cache = kmem_cache_create("radix_tree_node", sizeof(struct radix_node), 8,
					     SLAB_PANIC | SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT, NULL);
	return 0;
}
core_initcall(filemap_init);

void address_space_init(struct address_space *mapping, struct inode *host,
			const struct address_space_operations *ops)
{
	memset(mapping, 0, sizeof(*mapping));
	mapping->host = host;
	mapping->ops = ops;
	radix_init(&mapping->pages);
	spin_lock_init(&mapping->tree_lock);
	spin_lock_init(&mapping->i_mmap_lock);
	INIT_LIST_HEAD(&mapping->i_mmap);
}

/* May the contents be read without the page lock? They were written before the bit. */
static bool page_readable(const struct page *page)
{
	if (!PageUptodate(page))
		return false;
	smp_rmb();
	return true;
}

void radix_pool_release(struct radix_pool *pool)
{
	struct radix_node *node;

	while ((node = radix_pool_get(pool)))
		kmem_cache_free(radix_node_cache, node);
}

int radix_pool_fill(struct radix_pool *pool, unsigned int need, gfp_t gfp)
{
	while (pool->n < need) {
		struct radix_node *node = kmem_cache_alloc(radix_node_cache, gfp);

		if (!node)
			return -ENOMEM;
		radix_pool_put(pool, node);
	}
	return 0;
}

/* Enters a fresh page, locking it and taking the tree's reference. 0, -EEXIST or -ENOMEM. */
static int add_to_page_cache(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned int need = 0;
	unsigned long flags;
	int err;

	__SetPageLocked(page);
	page->mapping = mapping;
	page->index = index;
	do {
		err = radix_pool_fill(&pool, need, GFP_NOFS);
		if (err)
			break;
		spin_lock_irqsave(&mapping->tree_lock, flags);
		err = radix_insert(&mapping->pages, index, page, &pool);
		if (err == -ENOMEM)
			need = radix_need(&mapping->pages, index);
		if (err == 0) {
			get_page(page);
			mapping->nrpages++;
		}
		spin_unlock_irqrestore(&mapping->tree_lock, flags);
	} while (err == -ENOMEM);
	radix_pool_release(&pool);
	if (err) {
		page->mapping = NULL;
		__ClearPageLocked(page);
		return err;
	}
	inc_vm_stat(NR_FILE_PAGES);
	if (mapping->ops->swap_backed) {
		SetPageSwapBacked(page);
		inc_vm_stat(NR_SHMEM);	/* remove_from_cache() counts down */
	}
	if (lru_ops)
		lru_ops->add(page);
	return 0;
}

void untag_written(struct address_space *mapping, struct page *page)
{
	radix_tag_clear(&mapping->pages, page->index, RADIX_TAG_TOWRITE);
	if (PageDirty(page) || !radix_tag_get(&mapping->pages, page->index, RADIX_TAG_DIRTY))
		return;
	radix_tag_clear(&mapping->pages, page->index, RADIX_TAG_DIRTY);
	mapping->nr_dirty--;
	dec_vm_stat(NR_FILE_DIRTY);
}

/*
 * Takes a locked page out of the tree if @wanted_refs hold it (0: however many). True if it went.
 */
static bool remove_from_cache(struct address_space *mapping, struct page *page, int wanted_refs)
{
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned long flags;

	spin_lock_irqsave(&mapping->tree_lock, flags);
	if (wanted_refs && (page_count(page) != wanted_refs || PageDirty(page))) {
		spin_unlock_irqrestore(&mapping->tree_lock, flags);
		return false;
	}
	ClearPageDirty(page);
	untag_written(mapping, page);
	radix_delete(&mapping->pages, page->index, &pool);
	mapping->nrpages--;
	page->mapping = NULL;
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	/* The mapping may be gone from here on. */
	radix_pool_release(&pool);
	dec_vm_stat(NR_FILE_PAGES);
	if (PageSwapBacked(page))
		dec_vm_stat(NR_SHMEM);
	if (lru_ops)
		lru_ops->del(page);
	put_page(page);
	return true;
}

bool remove_mapping(struct address_space *mapping, struct page *page)
{
	if (page->mapping != mapping || PageWriteback(page) || page_mapped(page))
		return false;
	return remove_from_cache(mapping, page, 2);
}

struct page *find_get_page(struct address_space *mapping, pgoff_t index)
{
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&mapping->tree_lock, flags);
	page = radix_lookup(&mapping->pages, index);
	if (page)
		get_page(page);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	return page;
}

/* The page, referenced; if it was missing, a fresh one, locked, and *@fresh. NULL: no memory. */
static struct page *find_or_add(struct address_space *mapping, pgoff_t index, gfp_t gfp,
				bool *fresh)
{
	for (;;) {
		struct page *page = find_get_page(mapping, index);
		int err;

		*fresh = false;
		if (page)
			return page;
		page = alloc_page(gfp | __GFP_MOVABLE);
		if (!page)
			return NULL;
		err = add_to_page_cache(mapping, page, index);
		if (err == 0) {
			*fresh = true;
			return page;
		}
		put_page(page);
		if (err != -EEXIST)
			return NULL;
	}
}

struct page *grab_cache_page(struct address_space *mapping, pgoff_t index)
{
	for (;;) {
		bool fresh;
		struct page *page = find_or_add(mapping, index, GFP_NOFS, &fresh);

		if (!page)
			return ERR_PTR(-ENOMEM);
		if (fresh)
			return page;
		lock_page(page);
		if (page->mapping == mapping)
			return page;
		unlock_page(page);		/* truncated while we slept */
		put_page(page);
	}
}

struct page *read_cache_page(struct address_space *mapping, pgoff_t index)
{
	for (;;) {
		bool fresh;
		struct page *page = find_or_add(mapping, index, GFP_NOFS, &fresh);
		int err = 0;

		if (!page)
			return ERR_PTR(-ENOMEM);
		if (!fresh) {
			if (page_readable(page))
				return page;
			lock_page(page);
			if (page->mapping != mapping) {
				unlock_page(page);
				put_page(page);
				continue;
			}
			if (PageUptodate(page)) {
				unlock_page(page);
				return page;
			}
		}
		inc_vm_stat(PGPGIN);
		err = mapping->ops->readpage(mapping, page);
		if (err == 0) {
			wait_on_page_locked(page);
			if (page_readable(page))
				return page;
			err = page->mapping ? -EIO : 0;	/* 0: truncated meanwhile */
		}
		put_page(page);
		if (err)
			return ERR_PTR(err);
	}
}

struct page *read_cache_page_ahead(struct address_space *mapping, pgoff_t index,
				   unsigned long ahead)
{
	struct page *page = find_get_page(mapping, index);

	if (page) {
		if (page_readable(page))
			return page;
		put_page(page);
	} else {
		page_cache_readahead(mapping, index, ahead);
	}
	return read_cache_page(mapping, index);
}

void page_cache_readahead(struct address_space *mapping, pgoff_t index, unsigned long n)
{
	pgoff_t end = index + n;

	if (mapping->size)
		end = min(end, (pgoff_t)DIV_ROUND_UP(mapping->size(mapping), (loff_t)PAGE_SIZE));
	for (; index < end; index++) {
		const gfp_t gfp = GFP_NOFS | __GFP_NORETRY | __GFP_NOWARN;
		bool fresh;
		struct page *page = find_or_add(mapping, index, gfp, &fresh);

		if (!page)
			return;
		if (fresh) {
			inc_vm_stat(PGPGIN);
			mapping->ops->readpage(mapping, page);
		}
		put_page(page);
	}
}

/* ---- dirty ---------------------------------------------------------------------------- */

bool set_page_dirty(struct page *page)
{
	struct address_space *mapping = page->mapping;
	unsigned long flags;
	bool was_clean;

	smp_mb();		/* the new contents, then the look at the bits: see write_one() */
	if (PageIcache(page))
		ClearPageIcache(page);
	if (PageDirty(page) || !mapping)
		return false;
	if (!mapping->ops->writepage) {		/* shared anonymous memory: never written */
		SetPageDirty(page);
		return true;
	}
	spin_lock_irqsave(&mapping->tree_lock, flags);
	was_clean = page->mapping == mapping && !TestSetPageDirty(page);
	if (was_clean && !radix_tag_get(&mapping->pages, page->index, RADIX_TAG_DIRTY)) {
		radix_tag_set(&mapping->pages, page->index, RADIX_TAG_DIRTY);
		mapping->nr_dirty++;
		inc_vm_stat(NR_FILE_DIRTY);
	}
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	if (was_clean && mapping->ops->dirtied)
		mapping->ops->dirtied(mapping);
	return was_clean;
}

bool clear_page_dirty_for_io(struct page *page)
{
	page_mkclean(page);
	return TestClearPageDirty(page);
}

/* ---- read and write ------------------------------------------------------------------- */

#define READAHEAD_PAGES	16

ssize_t generic_file_read(struct address_space *mapping, loff_t *pos, struct iov_iter *it,
			  loff_t *prev_pos)
{
	ssize_t done = 0;

	while (it->count) {
		loff_t size = mapping->size(mapping);
		pgoff_t index = *pos >> PAGE_SHIFT;
		size_t offset = *pos & (PAGE_SIZE - 1), n, ahead, copied;
		struct page *page;

		if (*pos >= size)
			break;
		n = min(min((loff_t)(PAGE_SIZE - offset), size - *pos), (loff_t)it->count);
		if (fatal_signal_pending(current_thread()))
			return done ? done : -EINTR;
		ahead = min((size_t)READAHEAD_PAGES,
			    PFN_UP(offset + it->count) + READAHEAD_PAGES / 4);
		page = read_cache_page_ahead(mapping, index, ahead);
		if (IS_ERR(page))
			return done ? done : PTR_ERR(page);
		/* One that goes on in the page where the last one ended is the same use of it. */
		if (lru_ops && index != (pgoff_t)((*prev_pos - 1) >> PAGE_SHIFT))
			lru_ops->touch(page);
		copied = copy_to_iter((char *)page_address(page) + offset, n, it);
		put_page(page);
		*pos += copied;
		*prev_pos = *pos;
		done += copied;
		if (copied < n)
			return done ? done : -EFAULT;
	}
	return done;
}

/*
 * One page's worth. The source may be the very page that is being written, or need it to be faulted
 * in; with the page locked that would deadlock. So the copy runs with faults disabled, and a short
 * copy is tried again after touching the source with nothing locked: at most *@limit bytes then, so
 * that what there is of a source that ends in the middle arrives.
 */
static ssize_t write_page(struct address_space *mapping, loff_t pos, struct iov_iter *it,
			  size_t *limit, void (*extend)(struct address_space *mapping, loff_t size))
{
	size_t offset = pos & (PAGE_SIZE - 1);
	size_t n = min(min((size_t)(PAGE_SIZE - offset), it->count), *limit), copied;
	struct page *page;
	int err;

	if (iov_iter_fault_in_readable(it, n))
		return -EFAULT;
	page = grab_cache_page(mapping, pos >> PAGE_SHIFT);
	if (IS_ERR(page))
		return PTR_ERR(page);
	err = mapping->ops->write_begin(mapping, page, offset, n);
	if (err) {
		unlock_page(page);
		put_page(page);
		return err;
	}
	pagefault_disable();
	copied = copy_from_iter((char *)page_address(page) + offset, n, it);
	pagefault_enable();
	*limit = PAGE_SIZE;
	if (copied < n && !PageUptodate(page)) {
		iov_iter_revert(it, copied);	/* the rest of the page is not valid */
		if (copied)
			*limit = copied;
		copied = 0;
	}
	if (copied) {
		SetPageUptodate(page);
		set_page_dirty(page);
		if (pos + (loff_t)copied > mapping->size(mapping))
			extend(mapping, pos + copied);
	}
	unlock_page(page);
	put_page(page);
	return copied;
}

ssize_t generic_file_write(struct address_space *mapping, loff_t *pos, struct iov_iter *it,
			   void (*extend)(struct address_space *mapping, loff_t size))
{
	size_t limit = PAGE_SIZE;
	unsigned int fruitless = 0;
	ssize_t done = 0;

	while (it->count) {
		ssize_t n = write_page(mapping, *pos, it, &limit, extend);

		if (n < 0)
			return done ? done : n;
		/* Memory so short that the source vanishes again each time: give up at last. */
		fruitless = n ? 0 : fruitless + 1;
		if (fruitless > 100)
			return done ? done : -EFAULT;
		*pos += n;
		done += n;
		balance_dirty_pages(mapping);
		if (fatal_signal_pending(current_thread()))
			break;
	}
	return done;
}

/* ---- removal -------------------------------------------------------------------------- */

static unsigned int gang_get(struct address_space *mapping, pgoff_t first, struct page **pages,
			     unsigned int max)
{
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&mapping->tree_lock, flags);
	n = radix_gang_lookup(&mapping->pages, first, (void **)pages, max, NULL);
	for (unsigned int i = 0; i < n; i++)
		get_page(pages[i]);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	return n;
}

static void truncate_page(struct address_space *mapping, struct page *page)
{
	lock_page(page);
	if (page->mapping == mapping) {
		wait_on_page_writeback(page);
		if (page_mapped(page))
			unmap_mapping_range(mapping, page->index, page->index, true);
		remove_from_cache(mapping, page, 0);
	}
	unlock_page(page);
}

static void truncate_pages_from(struct address_space *mapping, pgoff_t first)
{
	struct page *pages[16];
	unsigned int n;

	while ((n = gang_get(mapping, first, pages, ARRAY_SIZE(pages)))) {
		for (unsigned int i = 0; i < n; i++) {
			first = pages[i]->index + 1;
			truncate_page(mapping, pages[i]);
			put_page(pages[i]);
		}
	}
}

struct page *truncate_tail(struct address_space *mapping, loff_t from)
{
	return from & (PAGE_SIZE - 1) ? read_cache_page(mapping, from >> PAGE_SHIFT) : NULL;
}

/* Zeroes the page behind @from, so that growing again shows zeroes. */
static void zero_tail(struct address_space *mapping, struct page *page, loff_t from)
{
	size_t offset = from & (PAGE_SIZE - 1);
	char *tail = (char *)page_address(page) + offset;

	lock_page(page);
	for (size_t i = 0; page->mapping == mapping && i < PAGE_SIZE - offset; i++) {
		if (!tail[i])
			continue;
		memset(tail, 0, PAGE_SIZE - offset);
		set_page_dirty(page);
		break;
	}
	unlock_page(page);
}

void truncate_pagecache(struct address_space *mapping, loff_t from, struct page *tail)
{
	pgoff_t first = DIV_ROUND_UP((unsigned long)from, PAGE_SIZE);

	unmap_mapping_range(mapping, first, ~0UL >> PAGE_SHIFT, true);
	truncate_pages_from(mapping, first);
	/* A fault may have made a private copy of a page between the two: that goes, too. */
	unmap_mapping_range(mapping, first, ~0UL >> PAGE_SHIFT, true);
	if (tail) {
		zero_tail(mapping, tail, from);
		put_page(tail);
	}
}

void truncate_inode_pages(struct address_space *mapping)
{
	unsigned long flags;

	if (READ_ONCE(mapping->nrpages))
		truncate_pages_from(mapping, 0);
	/* Who took the last page out, or ended its write, may still hold the lock. */
	spin_lock_irqsave(&mapping->tree_lock, flags);
	BUG_ON(mapping->nrpages);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
}

unsigned long invalidate_mapping_pages(struct address_space *mapping)
{
	unsigned long freed = 0;
	struct page *pages[16];
	pgoff_t first = 0;
	unsigned int n;

	while ((n = gang_get(mapping, first, pages, ARRAY_SIZE(pages)))) {
		for (unsigned int i = 0; i < n; i++) {
			first = pages[i]->index + 1;
			if (trylock_page(pages[i])) {
				freed += remove_mapping(mapping, pages[i]);
				unlock_page(pages[i]);
			}
			put_page(pages[i]);
		}
	}
	return freed;
}
