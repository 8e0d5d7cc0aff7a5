/*
 * The block layer: a device that reads and writes whole 512-byte sectors asynchronously. A bio is
 * one request for contiguous sectors, over up to BIO_MAX_PAGES pages.
 */
#pragma once

#include "lib/list.h"
#include "base/spinlock.h"
#include "mm/phys/page.h"

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	(1U << SECTOR_SHIFT)
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
	/* Any context, also interrupts: may free the bio, not sleep. */
	void (*end_io)(struct bio *bio);
	void *private;
	struct list_head node;		/* driver's queue */
};

struct address_space;

struct block_device {
	char name[16];			/* "vda", "ram0" */
	dev_t dev;
	u64 nr_sectors;
	bool read_only;
	/* Starts the request, which is valid; it ends in bio->end_io, perhaps before this returns.
	 * May sleep (queue full). */
	void (*submit)(struct block_device *bdev, struct bio *bio);
	struct list_head node;
	struct address_space *mapping;	/* page cache of the raw device: 4 KiB block n = page n */
	void *private;
};

/* Device numbers, as Linux gives them: vdb is 254:16. */
#define RAMDISK_MAJOR	1
#define VIRTBLK_MAJOR	254
#define BLOCK_DEV(major, minor)	((dev_t)((major) << 8 | (minor)))

/* Makes the device known; name, dev, nr_sectors and submit are set. It stays for good. 0, -EEXIST
 * for a name or number that is taken, -ENOMEM. May sleep. */
int register_block_device(struct block_device *bdev);
struct block_device *find_block_device(const char *name);	/* "vda" or "/dev/vda"; NULL */
struct block_device *find_block_device_dev(dev_t dev);
/* The device after @bdev in order of registration; NULL: the first, and after the last. Any
 * context. */
struct block_device *next_block_device(struct block_device *bdev);

/* Any request beyond the device's end or to a read-only device ends with an error, never reaches
 * it. May sleep. */
void submit_bio(struct bio *bio);
/* A zeroed bio; with __GFP_DIRECT_RECLAIM never NULL: from a reserve, for whose return it sleeps.
 * So whoever waits for a second bio must have submitted the first. */
struct bio *bio_alloc(gfp_t gfp);
void bio_put(struct bio *bio);		/* gives it back. Any context */
/* Submits and waits; end_io and private are used for that. 0 or -errno; sleeps. */
int bio_submit_wait(struct bio *bio);
/* What the device has acknowledged so far goes from its write cache to the medium. 0 or -errno;
 * sleeps. */
int block_flush(struct block_device *bdev);
/* For drivers: the request is over. Any context. */
void bio_end(struct bio *bio, int error);

/* Gives a new device its mapping: registered by mm/cache. 0 or -errno. */
extern int (*block_mapping_hook)(struct block_device *bdev);
