/*
 * Pipes: a ring of 64 KiB whose pages exist only while they hold bytes.
 *
 * Two positions that only grow, tail (written) and head (read), say what is in it; byte n lies in
 * slot n / PAGE_SIZE % 16. A slot's page is allocated by the writer that comes to it and freed by
 * the reader that leaves it, unless the writer has come round to its first bytes again: so an
 * empty pipe holds one page at most. Up to PIPE_BUF bytes are written in one piece: the writer
 * waits until all of them fit.
 *
 * pipe->mutex is around every transfer; bytes move while it is held, so that two writers do not
 * mix, and a page fault in the user's buffer may happen under it (the mutex is outside
 * mmap_lock). poll looks without it: each of its loads is one word, and a change is followed by a
 * wake-up.
 *
 * A pipe has an inode of its own (fstat tells S_IFIFO) on a super block that nobody mounts.
 */
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

#define PIPE_SLOTS	16
#define PIPE_SIZE	(PIPE_SLOTS * PAGE_SIZE)
#define PIPE_BUF	4096
#define PIPEFS_MAGIC	0x50495045
#define FIONREAD	0x541b

struct pipe {
	struct mutex mutex;
	unsigned long head, tail;
	unsigned int readers, writers;	/* open ends: 0 or 1 each, dup shares a struct file */
	struct wait_queue read_wait, write_wait;
	void *slot[PIPE_SLOTS];
};

static struct kmem_cache *pipe_cache;
static struct super_block *pipe_sb;

static unsigned long used(const struct pipe *pipe)
{
	return READ_ONCE(pipe->tail) - READ_ONCE(pipe->head);
}

/* The reader leaves the page before head. */
static void free_slot(struct pipe *pipe)
{
	void **slot = &pipe->slot[(pipe->head / PAGE_SIZE - 1) % PIPE_SLOTS];

	if (used(pipe) > PIPE_SIZE - PAGE_SIZE)
		return;			/* its beginning holds the newest bytes */
	free_page(*slot);
	*slot = NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Copies what is there; mutex held. Bytes or -EFAULT. */
static ssize_t drain(struct pipe *pipe, struct iov_iter *it)
{
	ssize_t done = 0;

	while (it->count && pipe->head != pipe->tail) {
		unsigned int slot = pipe->head / PAGE_SIZE % PIPE_SLOTS;
		unsigned int from = pipe->head % PAGE_SIZE;
		size_t want = min(min((size_t)(PAGE_SIZE - from), it->count),
				  (size_t)(pipe->tail - pipe->head));
		size_t n = copy_to_iter((char *)pipe->slot[slot] + from, want, it);

		done += n;
		WRITE_ONCE(pipe->head, pipe->head + n);
		if (n && pipe->head % PAGE_SIZE == 0)
			free_slot(pipe);
		if (n < want)
			return done ? done : -EFAULT;
	}
	return done;
}

static ssize_t pipe_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct pipe *pipe = file->private;
	ssize_t done;

	(void)pos;
	if (!it->count)
		return 0;
	mutex_lock(&pipe->mutex);
	while (pipe->head == pipe->tail && pipe->writers) {
		mutex_unlock(&pipe->mutex);
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(&pipe->read_wait,
					     used(pipe) || !READ_ONCE(pipe->writers)))
			return -ERESTARTSYS;
		mutex_lock(&pipe->mutex);
	}
	done = drain(pipe, it);
	mutex_unlock(&pipe->mutex);
	if (done > 0)
		wake_up_all(&pipe->write_wait);
	return done;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The page that the next byte goes to; NULL: no memory. Mutex held. */
static char *tail_page(struct pipe *pipe)
{
	void **slot = &pipe->slot[pipe->tail / PAGE_SIZE % PIPE_SLOTS];

	if (!*slot)
		*slot = __get_free_page(GFP_KERNEL);
	return *slot;
}

/* Writes what fits, @want at most; mutex held. Bytes, -EFAULT or -ENOMEM. */
static ssize_t fill(struct pipe *pipe, struct iov_iter *it, size_t want)
{
	ssize_t done = 0;

	while (want && used(pipe) < PIPE_SIZE) {
		unsigned int to = pipe->tail % PAGE_SIZE;
		size_t room = min((size_t)(PAGE_SIZE - to), PIPE_SIZE - used(pipe));
		char *page = tail_page(pipe);
		size_t n;

		if (!page)
			return done ? done : -ENOMEM;
		room = min(room, want);
		n = copy_from_iter(page + to, room, it);
		WRITE_ONCE(pipe->tail, pipe->tail + n);
		done += n;
		want -= n;
		if (n < room)
			return done ? done : -EFAULT;
	}
	return done;
}

/* May a writer with @left bytes to write go on? A small write waits for room for all of it. */
static bool has_room(const struct pipe *pipe, size_t left, bool atomic)
{
	return PIPE_SIZE - used(pipe) >= (atomic ? left : 1) || !READ_ONCE(pipe->readers);
}

static ssize_t pipe_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct pipe *pipe = file->private;
	bool atomic = it->count <= PIPE_BUF;
	ssize_t done = 0, n = 0;

	(void)pos;
	if (!it->count)
		return 0;
	mutex_lock(&pipe->mutex);
	while (it->count) {
		if (!pipe->readers) {
			n = -EPIPE;
			break;
		}
		if (has_room(pipe, it->count, atomic)) {
			n = fill(pipe, it, it->count);
			if (n <= 0)
				break;
			done += n;
			wake_up_all(&pipe->read_wait);
			continue;
		}
		if (file->flags & O_NONBLOCK) {
			n = -EAGAIN;
			break;
		}
		mutex_unlock(&pipe->mutex);
		n = wait_event_interruptible(&pipe->write_wait, has_room(pipe, it->count, atomic));
		mutex_lock(&pipe->mutex);
		if (n)
			break;
	}
	mutex_unlock(&pipe->mutex);
	return done ? done : n;
}

/* ---- the rest ---------------------------------------------------------------------------- */

static unsigned int pipe_poll(struct file *file, struct wait_queue **wq)
{
	struct pipe *pipe = file->private;
	unsigned int mask = 0;

	if (file->mode & FMODE_READ) {
		*wq = &pipe->read_wait;
		if (used(pipe))
			mask |= POLLIN | POLLRDNORM;
		if (!READ_ONCE(pipe->writers))
			mask |= POLLHUP;
	} else {
		*wq = &pipe->write_wait;
		if (used(pipe) <= PIPE_SIZE - PIPE_BUF)
			mask |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(pipe->readers))
			mask |= POLLERR;
	}
	return mask;
}

static long pipe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pipe *pipe = file->private;

	return cmd == FIONREAD ? put_user((int)used(pipe), (int *)arg) : -ENOTTY;
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->private;

	mutex_lock(&pipe->mutex);
	if (file->mode & FMODE_READ)
		pipe->readers--;
	else
		pipe->writers--;
	wake_up_all(&pipe->read_wait);
	wake_up_all(&pipe->write_wait);
	mutex_unlock(&pipe->mutex);		/* the inode, which both ends hold, frees it */
}

static const struct file_operations pipe_fops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

/* The last file let go of the inode. */
static void evict_pipe(struct inode *inode)
{
	struct pipe *pipe = inode->private;

	if (!pipe)
		return;
	for (unsigned int i = 0; i < PIPE_SLOTS; i++)
		free_page(pipe->slot[i]);
	kmem_cache_free(pipe_cache, pipe);
}

static const struct super_operations pipe_super_ops = { .evict_inode = evict_pipe };

/* A fresh pipe in a dentry of its own; NULL: no memory. */
static struct dentry *make_pipe(void)
{
	static atomic_t next_ino = ATOMIC_INIT(1);
	struct inode *inode = inode_alloc(pipe_sb);
	struct pipe *pipe;
	char name[32];

	if (!inode)
		return NULL;
	inode->ino = atomic_inc_return(&next_ino);
	inode->mode = S_IFIFO | 0600;
	inode->private = pipe = kmem_cache_zalloc(pipe_cache, GFP_KERNEL);
	if (!pipe) {
		iput(inode);
		return NULL;
	}
	mutex_init(&pipe->mutex);
	wait_queue_init(&pipe->read_wait);
	wait_queue_init(&pipe->write_wait);
	pipe->readers = pipe->writers = 1;
	snprintf(name, sizeof(name), "pipe:[%lu]", (unsigned long)inode->ino);
	return d_alloc_pseudo(inode, name);
}

int pipe_create(struct file *ends[2], unsigned int flags)
{
	struct dentry *dentry = make_pipe();
	struct pipe *pipe;
	int err = 0;

	if (!dentry)
		return -ENOMEM;
	pipe = dentry->inode->private;
	flags &= O_NONBLOCK;
	ends[0] = file_alloc(dentry, O_RDONLY | flags, &pipe_fops);
	ends[1] = IS_ERR(ends[0]) ? ends[0] : file_alloc(dentry, O_WRONLY | flags, &pipe_fops);
	if (!IS_ERR(ends[0]))
		ends[0]->private = pipe;
	if (IS_ERR(ends[1])) {
		err = PTR_ERR(ends[1]);
		if (!IS_ERR(ends[0]))
			file_put(ends[0]);
	} else {
		ends[1]->private = pipe;
	}
	dput(dentry);
	return err;
}

static int pipe_init(void)
{
	pipe_cache = KMEM_CACHE(pipe, SLAB_PANIC | SLAB_NO_MERGE);
	pipe_sb = sb_alloc("pipefs", &pipe_super_ops);
	if (!pipe_sb)
		return -ENOMEM;
	pipe_sb->uncached = true;
	pipe_sb->magic = PIPEFS_MAGIC;
	return 0;
}
fs_initcall(pipe_init);
