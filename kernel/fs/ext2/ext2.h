/*
 * ext2 in memory. Read ordering.c first: it says what may be written when, and why.
 *
 * One lock, sbi->lock, is held for every change of metadata and while a batch is written. It is taken
 * after inode locks, mmap_lock and the locks of file pages, before the locks of directory pages and of
 * the block device's pages. Nothing that is done under it waits for a file page, allocates memory in a way
 * that calls a filesystem, or drops an inode.
 *
 * Reading needs no lock of ours: a name is looked up under its directory's lock; a block number is looked
 * up by whoever has the file page locked, and truncation waits for that page before it frees the block.
 */
#pragma once

#include "fs/ext2/ext2_fs.h"
#include "fs/vfs.h"

/*
 * A metadata page that was changed since the last batch belongs to one of these classes, which are the
 * steps of a batch: all pages of one are on disk before the first of the next is written. Why this
 * order: ordering.c.
 */
enum ext2_class {
	EXT2_CLEAN,
	EXT2_NEW,		/* block of a new directory, empty new block of an old one, symlink's text */
	EXT2_ADD,		/* directory page that gained entries */
	EXT2_IND1,		/* indirect blocks: those that point to data, */
	EXT2_IND2,		/* to those, */
	EXT2_IND3,		/* and to those */
	EXT2_INODE,		/* inode table */
	EXT2_REPLACE,		/* directory page where entries point to another inode now */
	EXT2_REMOVE,		/* directory page that lost entries */
	EXT2_COUNT,		/* bitmaps, group descriptors, super block: in no order */
	EXT2_CLASSES
};

#define EXT2_FROZEN_RANGES	256
#define EXT2_FROZEN_INODES	256
#define EXT2_MAX_GDT_PAGES	512

struct ext2_range {
	u32 start, len;
};

struct ext2_sb {
	struct super_block *sb;
	struct block_device *bdev;
	struct address_space *meta;	/* the device's pages: all metadata but directories */
	struct mutex lock;
	bool broken;			/* a write failed or damage was found: nothing is written any more */
	bool was_valid;			/* s_state when mounted: what a sync may say again */
	bool valid_on_disk;
	int write_error;		/* set by a metadata write's end */

	struct page *sb_page;
	struct ext2_super *raw;
	struct page **gdt;		/* pages of group descriptors */
	u32 nr_gdt_pages;
	u32 blocks, inodes, groups;
	u32 blocks_per_group, inodes_per_group, first_data_block, first_ino, inode_size;
	u32 gdt_span;			/* blocks of super block and descriptors in a group that has them */

	/* the batch: under lock */
	u64 batch;			/* its number */
	struct page *dirty[EXT2_CLASSES];	/* linked by page->aux */
	unsigned int nr_dirty;
	struct list_head pending;	/* inodes with file blocks that are not in their tree yet */
	atomic_t nr_written;		/* blocks that became ready for it since they were last looked at */
	/* Freed in this batch: free in the bitmaps, but not to be used before the batch is on disk. */
	struct ext2_range frozen[EXT2_FROZEN_RANGES];
	u32 frozen_inodes[EXT2_FROZEN_INODES];
	unsigned int nr_frozen, nr_frozen_inodes;
	u32 free_blocks, free_inodes;	/* frozen ones included */
	u32 nr_frozen_blocks;
	u32 generation;
};

struct ext2_inode {
	struct inode *inode;
	struct page *table_page;	/* held as long as the inode is in memory */
	struct ext2_raw_inode *raw;	/* in table_page */
	u32 block[EXT2_N_BLOCKS];	/* i_block; or a short symlink's text */
	u32 goal;			/* where to look for the next free block */
	u32 dtime;
	u32 generation;
	bool damage_told;		/* one line in the log is enough */

	/* under sbi->lock */
	u64 born;			/* batch in which its first entry was written */
	u64 removed_batch;		/* batch in which a directory lost the names in: */
	u64 removed_names;		/* bit hash(name) % 64 */
	struct page *pending;		/* file pages whose block is not in the tree: linked by page->aux */
	struct list_head pending_node;	/* sbi->pending */
	unsigned int nr_pending;
};

/*
 * page->private of a metadata page: its enum ext2_class. Of a file's page: 0, or the block that was
 * allocated for it but is not in the inode's tree, in the upper bits, and these:
 */
#define EXT2_PENDING		BIT(0)
#define EXT2_WRITTEN_BIT	1		/* the block's contents are on disk */
#define EXT2_PENDING_SHIFT	8

static inline struct ext2_sb *ext2_sb(const struct super_block *sb)
{
	return sb->private;
}

static inline struct ext2_inode *ext2_i(const struct inode *inode)
{
	return inode->private;
}

static inline struct ext2_sb *ext2_isb(const struct inode *inode)
{
	return inode->sb->private;
}

static inline u32 ext2_pending_block(const struct page *page)
{
	return page->private & EXT2_PENDING ? page->private >> EXT2_PENDING_SHIFT : 0;
}

/* ---- ordering.c: the batch; all with sbi->lock held ---------------------------------------- */
/* The page, whose contents were just changed, is written in step @class of this batch. It must be clean
 * or of that class already. */
void ext2_dirty(struct ext2_sb *sbi, struct page *page, enum ext2_class class);
static inline enum ext2_class ext2_class(const struct page *page)
{
	return page->private;
}
/* Are there so many pages in the batch that it should end? */
bool ext2_batch_full(const struct ext2_sb *sbi);
/* Writes the batch and begins a new one; @counts: bitmaps and counters too. 0 or -EIO. */
int ext2_commit(struct ext2_sb *sbi, bool counts);
/* After a write that failed or damage that makes writing unsafe: no more writing. */
void ext2_break(struct ext2_sb *sbi, const char *why);
/* Puts the blocks that are on disk into the inode's tree; of all inodes, if there are many of them.
 * 0 or -errno. */
int ext2_install(struct inode *inode);
void ext2_install_many(struct ext2_sb *sbi);
/* Notes @page, whose block @block was just allocated, as pending. */
void ext2_add_pending(struct inode *inode, struct page *page, u32 block);
/* Frees the pending blocks of pages from @first on. -ENOMEM: not all, those stay pending; @forced: they
 * are lost to e2fsck instead. */
int ext2_drop_pending(struct inode *inode, pgoff_t first, bool forced);
/* For who cannot give up: lets go of sbi->lock for a moment, in which there may come memory. False: that was
 * tried for long enough. *@tries begins at 0. */
bool ext2_wait_for_memory(struct ext2_sb *sbi, unsigned int *tries);
/* 0, or why metadata cannot be changed: -EROFS, -EIO. */
int ext2_may_write(struct ext2_sb *sbi);
int ext2_write_super(struct ext2_sb *sbi, bool valid);
int ext2_sync_fs(struct super_block *sb, bool wait);
/* Gives up all the pages of the batch, unwritten. */
void ext2_drop_batch(struct ext2_sb *sbi);

/* ---- super.c ----------------------------------------------------------------------------- */
/* One log line about damage: "ext2 (vda): …"; gives -EUCLEAN. Any thread. */
int ext2_damage(struct ext2_sb *sbi, const char *fmt, ...) __printf(2, 3);
struct ext2_group_desc *ext2_group(struct ext2_sb *sbi, u32 group, struct page **page);
/* Is it a block that files and directories may use? */
bool ext2_block_ok(const struct ext2_sb *sbi, u32 block);
u32 ext2_now(void);

/* ---- balloc.c, ialloc.c: sbi->lock held ----------------------------------------------------- */
/* A free block near @goal; it is nobody's cache. 0, -ENOSPC, -EIO, -EUCLEAN, -ENOMEM. May commit. */
int ext2_new_block(struct ext2_sb *sbi, u32 goal, u32 *block);
/* Frees it; it is not used again before the next batch. -EUCLEAN: it was free already. May not commit. */
int ext2_free_block(struct ext2_sb *sbi, u32 block);
/* Can ext2_free_block be called @n times without a commit? If not, commits. */
int ext2_ready_to_free(struct ext2_sb *sbi, unsigned int n);
/* 1: the bitmap says it is in use, 0: free, or -errno. */
int ext2_block_used(struct ext2_sb *sbi, u32 block);
/* A free inode number near directory @dir. 0, -ENOSPC, -EIO, -EUCLEAN, -ENOMEM. May commit. */
int ext2_new_ino(struct inode *dir, bool is_dir, u32 *ino);
int ext2_free_ino(struct ext2_sb *sbi, u32 ino, bool is_dir);

/* ---- inode.c ----------------------------------------------------------------------------- */
int ext2_fill_inode(struct inode *inode);		/* for iget */
/* A fresh inode with a number, in no directory (nlink 0), referenced; ERR_PTR. Takes sbi->lock. */
struct inode *ext2_new_inode(struct inode *dir, umode_t mode, dev_t rdev);
/* The in-memory fields into the table page (changed or not). sbi->lock held. Cannot fail. */
void ext2_update_inode(struct inode *inode);
int ext2_write_inode(struct inode *inode, bool wait);
void ext2_evict_inode(struct inode *inode);
struct inode *ext2_iget(struct super_block *sb, u32 ino);

/* ---- map.c ------------------------------------------------------------------------------- */
/* The block of page @index; *@block = 0: a hole. 0, -EFBIG, -EIO, -EUCLEAN, -ENOMEM. */
int ext2_lookup_block(struct inode *inode, pgoff_t index, u32 *block);
/* Makes the indirect blocks that lead to @index. sbi->lock held; may commit. */
int ext2_make_path(struct inode *inode, pgoff_t index);
/* Puts @block at @index, whose path exists. sbi->lock held. 0 or -errno. */
int ext2_set_block(struct inode *inode, pgoff_t index, u32 block);
/* Frees all blocks from page @first on. sbi->lock held, but let go of while there is no memory; may commit.
 * 0 or the first -errno. */
int ext2_free_blocks_from(struct inode *inode, pgoff_t first);
loff_t ext2_max_bytes(const struct ext2_sb *sbi);	/* the largest file */

/* ---- file.c ------------------------------------------------------------------------------ */
extern const struct address_space_operations ext2_aops, ext2_dir_aops;
extern const struct file_operations ext2_file_fops;
extern const struct inode_operations ext2_file_iops;
int ext2_truncate(struct inode *inode, loff_t size);

/* ---- dir.c: the directory's inode->lock held, and sbi->lock for changes ------------------------ */
extern const struct file_operations ext2_dir_fops;
/* Finds @name: 0 with *@page referenced and *@de in it, -ENOENT, or -errno. */
int ext2_find_entry(struct inode *dir, const char *name, unsigned int len, struct page **page,
		    struct ext2_dirent **de);
/* Adds an entry (may commit first, more than once). *@where: its page, only to be compared. */
int ext2_add_entry(struct inode *dir, const char *name, unsigned int len, struct inode *inode,
		   struct page **where);
/* Takes the entry out. @with: page to which the same inode's new entry was just added, or NULL. */
int ext2_remove_entry(struct inode *dir, struct page *page, struct ext2_dirent *de,
		      struct inode *inode, struct page *with);
/* Lets the entry mean another inode. */
int ext2_replace_entry(struct inode *dir, struct page *page, struct ext2_dirent *de,
		       struct inode *inode);
int ext2_dir_empty(struct inode *dir);		/* 1, 0 or -errno */
/* Gives a new directory its first block. May commit. */
int ext2_make_empty(struct inode *dir, struct inode *parent);
/* Room for an entry, in @page alone if given: 0, -ENOSPC: none, or -errno. */
int ext2_find_room(struct inode *dir, unsigned int len, struct page *only, struct page **page,
		   struct ext2_dirent **de);
void ext2_put_entry(struct ext2_dirent *de, const char *name, unsigned int len,
		    struct inode *inode);
void ext2_cut_entry(struct page *page, struct ext2_dirent *de);
/* Page @index of a directory or symlink over a new block, zeroed, to be written first; referenced. Its
 * path exists. ERR_PTR. May commit. */
struct page *ext2_new_page(struct inode *dir, pgoff_t index);
/* A new block at the directory's end, empty and on disk. May commit. */
int ext2_grow_dir(struct inode *dir);
bool ext2_is_born(struct inode *inode);		/* is its first entry in this batch? */
void ext2_note_removed(struct inode *dir, const char *name, unsigned int len);

/* ---- namei.c ----------------------------------------------------------------------------- */
extern const struct inode_operations ext2_dir_iops, ext2_symlink_iops;
