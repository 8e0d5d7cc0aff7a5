/*
 * ext2: from a page of a file to its block on disk.
 *
 * An inode names its first 12 blocks itself; then come a block of 1024 block numbers (single
 * indirect), a block of such blocks (double) and a block of those (triple). A zero anywhere is a hole. All
 * walks here follow a path of at most four numbers, each checked before it is used, so a damaged tree
 * leads nowhere but to an error.
 */
#include "fs/ext2/ext2.h"
#include "lib/string.h"

#define DEPTH_MAX 4

/* i_blocks counts units of 512 bytes in 32 bits: 2 TiB, of which indirect blocks take about 2 GiB. */
loff_t ext2_max_bytes(const struct ext2_sb *sbi)
{
	if (!(sbi->raw->s_feature_ro_compat & EXT2_FEATURE_RO_COMPAT_LARGE_FILE))
		return 0x7fffffff;
	return ((loff_t)1 << 41) - ((loff_t)1 << 32);
}

/* The path to @index: positions in the inode, then in each indirect block. How many; 0: too far out. */
static unsigned int index_path(pgoff_t index, u32 path[DEPTH_MAX])
{
	const pgoff_t n = EXT2_ADDR_PER_BLOCK;

	if (index < EXT2_NDIR_BLOCKS) {
		path[0] = index;
		return 1;
	}
	index -= EXT2_NDIR_BLOCKS;
	if (index < n) {
		path[0] = EXT2_IND_BLOCK;
		path[1] = index;
		return 2;
	}
	index -= n;
	if (index < n * n) {
		path[0] = EXT2_DIND_BLOCK;
		path[1] = index / n;
		path[2] = index % n;
		return 3;
	}
	index -= n * n;
	if (index >= n * n * n)
		return 0;
	path[0] = EXT2_TIND_BLOCK;
	path[1] = index / (n * n);
	path[2] = index / n % n;
	path[3] = index % n;
	return 4;
}

/* Told once an inode: a bad tree is met at every page. */
static int bad_block(struct inode *inode, u32 block)
{
	struct ext2_inode *ei = ext2_i(inode);

	if (!ei->damage_told)
		ext2_damage(ext2_isb(inode), "inode %lu: block number %u", (unsigned long)inode->ino,
			    block);
	ei->damage_told = true;
	return -EUCLEAN;
}

/* The page of an indirect block, referenced; or ERR_PTR. */
static struct page *indirect_page(struct inode *inode, u32 block)
{
	struct ext2_sb *sbi = ext2_isb(inode);

	if (!ext2_block_ok(sbi, block))
		return ERR_PTR(bad_block(inode, block));
	return read_cache_page(sbi->meta, block);
}

int ext2_lookup_block(struct inode *inode, pgoff_t index, u32 *block)
{
	u32 path[DEPTH_MAX], at;
	unsigned int depth = index_path(index, path);

	if (!depth)
		return -EFBIG;
	at = READ_ONCE(ext2_i(inode)->block[path[0]]);
	for (unsigned int i = 1; i < depth && at; i++) {
		struct page *page = indirect_page(inode, at);

		if (IS_ERR(page))
			return PTR_ERR(page);
		at = READ_ONCE(((u32 *)page_address(page))[path[i]]);
		put_page(page);
	}
	if (at && !ext2_block_ok(ext2_isb(inode), at))
		return bad_block(inode, at);
	*block = at;
	return 0;
}

/* A new, empty indirect block whose pointers are @level steps from data. 0 or -errno. */
static int new_indirect(struct inode *inode, unsigned int level, u32 *block)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	struct page *page;
	int err;

	err = ext2_new_block(sbi, ext2_i(inode)->goal, block);
	if (err)
		return err;
	page = grab_cache_page(sbi->meta, *block);
	if (IS_ERR(page)) {
		ext2_free_block(sbi, *block);
		return PTR_ERR(page);
	}
	clear_page(page_address(page));
	SetPageUptodate(page);
	unlock_page(page);
	ext2_dirty(sbi, page, EXT2_IND1 + level - 1);
	put_page(page);
	ext2_i(inode)->goal = *block + 1;
	inode->blocks += EXT2_BLOCK_SIZE / 512;
	return 0;
}

int ext2_make_path(struct inode *inode, pgoff_t index)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	u32 path[DEPTH_MAX], *slot, block;
	unsigned int depth = index_path(index, path);
	struct page *page = NULL, *next;
	int err = 0;

	if (!depth)
		return -EFBIG;
	slot = &ext2_i(inode)->block[path[0]];
	for (unsigned int i = 1; i < depth; i++) {
		block = *slot;
		if (!block) {
			err = new_indirect(inode, depth - i, &block);
			if (err)
				break;
			WRITE_ONCE(*slot, block);
			if (page)
				ext2_dirty(sbi, page, EXT2_IND1 + depth - i);
			else
				ext2_update_inode(inode);
		}
		next = indirect_page(inode, block);
		if (page)
			put_page(page);
		page = next;
		if (IS_ERR(page))
			return PTR_ERR(page);
		slot = (u32 *)page_address(page) + path[i];
	}
	if (page)
		put_page(page);
	return err;
}

int ext2_set_block(struct inode *inode, pgoff_t index, u32 block)
{
	u32 path[DEPTH_MAX], at;
	unsigned int depth = index_path(index, path);
	struct page *page = NULL;

	if (!depth)
		return -EFBIG;
	if (depth == 1) {
		WRITE_ONCE(ext2_i(inode)->block[path[0]], block);
		ext2_update_inode(inode);
		return 0;
	}
	at = ext2_i(inode)->block[path[0]];
	for (unsigned int i = 1; i < depth; i++) {
		if (page)
			put_page(page);
		page = indirect_page(inode, at);
		if (IS_ERR(page))
			return PTR_ERR(page);
		at = ((u32 *)page_address(page))[path[i]];
	}
	WRITE_ONCE(((u32 *)page_address(page))[path[depth - 1]], block);
	ext2_dirty(ext2_isb(inode), page, EXT2_IND1);
	put_page(page);
	return 0;
}

/* ---- freeing -------------------------------------------------------------------------- */

static int free_one(struct inode *inode, u32 *slot)
{
	struct ext2_sb *sbi = ext2_isb(inode);
	int err;

	if (!ext2_block_ok(sbi, *slot))
		return bad_block(inode, *slot);
	err = ext2_free_block(sbi, *slot);
	if (err)
		return err;
	WRITE_ONCE(*slot, 0);
	inode->blocks -= min(inode->blocks, (u64)EXT2_BLOCK_SIZE / 512);
	return 0;
}

/*
 * Frees what is at and after page @first in the tree at *@slot, which is @level steps from data and whose
 * first page is @base. @owner: the page that holds the slot, NULL: the inode. A damaged tree could
 * lead to the same block many times; the bitmap ends that, for the second visit finds it free. Before each
 * block there is a point where memory shows a consistent tree, so a batch may end there.
 */
static int free_tree(struct inode *inode, u32 *slot, struct page *owner, unsigned int level,
		     pgoff_t base, pgoff_t first)
{
	static const pgoff_t span[DEPTH_MAX] = {
		1, EXT2_ADDR_PER_BLOCK, (pgoff_t)EXT2_ADDR_PER_BLOCK * EXT2_ADDR_PER_BLOCK,
		(pgoff_t)EXT2_ADDR_PER_BLOCK * EXT2_ADDR_PER_BLOCK * EXT2_ADDR_PER_BLOCK
	};
	struct ext2_sb *sbi = ext2_isb(inode);
	struct page *page;
	int err, used;
	u32 *slots;

	if (!*slot || base + span[level] <= first)
		return 0;
	if (level) {
		page = indirect_page(inode, *slot);
		if (IS_ERR(page))
			return PTR_ERR(page);
		used = ext2_block_used(sbi, *slot);
		err = used < 0 ? used : used ? 0 : bad_block(inode, *slot);
		slots = page_address(page);
		for (unsigned int i = 0; i < EXT2_ADDR_PER_BLOCK && !err; i++)
			if (slots[i])
				err = free_tree(inode, &slots[i], page, level - 1,
						base + i * span[level - 1], first);
		put_page(page);
		if (err || base < first)
			return err;
	}
	err = ext2_ready_to_free(sbi, 1);
	if (!err)
		err = free_one(inode, slot);
	if (err)
		return err;
	if (owner)
		ext2_dirty(sbi, owner, EXT2_IND1 + level);
	else
		ext2_update_inode(inode);
	return 0;
}

/* Goes on after an error: what is left behind is in the tree still, and can be tried again. */
static int free_blocks_from(struct inode *inode, pgoff_t first)
{
	struct ext2_inode *ei = ext2_i(inode);
	const pgoff_t n = EXT2_ADDR_PER_BLOCK;
	pgoff_t base = EXT2_NDIR_BLOCKS;
	int err, first_err = ext2_drop_pending(inode, first, false);

	for (unsigned int i = 0; i < EXT2_NDIR_BLOCKS; i++) {
		err = free_tree(inode, &ei->block[i], NULL, 0, i, first);
		first_err = first_err ? first_err : err;
	}
	for (unsigned int level = 1; level <= 3; level++) {
		err = free_tree(inode, &ei->block[EXT2_IND_BLOCK + level - 1], NULL, level, base,
				first);
		first_err = first_err ? first_err : err;
		base += level == 1 ? n : n * n;
	}
	ei->goal = 0;
	return first_err;
}

int ext2_free_blocks_from(struct inode *inode, pgoff_t first)
{
	unsigned int tries = 0;
	int err;

	do
		err = free_blocks_from(inode, first);
	while (err == -ENOMEM && ext2_wait_for_memory(ext2_isb(inode), &tries));
	if (err)
		ext2_drop_pending(inode, first, true);
	return err;
}
