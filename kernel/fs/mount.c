/*
 * Filesystem types, super blocks and mounts.
 *
 * A mount is a pair of pointers: the covered directory's dentry->mounted is the root dentry of
 * the super block on top, whose ->mountpoint is the covered directory. The path walk follows the
 * first downwards and ".." the second upwards. A super block is mounted once and stays, so
 * neither pointer changes after it was set, and walkers need no lock. There is no unmount:
 * power-off syncs.
 *
 * The root comes from `root=` (a block device), else from the first disk, else from the RAM disk.
 * That it is missing or no filesystem is the user's mistake, not a bug: it ends with a message
 * that says what was tried and what there is, and power-off, not with a panic.
 */
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/printk.h"
#include "fs/internal.h"
#include "fs/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

LIST_HEAD(super_blocks);
struct dentry *root_dentry;
static LIST_HEAD(fs_types);
static DEFINE_MUTEX(mount_mutex);	/* both lists, and who may set a mount's pointers */

void register_filesystem(struct file_system_type *type)
{
	mutex_lock(&mount_mutex);
	list_add_tail(&type->node, &fs_types);
	mutex_unlock(&mount_mutex);
}

static struct file_system_type *find_type(const char *name)
{
	struct file_system_type *type;

	list_for_each_entry(type, &fs_types, node)
		if (!strcmp(type->name, name))
			return type;
	return NULL;
}

struct super_block *sb_alloc(const char *fstype, const struct super_operations *ops)
{
	static u32 next_anonymous_dev = 1;
	struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL);

	if (!sb)
		return NULL;
	sb->ops = ops;
	sb->fstype = fstype;
	sb->dev = next_anonymous_dev++;		/* a filesystem on a device puts its number here */
	INIT_LIST_HEAD(&sb->inodes);
	INIT_LIST_HEAD(&sb->dirty);
	INIT_LIST_HEAD(&sb->node);
	mutex_init(&sb->sync_mutex);
	return sb;
}

void sb_free(struct super_block *sb)
{
	kfree(sb);
}

struct dentry *follow_mounts(struct dentry *dentry)
{
	struct dentry *top;

	while ((top = smp_load_acquire(&dentry->mounted))) {
		dget(top);
		dput(dentry);
		dentry = top;
	}
	return dentry;
}

/* mount_mutex held. @where NULL: this is the root. 0 or -errno. */
static int do_mount(const char *source, struct dentry *where, const char *type_name, bool read_only)
{
	struct file_system_type *type = find_type(type_name);
	struct super_block *sb;

	if (!type)
		return -ENODEV;
	if (where && (!is_dir(where) || where->mounted))
		return is_dir(where) ? -EBUSY : -ENOTDIR;
	if (where && where == where->sb->root)
		return -EBUSY;
	sb = type->mount(type, source, read_only);
	if (IS_ERR(sb))
		return PTR_ERR(sb);
	strscpy(sb->source, source, sizeof(sb->source));
	list_add_tail(&sb->node, &super_blocks);
	if (where) {
		sb->mountpoint = dget(where);
		smp_store_release(&where->mounted, sb->root);
	} else {
		root_dentry = sb->root;
	}
	return 0;
}

int vfs_mount(const char *source, struct dentry *where, const char *type, bool read_only)
{
	int err;

	mutex_lock(&mount_mutex);
	err = do_mount(source, where, type, read_only);
	mutex_unlock(&mount_mutex);
	return err;
}

/* ---- the root ---------------------------------------------------------------------------- */

static void mount_at(const char *path, const char *type)
{
	struct dentry *where = path_lookup(root_dentry, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
	int err = IS_ERR(where) ? (int)PTR_ERR(where) : vfs_mount(type, where, type, false);

	if (err)
		pr_err("VFS: cannot mount %s on %s: error %d\n", type, path, err);
	if (!IS_ERR(where))
		dput(where);
}

static void no_root(const char *device, int err)
{
	struct block_device *bdev = NULL;

	pr_emerg("VFS: Unable to mount root fs on %s: error %d\n", device, err);
	pr_emerg("VFS: %s\n", err == -ENXIO || err == -ENODEV ? "there is no such disk" :
		 "it holds no ext2 filesystem that can be used; try e2fsck on the image");
	if (!next_block_device(NULL))
		pr_emerg("VFS: there are no disks at all\n");
	while ((bdev = next_block_device(bdev)))
		pr_emerg("VFS: there is %s, %lu KiB%s\n", bdev->name,
			 (unsigned long)bdev->nr_sectors / 2, bdev->read_only ? ", read-only" : "");
	printk_flush();
	arch_poweroff();
}

int mount_root(void)
{
	char name[32], device[40];
	struct block_device *bdev;
	bool read_only = cmdline_has("ro");
	int err;

	if (cmdline_get("root", name, sizeof(name)) <= 0)
		strscpy(name, !find_block_device("vda") && find_block_device("ram0") ? "ram0" :
			"vda", sizeof(name));
	snprintf(device, sizeof(device), "%s%s", strstarts(name, "/dev/") ? "" : "/dev/", name);
	bdev = find_block_device(device);
	if (bdev && bdev->read_only && !read_only) {
		pr_notice("VFS: %s is read-only, so is the root\n", device);
		read_only = true;
	}
	err = bdev ? vfs_mount(device, NULL, "ext2", read_only) : -ENXIO;
	if (err)
		no_root(device, err);
	pr_info("VFS: Mounted root (ext2 filesystem) %s on %s\n",
		read_only ? "readonly" : "read-write", device);
	mount_at("/proc", "proc");
	mount_at("/dev", "devfs");
	return 0;
}

/* ---- /proc/mounts, /proc/filesystems ----------------------------------------------------- */

static int show_mounts(struct seq_file *m, void *data)
{
	char *page = kmalloc(PATH_MAX, GFP_KERNEL);
	struct super_block *sb;

	(void)data;
	if (!page)
		return -ENOMEM;
	list_for_each_entry(sb, &super_blocks, node) {
		char *where = d_path(sb->root, page, PATH_MAX);

		seq_printf(m, "%s %s %s %s 0 0\n", sb->source, IS_ERR(where) ? "?" : where,
			   sb->fstype, sb->read_only ? "ro" : "rw");
	}
	kfree(page);
	return 0;
}

static int show_filesystems(struct seq_file *m, void *data)
{
	struct file_system_type *type;

	(void)data;
	list_for_each_entry(type, &fs_types, node)
		seq_printf(m, "%s\t%s\n", strcmp(type->name, "ext2") ? "nodev" : "", type->name);
	return 0;
}

static int mount_init(void)
{
	proc_create("mounts", show_mounts, NULL, NULL);
	proc_create("filesystems", show_filesystems, NULL, NULL);
	return 0;
}
fs_initcall(mount_init);
