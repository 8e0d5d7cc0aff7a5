/*
 * The swap cache and its input and output: see swap.h.
 *
 * Two faults on one entry must not read it into two pages. The entry's slot says SWAP_HAS_CACHE from before
 * a page for it is entered until after it has left, so of two only one gets past swapcache_prepare(); the
 * other looks again until the first has entered its page.
 *
 * remove_swap_cache() asks, under the lock where lookup_swap_cache() takes its reference, whether anybody
 * else holds the page: it cannot be found anew while it goes.
 */
#include "mm/cache/swap.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "block/block.h"
#include "lib/errno.h"
#include "mm/phys/vmstat.h"

static struct swap_cache {
	spinlock_t lock;
	struct radix_tree pages;	/* by offset */
} caches[MAX_SWAPFILES];

static struct swap_cache *cache_of(swp_entry_t entry)
{
	return &caches[swp_type(entry)];
}

/* Enters a locked page under @entry, whose slot says SWAP_HAS_CACHE: 0 or -ENOMEM. */
static int enter(struct page *page, swp_entry_t entry)
{
	struct swap_cache *cache = cache_of(entry);
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned int need = 0;
	unsigned long flags;
	int err;

	do {
		err = radix_pool_fill(&pool, need, GFP_NOIO | __GFP_NOWARN);
		if (err)
			break;
		spin_lock_irqsave(&cache->lock, flags);
		err = radix_insert(&cache->pages, swp_offset(entry), page, &pool);
		if (err == -ENOMEM)
			need = radix_need(&cache->pages, swp_offset(entry));
		if (err == 0) {
			get_page(page);
			page->private = entry.val;
			SetPageSwapCache(page);
		}
		spin_unlock_irqrestore(&cache->lock, flags);
	} while (err == -ENOMEM);
	radix_pool_release(&pool);
	BUG_ON(err == -EEXIST);
	if (!err)
		inc_vm_stat(NR_SWAPCACHE);
	return err;
}

/* Out of the tree; the cache's lock held. The caller drops slot and reference. */
static swp_entry_t leave(struct swap_cache *cache, struct page *page, struct radix_pool *pool)
{
	swp_entry_t entry = page_swap_entry(page);

	radix_delete(&cache->pages, swp_offset(entry), pool);
	ClearPageSwapCache(page);
	ClearPageError(page);
	page->private = 0;
	return entry;
}

bool add_to_swap(struct page *page)
{
	swp_entry_t entry = get_swap_slot();

	BUG_ON(!PageLocked(page) || !page_is_anon(page) || PageSwapCache(page));
	if (!entry.val)
		return false;
	/* Before it can be found: who finds it clean may believe that the slot has its contents. */
	SetPageDirty(page);
	SetPageUptodate(page);
	if (enter(page, entry)) {
		swapcache_free(entry);
		return false;
	}
	return true;
}

struct page *lookup_swap_cache(swp_entry_t entry)
{
	struct swap_cache *cache = cache_of(entry);
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&cache->lock, flags);
	page = radix_lookup(&cache->pages, swp_offset(entry));
	if (page)
		get_page(page);
	spin_unlock_irqrestore(&cache->lock, flags);
	return page;
}

void delete_from_swap_cache(struct page *page)
{
	struct swap_cache *cache = cache_of(page_swap_entry(page));
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned long flags;
	swp_entry_t entry;

	BUG_ON(!PageLocked(page) || !PageSwapCache(page) || PageWriteback(page));
	spin_lock_irqsave(&cache->lock, flags);
	entry = leave(cache, page, &pool);
	spin_unlock_irqrestore(&cache->lock, flags);
	radix_pool_release(&pool);
	dec_vm_stat(NR_SWAPCACHE);
	swapcache_free(entry);
	put_page(page);
}

bool try_to_free_swap(struct page *page)
{
	if (!PageSwapCache(page) || PageWriteback(page) || swap_count(page_swap_entry(page)))
		return false;
	delete_from_swap_cache(page);
	return true;
}

bool remove_swap_cache(struct page *page)
{
	struct swap_cache *cache = cache_of(page_swap_entry(page));
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned long flags;
	swp_entry_t entry;
	bool may_go;

	BUG_ON(!PageLocked(page) || !PageSwapCache(page));
	spin_lock_irqsave(&cache->lock, flags);
	may_go = page_count(page) == 2 && !page_mapped(page) && !PageWriteback(page) &&
		 (!PageDirty(page) || !swap_count(page_swap_entry(page)));
	if (may_go)
		entry = leave(cache, page, &pool);
	spin_unlock_irqrestore(&cache->lock, flags);
	if (!may_go)
		return false;
	radix_pool_release(&pool);
	dec_vm_stat(NR_SWAPCACHE);
	swapcache_free(entry);
	put_page(page);
	return true;
}

/* The last page-table entry that held it, or its page, went: swap_orphan_hook. What is locked or being written, reclaim
 * will find. Spinlocks may be held. */
static void drop_orphan(swp_entry_t entry)
{
	struct page *page = lookup_swap_cache(entry);

	if (!page)
		return;
	if (trylock_page(page)) {
		if (PageSwapCache(page) && page_swap_entry(page).val == entry.val)
			try_to_free_swap(page);
		unlock_page(page);
	}
	put_page(page);
}

void swap_cache_purge(unsigned int type)
{
	struct swap_cache *cache = &caches[type];
	unsigned long flags, at = 0, index;
	struct page *page;

	for (;;) {
		spin_lock_irqsave(&cache->lock, flags);
		if (!radix_gang_lookup(&cache->pages, at, (void **)&page, 1, &index))
			page = NULL;
		else
			get_page(page);
		spin_unlock_irqrestore(&cache->lock, flags);
		if (!page)
			return;
		at = index + 1;
		lock_page(page);
		wait_on_page_writeback(page);
		try_to_free_swap(page);
		unlock_page(page);
		put_page(page);
	}
}

/* ---- input and output --------------------------------------------------------------------- */

static struct bio *page_bio(struct page *page, enum bio_op op, void (*end_io)(struct bio *))
{
	swp_entry_t entry = page_swap_entry(page);
	struct bio *bio = bio_alloc(GFP_NOIO);

	bio->bdev = swap_bdev(swp_type(entry));
	bio->op = op;
	bio->sector = (u64)swp_offset(entry) << (PAGE_SHIFT - SECTOR_SHIFT);
	bio->nr_pages = 1;
	bio->pages[0] = page;
	bio->size = PAGE_SIZE;
	bio->end_io = end_io;
	return bio;
}

/* The device did not take it: memory has the only copy, and the slot is not tried again. */
static void write_failed(struct page *page)
{
	static u64 quiet_until;
	u64 now = arch_clock_ns();

	SetPageError(page);
	SetPageDirty(page);
	ClearPageReclaim(page);
	swap_retire(page_swap_entry(page));
	if (now < READ_ONCE(quiet_until))
		return;
	WRITE_ONCE(quiet_until, now + 1000000000UL);
	pr_err("swap: write error on %s, page %lu: the slot is not used again\n",
	       swap_areas[swp_type(page_swap_entry(page))].name, swp_offset(page_swap_entry(page)));
}

static void end_write(struct bio *bio)
{
	if (bio->error)
		write_failed(bio->pages[0]);
	end_page_writeback(bio->pages[0]);
	bio_put(bio);
}

void swap_writepage(struct page *page)
{
	struct bio *bio = page_bio(page, BIO_WRITE, end_write);

	inc_vm_stat(PSWPOUT);
	set_page_writeback(page);
	unlock_page(page);
	submit_bio(bio);
}

static void end_read(struct bio *bio)
{
	struct page *page = bio->pages[0];

	if (bio->error)
		SetPageError(page);
	else
		SetPageUptodate(page);
	unlock_page(page);
	bio_put(bio);
}

/* A locked page for @entry, entered and being read; ERR_PTR(-ENOMEM). The slot says SWAP_HAS_CACHE. */
static struct page *read_new(struct page *page, swp_entry_t entry, struct vma *vma,
			     unsigned long addr)
{
	__SetPageLocked(page);
	page_set_anon_rmap(page, vma, addr);
	if (enter(page, entry)) {
		swapcache_free(entry);
		__ClearPageLocked(page);
		put_page(page);
		return ERR_PTR(-ENOMEM);
	}
	if (lru_ops)
		lru_ops->add(page);
	inc_vm_stat(PSWPIN);
	submit_bio(page_bio(page, BIO_READ, end_read));
	return page;
}

/* One that failed to be read before: tried again, for the next reader may be luckier. */
static void read_again(struct page *page, swp_entry_t entry)
{
	lock_page(page);
	if (PageSwapCache(page) && page_swap_entry(page).val == entry.val && PageError(page) &&
	    !PageUptodate(page)) {
		ClearPageError(page);
		submit_bio(page_bio(page, BIO_READ, end_read));	/* unlocks */
		return;
	}
	unlock_page(page);
}

struct page *read_swap_cache(swp_entry_t entry, struct vma *vma, unsigned long addr, bool *major)
{
	struct page *page, *new = NULL;
	int err;

	*major = false;
	for (;;) {
		page = lookup_swap_cache(entry);
		if (page) {
			if (PageError(page) && !PageUptodate(page))
				read_again(page, entry);
			break;
		}
		if (!new)
			new = alloc_page(GFP_USER_MOVABLE);
		if (!new)
			return ERR_PTR(-ENOMEM);
		err = swapcache_prepare(entry);
		if (err == 0) {
			*major = true;
			return read_new(new, entry, vma, addr);
		}
		if (err == -ENOENT)
			break;
		sched_yield();		/* somebody is between the slot and the tree */
	}
	if (new)
		put_page(new);
	return page;
}

static int swap_cache_init(void)
{
	for (unsigned int i = 0; i < MAX_SWAPFILES; i++) {
		spin_lock_init(&caches[i].lock);
		radix_init(&caches[i].pages);
	}
	swap_orphan_hook = drop_orphan;
	return 0;
}
core_initcall(swap_cache_init);
