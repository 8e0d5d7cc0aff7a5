/*
 * A radix tree of 64-way nodes.
 *
 * The index is cut into digits of six bits; the tree has as many levels as its
 * largest index needs digits, so a small file's tree is one node. Growing puts
 * new roots on top with the old tree in slot 0, shrinking takes them off again.
 *
 * Each node has one 64-bit mask per tag. At the lowest level a bit says that
 * the item in this slot is tagged, above it that something below is tagged, so
 * "the next dirty page" descends without visiting clean ones. Presence is kept
 * the same way, as one more tag that the interface does not show: a slot's
 * presence bit is set exactly when the slot is not NULL.
 *
 * Invariants: no node is empty (its presence mask is not 0); a root above the
 * lowest level has something besides slot 0; an item's tag bit implies the bits
 * of all nodes above it, and a bit above implies one below.
 */
#include "lib/radix.h"
#include "lib/bitops.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PRESENT RADIX_TAGS
#define DIGIT_MASK (RADIX_SLOTS - 1)

static inline unsigned int digit(unsigned long index, unsigned int level)
{
	return (index >> (level * RADIX_SHIFT)) & DIGIT_MASK;
}

/* Levels that @index needs, 1..11. */
static inline unsigned int levels_for(unsigned long index)
{
	return index ? __fls(index) / RADIX_SHIFT + 1 : 1;
}

/* Set, or clear, the bit of @slot in @node and what follows from it above. */
static void mark(struct radix_node *node, unsigned int slot, unsigned int tag)
{
	while (node) {
		u64 old = node->tags[tag];

		node->tags[tag] = old | BIT(slot);
		if (old)
			return;
		slot = node->offset;
		node = node->parent;
	}
}

static void unmark(struct radix_node *node, unsigned int slot, unsigned int tag)
{
	while (node) {
		node->tags[tag] &= ~BIT(slot);
		if (node->tags[tag])
			return;
		slot = node->offset;
		node = node->parent;
	}
}

/* The lowest node on the way to @index, or NULL when the way ends earlier. */
static struct radix_node *find_leaf(const struct radix_tree *tree, unsigned long index)
{
	struct radix_node *node = tree->root;
	unsigned int level;

	if (!node || levels_for(index) > tree->height)
		return NULL;
	for (level = tree->height - 1; node && level > 0; level--)
		node = node->slots[digit(index, level)];
	return node;
}

/* The same when @index is in use, NULL when not; the item is in slot digit(index, 0). */
static struct radix_node *find_item(const struct radix_tree *tree, unsigned long index)
{
	struct radix_node *leaf = find_leaf(tree, index);

	return leaf && leaf->slots[digit(index, 0)] ? leaf : NULL;
}

unsigned int radix_need(const struct radix_tree *tree, unsigned long index)
{
	unsigned int levels = levels_for(index), level;
	struct radix_node *node = tree->root;

	if (!node)
		return levels;
	if (levels > tree->height)
		return (levels - tree->height) + (levels - 1);
	for (level = tree->height - 1; level > 0; level--) {
		node = node->slots[digit(index, level)];
		if (!node)
			return level;
	}
	return 0;
}

/* A clean node off the pool, not yet marked present in @parent. */
static struct radix_node *new_node(struct radix_pool *pool, struct radix_node *parent,
				   unsigned int slot)
{
	struct radix_node *node = radix_pool_get(pool);

	memset(node, 0, sizeof(*node));
	node->parent = parent;
	node->offset = slot;
	return node;
}

/* Put roots on top until the tree has @levels levels. */
static void grow(struct radix_tree *tree, unsigned int levels, struct radix_pool *pool)
{
	if (!tree->root) {
		tree->root = new_node(pool, NULL, 0);
		tree->height = levels;
		return;
	}
	while (tree->height < levels) {
		struct radix_node *old = tree->root, *root = new_node(pool, NULL, 0);

		root->slots[0] = old;
		old->parent = root;
		for (unsigned int tag = 0; tag <= PRESENT; tag++)
			root->tags[tag] = old->tags[tag] != 0;
		tree->root = root;
		tree->height++;
	}
}

int radix_insert(struct radix_tree *tree, unsigned long index, void *item,
		 struct radix_pool *pool)
{
	unsigned int level, slot, levels = levels_for(index);
	struct radix_node *node;

	if (find_item(tree, index))
		return -EEXIST;
	if (radix_need(tree, index) > pool->n)
		return -ENOMEM;
	if (!tree->root || levels > tree->height)
		grow(tree, levels, pool);
	node = tree->root;
	for (level = tree->height - 1; level > 0; level--) {
		slot = digit(index, level);
		if (!node->slots[slot])
			node->slots[slot] = new_node(pool, node, slot);
		node = node->slots[slot];
	}
	slot = digit(index, 0);
	node->slots[slot] = item;
	mark(node, slot, PRESENT);
	return 0;
}

void *radix_lookup(const struct radix_tree *tree, unsigned long index)
{
	struct radix_node *leaf = find_leaf(tree, index);

	return leaf ? leaf->slots[digit(index, 0)] : NULL;
}

void *radix_replace(struct radix_tree *tree, unsigned long index, void *item)
{
	struct radix_node *leaf = find_item(tree, index);
	void *old;

	if (!leaf)
		return NULL;
	old = leaf->slots[digit(index, 0)];
	leaf->slots[digit(index, 0)] = item;
	return old;
}

/* Take roots off that have only slot 0 below them. */
static void shrink(struct radix_tree *tree, struct radix_pool *pool)
{
	struct radix_node *root = tree->root;

	while (tree->height > 1 && root->tags[PRESENT] == BIT(0)) {
		tree->root = root->slots[0];
		tree->root->parent = NULL;
		tree->height--;
		radix_pool_put(pool, root);
		root = tree->root;
	}
}

void *radix_delete(struct radix_tree *tree, unsigned long index, struct radix_pool *pool)
{
	struct radix_node *node = find_item(tree, index);
	unsigned int slot = digit(index, 0);
	void *item;

	if (!node)
		return NULL;
	item = node->slots[slot];
	for (unsigned int tag = 0; tag <= PRESENT; tag++)
		unmark(node, slot, tag);
	node->slots[slot] = NULL;
	while (node && !node->tags[PRESENT]) {
		struct radix_node *parent = node->parent;

		if (parent)
			parent->slots[node->offset] = NULL;
		else
			radix_init(tree);
		radix_pool_put(pool, node);
		node = parent;
	}
	if (tree->root)
		shrink(tree, pool);
	return item;
}

void *radix_tag_set(struct radix_tree *tree, unsigned long index, enum radix_tag tag)
{
	struct radix_node *leaf = find_item(tree, index);

	if (!leaf)
		return NULL;
	mark(leaf, digit(index, 0), tag);
	return leaf->slots[digit(index, 0)];
}

void *radix_tag_clear(struct radix_tree *tree, unsigned long index, enum radix_tag tag)
{
	struct radix_node *leaf = find_item(tree, index);

	if (!leaf)
		return NULL;
	if (leaf->tags[tag] & BIT(digit(index, 0)))
		unmark(leaf, digit(index, 0), tag);
	return leaf->slots[digit(index, 0)];
}

bool radix_tag_get(const struct radix_tree *tree, unsigned long index, enum radix_tag tag)
{
	struct radix_node *leaf = find_item(tree, index);

	return leaf && (leaf->tags[tag] & BIT(digit(index, 0)));
}

bool radix_tagged(const struct radix_tree *tree, enum radix_tag tag)
{
	return tree->root && tree->root->tags[tag];
}

/*
 * The lowest node that has a marked slot at or after *@index, with *@index moved
 * to that slot; NULL when there is none. Descends by the digits of *@index; where
 * that way ends it climbs to the nearest later mark and takes the first way down.
 */
static struct radix_node *next_leaf(const struct radix_tree *tree, unsigned long *index,
				    unsigned int tag)
{
	struct radix_node *node = tree->root;
	unsigned int level, slot;
	u64 mask;

	if (!node || levels_for(*index) > tree->height)
		return NULL;
	level = tree->height - 1;
	for (;;) {
		slot = digit(*index, level);
		mask = node->tags[tag] & (~0UL << slot);
		while (!mask) {
			slot = node->offset;
			node = node->parent;
			if (!node)
				return NULL;
			level++;
			mask = node->tags[tag] & (~0UL << slot) & ~BIT(slot);
		}
		if (__ffs(mask) != digit(*index, level)) {
			unsigned int shift = level * RADIX_SHIFT;

			*index = *index >> shift >> RADIX_SHIFT << RADIX_SHIFT << shift;
			*index |= __ffs(mask) << shift;
		}
		if (level == 0)
			return node;
		node = node->slots[__ffs(mask)];
		level--;
	}
}

static unsigned int gang_lookup(const struct radix_tree *tree, unsigned long index,
				void **results, unsigned int max, unsigned long *indices,
				unsigned int tag)
{
	struct radix_node *leaf;
	unsigned int n = 0;

	while (n < max && (leaf = next_leaf(tree, &index, tag))) {
		unsigned long base = index & ~DIGIT_MASK;
		u64 mask = leaf->tags[tag] & (~0UL << digit(index, 0));

		for (; mask && n < max; mask &= mask - 1, n++) {
			results[n] = leaf->slots[__ffs(mask)];
			if (indices)
				indices[n] = base + __ffs(mask);
		}
		index = base + RADIX_SLOTS;
		if (!index)
			break;
	}
	return n;
}

unsigned int radix_gang_lookup(const struct radix_tree *tree, unsigned long first,
			       void **results, unsigned int max, unsigned long *indices)
{
	return gang_lookup(tree, first, results, max, indices, PRESENT);
}

unsigned int radix_gang_lookup_tag(const struct radix_tree *tree, unsigned long first,
				   void **results, unsigned int max, unsigned long *indices,
				   enum radix_tag tag)
{
	return gang_lookup(tree, first, results, max, indices, tag);
}
