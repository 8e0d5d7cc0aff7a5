/*
 * The virtual filesystem: super blocks, inodes, dentries, files; path walking.
 *
 * Names follow Linux. Locks, outermost first:
 *	rename_mutex (one, for directory moves)
 *	inode->lock (sleeping) of a directory, then of a child; two directories: ancestor first,
 *	else by address
 *	mm->mmap_lock  (copies from and to user memory fault while an inode lock is held)
 *	page lock
 *	the filesystem's own: ext2: inode map lock, then group lock
 *	dcache_lock, inode_lock, mapping->tree_lock (spin)
 * A page fault never takes inode->lock.
 */
#pragma once

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

/* open flags, Linux generic (both machines: note that arm64's O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_LARGEFILE
 * differ; fs/fcntl.h of the arch translates: asm/fcntl.h) */
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
	struct mutex sync_mutex;
};

struct inode_operations {
	/* Looks @dentry's name up in @dir (dir->lock held): fills dentry->inode (NULL: negative). 0 / -errno */
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
	/* proc's magic links: the dentry it means, referenced; NULL op: use readlink text. */
	int (*truncate)(struct inode *inode, loff_t size);	/* inode->lock held */
	int (*getattr)(struct inode *inode, struct kstat *st);	/* NULL: generic */
};

struct file_operations {
	ssize_t (*read)(struct file *file, struct iov_iter *it, loff_t *pos);
	ssize_t (*write)(struct file *file, struct iov_iter *it, loff_t *pos);
	loff_t (*llseek)(struct file *file, loff_t off, int whence);	/* NULL: -ESPIPE */
	int (*iterate)(struct file *file, struct dir_context *ctx);	/* inode->lock held */
	long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	unsigned int (*poll)(struct file *file, struct wait_queue **wq);	/* POLL bits; queue to wait on */
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

#define I_NEW		0	/* being read: wait */
#define I_DIRTY		1	/* metadata newer than the table */
#define I_FREEING	2
#define I_DIRTY_PAGES	3

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
	unsigned long flags;		/* D_ bits */
	struct dentry *mounted;		/* root of what is mounted here */
	char name[NAME_MAX + 1];
};

struct file {
	atomic_t refs;
	unsigned int mode;		/* FMODE_ */
	unsigned int flags;		/* O_ */
	struct mutex pos_lock;
	loff_t pos;
	struct dentry *dentry;		/* referenced */
	struct inode *inode;		/* = dentry->inode */
	const struct file_operations *ops;
	void *private;
};

struct dir_context {
	/* Takes one entry: true to go on, false when full. type: DT_ */
	bool (*actor)(struct dir_context *ctx, const char *name, int len, ino_t ino, unsigned int type);
	loff_t pos;
};

/* ---- files: file.c --------------------------------------------------------------------- */
struct file *file_get(struct file *file);
void file_put(struct file *file);		/* last one: release. May sleep. */
struct file *file_alloc(struct dentry *dentry, unsigned int flags, const struct file_operations *ops);
ssize_t vfs_read(struct file *file, struct iov_iter *it, loff_t *pos);	/* checks mode and count */
ssize_t vfs_write(struct file *file, struct iov_iter *it, loff_t *pos);
ssize_t kernel_read(struct file *file, void *buf, size_t n, loff_t *pos);
loff_t vfs_llseek(struct file *file, loff_t off, int whence);
int vfs_fsync(struct file *file, bool datasync);

/* ---- paths: namei.c; @base: directory a relative path starts at (referenced by the caller) -- */
#define LOOKUP_FOLLOW	1
#define LOOKUP_DIRECTORY 2
struct dentry *path_lookup(struct dentry *base, const char *path, unsigned int flags);	/* ref or ERR_PTR */
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
/* Absolute path of a dentry into buf: start of the string within buf, or ERR_PTR(-ERANGE). */
char *d_path(struct dentry *dentry, char *buf, size_t size);
int vfs_readdir(struct file *file, struct dir_context *ctx);

/* ---- dentries: dcache.c ------------------------------------------------------------------ */
struct dentry *dget(struct dentry *dentry);
void dput(struct dentry *dentry);
unsigned long dcache_shrink(unsigned long nr);	/* frees unused dentries: number */

/* ---- inodes: inode.c ---------------------------------------------------------------------- */
struct inode *inode_alloc(struct super_block *sb);		/* fresh, refs 1, not hashed */
struct inode *iget(struct super_block *sb, ino_t ino, int (*fill)(struct inode *));	/* or ERR_PTR */
void igrab(struct inode *inode);
void iput(struct inode *inode);
void mark_inode_dirty(struct inode *inode);
unsigned long icache_shrink(unsigned long nr);
int sync_inode(struct inode *inode, bool wait);
int sync_filesystem(struct super_block *sb);
void sync_all(void);				/* sync(2) and power-off */

/* ---- mounting: mount.c -------------------------------------------------------------------- */
struct file_system_type {
	const char *name;
	struct super_block *(*mount)(struct file_system_type *type, const char *source, bool read_only);
	struct list_head node;
};
void register_filesystem(struct file_system_type *type);
int vfs_mount(const char *source, struct dentry *where, const char *type, bool read_only);
int mount_root(void);		/* from root= on the command line, then /proc and /dev */
extern struct dentry *root_dentry;

/* ---- character devices, pipes ------------------------------------------------------------- */
int register_chrdev(const char *name, dev_t dev, const struct file_operations *ops);	/* appears in /dev */
int pipe_create(struct file *ends[2], unsigned int flags);
#define MKDEV(ma, mi)	(((ma) << 8) | (mi))

/* ---- proc files: fs/proc.h has the interface with which every subsystem registers its own ---- */
