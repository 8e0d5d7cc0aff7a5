/*
 * Writing dirty pages back. Who decides when: fsync and sync (now, and wait), the flusher thread
 * (fs/writeback.c, every few seconds and when woken), and a writer that finds too much memory dirty
 * (balance_dirty_pages), who then writes some of its own file's pages: that is what slows it down
 * to the device's speed.
 */
#include "mm/cache/pagecache.h"
#include "mm/cache/writeback.h"
#include "mm/phys/vmstat.h"

void (*flusher_wake_hook)(void);

/* Up to @max tagged pages in [first, last], referenced. */
static unsigned int gang_get_tag(struct address_space *mapping, pgoff_t first, pgoff_t last,
				 struct page **pages, unsigned int max, enum radix_tag tag)
{
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&mapping->tree_lock, flags);
	n = radix_gang_lookup_tag(&mapping->pages, first, (void **)pages, max, NULL, tag);
	while (n && pages[n - 1]->index > last)
		n--;
	for (unsigned int i = 0; i < n; i++)
		get_page(pages[i]);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	return n;
}

void mapping_set_error(struct address_space *mapping, int err)
{
	if (err)
		WRITE_ONCE(mapping->wb_err, err);
}

int filemap_check_errors(struct address_space *mapping)
{
	return READ_ONCE(mapping->wb_err) ? xchg(&mapping->wb_err, 0) : 0;
}

/* A page that was not submitted: whatever it was tagged for is over. Page locked. */
static void tidy_tags(struct address_space *mapping, struct page *page)
{
	unsigned long flags;

	spin_lock_irqsave(&mapping->tree_lock, flags);
	if (page->mapping == mapping)
		untag_written(mapping, page);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
}

int write_locked_page(struct address_space *mapping, struct page *page,
		      struct writeback_control *wbc)
{
	int err;

	wbc->nr_to_write--;
	inc_vm_stat(PGPGOUT);
	err = mapping->ops->writepage(mapping, page, wbc);	/* unlocks */
	if (!err)
		return 0;
	mapping_set_error(mapping, err);
	lock_page(page);
	tidy_tags(mapping, page);
	unlock_page(page);
	return err;
}

/* Starts the write of one page if it is (still) dirty; 0 or -errno. */
static int write_one(struct address_space *mapping, struct page *page,
		     struct writeback_control *wbc)
{
	lock_page(page);
	if (page->mapping != mapping || !PageDirty(page))
		goto out;
	if (PageWriteback(page)) {
		if (!wbc->sync)
			goto out;
		wait_on_page_writeback(page);
	}
	if (clear_page_dirty_for_io(page))
		return write_locked_page(mapping, page, wbc);
out:
	tidy_tags(mapping, page);
	unlock_page(page);
	return 0;
}

/*
 * Marks the pages that are dirty now: a walk over these ends, while one over whatever is dirty
 * could chase a fast writer for ever.
 */
static void tag_for_writeback(struct address_space *mapping, pgoff_t first, pgoff_t last)
{
	unsigned long indices[16], flags;
	struct page *pages[16];
	unsigned int n;

	do {
		spin_lock_irqsave(&mapping->tree_lock, flags);
		n = radix_gang_lookup_tag(&mapping->pages, first, (void **)pages,
					  ARRAY_SIZE(pages), indices, RADIX_TAG_DIRTY);
		while (n && indices[n - 1] > last)
			n--;
		for (unsigned int i = 0; i < n; i++)
			radix_tag_set(&mapping->pages, indices[i], RADIX_TAG_TOWRITE);
		spin_unlock_irqrestore(&mapping->tree_lock, flags);
		if (n)
			first = indices[n - 1] + 1;
	} while (n == ARRAY_SIZE(pages));
}

int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	bool everything = wbc->nr_to_write == __LONG_MAX__;
	enum radix_tag tag = everything ? RADIX_TAG_TOWRITE : RADIX_TAG_DIRTY;
	pgoff_t at = wbc->start;
	struct page *pages[16];
	int first_err = 0;
	unsigned int n;

	if (!mapping->ops->writepage)
		return 0;
	if (everything)
		tag_for_writeback(mapping, at, wbc->end);
	while (wbc->nr_to_write > 0 && at <= wbc->end &&
	       (n = gang_get_tag(mapping, at, wbc->end, pages, ARRAY_SIZE(pages), tag))) {
		for (unsigned int i = 0; i < n; i++) {
			int err = 0;

			at = pages[i]->index + 1;
			if (wbc->nr_to_write > 0)
				err = write_one(mapping, pages[i], wbc);
			if (!first_err)
				first_err = err;
			put_page(pages[i]);
		}
	}
	return first_err;
}

int filemap_fdatawrite_range(struct address_space *mapping, loff_t start, loff_t end)
{
	struct writeback_control wbc = {
		.nr_to_write = __LONG_MAX__,
		.sync = true,
		.start = start >> PAGE_SHIFT,
		.end = end >> PAGE_SHIFT,
	};

	return do_writepages(mapping, &wbc);
}

/* Stops at the end of the file as it is now: what is appended meanwhile is none of our business. */
int filemap_fdatawait_range(struct address_space *mapping, loff_t start, loff_t end)
{
	pgoff_t at = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct page *pages[16];
	unsigned int n;

	if (mapping->size)
		last = min(last, (pgoff_t)mapping->size(mapping) >> PAGE_SHIFT);

	while (at <= last && (n = gang_get_tag(mapping, at, last, pages, ARRAY_SIZE(pages),
					       RADIX_TAG_WRITEBACK))) {
		for (unsigned int i = 0; i < n; i++) {
			at = pages[i]->index + 1;
			wait_on_page_writeback(pages[i]);
			put_page(pages[i]);
		}
	}
	return filemap_check_errors(mapping);
}

int filemap_write_and_wait(struct address_space *mapping)
{
	loff_t end = (loff_t)(~0UL >> 1);
	int err = filemap_fdatawrite_range(mapping, 0, end);
	int wait_err = filemap_fdatawait_range(mapping, 0, end);

	return err ? err : wait_err;
}

/* Percent of all memory: above the first the flusher works, above the second writers do too. */
unsigned int dirty_background_ratio = 10;
unsigned int dirty_ratio = 20;

void balance_dirty_pages(struct address_space *mapping)
{
	unsigned long dirty = vm_stat_read(NR_FILE_DIRTY) + vm_stat_read(NR_WRITEBACK);
	struct writeback_control wbc = { .nr_to_write = 32, .end = ~0UL >> PAGE_SHIFT };

	if (dirty <= totalram_pages() * dirty_background_ratio / 100)
		return;
	if (flusher_wake_hook)
		flusher_wake_hook();
	if (dirty > totalram_pages() * dirty_ratio / 100) {
		do_writepages(mapping, &wbc);
		filemap_wait_some(mapping);
	}
}

/* Waits for one page under writeback, if there is any: the brake of a writer that is too fast. */
void filemap_wait_some(struct address_space *mapping)
{
	struct page *page;

	if (gang_get_tag(mapping, 0, ~0UL >> PAGE_SHIFT, &page, 1, RADIX_TAG_WRITEBACK)) {
		wait_on_page_writeback(page);
		put_page(page);
	}
}
