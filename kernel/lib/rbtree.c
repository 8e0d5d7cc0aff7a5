/*
 * Red-black trees (Guibas and Sedgewick, 1978).
 *
 * Invariants: (1) the root is black; (2) a red node has no red child; (3) every
 * way from a node down to a missing child passes the same number of black
 * nodes. Hence no way is more than twice as long as another.
 *
 * An insertion can only break (1) or (2), a removal only (3): each has one loop
 * that either repairs the damage with at most three rotations or moves it one
 * level up by recolouring. Left and right cases mirror each other, so nodes are
 * addressed by side and each case is written once.
 *
 * A node's colour is bit 0 of its parent pointer. Missing children are black.
 */
#include "lib/rbtree.h"

enum side { LEFT, RIGHT };

#define BLACK 1UL

static inline bool is_red(const struct rb_node *node)
{
	return node && !(node->parent_color & BLACK);
}

static inline void set_red(struct rb_node *node)
{
	node->parent_color &= ~BLACK;
}

static inline void set_black(struct rb_node *node)
{
	node->parent_color |= BLACK;
}

static inline void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (node->parent_color & BLACK) | (unsigned long)parent;
}

static inline struct rb_node **child(struct rb_node *node, enum side side)
{
	return side == LEFT ? &node->rb_left : &node->rb_right;
}

static inline enum side side_of(const struct rb_node *node, const struct rb_node *parent)
{
	return parent->rb_left == node ? LEFT : RIGHT;
}

/* The pointer that points to @node, whose parent is @parent (NULL for the root). */
static inline struct rb_node **link_of(struct rb_node *node, struct rb_node *parent,
				       struct rb_root *root)
{
	return parent ? child(parent, side_of(node, parent)) : &root->rb_node;
}

/* @node sinks to @side and its child of the other side takes its place; colours stay. */
static void rotate(struct rb_node *node, enum side side, struct rb_root *root)
{
	struct rb_node *parent = rb_parent(node);
	struct rb_node *up = *child(node, !side);
	struct rb_node *inner = *child(up, side);

	*link_of(node, parent, root) = up;
	set_parent(up, parent);
	*child(node, !side) = inner;
	if (inner)
		set_parent(inner, node);
	*child(up, side) = node;
	set_parent(node, up);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent;

	/* @node is red; only it and its parent can be red in a row. */
	while (is_red(parent = rb_parent(node))) {
		struct rb_node *grandparent = rb_parent(parent);
		enum side side = side_of(parent, grandparent);
		struct rb_node *uncle = *child(grandparent, !side);

		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grandparent);
			node = grandparent;
			continue;
		}
		if (side_of(node, parent) != side) {
			rotate(parent, side, root);
			parent = node;
		}
		set_black(parent);
		set_red(grandparent);
		rotate(grandparent, !side, root);
		break;
	}
	set_black(root->rb_node);
}

/*
 * Every way through @node (which may be missing, hence its @parent) is one
 * black short. Make a red one black, or find the missing black in the sibling.
 */
static void erase_fixup(struct rb_node *node, struct rb_node *parent, struct rb_root *root)
{
	while (parent && !is_red(node)) {
		enum side side = side_of(node, parent);
		struct rb_node *sibling = *child(parent, !side);
		struct rb_node *near, *far;

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(parent, side, root);
			sibling = *child(parent, !side);
		}
		near = *child(sibling, side);
		far = *child(sibling, !side);
		if (!is_red(near) && !is_red(far)) {
			set_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(far)) {
			set_black(near);
			set_red(sibling);
			rotate(sibling, !side, root);
			far = sibling;
			sibling = near;
		}
		if (is_red(parent))
			set_red(sibling);
		else
			set_black(sibling);
		set_black(parent);
		set_black(far);
		rotate(parent, side, root);
		return;
	}
	if (node)
		set_black(node);
}

/* Let @node take over the place, colour and children of @old. */
static void take_place(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	*link_of(old, rb_parent(old), root) = node;
	*node = *old;
	if (node->rb_left)
		set_parent(node->rb_left, node);
	if (node->rb_right)
		set_parent(node->rb_right, node);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *gone = node, *only, *parent;
	bool black;

	/* With two children, it is the successor's place that is vacated. */
	if (node->rb_left && node->rb_right)
		for (gone = node->rb_right; gone->rb_left; gone = gone->rb_left)
			;
	only = gone->rb_left ? gone->rb_left : gone->rb_right;
	parent = rb_parent(gone);
	black = !is_red(gone);

	*link_of(gone, parent, root) = only;
	if (only)
		set_parent(only, parent);
	if (gone != node) {
		take_place(node, gone, root);
		if (parent == node)
			parent = gone;
	}
	if (black)
		erase_fixup(only, parent, root);
}

void rb_replace_node(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	take_place(old, node, root);
}

/* The last node on the way down to @side. */
static struct rb_node *extreme(struct rb_node *node, enum side side)
{
	while (node && *child(node, side))
		node = *child(node, side);
	return node;
}

/* The neighbour of @node in key order: below it, or the first ancestor it lies before. */
static struct rb_node *neighbour(struct rb_node *node, enum side side)
{
	struct rb_node *parent;

	if (*child(node, side))
		return extreme(*child(node, side), !side);
	while ((parent = rb_parent(node)) && side_of(node, parent) == side)
		node = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return extreme(root->rb_node, LEFT);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return extreme(root->rb_node, RIGHT);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return neighbour((struct rb_node *)node, RIGHT);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return neighbour((struct rb_node *)node, LEFT);
}
