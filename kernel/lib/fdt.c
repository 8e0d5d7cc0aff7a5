/*
 * Flattened device tree reader: the blob, its tokens, nodes and properties.
 *
 * The blob comes from firmware, so it is input, not truth. fdt_check() walks all
 * of it once and proves what the rest relies on:
 *
 *	- the three blocks lie inside totalsize and below 2 GiB;
 *	- the structure block is one root node, properly nested, at most
 *	  FDT_MAX_DEPTH deep, ended by an END token;
 *	- every token, node name and property value lies inside the structure
 *	  block, and every node name is terminated there;
 *	- the strings block ends with a NUL, so that a property name is safe if it
 *	  merely starts inside;
 *	- the reservation block has its end mark.
 *
 * The functions below check every token again as they meet it. That costs little
 * and makes a wrong node offset an error instead of a wild read. Nothing here
 * recurses; a walk moves forward at every step, so it ends.
 */
#include "lib/fdt.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/fdt_internal.h"

#define FDT_MAGIC 0xd00dfeed
#define FDT_VERSION 17		/* older formats do not tell the structure block's size */
#define FDT_RSV_ENTRY 16	/* bytes */

/* Header fields, as indices of u32. */
enum {
	HDR_MAGIC, HDR_TOTALSIZE, HDR_OFF_STRUCT, HDR_OFF_STRINGS, HDR_OFF_RSV, HDR_VERSION,
	HDR_LAST_COMPATIBLE, HDR_BOOT_CPU, HDR_SIZE_STRINGS, HDR_SIZE_STRUCT,
};

u32 fdt_totalsize(const void *fdt)
{
	if ((unsigned long)fdt & 3 || fdt_cell(fdt, HDR_MAGIC) != FDT_MAGIC)
		return 0;
	return fdt_cell(fdt, HDR_TOTALSIZE);
}

/* A terminated string at offset @off of the strings block, or NULL. */
static const char *fdt_string(const void *fdt, u32 off)
{
	if (off >= fdt_cell(fdt, HDR_SIZE_STRINGS))
		return NULL;
	return (const char *)fdt + fdt_cell(fdt, HDR_OFF_STRINGS) + off;
}

/* @len bytes at offset @off of the structure block, or NULL. */
static const u8 *struct_bytes(const void *fdt, u32 off, u32 len)
{
	u32 size = fdt_cell(fdt, HDR_SIZE_STRUCT);

	if (off > size || len > size - off)
		return NULL;
	return (const u8 *)fdt + fdt_cell(fdt, HDR_OFF_STRUCT) + off;
}

u32 fdt_next_token(const void *fdt, int off, int *next)
{
	const u8 *p;
	u32 token, len;

	if (off < 0 || off & 3)
		return FDT_BROKEN;
	p = struct_bytes(fdt, off, 4);
	if (!p)
		return FDT_BROKEN;
	token = fdt_cell(p, 0);
	switch (token) {
	case FDT_BEGIN_NODE:
		len = fdt_cell(fdt, HDR_SIZE_STRUCT) - off - 4;
		p = memchr(p + 4, 0, len);
		if (!p)
			return FDT_BROKEN;
		len = p + 1 - struct_bytes(fdt, off, 4);
		break;
	case FDT_PROP:
		p = struct_bytes(fdt, off, 12);
		if (!p)
			return FDT_BROKEN;
		len = fdt_cell(p, 1);
		if (!struct_bytes(fdt, off + 12, len) || !fdt_string(fdt, fdt_cell(p, 2)))
			return FDT_BROKEN;
		len += 12;
		break;
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		len = 4;
		break;
	default:
		return FDT_BROKEN;
	}
	*next = off + ALIGN(len, 4);
	return token;
}

/* Does a block of @size bytes at @off lie in a blob of @total bytes? */
static bool block_fits(u32 off, u32 size, u32 total)
{
	return off >= FDT_HEADER_SIZE && off <= total && size <= total - off;
}

/* One well-nested root and the end of the block. */
static int check_struct(const void *fdt)
{
	int off = 0, depth = 0;
	bool seen_root = false;

	for (;;) {
		switch (fdt_next_token(fdt, off, &off)) {
		case FDT_BEGIN_NODE:
			if ((depth == 0 && seen_root) || depth > FDT_MAX_DEPTH)
				return -EINVAL;
			seen_root = true;
			depth++;
			break;
		case FDT_END_NODE:
			if (depth-- == 0)
				return -EINVAL;
			break;
		case FDT_PROP:
			if (depth == 0)
				return -EINVAL;
			break;
		case FDT_NOP:
			if (!seen_root)	/* node offset 0 is the root for all callers */
				return -EINVAL;
			break;
		case FDT_END:
			return depth == 0 && seen_root ? 0 : -EINVAL;
		default:
			return -EINVAL;
		}
	}
}

static int check_strings(const void *fdt)
{
	u32 size = fdt_cell(fdt, HDR_SIZE_STRINGS);
	const char *last = fdt_string(fdt, size - 1);

	return size == 0 || *last == '\0' ? 0 : -EINVAL;
}

static int check_rsv(const void *fdt)
{
	u32 total = fdt_totalsize(fdt), off = fdt_cell(fdt, HDR_OFF_RSV);

	if (off & 7)
		return -EINVAL;
	for (; block_fits(off, FDT_RSV_ENTRY, total); off += FDT_RSV_ENTRY)
		if (!memchr_inv((const u8 *)fdt + off, 0, FDT_RSV_ENTRY))
			return 0;
	return -EINVAL;
}

int fdt_check(const void *fdt)
{
	u32 total = fdt_totalsize(fdt);
	int err;

	if (total < FDT_HEADER_SIZE || total > INT32_MAX)
		return -EINVAL;
	if (fdt_cell(fdt, HDR_VERSION) < FDT_VERSION ||
	    fdt_cell(fdt, HDR_LAST_COMPATIBLE) > FDT_VERSION)
		return -EINVAL;
	if (fdt_cell(fdt, HDR_OFF_STRUCT) & 3 ||
	    !block_fits(fdt_cell(fdt, HDR_OFF_STRUCT), fdt_cell(fdt, HDR_SIZE_STRUCT), total) ||
	    !block_fits(fdt_cell(fdt, HDR_OFF_STRINGS), fdt_cell(fdt, HDR_SIZE_STRINGS), total))
		return -EINVAL;
	err = check_rsv(fdt);
	if (!err)
		err = check_strings(fdt);
	return err ? err : check_struct(fdt);
}

int fdt_get_mem_rsv(const void *fdt, unsigned int i, u64 *addr, u64 *size)
{
	const u8 *p = (const u8 *)fdt + fdt_cell(fdt, HDR_OFF_RSV);

	/* fdt_check() saw the end mark; nothing behind it is meant. */
	for (;; p += FDT_RSV_ENTRY) {
		if (!memchr_inv(p, 0, FDT_RSV_ENTRY))
			return -ENOENT;
		if (i-- == 0)
			break;
	}
	*addr = (u64)fdt_cell(p, 0) << 32 | fdt_cell(p, 1);
	*size = (u64)fdt_cell(p, 2) << 32 | fdt_cell(p, 3);
	return 0;
}

int fdt_next_node(const void *fdt, int node, int *depth)
{
	int off = 0, at, dummy = 0;

	if (!depth)
		depth = &dummy;
	if (node < 0)
		*depth = -1;
	else if (fdt_next_token(fdt, node, &off) != FDT_BEGIN_NODE)
		return -EINVAL;
	for (;;) {
		at = off;
		switch (fdt_next_token(fdt, at, &off)) {
		case FDT_BEGIN_NODE:
			++*depth;
			return at;
		case FDT_END_NODE:
			--*depth;
			break;
		case FDT_PROP:
		case FDT_NOP:
			break;
		case FDT_END:
			return -ENOENT;
		default:
			return -EINVAL;
		}
	}
}

int fdt_first_child(const void *fdt, int parent)
{
	int depth = 0, node = fdt_next_node(fdt, parent, &depth);

	if (node < 0)
		return node;
	return depth == 1 ? node : -ENOENT;
}

int fdt_next_sibling(const void *fdt, int node)
{
	int depth = 0;

	do {
		node = fdt_next_node(fdt, node, &depth);
	} while (node >= 0 && depth > 0);
	if (node < 0)
		return node;
	return depth == 0 ? node : -ENOENT;
}

const char *fdt_node_name(const void *fdt, int node, int *len)
{
	const char *name = "";
	int next;

	if (fdt_next_token(fdt, node, &next) == FDT_BEGIN_NODE)
		name = (const char *)struct_bytes(fdt, node, 4) + 4;
	if (len)
		*len = strlen(name);
	return name;
}

int fdt_ancestors(const void *fdt, int node, int path[FDT_MAX_DEPTH + 1])
{
	int at = -1, depth;

	do {
		at = fdt_next_node(fdt, at, &depth);
		if (at < 0)
			return at;
		if (depth < 0 || depth > FDT_MAX_DEPTH)
			return -EINVAL;
		path[depth] = at;
	} while (at < node);
	return at == node ? depth : -EINVAL;
}

int fdt_parent(const void *fdt, int node)
{
	int path[FDT_MAX_DEPTH + 1];
	int depth = fdt_ancestors(fdt, node, path);

	if (depth < 0)
		return depth;
	return depth ? path[depth - 1] : -ENOENT;
}

int fdt_depth(const void *fdt, int node)
{
	int path[FDT_MAX_DEPTH + 1];

	return fdt_ancestors(fdt, node, path);
}

const void *fdt_next_prop(const void *fdt, int node, int *cursor, const char **name, int *len)
{
	int off, at;
	const u8 *p;

	*len = -EINVAL;
	if (*cursor)
		off = *cursor;
	else if (fdt_next_token(fdt, node, &off) != FDT_BEGIN_NODE)
		return NULL;
	for (;;) {
		at = off;
		switch (fdt_next_token(fdt, at, &off)) {
		case FDT_PROP:
			*cursor = off;
			p = struct_bytes(fdt, at, 12);
			*name = fdt_string(fdt, fdt_cell(p, 2));
			*len = fdt_cell(p, 1);
			return p + 12;
		case FDT_NOP:
			break;
		case FDT_BROKEN:
			return NULL;
		default:
			*len = -ENOENT;
			return NULL;
		}
	}
}

const void *fdt_getprop(const void *fdt, int node, const char *name, int *len)
{
	int cursor = 0, this_len;
	const char *this_name;
	const void *value;

	do {
		value = fdt_next_prop(fdt, node, &cursor, &this_name, &this_len);
	} while (value && strcmp(this_name, name));
	if (len)
		*len = this_len;
	return value;
}
