/*
 * Names to dentries: the path walk, and the calls that change names.
 *
 * A walk holds one dentry and what remains of the path, and takes one component at a time: "."
 * stays, ".." goes up (through mounts, never above the root), anything else is looked up: in the
 * dentry cache first, which needs no lock on the directory, else under the directory's lock in
 * the filesystem. A symbolic link replaces what remains by its text and what remained; forty of
 * them in one walk are a loop. Nothing recurses, and a path never grows beyond PATH_MAX.
 *
 * Calls that make or remove a name walk to the parent, lock it and look the last component up
 * again under that lock: only then is the answer good until they have acted.
 *
 * Locks of two directories (rename): one that is an ancestor of the other first, else by address.
 * rename_mutex keeps that relation still; without it two renames could each move one directory
 * below the other and cut both off as a cycle. Then the inodes that are linked, removed or
 * replaced, files by address.
 */
#include "base/panic.h"
#include "fs/internal.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

#define MAX_SYMLINKS	40

enum last_type { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct nameidata {
	struct dentry *dentry;		/* where the walk is; referenced */
	const char *rest;		/* what remains of the path */
	char *buf;			/* memory of rest once a link was followed, else NULL */
	unsigned int links;		/* followed so far */
	const char *last;		/* the component just taken off rest, not terminated */
	size_t len;
	enum last_type type;
	bool is_last;			/* nothing but slashes follows it */
	bool slash;			/* ... and there were some: it must be a directory */
};

static DEFINE_MUTEX(rename_mutex);

/* ---- the walk ---------------------------------------------------------------------------- */

static int walk_start(struct nameidata *nd, struct dentry *base, const char *path)
{
	memset(nd, 0, sizeof(*nd));
	if (!*path)
		return -ENOENT;
	if (strnlen(path, PATH_MAX) >= PATH_MAX)
		return -ENAMETOOLONG;
	nd->dentry = dget(*path == '/' || !base ? root_dentry : base);
	nd->rest = path;
	return 0;
}

static void walk_end(struct nameidata *nd)
{
	dput(nd->dentry);
	kfree(nd->buf);
}

/* Takes the next component off the rest; type LAST_ROOT: there was none. 0 or -ENAMETOOLONG */
static int next_component(struct nameidata *nd)
{
	const char *s = nd->rest;

	while (*s == '/')
		s++;
	nd->last = s;
	while (*s && *s != '/')
		s++;
	nd->len = s - nd->last;
	nd->slash = *s == '/';
	while (*s == '/')
		s++;
	nd->rest = s;
	nd->is_last = !*s;
	nd->slash = nd->slash && nd->is_last;
	nd->type = LAST_NORM;
	if (nd->len == 0)
		nd->type = LAST_ROOT;
	else if (nd->len == 1 && nd->last[0] == '.')
		nd->type = LAST_DOT;
	else if (nd->len == 2 && nd->last[0] == '.' && nd->last[1] == '.')
		nd->type = LAST_DOTDOT;
	return nd->len > NAME_MAX ? -ENAMETOOLONG : 0;
}

static void follow_dotdot(struct nameidata *nd)
{
	struct dentry *at = nd->dentry, *up;

	while (at != root_dentry && at == at->sb->root && at->sb->mountpoint)
		at = at->sb->mountpoint;
	up = at == root_dentry ? dget(at) : dget_parent(at);
	dput(nd->dentry);
	nd->dentry = follow_mounts(up);
}

/*
 * Follows the symbolic link @link (reference taken over), found in nd->dentry as the component just
 * taken: nd->rest becomes its text and what remained. 0 or -errno.
 */
static int follow_link(struct nameidata *nd, struct dentry *link)
{
	size_t rest_len = strlen(nd->rest);
	int err = -ELOOP;
	char *buf = NULL;
	ssize_t n;

	if (++nd->links > MAX_SYMLINKS)
		goto out;
	err = -ENOMEM;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		goto out;
	n = vfs_readlink(link, buf, PATH_MAX);
	err = n == 0 ? -ENOENT : n == PATH_MAX ? -ENAMETOOLONG : (int)min(n, (ssize_t)0);
	if (err)
		goto out;
	err = -ENAMETOOLONG;
	if (n + 1 + rest_len >= PATH_MAX)
		goto out;
	if (rest_len || nd->slash)
		buf[n++] = '/';
	memcpy(buf + n, nd->rest, rest_len + 1);
	kfree(nd->buf);
	nd->rest = nd->buf = buf;
	buf = NULL;
	if (*nd->rest == '/') {
		dput(nd->dentry);
		nd->dentry = dget(root_dentry);
	}
	err = 0;
out:
	kfree(buf);
	dput(link);
	return err;
}

/* The entry @name of @dir, maybe negative, referenced; mounts not yet followed. Or ERR_PTR. */
static struct dentry *lookup_one(struct dentry *dir, const char *name, size_t len)
{
	struct dentry *dentry;

	if (!is_dir(dir))
		return ERR_PTR(-ENOTDIR);
	dentry = d_lookup(dir, name, len);
	if (dentry)
		return dentry;
	mutex_lock(&dir->inode->lock);
	dentry = lookup_locked(dir, name, len);
	mutex_unlock(&dir->inode->lock);
	return dentry;
}

/* Goes where the component just taken leads. 0 or -errno */
static int walk_step(struct nameidata *nd, bool follow)
{
	struct inode *inode;
	struct dentry *child;

	if (!is_dir(nd->dentry))
		return -ENOTDIR;
	if (nd->type == LAST_DOTDOT)
		follow_dotdot(nd);
	if (nd->type != LAST_NORM)
		return 0;
	child = lookup_one(nd->dentry, nd->last, nd->len);
	if (IS_ERR(child))
		return PTR_ERR(child);
	inode = smp_load_acquire(&child->inode);
	if (!inode) {
		dput(child);
		return -ENOENT;
	}
	if (follow && S_ISLNK(inode->mode))
		return follow_link(nd, child);
	dput(nd->dentry);
	nd->dentry = follow_mounts(child);
	return 0;
}

/* Walks until the last component is taken, not gone to: nd->dentry is the parent, a directory. */
static int walk_to_parent(struct nameidata *nd)
{
	for (;;) {
		int err = next_component(nd);

		if (!err && nd->is_last)
			err = is_dir(nd->dentry) ? 0 : -ENOTDIR;
		if (err || nd->is_last)
			return err;
		err = walk_step(nd, true);
		if (err)
			return err;
	}
}

struct dentry *path_lookup(struct dentry *base, const char *path, unsigned int flags)
{
	struct dentry *found = NULL;
	struct nameidata nd;
	int err = walk_start(&nd, base, path);

	while (!err) {
		err = next_component(&nd);
		if (err || nd.type == LAST_ROOT)
			break;
		err = walk_step(&nd, !nd.is_last || nd.slash || (flags & LOOKUP_FOLLOW));
		if (!*nd.rest)
			break;
	}
	if (!err && (nd.slash || (flags & LOOKUP_DIRECTORY)) && !is_dir(nd.dentry))
		err = -ENOTDIR;
	if (!err)
		found = dget(nd.dentry);
	walk_end(&nd);
	return err ? ERR_PTR(err) : found;
}

/* ---- open -------------------------------------------------------------------------------- */

struct file *dentry_open(struct dentry *dentry, unsigned int flags)
{
	const struct file_operations *fops = NULL;
	struct inode *inode = dentry->inode;
	struct file *file;
	int err = 0;

	if (!(flags & O_PATH)) {
		if (S_ISLNK(inode->mode))
			return ERR_PTR(-ELOOP);
		fops = inode_fops(inode);
		if (IS_ERR(fops))
			return ERR_CAST(fops);
	}
	file = file_alloc(dentry, flags, fops);
	if (IS_ERR(file) || (flags & O_PATH))
		return file;
	if (inode->sb->read_only && (file->mode & FMODE_WRITE) && S_ISREG(inode->mode))
		err = -EROFS;
	if (!err && file->ops->open)
		err = file->ops->open(inode, file);
	if (err) {
		file->ops = &(const struct file_operations){ 0 };	/* it was never open */
		file_put(file);
		return ERR_PTR(err);
	}
	return file;
}

/* Opens what the walk ended at, with the checks of open(2); @created: by this very call. */
static struct file *open_found(struct dentry *dentry, unsigned int flags, bool slash, bool created)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	struct inode *inode = dentry->inode;
	struct file *file;
	int err;

	if (S_ISLNK(inode->mode) && !(flags & O_PATH))
		return ERR_PTR(-ELOOP);
	if (((flags & O_DIRECTORY) || slash) && !S_ISDIR(inode->mode))
		return ERR_PTR(-ENOTDIR);
	if (S_ISDIR(inode->mode) && !(flags & O_PATH) && (writes || (flags & (O_CREAT | O_TRUNC))))
		return ERR_PTR(-EISDIR);
	file = dentry_open(dentry, flags);
	if (!IS_ERR(file) && (flags & O_TRUNC) && S_ISREG(inode->mode) && !created &&
	    !(flags & O_PATH)) {
		err = vfs_truncate(inode, 0);
		if (err) {
			file_put(file);
			return ERR_PTR(err);
		}
	}
	return file;
}

/* The last component of an open with O_CREAT, under the parent's lock: its dentry, positive. */
static struct dentry *lookup_or_create(struct nameidata *nd, unsigned int flags, umode_t mode,
				       bool *created)
{
	struct inode *dir = nd->dentry->inode;
	struct dentry *dentry;
	int err = 0;

	mutex_lock(&dir->lock);
	dentry = lookup_locked(nd->dentry, nd->last, nd->len);
	if (IS_ERR(dentry))
		goto out;
	if (dentry->inode) {
		err = flags & O_EXCL ? -EEXIST : 0;
	} else {
		err = dir->sb->read_only ? -EROFS : !dir->ops->create ? -EACCES :
		      dir->ops->create(dir, dentry, S_IFREG | (mode & 07777), 0);
		*created = !err;
	}
	if (err) {
		dput(dentry);
		dentry = ERR_PTR(err);
	}
out:
	mutex_unlock(&dir->lock);
	return dentry;
}

/* O_CREAT: walks to the parent, again for every link that the last component turns out to be. */
static struct file *open_create(struct nameidata *nd, unsigned int flags, umode_t mode)
{
	for (;;) {
		struct dentry *dentry;
		struct file *file;
		bool created = false;
		int err = walk_to_parent(nd);

		if (err)
			return ERR_PTR(err);
		if (nd->type != LAST_NORM || nd->slash)
			return ERR_PTR(-EISDIR);
		dentry = lookup_or_create(nd, flags, mode, &created);
		if (IS_ERR(dentry))
			return ERR_CAST(dentry);
		if (!created && S_ISLNK(dentry->inode->mode) && !(flags & O_NOFOLLOW)) {
			err = follow_link(nd, dentry);
			if (err)
				return ERR_PTR(err);
			continue;
		}
		dentry = follow_mounts(dentry);
		file = open_found(dentry, flags, false, created);
		dput(dentry);
		return file;
	}
}

struct file *vfs_open(struct dentry *base, const char *path, unsigned int flags, umode_t mode)
{
	struct nameidata nd;
	struct file *file;
	int err;

	if (flags & O_TMPFILE)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return ERR_PTR(-EINVAL);
	if (!(flags & O_CREAT)) {
		struct dentry *dentry = path_lookup(base, path,
						    flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW);

		if (IS_ERR(dentry))
			return ERR_CAST(dentry);
		file = open_found(dentry, flags, false, false);
		dput(dentry);
		return file;
	}
	err = walk_start(&nd, base, path);
	file = err ? ERR_PTR(err) : open_create(&nd, flags, mode);
	walk_end(&nd);
	return file;
}

/* ---- making and removing names ----------------------------------------------------------- */

/*
 * Walks to the parent of a name that is to be made, locks it and looks the name up: the negative
 * dentry, nd->dentry->inode locked, or ERR_PTR with nothing locked. End with name_end() in both
 * cases.
 */
static struct dentry *name_start(struct nameidata *nd, struct dentry *base, const char *path,
				 bool dir)
{
	struct dentry *dentry;
	int err = walk_start(nd, base, path);

	if (!err)
		err = walk_to_parent(nd);
	if (!err && nd->type != LAST_NORM)
		err = -EEXIST;
	if (err)
		return ERR_PTR(err);
	mutex_lock(&nd->dentry->inode->lock);
	dentry = lookup_locked(nd->dentry, nd->last, nd->len);
	if (!IS_ERR(dentry)) {
		err = dentry->inode ? -EEXIST : nd->slash && !dir ? -ENOENT :
		      dentry->sb->read_only ? -EROFS : 0;
		if (!err)
			return dentry;
		dput(dentry);
		dentry = ERR_PTR(err);
	}
	mutex_unlock(&nd->dentry->inode->lock);
	return dentry;
}

static void name_end(struct nameidata *nd, struct dentry *dentry)
{
	if (!IS_ERR(dentry)) {
		mutex_unlock(&nd->dentry->inode->lock);
		dput(dentry);
	}
	walk_end(nd);
}

int vfs_mknod(struct dentry *base, const char *path, umode_t mode, dev_t rdev)
{
	struct nameidata nd;
	struct dentry *dentry;
	struct inode *dir;
	int err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode) || S_ISLNK(mode))
		return S_ISDIR(mode) ? -EPERM : -EINVAL;
	dentry = name_start(&nd, base, path, false);
	err = IS_ERR(dentry) ? PTR_ERR(dentry) : 0;
	dir = err ? NULL : nd.dentry->inode;
	if (!err)
		err = dir->ops->create ? dir->ops->create(dir, dentry, mode, rdev) : -EPERM;
	name_end(&nd, dentry);
	return err;
}

int vfs_mkdir(struct dentry *base, const char *path, umode_t mode)
{
	struct nameidata nd;
	struct dentry *dentry = name_start(&nd, base, path, true);
	int err = IS_ERR(dentry) ? PTR_ERR(dentry) : 0;
	struct inode *dir = err ? NULL : nd.dentry->inode;

	if (!err)
		err = dir->ops->mkdir ?
		      dir->ops->mkdir(dir, dentry, S_IFDIR | (mode & 01777)) : -EPERM;
	name_end(&nd, dentry);
	return err;
}

int vfs_symlink(const char *target, struct dentry *base, const char *path)
{
	struct nameidata nd;
	struct dentry *dentry;
	struct inode *dir;
	int err;

	if (!*target)
		return -ENOENT;
	if (strnlen(target, PATH_MAX) >= PATH_MAX)
		return -ENAMETOOLONG;
	dentry = name_start(&nd, base, path, false);
	err = IS_ERR(dentry) ? PTR_ERR(dentry) : 0;
	dir = err ? NULL : nd.dentry->inode;
	if (!err)
		err = dir->ops->symlink ? dir->ops->symlink(dir, dentry, target) : -EPERM;
	name_end(&nd, dentry);
	return err;
}

int vfs_link(struct dentry *old, struct dentry *base, const char *path)
{
	struct inode *inode = old->inode, *dir;
	struct nameidata nd;
	struct dentry *dentry;
	int err;

	if (S_ISDIR(inode->mode))
		return -EPERM;
	dentry = name_start(&nd, base, path, false);
	err = IS_ERR(dentry) ? PTR_ERR(dentry) : 0;
	dir = err ? NULL : nd.dentry->inode;
	if (!err && old->sb != dentry->sb)
		err = -EXDEV;
	if (!err && !dir->ops->link)
		err = -EPERM;
	if (!err) {
		mutex_lock(&inode->lock);
		err = inode->nlink ? dir->ops->link(dir, dentry, inode) : -ENOENT;
		mutex_unlock(&inode->lock);
	}
	name_end(&nd, dentry);
	return err;
}

/* May @dentry, found in a locked directory, be removed by rmdir (@dir) or unlink? 0 or -errno */
static int may_remove(struct dentry *dentry, bool dir)
{
	if (!dentry->inode)
		return -ENOENT;
	if (dentry->sb->read_only)
		return -EROFS;
	if (dir && !S_ISDIR(dentry->inode->mode))
		return -ENOTDIR;
	if (!dir && S_ISDIR(dentry->inode->mode))
		return -EISDIR;
	return dentry->mounted ? -EBUSY : 0;
}

static int remove_locked(struct inode *dir, struct dentry *dentry, bool is_rmdir)
{
	struct inode *victim = dentry->inode;
	int err = may_remove(dentry, is_rmdir);

	if (err)
		return err;
	mutex_lock(&victim->lock);
	if (is_rmdir)
		err = dir->ops->rmdir ? dir->ops->rmdir(dir, dentry) : -EPERM;
	else
		err = dir->ops->unlink ? dir->ops->unlink(dir, dentry) : -EPERM;
	mutex_unlock(&victim->lock);
	if (err)
		return err;
	if (is_rmdir)
		d_prune_children(dentry);
	d_delete(dentry);
	return 0;
}

int vfs_unlink(struct dentry *base, const char *path, bool dir)
{
	struct inode *parent, *victim = NULL;
	struct nameidata nd;
	struct dentry *dentry;
	int err = walk_start(&nd, base, path);

	if (!err)
		err = walk_to_parent(&nd);
	if (!err && nd.type != LAST_NORM)
		err = !dir ? -EISDIR : nd.type == LAST_ROOT ? -EBUSY :
		      nd.type == LAST_DOT ? -EINVAL : -ENOTEMPTY;
	if (err)
		goto out;
	parent = nd.dentry->inode;
	mutex_lock(&parent->lock);
	dentry = lookup_locked(nd.dentry, nd.last, nd.len);
	if (IS_ERR(dentry)) {
		err = PTR_ERR(dentry);
	} else {
		victim = dentry->inode;
		if (victim)
			igrab(victim);	/* blocks are freed when the directory is unlocked */
		if (victim && nd.slash && !dir)
			err = S_ISDIR(victim->mode) ? -EISDIR : -ENOTDIR;
		else
			err = remove_locked(parent, dentry, dir);
		dput(dentry);
	}
	mutex_unlock(&parent->lock);
	iput(victim);
out:
	walk_end(&nd);
	return err;
}

/* ---- rename ------------------------------------------------------------------------------ */

/* Locks two directories, ancestors first; rename_mutex too if they differ. */
static void lock_rename(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&rename_mutex);
	if (is_subdir(a, b) || (!is_subdir(b, a) && a->inode > b->inode))
		swap(a, b);
	mutex_lock(&a->inode->lock);
	mutex_lock(&b->inode->lock);
}

static void unlock_rename(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->lock);
	if (a != b) {
		mutex_unlock(&b->inode->lock);
		mutex_unlock(&rename_mutex);
	}
}

/* Both names are looked up, both parents locked: may @old become @new? 0, -errno, 1: nothing to
 * do. */
static int may_rename(struct nameidata *old_nd, struct dentry *old, struct nameidata *new_nd,
		      struct dentry *new, unsigned int flags)
{
	bool moves_dir;

	if (!old->inode)
		return -ENOENT;
	if (old->sb->read_only)
		return -EROFS;
	moves_dir = S_ISDIR(old->inode->mode);
	if (!moves_dir && (old_nd->slash || (new_nd->slash && !new->inode)))
		return -ENOTDIR;
	if (new->inode && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (moves_dir && is_subdir(new_nd->dentry, old))
		return -EINVAL;
	if (new->inode && is_subdir(old_nd->dentry, new))
		return -ENOTEMPTY;
	if (old->inode == new->inode)
		return 1;
	if (new->inode && moves_dir && !S_ISDIR(new->inode->mode))
		return -ENOTDIR;
	if (new->inode && !moves_dir && S_ISDIR(new->inode->mode))
		return -EISDIR;
	if (new->inode && !moves_dir && new_nd->slash)
		return -ENOTDIR;
	if (old->mounted || new->mounted)
		return -EBUSY;
	return old_nd->dentry->inode->ops->rename ? 0 : -EPERM;
}

/* The moved and the replaced inode are locked, by address; the latter may be NULL. */
static void lock_two(struct inode *a, struct inode *b)
{
	if (b && a > b)
		swap(a, b);
	if (a)
		mutex_lock(&a->lock);
	if (b)
		mutex_lock(&b->lock);
}

static int rename_locked(struct nameidata *old_nd, struct nameidata *new_nd, unsigned int flags,
			 struct inode **replaced)
{
	struct dentry *old, *new;
	struct inode *target;
	int err;

	old = lookup_locked(old_nd->dentry, old_nd->last, old_nd->len);
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = lookup_locked(new_nd->dentry, new_nd->last, new_nd->len);
	if (IS_ERR(new)) {
		dput(old);
		return PTR_ERR(new);
	}
	err = may_rename(old_nd, old, new_nd, new, flags);
	if (!err) {
		target = new->inode;
		if (target) {
			igrab(target);
			*replaced = target;
		}
		lock_two(old->inode, target);
		err = old_nd->dentry->inode->ops->rename(old_nd->dentry->inode, old,
							 new_nd->dentry->inode, new);
		mutex_unlock(&old->inode->lock);
		if (target)
			mutex_unlock(&target->lock);
		if (!err && target && S_ISDIR(target->mode))
			d_prune_children(new);
		if (!err)
			d_move(old, new);
	}
	dput(new);
	dput(old);
	return err < 0 ? err : 0;
}

int vfs_rename(struct dentry *old_base, const char *old, struct dentry *new_base, const char *new,
	       unsigned int flags)
{
	struct inode *replaced = NULL;
	struct nameidata from, to;
	int err, next;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	err = walk_start(&from, old_base, old);
	next = walk_start(&to, new_base, new);
	err = err ? err : next;
	if (!err)
		err = walk_to_parent(&from);
	if (!err)
		err = walk_to_parent(&to);
	if (!err && from.dentry->sb != to.dentry->sb)
		err = -EXDEV;
	if (!err && from.type != LAST_NORM)
		err = -EBUSY;
	if (!err && to.type != LAST_NORM)
		err = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!err) {
		lock_rename(from.dentry, to.dentry);
		err = rename_locked(&from, &to, flags, &replaced);
		unlock_rename(from.dentry, to.dentry);
	}
	iput(replaced);			/* frees its blocks, with nothing locked */
	walk_end(&from);
	walk_end(&to);
	return err;
}

/* ---- attributes -------------------------------------------------------------------------- */

ssize_t vfs_readlink(struct dentry *dentry, char *buf, size_t size)
{
	struct inode *inode = dentry->inode;

	if (!S_ISLNK(inode->mode) || !inode->ops || !inode->ops->readlink)
		return -EINVAL;
	return inode->ops->readlink(inode, buf, size);
}

int vfs_truncate(struct inode *inode, loff_t size)
{
	int err;

	if (size < 0)
		return -EINVAL;
	if (!S_ISREG(inode->mode))
		return S_ISDIR(inode->mode) ? -EISDIR : -EINVAL;
	if (inode->sb->read_only)
		return -EROFS;
	if (inode->sb->max_bytes && size > inode->sb->max_bytes)
		return -EFBIG;
	if (!inode->ops || !inode->ops->truncate)
		return inode->sb->uncached ? 0 : -EINVAL;	/* "echo 3 > /proc/..." truncates */
	mutex_lock(&inode->lock);
	err = inode->ops->truncate(inode, size);
	mutex_unlock(&inode->lock);
	return err;
}

int vfs_getattr(struct dentry *dentry, struct kstat *st)
{
	struct inode *inode = dentry->inode;

	*st = (struct kstat){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev = inode->rdev,
		.size = inode->size,
		.blocks = inode->blocks,
		.blksize = PAGE_SIZE,
		.atime = inode->atime,
		.mtime = inode->mtime,
		.ctime = inode->ctime,
	};
	return inode->ops && inode->ops->getattr ? inode->ops->getattr(inode, st) : 0;
}

int vfs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct super_block *sb = dentry->sb;

	*st = (struct kstatfs){ .type = sb->magic, .bsize = PAGE_SIZE, .namelen = NAME_MAX };
	return sb->ops->statfs ? sb->ops->statfs(sb, st) : 0;
}

int vfs_utimes(struct inode *inode, const struct timespec *atime, const struct timespec *mtime)
{
	if (inode->sb->read_only)
		return -EROFS;
	mutex_lock(&inode->lock);
	if (atime)
		inode->atime = *atime;
	if (mtime)
		inode->mtime = *mtime;
	inode->ctime = current_time();
	mark_inode_dirty(inode);
	mutex_unlock(&inode->lock);
	return 0;
}
