/*
 * ext2: inodes between memory and their table.
 *
 * An inode in memory holds the page of the table that it is in, so writing it there needs neither
 * memory nor a read and cannot fail: a change to several structures is never left half done for want of
 * either.
 */
#include "fs/ext2/ext2.h"
#include "base/initcall.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

static struct kmem_cache *ext2_inode_cache;

static int ext2_inode_init(void)
{
	ext2_inode_cache = KMEM_CACHE(ext2_inode, SLAB_PANIC | SLAB_RECLAIM_ACCOUNT);
	return 0;
}
core_initcall(ext2_inode_init);

/* Finds the inode's place in its table and hangs our part onto the inode. */
static int attach(struct inode *inode)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	u32 n = inode->ino - 1, per_block = EXT2_BLOCK_SIZE / sbi->inode_size;
	struct ext2_inode *ei;
	struct page *page;
	u32 block;

	if (inode->ino < 1 || inode->ino > sbi->inodes)
		return ext2_damage(sbi, "inode number %lu", (unsigned long)inode->ino);
	block = ext2_group(sbi, n / sbi->inodes_per_group, NULL)->bg_inode_table +
		n % sbi->inodes_per_group / per_block;
	ei = kmem_cache_zalloc(ext2_inode_cache, GFP_NOFS);
	if (!ei)
		return -ENOMEM;
	page = read_cache_page(sbi->meta, block);
	if (IS_ERR(page)) {
		kmem_cache_free(ext2_inode_cache, ei);
		return PTR_ERR(page);
	}
	ei->inode = inode;
	ei->table_page = page;
	ei->raw = (struct ext2_raw_inode *)((char *)page_address(page) +
					    n % per_block * sbi->inode_size);
	INIT_LIST_HEAD(&ei->pending_node);
	inode->private = ei;
	return 0;
}

static void detach(struct inode *inode)
{
	struct ext2_inode *ei = ext2_i(inode);

	inode->private = NULL;
	put_page(ei->table_page);
	kmem_cache_free(ext2_inode_cache, ei);
}

static bool is_fast_symlink(const struct inode *inode)
{
	return S_ISLNK(inode->mode) && inode->size < (loff_t)sizeof(ext2_i(inode)->block);
}

static void set_ops(struct inode *inode)
{
	if (S_ISREG(inode->mode)) {
		inode->ops = &ext2_file_iops;
		inode->fops = &ext2_file_fops;
		inode->mapping.ops = &ext2_aops;
	} else if (S_ISDIR(inode->mode)) {
		inode->ops = &ext2_dir_iops;
		inode->fops = &ext2_dir_fops;
		inode->mapping.ops = &ext2_dir_aops;
	} else {
		inode->ops = &ext2_symlink_iops;	/* devices: its getattr and the like will do */
		inode->mapping.ops = &ext2_dir_aops;
	}
}

/* What cannot be about a used inode; NULL: nothing. */
static const char *inode_fault(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG: case S_IFDIR: case S_IFLNK: case S_IFCHR: case S_IFBLK: case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return "mode";
	}
	if (!inode->nlink)
		return "deleted, but has a name";
	if (inode->size < 0 || inode->size > ext2_max_bytes(ext2_isb(inode)))
		return "size";
	if (S_ISDIR(inode->mode) && (inode->size % EXT2_BLOCK_SIZE || !inode->size))
		return "directory size";
	if (S_ISLNK(inode->mode) && (inode->size >= EXT2_BLOCK_SIZE || !inode->size))
		return "symlink size";
	return NULL;
}

static dev_t raw_rdev(const struct ext2_raw_inode *raw)
{
	u32 new = raw->i_block[1];

	if (raw->i_block[0])
		return raw->i_block[0] & 0xffff;
	return MKDEV((new >> 8) & 0xfff, (new & 0xff) | ((new >> 12) & 0xfff00));
}

int ext2_fill_inode(struct inode *inode)
{
	struct ext2_raw_inode *raw;
	struct ext2_inode *ei;
	const char *fault;
	int err = attach(inode);

	if (err)
		return err;
	ei = ext2_i(inode);
	raw = ei->raw;
	inode->mode = raw->i_mode;
	inode->nlink = raw->i_links_count;
	inode->uid = raw->i_uid | (u32)raw->i_uid_high << 16;
	inode->gid = raw->i_gid | (u32)raw->i_gid_high << 16;
	inode->size = raw->i_size;
	if (S_ISREG(inode->mode))
		inode->size |= (u64)raw->i_size_high << 32;
	inode->blocks = raw->i_blocks;
	inode->atime = (struct timespec){ raw->i_atime, 0 };
	inode->mtime = (struct timespec){ raw->i_mtime, 0 };
	inode->ctime = (struct timespec){ raw->i_ctime, 0 };
	memcpy(ei->block, raw->i_block, sizeof(ei->block));
	ei->generation = raw->i_generation;
	fault = inode_fault(inode);
	if (fault) {
		err = ext2_damage(ext2_isb(inode), "inode %lu: %s", (unsigned long)inode->ino, fault);
		detach(inode);
		return err;
	}
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		inode->rdev = raw_rdev(raw);
	set_ops(inode);
	return 0;
}

struct inode *ext2_iget(struct super_block *sb, u32 ino)
{
	struct ext2_sb *sbi = ext2_sb(sb);

	if (ino != EXT2_ROOT_INO && (ino < sbi->first_ino || ino > sbi->inodes))
		return ERR_PTR(ext2_damage(sbi, "an entry leads to inode %u", ino));
	return iget(sb, ino, ext2_fill_inode);
}

struct inode *ext2_new_inode(struct inode *dir, umode_t mode, dev_t rdev)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	struct inode *inode = inode_alloc(dir->sb);
	struct ext2_inode *ei;
	u32 ino;
	int err;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&sbi->lock);
	err = ext2_new_ino(dir, S_ISDIR(mode), &ino);
	if (!err) {
		inode->ino = ino;
		err = attach(inode);
		if (err)
			ext2_free_ino(sbi, ino, S_ISDIR(mode));
		else		/* an earlier file's flags and attributes are not for this one */
			memset(&ext2_i(inode)->raw->i_flags, 0, sizeof(struct ext2_raw_inode) -
			       offsetof(struct ext2_raw_inode, i_flags));
	}
	mutex_unlock(&sbi->lock);
	if (err) {
		set_bit(I_BAD, &inode->state);
		iput(inode);
		return ERR_PTR(err);
	}
	inode->mode = mode;
	inode->nlink = 0;
	ei = ext2_i(inode);
	ei->dtime = ext2_now();
	ei->generation = ++sbi->generation;
	ei->goal = (ino - 1) / sbi->inodes_per_group * sbi->blocks_per_group;
	if (S_ISCHR(mode) || S_ISBLK(mode)) {
		inode->rdev = rdev;
		if (MAJOR(rdev) < 256)
			ei->block[0] = rdev;
		else
			ei->block[1] = MINOR(rdev) | MAJOR(rdev) << 8;
	}
	set_ops(inode);
	insert_inode_hash(inode);
	return inode;
}

/* ---- to the table --------------------------------------------------------------------- */

void ext2_update_inode(struct inode *inode)
{
	struct ext2_inode *ei = ext2_i(inode);
	struct ext2_raw_inode new = *ei->raw;

	new.i_mode = inode->mode;
	new.i_links_count = inode->nlink;
	new.i_uid = inode->uid;
	new.i_uid_high = inode->uid >> 16;
	new.i_gid = inode->gid;
	new.i_gid_high = inode->gid >> 16;
	new.i_size = inode->size;
	if (S_ISREG(inode->mode))
		new.i_size_high = inode->size >> 32;
	new.i_atime = inode->atime.tv_sec;
	new.i_mtime = inode->mtime.tv_sec;
	new.i_ctime = inode->ctime.tv_sec;
	new.i_dtime = inode->nlink ? 0 : ei->dtime;
	new.i_blocks = inode->blocks - ei->nr_pending * (EXT2_BLOCK_SIZE / 512);
	new.i_generation = ei->generation;
	memcpy(new.i_block, ei->block, sizeof(new.i_block));
	if (memcmp(&new, ei->raw, sizeof(new)) == 0)
		return;
	*ei->raw = new;
	ext2_dirty(ext2_isb(inode), ei->table_page, EXT2_INODE);
}

int ext2_write_inode(struct inode *inode, bool wait)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	int err;

	if (inode->sb->read_only && !sbi->broken)
		return 0;
	mutex_lock(&sbi->lock);
	err = ext2_may_write(sbi);
	if (!err)
		err = ext2_install(inode);
	if (!err) {
		ext2_update_inode(inode);
		if (wait)
			err = ext2_commit(sbi, false);
	}
	mutex_unlock(&sbi->lock);
	return err || !wait ? err : block_flush(sbi->bdev);
}

/* The last name and the last user are gone: so go the blocks, then the inode. */
static void delete_inode(struct inode *inode)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	struct ext2_inode *ei = ext2_i(inode);
	unsigned int tries = 0;
	int err = 0;

	if (!ei->dtime)
		ei->dtime = ext2_now();
	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || (S_ISLNK(inode->mode) &&
							     !is_fast_symlink(inode)))
		err = ext2_free_blocks_from(inode, 0);
	memset(ei->block, 0, sizeof(ei->block));
	inode->blocks = 0;
	inode->size = 0;
	ext2_update_inode(inode);
	if (err)
		return;
	do
		err = ext2_free_ino(sbi, inode->ino, S_ISDIR(inode->mode));
	while (err == -ENOMEM && ext2_wait_for_memory(sbi, &tries));
}

void ext2_evict_inode(struct inode *inode)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	struct ext2_inode *ei = ext2_i(inode);
	unsigned int tries = 0;

	mutex_lock(&sbi->lock);
	if (ext2_may_write(sbi) == 0) {
		if (inode->nlink == 0)
			delete_inode(inode);
		else if (ei->pending) {
			while (ext2_install(inode) == -ENOMEM && ext2_wait_for_memory(sbi, &tries))
				;
			ext2_update_inode(inode);
		}
	}
	/* What could not be put into the tree (a failed write, a broken disk) is nobody's. */
	ext2_drop_pending(inode, 0, true);
	mutex_unlock(&sbi->lock);
	detach(inode);
}
