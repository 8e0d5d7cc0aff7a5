/* What the parts of the device tree reader share with each other and nobody else. */
#pragma once

#include "lib/fdt.h"

enum fdt_token {
	FDT_BROKEN = 0,
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

/* The token at @off of the structure block, proved to lie in it whole; *@next is set behind it. */
u32 fdt_next_token(const void *fdt, int off, int *next);

/*
 * All nodes from the root (path[0]) to @node itself, in one walk. Returns the
 * depth of @node, so path[depth] == @node, or -EINVAL when it is no node.
 */
int fdt_ancestors(const void *fdt, int node, int path[FDT_MAX_DEPTH + 1]);
