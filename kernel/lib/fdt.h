/*
 * Flattened device tree reader (Devicetree Specification, ch. 5). See fdt.c for
 * how it stays safe on a hostile blob.
 *
 * A node is the int offset of its begin token in the structure block; the root
 * is 0. Functions that return a node return a negative errno when there is none:
 * -ENOENT (not found) or -EINVAL (the blob is broken there). All take a blob
 * that passed fdt_check() and only read it: callable from anywhere, as soon as
 * the blob is mapped. Pointers returned point into the blob.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

#define FDT_MAX_DEPTH 32	/* deeper nodes make the blob invalid */
#define FDT_MAX_CELLS 4		/* largest #address-cells and #size-cells accepted */

/* ---- the blob: fdt.c ---- */

/* Bytes of the header that fdt_check() needs mapped before it knows the size. */
#define FDT_HEADER_SIZE 40

/* 0, or -EINVAL when the header is not that of a usable tree or the blocks do not fit in it. */
int fdt_check(const void *fdt);

/* The blob's size in bytes from its header; 0 without the magic number. Usable before the check. */
u32 fdt_totalsize(const void *fdt);

/* Memory reservation @i: 0 and *@addr, *@size set, -ENOENT behind the last. */
int fdt_get_mem_rsv(const void *fdt, unsigned int i, u64 *addr, u64 *size);

/*
 * Walk all nodes in document order: @node -1 gives the root. If @depth is not
 * NULL, *@depth is updated to the node's depth (root 0); start from any value.
 */
int fdt_next_node(const void *fdt, int node, int *depth);

/* Children of a node, in document order. */
int fdt_first_child(const void *fdt, int parent);
int fdt_next_sibling(const void *fdt, int node);

#define fdt_for_each_child(fdt, node, parent) \
	for ((node) = fdt_first_child(fdt, parent); (node) >= 0; \
	     (node) = fdt_next_sibling(fdt, node))

/* Node name with its unit address ("" for the root); "" on a bad offset. *@len may be NULL. */
const char *fdt_node_name(const void *fdt, int node, int *len);

/* Parent of @node; -ENOENT for the root. Walks from the root. */
int fdt_parent(const void *fdt, int node);

/* 0 for the root. */
int fdt_depth(const void *fdt, int node);

/*
 * The value of property @name, NULL if there is none. *@len (may be NULL) is set
 * to its length, or to -ENOENT or -EINVAL. The value is only byte-aligned as far
 * as C is concerned: use the readers below.
 */
const void *fdt_getprop(const void *fdt, int node, const char *name, int *len);

/*
 * Walk the properties of @node: *@cursor starts at 0. Returns the value and sets
 * *@name and *@len; NULL at the end.
 */
const void *fdt_next_prop(const void *fdt, int node, int *cursor, const char **name, int *len);

/* ---- finding nodes and reading values: fdt_find.c ---- */

/* Big-endian cells, @i counted in u32. */
static inline u32 fdt_cell(const void *value, unsigned int i)
{
	const u8 *p = (const u8 *)value + 4UL * i;

	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/*
 * "/cpus/cpu@0", "/cpus/cpu" (first of that name), or an alias such as
 * "serial0". A ':' ends the path, as in /chosen's stdout-path.
 */
int fdt_node_offset_by_path(const void *fdt, const char *path);
int fdt_node_offset_by_phandle(const void *fdt, u32 phandle);

/*
 * The next node after @from (-1: start at the root) whose compatible list holds
 * @compatible; whose property @name has exactly the @len bytes of @value; whose
 * device_type is @type. Disabled nodes are given too: ask fdt_is_available().
 */
int fdt_next_compatible(const void *fdt, int from, const char *compatible);
int fdt_next_prop_value(const void *fdt, int from, const char *name, const void *value, int len);
int fdt_next_device_type(const void *fdt, int from, const char *type);

#define fdt_for_each_compatible(fdt, node, compatible) \
	for ((node) = fdt_next_compatible(fdt, -1, compatible); (node) >= 0; \
	     (node) = fdt_next_compatible(fdt, node, compatible))

/* Does @node's compatible list hold @compatible? */
bool fdt_is_compatible(const void *fdt, int node, const char *compatible);

/* No status property, or "okay" or "ok". */
bool fdt_is_available(const void *fdt, int node);

/* One u32; a u64 of one or two cells; 0, -ENOENT, or -EINVAL if the size is wrong. */
int fdt_read_u32(const void *fdt, int node, const char *name, u32 *out);
int fdt_read_u64(const void *fdt, int node, const char *name, u64 *out);
/* Cell @i of an array of u32. */
int fdt_read_u32_index(const void *fdt, int node, const char *name, unsigned int i, u32 *out);

/* A terminated string property, or NULL. */
const char *fdt_get_string(const void *fdt, int node, const char *name);
/* String @i of a string list, or NULL. */
const char *fdt_stringlist_get(const void *fdt, int node, const char *name, unsigned int i);
/* Index of @string in the list, or -ENOENT. */
int fdt_stringlist_index(const void *fdt, int node, const char *name, const char *string);

/* ---- addresses and interrupts: fdt_bus.c ---- */

/* What @node says of its children's reg: 0..4, or the defaults 2 and 1; -EINVAL if absurd. */
int fdt_address_cells(const void *fdt, int node);
int fdt_size_cells(const void *fdt, int node);

/*
 * Entry @i of @node's reg as a CPU physical address, through the ranges of the
 * buses above it. Either pointer may be NULL; the size is 0 where #size-cells
 * is 0. 0, -ENOENT behind the last entry, -EINVAL when malformed, more than 64
 * bits wide, or not reachable from the root.
 */
int fdt_get_reg(const void *fdt, int node, unsigned int i, u64 *addr, u64 *size);

/* Entry @i of reg as its bus sees it, untranslated: the hart id of a cpu node. */
int fdt_get_reg_raw(const void *fdt, int node, unsigned int i, u64 *addr, u64 *size);

/* The interrupt controller that @node's "interrupts" are for. */
int fdt_interrupt_parent(const void *fdt, int node);

/*
 * Interrupt @i of @node, from interrupts-extended or interrupts: at most @n
 * specifier cells into @cells. Returns the number of cells the specifier has,
 * -ENOENT behind the last, -EINVAL when malformed.
 */
int fdt_get_interrupt(const void *fdt, int node, unsigned int i, u32 *cells, unsigned int n);

/* The controller that interrupt @i of @node goes to (differs per entry in interrupts-extended). */
int fdt_get_interrupt_parent(const void *fdt, int node, unsigned int i);
