/*
 * The files behind device nodes that need no hardware (null, zero, full, random, urandom), the
 * terminal (console, tty) and raw block devices.
 */
#include "base/initcall.h"
#include "base/random.h"
#include "drivers/tty.h"
#include "fs/internal.h"
#include "mm/cache/writeback.h"

/* ---- memory devices ---------------------------------------------------------------------- */

static ssize_t null_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	(void)file;
	(void)it;
	(void)pos;
	return 0;
}

static ssize_t null_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	size_t n = it->count;

	(void)file;
	(void)pos;
	iov_iter_advance(it, n);
	return n;
}

static ssize_t full_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	(void)file;
	(void)it;
	(void)pos;
	return -ENOSPC;
}

/* Seeking there is allowed and means nothing. */
static loff_t null_llseek(struct file *file, loff_t off, int whence)
{
	(void)off;
	(void)whence;
	return file->pos = 0;
}

static ssize_t zero_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	ssize_t done = 0;

	(void)file;
	(void)pos;
	while (it->count && !fatal_signal_pending(current_thread())) {
		size_t want = min(it->count, (size_t)PAGE_SIZE), n = zero_iter(want, it);

		done += n;
		if (n < want)
			return done ? done : -EFAULT;
	}
	return done;
}

static ssize_t random_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	ssize_t done = 0;

	(void)file;
	(void)pos;
	while (it->count && !fatal_signal_pending(current_thread())) {
		u64 word = random_u64();
		size_t want = min(it->count, sizeof(word)), n = copy_to_iter(&word, want, it);

		done += n;
		if (n < want)
			return done ? done : -EFAULT;
	}
	return done;
}

static const struct file_operations null_fops = {
	.read = null_read, .write = null_write, .llseek = null_llseek,
};
static const struct file_operations zero_fops = {
	.read = zero_read, .write = null_write, .llseek = null_llseek,
};
static const struct file_operations full_fops = {
	.read = zero_read, .write = full_write, .llseek = null_llseek,
};
static const struct file_operations random_fops = {
	.read = random_read, .write = null_write, .llseek = null_llseek,
};

/* ---- the terminal ------------------------------------------------------------------------ */

static ssize_t ttydev_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	(void)pos;
	return tty_read(it, file->flags & O_NONBLOCK);
}

static ssize_t ttydev_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	(void)file;
	(void)pos;
	return tty_write(it);
}

static long ttydev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	(void)file;
	return tty_ioctl(cmd, arg);
}

static unsigned int ttydev_poll(struct file *file, struct wait_queue **wq)
{
	(void)file;
	return (tty_readable(wq) ? POLLIN | POLLRDNORM : 0) | POLLOUT | POLLWRNORM;
}

static const struct file_operations tty_fops = {
	.read = ttydev_read,
	.write = ttydev_write,
	.ioctl = ttydev_ioctl,
	.poll = ttydev_poll,
};

/* ---- block devices ----------------------------------------------------------------------- */

#define BLKROGET	0x125e
#define BLKGETSIZE	0x1260		/* sectors, long */
#define BLKFLSBUF	0x1261
#define BLKSSZGET	0x1268		/* int */
#define BLKGETSIZE64	0x80081272	/* bytes, u64 */

static int blkdev_open(struct inode *inode, struct file *file)
{
	struct block_device *bdev = find_block_device_dev(inode->rdev);

	if (!bdev || !bdev->mapping)
		return -ENXIO;
	if (bdev->read_only && (file->mode & FMODE_WRITE))
		return -EROFS;
	file->private = bdev;
	return 0;
}

static loff_t blkdev_size(const struct block_device *bdev)
{
	return bdev->nr_sectors << SECTOR_SHIFT;
}

static ssize_t blkdev_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct block_device *bdev = file->private;

	return generic_file_read(bdev->mapping, pos, it, &file->prev_pos);
}

static void no_extend(struct address_space *mapping, loff_t size)
{
	(void)mapping;
	(void)size;
}

static ssize_t blkdev_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct block_device *bdev = file->private;
	loff_t size = blkdev_size(bdev);

	if (!it->count)
		return 0;
	if (*pos >= size)
		return -ENOSPC;
	it->count = min((loff_t)it->count, size - *pos);
	return generic_file_write(bdev->mapping, pos, it, no_extend);
}

static loff_t blkdev_llseek(struct file *file, loff_t off, int whence)
{
	loff_t size = blkdev_size(file->private);
	loff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->pos : size;

	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	if (off > size - base || off < -base)
		return -EINVAL;
	return file->pos = base + off;
}

static int blkdev_fsync(struct file *file, bool datasync)
{
	struct block_device *bdev = file->private;
	int err = filemap_write_and_wait(bdev->mapping);

	(void)datasync;
	return err ? err : block_flush(bdev);
}

/* Nobody else looks after the dirty pages of a raw device, so closing it writes them. */
static void blkdev_release(struct file *file)
{
	struct block_device *bdev = file->private;

	if (file->mode & FMODE_WRITE)
		filemap_write_and_wait(bdev->mapping);
}

static long blkdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct block_device *bdev = file->private;

	switch (cmd) {
	case BLKGETSIZE64:
		return put_user((u64)blkdev_size(bdev), (u64 *)arg);
	case BLKGETSIZE:
		return put_user((unsigned long)bdev->nr_sectors, (unsigned long *)arg);
	case BLKSSZGET:
		return put_user(512, (int *)arg);
	case BLKROGET:
		return put_user((int)bdev->read_only, (int *)arg);
	case BLKFLSBUF:
		return blkdev_fsync(file, false);
	default:
		return -ENOTTY;
	}
}

const struct file_operations blkdev_fops = {
	.open = blkdev_open,
	.release = blkdev_release,
	.read = blkdev_read,
	.write = blkdev_write,
	.llseek = blkdev_llseek,
	.fsync = blkdev_fsync,
	.ioctl = blkdev_ioctl,
};

static int devices_init(void)
{
	static const struct {
		const char *name;
		dev_t dev;
		const struct file_operations *ops;
	} devices[] = {			/* Linux's numbers */
		{ "null", MKDEV(1, 3), &null_fops },
		{ "zero", MKDEV(1, 5), &zero_fops },
		{ "full", MKDEV(1, 7), &full_fops },
		{ "random", MKDEV(1, 8), &random_fops },
		{ "urandom", MKDEV(1, 9), &random_fops },
		{ "tty", MKDEV(5, 0), &tty_fops },
		{ "console", MKDEV(5, 1), &tty_fops },
	};
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = register_chrdev(devices[i].name, devices[i].dev, devices[i].ops);
	return err;
}
fs_initcall(devices_init);
