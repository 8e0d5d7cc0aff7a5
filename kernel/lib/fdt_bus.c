/*
 * Device tree: what depends on a node's surroundings. A reg entry is made of the
 * cells its parent prescribes and is an address on the parent's bus; each bus
 * above says through its ranges property how its addresses appear one level up.
 * An interrupt specifier is made of the cells its controller prescribes.
 */
#include "lib/errno.h"
#include "lib/fdt.h"
#include "lib/string.h"
#include "lib/fdt_internal.h"

#define MAX_INTERRUPT_CELLS 16

static int read_cell_count(const void *fdt, int node, const char *name, int missing)
{
	u32 cells;
	int err = fdt_read_u32(fdt, node, name, &cells);

	if (err == -ENOENT)
		return missing;
	if (err || cells > FDT_MAX_CELLS)
		return -EINVAL;
	return cells;
}

int fdt_address_cells(const void *fdt, int node)
{
	return read_cell_count(fdt, node, "#address-cells", 2);
}

int fdt_size_cells(const void *fdt, int node)
{
	return read_cell_count(fdt, node, "#size-cells", 1);
}

/* A number of @cells cells; false when it does not fit 64 bits. */
static bool read_number(const void *value, int cells, u64 *out)
{
	u64 number = 0;

	for (int i = 0; i < cells; i++) {
		if (number >> 32)
			return false;
		number = number << 32 | fdt_cell(value, i);
	}
	*out = number;
	return true;
}

/* Entry @i of @node's reg, whose parent is @parent. */
static int read_reg(const void *fdt, int node, int parent, unsigned int i, u64 *addr, u64 *size)
{
	int addr_cells = fdt_address_cells(fdt, parent), size_cells = fdt_size_cells(fdt, parent);
	int len, entry;
	const u8 *value = fdt_getprop(fdt, node, "reg", &len);

	if (!value)
		return len;
	if (addr_cells < 1 || size_cells < 0)
		return -EINVAL;
	entry = 4 * (addr_cells + size_cells);
	if (len % entry)
		return -EINVAL;
	if (i >= (unsigned int)(len / entry))
		return -ENOENT;
	value += (size_t)i * entry;
	if (!read_number(value, addr_cells, addr) ||
	    !read_number(value + 4 * addr_cells, size_cells, size))
		return -EINVAL;
	return 0;
}

/* Turn *@addr, an address on @bus, into one on the bus above, @parent. */
static int translate(const void *fdt, int bus, int parent, u64 *addr)
{
	int child_cells = fdt_address_cells(fdt, bus), size_cells = fdt_size_cells(fdt, bus);
	int parent_cells = fdt_address_cells(fdt, parent), len, entry;
	const u8 *value = fdt_getprop(fdt, bus, "ranges", &len);

	if (!value || child_cells < 1 || size_cells < 0 || parent_cells < 1)
		return -EINVAL;
	entry = 4 * (child_cells + parent_cells + size_cells);
	if (len == 0)
		return 0;
	for (; len >= entry; value += entry, len -= entry) {
		u64 from, to, size;

		/* Entries that need more than 64 bits (PCI's address spaces) cannot be meant. */
		if (!read_number(value, child_cells, &from) ||
		    !read_number(value + 4 * child_cells, parent_cells, &to) ||
		    !read_number(value + 4 * (child_cells + parent_cells), size_cells, &size))
			continue;
		if (*addr >= from && *addr - from < size) {
			*addr = *addr - from + to;
			return 0;
		}
	}
	return -EINVAL;
}

int fdt_get_reg(const void *fdt, int node, unsigned int i, u64 *addr, u64 *size)
{
	int path[FDT_MAX_DEPTH + 1];
	int depth = fdt_ancestors(fdt, node, path), err;
	u64 base, length;

	if (depth < 1)
		return -EINVAL;
	err = read_reg(fdt, node, path[depth - 1], i, &base, &length);
	for (int bus = depth - 1; !err && bus > 0; bus--)
		err = translate(fdt, path[bus], path[bus - 1], &base);
	if (err)
		return err;
	if (addr)
		*addr = base;
	if (size)
		*size = length;
	return 0;
}

int fdt_get_reg_raw(const void *fdt, int node, unsigned int i, u64 *addr, u64 *size)
{
	int parent = fdt_parent(fdt, node), err;
	u64 base, length;

	if (parent < 0)
		return -EINVAL;
	err = read_reg(fdt, node, parent, i, &base, &length);
	if (err)
		return err;
	if (addr)
		*addr = base;
	if (size)
		*size = length;
	return 0;
}

int fdt_interrupt_parent(const void *fdt, int node)
{
	int path[FDT_MAX_DEPTH + 1];
	int depth = fdt_ancestors(fdt, node, path);
	u32 phandle;

	for (int i = depth; i >= 0; i--) {
		if (!fdt_read_u32(fdt, path[i], "interrupt-parent", &phandle))
			return fdt_node_offset_by_phandle(fdt, phandle);
		/* Without the property the tree's own shape counts. */
		if (i < depth && fdt_getprop(fdt, path[i], "#interrupt-cells", NULL))
			return path[i];
	}
	return depth < 0 ? depth : -ENOENT;
}

static int interrupt_cells(const void *fdt, int controller)
{
	u32 cells;

	if (controller < 0 || fdt_read_u32(fdt, controller, "#interrupt-cells", &cells) ||
	    cells < 1 || cells > MAX_INTERRUPT_CELLS)
		return -EINVAL;
	return cells;
}

/* Specifier @i of @node: where it starts, which controller it is for; returns its cells. */
static int find_interrupt(const void *fdt, int node, unsigned int i, const u8 **spec, int *parent)
{
	int len, cells;
	const u8 *value = fdt_getprop(fdt, node, "interrupts-extended", &len);

	if (!value) {
		value = fdt_getprop(fdt, node, "interrupts", &len);
		if (!value)
			return len;
		*parent = fdt_interrupt_parent(fdt, node);
		cells = interrupt_cells(fdt, *parent);
		if (cells < 0)
			return cells;
		if (i >= (unsigned int)len / (4 * cells))
			return -ENOENT;
		*spec = value + 4UL * cells * i;
		return cells;
	}
	/* Each entry: a phandle, then as many cells as that controller wants. */
	while (len >= 4) {
		*parent = fdt_node_offset_by_phandle(fdt, fdt_cell(value, 0));
		cells = interrupt_cells(fdt, *parent);
		if (cells < 0 || len < 4 * (cells + 1))
			return -EINVAL;
		if (i-- == 0) {
			*spec = value + 4;
			return cells;
		}
		value += 4 * (cells + 1);
		len -= 4 * (cells + 1);
	}
	return -ENOENT;
}

int fdt_get_interrupt(const void *fdt, int node, unsigned int i, u32 *cells, unsigned int n)
{
	const u8 *spec;
	int parent, count = find_interrupt(fdt, node, i, &spec, &parent);

	for (int c = 0; c < count && (unsigned int)c < n; c++)
		cells[c] = fdt_cell(spec, c);
	return count;
}

int fdt_get_interrupt_parent(const void *fdt, int node, unsigned int i)
{
	const u8 *spec;
	int parent, count = find_interrupt(fdt, node, i, &spec, &parent);

	return count < 0 ? count : parent;
}
