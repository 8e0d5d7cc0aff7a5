/* System calls on descriptors: reading, writing, seeking, polling. */
#include "syscall/syscall.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"

#define MAX_RW_COUNT	0x7ffff000UL	/* more is cut short, as in Linux */
#define IOV_MAX		1024
#define IOV_ON_STACK	8

/*
 * Reads or writes through a vector that lies in kernel memory; @pos NULL: the file's own position.
 */
static ssize_t do_rw(struct file *file, const struct iovec *iov, unsigned int nr, bool write,
		     loff_t *pos)
{
	struct iov_iter it = { .user = true, .to_iter = !write, .iov = iov, .nr_segs = nr };
	ssize_t ret;

	for (unsigned int i = 0; i < nr; i++) {
		if ((ssize_t)iov[i].iov_len < 0)
			return -EINVAL;
		if (!access_ok(iov[i].iov_base, iov[i].iov_len))
			return -EFAULT;
		it.count = min(it.count + iov[i].iov_len, MAX_RW_COUNT);
	}
	if (pos)
		ret = write ? vfs_write(file, &it, pos) : vfs_read(file, &it, pos);
	else
		ret = write ? vfs_write_pos(file, &it) : vfs_read_pos(file, &it);
	if (ret == -EPIPE && write)
		send_signal_self(SIGPIPE);
	return ret;
}

static ssize_t rw_one(int fd, unsigned long base, size_t n, bool write, loff_t *pos)
{
	struct iovec iov = { (void *)base, n };
	struct file *file = fget(fd);
	ssize_t ret;

	if (!file)
		return -EBADF;
	if (pos && *pos < 0)
		ret = -EINVAL;
	else if (pos && !file->ops->llseek)
		ret = -ESPIPE;
	else
		ret = do_rw(file, &iov, 1, write, pos);
	file_put(file);
	return ret;
}

SYSCALL(read)
{
	return rw_one(a[0], a[1], a[2], false, NULL);
}

SYSCALL(write)
{
	return rw_one(a[0], a[1], a[2], true, NULL);
}

SYSCALL(pread64)
{
	loff_t pos = a[3];

	return rw_one(a[0], a[1], a[2], false, &pos);
}

SYSCALL(pwrite64)
{
	loff_t pos = a[3];

	return rw_one(a[0], a[1], a[2], true, &pos);
}

/* @pos NULL: the file's own position. */
static ssize_t rw_vector(int fd, const struct iovec *uvec, unsigned long nr, bool write,
			 loff_t *pos)
{
	struct iovec few[IOV_ON_STACK], *iov = few;
	struct file *file;
	ssize_t ret;

	if (nr > IOV_MAX || (pos && *pos < 0))
		return -EINVAL;
	file = fget(fd);
	if (!file)
		return -EBADF;
	if (nr > IOV_ON_STACK)
		iov = vmalloc(nr * sizeof(*iov), GFP_KERNEL);
	if (!iov)
		ret = -ENOMEM;
	else if (pos && !file->ops->llseek)
		ret = -ESPIPE;
	else if (copy_from_user(iov, uvec, nr * sizeof(*iov)))
		ret = -EFAULT;
	else
		ret = do_rw(file, iov, nr, write, pos);
	if (iov != few)
		vfree(iov);
	file_put(file);
	return ret;
}

SYSCALL(readv)
{
	return rw_vector(a[0], (const struct iovec *)a[1], a[2], false, NULL);
}

SYSCALL(writev)
{
	return rw_vector(a[0], (const struct iovec *)a[1], a[2], true, NULL);
}

SYSCALL(preadv)
{
	loff_t pos = a[3];

	return rw_vector(a[0], (const struct iovec *)a[1], a[2], false, &pos);
}

SYSCALL(pwritev)
{
	loff_t pos = a[3];

	return rw_vector(a[0], (const struct iovec *)a[1], a[2], true, &pos);
}

/* Copies up to a page from one file to the other; both positions advance by what was written. */
static ssize_t send_page(struct file *in, struct file *out, loff_t *pos, size_t n, char *page)
{
	struct iovec iov;
	struct iov_iter it;
	ssize_t got = kernel_read(in, page, min(n, (size_t)PAGE_SIZE), pos), put;

	if (got <= 0)
		return got;
	iov_iter_init_one(&it, &iov, false, false, page, got);
	put = vfs_write_pos(out, &it);
	*pos -= got - max(put, (ssize_t)0);
	return put;
}

static ssize_t send_file(struct file *out, struct file *in, loff_t *pos, size_t count)
{
	char *page = __get_free_page(GFP_KERNEL);
	ssize_t done = 0, n = 0;

	if (!page)
		return -ENOMEM;
	count = min(count, MAX_RW_COUNT);
	while ((size_t)done < count && !signal_pending(current_thread())) {
		n = send_page(in, out, pos, count - done, page);
		if (n <= 0)
			break;
		done += n;
	}
	free_page(page);
	if (!done && !n && count && signal_pending(current_thread()))
		n = -ERESTARTSYS;
	if (!done && n == -EPIPE)
		send_signal_self(SIGPIPE);
	return done ? done : n;
}

SYSCALL(sendfile)
{
	struct file *out = fget(a[0]), *in = fget(a[1]);
	loff_t *uoff = (loff_t *)a[2], pos;
	ssize_t ret = -EBADF;

	if (!out || !in || !(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		goto out;
	ret = -EINVAL;
	if (!in->ops->llseek || !S_ISREG(in->inode->mode))
		goto out;
	ret = -EFAULT;
	if (uoff && get_user(pos, uoff))
		goto out;
	if (!uoff)
		pos = in->pos;
	ret = pos < 0 ? -EINVAL : send_file(out, in, &pos, a[3]);
	if (!uoff)
		in->pos = pos;
	else if (put_user(pos, uoff))
		ret = -EFAULT;
out:
	if (out)
		file_put(out);
	if (in)
		file_put(in);
	return ret;
}

SYSCALL(lseek)
{
	struct file *file = fget(a[0]);
	loff_t ret;

	if (!file)
		return -EBADF;
	ret = vfs_llseek(file, a[1], a[2]);
	file_put(file);
	return ret;
}

SYSCALL(ftruncate)
{
	struct file *file = fget(a[0]);
	int err;

	if (!file)
		return -EBADF;
	if ((long)a[1] < 0 || !(file->mode & FMODE_WRITE) || !S_ISREG(file->inode->mode))
		err = -EINVAL;
	else
		err = vfs_truncate(file->inode, a[1]);
	file_put(file);
	return err;
}

/* No filesystem here can reserve blocks; C libraries know what to do instead. */
SYSCALL(fallocate)
{
	struct file *file = fget(a[0]);

	if (!file)
		return -EBADF;
	file_put(file);
	return -EOPNOTSUPP;
}

SYSCALL(ioctl)
{
	struct file *file = fget(a[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = vfs_ioctl(file, a[1], a[2]);
	file_put(file);
	return ret;
}

static long sync_fd(int fd, bool datasync)
{
	struct file *file = fget(fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_fsync(file, datasync);
	file_put(file);
	return err;
}

SYSCALL(fsync)
{
	return sync_fd(a[0], false);
}

SYSCALL(fdatasync)
{
	return sync_fd(a[0], true);
}

SYSCALL(sync)
{
	(void)a;
	sync_all();
	return 0;
}

/* ---- directories ---------------------------------------------------------------------- */

struct linux_dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};

struct getdents {
	struct dir_context ctx;
	char *user;
	size_t left;
	struct linux_dirent64 *last;	/* user memory: its d_off is the next entry's position */
	int err;
};

static bool add_dirent(struct dir_context *ctx, const char *name, int len, ino_t ino,
		       unsigned int type)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	size_t head = offsetof(struct linux_dirent64, d_name);
	size_t size = ALIGN(head + len + 1, 8);
	char zeroes[8] = { 0 };
	struct linux_dirent64 d = { .d_ino = ino, .d_reclen = size, .d_type = type };

	if (size > g->left) {
		g->err = g->last ? 0 : -EINVAL;
		return false;
	}
	if ((g->last && put_user(ctx->pos, &g->last->d_off)) || copy_to_user(g->user, &d, head) ||
	    copy_to_user(g->user + head, name, len) ||
	    copy_to_user(g->user + head + len, zeroes, size - head - len)) {
		g->err = -EFAULT;
		return false;
	}
	g->last = (struct linux_dirent64 *)g->user;
	g->user += size;
	g->left -= size;
	return true;
}

SYSCALL(getdents64)
{
	struct getdents g = { .ctx.actor = add_dirent, .user = (char *)a[1], .left = (u32)a[2] };
	struct file *file = fget(a[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = vfs_readdir(file, &g.ctx);
	file_put(file);
	if (ret == 0 && g.last)
		ret = put_user(g.ctx.pos, &g.last->d_off) ? -EFAULT : g.user - (char *)a[1];
	else if (ret == 0)
		ret = g.err;
	return ret;
}

/* ---- descriptors ---------------------------------------------------------------------- */

SYSCALL(close)
{
	return fd_close(a[0]);
}

SYSCALL(dup)
{
	return fd_dup(a[0], 0, false);
}

SYSCALL(dup3)
{
	if (a[2] & ~(unsigned long)O_CLOEXEC)
		return -EINVAL;
	if ((unsigned int)a[0] == (unsigned int)a[1])
		return -EINVAL;
	return fd_dup_to(a[0], a[1], a[2] & O_CLOEXEC);
}

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1
#define SETFL_MASK	(O_APPEND | O_NONBLOCK)

static long file_flags(int fd, unsigned int cmd, unsigned long arg)
{
	struct file *file = fget(fd);
	long ret = 0;

	if (!file)
		return -EBADF;
	if (cmd == F_GETFL)
		ret = file->flags;
	else
		file->flags = (file->flags & ~SETFL_MASK) | (arg & SETFL_MASK);
	file_put(file);
	return ret;
}

SYSCALL(fcntl)
{
	switch ((unsigned int)a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (a[2] >= min(current_process()->rlimits[RLIMIT_NOFILE].cur, (u64)NR_OPEN_MAX))
			return -EINVAL;
		return fd_dup(a[0], a[2], a[1] == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec(a[0], -1);
	case F_SETFD: {
		int ret = fd_cloexec(a[0], a[2] & FD_CLOEXEC);

		return ret < 0 ? ret : 0;
	}
	case F_GETFL:
	case F_SETFL:
		return file_flags(a[0], a[1], a[2]);
	default: {
		struct file *file = fget(a[0]);

		if (!file)
			return -EBADF;
		file_put(file);
		return -EINVAL;
	}
	}
}

SYSCALL(pipe2)
{
	struct file *ends[2];
	int fds[2], err;

	if (a[1] & ~(unsigned long)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(ends, a[1] & O_NONBLOCK);
	if (err)
		return err;
	fds[0] = fd_alloc(0, a[1] & O_CLOEXEC);
	fds[1] = fds[0] < 0 ? -EMFILE : fd_alloc(0, a[1] & O_CLOEXEC);
	if (fds[1] >= 0 && copy_to_user((int *)a[0], fds, sizeof(fds)) == 0) {
		fd_install(fds[0], ends[0]);
		fd_install(fds[1], ends[1]);
		return 0;
	}
	err = fds[1] < 0 ? fds[1] : -EFAULT;
	if (fds[0] >= 0)
		fd_release(fds[0]);
	if (fds[1] >= 0)
		fd_release(fds[1]);
	file_put(ends[0]);
	file_put(ends[1]);
	return err;
}

SYSCALL(fadvise64)
{
	struct file *file = fget(a[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = !file->ops->llseek ? -ESPIPE : a[3] > 5 ? -EINVAL : 0;
	file_put(file);
	return ret;
}
