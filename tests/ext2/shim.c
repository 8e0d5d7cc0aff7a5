/*
 * The kernel around ext2, for one thread: pages, slabs, locks on pages, and a disk that keeps its writes
 * in flight, in no order, until somebody waits for one of them.
 */
#include "shim.h"
#include "host.h"
#include "fs/internal.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache/shmem.h"
#include "mm/cache/writeback.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"

#define NR_PAGES 24576UL

char *host_memory;
struct page *vmemmap;
long host_stat[NR_VM_STAT_ITEMS];
static unsigned long free_pages_list;		/* index + 1 of the first free page, linked by private */
unsigned long nr_pages_free;
long nr_objects;
bool verbose;
char last_log[256];

u64 random_state = 1;

u32 rnd(u32 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

static void __attribute__((constructor(150))) memory_init(void)
{
	char *memory = host_alloc((NR_PAGES + 1) * PAGE_SIZE);

	host_memory = (char *)ALIGN((unsigned long)memory, PAGE_SIZE);
	vmemmap = host_alloc(NR_PAGES * sizeof(struct page));
	for (unsigned long i = NR_PAGES; i-- > 0; nr_pages_free++) {
		vmemmap[i].private = free_pages_list;
		free_pages_list = i + 1;
	}
}

struct page *alloc_page(gfp_t gfp)
{
	struct page *page;

	if (!free_pages_list)
		return NULL;
	page = &vmemmap[free_pages_list - 1];
	free_pages_list = page->private;
	nr_pages_free--;
	memset(page, 0, sizeof(*page));
	atomic_set(&page->_refcount, 1);
	atomic_set(&page->_mapcount, -1);
	memset(page_address(page), gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return page;
}

void put_page(struct page *page)
{
	BUG_ON(page_count(page) <= 0);
	if (!atomic_dec_and_test(&page->_refcount))
		return;
	BUG_ON(page->mapping || PageLocked(page) || PageWriteback(page) || page->private || page->aux);
	page->private = free_pages_list;
	free_pages_list = page - vmemmap + 1;
	nr_pages_free++;
}

unsigned long totalram_pages(void)
{
	return NR_PAGES;
}

void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = host_alloc(sizeof(*cache));

	(void)name, (void)align, (void)flags, (void)ctor;
	cache->size = size;
	return cache;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	void *p = host_alloc(size);

	if (!(gfp & __GFP_ZERO))
		memset(p, 0x5a, size);
	nr_objects++;
	return p;
}

void kfree(const void *object)
{
	if (!object)
		return;
	nr_objects--;
	host_free((void *)object);
}

int printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_log, sizeof(last_log), fmt, args);
	va_end(args);
	if (verbose)
		host_printf("# kernel: %s", last_log);
	return 0;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	host_vprintf(fmt, args);
	va_end(args);
	host_abort();
}

static u64 seconds = 1800000000;

u64 ktime_get_real(void)
{
	return seconds++ * NSEC_PER_SEC;
}

void flusher_kick(void)
{
}

/* ---- copies --------------------------------------------------------------------------- */

void iov_iter_init_one(struct iov_iter *it, struct iovec *iov, bool user, bool to_iter, void *buf,
		       size_t n)
{
	(void)iov, (void)user, (void)to_iter;
	it->at = buf;
	it->count = n;
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it)
{
	memcpy(it->at, from, n);
	it->at += n;
	it->count -= n;
	return n;
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *it)
{
	memcpy(to, it->at, n);
	it->at += n;
	it->count -= n;
	return n;
}

/* ---- the disk ------------------------------------------------------------------------- */

struct disk disk;

static void complete(unsigned int n)
{
	struct bio *bio = disk.flight[n].bio;
	u32 block = bio->sector / 8;

	memcpy(disk.image + block * PAGE_SIZE, disk.flight[n].data, PAGE_SIZE);
	host_free(disk.flight[n].data);
	disk.flight[n] = disk.flight[--disk.nr_flight];
	disk.writes++;
	bio->end_io(bio);
}

void submit_bio(struct bio *bio)
{
	u32 block = bio->sector / 8;

	BUG_ON(bio->nr_pages != 1 || bio->size != PAGE_SIZE || bio->sector % 8);
	bio->error = block >= disk.blocks ? -EIO : 0;
	if (disk.fail_in && --disk.fail_in == 0)
		bio->error = -EIO;
	if (bio->error || bio->op == BIO_READ) {
		if (!bio->error)
			memcpy(page_address(bio->pages[0]), disk.image + block * PAGE_SIZE, PAGE_SIZE);
		bio->end_io(bio);
		return;
	}
	BUG_ON(bio->op != BIO_WRITE);
	for (unsigned int i = 0; i < disk.nr_flight; i++) {
		if (disk.flight[i].bio->sector != bio->sector)
			continue;
		if (!disk.damaged)	/* there, two files may share a block */
			panic("block %u is written twice at the same time\n", block);
		complete(i--);
	}
	while (disk.nr_flight == MAX_FLIGHT)
		complete(rnd(disk.nr_flight));
	disk.flight[disk.nr_flight].bio = bio;
	disk.flight[disk.nr_flight].data = host_alloc(PAGE_SIZE);
	memcpy(disk.flight[disk.nr_flight++].data, page_address(bio->pages[0]), PAGE_SIZE);
	if (disk.crash_hook)
		disk.crash_hook();
}

/* What is on the disk if the power goes now: any part of what is in flight. */
void disk_crash(char *image)
{
	u32 tenths = rnd(11);

	memcpy(image, disk.image, (size_t)disk.blocks * PAGE_SIZE);
	for (unsigned int i = 0; i < disk.nr_flight; i++)
		if (rnd(10) < tenths)
			memcpy(image + disk.flight[i].bio->sector / 8 * PAGE_SIZE, disk.flight[i].data,
			       PAGE_SIZE);
}

void disk_idle(void)
{
	while (disk.nr_flight)
		complete(rnd(disk.nr_flight));
}

static void wait_end(struct bio *bio)
{
	*(bool *)bio->private = true;
}

int bio_submit_wait(struct bio *bio)
{
	bool done = false;

	bio->end_io = wait_end;
	bio->private = &done;
	submit_bio(bio);
	while (!done)
		complete(rnd(disk.nr_flight));
	return bio->error;
}

struct bio *bio_alloc(gfp_t gfp)
{
	return kzalloc(sizeof(struct bio), gfp);
}

void bio_put(struct bio *bio)
{
	kfree(bio);
}

int block_flush(struct block_device *bdev)
{
	(void)bdev;
	return 0;
}

static void meta_read(struct bio *bio)
{
	if (!bio->error)
		SetPageUptodate(bio->pages[0]);
	unlock_page(bio->pages[0]);
	bio_put(bio);
}

static int meta_readpage(struct address_space *mapping, struct page *page)
{
	struct bio *bio = bio_alloc(0);

	(void)mapping;
	bio->op = BIO_READ;
	bio->sector = page->index * 8;
	bio->nr_pages = 1;
	bio->size = PAGE_SIZE;
	bio->pages[0] = page;
	bio->end_io = meta_read;
	submit_bio(bio);
	return 0;
}

static const struct address_space_operations meta_ops = { .readpage = meta_readpage };
static struct address_space first_meta, *meta = &first_meta;

void disk_insert(const void *image, u32 blocks)
{
	disk_idle();
	if (meta->ops)
		truncate_inode_pages(meta);
	host_free(disk.image);
	disk.blocks = blocks;
	disk.image = host_alloc((size_t)blocks * PAGE_SIZE);
	memcpy(disk.image, image, (size_t)blocks * PAGE_SIZE);
	if (!meta->ops)
		address_space_init(meta, NULL, &meta_ops);
	disk.bdev.mapping = meta;
	disk.bdev.nr_sectors = (u64)blocks * 8;
	strscpy(disk.bdev.name, "vda", sizeof(disk.bdev.name));
}

void disk_fresh(void)
{
	meta = host_alloc(sizeof(*meta));
	disk.nr_flight = 0;
	disk.image = NULL;
}

struct block_device *find_block_device(const char *name)
{
	(void)name;
	return &disk.bdev;
}

unsigned long meta_pages(void)
{
	return meta->nrpages;
}

void disk_forget(void)
{
	invalidate_mapping_pages(meta);
}

/* ---- pages ---------------------------------------------------------------------------- */

void lock_page(struct page *page)
{
	BUG_ON(PageLocked(page));
	SetPageLocked(page);
}

bool trylock_page(struct page *page)
{
	return !TestSetPageLocked(page);
}

void unlock_page(struct page *page)
{
	BUG_ON(!PageLocked(page));
	ClearPageLocked(page);
}

void wait_on_page_locked(struct page *page)
{
	BUG_ON(PageLocked(page));	/* reads end at once here */
}

void wait_on_page_writeback(struct page *page)
{
	while (PageWriteback(page)) {
		BUG_ON(!disk.nr_flight);
		complete(rnd(disk.nr_flight));
	}
}

void set_page_writeback(struct page *page)
{
	BUG_ON(!PageLocked(page) || PageWriteback(page));
	SetPageWriteback(page);
	radix_tag_set(&page->mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	untag_written(page->mapping, page);
	inc_vm_stat(NR_WRITEBACK);
}

void end_page_writeback(struct page *page)
{
	radix_tag_clear(&page->mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	ClearPageWriteback(page);
	dec_vm_stat(NR_WRITEBACK);
}

/* ---- mounting ------------------------------------------------------------------------- */

LIST_HEAD(super_blocks);
struct dentry *root_dentry;
static struct file_system_type *fs_type;
const struct file_operations blkdev_fops;

void register_filesystem(struct file_system_type *type)
{
	fs_type = type;
}

const struct file_operations *chrdev_fops(dev_t dev)
{
	(void)dev;
	return NULL;
}

struct address_space *shmem_create(size_t size)
{
	(void)size;
	return NULL;
}

struct dentry *follow_mounts(struct dentry *dentry)
{
	return dentry;
}

struct super_block *sb_alloc(const char *fstype, const struct super_operations *ops)
{
	struct super_block *sb = kzalloc(sizeof(*sb), 0);

	sb->fstype = fstype;
	sb->ops = ops;
	INIT_LIST_HEAD(&sb->inodes);
	INIT_LIST_HEAD(&sb->dirty);
	mutex_init(&sb->sync_mutex);
	list_add(&sb->node, &super_blocks);
	return sb;
}

void sb_free(struct super_block *sb)
{
	list_del(&sb->node);
	kfree(sb);
}

int mount(bool read_only)
{
	struct super_block *sb = fs_type->mount(fs_type, "vda", read_only);

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	root_dentry = sb->root;
	return 0;
}

/* False, and still mounted without a root, if some inode cannot go. */
bool try_umount(void)
{
	struct super_block *sb = root_dentry->sb;

	sync_all();
	dput(root_dentry);
	root_dentry = NULL;
	for (int i = 0; i < 20; i++) {
		dcache_shrink(100000);
		icache_shrink(100000);
	}
	if (!list_empty(&sb->inodes))
		return false;
	sb->ops->put_super(sb);
	sb_free(sb);
	disk_idle();
	return true;
}

void umount(void)
{
	BUG_ON(!try_umount());
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size);

	if (n == size)
		return -E2BIG;
	memcpy(dst, src, n + 1);
	return n;
}
