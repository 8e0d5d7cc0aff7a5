/*
 * Open files: struct file is what one open() made, shared by dup and fork. It counts its holders;
 * the last file_put() releases it. Here are also the checks that every read, write and seek needs
 * before the file's own operation sees it, and the operations that filesystems with files in the
 * page cache share.
 *
 * A position belongs to files that can seek. Only those are locked (pos_lock) around read(2) and
 * write(2): a reader asleep on a pipe or a terminal must not stop a writer who shares its struct
 * file.
 */
#include "base/initcall.h"
#include "fs/internal.h"
#include "lib/string.h"
#include "mm/cache/shmem.h"
#include "mm/slab/slab.h"

#define MAX_RW_COUNT	0x7ffff000UL	/* bytes in one call, as in Linux */

static struct kmem_cache *file_cache;
static const struct file_operations no_fops;	/* O_PATH, and inodes without operations */

static int file_init(void)
{
	file_cache = KMEM_CACHE(file, SLAB_PANIC | SLAB_NO_MERGE);
	return 0;
}
core_initcall(file_init);

struct file *file_get(struct file *file)
{
	atomic_inc(&file->refs);
	return file;
}

void file_put(struct file *file)
{
	if (!atomic_dec_and_test(&file->refs))
		return;
	if (file->ops->release)
		file->ops->release(file);
	dput(file->dentry);
	kmem_cache_free(file_cache, file);
}

struct file *file_alloc(struct dentry *dentry, unsigned int flags,
			const struct file_operations *ops)
{
	static const unsigned int modes[] = {	/* by O_ACCMODE */
		FMODE_READ, FMODE_WRITE, FMODE_READ | FMODE_WRITE, 0
	};
	struct file *file = kmem_cache_zalloc(file_cache, GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	atomic_set(&file->refs, 1);
	mutex_init(&file->pos_lock);
	file->mode = flags & O_PATH ? 0 : modes[flags & O_ACCMODE];
	file->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	file->dentry = dget(dentry);
	file->inode = dentry->inode;
	file->ops = ops ? ops : &no_fops;
	return file;
}

const struct file_operations *inode_fops(struct inode *inode)
{
	const struct file_operations *fops = inode->fops;

	if (S_ISCHR(inode->mode))
		fops = chrdev_fops(inode->rdev);
	else if (S_ISBLK(inode->mode))
		fops = &blkdev_fops;
	else if (S_ISREG(inode->mode) || S_ISDIR(inode->mode))
		return fops ? fops : &no_fops;
	else
		fops = NULL;		/* named pipes and sockets */
	return fops ? fops : ERR_PTR(-ENXIO);
}

/* ---- read, write, seek ------------------------------------------------------------------- */

/* What read and write check alike; may shorten @it. 0 or -errno. */
static int check_range(struct file *file, struct iov_iter *it, loff_t pos)
{
	if (file->ops->llseek && pos < 0)
		return -EINVAL;
	if (it->count > MAX_RW_COUNT)
		it->count = MAX_RW_COUNT;
	if (file->ops->llseek && pos > __LONG_MAX__ - (loff_t)it->count)
		return -EINVAL;
	return 0;
}

ssize_t vfs_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	int err;

	if (!(file->mode & FMODE_READ))
		return -EBADF;
	if (S_ISDIR(file->inode->mode))
		return -EISDIR;
	err = check_range(file, it, *pos);
	if (err)
		return err;
	return file->ops->read ? file->ops->read(file, it, pos) : -EINVAL;
}

ssize_t vfs_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	int err;

	if (!(file->mode & FMODE_WRITE))
		return -EBADF;
	err = check_range(file, it, *pos);
	if (err)
		return err;
	return file->ops->write ? file->ops->write(file, it, pos) : -EINVAL;
}

typedef ssize_t (*transfer_fn)(struct file *file, struct iov_iter *it, loff_t *pos);

static ssize_t transfer_pos(struct file *file, struct iov_iter *it, transfer_fn transfer)
{
	loff_t none = 0;
	ssize_t done;

	if (!file->ops->llseek)
		return transfer(file, it, &none);
	mutex_lock(&file->pos_lock);
	done = transfer(file, it, &file->pos);
	mutex_unlock(&file->pos_lock);
	return done;
}

ssize_t vfs_read_pos(struct file *file, struct iov_iter *it)
{
	return transfer_pos(file, it, vfs_read);
}

ssize_t vfs_write_pos(struct file *file, struct iov_iter *it)
{
	return transfer_pos(file, it, vfs_write);
}

ssize_t kernel_read(struct file *file, void *buf, size_t n, loff_t *pos)
{
	struct iov_iter it;
	struct iovec iov;

	iov_iter_init_one(&it, &iov, false, true, buf, n);
	return vfs_read(file, &it, pos);
}

loff_t vfs_llseek(struct file *file, loff_t off, int whence)
{
	loff_t pos;

	if (file->flags & O_PATH)
		return -EBADF;
	if (!file->ops->llseek)
		return -ESPIPE;
	mutex_lock(&file->pos_lock);
	pos = file->ops->llseek(file, off, whence);
	mutex_unlock(&file->pos_lock);
	return pos;
}

int vfs_fsync(struct file *file, bool datasync)
{
	if (file->flags & O_PATH)
		return -EBADF;
	return file->ops->fsync ? file->ops->fsync(file, datasync) : -EINVAL;
}

long vfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (file->flags & O_PATH)
		return -EBADF;
	return file->ops->ioctl ? file->ops->ioctl(file, cmd, arg) : -ENOTTY;
}

unsigned int vfs_poll(struct file *file, struct wait_queue **wq)
{
	*wq = NULL;
	if (file->ops->poll)
		return file->ops->poll(file, wq);
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

int vfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file->inode;
	int err;

	if (!S_ISDIR(inode->mode) || !file->ops->iterate)
		return -ENOTDIR;
	if (!(file->mode & FMODE_READ))
		return -EBADF;
	mutex_lock(&file->pos_lock);
	mutex_lock(&inode->lock);
	ctx->pos = file->pos;
	err = inode->nlink ? file->ops->iterate(file, ctx) : -ENOENT;
	file->pos = ctx->pos;
	mutex_unlock(&inode->lock);
	mutex_unlock(&file->pos_lock);
	return err;
}

int vfs_mmap_mapping(struct file *file, size_t len, bool shared, struct address_space **out)
{
	struct address_space *mapping = &file->inode->mapping;

	*out = NULL;
	if (S_ISCHR(file->inode->mode) && file->inode->rdev == MKDEV(1, 5)) {	/* /dev/zero */
		if (shared)
			*out = shmem_create(len);
		return shared && !*out ? -ENOMEM : 0;
	}
	if (!S_ISREG(file->inode->mode) || !mapping->ops || !mapping->ops->get ||
	    !mapping->ops->readpage)
		return -ENODEV;
	mapping->ops->get(mapping);
	*out = mapping;
	return 0;
}

/* ---- for filesystems with files in the page cache ---------------------------------------- */

ssize_t generic_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	return generic_file_read(&file->inode->mapping, pos, it, &file->prev_pos);
}

static void extend_inode(struct address_space *mapping, loff_t size)
{
	WRITE_ONCE(mapping->host->size, size);
	mark_inode_dirty(mapping->host);
}

ssize_t generic_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct inode *inode = file->inode;
	loff_t limit = inode->sb->max_bytes ? inode->sb->max_bytes : __LONG_MAX__;
	ssize_t done;
	int err = 0;

	mutex_lock(&inode->lock);
	if (file->flags & O_APPEND)
		*pos = inode->size;
	if (!it->count) {
		mutex_unlock(&inode->lock);
		return 0;
	}
	if (*pos >= limit) {
		mutex_unlock(&inode->lock);
		return -EFBIG;
	}
	it->count = min((loff_t)it->count, limit - *pos);
	inode->mtime = inode->ctime = current_time();
	mark_inode_dirty(inode);
	done = generic_file_write(&inode->mapping, pos, it, extend_inode);
	mutex_unlock(&inode->lock);
	if (done > 0 && (file->flags & (O_DSYNC | O_SYNC)))
		err = vfs_fsync(file, (file->flags & O_SYNC) != O_SYNC);
	return err ? err : done;
}

loff_t generic_llseek(struct file *file, loff_t off, int whence)
{
	loff_t size = READ_ONCE(file->inode->size);
	loff_t base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = file->pos;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA:			/* files are one piece of data, then a hole at the end */
	case SEEK_HOLE:
		if (off < 0 || off >= size)
			return -ENXIO;
		base = whence == SEEK_DATA ? 0 : size - off;
		break;
	default:
		return -EINVAL;
	}
	if (off > 0 && base > __LONG_MAX__ - off)
		return -EOVERFLOW;
	if (base + off < 0)
		return -EINVAL;
	file->pos = base + off;
	return file->pos;
}

int generic_fsync(struct file *file, bool datasync)
{
	(void)datasync;
	return sync_inode(file->inode, true);
}
