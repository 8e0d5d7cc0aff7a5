/*
 * ext2: which blocks are free.
 *
 * A freed block is free in its bitmap at once (so a second free of it is noticed, whatever a damaged
 * disk says), but frozen: it is handed out again only after the batch in which it was freed is on disk,
 * for until then the disk's inodes may still point to it. The frozen ones are few ranges in an array; when
 * that is full, whoever wants to free commits first.
 */
#include "fs/ext2/ext2.h"
#include "lib/bitmap.h"

static u32 group_size(const struct ext2_sb *sbi, u32 group)
{
	return min(sbi->blocks - group * sbi->blocks_per_group, sbi->blocks_per_group);
}

static void count_blocks(struct ext2_sb *sbi, u32 group, int change)
{
	struct page *page;
	struct ext2_group_desc *desc = ext2_group(sbi, group, &page);

	if (change > 0 ? desc->bg_free_blocks_count < group_size(sbi, group) :
			 desc->bg_free_blocks_count > 0)
		desc->bg_free_blocks_count += change;
	if (change > 0 || sbi->free_blocks)
		sbi->free_blocks += change;
	ext2_dirty(sbi, page, EXT2_COUNT);
	ext2_dirty(sbi, sbi->sb_page, EXT2_COUNT);
}

/* ---- frozen --------------------------------------------------------------------------- */

/* The end of the frozen range that @block is in, or 0. */
static u32 frozen_until(const struct ext2_sb *sbi, u32 block)
{
	for (unsigned int i = 0; i < sbi->nr_frozen; i++)
		if (block - sbi->frozen[i].start < sbi->frozen[i].len)
			return sbi->frozen[i].start + sbi->frozen[i].len;
	return 0;
}

static void freeze(struct ext2_sb *sbi, u32 block)
{
	struct ext2_range *last = sbi->nr_frozen ? &sbi->frozen[sbi->nr_frozen - 1] : NULL;

	sbi->nr_frozen_blocks++;
	if (last && last->start + last->len == block) {
		last->len++;
	} else if (last && last->start == block + 1) {
		last->start--;
		last->len++;
	} else if (sbi->nr_frozen < EXT2_FROZEN_RANGES) {
		sbi->frozen[sbi->nr_frozen++] = (struct ext2_range){ block, 1 };
	} else {
		/* Nobody asked ext2_ready_to_free(): freeze all between, that is never wrong. */
		u32 end = max(last->start + last->len, block + 1);

		last->start = min(last->start, block);
		last->len = end - last->start;
	}
}

int ext2_ready_to_free(struct ext2_sb *sbi, unsigned int n)
{
	if (sbi->nr_frozen + n <= EXT2_FROZEN_RANGES)
		return 0;
	return ext2_commit(sbi, false);
}

/* ---- taking --------------------------------------------------------------------------- */

/* A freed indirect block may have left a clean page behind; as a file's block it will have another. */
static void forget_page(struct ext2_sb *sbi, u32 block)
{
	struct page *page = find_get_page(sbi->meta, block);

	if (!page)
		return;
	lock_page(page);
	if (page->mapping == sbi->meta)
		remove_mapping(sbi->meta, page);
	unlock_page(page);
	put_page(page);
}

/* A free block of the group at or after @start: 1 and *@block, 0: none, or -errno. */
static int take_from_group(struct ext2_sb *sbi, u32 group, u32 start, u32 *block)
{
	u32 first = group * sbi->blocks_per_group, size = group_size(sbi, group), until;
	struct ext2_group_desc *desc = ext2_group(sbi, group, NULL);
	unsigned long *map, bit = start;
	struct page *page;
	int ret = 0;

	if (!desc->bg_free_blocks_count)
		return 0;
	page = read_cache_page(sbi->meta, desc->bg_block_bitmap);
	if (IS_ERR(page))
		return PTR_ERR(page);
	map = page_address(page);
	while ((bit = find_next_zero_bit(map, size, bit)) < size) {
		until = frozen_until(sbi, first + bit);
		if (until) {
			bit = until - first;
			continue;
		}
		bitmap_set(map, bit, 1);
		ext2_dirty(sbi, page, EXT2_COUNT);
		if (ext2_block_ok(sbi, first + bit)) {
			*block = first + bit;
			ret = 1;
			break;
		}
		ext2_damage(sbi, "metadata block %lu was free", first + bit);
	}
	put_page(page);
	return ret;
}

static int take_block(struct ext2_sb *sbi, u32 goal, u32 *block)
{
	u32 group = goal / sbi->blocks_per_group;
	int ret = take_from_group(sbi, group, goal % sbi->blocks_per_group, block);

	for (u32 i = 0; i < sbi->groups && !ret; i++)
		ret = take_from_group(sbi, (group + i) % sbi->groups, 0, block);
	return ret;
}

int ext2_new_block(struct ext2_sb *sbi, u32 goal, u32 *block)
{
	int ret = ext2_may_write(sbi);

	if (ret)
		return ret;
	if (goal <= sbi->first_data_block || goal >= sbi->blocks)
		goal = sbi->first_data_block + 1;
	ret = take_block(sbi, goal, block);
	if (!ret && sbi->nr_frozen_blocks) {
		ret = ext2_commit(sbi, false);
		if (!ret)
			ret = take_block(sbi, goal, block);
	}
	if (ret <= 0)
		return ret ? ret : -ENOSPC;
	count_blocks(sbi, *block / sbi->blocks_per_group, -1);
	forget_page(sbi, *block);
	return 0;
}

/* ---- giving back ---------------------------------------------------------------------- */

static struct page *bitmap_of(struct ext2_sb *sbi, u32 block)
{
	return read_cache_page(sbi->meta,
			       ext2_group(sbi, block / sbi->blocks_per_group, NULL)->bg_block_bitmap);
}

int ext2_block_used(struct ext2_sb *sbi, u32 block)
{
	struct page *page = bitmap_of(sbi, block);
	int used;

	if (IS_ERR(page))
		return PTR_ERR(page);
	used = test_bit(block % sbi->blocks_per_group, page_address(page));
	put_page(page);
	return used;
}

int ext2_free_block(struct ext2_sb *sbi, u32 block)
{
	u32 bit = block % sbi->blocks_per_group;
	struct page *page = bitmap_of(sbi, block);
	int err = 0;

	if (IS_ERR(page))
		return PTR_ERR(page);
	if (test_bit(bit, page_address(page))) {
		bitmap_clear(page_address(page), bit, 1);
		ext2_dirty(sbi, page, EXT2_COUNT);
		count_blocks(sbi, block / sbi->blocks_per_group, 1);
		freeze(sbi, block);
	} else {
		err = ext2_damage(sbi, "block %u was freed twice", block);
		ext2_break(sbi, "its bitmaps are wrong");
	}
	put_page(page);
	return err;
}
