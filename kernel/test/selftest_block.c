/*
 * selftest=block: many requests at a time through the block layer, on each disk there is.
 *
 *	ram1 (`ramdisk=SIZE`), vdb	written all over with patterns and read back: scratch disks!
 *	vda, ram0			only read: twice, in requests of other sizes, same result
 *
 * And what must be refused, is.
 */
#include "test/selftest.h"
#include "block/block.h"
#include "arch/arch.h"
#include "lib/crc32.h"
#include "lib/errno.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "sched/timer.h"
#include "sched/wait.h"

#define IN_FLIGHT	64
#define MAX_BYTES	(32UL << 20)	/* of a disk, at most */

static atomic_t nr_in_flight, nr_errors;
static DEFINE_WAIT_QUEUE(window_wait);

/* What page @index of a disk holds in round @round. */
static void fill_pattern(u64 *words, u64 index, u64 round)
{
	struct prng rng;

	prng_seed(&rng, index << 8 ^ round);
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		words[i] = prng_next(&rng);
}

static bool is_pattern(const u64 *words, u64 index, u64 round)
{
	struct prng rng;

	prng_seed(&rng, index << 8 ^ round);
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		if (words[i] != prng_next(&rng))
			return false;
	return true;
}

static void free_bio_pages(struct bio *bio)
{
	for (unsigned int i = 0; i < bio->nr_pages; i++)
		__free_page(bio->pages[i]);
	bio_put(bio);
}

struct round {
	u64 seed;		/* of the pattern */
	u32 *sums;		/* else: checksums of pages, folded */
};

static void check_page(const struct round *round, u64 index, const void *data)
{
	if (round->sums)
		round->sums[index % (PAGE_SIZE / 4)] ^= crc32(0, data, PAGE_SIZE) + index;
	else if (!is_pattern(data, index, round->seed))
		atomic_inc(&nr_errors);
}

static void end_io(struct bio *bio)
{
	struct round *round = bio->private;
	u64 first = bio->sector >> (PAGE_SHIFT - SECTOR_SHIFT);

	if (bio->error)
		atomic_inc(&nr_errors);
	for (unsigned int i = 0; bio->op == BIO_READ && !bio->error && i < bio->nr_pages; i++)
		check_page(round, first + i, page_address(bio->pages[i]));
	free_bio_pages(bio);
	atomic_dec(&nr_in_flight);
	wake_up(&window_wait);
}

static void start_bio(struct block_device *bdev, enum bio_op op, u64 index, unsigned int pages,
		      struct round *round)
{
	struct bio *bio = bio_alloc(GFP_KERNEL);

	bio->bdev = bdev;
	bio->op = op;
	bio->sector = index << (PAGE_SHIFT - SECTOR_SHIFT);
	bio->nr_pages = pages;
	bio->size = pages * PAGE_SIZE;
	bio->end_io = end_io;
	bio->private = round;
	for (unsigned int i = 0; i < pages; i++) {
		bio->pages[i] = alloc_page(GFP_KERNEL);
		CHECK(bio->pages[i]);
		if (op == BIO_WRITE)
			fill_pattern(page_address(bio->pages[i]), index + i, round->seed);
	}
	wait_event(&window_wait, atomic_read(&nr_in_flight) < IN_FLIGHT);
	atomic_inc(&nr_in_flight);
	submit_bio(bio);
}

/* Reads or writes the disk from end to end in requests of up to @max_pages pages. */
static void run_round(struct block_device *bdev, enum bio_op op, unsigned int max_pages,
		      struct round *round)
{
	u64 pages = min(bdev->nr_sectors << SECTOR_SHIFT, MAX_BYTES) >> PAGE_SHIFT;
	u64 begin = arch_clock_ns(), kib = pages << (PAGE_SHIFT - 10);
	struct prng rng;

	prng_seed(&rng, round->seed);
	for (u64 at = 0; at < pages;) {
		unsigned int n = min(1 + prng_below(&rng, max_pages), pages - at);

		start_bio(bdev, op, at, n, round);
		at += n;
	}
	wait_event(&window_wait, atomic_read(&nr_in_flight) == 0);
	CHECK(atomic_read(&nr_errors) == 0);
	pr_info("selftest: %s: %s %lu KiB by up to %u pages in %lu ms\n", bdev->name,
		op == BIO_READ ? "read" : "wrote", kib, max_pages,
		(arch_clock_ns() - begin) / NSEC_PER_MSEC);
}

static void test_written(struct block_device *bdev)
{
	struct round round = { .seed = 1 };

	run_round(bdev, BIO_WRITE, 1, &round);
	run_round(bdev, BIO_READ, BIO_MAX_PAGES, &round);
	round.seed = 2;
	run_round(bdev, BIO_WRITE, BIO_MAX_PAGES, &round);
	run_round(bdev, BIO_READ, 3, &round);
	CHECK(block_flush(bdev) == 0);
}

static void test_read(struct block_device *bdev)
{
	struct round round = { .seed = 3 };
	u32 left = 0;

	round.sums = get_zeroed_page(GFP_KERNEL);
	CHECK(round.sums);
	run_round(bdev, BIO_READ, 1, &round);
	/* Folded by exclusive or: the second reading takes out what the first one put in. */
	round.seed = 4;
	run_round(bdev, BIO_READ, BIO_MAX_PAGES, &round);
	for (unsigned int i = 0; i < PAGE_SIZE / 4; i++)
		left |= round.sums[i];
	CHECK(left == 0);
	free_page(round.sums);
}

static int try_bio(struct block_device *bdev, enum bio_op op, u64 sector, unsigned int size)
{
	struct bio *bio = bio_alloc(GFP_KERNEL);
	int err;

	bio->bdev = bdev;
	bio->op = op;
	bio->sector = sector;
	bio->nr_pages = 1;
	bio->size = size;
	bio->pages[0] = alloc_page(GFP_KERNEL);
	CHECK(bio->pages[0]);
	err = bio_submit_wait(bio);
	free_bio_pages(bio);
	return err;
}

static void test_refusals(struct block_device *bdev)
{
	u64 end = bdev->nr_sectors;

	CHECK(try_bio(bdev, BIO_READ, end - 1, SECTOR_SIZE) == 0);
	CHECK(try_bio(bdev, BIO_READ, end - 1, 2 * SECTOR_SIZE) == -EIO);
	CHECK(try_bio(bdev, BIO_READ, end, SECTOR_SIZE) == -EIO);
	CHECK(try_bio(bdev, BIO_READ, ~0UL, SECTOR_SIZE) == -EIO);
	CHECK(try_bio(bdev, BIO_WRITE, end, SECTOR_SIZE) == -EIO);
	CHECK(try_bio(bdev, BIO_READ, 0, 0) == -EINVAL);
	CHECK(try_bio(bdev, BIO_READ, 0, 100) == -EINVAL);
	CHECK(try_bio(bdev, BIO_READ, 0, 2 * PAGE_SIZE) == -EINVAL);
	if (bdev->read_only)
		CHECK(try_bio(bdev, BIO_WRITE, 0, SECTOR_SIZE) == -EROFS);
}

void selftest_block(void)
{
	struct block_device *bdev = next_block_device(NULL);

	CHECK(bdev != NULL);
	for (; bdev; bdev = next_block_device(bdev)) {
		bool scratch = !strcmp(bdev->name, "ram1") || !strcmp(bdev->name, "vdb");

		test_refusals(bdev);
		if (scratch && !bdev->read_only)
			test_written(bdev);
		else
			test_read(bdev);
	}
}
