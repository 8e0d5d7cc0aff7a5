/*
 * Red-black trees, intrusive: the node sits in the object, the caller does the
 * descent (it alone knows the key) and these functions keep the balance.
 *
 *	struct rb_node **link = &root->rb_node, *parent = NULL;
 *
 *	while (*link) {
 *		parent = *link;
 *		link = key < rb_entry(parent, struct thing, node)->key ?
 *			&parent->rb_left : &parent->rb_right;
 *	}
 *	rb_link_node(&thing->node, parent, link);
 *	rb_insert_color(&thing->node, root);
 *
 * No locking; lookups and changes of one tree must be serialised by its owner.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

struct rb_node {
	unsigned long parent_color;	/* parent's address | 1 if black */
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root) (READ_ONCE((root)->rb_node) == NULL)

#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) \
	({ struct rb_node *__rb = (ptr); __rb ? rb_entry(__rb, type, member) : NULL; })

/* A node that is in no tree points to itself. */
#define RB_EMPTY_NODE(node) ((node)->parent_color == (unsigned long)(node))
#define RB_CLEAR_NODE(node) ((node)->parent_color = (unsigned long)(node))

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~1UL);
}

/* Hang @node, red and childless, at *@link below @parent (NULL: the root). */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->parent_color = (unsigned long)parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

/* Restore the balance after rb_link_node(). */
void rb_insert_color(struct rb_node *node, struct rb_root *root);

/* Remove @node; its own links are stale afterwards. */
void rb_erase(struct rb_node *node, struct rb_root *root);

/* Put @node where @old is, without touching the balance; the keys must be equal. */
void rb_replace_node(struct rb_node *old, struct rb_node *node, struct rb_root *root);

/* In key order; NULL at the ends. O(log n) each. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

#define rb_for_each_entry(pos, root, member) \
	for ((pos) = rb_entry_safe(rb_first(root), __typeof__(*(pos)), member); (pos); \
	     (pos) = rb_entry_safe(rb_next(&(pos)->member), __typeof__(*(pos)), member))
