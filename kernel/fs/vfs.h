/*
 * The virtual filesystem: super blocks, inodes, dentries, files; path walking.
 *
 * Names follow Linux. Locks, outermost first:
 *	rename_mutex (one, for directory moves)
 *	inode->lock (sleeping) of a directory, then of a child; two directories: ancestor first,
 *	else by address
 *	mm->mmap_lock  (copies from and to user memory fault while an inode lock is held)
 *	page lock
 *	the filesystem's own: ext2 has one, for all its metadata, before the locks of the pages that hold it
 *	dcache_lock, inode_lock, mapping->tree_lock (spin)
 * A page fault never takes inode->lock.
 */
#pragma once

#include "asm/fcntl.h"
#include "mm/cache/pagecache.h"
#include "lib/errno.h"
#include "sched/mutex.h"

struct super_block;
struct inode;
struct dentry;
struct file;
struct kstat;
struct dir_context;

#define NAME_MAX	255
#define PATH_MAX	4096

#define S_IFMT	0170000
#define S_IFSOCK 0140000
#define S_IFLNK	0120000
#define S_IFREG	0100000
#define S_IFBLK	0060000
#define S_IFDIR	0040000
#define S_IFCHR	0020000
#define S_IFIFO	0010000
#define S_ISLNK(m) (((m) & S_IFMT) == S_IFLNK)
#define S_ISREG(m) (((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m) & S_IFMT) == S_IFDIR)
#define S_ISCHR(m) (((m) & S_IFMT) == S_IFCHR)
#define S_ISBLK(m) (((m) & S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m) & S_IFMT) == S_IFIFO)

/* Open flags, Linux's; O_DIRECTORY, O_NOFOLLOW, O_DIRECT and O_LARGEFILE differ between machines
 * and are in asm/fcntl.h. */
#define O_ACCMODE	00000003
#define O_RDONLY	0
#define O_WRONLY	1
#define O_RDWR		2
#define O_CREAT		0100
#define O_EXCL		0200
#define O_NOCTTY	0400
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DSYNC		010000
#define O_CLOEXEC	02000000
#define O_SYNC		04010000
#define O_PATH		010000000
#define O_TMPFILE	020000000	/* always with O_DIRECTORY; not supported */

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#define SEEK_DATA	3
#define SEEK_HOLE	4

#define DT_UNKNOWN	0
#define DT_FIFO		1
#define DT_CHR		2
#define DT_DIR		4
#define DT_BLK		6
#define DT_REG		8
#define DT_LNK		10
#define DT_SOCK		12
#define S_DT(mode)	(((mode) >> 12) & 15)	/* the DT_ of a mode */

#define POLLIN		0x0001
#define POLLPRI		0x0002
#define POLLOUT		0x0004
#define POLLERR		0x0008
#define POLLHUP		0x0010
#define POLLNVAL	0x0020
#define POLLRDNORM	0x0040
#define POLLWRNORM	0x0100

#define RENAME_NOREPLACE 1

#define FMODE_READ	1
#define FMODE_WRITE	2

struct kstat {
	u64 dev, ino;
	umode_t mode;
	u32 nlink, uid, gid;
	u64 rdev;
	loff_t size;
	u64 blocks;			/* of 512 bytes */
	u32 blksize;
	struct timespec atime, mtime, ctime;
};

struct kstatfs {
	u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen;
};

struct super_operations {
	/* Write the inode to its table page (marks that dirty); with wait also to the device. */
	int (*write_inode)(struct inode *inode, bool wait);
	/* nlink 0 and the last reference gone: free blocks and the inode. Else plain forgetting. */
	void (*evict_inode)(struct inode *inode);
	int (*sync_fs)(struct super_block *sb, bool wait);
	int (*statfs)(struct super_block *sb, struct kstatfs *st);
	void (*put_super)(struct super_block *sb);	/* unmount: everything was synced */
};

struct super_block {
	const struct super_operations *ops;
	const char *fstype;
	struct block_device *bdev;	/* NULL: none */
	dev_t dev;
	bool read_only;
	struct dentry *root;
	void *private;
	struct list_head inodes;	/* all in memory, under inode_lock */
	struct list_head dirty;		/* inodes with dirty metadata or pages, under inode_lock */
	struct mutex sync_mutex;	/* one sync of this filesystem at a time */
	bool uncached;			/* dentries and inodes live only while in use: proc, dev */
	loff_t max_bytes;		/* largest file; 0: no limit of its own */
	u32 magic;			/* for statfs without an operation */
	struct dentry *mountpoint;	/* what it covers, referenced; NULL: root, or not mounted */
	char source[32];		/* for /proc/mounts */
	struct list_head node;		/* super_blocks */
};

struct inode_operations {
	/*
	 * All with dir->lock held, and for unlink, rmdir, link and rename also the lock of the
	 * inode that goes, is linked or replaced. lookup, create, symlink and mkdir hand the
	 * inode over with d_instantiate(dentry, inode), which takes over the caller's reference;
	 * link too, with a reference of its own (igrab). The name was checked before: no such
	 * entry exists (create …), it does (unlink, rmdir), types agree and neither is an
	 * ancestor of the other (rename). An empty directory is for rmdir and rename to find out:
	 * -ENOTEMPTY. Times and link counts are the filesystem's. 0 or -errno.
	 */
	/* Looks @dentry's name up in @dir: instantiates, or leaves the dentry negative. */
	int (*lookup)(struct inode *dir, struct dentry *dentry);
	int (*create)(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t rdev);
	int (*link)(struct inode *dir, struct dentry *dentry, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, umode_t mode);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	/* @flags: RENAME_NOREPLACE handled by the vfs. new->inode is replaced if not NULL. */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new);
	/* Target into buf: length or -errno. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size);
	int (*truncate)(struct inode *inode, loff_t size);	/* inode->lock held */
	int (*getattr)(struct inode *inode, struct kstat *st);	/* NULL: generic */
};

struct file_operations {
	ssize_t (*read)(struct file *file, struct iov_iter *it, loff_t *pos);
	ssize_t (*write)(struct file *file, struct iov_iter *it, loff_t *pos);
	loff_t (*llseek)(struct file *file, loff_t off, int whence);	/* NULL: -ESPIPE */
	int (*iterate)(struct file *file, struct dir_context *ctx);	/* inode->lock held */
	long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	/* POLL bits; *@wq: queue to wait on. May not sleep: the caller is about to. */
	unsigned int (*poll)(struct file *file, struct wait_queue **wq);
	int (*open)(struct inode *inode, struct file *file);
	void (*release)(struct file *file);
	int (*fsync)(struct file *file, bool datasync);
};

struct inode {
	ino_t ino;
	umode_t mode;
	u32 nlink, uid, gid;
	dev_t rdev;
	loff_t size;
	u64 blocks;			/* of 512 bytes */
	struct timespec atime, mtime, ctime;
	atomic_t refs;			/* 0: unused, kept in the cache */
	unsigned long state;		/* I_ bits */
	struct mutex lock;
	struct super_block *sb;
	const struct inode_operations *ops;
	const struct file_operations *fops;
	struct address_space mapping;
	struct hlist_node hash;
	struct list_head sb_list, dirty_list, lru;
	struct list_head aliases;	/* dentries */
	void *private;
};

/* Bit numbers in inode->state; changed under inode_lock. */
#define I_NEW		0	/* being read: wait */
#define I_DIRTY		1	/* metadata newer than the table */
#define I_FREEING	2	/* the last reference is gone */
#define I_DIRTY_PAGES	3	/* some cached pages are dirty */
#define I_BAD		4	/* could not be read: forget it without evict_inode */
#define I_SYNC		5	/* sync_inode is at work on it */

struct dentry {
	atomic_t refs;
	struct dentry *parent;		/* referenced; root: itself */
	struct inode *inode;		/* referenced; NULL: negative (the name does not exist) */
	struct super_block *sb;
	struct hlist_node hash;		/* by parent and name */
	struct list_head children, child;
	struct list_head alias;		/* inode->aliases */
	struct list_head lru;		/* unused ones */
	unsigned int hash_value;
	unsigned int len;
	struct dentry *mounted;		/* root of what is mounted here; once set, for good */
	char name[NAME_MAX + 1];
};

struct file {
	atomic_t refs;
	unsigned int mode;		/* FMODE_ */
	unsigned int flags;		/* O_ */
	struct mutex pos_lock;
	loff_t pos;
	loff_t prev_pos;		/* where the last read ended */
	struct dentry *dentry;		/* referenced */
	struct inode *inode;		/* = dentry->inode */
	const struct file_operations *ops;
	void *private;
};

struct dir_context {
	/* Takes one entry: true to go on, false when full. type: DT_ */
	bool (*actor)(struct dir_context *ctx, const char *name, int len, ino_t ino,
		      unsigned int type);
	loff_t pos;
};

/* ---- files: file.c ----------------------------------------------------------------------- */
struct file *file_get(struct file *file);
void file_put(struct file *file);		/* last one: release. May sleep. */
/* An open file with its own reference on @dentry; mode from @flags. ERR_PTR(-ENOMEM). */
struct file *file_alloc(struct dentry *dentry, unsigned int flags,
			const struct file_operations *ops);
/* They check mode, position and count: bytes or -errno. -EPIPE: the caller owes a SIGPIPE. */
ssize_t vfs_read(struct file *file, struct iov_iter *it, loff_t *pos);
ssize_t vfs_write(struct file *file, struct iov_iter *it, loff_t *pos);
/* The same at the file's own position, as read(2) and write(2) do, locked only if there is one. */
ssize_t vfs_read_pos(struct file *file, struct iov_iter *it);
ssize_t vfs_write_pos(struct file *file, struct iov_iter *it);
ssize_t kernel_read(struct file *file, void *buf, size_t n, loff_t *pos);
loff_t vfs_llseek(struct file *file, loff_t off, int whence);
int vfs_fsync(struct file *file, bool datasync);	/* -EINVAL: nothing to sync there */
long vfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);	/* -ENOTTY */
/* POLL bits that hold now; *@wq = the queue to wait on, or NULL: always ready. */
unsigned int vfs_poll(struct file *file, struct wait_queue **wq);
/* What mmap maps: a referenced mapping (drop with ops->put) or, for private /dev/zero, NULL in
 * *@out; 0, -ENODEV, -ENOMEM. */
int vfs_mmap_mapping(struct file *file, size_t len, bool shared, struct address_space **out);

/* For a filesystem's file_operations: regular files in the page cache of inode->mapping. */
ssize_t generic_read(struct file *file, struct iov_iter *it, loff_t *pos);
/* Takes inode->lock; O_APPEND, size limit, times, O_SYNC through ops->fsync. */
ssize_t generic_write(struct file *file, struct iov_iter *it, loff_t *pos);
loff_t generic_llseek(struct file *file, loff_t off, int whence);	/* against inode->size */
int generic_fsync(struct file *file, bool datasync);	/* sync_inode(inode, true) */

/* ---- paths: namei.c; @base: directory a relative path starts at (referenced by the caller)  */
#define LOOKUP_FOLLOW	1
#define LOOKUP_DIRECTORY 2
/* What the path leads to, referenced, or ERR_PTR. */
struct dentry *path_lookup(struct dentry *base, const char *path, unsigned int flags);
/* flags with O_CREAT etc.: a new file, or ERR_PTR. @mode is already masked by umask. */
struct file *vfs_open(struct dentry *base, const char *path, unsigned int flags, umode_t mode);
int vfs_mknod(struct dentry *base, const char *path, umode_t mode, dev_t rdev);
int vfs_mkdir(struct dentry *base, const char *path, umode_t mode);
int vfs_unlink(struct dentry *base, const char *path, bool dir);
int vfs_link(struct dentry *old, struct dentry *base, const char *path);
int vfs_symlink(const char *target, struct dentry *base, const char *path);
int vfs_rename(struct dentry *old_base, const char *old, struct dentry *new_base, const char *new,
	       unsigned int flags);
ssize_t vfs_readlink(struct dentry *dentry, char *buf, size_t size);
int vfs_truncate(struct inode *inode, loff_t size);
int vfs_getattr(struct dentry *dentry, struct kstat *st);
int vfs_statfs(struct dentry *dentry, struct kstatfs *st);
int vfs_utimes(struct inode *inode, const struct timespec *atime, const struct timespec *mtime);
int vfs_readdir(struct file *file, struct dir_context *ctx);
/* A file on @dentry, which exists, opened by its driver or filesystem; or ERR_PTR. */
struct file *dentry_open(struct dentry *dentry, unsigned int flags);

/* ---- dentries: dcache.c ------------------------------------------------------------------ */
struct dentry *dget(struct dentry *dentry);	/* NULL is fine */
void dput(struct dentry *dentry);		/* NULL is fine; may sleep */
/* Makes a negative dentry mean @inode, taking over the caller's reference. */
void d_instantiate(struct dentry *dentry, struct inode *inode);
/* The root of a new super block; takes over the reference on @inode, also when it fails: NULL. */
struct dentry *d_make_root(struct inode *inode);
/* A dentry that no directory holds (pipes); takes over the inode reference likewise. NULL: no
 * memory. */
struct dentry *d_alloc_pseudo(struct inode *inode, const char *name);
/* Was its name removed while it was in use? */
bool d_unlinked(struct dentry *dentry);
/* Absolute path of a dentry into buf: start of the string within buf, or ERR_PTR(-ENAMETOOLONG). */
char *d_path(struct dentry *dentry, char *buf, size_t size);
/* Some name of @inode and, from there, upwards: for the fsync of the entries that lead to a file.
 * Both referenced; d_find_alias gives NULL when no name is cached, a root is its own parent. */
struct dentry *d_find_alias(struct inode *inode);
struct dentry *dget_parent(struct dentry *dentry);
unsigned long dcache_shrink(unsigned long nr);	/* frees unused dentries: number */

/* ---- inodes: inode.c --------------------------------------------------------------------- */
/* Fresh, refs 1, nlink 1, times now, not hashed; NULL: no memory. Hash a cached filesystem's with
 * insert_inode_hash once its number is known. */
struct inode *inode_alloc(struct super_block *sb);
void insert_inode_hash(struct inode *inode);
/* The inode of that number, read with fill() (0 or -errno) unless it is in memory; or ERR_PTR. */
struct inode *iget(struct super_block *sb, ino_t ino, int (*fill)(struct inode *));
void igrab(struct inode *inode);
void iput(struct inode *inode);
/* The in-memory inode is newer than its table: write_inode will be called. Any thread. */
void mark_inode_dirty(struct inode *inode);
struct timespec current_time(void);
unsigned long icache_shrink(unsigned long nr);
/* Pages, then write_inode(inode, wait); wait: until they are on the device. 0 or -errno. */
int sync_inode(struct inode *inode, bool wait);
/* All dirty inodes as above without waiting, then all waits, then sync_fs(sb, true). 0 or the first
 * -errno. */
int sync_filesystem(struct super_block *sb);
void sync_all(void);				/* sync(2) and power-off */

/* For address_space_operations of an inode's mapping, and its size(). */
loff_t inode_mapping_size(struct address_space *mapping);
void inode_mapping_get(struct address_space *mapping);
void inode_mapping_put(struct address_space *mapping);
int inode_mapping_name(struct address_space *mapping, char *buf, size_t size);
int inode_mapping_sync_range(struct address_space *mapping, loff_t start, loff_t end);
void inode_mapping_dirtied(struct address_space *mapping);

/* writeback.c: something became dirty; the flusher writes it within five seconds. Any thread, also
 * with spinlocks held. A filesystem calls it for metadata that is no inode's. */
void flusher_kick(void);

/* ---- mounting: mount.c ------------------------------------------------------------------- */
struct file_system_type {
	const char *name;
	struct super_block *(*mount)(struct file_system_type *type, const char *source,
				     bool read_only);
	struct list_head node;
};
void register_filesystem(struct file_system_type *type);
/* A super block, lists and locks set up; NULL: no memory. For mount operations, who fill in the
 * rest. */
struct super_block *sb_alloc(const char *fstype, const struct super_operations *ops);
void sb_free(struct super_block *sb);		/* of a mount that failed: no inode is left */
extern struct list_head super_blocks;		/* only ever grows */
int vfs_mount(const char *source, struct dentry *where, const char *type, bool read_only);
int mount_root(void);		/* from root= on the command line, then /proc and /dev */
extern struct dentry *root_dentry;

/* ---- character devices, pipes ------------------------------------------------------------ */
#define MKDEV(ma, mi)	(((ma) << 8) | (mi))
#define MAJOR(dev)	((dev) >> 8)
#define MINOR(dev)	((dev) & 255)
/* Appears in /dev as @name, which is kept. 0 or -ENOMEM. */
int register_chrdev(const char *name, dev_t dev, const struct file_operations *ops);
const struct file_operations *chrdev_fops(dev_t dev);	/* or NULL */
extern const struct file_operations blkdev_fops;
int pipe_create(struct file *ends[2], unsigned int flags);	/* [0] reads: 0 or -errno */

/* ---- proc files: fs/proc.h has the interface with which every subsystem registers its own  */
