/*
 * Shared anonymous memory: an address_space whose pages exist only in the cache. They have no
 * writepage, so a dirty one is never clean again and never dropped; a page that was only read is
 * zero and may be.
 */
#include "mm/cache/shmem.h"
#include "base/initcall.h"
#include "lib/string.h"
#include "mm/cache/pagecache.h"
#include "mm/slab/slab.h"
#include "mm/vm/commit.h"

struct shmem {
	struct address_space mapping;	/* first */
	atomic_t refs;
	loff_t bytes;
};

static struct kmem_cache *shmem_cache;

static int shmem_init(void)
{
	shmem_cache = KMEM_CACHE(shmem, SLAB_PANIC);
	return 0;
}
core_initcall(shmem_init);

static struct shmem *to_shmem(struct address_space *mapping)
{
	return container_of(mapping, struct shmem, mapping);
}

static int shmem_readpage(struct address_space *mapping, struct page *page)
{
	(void)mapping;
	clear_page(page_address(page));
	SetPageUptodate(page);
	unlock_page(page);
	return 0;
}

static void shmem_get(struct address_space *mapping)
{
	atomic_inc(&to_shmem(mapping)->refs);
}

static void shmem_put(struct address_space *mapping)
{
	if (!atomic_dec_and_test(&to_shmem(mapping)->refs))
		return;
	truncate_inode_pages(mapping);
	vm_commit(-(long)(PAGE_ALIGN(to_shmem(mapping)->bytes) >> PAGE_SHIFT));
	kmem_cache_free(shmem_cache, to_shmem(mapping));
}

static int shmem_name(struct address_space *mapping, char *buf, size_t size)
{
	(void)mapping;
	return strscpy(buf, "/dev/zero (deleted)", size);
}

static loff_t shmem_size(struct address_space *mapping)
{
	return to_shmem(mapping)->bytes;
}

static const struct address_space_operations shmem_ops = {
	.swap_backed = true,
	.readpage = shmem_readpage,
	.get = shmem_get,
	.put = shmem_put,
	.name = shmem_name,
};

struct address_space *shmem_create(size_t size)
{
	unsigned long pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct shmem *shmem;

	if (!vm_may_commit(pages))
		return NULL;
	shmem = kmem_cache_alloc(shmem_cache, GFP_KERNEL);
	if (!shmem)
		return NULL;
	vm_commit(pages);
	address_space_init(&shmem->mapping, NULL, &shmem_ops);
	shmem->mapping.size = shmem_size;
	shmem->bytes = size;
	atomic_set(&shmem->refs, 1);
	return &shmem->mapping;
}
