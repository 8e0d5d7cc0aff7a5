/*
 * Virtio disks (Virtual I/O Device 1.2, section 5.2): vda, vdb, …
 *
 * A bio becomes a chain of descriptors: a header that says what and where, one for each page, and a
 * byte for the device's verdict. Many are in flight at a time. When descriptors run short, or the
 * device takes fewer pieces than the bio has pages, the bio goes in parts, one after the other: the
 * end of a part has just freed the descriptors that the next one needs. Bios for which there is no
 * room at all wait in a list, so submit never sleeps.
 *
 * The watchdog. A device that stops answering must not stop us for good. While anything is in
 * flight a timer looks every few seconds whether something was finished lately. If not for 30
 * seconds, a worker waits another second (in case time passed only in our clock: a stopped or an
 * instruction-counting machine), looks into the ring itself (in case an interrupt was lost), then
 * gives the disk up: all requests end in -EIO. The device may still come back and write to the
 * pages it was given, and a reset to prevent it would not help: QEMU completes a reset only when
 * all requests are done, and stops the machine for so long. So these pages are never freed.
 *
 * Locks: vb->lock (irq-safe) for everything in struct virtio_blk; bios end outside of it.
 */
#include "base/irq.h"
#include "base/printk.h"
#include "block/block.h"
#include "drivers/virtio.h"
#include "lib/bitops.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "mm/phys/page_alloc.h"
#include "mm/slab/slab.h"
#include "sched/timer.h"
#include "task/kthread.h"

#define BLK_F_SEG_MAX		2
#define BLK_F_RO		5
#define BLK_F_BLK_SIZE		6
#define BLK_F_FLUSH		9

#define BLK_CONFIG_CAPACITY	0	/* sectors of 512 bytes, u64 */
#define BLK_CONFIG_SEG_MAX	12
#define BLK_CONFIG_BLK_SIZE	20

#define BLK_T_IN		0
#define BLK_T_OUT		1
#define BLK_T_FLUSH		4

#define BLK_S_OK		0
#define BLK_S_NONE		0xff	/* ours: the device has not said anything */

#define MAX_DISKS		16	/* 16 minor numbers each */
#define MIN_DESC		3	/* header, a page, status */
#define WATCH_NS		(5 * NSEC_PER_SEC)
#define PATIENCE_NS		(30 * NSEC_PER_SEC)
#define MAX_COMPLAINTS		10

struct blk_header {
	u32 type;
	u32 reserved;
	u64 sector;
};

struct request {
	struct bio *bio;		/* NULL: not in flight */
	u32 done;			/* bytes of the bio before this part */
	u32 len;			/* of this part; 0: a flush */
};

struct virtio_blk {
	struct block_device bdev;
	struct virtio_device *vdev;
	struct virtqueue *vq;
	spinlock_t lock;
	struct list_head waiting;	/* bios for which there was no room */
	unsigned int max_segments;
	unsigned int nr_busy;		/* requests in flight */
	unsigned int complaints;
	bool dead;
	bool watched;			/* the timer runs, or the worker will */
	u64 progress_ns;		/* when something was finished, or started after a pause */
	struct timer timer;
	struct work check;
	struct request *requests;	/* these three by head */
	struct blk_header *headers;
	u8 status[VIRTQUEUE_MAX];
};
BUILD_BUG_ON(VIRTQUEUE_MAX * sizeof(struct blk_header) > PAGE_SIZE);
BUILD_BUG_ON(VIRTQUEUE_MAX * sizeof(struct request) > PAGE_SIZE);

static unsigned int nr_disks;

/* ---- requests: lock held -------------------------------------------------------------- */

/* Starts as much of @bio from byte @done on as there is room for: at least a page, for MIN_DESC
 * descriptors are free. */
static void start_part(struct virtio_blk *vb, struct bio *bio, u32 done)
{
	static const u32 types[] = { BLK_T_IN, BLK_T_OUT, BLK_T_FLUSH };
	unsigned int head = virtqueue_next_head(vb->vq), n = 1, i;
	unsigned int room = min(virtqueue_nr_free(vb->vq) - 2, vb->max_segments);
	struct virtq_buffer buffers[BIO_MAX_PAGES + 2];
	u32 at = done;

	vb->headers[head] = (struct blk_header){
		.type = types[bio->op],
		.sector = bio->op == BIO_FLUSH ? 0 : bio->sector + (done >> SECTOR_SHIFT),
	};
	buffers[0] = (struct virtq_buffer){ __pa(&vb->headers[head]), sizeof(vb->headers[0]),
					    false };
	for (i = done >> PAGE_SHIFT; at < bio->size && n <= room; i++) {
		u32 len = min(bio->size - at, (u32)PAGE_SIZE);

		buffers[n++] = (struct virtq_buffer){ page_to_phys(bio->pages[i]), len,
						      bio->op == BIO_READ };
		at += len;
	}
	vb->status[head] = BLK_S_NONE;
	buffers[n++] = (struct virtq_buffer){ __pa(&vb->status[head]), 1, true };
	vb->requests[head] = (struct request){ bio, done, at - done };
	if (vb->nr_busy++ == 0)
		vb->progress_ns = arch_clock_ns();
	virtqueue_add(vb->vq, buffers, n);
}

/* Starts waiting bios while there is room; true if it started any. */
static bool start_waiting(struct virtio_blk *vb)
{
	bool started = false;

	while (!vb->dead && !list_empty(&vb->waiting) && virtqueue_nr_free(vb->vq) >= MIN_DESC) {
		struct bio *bio = list_first_entry(&vb->waiting, struct bio, node);

		list_del(&bio->node);
		start_part(vb, bio, 0);
		started = true;
	}
	return started;
}

static void complain(struct virtio_blk *vb, const struct request *req, unsigned int status, u32 len)
{
	static const char *const names[] = { "read", "write", "flush" };

	if (vb->complaints++ < MAX_COMPLAINTS)
		pr_err("%s: %s of %u bytes at sector %lu fails: status %u, %u bytes\n",
		       vb->bdev.name, names[req->bio->op], req->len,
		       req->bio->sector + (req->done >> SECTOR_SHIFT), status, len);
}

/* The device is done with request @head, and claims to have written @len bytes (the status is one
 * of them). The bio if that was its end, else the next part was started. */
static struct bio *end_part(struct virtio_blk *vb, unsigned int head, u32 len)
{
	struct request *req = &vb->requests[head];
	unsigned int status = READ_ONCE(vb->status[head]);
	struct bio *bio = req->bio;
	u32 done = req->done + req->len;

	vb->nr_busy--;
	/* A read that did not fill its pages would pass on what was in them before. */
	bio->error = 0;
	if (status != BLK_S_OK || (bio->op == BIO_READ && len < req->len + 1)) {
		bio->error = -EIO;
		complain(vb, req, status, len);
	}
	req->bio = NULL;
	if (bio->error || done >= bio->size)
		return bio;
	start_part(vb, bio, done);
	return NULL;
}

/* ---- from outside --------------------------------------------------------------------- */

static void end_bios(struct list_head *bios)
{
	struct bio *bio, *next;

	list_for_each_entry_safe(bio, next, bios, node)
		bio->end_io(bio);
}

/* Ends what the device is done with, starts what waited for room. The number of requests ended. */
static unsigned int reap(struct virtio_blk *vb)
{
	unsigned int head, n = 0;
	bool started = false;
	unsigned long flags;
	LIST_HEAD(ended);
	u32 len;

	spin_lock_irqsave(&vb->lock, flags);
	while (!vb->dead && virtqueue_get_used(vb->vq, &head, &len)) {
		struct bio *bio = end_part(vb, head, len);

		if (bio)
			list_add_tail(&bio->node, &ended);
		else
			started = true;
		n++;
	}
	if (n)
		vb->progress_ns = arch_clock_ns();
	if (start_waiting(vb) || started)
		virtqueue_kick(vb->vq);
	spin_unlock_irqrestore(&vb->lock, flags);
	end_bios(&ended);
	return n;
}

static void virtio_blk_used(struct virtio_device *vdev)
{
	reap(vdev->private);
}

static void virtio_blk_submit(struct block_device *bdev, struct bio *bio)
{
	struct virtio_blk *vb = bdev->private;
	bool dead, watch = false;
	unsigned long flags;

	if (bio->op == BIO_FLUSH && !virtio_has(vb->vdev, BLK_F_FLUSH)) {
		bio_end(bio, 0);	/* it has no write cache */
		return;
	}
	spin_lock_irqsave(&vb->lock, flags);
	dead = vb->dead;
	if (!dead) {
		list_add_tail(&bio->node, &vb->waiting);
		if (start_waiting(vb))
			virtqueue_kick(vb->vq);
		watch = !vb->watched;
		vb->watched = true;
	}
	spin_unlock_irqrestore(&vb->lock, flags);
	if (dead)
		bio_end(bio, -EIO);
	else if (watch)
		timer_start(&vb->timer, arch_clock_ns() + WATCH_NS);
}

static void virtio_blk_config_changed(struct virtio_device *vdev)
{
	struct virtio_blk *vb = vdev->private;
	u64 sectors = virtio_config64(vdev, BLK_CONFIG_CAPACITY);

	if (sectors != vb->bdev.nr_sectors)
		pr_info("%s: now has %lu sectors\n", vb->bdev.name, sectors);
	vb->bdev.nr_sectors = sectors;
}

/* ---- the watchdog --------------------------------------------------------------------- */

static void watch(struct timer *timer)
{
	struct virtio_blk *vb = container_of(timer, struct virtio_blk, timer);
	u64 now = arch_clock_ns();
	bool overdue = false;

	spin_lock(&vb->lock);
	if (!vb->nr_busy || vb->dead)
		vb->watched = false;
	else
		overdue = now - vb->progress_ns > PATIENCE_NS;
	if (vb->watched && !overdue)
		now += WATCH_NS;
	else
		now = 0;
	spin_unlock(&vb->lock);
	if (now)
		timer_start(timer, now);
	else if (overdue)
		schedule_work(&vb->check);
}

/* The device keeps the pages of this request. */
static void abandon_pages(const struct request *req)
{
	for (unsigned int at = 0; at < req->len; at += PAGE_SIZE)
		get_page(req->bio->pages[(req->done + at) >> PAGE_SHIFT]);
}

/* Ends all requests, with an error. */
static void give_up(struct virtio_blk *vb)
{
	unsigned long flags;
	LIST_HEAD(ended);

	spin_lock_irqsave(&vb->lock, flags);
	pr_err("%s: no answer for %lu seconds; %u requests fail, the disk is given up\n",
	       vb->bdev.name, PATIENCE_NS / NSEC_PER_SEC, vb->nr_busy);
	vb->dead = true;		/* nothing is started from here on */
	vb->watched = false;
	vb->nr_busy = 0;
	for (unsigned int i = 0; i < VIRTQUEUE_MAX; i++) {
		struct request *req = &vb->requests[i];

		if (!req->bio)
			continue;
		abandon_pages(req);
		list_add_tail(&req->bio->node, &ended);
		req->bio = NULL;
	}
	list_splice_tail_init(&vb->waiting, &ended);
	spin_unlock_irqrestore(&vb->lock, flags);
	for (struct list_head *at = ended.next; at != &ended; at = at->next)
		list_entry(at, struct bio, node)->error = -EIO;
	end_bios(&ended);
}

static void check_device(struct work *work)
{
	struct virtio_blk *vb = container_of(work, struct virtio_blk, check);
	u64 seen = READ_ONCE(vb->progress_ns), deadline = arch_clock_ns() + NSEC_PER_SEC;

	/* Not asleep: sleeping may take no time at all where time is counted in instructions. */
	while (READ_ONCE(vb->progress_ns) == seen && arch_clock_ns() < deadline)
		sched_yield();
	if (READ_ONCE(vb->progress_ns) == seen && !reap(vb)) {
		give_up(vb);
		return;
	}
	timer_start(&vb->timer, arch_clock_ns() + WATCH_NS);
}

/* ---- probing -------------------------------------------------------------------------- */

/* Reads what the device says of itself; 0 or -EINVAL. */
static int read_config(struct virtio_blk *vb)
{
	struct virtio_device *vdev = vb->vdev;
	u32 block = SECTOR_SIZE;

	vb->bdev.nr_sectors = virtio_config64(vdev, BLK_CONFIG_CAPACITY);
	vb->bdev.read_only = virtio_has(vdev, BLK_F_RO);
	vb->max_segments = 1;
	if (virtio_has(vdev, BLK_F_SEG_MAX))
		vb->max_segments = clamp(virtio_config32(vdev, BLK_CONFIG_SEG_MAX), 1U,
					 (u32)BIO_MAX_PAGES);
	if (virtio_has(vdev, BLK_F_BLK_SIZE))
		block = virtio_config32(vdev, BLK_CONFIG_BLK_SIZE);
	if (!is_power_of_2(block) || block > PAGE_SIZE) {
		pr_err("virtio: a disk with blocks of %u bytes\n", block);
		return -EINVAL;
	}
	return 0;
}

static int set_up(struct virtio_blk *vb)
{
	struct virtio_device *vdev = vb->vdev;
	int err = virtio_negotiate(vdev, BIT(BLK_F_SEG_MAX) | BIT(BLK_F_RO) | BIT(BLK_F_BLK_SIZE) |
				   BIT(BLK_F_FLUSH));

	if (!err)
		err = read_config(vb);
	if (err)
		return err;
	vb->requests = get_zeroed_page(GFP_KERNEL);
	vb->headers = get_zeroed_page(GFP_KERNEL);
	vb->vq = vdev->vq = virtqueue_create(vdev, 0);
	if (!vb->requests || !vb->headers || !vb->vq || virtqueue_size(vb->vq) < MIN_DESC)
		return -ENOMEM;
	return virtio_device_ready(vdev);
}

static int add_disk(struct virtio_blk *vb)
{
	struct block_device *bdev = &vb->bdev;
	int err;

	if (nr_disks == MAX_DISKS)
		return -ENOMEM;
	scnprintf(bdev->name, sizeof(bdev->name), "vd%c", 'a' + nr_disks);
	bdev->dev = BLOCK_DEV(VIRTBLK_MAJOR, 16 * nr_disks);
	bdev->submit = virtio_blk_submit;
	bdev->private = vb;
	err = register_block_device(bdev);
	if (err)
		return err;
	nr_disks++;
	pr_info("%s: %lu KiB%s%s, queue of %u\n", bdev->name, bdev->nr_sectors / 2,
		bdev->read_only ? ", read-only" : "",
		virtio_has(vb->vdev, BLK_F_FLUSH) ? ", write cache" : "", virtqueue_size(vb->vq));
	return 0;
}

static void tear_down(struct virtio_blk *vb)
{
	virtio_reset(vb->vdev);
	virtio_fail(vb->vdev);
	if (vb->vq)
		virtqueue_free(vb->vq);
	free_page(vb->headers);
	free_page(vb->requests);
	kfree(vb);
}

static int virtio_blk_probe(struct virtio_device *vdev)
{
	struct virtio_blk *vb = kzalloc(sizeof(*vb), GFP_KERNEL);
	int err;

	if (!vb)
		return -ENOMEM;
	vb->vdev = vdev;
	spin_lock_init(&vb->lock);
	INIT_LIST_HEAD(&vb->waiting);
	timer_init(&vb->timer, watch);
	work_init(&vb->check, check_device);
	vdev->private = vb;
	vdev->used = virtio_blk_used;
	vdev->config_changed = virtio_blk_config_changed;
	err = set_up(vb);
	if (!err) {
		err = add_disk(vb);
		if (err)
			free_irq(vdev->irq);
	}
	if (err)
		tear_down(vb);
	return err;
}

const struct virtio_driver virtio_blk_driver = { VIRTIO_ID_BLOCK, virtio_blk_probe };
