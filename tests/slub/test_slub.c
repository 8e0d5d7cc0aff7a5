/* What is SLUB's own: states of slabs, counts, nodes, fallback to small slabs, debug options. */
#include "test.h"

static void on_all(struct kmem_cache *cache)
{
	on_each_cpu(slub_flush_cpu, cache);
}

/* Counts what the lists and words say, with no CPU slabs, and compares with what is live. */
static void check_cache(struct kmem_cache *cache, unsigned long live)
{
	unsigned long used = 0, objects = 0, slabs = 0;

	on_all(cache);
	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[nid];
		unsigned long listed = 0;
		struct page *slab;

		list_for_each_entry(slab, &node->partial, slab_list) {
			u64 state = slab_state(slab);
			unsigned int spare = 0;
			void *object = state_head(state, page_address(slab));

			EXPECT(!is_frozen(state));
			EXPECT_EQ(slab->flags >> PAGE_NODE_SHIFT, nid);
			for (; object && spare <= slab_objects(slab); spare++) {
				EXPECT(is_object(cache, slab, object));
				object = get_link(cache, object);
			}
			EXPECT_EQ(spare + state_inuse(state), slab_objects(slab));
			EXPECT(spare > 0);
			used += state_inuse(state);
			objects += slab_objects(slab);
			listed++;
		}
		EXPECT_EQ(listed, node->nr_partial);
		/* The others are full, and all of their objects in use. */
		slabs += atomic_read(&node->nr_slabs) - listed;
		objects += atomic_read(&node->nr_objects) - objects;
		EXPECT(slabs == 0 || live > 0);
	}
	EXPECT_EQ(used + slabs * ((PAGE_SIZE << slub_of(cache)->order) / cache->size), live);
}

static void test_states(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("states", 232, 8, SLAB_NO_MERGE, NULL);
	static void *objects[3000];
	unsigned int n = 0;

	for (unsigned int step = 0; step < 30000; step++) {
		host_cpu_enter(prng_below(rng, TEST_CPUS));
		if (n < ARRAY_SIZE(objects) && (prng_below(rng, 100) < (step / 3000 % 2 ? 40 : 60) ||
						n == 0)) {
			objects[n] = kmem_cache_alloc(cache, 0);
			took(objects[n++], 232, 8);
		} else {
			unsigned int pick = prng_below(rng, n);

			giving(objects[pick], 232);
			kmem_cache_free(cache, objects[pick]);
			objects[pick] = objects[--n];
		}
		if (step % 1000 == 999 || test_failed()) {
			check_cache(cache, n);
			if (test_failed())
				break;
		}
	}
	host_cpu_enter(0);
	while (n) {
		giving(objects[--n], 232);
		kmem_cache_free(cache, objects[n]);
	}
	check_cache(cache, 0);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

/* Empty slabs stay up to min_partial, shrinking gives all back and sorts the rest. */
static void test_shrink(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("shrunk", 512, 8, SLAB_NO_MERGE, NULL);
	struct slub *s = slub_of(cache);
	static void *objects[8 * 100];
	unsigned int last = 0;
	struct page *slab;

	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(cache, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		unsigned int other = prng_below(rng, ARRAY_SIZE(objects));

		swap(objects[i], objects[other]);
	}
	for (unsigned int i = 40; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(cache, objects[i]);
	/* On one CPU nothing but its own slabs and the node's minimum is left empty. */
	EXPECT(atomic_read(&s->node[0].nr_slabs) <=
	       40 + (long)s->min_partial + 2 * (long)s->cpu_partial + 2);
	kmem_cache_shrink(cache);
	EXPECT(atomic_read(&s->node[0].nr_slabs) <= 40);
	list_for_each_entry(slab, &s->node[0].partial, slab_list) {
		unsigned int spare = slab_objects(slab) - state_inuse(slab_state(slab));

		EXPECT(spare >= last);
		last = spare;
	}
	for (unsigned int i = 0; i < 40; i++)
		kmem_cache_free(cache, objects[i]);
	EXPECT(kmem_cache_shrink(cache) > 0);
	EXPECT_EQ(atomic_read(&s->node[0].nr_slabs), 0);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

static int node_of(const void *object)
{
	return virt_to_page(object)->flags >> PAGE_NODE_SHIFT;
}

static void test_nodes(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("nodes", 136, 8, SLAB_NO_MERGE, NULL);
	void *objects[400];
	int nodes[400];

	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		host_cpu_enter(prng_below(rng, TEST_CPUS));
		nodes[i] = prng_below(rng, 2);
		objects[i] = kmem_cache_alloc_node(cache, 0, nodes[i]);
		took(objects[i], 136, 8);
		EXPECT_EQ(node_of(objects[i]), nodes[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		host_cpu_enter(prng_below(rng, TEST_CPUS));
		giving(objects[i], 136);
		kmem_cache_free(cache, objects[i]);
	}
	check_cache(cache, 0);
	shrink_everywhere(cache);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

/* All memory in single pages, every second one in use: slabs of one page serve. */
static void test_fallback(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("tight", 1000, 8, SLAB_NO_MERGE, NULL);
	static struct page *pages[RAM_SIZE / PAGE_SIZE];
	unsigned int n = 0, got = 0, small = 0;
	static void *objects[1000];

	(void)rng;
	EXPECT(slub_of(cache)->order > 0);
	while ((pages[n] = alloc_pages(__GFP_NOWARN | __GFP_MEMALLOC, 0)))
		n++;
	for (unsigned int i = 0; i < n; i++) {
		/* By frame number: no two free ones are neighbours. */
		if (page_to_pfn(pages[i]) % 2) {
			__free_page(pages[i]);
			pages[i] = NULL;
		}
	}
	for (; got < ARRAY_SIZE(objects); got++) {
		objects[got] = kmem_cache_alloc(cache, __GFP_NOWARN);
		EXPECT(objects[got]);
		if (!objects[got])
			break;
		took(objects[got], 1000, 8);
		small += slab_order(virt_to_page(objects[got])->slab_mem) == 0;
	}
	EXPECT(small > ARRAY_SIZE(objects) / 2);	/* the others: from the last reserves */
	while (got) {
		giving(objects[--got], 1000);
		kmem_cache_free(cache, objects[got]);
	}
	for (unsigned int i = 0; i < n; i++)
		if (pages[i])
			__free_page(pages[i]);
	shrink_everywhere(cache);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}

static void test_merge(struct prng *rng)
{
	struct kmem_cache *a = kmem_cache_create("merged-a", 1000, 8, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("merged-b", 1000, 8, 0, NULL);
	struct kmem_cache *c = kmem_cache_create("other", 1000, 8, 0, (void (*)(void *))log_forget);
	void *object = kmem_cache_alloc(a, 0);

	(void)rng;
	EXPECT(a == b);
	EXPECT(a != c);
	kmem_cache_free(b, object);
	EXPECT_EQ(kmem_cache_destroy(a), 0);
	object = kmem_cache_alloc(b, 0);
	EXPECT(object);
	kmem_cache_free(b, object);
	EXPECT_EQ(kmem_cache_destroy(b), 0);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

/* ---- debug options ------------------------------------------------------------------------ */

static void test_options(struct prng *rng)
{
	static const struct {
		const char *line, *name;
		slab_flags_t flags;
	} cases[] = {
		{ "slub_debug", "any", SLUB_DEBUG_FLAGS },
		{ "slub_debug=FZ", "any", SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE },
		{ "slub_debug=P,dentry", "dentry", SLAB_POISON },
		{ "slub_debug=P,dentry", "dentr", 0 },
		{ "slub_debug=P,dentry", "dentry2", 0 },
		{ "slub_debug=u,kmalloc-*,inode", "kmalloc-64", SLAB_STORE_USER },
		{ "slub_debug=u,kmalloc-*,inode", "inode", SLAB_STORE_USER },
		{ "slub_debug=,inode", "inode", SLUB_DEBUG_FLAGS },
		{ "slub_debug=F,a;Z,b;P", "b", SLAB_RED_ZONE },
		{ "slub_debug=F,a;Z,b;P", "c", SLAB_POISON },
		{ "slub_debug=-", "any", 0 },
		{ "quiet", "any", 0 },
	};

	(void)rng;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		strscpy(boot_command_line, cases[i].line, sizeof(boot_command_line));
		EXPECT_EQ(slub_debug_flags(cases[i].name), cases[i].flags);
	}
	boot_command_line[0] = '\0';
}

/* With every mixture of options the allocator is as right as without. */
static void test_debugged(struct prng *rng)
{
	for (unsigned int mix = 1; mix < 16; mix++) {
		size_t size = 1 + prng_below(rng, 300);
		slab_flags_t flags = mix * SLAB_CONSISTENCY_CHECKS;
		struct kmem_cache *cache = kmem_cache_create("debugged", size, 8, flags, NULL);
		void *objects[100];
		unsigned int n = 0;

		for (unsigned int step = 0; step < 1000; step++) {
			if (n < ARRAY_SIZE(objects) && (prng_below(rng, 2) || !n)) {
				objects[n] = kmem_cache_alloc(cache, 0);
				took(objects[n++], size, 8);
			} else {
				unsigned int pick = prng_below(rng, n);

				giving(objects[pick], size);
				kmem_cache_free(cache, objects[pick]);
				objects[pick] = objects[--n];
			}
		}
		check_cache(cache, n);
		while (n) {
			giving(objects[--n], size);
			kmem_cache_free(cache, objects[n]);
		}
		EXPECT_EQ(log_count("BUG"), 0);
		EXPECT_EQ(kmem_cache_destroy(cache), 0);
	}
}

/* Does @what, done to an object of a cache with @flags, end in one report that says @text? */
static void provoke(slab_flags_t flags, void (*what)(struct kmem_cache *, u8 *), const char *text)
{
	struct kmem_cache *cache = kmem_cache_create("provoked", 60, 8, flags, NULL);
	u8 *objects[20];

	log_forget();
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = kmem_cache_alloc(cache, 0);
		memset(objects[i], 0x11, 60);
	}
	what(cache, objects[5]);
	EXPECT_EQ(log_count("BUG provoked"), 1);
	EXPECT_EQ(log_count(text), 1);
	/* Nothing is handed out twice afterwards. */
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
		if (i != 5)
			kmem_cache_free(cache, objects[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = kmem_cache_alloc(cache, 0);
		took(objects[i], 60, 8);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		giving(objects[i], 60);
		kmem_cache_free(cache, objects[i]);
	}
	EXPECT_EQ(log_count("BUG provoked"), 1);
	kmem_cache_destroy(cache);	/* one may be lost: it is not used again */
}

static void overflow(struct kmem_cache *cache, u8 *object)
{
	object[60] = 1;
	kmem_cache_free(cache, object);
}

static void underflow(struct kmem_cache *cache, u8 *object)
{
	object[-1] = 1;
	kmem_cache_free(cache, object);
}

static void free_twice(struct kmem_cache *cache, u8 *object)
{
	kmem_cache_free(cache, object);
	kmem_cache_free(cache, object);
}

static void free_inside(struct kmem_cache *cache, u8 *object)
{
	kmem_cache_free(cache, object + 8);
	kmem_cache_free(cache, object);
}

static void write_late(struct kmem_cache *cache, u8 *object)
{
	void *objects[200];
	unsigned int n;

	kmem_cache_free(cache, object);
	object[20] = 1;
	for (n = 0; n < ARRAY_SIZE(objects) && !log_count("BUG"); n++)
		objects[n] = kmem_cache_alloc(cache, 0);
	while (n)
		kmem_cache_free(cache, objects[--n]);
}

static void test_reports(struct prng *rng)
{
	(void)rng;
	provoke(SLAB_RED_ZONE, overflow, "Right Redzone overwritten");
	provoke(SLAB_RED_ZONE, underflow, "Left Redzone overwritten");
	provoke(SLAB_CONSISTENCY_CHECKS, free_twice, "double free");
	provoke(SLAB_CONSISTENCY_CHECKS, free_inside, "not the start of an object");
	provoke(SLAB_POISON, write_late, "byte 20 of the object is 01, not 6b");
	provoke(SLUB_DEBUG_FLAGS, write_late, "Freed by CPU");
	provoke(SLUB_DEBUG_FLAGS, overflow, "Allocated by CPU");
}

#ifdef CONFIG_SLUB_HARDENED
static void test_hardened(struct prng *rng)
{
	struct kmem_cache *cache = kmem_cache_create("hard", 64, 8, SLAB_NO_MERGE, NULL);
	void **a = kmem_cache_alloc(cache, 0), **b = kmem_cache_alloc(cache, 0);

	(void)rng;
	kmem_cache_free(cache, b);
	kmem_cache_free(cache, a);
	/* The link is not an address that somebody could use or guess. */
	EXPECT(a[0] != b);
	EXPECT(get_link(cache, a) == b);
	kmem_cache_free(cache, a);
	EXPECT_EQ(log_count("double free"), 1);
	shrink_everywhere(cache);
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
}
#endif

const struct test slub_tests[] = {
	{ "lists, words and counts agree at every step of a random trace", test_states },
	{ "shrinking gives all empty slabs back and sorts the others", test_shrink },
	{ "objects come from the node asked for", test_nodes },
	{ "where large blocks are out, slabs of the least order do", test_fallback },
	{ "like caches are one, until the last of them is destroyed", test_merge },
	{ "slub_debug= is understood", test_options },
	{ "debugged caches agree with a shadow map", test_debugged },
	{ "each kind of misuse ends in one report, and is survived", test_reports },
#ifdef CONFIG_SLUB_HARDENED
	{ "hardened links are mixed, and a second free is noticed", test_hardened },
#endif
	{ NULL, NULL }
};
