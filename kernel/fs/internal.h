/* Between the files of fs/: what filesystems and callers of the vfs do not need. */
#pragma once

#include "fs/vfs.h"

/* dcache.c. A name is given by start and length, without NUL. */
/* The cached entry, referenced, or NULL. */
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len);
/* The entry @name of a directory that is locked: cached or read; may be negative. Or ERR_PTR. */
struct dentry *lookup_locked(struct dentry *dir, const char *name, size_t len);
/* The name is gone (both inodes locked): negative, or unhashed while others use it. */
void d_delete(struct dentry *dentry);
/* A removed directory: forgets what is cached below it. */
void d_prune_children(struct dentry *dentry);
/* @old takes the place and name of @new, which is unhashed. Both directories locked. */
void d_move(struct dentry *old, struct dentry *new);
bool is_subdir(struct dentry *dentry, struct dentry *ancestor);	/* or the same */
unsigned long nr_dentries(void), nr_unused_dentries(void);

/* inode.c */
extern spinlock_t inode_lock;		/* hash, lists, states; refs 0 <-> 1 */
/* Starts writing every dirty inode of @sb; sync_mutex held. First error. */
int write_dirty_inodes(struct super_block *sb);
unsigned long nr_inodes(void), nr_unused_inodes(void);

/* file.c: how a file on @inode is read and written; ERR_PTR(-ENXIO) if no driver is there. */
const struct file_operations *inode_fops(struct inode *inode);

/* namei.c */
static inline bool is_dir(const struct dentry *dentry)
{
	return dentry->inode && S_ISDIR(dentry->inode->mode);
}

/* mount.c: climbs from a mountpoint to the root of what is mounted on it; moves the reference. */
struct dentry *follow_mounts(struct dentry *dentry);
