/*
 * The page cache of a raw block device: page n holds the device's bytes from n * 4096. Filesystems
 * keep their metadata here, and so does whoever opens /dev/vda, so both see the same bytes.
 *
 * Each page is read and written by a bio of its own, without waiting. The last page of a device
 * that does not end at a page's end has zeros behind the end, which are never written.
 */
#include "mm/cache/pagecache.h"
#include "base/initcall.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache/writeback.h"
#include "mm/slab/slab.h"

struct bdev_mapping {
	struct address_space mapping;
	struct block_device *bdev;
};

static struct block_device *to_bdev(struct address_space *mapping)
{
	return container_of(mapping, struct bdev_mapping, mapping)->bdev;
}

static loff_t bdev_size(struct address_space *mapping)
{
	return to_bdev(mapping)->nr_sectors << SECTOR_SHIFT;
}

/* A bio for all of the page that the device has; NULL if that is nothing. Never for want of memory.
 * */
static struct bio *page_bio(struct address_space *mapping, struct page *page, enum bio_op op)
{
	loff_t pos = (loff_t)page->index << PAGE_SHIFT, size = bdev_size(mapping);
	struct bio *bio;

	if (page->index > (pgoff_t)size >> PAGE_SHIFT || pos >= size)
		return NULL;
	bio = bio_alloc(GFP_NOIO);
	bio->bdev = to_bdev(mapping);
	bio->op = op;
	bio->sector = pos >> SECTOR_SHIFT;
	bio->nr_pages = 1;
	bio->pages[0] = page;
	bio->size = min(size - pos, (loff_t)PAGE_SIZE);
	bio->private = page;
	return bio;
}

static void zero_tail(struct page *page, unsigned int from)
{
	memset((char *)page_address(page) + from, 0, PAGE_SIZE - from);
}

static void page_was_read(struct page *page, int error, unsigned int size)
{
	if (error) {
		SetPageError(page);
		return;
	}
	if (size < PAGE_SIZE)
		zero_tail(page, size);
	ClearPageError(page);
	SetPageUptodate(page);
}

static void end_read(struct bio *bio)
{
	struct page *page = bio->private;

	page_was_read(page, bio->error, bio->size);
	unlock_page(page);
	bio_put(bio);
}

static int bdev_readpage(struct address_space *mapping, struct page *page)
{
	struct bio *bio = page_bio(mapping, page, BIO_READ);

	if (!bio) {
		unlock_page(page);
		return -EIO;
	}
	bio->end_io = end_read;
	submit_bio(bio);
	return 0;
}

/* The contents stay in the page, clean: fsync reports the loss, once, as for any file. */
static void end_write(struct bio *bio)
{
	struct page *page = bio->private;

	if (bio->error) {
		SetPageError(page);
		mapping_set_error(page->mapping, bio->error);
	}
	end_page_writeback(page);
	bio_put(bio);
}

static int bdev_writepage(struct address_space *mapping, struct page *page,
			  struct writeback_control *wbc)
{
	struct bio *bio = page_bio(mapping, page, BIO_WRITE);

	(void)wbc;
	if (!bio) {
		unlock_page(page);
		return -EIO;
	}
	bio->end_io = end_write;
	set_page_writeback(page);
	unlock_page(page);
	submit_bio(bio);
	return 0;
}

static int bdev_write_begin(struct address_space *mapping, struct page *page, unsigned int from,
			    unsigned int len)
{
	struct bio *bio;
	int err;

	if (PageUptodate(page) || (from == 0 && len == PAGE_SIZE))
		return 0;
	bio = page_bio(mapping, page, BIO_READ);
	if (!bio)
		return -ENOSPC;
	err = bio_submit_wait(bio);
	page_was_read(page, err, bio->size);
	bio_put(bio);
	return err;
}

static int bdev_page_mkwrite(struct address_space *mapping, struct page *page)
{
	(void)page;
	return to_bdev(mapping)->read_only ? -EROFS : 0;
}

static int bdev_name(struct address_space *mapping, char *buf, size_t size)
{
	return scnprintf(buf, size, "/dev/%s", to_bdev(mapping)->name);
}

static int bdev_sync_range(struct address_space *mapping, loff_t start, loff_t end)
{
	int err = filemap_fdatawrite_range(mapping, start, end);
	int wait_err = filemap_fdatawait_range(mapping, start, end);

	if (!err)
		err = wait_err;
	return err ? err : block_flush(to_bdev(mapping));
}

/* The device is there for good, so a vma need not hold it. */
static void bdev_get(struct address_space *mapping)
{
	(void)mapping;
}

static const struct address_space_operations bdev_ops = {
	.readpage = bdev_readpage,
	.writepage = bdev_writepage,
	.write_begin = bdev_write_begin,
	.page_mkwrite = bdev_page_mkwrite,
	.get = bdev_get,
	.put = bdev_get,
	.name = bdev_name,
	.sync_range = bdev_sync_range,
};

static int bdev_create_mapping(struct block_device *bdev)
{
	struct bdev_mapping *new = kzalloc(sizeof(*new), GFP_KERNEL);

	if (!new)
		return -ENOMEM;
	address_space_init(&new->mapping, NULL, &bdev_ops);
	new->mapping.size = bdev_size;
	new->bdev = bdev;
	bdev->mapping = &new->mapping;
	return 0;
}

static int bdev_mapping_init(void)
{
	block_mapping_hook = bdev_create_mapping;
	return 0;
}
core_initcall(bdev_mapping_init);
