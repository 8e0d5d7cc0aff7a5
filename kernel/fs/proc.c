/*
 * /proc: a filesystem of texts that are made when they are read.
 *
 * Its static part is a tree of proc_entry, made by proc_create() at boot and never taken down, so
 * it is read without a lock. Beside it, in the root, there is a directory for each process, all
 * alike: pid_entries lists what is in them. Processes are found through proc_pid_ops, for they
 * live a floor above.
 *
 * Dentries and inodes exist only while in use (sb->uncached). A process may die while its
 * directory or file is open: the inode holds only the number, and each read or write looks the
 * process up anew: -ESRCH.
 *
 * Inode numbers: a static entry's is its serial number; of process p, pid << 16 plus the entry's
 * place.
 */
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "fs/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"

#define PROC_MAGIC	0x9fa0
#define MAX_TEXT	(4UL << 20)	/* bytes; more is a bug, not a file */
#define PID_INO(pid, n)	((ino_t)(pid) << 16 | (n))

struct proc_entry {
	const char *name;
	umode_t mode;
	ino_t ino;
	struct list_head node;			/* parent's children */
	struct list_head children;
	int (*show)(struct seq_file *m, void *data);
	int (*write)(const char *text, size_t n, void *data);
	void *data;
	/* in pid_entries */
	int (*show_pid)(struct seq_file *m, struct process *p);
	int (*write_pid)(const char *text, size_t n, struct process *p);
	int (*target)(struct process *p, char *buf, size_t n);
};

/* inode->private: entry; inode->rdev: pid, 0 outside of process directories */
static struct kmem_cache *seq_file_cache;
static struct proc_entry root = {
	.name = "proc", .mode = S_IFDIR | 0555, .ino = 1,
	.node = LIST_HEAD_INIT(root.node), .children = LIST_HEAD_INIT(root.children),
};
static LIST_HEAD(pid_entries);
static ino_t next_ino = 2;
static DEFINE_MUTEX(proc_mutex);		/* among those who create */
static const struct proc_pid_ops *pid_ops;

void proc_set_pid_ops(const struct proc_pid_ops *ops)
{
	pid_ops = ops;
}

/* ---- texts that grow --------------------------------------------------------------------- */

static void *text_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kmalloc(size, GFP_KERNEL) : vmalloc(size, GFP_KERNEL);
}

static void text_free(struct seq_file *m)
{
	if (m->size <= PAGE_SIZE)
		kfree(m->buf);
	else
		vfree(m->buf);
	m->buf = NULL;
	m->size = m->count = 0;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(m->buf + m->count, m->size - m->count, fmt, args);
	va_end(args);
	if (m->count + n < m->size) {
		m->count += n;
	} else {
		m->overflow = true;
		m->count = m->size;
	}
}

void seq_puts(struct seq_file *m, const char *s)
{
	size_t n = strlen(s);

	if (m->count + n > m->size) {
		m->overflow = true;
		m->count = m->size;
		return;
	}
	memcpy(m->buf + m->count, s, n);
	m->count += n;
}

void seq_putc(struct seq_file *m, char c)
{
	if (m->count < m->size)
		m->buf[m->count++] = c;
	else
		m->overflow = true;
}

static int show_once(struct inode *inode, struct seq_file *m)
{
	struct proc_entry *entry = inode->private;
	struct process *p;
	int err;

	if (!inode->rdev)
		return entry->show ? entry->show(m, entry->data) : -EINVAL;
	if (!entry->show_pid)
		return -EINVAL;
	p = pid_ops->get(inode->rdev);
	if (!p)
		return -ESRCH;
	err = entry->show_pid(m, p);
	pid_ops->put(p);
	return err;
}

/* Makes the text, in a buffer that is doubled until it fits. 0 or -errno. */
static int make_text(struct inode *inode, struct seq_file *m)
{
	size_t size = m->size ? m->size : PAGE_SIZE;
	int err;

	for (;; size *= 2) {
		if (m->size != size) {
			text_free(m);
			if (size > MAX_TEXT)
				return -EOVERFLOW;
			m->buf = text_alloc(size);
			if (!m->buf)
				return -ENOMEM;
			m->size = size;
		}
		m->count = 0;
		m->overflow = false;
		err = show_once(inode, m);
		if (err || !m->overflow)
			return err;
	}
}

/* ---- files ------------------------------------------------------------------------------- */

static int proc_open(struct inode *inode, struct file *file)
{
	struct proc_entry *entry = inode->private;

	if ((file->mode & FMODE_WRITE) && !entry->write && !entry->write_pid)
		return -EACCES;
	file->private = kmem_cache_zalloc(seq_file_cache, GFP_KERNEL);
	return file->private ? 0 : -ENOMEM;
}

static void proc_release(struct file *file)
{
	text_free(file->private);
	kmem_cache_free(seq_file_cache, file->private);
}

/* file->pos_lock protects the text from a second reader; pread has none, hence the inode's lock. */
static ssize_t proc_read(struct file *file, struct iov_iter *it, loff_t *pos)
{
	struct seq_file *m = file->private;
	ssize_t done = 0;
	size_t n, want;

	mutex_lock(&file->inode->lock);
	if (*pos == 0 || !m->buf)
		done = make_text(file->inode, m);
	if (done == 0 && *pos < (loff_t)m->count) {
		want = min(it->count, (size_t)(m->count - *pos));
		n = copy_to_iter(m->buf + *pos, want, it);
		done = n || !want ? (ssize_t)n : -EFAULT;
		*pos += n;
	}
	mutex_unlock(&file->inode->lock);
	return done;
}

static int write_text(struct inode *inode, const char *text, size_t n)
{
	struct proc_entry *entry = inode->private;
	struct process *p;
	int err;

	if (!inode->rdev)
		return entry->write ? entry->write(text, n, entry->data) : -EINVAL;
	p = entry->write_pid ? pid_ops->get(inode->rdev) : NULL;
	if (!p)
		return entry->write_pid ? -ESRCH : -EINVAL;
	err = entry->write_pid(text, n, p);
	pid_ops->put(p);
	return err;
}

static ssize_t proc_write(struct file *file, struct iov_iter *it, loff_t *pos)
{
	size_t n = it->count;
	char *text;
	int err;

	if (n >= PAGE_SIZE)
		return -EINVAL;
	text = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (copy_from_iter(text, n, it) == n) {
		text[n] = '\0';
		err = write_text(file->inode, text, n);
	} else {
		err = -EFAULT;
	}
	kfree(text);
	if (err)
		return err;
	*pos += n;
	return n;
}

static const struct file_operations proc_fops = {
	.open = proc_open,
	.release = proc_release,
	.read = proc_read,
	.write = proc_write,
	.llseek = generic_llseek,
};

/* ---- links ------------------------------------------------------------------------------- */

static ssize_t proc_readlink(struct inode *inode, char *buf, size_t size)
{
	struct proc_entry *entry = inode->private;
	struct process *p;
	char *path;
	int n;

	if (!inode->rdev) {				/* "self" */
		char pid[16];

		n = snprintf(pid, sizeof(pid), "%d", pid_ops ? pid_ops->self() : 0);
		n = min((size_t)n, size);
		memcpy(buf, pid, n);
		return n;
	}
	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	p = pid_ops->get(inode->rdev);
	n = p ? entry->target(p, path, PATH_MAX) : -ESRCH;
	if (p)
		pid_ops->put(p);
	if (n > 0) {
		n = min((size_t)n, size);
		memcpy(buf, path, n);
	}
	kfree(path);
	return n;
}

static const struct inode_operations proc_link_ops = { .readlink = proc_readlink };
static struct proc_entry self_entry = { .name = "self", .mode = S_IFLNK | 0777 };

/* ---- directories ------------------------------------------------------------------------- */

static int proc_lookup(struct inode *dir, struct dentry *dentry);
static int proc_iterate(struct file *file, struct dir_context *ctx);

static const struct inode_operations proc_dir_ops = { .lookup = proc_lookup };
static const struct file_operations proc_dir_fops = {
	.iterate = proc_iterate,
	.llseek = generic_llseek,
};

/* What a process's directory itself is. */
static struct proc_entry pid_dir = { .name = "pid", .mode = S_IFDIR | 0555 };

static struct inode *make_inode(struct super_block *sb, struct proc_entry *entry, pid_t pid,
				ino_t ino)
{
	struct inode *inode = inode_alloc(sb);

	if (!inode)
		return NULL;
	inode->ino = ino;
	inode->mode = entry->mode;
	inode->private = entry;
	inode->rdev = pid;
	if (S_ISDIR(entry->mode)) {
		inode->nlink = 2;
		inode->ops = &proc_dir_ops;
		inode->fops = &proc_dir_fops;
	} else if (S_ISLNK(entry->mode)) {
		inode->ops = &proc_link_ops;
	} else {
		inode->fops = &proc_fops;
	}
	return inode;
}

/* The pid that a name spells, or 0: no leading zeros, no sign. */
static pid_t name_to_pid(const char *name)
{
	int pid;

	if (name[0] < '1' || name[0] > '9' || kstrtoint(name, 10, &pid))
		return 0;
	return pid;
}

/* The pid of the process whose directory has this name, or 0: there is none. */
static pid_t lookup_process(const char *name)
{
	pid_t pid = pid_ops ? name_to_pid(name) : 0;
	struct process *p = pid ? pid_ops->get(pid) : NULL;

	if (!p)
		return 0;
	pid_ops->put(p);
	return pid;
}

static struct proc_entry *find_entry(const struct list_head *list, const char *name, size_t len)
{
	struct proc_entry *entry;

	list_for_each_entry(entry, list, node)
		if (strlen(entry->name) == len && !memcmp(entry->name, name, len))
			return entry;
	return NULL;
}

static const struct list_head *children_of(const struct inode *dir)
{
	return dir->rdev ? &pid_entries : &((struct proc_entry *)dir->private)->children;
}

static int proc_lookup(struct inode *dir, struct dentry *dentry)
{
	struct proc_entry *entry = find_entry(children_of(dir), dentry->name, dentry->len);
	pid_t pid = dir->rdev;
	struct inode *inode;

	if (!entry && dir->private == &root) {
		pid = lookup_process(dentry->name);
		entry = pid ? &pid_dir : NULL;
	}
	if (!entry)
		return 0;
	inode = make_inode(dir->sb, entry, pid, pid ? PID_INO(pid, entry->ino) : entry->ino);
	if (!inode)
		return -ENOMEM;
	d_instantiate(dentry, inode);
	return 0;
}

/* Positions in the root: 0, 1 the dots, 2 + n the n-th entry, PID_POS + pid a process. */
#define PID_POS	(1L << 32)

static void iterate_processes(struct dir_context *ctx)
{
	char name[16];
	pid_t pid;

	if (ctx->pos < PID_POS)
		ctx->pos = PID_POS;
	while (pid_ops && (pid = pid_ops->next(ctx->pos - PID_POS))) {
		int n = snprintf(name, sizeof(name), "%d", pid);

		if (!ctx->actor(ctx, name, n, PID_INO(pid, 0), DT_DIR))
			return;
		ctx->pos = PID_POS + pid;
	}
}

static int proc_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->inode;
	struct proc_entry *entry;
	loff_t at = 2;

	if (ctx->pos == 0 && ctx->actor(ctx, ".", 1, dir->ino, DT_DIR))
		ctx->pos = 1;
	if (ctx->pos == 1 && ctx->actor(ctx, "..", 2, root.ino, DT_DIR))
		ctx->pos = 2;
	if (ctx->pos < 2)
		return 0;
	list_for_each_entry(entry, children_of(dir), node) {
		if (at++ != ctx->pos)
			continue;
		if (!ctx->actor(ctx, entry->name, strlen(entry->name),
				dir->rdev ? PID_INO(dir->rdev, entry->ino) : entry->ino,
				S_DT(entry->mode)))
			return 0;
		ctx->pos++;
	}
	if (dir->private == &root)
		iterate_processes(ctx);
	return 0;
}

/* ---- making entries ---------------------------------------------------------------------- */

/* proc_mutex held. NULL: no memory. */
static struct proc_entry *add_entry(struct list_head *list, const char *name, size_t len,
				    umode_t mode)
{
	struct proc_entry *entry = kzalloc(sizeof(*entry) + len + 1, GFP_KERNEL);
	char *copy = (char *)(entry + 1);

	if (!entry)
		return NULL;
	memcpy(copy, name, len);
	entry->name = copy;
	entry->mode = mode;
	entry->ino = next_ino++;
	INIT_LIST_HEAD(&entry->children);
	list_add_tail(&entry->node, list);
	return entry;
}

int proc_create(const char *path, int (*show)(struct seq_file *m, void *data),
		int (*write)(const char *text, size_t n, void *data), void *data)
{
	struct proc_entry *dir = &root, *entry = NULL;
	int err = -ENOMEM;

	mutex_lock(&proc_mutex);
	for (const char *end; *path; path = *end ? end + 1 : end) {
		bool last;

		end = strchrnul(path, '/');
		last = !*end;
		entry = find_entry(&dir->children, path, end - path);
		if (entry && last) {
			err = -EEXIST;
			goto out;
		}
		if (!entry)
			entry = add_entry(&dir->children, path, end - path,
					  last ? S_IFREG | 0444 : S_IFDIR | 0555);
		if (!entry)
			goto out;
		dir = entry;
	}
	if (entry) {
		entry->show = show;
		entry->write = write;
		entry->data = data;
		entry->mode = S_IFREG | (show ? 0444 : 0) | (write ? 0200 : 0);
		err = 0;
	}
out:
	mutex_unlock(&proc_mutex);
	return err;
}

static struct proc_entry *add_pid_entry(const char *name, umode_t mode)
{
	struct proc_entry *entry;

	mutex_lock(&proc_mutex);
	entry = add_entry(&pid_entries, name, strlen(name), mode);
	mutex_unlock(&proc_mutex);
	return entry;
}

int proc_create_pid(const char *name, int (*show)(struct seq_file *m, struct process *p),
		    int (*write)(const char *text, size_t n, struct process *p))
{
	struct proc_entry *entry = add_pid_entry(name, S_IFREG | 0444 | (write ? 0200 : 0));

	if (!entry)
		return -ENOMEM;
	entry->show_pid = show;
	entry->write_pid = write;
	return 0;
}

int proc_create_pid_link(const char *name, int (*target)(struct process *p, char *buf, size_t n))
{
	struct proc_entry *entry = add_pid_entry(name, S_IFLNK | 0777);

	if (!entry)
		return -ENOMEM;
	entry->target = target;
	return 0;
}

/* ---- mounting ---------------------------------------------------------------------------- */

static const struct super_operations proc_super_ops;

static struct super_block *proc_mount(struct file_system_type *type, const char *source,
				      bool read_only)
{
	struct super_block *sb = sb_alloc(type->name, &proc_super_ops);
	struct inode *inode = sb ? make_inode(sb, &root, 0, root.ino) : NULL;

	(void)source;
	if (inode) {
		sb->uncached = true;
		sb->read_only = read_only;
		sb->magic = PROC_MAGIC;
		sb->root = d_make_root(inode);
	}
	if (sb && sb->root)
		return sb;
	if (sb)
		sb_free(sb);
	return ERR_PTR(-ENOMEM);
}

static struct file_system_type proc_type = { .name = "proc", .mount = proc_mount };

static int proc_init(void)
{
	seq_file_cache = KMEM_CACHE(seq_file, SLAB_PANIC);
	register_filesystem(&proc_type);
	mutex_lock(&proc_mutex);
	self_entry.ino = next_ino++;
	list_add(&self_entry.node, &root.children);
	mutex_unlock(&proc_mutex);
	return 0;
}
fs_initcall(proc_init);
