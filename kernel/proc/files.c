/* Descriptor tables and working directories: what a process knows files by. */
#include "proc/internal.h"
#include "base/initcall.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

/*
 * A table is one page of pointers: 512 slots, enough for teaching and the same in every lab, and a
 * reader never sees it move. The lock guards slots and bitmaps; a file is referenced under it.
 *
 * open() reserves a slot before it looks for the file, so that a full table creates none. Until the
 * file is there the slot is neither free nor open: fork leaves it out, close and dup2 refuse it.
 */
#define FD_SLOTS	NR_OPEN_MAX
BUILD_BUG_ON(FD_SLOTS * sizeof(struct file *) != PAGE_SIZE);

static struct kmem_cache *files_cache, *fs_cache;

static int files_init(void)
{
	files_cache = kmem_cache_create("files_cache", sizeof(struct files), 8, SLAB_PANIC, NULL);
	fs_cache = kmem_cache_create("fs_cache", sizeof(struct fs_struct), 8, SLAB_PANIC, NULL);
	return 0;
}
core_initcall(files_init);

/* A copy of @old (NULL: an empty table); NULL when memory is short. */
struct files *files_copy(struct files *old)
{
	struct files *new = kmem_cache_zalloc(files_cache, GFP_KERNEL);

	if (!new)
		return NULL;
	new->fd = get_zeroed_page(GFP_KERNEL);
	if (!new->fd) {
		kmem_cache_free(files_cache, new);
		return NULL;
	}
	atomic_set(&new->refs, 1);
	spin_lock_init(&new->lock);
	if (!old)
		return new;
	spin_lock(&old->lock);
	for (unsigned int fd = 0; fd < FD_SLOTS; fd++) {
		if (!old->fd[fd])
			continue;	/* empty, or reserved by an open that is not done */
		new->fd[fd] = file_get(old->fd[fd]);
		__set_bit(fd, new->open);
		if (test_bit(fd, old->cloexec))
			__set_bit(fd, new->cloexec);
	}
	spin_unlock(&old->lock);
	return new;
}

void files_put(struct files *files)
{
	if (!atomic_dec_and_test(&files->refs))
		return;
	for (unsigned int fd = 0; fd < FD_SLOTS; fd++)
		if (files->fd[fd])
			file_put(files->fd[fd]);
	free_page(files->fd);
	kmem_cache_free(files_cache, files);
}

struct file *fget(unsigned int fd)
{
	struct files *files = current_task()->files;
	struct file *file = NULL;

	if (fd >= FD_SLOTS)
		return NULL;
	spin_lock(&files->lock);
	if (files->fd[fd])
		file = file_get(files->fd[fd]);
	spin_unlock(&files->lock);
	return file;
}

int fd_alloc(unsigned int from, bool cloexec)
{
	struct files *files = current_task()->files;
	u64 limit = min(current_process()->rlimits[RLIMIT_NOFILE].cur, (u64)FD_SLOTS);
	unsigned long fd;

	if (from >= limit)
		return -EMFILE;
	spin_lock(&files->lock);
	fd = find_next_zero_bit(files->open, limit, from);
	if (fd < limit) {
		__set_bit(fd, files->open);
		if (cloexec)
			__set_bit(fd, files->cloexec);
		else
			__clear_bit(fd, files->cloexec);
	}
	spin_unlock(&files->lock);
	return fd < limit ? (int)fd : -EMFILE;
}

void fd_install(unsigned int fd, struct file *file)
{
	struct files *files = current_task()->files;

	spin_lock(&files->lock);
	files->fd[fd] = file;
	spin_unlock(&files->lock);
}

/* Empties a slot: its file, or NULL. */
static struct file *take_fd(struct files *files, unsigned int fd)
{
	struct file *file;

	spin_lock(&files->lock);
	file = files->fd[fd];
	files->fd[fd] = NULL;
	__clear_bit(fd, files->open);
	__clear_bit(fd, files->cloexec);
	spin_unlock(&files->lock);
	return file;
}

void fd_release(unsigned int fd)
{
	take_fd(current_task()->files, fd);
}

int fd_close(unsigned int fd)
{
	struct files *files = current_task()->files;
	struct file *file = NULL;

	spin_lock(&files->lock);
	if (fd < FD_SLOTS && files->fd[fd]) {
		file = files->fd[fd];
		files->fd[fd] = NULL;
		__clear_bit(fd, files->open);
		__clear_bit(fd, files->cloexec);
	}
	spin_unlock(&files->lock);
	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

int fd_dup(unsigned int old, unsigned int from, bool cloexec)
{
	struct file *file = fget(old);
	int fd;

	if (!file)
		return -EBADF;
	fd = fd_alloc(from, cloexec);
	if (fd < 0)
		file_put(file);
	else
		fd_install(fd, file);
	return fd;
}

int fd_dup_to(unsigned int old, unsigned int new, bool cloexec)
{
	struct files *files = current_task()->files;
	struct file *file = fget(old), *replaced;

	if (!file)
		return -EBADF;
	if (new >= min(current_process()->rlimits[RLIMIT_NOFILE].cur, (u64)FD_SLOTS)) {
		file_put(file);
		return -EBADF;
	}
	spin_lock(&files->lock);
	replaced = files->fd[new];
	if (!replaced && test_bit(new, files->open)) {
		spin_unlock(&files->lock);	/* another thread's open is about to fill it */
		file_put(file);
		return -EBUSY;
	}
	files->fd[new] = file;
	__set_bit(new, files->open);
	if (cloexec)
		__set_bit(new, files->cloexec);
	else
		__clear_bit(new, files->cloexec);
	spin_unlock(&files->lock);
	if (replaced)
		file_put(replaced);
	return new;
}

int fd_cloexec(unsigned int fd, int set)
{
	struct files *files = current_task()->files;
	int ret = -EBADF;

	spin_lock(&files->lock);
	if (fd < FD_SLOTS && files->fd[fd]) {
		ret = test_bit(fd, files->cloexec);
		if (set > 0)
			__set_bit(fd, files->cloexec);
		else if (set == 0)
			__clear_bit(fd, files->cloexec);
	}
	spin_unlock(&files->lock);
	return ret;
}

void files_close_on_exec(struct files *files)
{
	for (unsigned int fd = 0; fd < FD_SLOTS; fd++) {
		struct file *file;

		if (!test_bit(fd, files->cloexec))
			continue;
		file = take_fd(files, fd);
		if (file)
			file_put(file);
	}
}

/* ---- working directory ---------------------------------------------------------------- */

/* A copy of @old (NULL: at the root); NULL when memory is short. */
struct fs_struct *fs_copy(struct fs_struct *old)
{
	struct fs_struct *new = kmem_cache_zalloc(fs_cache, GFP_KERNEL);

	if (!new)
		return NULL;
	atomic_set(&new->refs, 1);
	spin_lock_init(&new->lock);
	new->umask = 022;
	if (old) {
		spin_lock(&old->lock);
		new->cwd = dget(old->cwd);
		new->root = dget(old->root);
		new->umask = old->umask;
		spin_unlock(&old->lock);
	} else {
		new->cwd = dget(root_dentry);
		new->root = dget(root_dentry);
	}
	return new;
}

void fs_put(struct fs_struct *fs)
{
	if (!atomic_dec_and_test(&fs->refs))
		return;
	dput(fs->cwd);
	dput(fs->root);
	kmem_cache_free(fs_cache, fs);
}

struct dentry *get_cwd(void)
{
	struct fs_struct *fs = current_task()->fs;
	struct dentry *cwd;

	spin_lock(&fs->lock);
	cwd = dget(fs->cwd);
	spin_unlock(&fs->lock);
	return cwd;
}

void set_cwd(struct dentry *cwd)
{
	struct fs_struct *fs = current_task()->fs;
	struct dentry *old;

	spin_lock(&fs->lock);
	old = fs->cwd;
	fs->cwd = cwd;
	spin_unlock(&fs->lock);
	dput(old);
}
