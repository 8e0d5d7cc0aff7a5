/*
 * Virtio 1.x ("modern"): devices that a hypervisor offers. virtio_mmio.c finds them and speaks to
 * their registers, virtio_ring.c keeps a queue of requests, a driver such as virtio_blk.c fills it.
 * Everything that a device and we share is little-endian, and so are our machines.
 */
#pragma once

#include "lib/compiler.h"

#define VIRTIO_ID_BLOCK		2
#define VIRTIO_F_VERSION_1	32

struct virtqueue;

struct virtio_device {
	char *regs;
	int irq;
	u32 id;				/* VIRTIO_ID_ */
	u64 features;			/* agreed on */
	struct virtqueue *vq;		/* queue 0 */
	/* From the device's interrupt, interrupts off: buffers were used; the configuration
	 * changed. */
	void (*used)(struct virtio_device *vdev);
	void (*config_changed)(struct virtio_device *vdev);
	void *private;
};

struct virtio_driver {
	u32 id;
	int (*probe)(struct virtio_device *vdev);	/* 0 or -errno; may sleep */
};
extern const struct virtio_driver virtio_blk_driver;

/* ---- virtio_mmio.c: one device ---------------------------------------------------------- */

/* Resets, then agrees on those of @wanted (bit n: feature n) that the device offers; VERSION_1 is
 * always asked for. 0, or -ENODEV if the device does not accept. */
int virtio_negotiate(struct virtio_device *vdev, u64 wanted);
static inline bool virtio_has(const struct virtio_device *vdev, unsigned int feature)
{
	return vdev->features >> feature & 1;
}
/* The largest size the device allows for queue @index; 0: there is no such queue. */
unsigned int virtio_queue_max(struct virtio_device *vdev, unsigned int index);
/* Tells the device where queue @index lies, by physical addresses. 0, or -EBUSY if it is in use. */
int virtio_queue_enable(struct virtio_device *vdev, unsigned int index, unsigned int num, u64 desc,
			u64 avail, u64 used);
void virtio_queue_notify(struct virtio_device *vdev, unsigned int index);
/* Interrupts on, DRIVER_OK: from here on the device works. 0 or -errno. */
int virtio_device_ready(struct virtio_device *vdev);
/* On return the device no longer touches memory, its queues are forgotten. False if it does not
 * confirm within a millisecond. Any context. */
bool virtio_reset(struct virtio_device *vdev);
/* Gives the device up after a failed probe. */
void virtio_fail(struct virtio_device *vdev);
/* Fields of the device's configuration; a 64-bit one is read untorn. */
u32 virtio_config32(struct virtio_device *vdev, unsigned int offset);
u64 virtio_config64(struct virtio_device *vdev, unsigned int offset);

/* ---- virtio_ring.c: a split virtqueue; the caller serialises ----------------------------- */

#define VIRTQUEUE_MAX	256		/* descriptors: one page of them */

/* One piece of a request: @len bytes at a physical address, that the device reads or writes. */
struct virtq_buffer {
	u64 addr;
	u32 len;
	bool device_writes;
};

/* Makes queue @index with at most VIRTQUEUE_MAX descriptors; NULL if it cannot. May sleep. */
struct virtqueue *virtqueue_create(struct virtio_device *vdev, unsigned int index);
void virtqueue_free(struct virtqueue *vq);	/* the device was reset */
unsigned int virtqueue_size(const struct virtqueue *vq);
unsigned int virtqueue_nr_free(const struct virtqueue *vq);	/* descriptors */
/* Number of the descriptor with which the next request will start; there is one free. */
unsigned int virtqueue_next_head(const struct virtqueue *vq);
/* Makes a request of @n buffers (1 … nr_free), the ones the device reads first; its head, which
 * names it until it is used. Buffers and head are the device's until then. */
unsigned int virtqueue_add(struct virtqueue *vq, const struct virtq_buffer *buffers,
			   unsigned int n);
/* Tells the device, if it wants to know, that requests were added. */
void virtqueue_kick(struct virtqueue *vq);
/* Next request that the device is done with: head and the bytes it says it wrote; false: none.
 * Answers to questions that were not asked are skipped. */
bool virtqueue_get_used(struct virtqueue *vq, unsigned int *head, u32 *len);
