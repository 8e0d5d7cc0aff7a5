/*
 * The registry of block devices, and the way of a request to its driver.
 *
 * A page is written in order to free memory, so the memory for the request may be all that stands
 * between a full machine and a free page. Hence the reserve: when the allocator has nothing,
 * bio_alloc() takes one of BIO_RESERVE bios that were set aside, and waits for one to come back
 * when they are all out. One will, since a submitted request needs no more memory to finish.
 */
#include "block/block.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "sched/wait.h"

#define BIO_RESERVE	16

static LIST_HEAD(block_devices);
static DEFINE_SPINLOCK(block_devices_lock);	/* entries never leave */
int (*block_mapping_hook)(struct block_device *bdev);

static struct kmem_cache *bio_cache;
static LIST_HEAD(reserve);
static unsigned int nr_reserve;
static DEFINE_SPINLOCK(reserve_lock);		/* irq-safe, both above */
static DEFINE_WAIT_QUEUE(reserve_wait);

/* ---- devices -------------------------------------------------------------------------- */

struct block_device *next_block_device(struct block_device *bdev)
{
	struct list_head *at = bdev ? &bdev->node : &block_devices;

	spin_lock(&block_devices_lock);
	at = at->next;
	spin_unlock(&block_devices_lock);
	return at == &block_devices ? NULL : list_entry(at, struct block_device, node);
}

struct block_device *find_block_device(const char *name)
{
	struct block_device *bdev = NULL;

	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	while ((bdev = next_block_device(bdev)))
		if (strcmp(bdev->name, name) == 0)
			return bdev;
	return NULL;
}

struct block_device *find_block_device_dev(dev_t dev)
{
	struct block_device *bdev = NULL;

	while ((bdev = next_block_device(bdev)))
		if (bdev->dev == dev)
			return bdev;
	return NULL;
}

/* Called from initcalls only, so one at a time. */
int register_block_device(struct block_device *bdev)
{
	int err;

	if (find_block_device(bdev->name) || find_block_device_dev(bdev->dev))
		return -EEXIST;
	err = block_mapping_hook ? block_mapping_hook(bdev) : 0;
	if (err)
		return err;
	spin_lock(&block_devices_lock);
	list_add_tail(&bdev->node, &block_devices);
	spin_unlock(&block_devices_lock);
	return 0;
}

/* ---- bios ----------------------------------------------------------------------------- */

static struct bio *reserve_get(void)
{
	struct bio *bio;
	unsigned long flags;

	spin_lock_irqsave(&reserve_lock, flags);
	bio = list_first_entry_or_null(&reserve, struct bio, node);
	if (bio) {
		list_del(&bio->node);
		nr_reserve--;
	}
	spin_unlock_irqrestore(&reserve_lock, flags);
	return bio;
}

/* True if the reserve had room for it. */
static bool reserve_put(struct bio *bio)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&reserve_lock, flags);
	room = nr_reserve < BIO_RESERVE;
	if (room) {
		list_add(&bio->node, &reserve);
		nr_reserve++;
	}
	spin_unlock_irqrestore(&reserve_lock, flags);
	return room;
}

struct bio *bio_alloc(gfp_t gfp)
{
	/* Reclaim comes to us for bios: the allocator must not go there for ours. */
	gfp_t quick = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOMEMALLOC | __GFP_NOWARN;
	struct bio *bio = kmem_cache_alloc(bio_cache, quick);

	if (!bio)
		bio = reserve_get();
	if (!bio && (gfp & __GFP_DIRECT_RECLAIM))
		wait_event_exclusive(&reserve_wait, (bio = reserve_get()));
	if (bio)
		memset(bio, 0, sizeof(*bio));
	return bio;
}

void bio_put(struct bio *bio)
{
	if (reserve_put(bio))
		wake_up(&reserve_wait);
	else
		kmem_cache_free(bio_cache, bio);
}

static int bio_init_cache(void)
{
	bio_cache = KMEM_CACHE(bio, SLAB_PANIC);
	for (int i = 0; i < BIO_RESERVE; i++) {
		struct bio *bio = kmem_cache_alloc(bio_cache, GFP_KERNEL);

		if (!bio)
			return -ENOMEM;
		reserve_put(bio);
	}
	return 0;
}
core_initcall(bio_init_cache);

void bio_end(struct bio *bio, int error)
{
	bio->error = error;
	bio->end_io(bio);
}

/* 0, or why the request cannot be passed on. */
static int bio_check(const struct bio *bio)
{
	const struct block_device *bdev = bio->bdev;
	u64 sectors = bio->size >> SECTOR_SHIFT;

	if (bio->op == BIO_FLUSH)
		return bio->size ? -EINVAL : 0;
	if (!bio->size || bio->size % SECTOR_SIZE || bio->nr_pages > BIO_MAX_PAGES ||
	    bio->size > bio->nr_pages * PAGE_SIZE)
		return -EINVAL;
	if (sectors > bdev->nr_sectors || bio->sector > bdev->nr_sectors - sectors)
		return -EIO;
	return bio->op == BIO_WRITE && bdev->read_only ? -EROFS : 0;
}

void submit_bio(struct bio *bio)
{
	int err = bio_check(bio);

	if (err)
		bio_end(bio, err);
	else
		bio->bdev->submit(bio->bdev, bio);
}

/* ---- waiting for one ------------------------------------------------------------------ */

/* One queue for all, and static: a queue on the waiter's stack could be gone while it is being
 * woken. */
static DEFINE_WAIT_QUEUE(bio_wait);

static void end_wait(struct bio *bio)
{
	smp_store_release((bool *)bio->private, true);
	wake_up_all(&bio_wait);
}

int bio_submit_wait(struct bio *bio)
{
	bool done = false;

	bio->end_io = end_wait;
	bio->private = &done;
	submit_bio(bio);
	wait_event(&bio_wait, smp_load_acquire(&done));
	return bio->error;
}

int block_flush(struct block_device *bdev)
{
	struct bio bio = { .bdev = bdev, .op = BIO_FLUSH };

	return bio_submit_wait(&bio);
}
