/*
 * ext2: mounting, and the super block's operations.
 *
 * Nothing on a disk is believed before it is looked at. What the super block and the group descriptors
 * say is checked here, once, so that the rest may compute with it; everything else (inodes, bitmaps,
 * block numbers, directory entries) is checked at each use.
 */
#include "fs/ext2/ext2.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

int ext2_damage(struct ext2_sb *sbi, const char *fmt, ...)
{
	char what[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	pr_err("ext2 (%s): damaged: %s; run e2fsck\n", sbi->bdev->name, what);
	return -EUCLEAN;
}

u32 ext2_now(void)
{
	return current_time().tv_sec;
}

struct ext2_group_desc *ext2_group(struct ext2_sb *sbi, u32 group, struct page **page)
{
	struct page *gdt = sbi->gdt[group / EXT2_DESC_PER_BLOCK];

	if (page)
		*page = gdt;
	return (struct ext2_group_desc *)page_address(gdt) + group % EXT2_DESC_PER_BLOCK;
}

static bool is_power_of(u32 n, u32 base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

/* Does the group begin with a copy of super block and descriptors? */
static bool has_super(const struct ext2_sb *sbi, u32 group)
{
	if (!(sbi->raw->s_feature_ro_compat & EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER) || group <= 1)
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

static u32 table_blocks(const struct ext2_sb *sbi)
{
	return sbi->inodes_per_group / (EXT2_BLOCK_SIZE / sbi->inode_size);
}

bool ext2_block_ok(const struct ext2_sb *sbi, u32 block)
{
	const struct ext2_group_desc *desc;
	u32 group;

	if (block <= sbi->first_data_block || block >= sbi->blocks)
		return false;
	group = block / sbi->blocks_per_group;
	if (has_super(sbi, group) && block % sbi->blocks_per_group < sbi->gdt_span)
		return false;
	desc = ext2_group((struct ext2_sb *)sbi, group, NULL);
	return block != desc->bg_block_bitmap && block != desc->bg_inode_bitmap &&
	       block - desc->bg_inode_table >= table_blocks(sbi);
}

/* ---- mounting ------------------------------------------------------------------------- */

/* What is wrong with the super block's geometry; NULL: nothing. */
static const char *geometry_fault(struct ext2_sb *sbi, const struct ext2_super *raw)
{
	u64 device_blocks = sbi->bdev->nr_sectors / (EXT2_BLOCK_SIZE >> SECTOR_SHIFT);

	if (raw->s_rev_level != 1)
		return "not revision 1";
	if (raw->s_log_block_size != 2)
		return "its blocks are not 4096 bytes (mke2fs -b 4096)";
	if (raw->s_inode_size < 128 || raw->s_inode_size > EXT2_BLOCK_SIZE ||
	    (raw->s_inode_size & (raw->s_inode_size - 1)))
		return "bad inode size";
	if (raw->s_first_data_block != 0)
		return "bad first data block";
	if (raw->s_blocks_per_group < 64 || raw->s_blocks_per_group > 8 * EXT2_BLOCK_SIZE ||
	    raw->s_blocks_per_group % 8)
		return "bad number of blocks per group";
	if (!raw->s_inodes_per_group || raw->s_inodes_per_group > 8 * EXT2_BLOCK_SIZE ||
	    raw->s_inodes_per_group % (EXT2_BLOCK_SIZE / raw->s_inode_size))
		return "bad number of inodes per group";
	if (raw->s_blocks_count < 8 || raw->s_blocks_count > device_blocks)
		return "larger than the device";
	if (raw->s_inodes_count / raw->s_inodes_per_group !=
	    DIV_ROUND_UP((u64)raw->s_blocks_count, raw->s_blocks_per_group) ||
	    raw->s_inodes_count % raw->s_inodes_per_group)
		return "bad number of inodes";
	if (raw->s_first_ino < 11 || raw->s_first_ino >= raw->s_inodes_count)
		return "bad first inode";
	return NULL;
}

static int check_super(struct ext2_sb *sbi, bool *read_only)
{
	const struct ext2_super *raw = sbi->raw;
	const char *fault;
	u32 unknown;

	if (raw->s_magic != EXT2_MAGIC) {
		pr_err("ext2 (%s): no ext2 file system here\n", sbi->bdev->name);
		return -EINVAL;
	}
	fault = geometry_fault(sbi, raw);
	if (!fault && !(raw->s_feature_incompat & EXT2_FEATURE_INCOMPAT_FILETYPE))
		fault = "feature filetype is missing (mke2fs -O filetype)";
	if (fault) {
		pr_err("ext2 (%s): cannot mount: %s\n", sbi->bdev->name, fault);
		return -EINVAL;
	}
	unknown = raw->s_feature_incompat & ~EXT2_FEATURE_INCOMPAT_FILETYPE;
	if (unknown) {
		pr_err("ext2 (%s): cannot mount: unknown incompatible features %#x\n",
		       sbi->bdev->name, unknown);
		return -EINVAL;
	}
	unknown = raw->s_feature_ro_compat & ~(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER |
					       EXT2_FEATURE_RO_COMPAT_LARGE_FILE);
	if (unknown && !*read_only) {
		pr_warn("ext2 (%s): unknown features %#x: mounted read-only\n",
			sbi->bdev->name, unknown);
		*read_only = true;
	}
	return 0;
}

static void take_geometry(struct ext2_sb *sbi)
{
	const struct ext2_super *raw = sbi->raw;

	sbi->blocks = raw->s_blocks_count;
	sbi->inodes = raw->s_inodes_count;
	sbi->blocks_per_group = raw->s_blocks_per_group;
	sbi->inodes_per_group = raw->s_inodes_per_group;
	sbi->first_data_block = raw->s_first_data_block;
	sbi->first_ino = raw->s_first_ino;
	sbi->inode_size = raw->s_inode_size;
	sbi->groups = DIV_ROUND_UP((u64)sbi->blocks, sbi->blocks_per_group);
	sbi->nr_gdt_pages = DIV_ROUND_UP(sbi->groups, EXT2_DESC_PER_BLOCK);
	sbi->gdt_span = 1 + sbi->nr_gdt_pages + raw->s_reserved_gdt_blocks;
}

static int check_group(struct ext2_sb *sbi, u32 group)
{
	const struct ext2_group_desc *desc = ext2_group(sbi, group, NULL);
	u32 start = group * sbi->blocks_per_group;
	u32 size = min(sbi->blocks - start, sbi->blocks_per_group);
	u32 table = desc->bg_inode_table - start;

	if (desc->bg_block_bitmap - start >= size || desc->bg_inode_bitmap - start >= size ||
	    table >= size || size - table < table_blocks(sbi) ||
	    desc->bg_block_bitmap == desc->bg_inode_bitmap ||
	    desc->bg_block_bitmap - desc->bg_inode_table < table_blocks(sbi) ||
	    desc->bg_inode_bitmap - desc->bg_inode_table < table_blocks(sbi) ||
	    (has_super(sbi, group) && (table < sbi->gdt_span ||
				       desc->bg_block_bitmap - start < sbi->gdt_span ||
				       desc->bg_inode_bitmap - start < sbi->gdt_span)))
		return ext2_damage(sbi, "descriptor of group %u", group);
	if (desc->bg_free_blocks_count > size || desc->bg_free_inodes_count > sbi->inodes_per_group)
		return ext2_damage(sbi, "free counts of group %u", group);
	sbi->free_blocks += desc->bg_free_blocks_count;
	sbi->free_inodes += desc->bg_free_inodes_count;
	return 0;
}

static int read_groups(struct ext2_sb *sbi)
{
	int err = 0;

	if (sbi->nr_gdt_pages > EXT2_MAX_GDT_PAGES || sbi->gdt_span >= sbi->blocks_per_group ||
	    sbi->gdt_span >= sbi->blocks) {
		pr_err("ext2 (%s): cannot mount: too many groups\n", sbi->bdev->name);
		return -EINVAL;
	}
	sbi->gdt = kzalloc(sbi->nr_gdt_pages * sizeof(*sbi->gdt), GFP_KERNEL);
	if (!sbi->gdt)
		return -ENOMEM;
	for (u32 i = 0; i < sbi->nr_gdt_pages; i++) {
		struct page *page = read_cache_page(sbi->meta, sbi->first_data_block + 1 + i);

		if (IS_ERR(page))
			return PTR_ERR(page);
		sbi->gdt[i] = page;
	}
	for (u32 group = 0; group < sbi->groups && !err; group++)
		err = check_group(sbi, group);
	return err;
}

static void free_sb_info(struct ext2_sb *sbi)
{
	for (u32 i = 0; sbi->gdt && i < sbi->nr_gdt_pages; i++)
		if (sbi->gdt[i])
			put_page(sbi->gdt[i]);
	kfree(sbi->gdt);
	if (sbi->sb_page)
		put_page(sbi->sb_page);
	kfree(sbi);
}

static int read_super(struct ext2_sb *sbi, bool *read_only)
{
	struct page *page = read_cache_page(sbi->meta, 0);
	int err;

	if (IS_ERR(page)) {
		pr_err("ext2 (%s): cannot read the super block\n", sbi->bdev->name);
		return PTR_ERR(page);
	}
	sbi->sb_page = page;
	sbi->raw = (struct ext2_super *)((char *)page_address(page) + 1024);
	err = check_super(sbi, read_only);
	if (err)
		return err;
	take_geometry(sbi);
	return read_groups(sbi);
}

static struct ext2_sb *new_sb_info(struct block_device *bdev)
{
	struct ext2_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);

	if (!sbi)
		return NULL;
	sbi->bdev = bdev;
	sbi->meta = bdev->mapping;
	sbi->batch = 1;
	sbi->generation = ext2_now();
	mutex_init(&sbi->lock);
	INIT_LIST_HEAD(&sbi->pending);
	return sbi;
}

static int ext2_statfs(struct super_block *sb, struct kstatfs *st)
{
	struct ext2_sb *sbi = ext2_sb(sb);
	u32 reserved = sbi->raw->s_r_blocks_count;

	mutex_lock(&sbi->lock);
	st->type = EXT2_MAGIC;
	st->bsize = EXT2_BLOCK_SIZE;
	st->blocks = sbi->blocks;
	st->bfree = sbi->free_blocks;
	st->bavail = sbi->free_blocks > reserved ? sbi->free_blocks - reserved : 0;
	st->files = sbi->inodes;
	st->ffree = sbi->free_inodes;
	st->namelen = EXT2_NAME_LEN;
	mutex_unlock(&sbi->lock);
	return 0;
}

/* Unmount: everything was synced, no inode is left. */
static void ext2_put_super(struct super_block *sb)
{
	struct ext2_sb *sbi = ext2_sb(sb);

	mutex_lock(&sbi->lock);
	ext2_drop_batch(sbi);
	mutex_unlock(&sbi->lock);
	sb->private = NULL;
	free_sb_info(sbi);
}

static const struct super_operations ext2_super_ops = {
	.write_inode = ext2_write_inode,
	.evict_inode = ext2_evict_inode,
	.sync_fs = ext2_sync_fs,
	.statfs = ext2_statfs,
	.put_super = ext2_put_super,
};

static int make_root(struct super_block *sb)
{
	struct inode *root = ext2_iget(sb, EXT2_ROOT_INO);

	if (IS_ERR(root))
		return PTR_ERR(root);
	if (!S_ISDIR(root->mode)) {
		iput(root);
		return ext2_damage(ext2_sb(sb), "the root is not a directory");
	}
	sb->root = d_make_root(root);
	return sb->root ? 0 : -ENOMEM;
}

static struct super_block *mount_bdev(struct block_device *bdev, bool read_only)
{
	struct ext2_sb *sbi = new_sb_info(bdev);
	struct super_block *sb;
	int err;

	if (!sbi)
		return ERR_PTR(-ENOMEM);
	err = read_super(sbi, &read_only);
	sb = err ? NULL : sb_alloc("ext2", &ext2_super_ops);
	if (!sb) {
		free_sb_info(sbi);
		return ERR_PTR(err ? err : -ENOMEM);
	}
	sbi->sb = sb;
	sb->private = sbi;
	sb->bdev = bdev;
	sb->dev = bdev->dev;
	sb->read_only = read_only || bdev->read_only;
	sb->max_bytes = ext2_max_bytes(sbi);
	sb->magic = EXT2_MAGIC;
	sbi->was_valid = sbi->valid_on_disk = (sbi->raw->s_state & EXT2_VALID_FS) &&
					      !(sbi->raw->s_state & EXT2_ERROR_FS);
	err = make_root(sb);
	if (err) {
		sb_free(sb);
		free_sb_info(sbi);
		return ERR_PTR(err);
	}
	if (!sbi->was_valid)
		pr_warn("ext2 (%s): was not cleanly unmounted; e2fsck is advised\n", bdev->name);
	return sb;
}

static struct super_block *ext2_mount(struct file_system_type *type, const char *source,
				      bool read_only)
{
	struct block_device *bdev = find_block_device(source);

	(void)type;
	return bdev ? mount_bdev(bdev, read_only) : ERR_PTR(-ENODEV);
}

static struct file_system_type ext2_type = {
	.name = "ext2",
	.mount = ext2_mount,
};

static int ext2_init(void)
{
	register_filesystem(&ext2_type);
	return 0;
}
fs_initcall(ext2_init);
