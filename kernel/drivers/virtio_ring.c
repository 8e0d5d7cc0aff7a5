/*
 * The split virtqueue (Virtual I/O Device 1.2, section 2.7).
 *
 * Three arrays in memory. The descriptor table: buffers, chained through `next` into requests. The
 * available ring, which we write: heads of requests for the device. The used ring, which the device
 * writes: heads of requests it is done with. Each ring has an index that only grows (modulo 2^16)
 * and is written last.
 *
 *	we		descriptors, ring entry | barrier | avail->idx | barrier | notify if wanted
 *	the device	data, used entry | barrier | used->idx, interrupt
 *	we		used->idx | barrier | used entry, data
 *
 * The device is another observer of memory, on a real machine not necessarily one of the CPUs, so
 * the barriers are io_mb() and not smp_mb().
 *
 * What the device writes is not trusted: a head must be that of a request in flight (in_flight says
 * so; we do not look into the shared table), the chain to free is counted by our own record, and
 * the index may not run ahead of what was asked.
 */
#include "drivers/virtio.h"
#include "asm/barrier.h"
#include "base/printk.h"
#include "lib/bitops.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/slab/slab.h"

#define DESC_NEXT	1		/* the chain goes on */
#define DESC_WRITE	2		/* the device writes this one */
#define USED_NO_NOTIFY	1

struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

struct virtq_avail {
	u16 flags;
	u16 idx;
	u16 ring[];
};

struct virtq_used {
	u16 flags;
	u16 idx;
	struct {
		u32 id;
		u32 len;
	} ring[];
};

/* The available and the used ring share a page. */
#define USED_OFFSET	1024
BUILD_BUG_ON(VIRTQUEUE_MAX * sizeof(struct virtq_desc) > PAGE_SIZE);
BUILD_BUG_ON(sizeof(struct virtq_avail) + 2 * VIRTQUEUE_MAX + 2 > USED_OFFSET);
BUILD_BUG_ON(USED_OFFSET + sizeof(struct virtq_used) + 8 * VIRTQUEUE_MAX + 2 > PAGE_SIZE);

struct virtqueue {
	struct virtio_device *vdev;
	unsigned int index, num;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	volatile struct virtq_used *used;
	u16 avail_idx;			/* our copy: the device could change the shared one */
	u16 last_used;			/* entries of the used ring seen so far */
	u16 free_head, nr_free;
	bool complained;
	u16 next[VIRTQUEUE_MAX];	/* our copy of the chains; free ones are chained too */
	u16 in_flight[VIRTQUEUE_MAX];	/* by head: descriptors of the request, 0: none */
};

struct virtqueue *virtqueue_create(struct virtio_device *vdev, unsigned int index)
{
	struct virtqueue *vq = kzalloc(sizeof(*vq), GFP_KERNEL);
	unsigned int max = min(virtio_queue_max(vdev, index), (unsigned int)VIRTQUEUE_MAX);
	char *rings = get_zeroed_page(GFP_KERNEL);

	if (!vq || !rings)
		goto fail;
	vq->vdev = vdev;
	vq->index = index;
	vq->num = max ? rounddown_pow_of_two(max) : 0;
	vq->desc = get_zeroed_page(GFP_KERNEL);
	vq->avail = (struct virtq_avail *)rings;
	vq->used = (struct virtq_used *)(rings + USED_OFFSET);
	vq->nr_free = vq->num;
	for (unsigned int i = 0; i < vq->num; i++)
		vq->next[i] = i + 1;
	if (!vq->desc || !vq->num ||
	    virtio_queue_enable(vdev, index, vq->num, __pa(vq->desc), __pa(rings),
				__pa(rings + USED_OFFSET)))
		goto fail;
	return vq;
fail:
	if (vq)
		free_page(vq->desc);
	free_page(rings);
	kfree(vq);
	return NULL;
}

void virtqueue_free(struct virtqueue *vq)
{
	free_page(vq->desc);
	free_page(vq->avail);
	kfree(vq);
}

unsigned int virtqueue_size(const struct virtqueue *vq)
{
	return vq->num;
}

unsigned int virtqueue_nr_free(const struct virtqueue *vq)
{
	return vq->nr_free;
}

unsigned int virtqueue_next_head(const struct virtqueue *vq)
{
	return vq->free_head;
}

unsigned int virtqueue_add(struct virtqueue *vq, const struct virtq_buffer *buffers, unsigned int n)
{
	unsigned int head = vq->free_head, at = head;

	for (unsigned int i = 0; i < n; i++) {
		vq->desc[at] = (struct virtq_desc){
			.addr = buffers[i].addr,
			.len = buffers[i].len,
			.flags = (buffers[i].device_writes ? DESC_WRITE : 0) |
				 (i + 1 < n ? DESC_NEXT : 0),
			.next = vq->next[at],
		};
		at = vq->next[at];
	}
	vq->free_head = at;
	vq->nr_free -= n;
	vq->in_flight[head] = n;
	vq->avail->ring[vq->avail_idx % vq->num] = head;
	io_mb();			/* the request before the index that announces it */
	WRITE_ONCE(vq->avail->idx, ++vq->avail_idx);
	return head;
}

void virtqueue_kick(struct virtqueue *vq)
{
	/* The index before the look at flags: else both sides may think the other one is awake. */
	io_mb();
	if (!(vq->used->flags & USED_NO_NOTIFY))
		virtio_queue_notify(vq->vdev, vq->index);
}

static void complain(struct virtqueue *vq, const char *what, u32 value)
{
	if (!vq->complained)
		pr_err("virtio: device %u gives a wrong answer (%s %u); such answers are ignored\n",
		       vq->vdev->id, what, value);
	vq->complained = true;
}

/* The descriptors of the request become free. */
static void free_chain(struct virtqueue *vq, unsigned int head)
{
	unsigned int last = head;

	for (unsigned int i = 1; i < vq->in_flight[head]; i++)
		last = vq->next[last];
	vq->next[last] = vq->free_head;
	vq->free_head = head;
	vq->nr_free += vq->in_flight[head];
	vq->in_flight[head] = 0;
}

bool virtqueue_get_used(struct virtqueue *vq, unsigned int *head, u32 *len)
{
	for (;;) {
		u16 ahead = vq->used->idx - vq->last_used;
		unsigned int at = vq->last_used % vq->num;

		if (ahead == 0)
			return false;
		if (ahead > vq->num) {
			complain(vq, "used index", vq->used->idx);
			return false;
		}
		io_mb();		/* the index before the entry, and before the data */
		*head = vq->used->ring[at].id;
		*len = vq->used->ring[at].len;
		vq->last_used++;
		if (*head < vq->num && vq->in_flight[*head]) {
			free_chain(vq, *head);
			return true;
		}
		complain(vq, "request", *head);
	}
}
