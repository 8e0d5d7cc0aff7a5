/*
 * The inode cache, and which inodes are dirty.
 *
 * There is at most one struct inode for a (super block, number) pair: iget() finds it in the hash
 * or enters a new one, marked I_NEW, and fills it while others who want it wait. After its last
 * use an inode stays on an LRU list (with its pages, which are the real treasure) until memory is
 * wanted, unless it has no name left (nlink 0): then evict_inode frees it for good.
 *
 *	I_NEW -> in use (refs > 0) <-> unused (refs 0, hashed, on the LRU) -> I_FREEING -> freed
 *
 * inode_lock protects hash, lists, state bits and every step of refs from or to zero. An inode
 * leaves the hash the moment it becomes I_FREEING, so nobody finds a dying one; that is safe
 * because a dying inode with names is clean, and one without cannot be asked for.
 *
 * Dirt. I_DIRTY: the fields are newer than the inode table; I_DIRTY_PAGES: the page cache holds
 * dirty pages. Either puts the inode on sb->dirty. sync_inode() clears the bits before it writes,
 * so that what becomes dirty meanwhile is seen again; I_SYNC lets one thread at a time do so,
 * hence an fsync that finds the bits cleared by another has waited for that other's write.
 * sb->sync_mutex is around the walks of the whole list: a sync(2) never misses an inode that the
 * flusher has just taken off.
 *
 * An unused inode may be dirty: it stays until it was written.
 */
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/cache/writeback.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"

#define ICACHE_BITS	12
#define ALL_PAGES	(~0UL >> PAGE_SHIFT)

DEFINE_SPINLOCK(inode_lock);
static struct hlist_head inode_hash[1 << ICACHE_BITS];
static LIST_HEAD(inode_lru);			/* unused, longest unused first */
static unsigned long nr_unused;
static atomic_long_t nr_all;
static DEFINE_WAIT_QUEUE(inode_wait);		/* for I_NEW and I_SYNC to clear */
static struct kmem_cache *inode_cache;

struct timespec current_time(void)
{
	u64 now = ktime_get_real();

	return (struct timespec){ now / NSEC_PER_SEC, now % NSEC_PER_SEC };
}

/* ---- finding ----------------------------------------------------------------------------- */

static struct hlist_head *hash_slot(const struct super_block *sb, ino_t ino)
{
	return &inode_hash[hash_64(ino ^ (unsigned long)sb, ICACHE_BITS)];
}

/* inode_lock held. */
static void lru_del(struct inode *inode)
{
	if (!list_empty(&inode->lru)) {
		list_del_init(&inode->lru);
		nr_unused--;
	}
}

static void get_locked(struct inode *inode)
{
	if (atomic_inc_return(&inode->refs) == 1)
		lru_del(inode);
}

void igrab(struct inode *inode)
{
	atomic_inc(&inode->refs);
}

struct inode *inode_alloc(struct super_block *sb)
{
	struct inode *inode = kmem_cache_zalloc(inode_cache, GFP_KERNEL);

	if (!inode)
		return NULL;
	inode->sb = sb;
	inode->nlink = 1;
	inode->atime = inode->mtime = inode->ctime = current_time();
	atomic_set(&inode->refs, 1);
	mutex_init(&inode->lock);
	address_space_init(&inode->mapping, inode, NULL);
	inode->mapping.size = inode_mapping_size;
	INIT_HLIST_NODE(&inode->hash);
	INIT_LIST_HEAD(&inode->dirty_list);
	INIT_LIST_HEAD(&inode->lru);
	INIT_LIST_HEAD(&inode->aliases);
	spin_lock(&inode_lock);
	list_add_tail(&inode->sb_list, &sb->inodes);
	spin_unlock(&inode_lock);
	atomic_inc(&nr_all);
	return inode;
}

void insert_inode_hash(struct inode *inode)
{
	spin_lock(&inode_lock);
	hlist_add_head(&inode->hash, hash_slot(inode->sb, inode->ino));
	spin_unlock(&inode_lock);
}

/* Referenced, maybe I_NEW; or NULL. inode_lock held. */
static struct inode *find_locked(struct super_block *sb, ino_t ino)
{
	struct inode *inode;

	hlist_for_each_entry(inode, hash_slot(sb, ino), hash) {
		if (inode->ino == ino && inode->sb == sb) {
			get_locked(inode);
			return inode;
		}
	}
	return NULL;
}

static struct inode *wait_until_read(struct inode *inode)
{
	wait_event(&inode_wait, !test_bit(I_NEW, &inode->state));
	if (!test_bit(I_BAD, &inode->state))
		return inode;
	iput(inode);
	return ERR_PTR(-EIO);
}

static struct inode *fill_new(struct inode *inode, int (*fill)(struct inode *))
{
	int err = fill(inode);

	spin_lock(&inode_lock);
	if (err) {
		set_bit(I_BAD, &inode->state);
		hlist_del_init(&inode->hash);
	}
	clear_bit(I_NEW, &inode->state);
	spin_unlock(&inode_lock);
	wake_up_all(&inode_wait);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

struct inode *iget(struct super_block *sb, ino_t ino, int (*fill)(struct inode *))
{
	struct inode *inode, *fresh;

	spin_lock(&inode_lock);
	inode = find_locked(sb, ino);
	spin_unlock(&inode_lock);
	if (inode)
		return wait_until_read(inode);
	fresh = inode_alloc(sb);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	fresh->ino = ino;
	spin_lock(&inode_lock);
	inode = find_locked(sb, ino);
	if (!inode) {
		set_bit(I_NEW, &fresh->state);
		hlist_add_head(&fresh->hash, hash_slot(sb, ino));
		spin_unlock(&inode_lock);
		return fill_new(fresh, fill);
	}
	set_bit(I_BAD, &fresh->state);		/* another was faster */
	spin_unlock(&inode_lock);
	iput(fresh);
	return wait_until_read(inode);
}

/* ---- letting go -------------------------------------------------------------------------- */

/* Nobody can find it any more; inode_lock held. */
static void start_freeing(struct inode *inode)
{
	set_bit(I_FREEING, &inode->state);
	lru_del(inode);
	if (!hlist_unhashed(&inode->hash))
		hlist_del_init(&inode->hash);
	list_del_init(&inode->dirty_list);
	list_del_init(&inode->sb_list);
}

static void evict(struct inode *inode)
{
	struct address_space *mapping = &inode->mapping;
	unsigned long flags;

	truncate_inode_pages(mapping);
	/* Who took the last page out may still hold the lock that is part of what we free. */
	spin_lock_irqsave(&mapping->tree_lock, flags);
	BUG_ON(mapping->nrpages);
	spin_unlock_irqrestore(&mapping->tree_lock, flags);
	if (!test_bit(I_BAD, &inode->state) && inode->sb->ops->evict_inode)
		inode->sb->ops->evict_inode(inode);
	BUG_ON(!list_empty(&inode->aliases) || !list_empty(&inode->dirty_list));
	kmem_cache_free(inode_cache, inode);
	atomic_dec(&nr_all);
}

void iput(struct inode *inode)
{
	int refs;

	if (!inode)
		return;
	refs = atomic_read(&inode->refs);
	while (refs > 1)
		if (atomic_try_cmpxchg(&inode->refs, &refs, refs - 1))
			return;
	spin_lock(&inode_lock);
	if (!atomic_dec_and_test(&inode->refs)) {
		spin_unlock(&inode_lock);
		return;
	}
	if (inode->nlink && !hlist_unhashed(&inode->hash) && !inode->sb->uncached) {
		list_add_tail(&inode->lru, &inode_lru);
		nr_unused++;
		spin_unlock(&inode_lock);
		return;
	}
	start_freeing(inode);
	spin_unlock(&inode_lock);
	evict(inode);
}

/*
 * Frees the inode that was unused for longest, or readies it: drops its clean pages, or leaves it
 * to the flusher. inode_lock held, dropped. Inodes freed: 0 or 1.
 */
static unsigned long shrink_one(struct inode *inode)
{
	if (!list_empty(&inode->dirty_list) || inode->state) {
		list_move_tail(&inode->lru, &inode_lru);
		spin_unlock(&inode_lock);
		return 0;
	}
	if (!READ_ONCE(inode->mapping.nrpages)) {
		start_freeing(inode);
		spin_unlock(&inode_lock);
		evict(inode);
		return 1;
	}
	get_locked(inode);
	spin_unlock(&inode_lock);
	invalidate_mapping_pages(&inode->mapping);
	spin_lock(&inode_lock);
	if (atomic_dec_and_test(&inode->refs)) {
		/* Empty now: to the front, to be freed next. Else to the end: busy pages. */
		if (READ_ONCE(inode->mapping.nrpages))
			list_add_tail(&inode->lru, &inode_lru);
		else
			list_add(&inode->lru, &inode_lru);
		nr_unused++;
	}
	spin_unlock(&inode_lock);
	return 0;
}

unsigned long icache_shrink(unsigned long nr)
{
	unsigned long freed = 0, looks;

	spin_lock(&inode_lock);
	looks = 2 * nr_unused;
	spin_unlock(&inode_lock);
	while (freed < nr && looks--) {
		struct inode *inode;

		spin_lock(&inode_lock);
		inode = list_first_entry_or_null(&inode_lru, struct inode, lru);
		if (!inode) {
			spin_unlock(&inode_lock);
			break;
		}
		freed += shrink_one(inode);
	}
	return freed;
}

unsigned long nr_inodes(void)
{
	return atomic_read(&nr_all);
}

unsigned long nr_unused_inodes(void)
{
	return READ_ONCE(nr_unused);
}

static struct shrinker inode_shrinker = {
	.name = "inode",
	.count = nr_unused_inodes,
	.scan = icache_shrink,
};

static int icache_init(void)
{
	inode_cache = KMEM_CACHE(inode, SLAB_PANIC | SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT);
	register_shrinker(&inode_shrinker);
	return 0;
}
core_initcall(icache_init);

/* ---- dirt -------------------------------------------------------------------------------- */

static void mark_dirty(struct inode *inode, unsigned int bit)
{
	if (inode->sb->uncached ||
	    (test_bit(bit, &inode->state) && !list_empty(&inode->dirty_list)))
		return;
	spin_lock(&inode_lock);
	set_bit(bit, &inode->state);
	if (list_empty(&inode->dirty_list) && !test_bit(I_FREEING, &inode->state))
		list_add_tail(&inode->dirty_list, &inode->sb->dirty);
	spin_unlock(&inode_lock);
	flusher_kick();
}

void mark_inode_dirty(struct inode *inode)
{
	mark_dirty(inode, I_DIRTY);
}

/* True for the one that may go to work; inode_lock not held. */
static bool begin_sync(struct inode *inode)
{
	return !test_and_set_bit(I_SYNC, &inode->state);
}

static void end_sync(struct inode *inode)
{
	spin_lock(&inode_lock);
	clear_bit(I_SYNC, &inode->state);
	if (inode->mapping.nr_dirty)	/* pages that were on their way already, or failed */
		set_bit(I_DIRTY_PAGES, &inode->state);
	if ((inode->state & (BIT(I_DIRTY) | BIT(I_DIRTY_PAGES))) &&
	    list_empty(&inode->dirty_list) && !test_bit(I_FREEING, &inode->state))
		list_add_tail(&inode->dirty_list, &inode->sb->dirty);
	spin_unlock(&inode_lock);
	wake_up_all(&inode_wait);
}

int sync_inode(struct inode *inode, bool wait)
{
	struct writeback_control wbc = {
		.nr_to_write = __LONG_MAX__,
		.sync = wait,
		.end = ALL_PAGES,
	};
	const struct super_operations *ops = inode->sb->ops;
	bool was_dirty;
	int err, next;

	if (inode->sb->uncached)
		return 0;
	wait_event(&inode_wait, begin_sync(inode));
	spin_lock(&inode_lock);
	was_dirty = test_bit(I_DIRTY, &inode->state);
	clear_bit(I_DIRTY, &inode->state);
	clear_bit(I_DIRTY_PAGES, &inode->state);
	list_del_init(&inode->dirty_list);
	spin_unlock(&inode_lock);

	err = do_writepages(&inode->mapping, &wbc);
	if (wait) {
		next = filemap_fdatawait_range(&inode->mapping, 0, __LONG_MAX__);
		err = err ? err : next;
	}
	if ((was_dirty || wait) && ops->write_inode) {
		next = ops->write_inode(inode, wait);
		if (next && was_dirty)
			set_bit(I_DIRTY, &inode->state);
		err = err ? err : next;
	}
	end_sync(inode);
	return err;
}

int write_dirty_inodes(struct super_block *sb)
{
	int err = 0, next;
	LIST_HEAD(todo);

	spin_lock(&inode_lock);
	list_splice_init(&sb->dirty, &todo);
	while (!list_empty(&todo)) {
		struct inode *inode = list_first_entry(&todo, struct inode, dirty_list);

		get_locked(inode);
		list_move_tail(&inode->dirty_list, &sb->dirty);	/* off our list in any case */
		spin_unlock(&inode_lock);
		next = sync_inode(inode, false);
		err = err ? err : next;
		iput(inode);
		spin_lock(&inode_lock);
	}
	spin_unlock(&inode_lock);
	return err;
}

/*
 * Waits for all pages of all files that are under writeback, or that an fsync is about to put there:
 * an inode that it works on is on no list. First error.
 */
static int wait_for_pages(struct super_block *sb)
{
	struct inode *inode, *held = NULL;
	int err = 0, next;

	spin_lock(&inode_lock);
	list_for_each_entry(inode, &sb->inodes, sb_list) {
		if (!radix_tagged(&inode->mapping.pages, RADIX_TAG_WRITEBACK) &&
		    !test_bit(I_SYNC, &inode->state))
			continue;
		get_locked(inode);		/* keeps our place in the list */
		spin_unlock(&inode_lock);
		iput(held);
		held = inode;
		wait_event(&inode_wait, !test_bit(I_SYNC, &inode->state));
		next = filemap_fdatawait_range(&inode->mapping, 0, __LONG_MAX__);
		mapping_set_error(&inode->mapping, next);	/* its fsync must still see it */
		err = err ? err : next;
		spin_lock(&inode_lock);
	}
	spin_unlock(&inode_lock);
	iput(held);
	return err;
}

int sync_filesystem(struct super_block *sb)
{
	int err, next;

	if (sb->uncached)
		return 0;
	mutex_lock(&sb->sync_mutex);
	err = write_dirty_inodes(sb);
	next = wait_for_pages(sb);
	err = err ? err : next;
	if (sb->ops->sync_fs) {
		next = sb->ops->sync_fs(sb, true);
		err = err ? err : next;
	}
	mutex_unlock(&sb->sync_mutex);
	return err;
}

void sync_all(void)
{
	struct super_block *sb;

	list_for_each_entry(sb, &super_blocks, node)
		sync_filesystem(sb);
}

/* ---- an inode's mapping ------------------------------------------------------------------ */

loff_t inode_mapping_size(struct address_space *mapping)
{
	return READ_ONCE(mapping->host->size);
}

void inode_mapping_get(struct address_space *mapping)
{
	igrab(mapping->host);
}

void inode_mapping_put(struct address_space *mapping)
{
	iput(mapping->host);
}

int inode_mapping_name(struct address_space *mapping, char *buf, size_t size)
{
	struct dentry *dentry = d_find_alias(mapping->host);
	char *page, *path;
	int n;

	if (!dentry)
		return strscpy(buf, "(deleted)", size);
	page = kmalloc(PATH_MAX, GFP_KERNEL);
	path = page ? d_path(dentry, page, PATH_MAX) : "?";
	n = strscpy(buf, IS_ERR(path) ? "?" : path, size);
	kfree(page);
	dput(dentry);
	return n;
}

int inode_mapping_sync_range(struct address_space *mapping, loff_t start, loff_t end)
{
	int err = filemap_fdatawrite_range(mapping, start, end);
	int next = filemap_fdatawait_range(mapping, start, end);

	err = err ? err : next;
	next = sync_inode(mapping->host, true);
	return err ? err : next;
}

void inode_mapping_dirtied(struct address_space *mapping)
{
	mark_dirty(mapping->host, I_DIRTY_PAGES);
}
