/*
 * Swap areas: finding one that mkswap(8) made, giving it to the swap map, and emptying it again.
 *
 * The first page of an area is its header: at byte 1024 version, last page and number of bad pages, then
 * the bad pages' numbers; "SWAPSPACE2" in its last ten bytes.
 */
#include "mm/cache/swap.h"
#include "base/printk.h"
#include "block/block.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/vm/vmalloc.h"

#define HEADER_INFO	1024
#define SIGNATURE	"SWAPSPACE2"
#define SIGNATURE_LEN	10

struct swap_header {		/* at HEADER_INFO */
	u32 version;
	u32 last_page;
	u32 nr_badpages;
	u8 uuid[16];
	char volume[16];
	u32 padding[117];
	u32 badpages[];
};

#define MAX_BADPAGES	((PAGE_SIZE - HEADER_INFO - sizeof(struct swap_header) - SIGNATURE_LEN) / 4)

struct block_device *swap_bdev(unsigned int type)
{
	return swap_areas[type].private;
}

int swap_type_of(const struct block_device *bdev)
{
	for (unsigned int i = 0; i < MAX_SWAPFILES; i++)
		if (swap_areas[i].active && swap_areas[i].private == bdev)
			return i;
	return -EINVAL;
}

/* The header's page, read from the device itself: the page cache's copy may be older. */
static struct page *read_header(struct block_device *bdev, int *err)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct bio *bio;

	*err = -ENOMEM;
	if (!page)
		return NULL;
	bio = bio_alloc(GFP_NOIO);
	bio->bdev = bdev;
	bio->op = BIO_READ;
	bio->nr_pages = 1;
	bio->pages[0] = page;
	bio->size = PAGE_SIZE;
	*err = bdev->nr_sectors << SECTOR_SHIFT < 2 * PAGE_SIZE ? -EINVAL : bio_submit_wait(bio);
	bio_put(bio);
	if (!*err)
		return page;
	__free_page(page);
	return NULL;
}

static int check_header(const struct page *page, const struct block_device *bdev)
{
	const char *text = page_address(page);
	const struct swap_header *header = (const void *)(text + HEADER_INFO);

	if (memcmp(text + PAGE_SIZE - SIGNATURE_LEN, SIGNATURE, SIGNATURE_LEN))
		return -EINVAL;
	if (header->version != 1 || header->last_page < 1 || header->nr_badpages > MAX_BADPAGES ||
	    header->last_page >= bdev->nr_sectors >> (PAGE_SHIFT - SECTOR_SHIFT))
		return -EINVAL;
	for (u32 i = 0; i < header->nr_badpages; i++)
		if (!header->badpages[i] || header->badpages[i] > header->last_page)
			return -EINVAL;
	return 0;
}

static void free_maps(const struct swap_area *area)
{
	vfree(area->map);
	vfree(area->retire);
}

static int make_maps(struct swap_area *area, const struct swap_header *header)
{
	area->max = header->last_page + 1;
	area->pages = header->last_page;
	area->map = vmalloc(area->max * sizeof(*area->map), GFP_KERNEL | __GFP_ZERO);
	area->retire = vmalloc(DIV_ROUND_UP(area->max, 8), GFP_KERNEL | __GFP_ZERO);
	if (!area->map || !area->retire) {
		free_maps(area);
		return -ENOMEM;
	}
	area->map[0] = SWAP_MAP_BAD;
	for (u32 i = 0; i < header->nr_badpages; i++) {
		if (area->map[header->badpages[i]] != SWAP_MAP_BAD)
			area->pages--;
		area->map[header->badpages[i]] = SWAP_MAP_BAD;
	}
	return 0;
}

int swap_on(struct block_device *bdev, const char *name, int prio)
{
	struct swap_area area = { .prio = prio, .private = bdev };
	struct page *page;
	int err;

	if (swap_type_of(bdev) >= 0)
		return -EBUSY;
	if (bdev->read_only)
		return -EROFS;
	page = read_header(bdev, &err);
	if (!page)
		return err;
	err = check_header(page, bdev);
	if (!err)
		err = make_maps(&area, (void *)((char *)page_address(page) + HEADER_INFO));
	__free_page(page);
	if (err)
		return err;
	strscpy(area.name, name, sizeof(area.name));
	err = swap_area_add(&area);
	if (err < 0) {
		free_maps(&area);
		return err;
	}
	pr_info("Adding %luk swap on %s. Priority:%d\n", area.pages * (PAGE_SIZE / 1024), name,
		swap_areas[err].prio);
	return 0;
}

int swap_off_end(unsigned int type)
{
	struct swap_area old = swap_areas[type];
	int err;

	swap_cache_purge(type);
	err = swap_area_del(type);
	if (!err)
		free_maps(&old);
	return err;
}
