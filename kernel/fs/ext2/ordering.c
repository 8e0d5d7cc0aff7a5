/*
 * ext2: the order of writes.
 *
 * ext2 has no journal. After a crash, `e2fsck -p` must be able to mend the disk without asking anyone,
 * so the only thing that stands between a power cut and a lost file is the order in which blocks reach
 * the disk. The rules below were found by doing damage with debugfs and looking at what e2fsck 1.47 does.
 *
 *	-p mends							-p gives up on
 *	an entry whose inode is unused or has link count 0: cleared	an inode with blocks but no entry
 *	a wrong link count						a directory without an entry,
 *	wrong bitmaps, wrong free counts				   or with two
 *	a wrong i_blocks, an i_size below the last block		'..' that is not the parent
 *	an inode with link count 0 that still has blocks: freed		a block in two files
 *	an unattached empty regular file				a directory block that is no such
 *
 * So: (1) an entry is on disk before its inode is, and an inode is gone (link count 0) before its
 * last entry is; (2) a new name is on disk before the old one goes; (3) a block is not pointed to before
 * its contents are there, and is not used again while the disk still points to it; (4) bitmaps and
 * counters do not matter at all.
 *
 * Batches. Metadata is changed in memory, under sbi->lock, and its pages gather in a batch, pinned, not
 * dirty in the page cache's sense, so nobody but ext2_commit() writes them. A commit (fsync, sync, the
 * flusher, or an operation that cannot join the batch) holds the lock, so that memory stands still, and
 * writes the pages in steps. Each step's writes are in flight together and may reach the disk in any
 * order; the next begins when all are done:
 *
 *	NEW	 blocks of new directories, empty new blocks of old ones, long symlinks
 *	ADD	 directory pages that gained entries
 *	IND1..3	 indirect blocks, those next to the data first
 *	INODE	 inode tables: new, changed and deleted inodes
 *	REPLACE	 directory pages where an entry changed from one inode to another (rename over a name)
 *	REMOVE	 directory pages that lost entries
 *	COUNT	 bitmaps, descriptors, super block; only for sync and the flusher
 *
 * A crash leaves all of some steps, a part of one and none of the rest. With the old state repairable:
 *
 *	in NEW, ADD	new entries lead to unused inodes (frozen numbers are not reused, below): cleared
 *	in IND		(3) holds: what they point to came in NEW or was data; a truncated file may show
 *			zeros where it was cut
 *	in INODE	new inodes have their entries; deleted ones leave entries to be cleared; counts differ
 *	in REPLACE	who lost this name is deleted or has another; who gets it has its old one still
 *	in REMOVE	likewise
 *
 * A page is written in one step, but operations of both kinds could meet in one page; and two operations
 * may depend on each other through two pages of one step. Then there is no order, and the operation first
 * commits what there is. The whole list of such meetings:
 *
 *	a page would get a second class (except: a batch's own new file may lose its new entry again, and
 *		a rename within one page is atomic)				ext2_dirty's callers in dir.c
 *	a name is added that this batch removed elsewhere in the directory (it would be there twice)
 *	an entry is added to a directory that is itself new: INODE could write the child before the directory
 *	an entry is added to a block that is new: so an old directory grows by an empty block, committed
 *	a directory is removed from which names went in this batch: INODE could delete it before those
 *	a file of this batch replaces another: its own entry would come after its inode
 *
 * Freed blocks and inodes are free in the bitmaps but frozen until the batch that freed them is on disk.
 *
 * File data. A block given to a page of a file is at first only in page->private: pending. When the page has
 * been written (whoever had it written), ext2_install() puts the block's number into the tree. So no
 * pointer to unwritten data exists even in memory, and no commit waits for data. A pending page is pinned.
 *
 * fsync is: write the data, wait, install, commit, flush the device. The batch holds all that changed,
 * hence also the entries that lead to the file, up to the root.
 *
 * What cannot be ordered: a directory moved to another parent changes three blocks (old parent, new
 * parent, its own '..'), and -p gives up on each mixture of old and new. They are written alone, in one
 * step, in flight together; see rename_directory() in namei.c. A crash in just that moment asks for an
 * e2fsck -y by hand, after which the directory is in its old place, its new one or lost+found. (A rename
 * within the parent changes one page if the new name fits where the old one was: that is atomic.)
 *
 * A failed metadata write breaks the file system: nothing more is written, all changes are -EIO.
 */
#include "fs/ext2/ext2.h"
#include "base/panic.h"
#include "mm/cache/writeback.h"
#include "sched/timer.h"

#define MAX_BATCH	1024	/* pages: they are pinned */
#define MAX_UNINSTALLED	256	/* pages: likewise */
#define TRY_MS		10	/* a want of memory is waited out, so long at a time */
#define MAX_TRIES	1000

int ext2_may_write(struct ext2_sb *sbi)
{
	if (sbi->broken)
		return -EIO;
	return sbi->sb->read_only ? -EROFS : 0;
}

void ext2_break(struct ext2_sb *sbi, const char *why)
{
	if (sbi->broken)
		return;
	sbi->broken = true;
	pr_err("ext2 (%s): %s: nothing more is written\n", sbi->bdev->name, why);
}

bool ext2_wait_for_memory(struct ext2_sb *sbi, unsigned int *tries)
{
	if (++*tries > MAX_TRIES)
		return false;
	mutex_unlock(&sbi->lock);
	msleep(TRY_MS);
	mutex_lock(&sbi->lock);
	return true;
}

/* ---- the batch ------------------------------------------------------------------------ */

void ext2_dirty(struct ext2_sb *sbi, struct page *page, enum ext2_class class)
{
	if (page->private || sbi->broken)
		return;
	get_page(page);
	page->private = class;
	page->aux = (unsigned long)sbi->dirty[class];
	sbi->dirty[class] = page;
	sbi->nr_dirty++;
	flusher_kick();
}

bool ext2_batch_full(const struct ext2_sb *sbi)
{
	return sbi->nr_dirty > MAX_BATCH;
}

static struct page *next_page(const struct page *page)
{
	return (struct page *)page->aux;
}

static void drop_class(struct ext2_sb *sbi, enum ext2_class class)
{
	struct page *page;

	while ((page = sbi->dirty[class])) {
		sbi->dirty[class] = next_page(page);
		sbi->nr_dirty--;
		page->private = 0;
		page->aux = 0;
		put_page(page);
	}
}

void ext2_drop_batch(struct ext2_sb *sbi)
{
	for (unsigned int class = EXT2_NEW; class < EXT2_CLASSES; class++)
		drop_class(sbi, class);
}

/* ---- writing -------------------------------------------------------------------------- */

static void metadata_written(struct bio *bio)
{
	struct page *page = bio->pages[0];
	struct ext2_sb *sbi = bio->private;

	if (bio->error)
		WRITE_ONCE(sbi->write_error, bio->error);
	end_page_writeback(page);
	bio_put(bio);
}

/* Where the page belongs: metadata of the device, or a directory's or symlink's. Page locked. */
static int page_block(struct ext2_sb *sbi, struct page *page, u32 *block)
{
	int err, tries = 0;

	*block = page->index;
	if (page->mapping == sbi->meta)
		return 0;
	/* A write that fails breaks the file system: not for want of a page for an indirect block. */
	while ((err = ext2_lookup_block(page->mapping->host, page->index, block)) == -ENOMEM &&
	       ++tries < MAX_TRIES)
		msleep(TRY_MS);
	return err ? err : *block ? 0 : -EUCLEAN;
}

/* Starts the write. A page without mapping was a removed directory's. */
static int start_write(struct ext2_sb *sbi, struct page *page)
{
	struct bio *bio;
	u32 block;
	int err;

	lock_page(page);
	if (!page->mapping) {
		unlock_page(page);
		return 0;
	}
	err = page_block(sbi, page, &block);
	if (err) {
		unlock_page(page);
		return err;
	}
	wait_on_page_writeback(page);
	bio = bio_alloc(GFP_NOIO);
	bio->bdev = sbi->bdev;
	bio->op = BIO_WRITE;
	bio->sector = (u64)block * (EXT2_BLOCK_SIZE >> SECTOR_SHIFT);
	bio->nr_pages = 1;
	bio->pages[0] = page;
	bio->size = EXT2_BLOCK_SIZE;
	bio->end_io = metadata_written;
	bio->private = sbi;
	set_page_writeback(page);
	unlock_page(page);
	submit_bio(bio);
	return 0;
}

/* One step: all its pages in flight, then wait for all. */
static int write_class(struct ext2_sb *sbi, enum ext2_class class)
{
	struct page *page;
	int err = 0;

	if (!sbi->dirty[class])
		return 0;
	for (page = sbi->dirty[class]; page && !err; page = next_page(page))
		err = start_write(sbi, page);
	for (page = sbi->dirty[class]; page; page = next_page(page))
		wait_on_page_writeback(page);
	if (!err)
		err = READ_ONCE(sbi->write_error);
	if (!err)
		drop_class(sbi, class);
	return err;
}

/* Writes the super block, alone, and waits. */
int ext2_write_super(struct ext2_sb *sbi, bool valid)
{
	struct ext2_super *raw = sbi->raw;
	int err;

	raw->s_free_blocks_count = sbi->free_blocks;
	raw->s_free_inodes_count = sbi->free_inodes;
	raw->s_wtime = ext2_now();
	if (valid)
		raw->s_state |= EXT2_VALID_FS;
	else
		raw->s_state &= ~EXT2_VALID_FS;
	err = start_write(sbi, sbi->sb_page);
	wait_on_page_writeback(sbi->sb_page);
	if (!err)
		err = READ_ONCE(sbi->write_error);
	if (!err)
		sbi->valid_on_disk = valid;
	return err;
}

static int write_batch(struct ext2_sb *sbi, bool counts)
{
	int err = 0;

	if (sbi->valid_on_disk)
		err = ext2_write_super(sbi, false);
	for (unsigned int class = EXT2_NEW; class < EXT2_COUNT && !err; class++)
		err = write_class(sbi, class);
	if (counts && !err) {
		sbi->raw->s_free_blocks_count = sbi->free_blocks;
		sbi->raw->s_free_inodes_count = sbi->free_inodes;
		err = write_class(sbi, EXT2_COUNT);
	}
	return err;
}

static void install_all(struct ext2_sb *sbi)
{
	struct ext2_inode *ei, *next;

	atomic_set(&sbi->nr_written, 0);
	list_for_each_entry_safe(ei, next, &sbi->pending, pending_node) {
		/* If a block of the tree cannot be read now, the rest is the next commit's. */
		ext2_install(ei->inode);
		ext2_update_inode(ei->inode);
	}
}

void ext2_install_many(struct ext2_sb *sbi)
{
	if (atomic_read(&sbi->nr_written) >= MAX_UNINSTALLED)
		install_all(sbi);
}

static bool anything_to_write(const struct ext2_sb *sbi, bool counts)
{
	for (unsigned int class = EXT2_NEW; class < EXT2_COUNT; class++)
		if (sbi->dirty[class])
			return true;
	return counts && sbi->dirty[EXT2_COUNT];
}

int ext2_commit(struct ext2_sb *sbi, bool counts)
{
	int err = ext2_may_write(sbi);

	if (err)
		return err;
	install_all(sbi);
	if (anything_to_write(sbi, counts))
		err = write_batch(sbi, counts);
	if (err) {
		ext2_break(sbi, "cannot write metadata");
		return -EIO;
	}
	sbi->batch++;
	sbi->nr_frozen = 0;
	sbi->nr_frozen_blocks = 0;
	sbi->nr_frozen_inodes = 0;
	return 0;
}

/* Is data on its way whose blocks the commit after this one will install? */
static bool data_in_flight(struct ext2_sb *sbi)
{
	struct ext2_inode *ei;

	list_for_each_entry(ei, &sbi->pending, pending_node)
		if (READ_ONCE(ei->inode->mapping.nr_dirty) ||
		    radix_tagged(&ei->inode->mapping.pages, RADIX_TAG_WRITEBACK))
			return true;
	return false;
}

int ext2_sync_fs(struct super_block *sb, bool wait)
{
	struct ext2_sb *sbi = ext2_sb(sb);
	bool more;
	int err;

	mutex_lock(&sbi->lock);
	more = data_in_flight(sbi);
	err = ext2_may_write(sbi);
	if (!err)
		err = ext2_commit(sbi, true);
	if (!err && more)
		flusher_kick();
	if (!err && wait && sbi->was_valid && !sbi->valid_on_disk)
		err = ext2_write_super(sbi, true);
	mutex_unlock(&sbi->lock);
	if (err == -EROFS)
		return 0;
	return err || !wait ? err : block_flush(sbi->bdev);
}

/* ---- file blocks that are not in the tree yet --------------------------------------------- */

void ext2_add_pending(struct inode *inode, struct page *page, u32 block)
{
	struct ext2_inode *ei = ext2_i(inode);

	get_page(page);
	page->private = (unsigned long)block << EXT2_PENDING_SHIFT | EXT2_PENDING;
	page->aux = (unsigned long)ei->pending;
	if (!ei->pending)
		list_add_tail(&ei->pending_node, &ext2_isb(inode)->pending);
	ei->pending = page;
	ei->nr_pending++;
	inode->blocks += EXT2_BLOCK_SIZE / 512;
}

/* The page, already off the list, is an ordinary one again. */
static void end_pending(struct ext2_inode *ei, struct page *page)
{
	page->private = 0;
	page->aux = 0;
	ei->nr_pending--;
	put_page(page);
}

/*
 * Calls fn for every pending page and takes those off for which it gives true. A page beyond the size
 * (its write failed half-way) is never installed.
 */
static void filter_pending(struct inode *inode,
			   bool (*fn)(struct inode *inode, struct page *page, void *arg), void *arg)
{
	struct ext2_inode *ei = ext2_i(inode);
	struct page *page = ei->pending, *next, *kept = NULL;

	if (!page)
		return;
	for (; page; page = next) {
		next = next_page(page);
		if (fn(inode, page, arg)) {
			end_pending(ei, page);
		} else {
			page->aux = (unsigned long)kept;
			kept = page;
		}
	}
	ei->pending = kept;
	if (!kept)
		list_del_init(&ei->pending_node);
}

static bool install_one(struct inode *inode, struct page *page, void *arg)
{
	int *err = arg;

	if (*err || !test_bit(EXT2_WRITTEN_BIT, &page->private) ||
	    (loff_t)page->index << PAGE_SHIFT >= inode->size)
		return false;
	*err = ext2_set_block(inode, page->index, ext2_pending_block(page));
	return *err == 0;
}

int ext2_install(struct inode *inode)
{
	int err = 0;

	filter_pending(inode, install_one, &err);
	return err;
}

struct drop {
	pgoff_t first;
	bool forced;
	int err;
};

static bool drop_one(struct inode *inode, struct page *page, void *arg)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	struct drop *drop = arg;

	if (page->index < drop->first)
		return false;
	if (!sbi->broken && ext2_free_block(sbi, ext2_pending_block(page)) == -ENOMEM && !drop->forced) {
		drop->err = -ENOMEM;
		return false;
	}
	inode->blocks -= EXT2_BLOCK_SIZE / 512;
	return true;
}

int ext2_drop_pending(struct inode *inode, pgoff_t first, bool forced)
{
	struct drop drop = { .first = first, .forced = forced };

	filter_pending(inode, drop_one, &drop);
	return drop.err;
}
