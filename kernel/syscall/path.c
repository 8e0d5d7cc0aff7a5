/* System calls that take a path. */
#include "syscall/syscall.h"
#include "asm/fcntl.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "uapi/stat.h"

/* As getname(), but the empty path is one too. */
static char *getname_empty(const char *user_path)
{
	char *name = kmalloc(PATH_MAX, GFP_KERNEL);
	long n;

	if (!name)
		return ERR_PTR(-ENOMEM);
	n = strncpy_from_user(name, user_path, PATH_MAX);
	if (n >= 0)
		return name;
	kfree(name);
	return ERR_PTR(n);
}

char *getname(const char *user_path)
{
	char *name = getname_empty(user_path);

	if (IS_ERR(name) || *name)
		return name;
	kfree(name);
	return ERR_PTR(-ENOENT);
}

void putname(char *name)
{
	if (!IS_ERR(name))
		kfree(name);
}

struct dentry *get_base(int dfd, const char *name)
{
	struct dentry *base;
	struct file *file;

	if (dfd == AT_FDCWD || *name == '/')
		return get_cwd();
	file = fget(dfd);
	if (!file)
		return ERR_PTR(-EBADF);
	base = S_ISDIR(file->inode->mode) || !*name ? dget(file->dentry) : ERR_PTR(-ENOTDIR);
	file_put(file);
	return base;
}

/* A user path and its base directory, for the length of a call. */
struct at {
	char *name;
	struct dentry *base;
};

static int at_get(struct at *at, int dfd, const char *user_path)
{
	at->base = NULL;
	at->name = getname(user_path);
	if (IS_ERR(at->name))
		return PTR_ERR(at->name);
	at->base = get_base(dfd, at->name);
	if (!IS_ERR(at->base))
		return 0;
	putname(at->name);
	return PTR_ERR(at->base);
}

static void at_put(struct at *at)
{
	dput(at->base);
	putname(at->name);
}

/* The dentry of a path, or with AT_EMPTY_PATH of the descriptor itself. */
static struct dentry *lookup_at(int dfd, const char *user_path, int flags)
{
	char *name = (flags & AT_EMPTY_PATH) ? getname_empty(user_path) : getname(user_path);
	struct dentry *base, *dentry;

	if (IS_ERR(name))
		return ERR_CAST(name);
	base = get_base(dfd, name);
	dentry = base;
	if (!IS_ERR(base) && *name) {
		dentry = path_lookup(base, name,
				     (flags & AT_SYMLINK_NOFOLLOW) ? 0 : LOOKUP_FOLLOW);
		dput(base);
	}
	putname(name);
	return dentry;
}

static umode_t masked(unsigned long mode)
{
	return mode & 07777 & ~current_task()->fs->umask;
}

SYSCALL(openat)
{
	unsigned int flags = a[2];
	struct file *file;
	struct at at;
	int fd, err;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		return -EOPNOTSUPP;
	err = at_get(&at, a[0], (const char *)a[1]);
	if (err)
		return err;
	fd = fd_alloc(0, flags & O_CLOEXEC);
	if (fd >= 0) {
		file = vfs_open(at.base, at.name, flags & ~O_CLOEXEC, masked(a[3]));
		if (IS_ERR(file)) {
			fd_release(fd);
			fd = PTR_ERR(file);
		} else {
			fd_install(fd, file);
		}
	}
	at_put(&at);
	return fd;
}

SYSCALL(mknodat)
{
	umode_t type = a[2] & S_IFMT;
	struct at at;
	int err;

	if (type && type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return type == S_IFDIR ? -EPERM : -EINVAL;
	err = at_get(&at, a[0], (const char *)a[1]);
	if (err)
		return err;
	err = vfs_mknod(at.base, at.name, (type ? type : S_IFREG) | masked(a[2]), a[3]);
	at_put(&at);
	return err;
}

SYSCALL(mkdirat)
{
	struct at at;
	int err = at_get(&at, a[0], (const char *)a[1]);

	if (err)
		return err;
	err = vfs_mkdir(at.base, at.name, masked(a[2]));
	at_put(&at);
	return err;
}

SYSCALL(unlinkat)
{
	struct at at;
	int err;

	if (a[2] & ~AT_REMOVEDIR)
		return -EINVAL;
	err = at_get(&at, a[0], (const char *)a[1]);
	if (err)
		return err;
	err = vfs_unlink(at.base, at.name, a[2] & AT_REMOVEDIR);
	at_put(&at);
	return err;
}

SYSCALL(symlinkat)
{
	char *target = getname((const char *)a[0]);
	struct at at;
	int err;

	if (IS_ERR(target))
		return PTR_ERR(target);
	err = at_get(&at, a[1], (const char *)a[2]);
	if (!err) {
		err = vfs_symlink(target, at.base, at.name);
		at_put(&at);
	}
	putname(target);
	return err;
}

SYSCALL(linkat)
{
	struct dentry *old;
	struct at at;
	int err;

	if (a[4] & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	old = lookup_at(a[0], (const char *)a[1], ((a[4] & AT_SYMLINK_FOLLOW) ? 0 : AT_SYMLINK_NOFOLLOW) |
			(a[4] & AT_EMPTY_PATH));
	if (IS_ERR(old))
		return PTR_ERR(old);
	err = at_get(&at, a[2], (const char *)a[3]);
	if (!err) {
		err = vfs_link(old, at.base, at.name);
		at_put(&at);
	}
	dput(old);
	return err;
}

static long rename_at(const unsigned long *a, unsigned int flags)
{
	struct at old, new;
	int err = at_get(&old, a[0], (const char *)a[1]);

	if (err)
		return err;
	err = at_get(&new, a[2], (const char *)a[3]);
	if (!err) {
		err = vfs_rename(old.base, old.name, new.base, new.name, flags);
		at_put(&new);
	}
	at_put(&old);
	return err;
}

SYSCALL(renameat)
{
	return rename_at(a, 0);
}

SYSCALL(renameat2)
{
	return rename_at(a, a[4]);
}

SYSCALL(readlinkat)
{
	char *user = (char *)a[2], *buf;
	struct dentry *dentry;
	ssize_t n = (int)a[3];

	if (n <= 0)
		return -EINVAL;
	dentry = lookup_at(a[0], (const char *)a[1], AT_SYMLINK_NOFOLLOW);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	n = buf ? vfs_readlink(dentry, buf, min((size_t)n, (size_t)PATH_MAX)) : -ENOMEM;
	if (n > 0 && copy_to_user(user, buf, n))
		n = -EFAULT;
	kfree(buf);
	dput(dentry);
	return n;
}

static int put_stat(struct dentry *dentry, void *user)
{
	struct kstat st;
	struct stat out;
	int err = vfs_getattr(dentry, &st);

	if (err)
		return err;
	memset(&out, 0, sizeof(out));
	out.st_dev = st.dev;
	out.st_ino = st.ino;
	out.st_mode = st.mode;
	out.st_nlink = st.nlink;
	out.st_uid = st.uid;
	out.st_gid = st.gid;
	out.st_rdev = st.rdev;
	out.st_size = st.size;
	out.st_blksize = st.blksize;
	out.st_blocks = st.blocks;
	out.st_atim = st.atime;
	out.st_mtim = st.mtime;
	out.st_ctim = st.ctime;
	return copy_to_user(user, &out, sizeof(out));
}

SYSCALL(newfstatat)
{
	struct dentry *dentry;
	int err;

	if (a[3] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x800))
		return -EINVAL;
	dentry = lookup_at(a[0], (const char *)a[1], a[3]);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = put_stat(dentry, (void *)a[2]);
	dput(dentry);
	return err;
}

SYSCALL(fstat)
{
	struct file *file = fget(a[0]);
	int err;

	if (!file)
		return -EBADF;
	err = put_stat(file->dentry, (void *)a[1]);
	file_put(file);
	return err;
}

static int put_statfs(struct dentry *dentry, void *user)
{
	struct kstatfs st = { 0 };
	struct statfs out;
	int err = vfs_statfs(dentry, &st);

	if (err)
		return err;
	memset(&out, 0, sizeof(out));
	out.f_type = st.type;
	out.f_bsize = out.f_frsize = st.bsize;
	out.f_blocks = st.blocks;
	out.f_bfree = st.bfree;
	out.f_bavail = st.bavail;
	out.f_files = st.files;
	out.f_ffree = st.ffree;
	out.f_namelen = st.namelen;
	return copy_to_user(user, &out, sizeof(out));
}

SYSCALL(statfs)
{
	struct dentry *dentry = lookup_at(AT_FDCWD, (const char *)a[0], 0);
	int err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = put_statfs(dentry, (void *)a[1]);
	dput(dentry);
	return err;
}

SYSCALL(fstatfs)
{
	struct file *file = fget(a[0]);
	int err;

	if (!file)
		return -EBADF;
	err = put_statfs(file->dentry, (void *)a[1]);
	file_put(file);
	return err;
}

/* Everybody is root here: a file that exists may be read and written, run if anybody may. */
SYSCALL(faccessat)
{
	struct dentry *dentry;
	umode_t mode;
	bool frozen;

	if (a[2] & ~7UL)
		return -EINVAL;
	dentry = lookup_at(a[0], (const char *)a[1], 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	mode = dentry->inode->mode;
	frozen = dentry->inode->sb->read_only && (S_ISREG(mode) || S_ISDIR(mode));
	dput(dentry);
	if ((a[2] & 2) && frozen)
		return -EROFS;
	return (a[2] & 1) && !S_ISDIR(mode) && !(mode & 0111) ? -EACCES : 0;
}

static int change_dir(struct dentry *dentry)
{
	if (!S_ISDIR(dentry->inode->mode)) {
		dput(dentry);
		return -ENOTDIR;
	}
	set_cwd(dentry);
	return 0;
}

SYSCALL(chdir)
{
	struct dentry *dentry = lookup_at(AT_FDCWD, (const char *)a[0], 0);

	return IS_ERR(dentry) ? PTR_ERR(dentry) : change_dir(dentry);
}

SYSCALL(fchdir)
{
	struct file *file = fget(a[0]);
	int err;

	if (!file)
		return -EBADF;
	err = change_dir(dget(file->dentry));
	file_put(file);
	return err;
}

SYSCALL(getcwd)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *path;
	struct dentry *cwd = get_cwd();
	long ret = -ENOMEM;

	if (buf) {
		path = d_unlinked(cwd) ? ERR_PTR(-ENOENT) : d_path(cwd, buf, PATH_MAX);
		ret = IS_ERR(path) ? PTR_ERR(path) : (long)strlen(path) + 1;
		if (ret > 0 && (unsigned long)ret > a[1])
			ret = -ERANGE;
		if (ret > 0 && copy_to_user((char *)a[0], path, ret))
			ret = -EFAULT;
	}
	kfree(buf);
	dput(cwd);
	return ret;
}

static long change_mode(struct dentry *dentry, umode_t mode)
{
	struct inode *inode = dentry->inode;

	if (inode->sb->read_only)
		return -EROFS;
	mutex_lock(&inode->lock);
	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	inode->ctime = current_time();
	mark_inode_dirty(inode);
	mutex_unlock(&inode->lock);
	return 0;
}

SYSCALL(fchmodat)
{
	struct dentry *dentry = lookup_at(a[0], (const char *)a[1], 0);
	long err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = change_mode(dentry, a[2]);
	dput(dentry);
	return err;
}

SYSCALL(fchmod)
{
	struct file *file = fget(a[0]);
	long err;

	if (!file)
		return -EBADF;
	err = change_mode(file->dentry, a[1]);
	file_put(file);
	return err;
}

static long change_owner(struct dentry *dentry, u32 uid, u32 gid)
{
	struct inode *inode = dentry->inode;

	if (inode->sb->read_only)
		return -EROFS;
	mutex_lock(&inode->lock);
	if (uid != ~0U)
		inode->uid = uid;
	if (gid != ~0U)
		inode->gid = gid;
	inode->ctime = current_time();
	mark_inode_dirty(inode);
	mutex_unlock(&inode->lock);
	return 0;
}

SYSCALL(fchownat)
{
	struct dentry *dentry = lookup_at(a[0], (const char *)a[1], a[4]);
	long err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = change_owner(dentry, a[2], a[3]);
	dput(dentry);
	return err;
}

SYSCALL(fchown)
{
	struct file *file = fget(a[0]);
	long err;

	if (!file)
		return -EBADF;
	err = change_owner(file->dentry, a[1], a[2]);
	file_put(file);
	return err;
}

SYSCALL(truncate)
{
	struct dentry *dentry;
	int err;

	if ((long)a[1] < 0)
		return -EINVAL;
	dentry = lookup_at(AT_FDCWD, (const char *)a[0], 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = vfs_truncate(dentry->inode, a[1]);
	dput(dentry);
	return err;
}

#define UTIME_NOW	0x3fffffff
#define UTIME_OMIT	0x3ffffffe

/* One of the two times: *out = NULL leaves it alone. */
static int pick_time(struct timespec *t, const struct timespec **out)
{
	*out = t;
	if (t->tv_nsec == UTIME_OMIT)
		*out = NULL;
	else if (t->tv_nsec == UTIME_NOW)
		*t = current_time();
	else if ((u64)t->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	return 0;
}

SYSCALL(utimensat)
{
	struct timespec times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	const struct timespec *atime, *mtime;
	struct dentry *dentry;
	int err;

	if (a[3] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (a[2] && copy_from_user(times, (void *)a[2], sizeof(times)))
		return -EFAULT;
	if (!a[1] && (int)a[0] == AT_FDCWD)
		return -EFAULT;
	err = pick_time(&times[0], &atime);
	if (!err)
		err = pick_time(&times[1], &mtime);
	if (err)
		return err;
	if (a[1]) {
		dentry = lookup_at(a[0], (const char *)a[1], a[3]);
	} else {
		struct file *file = fget(a[0]);

		dentry = file ? dget(file->dentry) : ERR_PTR(-EBADF);
		if (file)
			file_put(file);
	}
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = vfs_utimes(dentry->inode, atime, mtime);
	dput(dentry);
	return err;
}
