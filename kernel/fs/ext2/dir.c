/*
 * ext2: directories. A directory's block is a chain of entries that covers it exactly; an entry is removed
 * by letting the one before it cover its bytes, or, if it is the first, by making its inode 0. Every
 * entry is checked before it is believed.
 *
 * The functions that change a directory know the rules of ordering.c: which step of the batch the page
 * must be written in, and what must be committed first.
 */
#include "fs/ext2/ext2.h"
#include "lib/hash.h"
#include "lib/string.h"

static int bad_dir(struct inode *dir, const struct page *page, unsigned int at)
{
	struct ext2_inode *ei = ext2_i(dir);

	if (!ei->damage_told)
		ext2_damage(ext2_isb(dir), "directory %lu: entry at %lu", (unsigned long)dir->ino,
			    (unsigned long)(page->index * EXT2_BLOCK_SIZE + at));
	ei->damage_told = true;
	return -EUCLEAN;
}

static struct ext2_dirent *entry_at(const struct page *page, unsigned int at)
{
	return (struct ext2_dirent *)((char *)page_address(page) + at);
}

/* Is there a sound entry at @at? 0 or -EUCLEAN. */
static int check_entry(struct inode *dir, const struct page *page, unsigned int at)
{
	const struct ext2_dirent *de = entry_at(page, at);

	if (at > EXT2_BLOCK_SIZE - EXT2_REC_LEN(1) || de->rec_len < EXT2_REC_LEN(1) ||
	    de->rec_len % 4 || de->rec_len > EXT2_BLOCK_SIZE - at)
		return bad_dir(dir, page, at);
	if (de->inode && (de->rec_len < EXT2_REC_LEN(de->name_len) || !de->name_len ||
			  de->inode > ext2_isb(dir)->inodes))
		return bad_dir(dir, page, at);
	return 0;
}

static unsigned long dir_pages(const struct inode *dir)
{
	return dir->size / EXT2_BLOCK_SIZE;
}

int ext2_find_entry(struct inode *dir, const char *name, unsigned int len, struct page **found,
		    struct ext2_dirent **found_de)
{
	for (unsigned long n = 0; n < dir_pages(dir); n++) {
		struct page *page = read_cache_page(&dir->mapping, n);
		struct ext2_dirent *de;

		if (IS_ERR(page))
			return PTR_ERR(page);
		for (unsigned int at = 0; at < EXT2_BLOCK_SIZE; at += de->rec_len) {
			int err = check_entry(dir, page, at);

			if (err) {
				put_page(page);
				return err;
			}
			de = entry_at(page, at);
			if (de->inode && de->name_len == len && memcmp(de->name, name, len) == 0) {
				*found = page;
				*found_de = de;
				return 0;
			}
		}
		put_page(page);
	}
	return -ENOENT;
}

/* An entry of @page with @need bytes to spare; NULL: none, or ERR_PTR. */
static struct ext2_dirent *room_in_page(struct inode *dir, struct page *page, unsigned int need)
{
	struct ext2_dirent *de;

	for (unsigned int at = 0; at < EXT2_BLOCK_SIZE; at += de->rec_len) {
		int err = check_entry(dir, page, at);

		if (err)
			return ERR_PTR(err);
		de = entry_at(page, at);
		if (de->rec_len >= need + (de->inode ? EXT2_REC_LEN(de->name_len) : 0))
			return de;
	}
	return NULL;
}

int ext2_find_room(struct inode *dir, unsigned int len, struct page *only, struct page **page,
		   struct ext2_dirent **de)
{
	unsigned long n = only ? only->index : 0, end = only ? n + 1 : dir_pages(dir);

	for (; n < end; n++) {
		*page = read_cache_page(&dir->mapping, n);
		if (IS_ERR(*page))
			return PTR_ERR(*page);
		*de = room_in_page(dir, *page, EXT2_REC_LEN(len));
		if (!IS_ERR_OR_NULL(*de))
			return 0;
		put_page(*page);
		if (*de)
			return PTR_ERR(*de);
	}
	return -ENOSPC;
}

static u8 file_type(umode_t mode)
{
	static const u8 types[16] = {
		[DT_FIFO] = EXT2_FT_FIFO, [DT_CHR] = EXT2_FT_CHR, [DT_DIR] = EXT2_FT_DIR,
		[DT_BLK] = EXT2_FT_BLK, [DT_REG] = EXT2_FT_REG, [DT_LNK] = EXT2_FT_LNK,
		[DT_SOCK] = EXT2_FT_SOCK,
	};

	return types[S_DT(mode)];
}

/* Writes the entry into the spare bytes of @de. */
void ext2_put_entry(struct ext2_dirent *de, const char *name, unsigned int len,
		    struct inode *inode)
{
	if (de->inode) {
		unsigned int used = EXT2_REC_LEN(de->name_len);
		struct ext2_dirent *next = (struct ext2_dirent *)((char *)de + used);

		next->rec_len = de->rec_len - used;
		de->rec_len = used;
		de = next;
	}
	de->name_len = len;
	de->file_type = file_type(inode->mode);
	memcpy(de->name, name, len);
	de->inode = inode->ino;
}

/* The page was checked when @de was found in it. */
void ext2_cut_entry(struct page *page, struct ext2_dirent *de)
{
	struct ext2_dirent *prev = NULL, *at = page_address(page);

	while (at < de) {
		prev = at;
		at = (struct ext2_dirent *)((char *)at + at->rec_len);
	}
	if (prev)
		prev->rec_len += de->rec_len;
	else
		de->inode = 0;
}

/* ---- the rules of the batch --------------------------------------------------------------- */

bool ext2_is_born(struct inode *inode)
{
	return ext2_i(inode)->born == ext2_isb(inode)->batch;
}

static u64 name_bit(const char *name, unsigned int len)
{
	return BIT(hash_64(hash_bytes(name, len, FNV64_OFFSET), 6));
}

void ext2_note_removed(struct inode *dir, const char *name, unsigned int len)
{
	struct ext2_inode *ei = ext2_i(dir);

	if (ei->removed_batch != ext2_isb(dir)->batch)
		ei->removed_names = 0;
	ei->removed_batch = ext2_isb(dir)->batch;
	ei->removed_names |= name_bit(name, len);
}

/* Perhaps removed from the directory in this batch? */
static bool was_removed(struct inode *dir, const char *name, unsigned int len)
{
	return ext2_i(dir)->removed_batch == ext2_isb(dir)->batch &&
	       (ext2_i(dir)->removed_names & name_bit(name, len));
}

static bool fits_class(const struct page *page, enum ext2_class class)
{
	return ext2_class(page) == EXT2_CLEAN || ext2_class(page) == class;
}

static void dir_changed(struct inode *dir, struct page *page, enum ext2_class class)
{
	ext2_dirty(ext2_isb(dir), page, class);
	dir->mtime = dir->ctime = current_time();
	ext2_update_inode(dir);
}

int ext2_add_entry(struct inode *dir, const char *name, unsigned int len, struct inode *inode,
		   struct page **where)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	struct ext2_dirent *de;
	struct page *page;
	int err = ext2_may_write(sbi);

	while (!err) {
		if (ext2_is_born(dir) || was_removed(dir, name, len) || ext2_batch_full(sbi)) {
			err = ext2_commit(sbi, false);
			continue;
		}
		err = ext2_find_room(dir, len, NULL, &page, &de);
		if (err == -ENOSPC) {
			err = ext2_grow_dir(dir);
			continue;
		}
		if (err)
			break;
		if (fits_class(page, EXT2_ADD)) {
			ext2_put_entry(de, name, len, inode);
			dir_changed(dir, page, EXT2_ADD);
			if (!inode->nlink)
				ext2_i(inode)->born = sbi->batch;
			if (where)
				*where = page;
			put_page(page);
			break;
		}
		put_page(page);
		err = ext2_commit(sbi, false);
	}
	return err;
}

/* May the entry go with the page as it is in the batch? */
static bool may_remove(const struct page *page, struct inode *inode, const struct page *with)
{
	if (fits_class(page, EXT2_REMOVE))
		return true;
	if (ext2_is_born(inode) && ext2_class(page) == EXT2_ADD)
		return true;		/* neither entry nor inode is on disk */
	return page == with && (ext2_class(page) == EXT2_ADD || ext2_class(page) == EXT2_REPLACE);
}

int ext2_remove_entry(struct inode *dir, struct page *page, struct ext2_dirent *de,
		      struct inode *inode, struct page *with)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int err = ext2_may_write(sbi);

	if (!err && (!may_remove(page, inode, with) || ext2_batch_full(sbi)))
		err = ext2_commit(sbi, false);
	if (err)
		return err;
	if (!ext2_is_born(inode))
		ext2_note_removed(dir, de->name, de->name_len);
	ext2_cut_entry(page, de);
	dir_changed(dir, page, EXT2_REMOVE);
	return 0;
}

int ext2_replace_entry(struct inode *dir, struct page *page, struct ext2_dirent *de,
		       struct inode *inode)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	int err = ext2_may_write(sbi);

	if (!err && (ext2_is_born(inode) || !fits_class(page, EXT2_REPLACE)))
		err = ext2_commit(sbi, false);
	if (err)
		return err;
	de->inode = inode->ino;
	de->file_type = file_type(inode->mode);
	dir_changed(dir, page, EXT2_REPLACE);
	return 0;
}

/* ---- whole blocks --------------------------------------------------------------------- */

struct page *ext2_new_page(struct inode *dir, pgoff_t index)
{
	struct ext2_sb *sbi = ext2_isb(dir);
	struct page *page;
	u32 block;
	int err;

	err = ext2_new_block(sbi, ext2_i(dir)->goal, &block);
	if (err)
		return ERR_PTR(err);
	page = grab_cache_page(&dir->mapping, index);
	if (IS_ERR(page)) {
		ext2_free_block(sbi, block);
		return page;
	}
	clear_page(page_address(page));
	SetPageUptodate(page);
	unlock_page(page);
	err = ext2_set_block(dir, index, block);
	if (err) {
		ext2_free_block(sbi, block);
		put_page(page);
		return ERR_PTR(err);
	}
	ext2_dirty(sbi, page, EXT2_NEW);
	ext2_i(dir)->goal = block + 1;
	dir->blocks += EXT2_BLOCK_SIZE / 512;
	return page;
}

int ext2_grow_dir(struct inode *dir)
{
	pgoff_t index = dir_pages(dir);
	struct page *page;
	int err;

	err = ext2_make_path(dir, index);
	if (err)
		return err;
	page = ext2_new_page(dir, index);
	if (IS_ERR(page))
		return PTR_ERR(page);
	entry_at(page, 0)->rec_len = EXT2_BLOCK_SIZE;
	put_page(page);
	dir->size += EXT2_BLOCK_SIZE;
	ext2_update_inode(dir);
	return ext2_commit(ext2_isb(dir), false);
}

int ext2_make_empty(struct inode *dir, struct inode *parent)
{
	struct page *page = ext2_new_page(dir, 0);
	struct ext2_dirent *de;

	if (IS_ERR(page))
		return PTR_ERR(page);
	de = entry_at(page, 0);
	de->rec_len = EXT2_BLOCK_SIZE;
	ext2_put_entry(de, ".", 1, dir);
	ext2_put_entry(de, "..", 2, parent);
	put_page(page);
	dir->size = EXT2_BLOCK_SIZE;
	return 0;
}

int ext2_dir_empty(struct inode *dir)
{
	for (unsigned long n = 0; n < dir_pages(dir); n++) {
		struct page *page = read_cache_page(&dir->mapping, n);
		struct ext2_dirent *de;
		int ret = 1;

		if (IS_ERR(page))
			return PTR_ERR(page);
		for (unsigned int at = 0; at < EXT2_BLOCK_SIZE && ret == 1; at += de->rec_len) {
			int err = check_entry(dir, page, at);

			de = entry_at(page, at);
			if (err)
				ret = err;
			else if (de->inode && !(de->name[0] == '.' &&
						(de->name_len == 1 ||
						 (de->name_len == 2 && de->name[1] == '.'))))
				ret = 0;
		}
		put_page(page);
		if (ret != 1)
			return ret;
	}
	return 1;
}

/* ---- reading -------------------------------------------------------------------------- */

static unsigned int dirent_type(u8 type)
{
	static const u8 types[EXT2_FT_MAX] = {
		DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK
	};

	return type < EXT2_FT_MAX ? types[type] : DT_UNKNOWN;
}

/*
 * Gives the entries of one page from ctx->pos on to the actor. The position may lie within an entry by
 * now, if entries went: the walk begins at the page's start. 1: go on, 0: full, or -errno.
 */
static int emit_page(struct inode *dir, struct page *page, struct dir_context *ctx)
{
	loff_t base = (loff_t)page->index * EXT2_BLOCK_SIZE;
	struct ext2_dirent *de;

	for (unsigned int at = 0; at < EXT2_BLOCK_SIZE; at += de->rec_len) {
		int err = check_entry(dir, page, at);

		if (err)
			return err;
		de = entry_at(page, at);
		if (base + at < ctx->pos)
			continue;
		ctx->pos = base + at;
		if (de->inode && !ctx->actor(ctx, de->name, de->name_len, de->inode,
					     dirent_type(de->file_type)))
			return 0;
	}
	ctx->pos = base + EXT2_BLOCK_SIZE;
	return 1;
}

static int ext2_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->inode;
	int ret = 1;

	if (ctx->pos < 0)
		return -EINVAL;
	while (ret > 0 && ctx->pos < dir->size) {
		struct page *page = read_cache_page(&dir->mapping, ctx->pos / EXT2_BLOCK_SIZE);

		if (IS_ERR(page))
			return PTR_ERR(page);
		ret = emit_page(dir, page, ctx);
		put_page(page);
	}
	return ret < 0 ? ret : 0;
}

const struct file_operations ext2_dir_fops = {
	.llseek = generic_llseek,
	.iterate = ext2_iterate,
	.fsync = generic_fsync,
};
