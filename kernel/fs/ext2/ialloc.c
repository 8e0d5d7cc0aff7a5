/*
 * ext2: which inodes are free. As with blocks, a freed number is frozen until its batch is on disk: an
 * entry of a directory may still lead to it there.
 */
#include "fs/ext2/ext2.h"
#include "lib/bitmap.h"

static void count_inodes(struct ext2_sb *sbi, u32 group, int change, bool is_dir)
{
	struct page *page;
	struct ext2_group_desc *desc = ext2_group(sbi, group, &page);

	if (change > 0 ? desc->bg_free_inodes_count < sbi->inodes_per_group :
			 desc->bg_free_inodes_count > 0)
		desc->bg_free_inodes_count += change;
	if (is_dir && (change < 0 || desc->bg_used_dirs_count))
		desc->bg_used_dirs_count -= change;
	if (change > 0 || sbi->free_inodes)
		sbi->free_inodes += change;
	ext2_dirty(sbi, page, EXT2_COUNT);
	ext2_dirty(sbi, sbi->sb_page, EXT2_COUNT);
}

static bool is_frozen(const struct ext2_sb *sbi, u32 ino)
{
	for (unsigned int i = 0; i < sbi->nr_frozen_inodes; i++)
		if (sbi->frozen_inodes[i] == ino)
			return true;
	return false;
}

/* A free number of the group: 1 and *@ino, 0: none, or -errno. */
static int take_from_group(struct ext2_sb *sbi, u32 group, u32 *ino)
{
	struct ext2_group_desc *desc = ext2_group(sbi, group, NULL);
	u32 first = group * sbi->inodes_per_group + 1;
	unsigned long *map, bit = first < sbi->first_ino ? sbi->first_ino - first : 0;
	struct page *page;
	int ret = 0;

	if (!desc->bg_free_inodes_count)
		return 0;
	page = read_cache_page(sbi->meta, desc->bg_inode_bitmap);
	if (IS_ERR(page))
		return PTR_ERR(page);
	map = page_address(page);
	for (;; bit++) {
		bit = find_next_zero_bit(map, sbi->inodes_per_group, bit);
		if (bit >= sbi->inodes_per_group)
			break;
		if (is_frozen(sbi, first + bit))
			continue;
		bitmap_set(map, bit, 1);
		ext2_dirty(sbi, page, EXT2_COUNT);
		*ino = first + bit;
		ret = 1;
		break;
	}
	put_page(page);
	return ret;
}

static int take_ino(struct ext2_sb *sbi, u32 group, u32 *ino)
{
	int ret = 0;

	for (u32 i = 0; i < sbi->groups && !ret; i++)
		ret = take_from_group(sbi, (group + i) % sbi->groups, ino);
	return ret;
}

int ext2_new_ino(struct inode *dir, bool is_dir, u32 *ino)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	u32 group = (dir->ino - 1) / sbi->inodes_per_group;
	int ret = ext2_may_write(sbi);

	if (ret)
		return ret;
	ret = take_ino(sbi, group, ino);
	if (!ret && sbi->nr_frozen_inodes) {
		ret = ext2_commit(sbi, false);
		if (!ret)
			ret = take_ino(sbi, group, ino);
	}
	if (ret <= 0)
		return ret ? ret : -ENOSPC;
	count_inodes(sbi, (*ino - 1) / sbi->inodes_per_group, -1, is_dir);
	return 0;
}

int ext2_free_ino(struct ext2_sb *sbi, u32 ino, bool is_dir)
{
	u32 group = (ino - 1) / sbi->inodes_per_group, bit = (ino - 1) % sbi->inodes_per_group;
	struct page *page;
	int err = 0;

	if (sbi->nr_frozen_inodes == EXT2_FROZEN_INODES) {
		err = ext2_commit(sbi, false);
		if (err)
			return err;
	}
	page = read_cache_page(sbi->meta, ext2_group(sbi, group, NULL)->bg_inode_bitmap);
	if (IS_ERR(page))
		return PTR_ERR(page);
	if (test_bit(bit, page_address(page))) {
		bitmap_clear(page_address(page), bit, 1);
		ext2_dirty(sbi, page, EXT2_COUNT);
		count_inodes(sbi, group, 1, is_dir);
		sbi->frozen_inodes[sbi->nr_frozen_inodes++] = ino;
	} else {
		err = ext2_damage(sbi, "inode %u was freed twice", ino);
		ext2_break(sbi, "its bitmaps are wrong");
	}
	put_page(page);
	return err;
}
