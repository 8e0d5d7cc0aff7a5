/*
 * memblock from the device tree: what is memory, and what of it is taken before we begin.
 *
 *	memory nodes		RAM, with the NUMA node it is near to
 *	mem=SIZE		the command line's limit: the highest memory is ignored
 *	/memreserve/, /reserved-memory	the firmware's; marked no-map it is not even RAM to us
 *	the image, the tree, the initrd	ours
 *
 * Nothing in the tree is believed: entries that wrap around, lie outside RAM or collide with the
 * running image are left out with a warning, and one that cannot be left out (no RAM at all, or
 * none around the image) is a panic that says so.
 */
#include "mm/phys/memblock.h"
#include "mm/phys/zone.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/fdt.h"

phys_addr_t initrd_start, initrd_size;

static bool overlaps_image(phys_addr_t base, phys_addr_t size)
{
	return base < __pa(_end) && base + size > __pa(_text);
}

static void reserve(const char *what, phys_addr_t base, phys_addr_t size)
{
	int err = memblock_reserve(base, size);

	if (err)
		pr_warn("memblock: cannot reserve %#lx+%#lx for %s (%d)\n", base, size, what, err);
}

static int numa_node_of(const void *fdt, int node)
{
	u32 nid;

	if (fdt_read_u32(fdt, node, "numa-node-id", &nid))
		return 0;
	if (nid < MAX_NUMNODES)
		return nid;
	pr_warn("memblock: NUMA node %u of %s is taken for node 0\n", nid,
		fdt_node_name(fdt, node, NULL));
	return 0;
}

/* Whole pages only, below what the direct map can reach. */
static void add_memory(u64 base, u64 size, int nid)
{
	u64 end = base + size;

	if (!size)
		return;
	if (end < base || end > MAX_PHYSMEM) {
		pr_warn("memblock: memory at %#lx+%#lx is out of our reach\n", base, size);
		if (base >= MAX_PHYSMEM)
			return;
		end = MAX_PHYSMEM;
	}
	base = PAGE_ALIGN(base);
	end &= PAGE_MASK;
	if (base < end && memblock_add(base, end - base, nid))
		pr_warn("memblock: cannot add memory at %#lx\n", base);
}

static void scan_memory(const void *fdt)
{
	int node = -1;
	u64 base, size;

	while ((node = fdt_next_device_type(fdt, node, "memory")) >= 0) {
		if (!fdt_is_available(fdt, node))
			continue;
		for (unsigned int i = 0; !fdt_get_reg(fdt, node, i, &base, &size); i++)
			add_memory(base, size, numa_node_of(fdt, node));
	}
}

/* mem=: keeps that much, counted from the bottom, but never less than what the image needs. */
static void apply_limit(void)
{
	long limit = cmdline_long("mem", 0);
	phys_addr_t left = limit & PAGE_MASK, cut = 0;

	if (limit <= 0)
		return;
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		if (left < r->size) {
			cut = r->base + left;
			break;
		}
		left -= r->size;
	}
	if (!cut)
		return;
	if (cut < PAGE_ALIGN(__pa(_end))) {
		pr_warn("memblock: mem=%ld is ignored, it would cut off the kernel\n", limit);
		return;
	}
	memblock_remove(cut, ~0UL - cut);
}

/* A range of the firmware's. One with no-map is neither mapped nor touched: it stops being RAM. */
static void reserve_firmware(const char *name, u64 base, u64 size, bool nomap)
{
	u64 first = base & PAGE_MASK, last = PAGE_ALIGN(base + size);

	if (!size || base + size < base) {
		pr_warn("memblock: reserved range %s is bad: %#lx+%#lx\n", name, base, size);
		return;
	}
	if (overlaps_image(base, size)) {
		pr_warn("memblock: reserved range %s lies on the kernel\n", name);
		return;
	}
	if (nomap && memblock_remove(first, last - first))
		pr_warn("memblock: cannot take out %s\n", name);
	if (!nomap)
		reserve(name, base, size);
}

/* A child of /reserved-memory without reg: place it ourselves, within alloc-ranges if given. */
static void reserve_dynamic(const void *fdt, int parent, int node)
{
	const char *name = fdt_node_name(fdt, node, NULL);
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent), len;
	const void *ranges = fdt_getprop(fdt, node, "alloc-ranges", &len);
	u64 size, align = PAGE_SIZE, low = 0, high = MAX_PHYSMEM;
	phys_addr_t base;

	if (fdt_read_u64(fdt, node, "size", &size) || !size || size > MAX_PHYSMEM)
		return;
	if (fdt_read_u64(fdt, node, "alignment", &align) || (align & (align - 1)) || !align)
		align = PAGE_SIZE;
	if (ranges && ac == 2 && sc == 2 && len >= 16) {	/* the first range has to do */
		low = (u64)fdt_cell(ranges, 0) << 32 | fdt_cell(ranges, 1);
		high = low + ((u64)fdt_cell(ranges, 2) << 32 | fdt_cell(ranges, 3));
	}
	base = memblock_phys_alloc_range(PAGE_ALIGN(size), max(align, (u64)PAGE_SIZE), low, high);
	if (!base)
		pr_warn("memblock: no room for reserved range %s\n", name);
	else if (fdt_getprop(fdt, node, "no-map", NULL))
		memblock_remove(base, PAGE_ALIGN(size));
}

static void scan_reserved(const void *fdt, bool dynamic)
{
	int parent = fdt_node_offset_by_path(fdt, "/reserved-memory"), node;
	u64 base, size;

	if (parent < 0)
		return;
	fdt_for_each_child(fdt, node, parent) {
		bool nomap = fdt_getprop(fdt, node, "no-map", NULL) != NULL;
		bool has_reg = fdt_getprop(fdt, node, "reg", NULL) != NULL;

		if (!fdt_is_available(fdt, node))
			continue;
		if (!has_reg && dynamic)
			reserve_dynamic(fdt, parent, node);
		for (unsigned int i = 0; has_reg && !dynamic; i++) {
			if (fdt_get_reg(fdt, node, i, &base, &size))
				break;
			reserve_firmware(fdt_node_name(fdt, node, NULL), base, size, nomap);
		}
	}
}

static bool is_ram(phys_addr_t base, phys_addr_t size)
{
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		if (base >= r->base && base < r->base + r->size && size <= r->base + r->size - base)
			return true;
	}
	return false;
}

static void reserve_initrd(const void *fdt)
{
	int chosen = fdt_node_offset_by_path(fdt, "/chosen");
	u64 start, end;

	if (chosen < 0 || fdt_read_u64(fdt, chosen, "linux,initrd-start", &start) ||
	    fdt_read_u64(fdt, chosen, "linux,initrd-end", &end) || (!start && !end))
		return;
	if (end <= start || !is_ram(start, end - start) || overlaps_image(start, end - start)) {
		pr_warn("memblock: initrd at %#lx-%#lx is not in memory; ignored\n", start, end);
		return;
	}
	initrd_start = start;
	initrd_size = end - start;
	reserve("initrd", initrd_start & PAGE_MASK,
		PAGE_ALIGN(end) - (initrd_start & PAGE_MASK));
}

void memblock_init_fdt(void)
{
	const void *fdt = arch_fdt();
	u64 base, size;

	if (fdt_check(fdt))
		panic("no usable device tree at physical address %#lx", arch_fdt_phys());
	scan_memory(fdt);
	if (!memblock.memory.cnt)
		panic("the device tree names no memory");
	apply_limit();
	if (!is_ram(__pa(_text), _end - _text))
		panic("the kernel at %#lx is not in the device tree's memory", __pa(_text));

	/* What has a fixed place comes first; what can go anywhere, last. */
	reserve("image", __pa(_text), PAGE_ALIGN(_end) - (unsigned long)_text);
	reserve("device tree", arch_fdt_phys(), fdt_totalsize(fdt));
	reserve_initrd(fdt);
	for (unsigned int i = 0; !fdt_get_mem_rsv(fdt, i, &base, &size); i++)
		reserve_firmware("/memreserve/", base, size, false);
	scan_reserved(fdt, false);
	scan_reserved(fdt, true);

	memblock.current_limit = arch_early_map_limit();
	pr_info("memblock: %lu MiB of memory in %u regions, up to %#lx\n",
		memblock_phys_mem_size() >> 20, memblock.memory.cnt, memblock_end_of_DRAM());
}
