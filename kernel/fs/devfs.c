/*
 * /dev: a filesystem without memory. Its names are the registered character devices and the block
 * devices there are; nothing can be made or removed. Dentries and inodes live only while in use
 * (sb->uncached), so a device that appears later is seen at once.
 */
#include "base/initcall.h"
#include "fs/internal.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

#define DEVFS_MAGIC	0x1373
#define ROOT_INO	1
#define CHR_INO(dev)	(0x10000 + (ino_t)(dev))
#define BLK_INO(dev)	(0x20000000 + (ino_t)(dev))

struct chrdev {
	const char *name;
	dev_t dev;
	const struct file_operations *ops;
	struct list_head node;
};

static LIST_HEAD(chrdevs);		/* only grows */
static DEFINE_SPINLOCK(chrdev_lock);

int register_chrdev(const char *name, dev_t dev, const struct file_operations *ops)
{
	struct chrdev *c = kmalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	*c = (struct chrdev){ .name = name, .dev = dev, .ops = ops };
	spin_lock(&chrdev_lock);
	list_add_tail(&c->node, &chrdevs);
	spin_unlock(&chrdev_lock);
	return 0;
}

/* By name, or by number if @name is NULL. An entry never goes, so it may be used unlocked. */
static struct chrdev *find_chrdev(const char *name, dev_t dev)
{
	struct chrdev *c, *found = NULL;

	spin_lock(&chrdev_lock);
	list_for_each_entry(c, &chrdevs, node) {
		if (name ? !strcmp(c->name, name) : c->dev == dev) {
			found = c;
			break;
		}
	}
	spin_unlock(&chrdev_lock);
	return found;
}

const struct file_operations *chrdev_fops(dev_t dev)
{
	struct chrdev *c = find_chrdev(NULL, dev);

	return c ? c->ops : NULL;
}

static int devfs_lookup(struct inode *dir, struct dentry *dentry)
{
	struct chrdev *c = find_chrdev(dentry->name, 0);
	struct block_device *bdev = c ? NULL : find_block_device(dentry->name);
	struct inode *inode;

	if (!c && !bdev)
		return 0;
	inode = inode_alloc(dir->sb);
	if (!inode)
		return -ENOMEM;
	inode->rdev = c ? c->dev : bdev->dev;
	inode->mode = c ? S_IFCHR | 0666 : S_IFBLK | 0660;
	inode->ino = c ? CHR_INO(inode->rdev) : BLK_INO(inode->rdev);
	d_instantiate(dentry, inode);
	return 0;
}

/* Positions: 0 and 1 the dots, 2 + n the n-th device. */
static int devfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct block_device *bdev = NULL;
	struct chrdev *c;
	loff_t at = 2;

	(void)file;
	if (ctx->pos == 0 && ctx->actor(ctx, ".", 1, ROOT_INO, DT_DIR))
		ctx->pos = 1;
	if (ctx->pos == 1 && ctx->actor(ctx, "..", 2, ROOT_INO, DT_DIR))
		ctx->pos = 2;
	/* The actor may sleep. The list only grows at its end, so it is safe to walk unlocked. */
	list_for_each_entry(c, &chrdevs, node) {
		if (at++ != ctx->pos)
			continue;
		if (!ctx->actor(ctx, c->name, strlen(c->name), CHR_INO(c->dev), DT_CHR))
			return 0;
		ctx->pos++;
	}
	while ((bdev = next_block_device(bdev))) {
		if (at++ != ctx->pos)
			continue;
		if (!ctx->actor(ctx, bdev->name, strlen(bdev->name), BLK_INO(bdev->dev), DT_BLK))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct inode_operations devfs_dir_ops = { .lookup = devfs_lookup };
static const struct file_operations devfs_dir_fops = {
	.iterate = devfs_iterate,
	.llseek = generic_llseek,
};
static const struct super_operations devfs_super_ops;

static struct super_block *devfs_mount(struct file_system_type *type, const char *source,
				       bool read_only)
{
	struct super_block *sb = sb_alloc(type->name, &devfs_super_ops);
	struct inode *root = sb ? inode_alloc(sb) : NULL;

	(void)source;
	if (root) {
		sb->uncached = true;
		sb->read_only = read_only;
		sb->magic = DEVFS_MAGIC;
		root->ino = ROOT_INO;
		root->mode = S_IFDIR | 0755;
		root->nlink = 2;
		root->ops = &devfs_dir_ops;
		root->fops = &devfs_dir_fops;
		sb->root = d_make_root(root);
	}
	if (sb && sb->root)
		return sb;
	if (sb)
		sb_free(sb);
	return ERR_PTR(-ENOMEM);
}

static struct file_system_type devfs_type = { .name = "devfs", .mount = devfs_mount };

static int devfs_init(void)
{
	register_filesystem(&devfs_type);
	return 0;
}
fs_initcall(devfs_init);
