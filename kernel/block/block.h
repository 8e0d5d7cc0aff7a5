/*
 * The block layer: a device that reads and writes whole 512-byte sectors asynchronously. A bio is one
 * request for contiguous sectors, over up to BIO_MAX_PAGES pages.
 */
#pragma once

#include "lib/list.h"
#include "base/spinlock.h"
#include "mm/phys/page.h"

#define SECTOR_SHIFT	9
#define BIO_MAX_PAGES	32

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH };

struct bio {
	struct block_device *bdev;
	enum bio_op op;
	u64 sector;			/* first sector */
	unsigned int nr_pages;
	unsigned int size;		/* bytes; pages are filled in order from their start */
	struct page *pages[BIO_MAX_PAGES];
	int error;			/* 0 or -EIO …, valid in end_io */
	void (*end_io)(struct bio *bio);	/* any context, also interrupts: may free the bio, not sleep */
	void *private;
	struct list_head node;		/* driver's queue */
};

struct address_space;

struct block_device {
	char name[16];			/* "vda", "ram0" */
	dev_t dev;
	u64 nr_sectors;
	bool read_only;
	/* Starts the request; it ends in bio->end_io, perhaps before this returns. May sleep (queue full). */
	void (*submit)(struct block_device *bdev, struct bio *bio);
	struct list_head node;
	struct address_space *mapping;	/* page cache of the raw device: block n of 4 KiB = page n */
	void *private;
};

int register_block_device(struct block_device *bdev);
struct block_device *find_block_device(const char *name);	/* "vda" or "/dev/vda"; NULL */
struct block_device *find_block_device_dev(dev_t dev);
/* Any request beyond the device's end or to a read-only device ends with an error, never reaches it. */
void submit_bio(struct bio *bio);
struct bio *bio_alloc(gfp_t gfp);	/* with __GFP_DIRECT_RECLAIM never NULL: from a reserve */
void bio_put(struct bio *bio);
int bio_submit_wait(struct bio *bio);	/* 0 or -errno; sleeps */
int block_flush(struct block_device *bdev);	/* the device's write cache to the medium; sleeps */
void ramdisk_init(void);		/* initrd image as ram0, `ramdisk=SIZE` as an empty ram1 */
