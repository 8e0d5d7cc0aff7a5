/*
 * The dentry cache: names.
 *
 * A dentry is one name in one directory: what it means (an inode), or that it means nothing (a
 * negative dentry, which saves searching the directory again). Path walking needs names far more
 * often than directories change, so names stay in memory after their last use, on an LRU list,
 * until memory is wanted.
 *
 * One spinlock, dcache_lock, protects all of it: the hash table, children and alias lists, the
 * LRU list, and every step of a reference count from or to zero. That makes the life of a dentry
 * short to tell:
 *
 *	in use (refs > 0)  <->  unused (refs 0, hashed, on the LRU list)  ->  freed
 *
 * - Who finds a dentry in the hash takes its reference before letting go of the lock, so what is
 *   found
 *   is never freed under its finder.
 * - A dentry holds its parent and its inode. So parents outlive children, and whoever holds a
 *   dentry can
 *   read dentry->inode without a lock: a positive dentry turns negative only when the one who
 *   removes the name is its only user (d_delete); otherwise it is unhashed and stays what it was
 *   until the last user leaves. This is how an open file survives its name.
 * - dentry->name and ->parent change only in d_move(), with both directories and rename_mutex
 *   locked and
 *   under dcache_lock: hold one of them to read a name.
 *
 * The last name of an inode that somebody else uses too (a mapping, above all) is not evicted:
 * /proc/<pid>/maps and exe have only it to tell the file's path.
 *
 * A negative dentry is made positive, and a miss is filled in, only with the directory's lock
 * held, so two dentries for one name cannot arise.
 */
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"

#define DCACHE_BITS	12

static struct hlist_head dentry_hash[1 << DCACHE_BITS];
static DEFINE_SPINLOCK(dcache_lock);
static LIST_HEAD(dentry_lru);			/* unused, longest unused first */
static unsigned long nr_unused;
static atomic_long_t nr_all;
static struct kmem_cache *dentry_cache;

static unsigned int name_hash(const struct dentry *parent, const char *name, size_t len)
{
	return hash_64(hash_bytes(name, len, FNV64_OFFSET) ^ (unsigned long)parent, DCACHE_BITS);
}

static bool is_root(const struct dentry *dentry)
{
	return dentry->parent == dentry;
}

static bool unhashed(const struct dentry *dentry)
{
	return hlist_unhashed(&dentry->hash) && !is_root(dentry);
}

/* dcache_lock held. */
static void lru_del(struct dentry *dentry)
{
	if (!list_empty(&dentry->lru)) {
		list_del_init(&dentry->lru);
		nr_unused--;
	}
}

static void lru_add(struct dentry *dentry)
{
	list_add_tail(&dentry->lru, &dentry_lru);
	nr_unused++;
}

static void get_locked(struct dentry *dentry)
{
	if (atomic_inc_return(&dentry->refs) == 1)
		lru_del(dentry);
}

struct dentry *dget(struct dentry *dentry)
{
	if (dentry)
		atomic_inc(&dentry->refs);
	return dentry;
}

/* Frees an unused dentry, dropping dcache_lock. Returns the parent, whose reference the caller now
 * has. */
static struct dentry *d_kill(struct dentry *dentry)
{
	struct dentry *parent = is_root(dentry) ? NULL : dentry->parent;
	struct inode *inode = dentry->inode;

	BUG_ON(!list_empty(&dentry->children));
	lru_del(dentry);
	if (!hlist_unhashed(&dentry->hash))
		hlist_del_init(&dentry->hash);
	if (parent)
		list_del(&dentry->child);
	if (inode)
		list_del(&dentry->alias);
	spin_unlock(&dcache_lock);
	kmem_cache_free(dentry_cache, dentry);
	atomic_dec(&nr_all);
	if (inode)
		iput(inode);
	return parent;
}

/* Is an unused dentry worth keeping? dcache_lock held. */
static bool worth_keeping(const struct dentry *dentry)
{
	return !hlist_unhashed(&dentry->hash) && !dentry->sb->uncached &&
	       !unhashed(dentry->parent);
}

void dput(struct dentry *dentry)
{
	while (dentry) {
		int refs = atomic_read(&dentry->refs);

		while (refs > 1)
			if (atomic_try_cmpxchg(&dentry->refs, &refs, refs - 1))
				return;
		spin_lock(&dcache_lock);
		if (!atomic_dec_and_test(&dentry->refs)) {
			spin_unlock(&dcache_lock);
			return;
		}
		if (worth_keeping(dentry)) {
			lru_add(dentry);
			spin_unlock(&dcache_lock);
			return;
		}
		dentry = d_kill(dentry);
	}
}

/* Not hashed yet; holds @parent (NULL: it is a root, its own parent). */
static struct dentry *d_alloc(struct super_block *sb, struct dentry *parent, const char *name,
			      size_t len)
{
	struct dentry *dentry = kmem_cache_alloc(dentry_cache, GFP_KERNEL);

	if (!dentry)
		return NULL;
	memset(dentry, 0, offsetof(struct dentry, name));
	memcpy(dentry->name, name, len);
	dentry->name[len] = '\0';
	dentry->len = len;
	dentry->sb = sb;
	atomic_set(&dentry->refs, 1);
	INIT_LIST_HEAD(&dentry->children);
	INIT_LIST_HEAD(&dentry->child);
	INIT_LIST_HEAD(&dentry->alias);
	INIT_LIST_HEAD(&dentry->lru);
	dentry->parent = parent ? dget(parent) : dentry;
	atomic_inc(&nr_all);
	if (parent) {
		spin_lock(&dcache_lock);
		list_add(&dentry->child, &parent->children);
		spin_unlock(&dcache_lock);
	}
	return dentry;
}

void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	spin_lock(&dcache_lock);
	BUG_ON(dentry->inode);
	list_add(&dentry->alias, &inode->aliases);
	smp_store_release(&dentry->inode, inode);	/* walkers look without the lock */
	spin_unlock(&dcache_lock);
}

static struct dentry *make_rootlike(struct inode *inode, const char *name)
{
	struct dentry *dentry = d_alloc(inode->sb, NULL, name, min(strlen(name), (size_t)NAME_MAX));

	if (dentry)
		d_instantiate(dentry, inode);
	else
		iput(inode);
	return dentry;
}

struct dentry *d_make_root(struct inode *inode)
{
	return make_rootlike(inode, "/");
}

struct dentry *d_alloc_pseudo(struct inode *inode, const char *name)
{
	return make_rootlike(inode, name);
}

struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len)
{
	unsigned int hash = name_hash(parent, name, len);
	struct dentry *dentry;

	spin_lock(&dcache_lock);
	hlist_for_each_entry(dentry, &dentry_hash[hash], hash) {
		if (dentry->parent == parent && dentry->len == len &&
		    !memcmp(dentry->name, name, len)) {
			get_locked(dentry);
			spin_unlock(&dcache_lock);
			return dentry;
		}
	}
	spin_unlock(&dcache_lock);
	return NULL;
}

/* dcache_lock held. */
static void d_hash(struct dentry *dentry)
{
	dentry->hash_value = name_hash(dentry->parent, dentry->name, dentry->len);
	hlist_add_head(&dentry->hash, &dentry_hash[dentry->hash_value]);
}

struct dentry *lookup_locked(struct dentry *dir, const char *name, size_t len)
{
	struct inode *inode = dir->inode;
	struct dentry *dentry;
	int err;

	if (inode->nlink == 0)
		return ERR_PTR(-ENOENT);	/* removed while we came here */
	dentry = d_lookup(dir, name, len);
	if (dentry)
		return dentry;
	dentry = d_alloc(dir->sb, dir, name, len);
	if (!dentry)
		return ERR_PTR(-ENOMEM);
	err = inode->ops->lookup(inode, dentry);
	if (err) {
		dput(dentry);
		return ERR_PTR(err);
	}
	spin_lock(&dcache_lock);
	d_hash(dentry);
	spin_unlock(&dcache_lock);
	return dentry;
}

void d_delete(struct dentry *dentry)
{
	struct inode *inode = NULL;

	spin_lock(&dcache_lock);
	if (atomic_read(&dentry->refs) == 1 && list_empty(&dentry->children)) {
		inode = dentry->inode;
		list_del_init(&dentry->alias);
		WRITE_ONCE(dentry->inode, NULL);
	} else {
		hlist_del_init(&dentry->hash);
	}
	spin_unlock(&dcache_lock);
	if (inode)
		iput(inode);
}

void d_prune_children(struct dentry *dentry)
{
	struct dentry *child, *victim;

	do {
		victim = NULL;
		spin_lock(&dcache_lock);
		list_for_each_entry(child, &dentry->children, child) {
			if (atomic_read(&child->refs) == 0) {
				victim = child;
				break;
			}
		}
		if (victim)
			dput(d_kill(victim));
		else
			spin_unlock(&dcache_lock);
	} while (victim);
}

void d_move(struct dentry *old, struct dentry *new)
{
	struct dentry *old_parent = old->parent, *new_parent = new->parent;

	spin_lock(&dcache_lock);
	hlist_del_init(&old->hash);
	if (!hlist_unhashed(&new->hash))
		hlist_del_init(&new->hash);
	memcpy(old->name, new->name, new->len + 1);
	old->len = new->len;
	if (old_parent != new_parent) {
		atomic_inc(&new_parent->refs);
		old->parent = new_parent;
		list_move(&old->child, &new_parent->children);
	}
	d_hash(old);
	spin_unlock(&dcache_lock);
	if (old_parent != new_parent)
		dput(old_parent);
}

struct dentry *d_find_alias(struct inode *inode)
{
	struct dentry *dentry, *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each_entry(dentry, &inode->aliases, alias) {
		if (!unhashed(dentry)) {
			get_locked(dentry);
			found = dentry;
			break;
		}
	}
	spin_unlock(&dcache_lock);
	return found;
}

struct dentry *dget_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dcache_lock);
	parent = dget(dentry->parent);
	spin_unlock(&dcache_lock);
	return parent;
}

bool d_unlinked(struct dentry *dentry)
{
	return unhashed(dentry);
}

bool is_subdir(struct dentry *dentry, struct dentry *ancestor)
{
	bool found;

	spin_lock(&dcache_lock);
	while (dentry != ancestor && !is_root(dentry))
		dentry = dentry->parent;
	found = dentry == ancestor;
	spin_unlock(&dcache_lock);
	return found;
}

/* Puts text in front of *@at, which lies within a buffer starting at @buf; false: no room. */
static bool prepend(char *buf, char **at, const char *text, size_t len)
{
	if ((size_t)(*at - buf) < len)
		return false;
	*at -= len;
	memcpy(*at, text, len);
	return true;
}

char *d_path(struct dentry *dentry, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	char *at = buf + size;
	bool fits = size && prepend(buf, &at, "", 1);
	const char *end = at;

	spin_lock(&dcache_lock);
	if (unhashed(dentry))
		fits = fits && prepend(buf, &at, deleted, sizeof(deleted) - 1);
	while (fits && dentry != root_dentry) {
		if (is_root(dentry)) {
			if (!dentry->sb->mountpoint) {	/* a pipe, say */
				if (dentry != dentry->sb->root)
					fits = prepend(buf, &at, dentry->name, dentry->len);
				end = NULL;
				break;
			}
			dentry = dentry->sb->mountpoint;
			continue;
		}
		fits = prepend(buf, &at, dentry->name, dentry->len) && prepend(buf, &at, "/", 1);
		dentry = dentry->parent;
	}
	spin_unlock(&dcache_lock);
	if (fits && at == end)
		fits = prepend(buf, &at, "/", 1);
	return fits ? at : ERR_PTR(-ENAMETOOLONG);
}

/* The last name of an inode that somebody else holds? dcache_lock held. */
static bool names_used_inode(const struct dentry *dentry)
{
	return dentry->inode && atomic_read(&dentry->inode->refs) > 1 &&
	       list_is_singular(&dentry->inode->aliases);
}

unsigned long dcache_shrink(unsigned long nr)
{
	unsigned long freed = 0, looks;

	spin_lock(&dcache_lock);
	looks = nr_unused;
	spin_unlock(&dcache_lock);
	while (freed < nr) {
		struct dentry *dentry, *parent;

		spin_lock(&dcache_lock);
		dentry = list_first_entry_or_null(&dentry_lru, struct dentry, lru);
		if (!dentry || !looks--) {
			spin_unlock(&dcache_lock);
			break;
		}
		if (names_used_inode(dentry)) {
			list_move_tail(&dentry->lru, &dentry_lru);
			spin_unlock(&dcache_lock);
			continue;
		}
		parent = d_kill(dentry);
		freed++;
		/* A parent that became unused is at the list's end now: look at it, too. */
		if (parent && atomic_read(&parent->refs) == 1)
			looks++;
		dput(parent);
	}
	return freed;
}

unsigned long nr_dentries(void)
{
	return atomic_read(&nr_all);
}

unsigned long nr_unused_dentries(void)
{
	return READ_ONCE(nr_unused);
}

static struct shrinker dentry_shrinker = {
	.name = "dentry",
	.count = nr_unused_dentries,
	.scan = dcache_shrink,
};

static int dcache_init(void)
{
	dentry_cache = KMEM_CACHE(dentry, SLAB_PANIC | SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT);
	register_shrinker(&dentry_shrinker);
	return 0;
}
core_initcall(dcache_init);
