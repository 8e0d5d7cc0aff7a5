/*
 * ext2: the pages of regular files, and truncation.
 *
 * A page gets its block when it is first written to (write_begin, page_mkwrite): there is where ENOSPC can
 * be told. The block is pending (ordering.c) until the page is on disk. A new page is zeroed whole, so what
 * the block held before is never seen.
 */
#include "fs/ext2/ext2.h"
#include "lib/string.h"
#include "mm/cache/writeback.h"

static struct bio *page_bio(struct inode *inode, struct page *page, u32 block, enum bio_op op)
{
	struct bio *bio = bio_alloc(GFP_NOIO);

	bio->bdev = ext2_isb(inode)->bdev;
	bio->op = op;
	bio->sector = (u64)block * (EXT2_BLOCK_SIZE >> SECTOR_SHIFT);
	bio->nr_pages = 1;
	bio->pages[0] = page;
	bio->size = EXT2_BLOCK_SIZE;
	return bio;
}

static void page_read(struct bio *bio)
{
	struct page *page = bio->pages[0];

	if (bio->error) {
		SetPageError(page);
	} else {
		ClearPageError(page);
		SetPageUptodate(page);
	}
	unlock_page(page);
	bio_put(bio);
}

static void zero_page(struct page *page)
{
	clear_page(page_address(page));
	SetPageUptodate(page);
}

static int ext2_readpage(struct address_space *mapping, struct page *page)
{
	struct inode *inode = mapping->host;
	struct bio *bio;
	u32 block = 0;
	int err = 0;

	/* Beyond the end blocks may be on their way out. Before it, truncation waits for this page. */
	if ((loff_t)page->index << PAGE_SHIFT < READ_ONCE(inode->size))
		err = ext2_lookup_block(inode, page->index, &block);
	if (err || !block) {
		if (!err)
			zero_page(page);
		unlock_page(page);
		return err;
	}
	bio = page_bio(inode, page, block, BIO_READ);
	bio->end_io = page_read;
	submit_bio(bio);
	return 0;
}

/* Fills a locked page from its block, and waits. */
static int read_now(struct inode *inode, struct page *page, u32 block)
{
	struct bio *bio = page_bio(inode, page, block, BIO_READ);
	int err = bio_submit_wait(bio);

	bio_put(bio);
	if (!err)
		SetPageUptodate(page);
	return err;
}

/* ---- blocks for pages ------------------------------------------------------------------- */

/* A block for a page that has none; sbi->lock held. */
static int allocate(struct inode *inode, struct page *page)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	struct ext2_inode *ei = ext2_i(inode);
	u32 block;
	int err;

	ext2_install_many(sbi);
	err = ext2_make_path(inode, page->index);
	if (!err)
		err = ext2_new_block(sbi, ei->goal, &block);
	if (err)
		return err;
	ei->goal = block + 1;
	ext2_add_pending(inode, page, block);
	return 0;
}

/* The block of a locked page, allocated if @inode has a hole there; *@fresh: it was. */
static int get_block(struct inode *inode, struct page *page, u32 *block, bool *fresh)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	int err;

	*fresh = false;
	*block = ext2_pending_block(page);
	if (*block)
		return 0;
	err = ext2_lookup_block(inode, page->index, block);
	if (err || *block)
		return err;
	mutex_lock(&sbi->lock);
	err = allocate(inode, page);
	mutex_unlock(&sbi->lock);
	if (err)
		return err;
	*block = ext2_pending_block(page);
	*fresh = true;
	mark_inode_dirty(inode);
	return 0;
}

static int ext2_write_begin(struct address_space *mapping, struct page *page, unsigned int from,
			    unsigned int len)
{
	struct inode *inode = mapping->host;
	bool fresh;
	u32 block;
	int err;

	err = ext2_may_write(ext2_isb(inode));
	if (!err)
		err = get_block(inode, page, &block, &fresh);
	if (err)
		return err;
	if (fresh) {
		if (!PageUptodate(page))
			zero_page(page);
		set_page_dirty(page);		/* whatever becomes of the copy, the block is to be written */
		return 0;
	}
	if (PageUptodate(page) || (from == 0 && len == PAGE_SIZE))
		return 0;
	return read_now(inode, page, block);
}

static int ext2_page_mkwrite(struct address_space *mapping, struct page *page)
{
	struct inode *inode = mapping->host;
	bool fresh;
	u32 block;
	int err;

	err = ext2_may_write(ext2_isb(inode));
	if (!err && (loff_t)page->index << PAGE_SHIFT >= READ_ONCE(inode->size))
		err = -EINVAL;			/* cut off while we were on our way */
	if (!err)
		err = get_block(inode, page, &block, &fresh);
	if (err)
		return err;
	inode->mtime = inode->ctime = current_time();
	mark_inode_dirty(inode);
	return 0;
}

/* ---- writing -------------------------------------------------------------------------- */

static void end_write(struct bio *bio)
{
	struct page *page = bio->pages[0];

	if (bio->error) {
		SetPageError(page);
		mapping_set_error(page->mapping, bio->error);
	} else if (bio->private) {
		set_bit(EXT2_WRITTEN_BIT, &page->private);
		atomic_inc(&ext2_isb(bio->private)->nr_written);
	}
	end_page_writeback(page);
	bio_put(bio);
}

static int ext2_writepage(struct address_space *mapping, struct page *page,
			  struct writeback_control *wbc)
{
	struct inode *inode = mapping->host;
	loff_t left = READ_ONCE(inode->size) - ((loff_t)page->index << PAGE_SHIFT);
	struct bio *bio;
	bool fresh;
	u32 block;
	int err;

	(void)wbc;
	err = ext2_may_write(ext2_isb(inode));
	if (!err)
		err = get_block(inode, page, &block, &fresh);
	if (err) {
		if (err == -ENOMEM)
			set_page_dirty(page);	/* later, perhaps; else it is lost, and fsync says so */
		unlock_page(page);
		return err;
	}
	/* What a mapping left behind the end must not show when the file grows. */
	if (left > 0 && left < (loff_t)PAGE_SIZE)
		memset((char *)page_address(page) + left, 0, PAGE_SIZE - left);
	bio = page_bio(inode, page, block, BIO_WRITE);
	bio->end_io = end_write;
	if (ext2_pending_block(page) && !test_bit(EXT2_WRITTEN_BIT, &page->private))
		bio->private = inode;
	set_page_writeback(page);
	unlock_page(page);
	submit_bio(bio);
	return 0;
}

/* ---- truncation ----------------------------------------------------------------------- */

int ext2_truncate(struct inode *inode, loff_t size)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	loff_t old = inode->size;
	struct page *tail;
	int err;

	if (size < 0)
		return -EINVAL;
	if (size > ext2_max_bytes(sbi))
		return -EFBIG;
	err = ext2_may_write(sbi);
	if (err)
		return err;
	/* In either case what lies behind the smaller size must be zero when it shows up again. */
	tail = truncate_tail(&inode->mapping, min(old, size));
	if (IS_ERR(tail))
		return PTR_ERR(tail);
	if (size > old)
		truncate_pagecache(&inode->mapping, old, tail);
	/* Size first, then the pages, then the blocks: see ext2.h on reading without a lock. */
	WRITE_ONCE(inode->size, size);
	if (size <= old)
		truncate_pagecache(&inode->mapping, size, tail);
	mutex_lock(&sbi->lock);
	err = ext2_may_write(sbi);
	if (!err && size < old)
		err = ext2_free_blocks_from(inode, DIV_ROUND_UP((u64)size, PAGE_SIZE));
	inode->mtime = inode->ctime = current_time();
	ext2_update_inode(inode);
	mutex_unlock(&sbi->lock);
	return err;
}

static ssize_t ext2_file_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct ext2_sb *sbi = ext2_isb(file->inode);
	int err = ext2_may_write(sbi);

	return err ? err : generic_write(file, it, pos);
}

const struct address_space_operations ext2_aops = {
	.readpage = ext2_readpage,
	.writepage = ext2_writepage,
	.write_begin = ext2_write_begin,
	.page_mkwrite = ext2_page_mkwrite,
	.get = inode_mapping_get,
	.put = inode_mapping_put,
	.name = inode_mapping_name,
	.sync_range = inode_mapping_sync_range,
	.dirtied = inode_mapping_dirtied,
};

/* Directories and symlinks: pages are changed by dir.c and namei.c and written by ext2_commit(). */
const struct address_space_operations ext2_dir_aops = {
	.readpage = ext2_readpage,
	.get = inode_mapping_get,
	.put = inode_mapping_put,
	.name = inode_mapping_name,
};

const struct file_operations ext2_file_fops = {
	.read = generic_read,
	.write = ext2_file_write,
	.llseek = generic_llseek,
	.fsync = generic_fsync,
};

const struct inode_operations ext2_file_iops = {
	.truncate = ext2_truncate,
};
