/*
 * RAM disks: the initrd image where the firmware put it (ram0), and an empty disk of `ramdisk=SIZE`
 * bytes in pages of its own (ram1). Requests are copied on the spot.
 */
#include "block/block.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/printk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/vm/vmalloc.h"

struct ramdisk {
	struct block_device bdev;
	char *image;			/* contiguous contents, or NULL: in pages */
	struct page **pages;
};

/* Where byte @pos lies, and in *@n how much of @n bytes lies there in one piece. */
static char *ramdisk_at(struct ramdisk *disk, u64 pos, size_t *n)
{
	size_t offset = pos % PAGE_SIZE;

	if (disk->image)
		return disk->image + pos;
	*n = min(*n, PAGE_SIZE - offset);
	return (char *)page_address(disk->pages[pos / PAGE_SIZE]) + offset;
}

/* Copies up to a page between @buf and the disk at byte @pos. */
static void ramdisk_copy(struct ramdisk *disk, bool write, u64 pos, char *buf, size_t len)
{
	while (len) {
		size_t n = len;
		char *at = ramdisk_at(disk, pos, &n);

		if (write)
			memcpy(at, buf, n);
		else
			memcpy(buf, at, n);
		pos += n;
		buf += n;
		len -= n;
	}
}

static void ramdisk_submit(struct block_device *bdev, struct bio *bio)
{
	struct ramdisk *disk = container_of(bdev, struct ramdisk, bdev);
	u64 pos = bio->sector << SECTOR_SHIFT;

	for (size_t done = 0; done < bio->size; done += PAGE_SIZE)
		ramdisk_copy(disk, bio->op == BIO_WRITE, pos + done,
			     page_address(bio->pages[done / PAGE_SIZE]),
			     min((size_t)bio->size - done, (size_t)PAGE_SIZE));
	bio_end(bio, 0);
}

static int ramdisk_register(struct ramdisk *disk, unsigned int minor, u64 bytes, const char *what)
{
	struct block_device *bdev = &disk->bdev;
	int err;

	strscpy(bdev->name, minor ? "ram1" : "ram0", sizeof(bdev->name));
	bdev->dev = BLOCK_DEV(RAMDISK_MAJOR, minor);
	bdev->nr_sectors = bytes >> SECTOR_SHIFT;
	bdev->submit = ramdisk_submit;
	err = register_block_device(bdev);
	if (!err)
		pr_info("%s: %lu KiB, %s\n", bdev->name, bytes >> 10, what);
	return err;
}

static void free_disk_pages(struct page **pages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__free_page(pages[i]);
	vfree(pages);
}

/* @n zeroed pages, or NULL. A disk that would take most of the memory is refused at once. */
static struct page **alloc_disk_pages(size_t n)
{
	struct page **pages = NULL;

	if (n < nr_free_pages() / 4 * 3)
		pages = vmalloc(n * sizeof(*pages), GFP_KERNEL);
	for (size_t i = 0; pages && i < n; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN);
		if (!pages[i]) {
			free_disk_pages(pages, i);
			pages = NULL;
		}
	}
	return pages;
}

static int ramdisk_empty(u64 bytes)
{
	static struct ramdisk disk;
	size_t n = bytes >> PAGE_SHIFT;
	int err;

	disk.pages = n ? alloc_disk_pages(n) : NULL;
	if (!disk.pages) {
		pr_err("ramdisk=: no memory for a disk of %lu KiB\n", bytes >> 10);
		return n ? -ENOMEM : -EINVAL;
	}
	err = ramdisk_register(&disk, 1, (u64)n << PAGE_SHIFT, "empty");
	if (err)
		free_disk_pages(disk.pages, n);
	return err;
}

static int ramdisk_init(void)
{
	static struct ramdisk initrd;
	long size = cmdline_long("ramdisk", 0);
	int err = 0;

	if (initrd_size >= SECTOR_SIZE) {
		initrd.image = __va(initrd_start);
		err = ramdisk_register(&initrd, 0, initrd_size, "the initrd image");
	}
	if (size)
		err = ramdisk_empty(size > 0 ? size : 0) ?: err;
	return err;
}
driver_initcall(ramdisk_init);
