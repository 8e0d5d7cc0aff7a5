/*
 * ext2: names: create, link, unlink, mkdir, rmdir, rename, symlink. The vfs has checked what can be
 * checked without us and holds the locks of the directories; each operation here is one critical section
 * of sbi->lock, in which entry and link count change together.
 */
#include "fs/ext2/ext2.h"
#include "lib/string.h"

/* A directory has one name. A second one, on a damaged disk, could make a loop of the tree. */
static int check_only_name(struct inode *dir, struct inode *inode)
{
	struct dentry *alias, *parent;
	bool elsewhere;

	if (!S_ISDIR(inode->mode))
		return 0;
	if (inode == dir || inode->ino == EXT2_ROOT_INO)
		goto bad;
	alias = d_find_alias(inode);
	if (!alias)
		return 0;
	parent = dget_parent(alias);
	elsewhere = parent->inode != dir;
	dput(parent);
	dput(alias);
	if (!elsewhere)
		return 0;
bad:
	return ext2_damage(ext2_isb(dir), "directory %lu has two names", (unsigned long)inode->ino);
}

static int ext2_lookup(struct inode *dir, struct dentry *dentry)
{
	struct ext2_dirent *de;
	struct inode *inode;
	struct page *page;
	u32 ino;
	int err;

	if (dentry->len > EXT2_NAME_LEN)
		return -ENAMETOOLONG;
	err = ext2_find_entry(dir, dentry->name, dentry->len, &page, &de);
	if (err)
		return err == -ENOENT ? 0 : err;
	ino = de->inode;
	put_page(page);
	inode = ext2_iget(dir->sb, ino);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	err = check_only_name(dir, inode);
	if (err) {
		iput(inode);
		return err;
	}
	d_instantiate(dentry, inode);
	return 0;
}

static void touch_ctime(struct inode *inode)
{
	inode->ctime = current_time();
	ext2_update_inode(inode);
}

/* One name less; sbi->lock held. */
static void lost_name(struct inode *inode)
{
	if (S_ISDIR(inode->mode))
		inode->nlink = 0;
	else if (inode->nlink)
		inode->nlink--;
	if (!inode->nlink)
		ext2_i(inode)->dtime = ext2_now();
	touch_ctime(inode);
}

static void lost_subdir(struct inode *dir)
{
	if (dir->nlink > 2)
		dir->nlink--;
	ext2_update_inode(dir);
}

/* Gives a new inode its name, or frees it. sbi->lock held, dropped. */
static int add_new(struct inode *dir, struct dentry *dentry, struct inode *inode, int err)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	bool is_dir = S_ISDIR(inode->mode);

	if (!err)
		err = ext2_add_entry(dir, dentry->name, dentry->len, inode, NULL);
	if (!err) {
		inode->nlink = is_dir ? 2 : 1;
		ext2_update_inode(inode);
		if (is_dir) {
			dir->nlink++;
			ext2_update_inode(dir);
		}
	}
	mutex_unlock(&sbi->lock);
	if (err)
		iput(inode);
	else
		d_instantiate(dentry, inode);
	return err;
}

static int ext2_create(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t rdev)
{
	struct inode *inode = ext2_new_inode(dir, mode, rdev);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	mutex_lock(&ext2_isb(dir)->lock);
	return add_new(dir, dentry, inode, 0);
}

static int ext2_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct inode *inode;

	if (dir->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	inode = ext2_new_inode(dir, S_IFDIR | (mode & ~S_IFMT), 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	mutex_lock(&ext2_isb(dir)->lock);
	return add_new(dir, dentry, inode, ext2_make_empty(inode, dir));
}

static int ext2_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	size_t len = strlen(target);
	struct inode *inode;
	struct page *page;
	int err = 0;

	if (!len)
		return -ENOENT;
	if (len >= EXT2_BLOCK_SIZE)
		return -ENAMETOOLONG;
	inode = ext2_new_inode(dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	mutex_lock(&ext2_isb(dir)->lock);
	inode->size = len;
	if (len < sizeof(ext2_i(inode)->block)) {
		memcpy(ext2_i(inode)->block, target, len);
	} else {
		page = ext2_new_page(inode, 0);
		if (IS_ERR(page)) {
			err = PTR_ERR(page);
		} else {
			memcpy(page_address(page), target, len);
			put_page(page);
		}
	}
	return add_new(dir, dentry, inode, err);
}

static int ext2_link(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int err;

	if (target->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	if (!target->nlink)
		return -ENOENT;
	mutex_lock(&sbi->lock);
	err = ext2_add_entry(dir, dentry->name, dentry->len, target, NULL);
	if (!err) {
		target->nlink++;
		touch_ctime(target);
	}
	mutex_unlock(&sbi->lock);
	if (err)
		return err;
	igrab(target);
	d_instantiate(dentry, target);
	return 0;
}

/* The entry of a dentry, which must lead to its inode. sbi->lock held. */
static int find_own(struct inode *dir, struct dentry *dentry, struct page **page,
		    struct ext2_dirent **de)
{
	int err = ext2_find_entry(dir, dentry->name, dentry->len, page, de);

	if (err)
		return err;
	if ((*de)->inode == dentry->inode->ino)
		return 0;
	put_page(*page);
	return ext2_damage(ext2_isb(dir), "directory %lu has a name twice", (unsigned long)dir->ino);
}

static int remove_name(struct inode *dir, struct dentry *dentry, struct page *with)
{
	struct ext2_dirent *de;
	struct page *page;
	int err = find_own(dir, dentry, &page, &de);

	if (err)
		return err;
	err = ext2_remove_entry(dir, page, de, dentry->inode, with);
	put_page(page);
	return err;
}

static int ext2_unlink(struct inode *dir, struct dentry *dentry)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int err;

	mutex_lock(&sbi->lock);
	err = remove_name(dir, dentry, NULL);
	if (!err)
		lost_name(dentry->inode);
	mutex_unlock(&sbi->lock);
	return err;
}

/* Makes @dir ready to be deleted: empty, and on disk too. sbi->lock held. */
static int ready_to_die(struct inode *dir)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int empty = ext2_dir_empty(dir);

	if (empty <= 0)
		return empty ? empty : -ENOTEMPTY;
	if (ext2_i(dir)->removed_batch == sbi->batch)
		return ext2_commit(sbi, false);
	return 0;
}

static int ext2_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int err;

	mutex_lock(&sbi->lock);
	err = ready_to_die(dentry->inode);
	if (!err)
		err = remove_name(dir, dentry, NULL);
	if (!err) {
		lost_name(dentry->inode);
		lost_subdir(dir);
	}
	mutex_unlock(&sbi->lock);
	return err;
}

/* ---- rename --------------------------------------------------------------------------- */

/* Lets the name @new, which exists, mean @inode; who had it loses it. sbi->lock held. */
static int take_over(struct inode *dir, struct dentry *new, struct inode *inode,
		     struct page **where)
{
	struct ext2_dirent *de;
	struct page *page;
	int err = find_own(dir, new, &page, &de);

	if (err)
		return err;
	err = ext2_replace_entry(dir, page, de, inode);
	if (!err)
		lost_name(new->inode);
	*where = page;
	put_page(page);
	return err;
}

/*
 * Anything but a directory: first the new name, then the old one goes. The old entry is found first; a new
 * one in the same page does not move it. sbi->lock held.
 */
static int rename_file(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		       struct dentry *new)
{
	struct page *page, *where = NULL;
	struct inode *inode = old->inode;
	struct ext2_dirent *de;
	int err = find_own(old_dir, old, &page, &de);

	if (err)
		return err;
	if (new->inode)
		err = take_over(new_dir, new, inode, &where);
	else
		err = ext2_add_entry(new_dir, new->name, new->len, inode, &where);
	if (!err)
		err = ext2_remove_entry(old_dir, page, de, inode, where);
	if (!err)
		touch_ctime(inode);
	put_page(page);
	return err;
}

/* The entry '..' of @dir: its page, referenced, or ERR_PTR. */
static struct page *find_dotdot(struct inode *dir, struct ext2_dirent **de)
{
	struct page *page;
	int err = ext2_find_entry(dir, "..", 2, &page, de);

	if (err == -ENOENT)
		err = ext2_damage(ext2_isb(dir), "directory %lu has no '..'", (unsigned long)dir->ino);
	return err ? ERR_PTR(err) : page;
}

/*
 * Room for the new entry of a directory that stays in its parent. The page of the old entry is best, for
 * then a single write moves it; there, the old name's own bytes count as room, so it is taken out and, if
 * that does not help, put back. 0: it is out, and *@page and *@de are set; -ENOSPC; or -errno.
 */
static int find_room_beside(struct inode *dir, struct dentry *old, struct page *old_page,
			    struct ext2_dirent *old_de, unsigned int len, struct page **page,
			    struct ext2_dirent **de)
{
	struct page *same;
	int err;

	ext2_cut_entry(old_page, old_de);
	err = ext2_find_room(dir, len, old_page, page, de);
	if (err && ext2_find_room(dir, old->len, old_page, &same, de) == 0) {
		ext2_put_entry(*de, old->name, old->len, old->inode);
		put_page(same);
	}
	return err;
}

/* Where a directory's new entry goes, *@page referenced; *@cut: its old entry is out already. */
static int find_place(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new, struct page **page, struct ext2_dirent **de, bool *cut)
{
	struct ext2_dirent *old_de;
	struct page *old_page;
	int err = -ENOSPC;

	*cut = false;
	if (new->inode)
		return find_own(new_dir, new, page, de);
	if (old_dir == new_dir) {
		err = find_own(old_dir, old, &old_page, &old_de);
		if (err)
			return err;
		err = find_room_beside(old_dir, old, old_page, old_de, new->len, page, de);
		put_page(old_page);
		*cut = !err;
	}
	if (err == -ENOSPC)
		err = ext2_find_room(new_dir, new->len, NULL, page, de);
	if (err != -ENOSPC)
		return err;
	err = ext2_grow_dir(new_dir);
	return err ? err : ext2_find_room(new_dir, new->len, NULL, page, de);
}

/* Writes the new entry and takes the old one out. From here on nothing fails but the disk. */
static void swap_entries(struct inode *old_dir, struct dentry *old, struct dentry *new,
			 struct page *page, struct ext2_dirent *de, bool cut)
{
	struct ext2_sb *sbi = ext2_isb(old_dir);
	struct ext2_dirent *old_de;
	struct page *old_page;

	if (new->inode)
		de->inode = old->inode->ino;
	else
		ext2_put_entry(de, new->name, new->len, old->inode);
	ext2_dirty(sbi, page, EXT2_REPLACE);
	if (cut)
		return;
	if (ext2_find_entry(old_dir, old->name, old->len, &old_page, &old_de)) {
		ext2_break(sbi, "a directory can no longer be read");
		return;
	}
	ext2_cut_entry(old_page, old_de);
	ext2_dirty(sbi, old_page, EXT2_REPLACE);
	put_page(old_page);
}

static void count_subdirs(struct inode *old_dir, struct inode *new_dir, bool replaced)
{
	if (old_dir != new_dir) {
		lost_subdir(old_dir);
		new_dir->nlink++;
	}
	if (replaced)
		lost_subdir(new_dir);
	old_dir->mtime = old_dir->ctime = new_dir->mtime = new_dir->ctime = current_time();
	ext2_update_inode(old_dir);
	ext2_update_inode(new_dir);
}

/*
 * A directory. e2fsck -p gives up on one that has two names, or none, or a wrong '..', so there is no order
 * for the (up to) three pages: they make up a batch of their own and are written at the same time. One
 * page, if the parent and the page stay the same. Before that, an empty directory that is replaced dies: its
 * entry then leads to nothing. sbi->lock held.
 */
static int rename_directory(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			    struct dentry *new)
{
	struct inode *inode = old->inode, *target = new->inode;
	struct ext2_sb *sbi = ext2_isb(old_dir);
	struct ext2_dirent *de, *dotdot;
	struct page *page, *dot_page;
	bool cut;
	int err;

	dot_page = find_dotdot(inode, &dotdot);
	if (IS_ERR(dot_page))
		return PTR_ERR(dot_page);
	if (target)
		lost_name(target);
	err = ext2_commit(sbi, false);
	if (!err)
		err = find_place(old_dir, old, new_dir, new, &page, &de, &cut);
	if (!err) {
		swap_entries(old_dir, old, new, page, de, cut);
		put_page(page);
		if (old_dir != new_dir) {
			dotdot->inode = new_dir->ino;
			ext2_dirty(sbi, dot_page, EXT2_REPLACE);
		}
		count_subdirs(old_dir, new_dir, target);
		touch_ctime(inode);
		err = ext2_commit(sbi, false);
	}
	put_page(dot_page);
	return err;
}

static int ext2_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		       struct dentry *new)
{
	struct ext2_sb *sbi = ext2_isb(old_dir);
	bool is_dir = S_ISDIR(old->inode->mode);
	int err;

	if (is_dir && old_dir != new_dir && !new->inode && new_dir->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	mutex_lock(&sbi->lock);
	err = ext2_may_write(sbi);
	if (!err && new->inode && S_ISDIR(new->inode->mode))
		err = ready_to_die(new->inode);
	if (!err)
		err = is_dir ? rename_directory(old_dir, old, new_dir, new) :
			       rename_file(old_dir, old, new_dir, new);
	mutex_unlock(&sbi->lock);
	return err;
}

/* ---- symlinks ------------------------------------------------------------------------- */

static ssize_t ext2_readlink(struct inode *inode, char *buf, size_t size)
{
	size_t n = min(size, (size_t)inode->size);
	struct page *page;

	if ((size_t)inode->size < sizeof(ext2_i(inode)->block)) {
		memcpy(buf, ext2_i(inode)->block, n);
		return n;
	}
	page = read_cache_page(&inode->mapping, 0);
	if (IS_ERR(page))
		return PTR_ERR(page);
	memcpy(buf, page_address(page), n);
	put_page(page);
	return n;
}

const struct inode_operations ext2_dir_iops = {
	.lookup = ext2_lookup,
	.create = ext2_create,
	.link = ext2_link,
	.unlink = ext2_unlink,
	.symlink = ext2_symlink,
	.mkdir = ext2_mkdir,
	.rmdir = ext2_rmdir,
	.rename = ext2_rename,
};

const struct inode_operations ext2_symlink_iops = {
	.readlink = ext2_readlink,
};
