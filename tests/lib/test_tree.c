/* Red-black and radix trees against flat models. */
#include "test.h"
#include "lib/radix.h"
#include "lib/rbtree.h"

#define KEYS 512

struct thing {
	struct rb_node node;
	int key;
};

/* Black height of the subtree, every invariant checked. */
static int check_rb(struct rb_node *node, struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	EXPECT(rb_parent(node) == parent);
	if (!(node->parent_color & 1))
		EXPECT(parent && (parent->parent_color & 1));
	left = check_rb(node->rb_left, node);
	right = check_rb(node->rb_right, node);
	EXPECT_EQ(left, right);
	return left + (node->parent_color & 1);
}

static void rb_insert(struct rb_root *root, struct thing *thing)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = thing->key < rb_entry(parent, struct thing, node)->key ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&thing->node, parent, link);
	rb_insert_color(&thing->node, root);
}

/* The tree must hold exactly the keys that are set in @present. */
static void expect_keys(struct rb_root *root, const bool *present)
{
	struct rb_node *back = rb_last(root);
	struct thing *thing;
	int key = 0;

	rb_for_each_entry(thing, root, node) {
		while (key < KEYS && !present[key])
			key++;
		EXPECT_EQ(thing->key, key);
		key++;
	}
	while (key < KEYS && !present[key])
		key++;
	EXPECT_EQ(key, KEYS);
	for (key = KEYS - 1; key >= 0; key--) {
		if (!present[key])
			continue;
		EXPECT(back && rb_entry(back, struct thing, node)->key == key);
		back = back ? rb_prev(back) : NULL;
	}
	EXPECT(!back);
}

static void test_rbtree(struct prng *rng)
{
	static struct thing things[KEYS];
	static bool present[KEYS];
	struct rb_root root = RB_ROOT;

	for (int round = 0; round < 20000; round++) {
		/* Phases that mostly grow and mostly shrink. */
		bool grow = prng_below(rng, 8) > (round / 1000 % 2 ? 5 : 1);
		int key = prng_below(rng, KEYS);

		if (present[key] != grow) {
			things[key].key = key;
			if (grow)
				rb_insert(&root, &things[key]);
			else
				rb_erase(&things[key].node, &root);
			present[key] = grow;
		}
		if (round % 16 == 0) {
			check_rb(root.rb_node, NULL);
			EXPECT(!root.rb_node || (root.rb_node->parent_color & 1));
			expect_keys(&root, present);
		}
	}
}

static void test_rb_replace(struct prng *rng)
{
	struct thing things[32], other = { .key = 0 };
	struct rb_root root = RB_ROOT;
	struct thing *thing;
	int key = 0;

	other.key = prng_below(rng, 32);
	for (int i = 0; i < 32; i++) {
		things[i].key = i;
		rb_insert(&root, &things[i]);
	}
	rb_replace_node(&things[other.key].node, &other.node, &root);
	check_rb(root.rb_node, NULL);
	rb_for_each_entry(thing, &root, node) {
		EXPECT_EQ(thing->key, key);
		EXPECT((thing == &other) == (key == other.key));
		key++;
	}
	EXPECT_EQ(key, 32);
}

/* The radix tree's model: a table of indices that were drawn beforehand. */
#define SPOTS 400

struct spot {
	unsigned long index;
	void *item;
	bool tag[RADIX_TAGS];
};

static struct spot spots[SPOTS];
static unsigned int nodes_out;

static void draw_spots(struct prng *rng, bool dense)
{
	for (int i = 0; i < SPOTS; i++) {
		spots[i] = (struct spot){ .index = dense ? i * 3UL : prng_next(rng) };
		if (!dense)
			spots[i].index >>= 6 * prng_below(rng, 11);
	}
	spots[0].index = 0;
	if (!dense)
		spots[1].index = ~0UL;
	for (int i = 1; i < SPOTS; i++)		/* insertion sort, duplicates nudged apart */
		for (int j = i; j > 0 && spots[j].index < spots[j - 1].index; j--)
			swap(spots[j], spots[j - 1]);
	for (int i = 1; i < SPOTS; i++)
		if (spots[i].index <= spots[i - 1].index)
			spots[i].index = spots[i - 1].index + 1;
}

/* Insert with exactly as many nodes as asked for, so that radix_need() is proved tight. */
static void insert(struct radix_tree *tree, struct spot *spot, void *item)
{
	struct radix_pool pool = RADIX_POOL_INIT;
	unsigned int need = radix_need(tree, spot->index);

	EXPECT(need <= 20);
	for (unsigned int i = 0; i < need; i++) {
		EXPECT_EQ(radix_insert(tree, spot->index, item, &pool), -ENOMEM);
		radix_pool_put(&pool, malloc(sizeof(struct radix_node)));
	}
	EXPECT_EQ(radix_insert(tree, spot->index, item, &pool), 0);
	EXPECT_EQ(pool.n, 0);
	EXPECT_EQ(radix_insert(tree, spot->index, item, &pool), -EEXIST);
	nodes_out += need;
	spot->item = item;
}

static void delete(struct radix_tree *tree, struct spot *spot)
{
	struct radix_pool pool = RADIX_POOL_INIT;
	struct radix_node *node;

	EXPECT(radix_delete(tree, spot->index, &pool) == spot->item);
	EXPECT(!radix_delete(tree, spot->index, &pool));
	nodes_out -= pool.n;
	while ((node = radix_pool_get(&pool)))
		free(node);
	*spot = (struct spot){ .index = spot->index };
}

/* Compare a gang lookup, tagged (tag < RADIX_TAGS) or not, with the table. */
static void check_gang(struct radix_tree *tree, struct prng *rng, unsigned int tag)
{
	unsigned int max = 1 + prng_below(rng, 40), n, expected = 0;
	unsigned long first = spots[prng_below(rng, SPOTS)].index, indices[40];
	void *results[40];

	first += prng_below(rng, 3) - 1;
	n = tag < RADIX_TAGS ? radix_gang_lookup_tag(tree, first, results, max, indices, tag) :
		radix_gang_lookup(tree, first, results, max, indices);
	for (int i = 0; i < SPOTS && expected < max; i++) {
		if (spots[i].index < first || !spots[i].item)
			continue;
		if (tag < RADIX_TAGS && !spots[i].tag[tag])
			continue;
		if (expected < n) {
			EXPECT_EQ(indices[expected], spots[i].index);
			EXPECT(results[expected] == spots[i].item);
		}
		expected++;
	}
	EXPECT_EQ(n, expected);
}

static void change_tag(struct radix_tree *tree, struct prng *rng, struct spot *spot)
{
	unsigned int tag = prng_below(rng, RADIX_TAGS);
	bool set = prng_below(rng, 2);
	void *item = set ? radix_tag_set(tree, spot->index, tag) :
		radix_tag_clear(tree, spot->index, tag);

	EXPECT(item == spot->item);
	if (spot->item)
		spot->tag[tag] = set;
}

static void check_all(struct radix_tree *tree)
{
	bool tagged[RADIX_TAGS] = { 0 };
	unsigned int height = 0;
	bool empty = true;

	for (struct spot *spot = spots; spot < spots + SPOTS; spot++) {
		EXPECT(radix_lookup(tree, spot->index) == spot->item);
		for (int tag = 0; tag < RADIX_TAGS; tag++) {
			EXPECT_EQ(radix_tag_get(tree, spot->index, tag), spot->tag[tag]);
			tagged[tag] |= spot->tag[tag];
		}
		empty &= !spot->item;
		if (spot->item)		/* spots are sorted: the last one counts */
			for (height = 1; height < 11 && spot->index >> (6 * height); height++)
				;
	}
	EXPECT_EQ(tree->height, height);
	for (int tag = 0; tag < RADIX_TAGS; tag++)
		EXPECT_EQ(radix_tagged(tree, tag), tagged[tag]);
	EXPECT_EQ(radix_empty(tree), empty);
	EXPECT_EQ(nodes_out == 0, empty);
}

static void radix_random(struct prng *rng, bool dense)
{
	struct radix_tree tree = RADIX_TREE_INIT;

	nodes_out = 0;
	draw_spots(rng, dense);
	for (int round = 0; round < 8000; round++) {
		struct spot *spot = &spots[prng_below(rng, SPOTS)];
		bool grow = prng_below(rng, 8) > (round / 500 % 2 ? 5 : 1);

		if (prng_below(rng, 2))
			change_tag(&tree, rng, spot);
		else if (grow && !spot->item)
			insert(&tree, spot, (void *)((prng_next(rng) << 1) | 1));
		else if (!grow && spot->item)
			delete(&tree, spot);
		check_gang(&tree, rng, prng_below(rng, RADIX_TAGS + 1));
		if (round % 40 == 0)
			check_all(&tree);
	}
	/* Largest index first, so that the tree gets lower as it drains. */
	for (int i = SPOTS - 1; i >= 0; i--) {
		if (spots[i].item)
			delete(&tree, &spots[i]);
		if (i % 8 == 0)
			check_all(&tree);
	}
}

static void test_radix_dense(struct prng *rng)
{
	radix_random(rng, true);
}

static void test_radix_sparse(struct prng *rng)
{
	radix_random(rng, false);
}

static void test_radix_replace(struct prng *rng)
{
	struct radix_tree tree = RADIX_TREE_INIT;
	struct radix_pool pool = RADIX_POOL_INIT;
	struct radix_node node;

	(void)rng;
	EXPECT(!radix_replace(&tree, 5, &tree));
	radix_pool_put(&pool, &node);
	EXPECT_EQ(radix_insert(&tree, 5, &tree, &pool), 0);
	radix_tag_set(&tree, 5, RADIX_TAG_DIRTY);
	EXPECT(radix_replace(&tree, 5, (void *)3UL) == &tree);
	EXPECT(radix_is_exceptional(radix_lookup(&tree, 5)));
	EXPECT(radix_tag_get(&tree, 5, RADIX_TAG_DIRTY));
	EXPECT(!radix_replace(&tree, 6, &tree));
	EXPECT(radix_delete(&tree, 5, &pool) == (void *)3UL);
	EXPECT_EQ(pool.n, 1);
}

const struct test tree_tests[] = {
	{ "a red-black tree keeps its order and invariants under 20000 operations", test_rbtree },
	{ "replacing a red-black node keeps its neighbours", test_rb_replace },
	{ "a dense radix tree agrees with a table, tags and pool included", test_radix_dense },
	{ "a radix tree over all 64 bits agrees with a table", test_radix_sparse },
	{ "replacing a radix entry keeps its tags", test_radix_replace },
	{ 0 },
};
