/*
 * Virtio over memory-mapped registers (Virtual I/O Device 1.2, section 4.2): finds the slots in the
 * device tree, and speaks to the device in one.
 *
 * A slot without a device has device number 0. QEMU fills its slots from the highest address down
 * in the order of its -device options, whatever the order in the tree; so we go down, too, and the
 * first disk of the command line is vda on every machine.
 */
#include "arch/arch.h"
#include "asm/io.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/printk.h"
#include "drivers/virtio.h"
#include "lib/errno.h"
#include "lib/fdt.h"
#include "lib/sort.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"
#include "sched/timer.h"

#define MAGIC			0x000
#define VERSION			0x004
#define DEVICE_ID		0x008
#define DEVICE_FEATURES		0x010
#define DEVICE_FEATURES_SEL	0x014
#define DRIVER_FEATURES		0x020
#define DRIVER_FEATURES_SEL	0x024
#define QUEUE_SEL		0x030
#define QUEUE_NUM_MAX		0x034
#define QUEUE_NUM		0x038
#define QUEUE_READY		0x044
#define QUEUE_NOTIFY		0x050
#define INTERRUPT_STATUS	0x060
#define INTERRUPT_ACK		0x064
#define STATUS			0x070
#define QUEUE_DESC		0x080
#define QUEUE_DRIVER		0x090
#define QUEUE_DEVICE		0x0a0
#define CONFIG_GENERATION	0x0fc
#define CONFIG			0x100

#define MAGIC_VALUE		0x74726976	/* "virt" */

#define STATUS_ACKNOWLEDGE	1
#define STATUS_DRIVER		2
#define STATUS_DRIVER_OK	4
#define STATUS_FEATURES_OK	8
#define STATUS_FAILED		128

#define INTERRUPT_USED		1
#define INTERRUPT_CONFIG	2

#define MAX_SLOTS		64

static u32 reg_read(struct virtio_device *vdev, unsigned int reg)
{
	return readl(vdev->regs + reg);
}

static void reg_write(struct virtio_device *vdev, unsigned int reg, u32 value)
{
	writel(value, vdev->regs + reg);
}

static void reg_write64(struct virtio_device *vdev, unsigned int reg, u64 value)
{
	reg_write(vdev, reg, value);
	reg_write(vdev, reg + 4, value >> 32);
}

static void add_status(struct virtio_device *vdev, u32 bits)
{
	reg_write(vdev, STATUS, reg_read(vdev, STATUS) | bits);
}

bool virtio_reset(struct virtio_device *vdev)
{
	u64 deadline = arch_clock_ns() + NSEC_PER_MSEC;

	reg_write(vdev, STATUS, 0);
	while (reg_read(vdev, STATUS) != 0)
		if (arch_clock_ns() > deadline)
			return false;
	return true;
}

void virtio_fail(struct virtio_device *vdev)
{
	add_status(vdev, STATUS_FAILED);
}

int virtio_negotiate(struct virtio_device *vdev, u64 wanted)
{
	u64 offered = 0;

	if (!virtio_reset(vdev))
		return -ENODEV;
	add_status(vdev, STATUS_ACKNOWLEDGE);
	add_status(vdev, STATUS_DRIVER);
	for (unsigned int half = 0; half < 2; half++) {
		reg_write(vdev, DEVICE_FEATURES_SEL, half);
		offered |= (u64)reg_read(vdev, DEVICE_FEATURES) << (32 * half);
	}
	wanted |= BIT(VIRTIO_F_VERSION_1);
	vdev->features = offered & wanted;
	if (!virtio_has(vdev, VIRTIO_F_VERSION_1))
		return -ENODEV;
	for (unsigned int half = 0; half < 2; half++) {
		reg_write(vdev, DRIVER_FEATURES_SEL, half);
		reg_write(vdev, DRIVER_FEATURES, vdev->features >> (32 * half));
	}
	add_status(vdev, STATUS_FEATURES_OK);
	return reg_read(vdev, STATUS) & STATUS_FEATURES_OK ? 0 : -ENODEV;
}

unsigned int virtio_queue_max(struct virtio_device *vdev, unsigned int index)
{
	reg_write(vdev, QUEUE_SEL, index);
	return reg_read(vdev, QUEUE_NUM_MAX);
}

int virtio_queue_enable(struct virtio_device *vdev, unsigned int index, unsigned int num, u64 desc,
			u64 avail, u64 used)
{
	reg_write(vdev, QUEUE_SEL, index);
	if (reg_read(vdev, QUEUE_READY))
		return -EBUSY;
	reg_write(vdev, QUEUE_NUM, num);
	reg_write64(vdev, QUEUE_DESC, desc);
	reg_write64(vdev, QUEUE_DRIVER, avail);
	reg_write64(vdev, QUEUE_DEVICE, used);
	reg_write(vdev, QUEUE_READY, 1);
	return 0;
}

void virtio_queue_notify(struct virtio_device *vdev, unsigned int index)
{
	reg_write(vdev, QUEUE_NOTIFY, index);
}

u32 virtio_config32(struct virtio_device *vdev, unsigned int offset)
{
	return reg_read(vdev, CONFIG + offset);
}

u64 virtio_config64(struct virtio_device *vdev, unsigned int offset)
{
	u32 generation;
	u64 value;

	do {
		generation = reg_read(vdev, CONFIG_GENERATION);
		value = virtio_config32(vdev, offset);
		value |= (u64)virtio_config32(vdev, offset + 4) << 32;
	} while (reg_read(vdev, CONFIG_GENERATION) != generation);
	return value;
}

/* Acknowledged first: what the device does after that interrupts again. */
static void virtio_interrupt(unsigned int irq, void *data)
{
	struct virtio_device *vdev = data;
	u32 status = reg_read(vdev, INTERRUPT_STATUS);

	(void)irq;
	reg_write(vdev, INTERRUPT_ACK, status);
	if (status & INTERRUPT_USED)
		vdev->used(vdev);
	if ((status & INTERRUPT_CONFIG) && vdev->config_changed)
		vdev->config_changed(vdev);
}

int virtio_device_ready(struct virtio_device *vdev)
{
	int err = vdev->irq < 0 ? vdev->irq : 0;

	if (!err)
		err = request_irq(vdev->irq, virtio_interrupt, "virtio", vdev);
	if (!err)
		add_status(vdev, STATUS_DRIVER_OK);
	return err;
}

/* ---- finding them --------------------------------------------------------------------- */

static const struct virtio_driver *const drivers[] = { &virtio_blk_driver };

static int probe_device(struct virtio_device *vdev)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i]->id == vdev->id)
			return drivers[i]->probe(vdev);
	pr_info("virtio: no driver for device type %u\n", vdev->id);
	return -ENODEV;
}

/* Is there a device in the slot that we can talk to? */
static bool look_into_slot(char *regs, u64 addr, u32 *id)
{
	u32 version;

	if (readl(regs + MAGIC) != MAGIC_VALUE)
		return false;
	*id = readl(regs + DEVICE_ID);
	if (*id == 0)
		return false;
	version = readl(regs + VERSION);
	if (version == 1)
		pr_err("virtio at %#lx: legacy virtio-mmio: start QEMU with "
		       "-global virtio-mmio.force-legacy=false\n", addr);
	else if (version != 2)
		pr_err("virtio at %#lx: unknown version %u\n", addr, version);
	return version == 2;
}

static void probe_slot(int node, u64 addr, u64 size)
{
	char *regs = ioremap(addr, size);
	struct virtio_device *vdev;
	int err = -ENOMEM;
	u32 id;

	if (!regs || !look_into_slot(regs, addr, &id)) {
		iounmap(regs);
		return;
	}
	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (vdev) {
		vdev->regs = regs;
		vdev->id = id;
		vdev->irq = arch_irq_of_node(arch_fdt(), node, 0);
		err = probe_device(vdev);
	}
	if (err) {
		if (err != -ENODEV)
			pr_err("virtio at %#lx: error %d\n", addr, err);
		kfree(vdev);
		iounmap(regs);
	}
}

struct slot {
	u64 addr, size;
	int node;
};

static int by_address_down(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->addr < y->addr ? 1 : x->addr > y->addr ? -1 : 0;
}

static int virtio_mmio_init(void)
{
	static struct slot slots[MAX_SLOTS];
	const void *fdt = arch_fdt();
	unsigned int n = 0;
	int node;

	fdt_for_each_compatible(fdt, node, "virtio,mmio") {
		struct slot *slot = &slots[n];

		if (n == MAX_SLOTS)
			break;
		slot->node = node;
		if (fdt_is_available(fdt, node) &&
		    fdt_get_reg(fdt, node, 0, &slot->addr, &slot->size) == 0 && slot->size > CONFIG)
			n++;
	}
	sort(slots, n, sizeof(slots[0]), by_address_down, NULL);
	for (unsigned int i = 0; i < n; i++)
		probe_slot(slots[i].node, slots[i].addr, slots[i].size);
	return 0;
}
driver_initcall(virtio_mmio_init);
