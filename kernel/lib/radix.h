/*
 * A map from an unsigned long to a pointer, with three tags per entry: the page
 * cache's index. See radix.c for its shape.
 *
 * Neither allocates nor locks. Nodes come from a pool that the caller fills
 * before it takes the lock of the tree:
 *
 *	retry:
 *		lock
 *		err = radix_insert(tree, index, page, &pool);
 *		unlock
 *		if (err == -ENOMEM) { put radix_need() nodes into the pool; goto retry; }
 *
 * What remains in the pool afterwards, and what radix_delete() gives back, is
 * the caller's to free. All functions need the tree's lock, whatever it is.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

#define RADIX_SHIFT 6
#define RADIX_SLOTS (1UL << RADIX_SHIFT)
#define RADIX_MAX_HEIGHT 11	/* 11 * 6 bits hold any index */

enum radix_tag {
	RADIX_TAG_DIRTY,
	RADIX_TAG_WRITEBACK,
	RADIX_TAG_TOWRITE,
	RADIX_TAGS,
};

struct radix_node {
	struct radix_node *parent;	/* in a pool: the next free node */
	u8 offset;			/* slot in the parent */
	u64 tags[RADIX_TAGS + 1];	/* bit n: slot n, or something below it; last: in use */
	void *slots[RADIX_SLOTS];	/* nodes, or items at the lowest level */
};

/* height: levels of nodes; 0 when empty. */
struct radix_tree {
	struct radix_node *root;
	unsigned int height;
};

struct radix_pool {
	struct radix_node *free;
	unsigned int n;
};

#define RADIX_TREE_INIT { NULL, 0 }
#define RADIX_POOL_INIT { NULL, 0 }

static inline void radix_init(struct radix_tree *tree)
{
	tree->root = NULL;
	tree->height = 0;
}

static inline bool radix_empty(const struct radix_tree *tree)
{
	return !tree->root;
}

static inline void radix_pool_put(struct radix_pool *pool, struct radix_node *node)
{
	node->parent = pool->free;
	pool->free = node;
	pool->n++;
}

/* A node off the pool, contents undefined; NULL when empty. */
static inline struct radix_node *radix_pool_get(struct radix_pool *pool)
{
	struct radix_node *node = pool->free;

	if (node) {
		pool->free = node->parent;
		pool->n--;
	}
	return node;
}

/* An exceptional entry is a value, not a pointer, told apart by its low bit. */
static inline bool radix_is_exceptional(const void *item)
{
	return (unsigned long)item & 1;
}

/* How many nodes radix_insert() of @index would take from the pool now, 0..20. */
unsigned int radix_need(const struct radix_tree *tree, unsigned long index);

/*
 * Store @item (not NULL), untagged, at @index. 0, -EEXIST when the index is
 * taken, or -ENOMEM, with nothing changed, when @pool holds fewer than
 * radix_need() nodes.
 */
int radix_insert(struct radix_tree *tree, unsigned long index, void *item,
		 struct radix_pool *pool);

/* The item at @index, or NULL. */
void *radix_lookup(const struct radix_tree *tree, unsigned long index);

/* Exchange the item at @index, keeping its tags; returns the old one, NULL (no change) if none. */
void *radix_replace(struct radix_tree *tree, unsigned long index, void *item);

/* Remove and return the item at @index, or NULL; nodes that fall empty go to @pool. */
void *radix_delete(struct radix_tree *tree, unsigned long index, struct radix_pool *pool);

/* Tag or untag the item at @index; returns the item, NULL (no change) if there is none. */
void *radix_tag_set(struct radix_tree *tree, unsigned long index, enum radix_tag tag);
void *radix_tag_clear(struct radix_tree *tree, unsigned long index, enum radix_tag tag);

/* Is the item at @index tagged? False when there is none. */
bool radix_tag_get(const struct radix_tree *tree, unsigned long index, enum radix_tag tag);

/* Is any item of the tree tagged? One load. */
bool radix_tagged(const struct radix_tree *tree, enum radix_tag tag);

/*
 * Up to @max items with an index >= @first in rising order into @results, and
 * their indices into @indices unless that is NULL. Returns how many. The _tag
 * form gives only tagged ones and skips the rest without visiting it.
 */
unsigned int radix_gang_lookup(const struct radix_tree *tree, unsigned long first,
			       void **results, unsigned int max, unsigned long *indices);
unsigned int radix_gang_lookup_tag(const struct radix_tree *tree, unsigned long first,
				   void **results, unsigned int max, unsigned long *indices,
				   enum radix_tag tag);
