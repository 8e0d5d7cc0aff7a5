/* Objects that are freed by another CPU than the one that allocated them; state words. */
#include "shadow.h"

#define MAX_OBJECTS	1000

static struct kmem_cache *cache;
static void *objects[MAX_OBJECTS];
static unsigned int per_slab;
static unsigned long pages;

struct batch {
	void **objects;
	unsigned int n;
};

static void give_batch(void *arg)
{
	struct batch *batch = arg;

	give_n(cache, batch->objects, batch->n);
}

static void take_batch(void *arg)
{
	struct batch *batch = arg;

	take_n(cache, batch->objects, batch->n);
}

static void boot(size_t size, unsigned int nodes)
{
	boot_slabs(nodes);
	cache = new_cache("remote", size, 8, 0, NULL);
	per_slab = objects_per_slab(cache);
	pages = slab_pages();
}

KTEST(remote, remote_frees_are_found_again,
      "what another CPU freed is used again: by the CPU whose active slab it is, or after a flush by all",
      20000000)
{
	struct batch batch = { objects, 5 };
	unsigned long calls;

	boot(128, 1);
	take_n(cache, objects, per_slab);	/* all of the active slab */
	run_on(1, t->seed, give_batch, &batch);
	calls = pages_calls;
	take_n(cache, objects, 5);
	EXPECT_EQ(pages_calls, calls);

	take_n(cache, objects + per_slab, 7 * per_slab);
	batch.n = 8 * per_slab;
	ASSERT_TRUE(batch.n <= MAX_OBJECTS);
	run_on(1, t->seed, give_batch, &batch);
	/* CPU 1 keeps so many, and one more for a moment. */
	calls = pages_calls;
	take_n(cache, objects, 8 * per_slab);
	EXPECT_LE(pages_calls, calls + slub_of(cache)->cpu_partial + 2);
	run_on(1, t->seed, give_batch, &batch);
	expect_all_back(cache, pages);
}

KTEST(remote, remote_frees_take_no_list_lock,
      "a free to another CPU's slab, or to a slab that stays partial, takes no lock", 20000000)
{
	struct batch batch = { objects, 20 };

	boot(64, 1);
	take_n(cache, objects, per_slab - 2);
	ktest_unlocks = 0;
	run_on(1, t->seed, give_batch, &batch);	/* CPU 0's active slab */
	EXPECT_EQ(ktest_unlocks, 0);

	flush_cpus(cache);			/* now it is on its node's list */
	batch.objects += 20;
	ktest_unlocks = 0;
	run_on(1, t->seed, give_batch, &batch);
	EXPECT_EQ(ktest_unlocks, 0);
	give_n(cache, objects + 40, per_slab - 42);
	expect_all_back(cache, pages);
}

/* ---- the state word ------------------------------------------------------------------------- */

static u64 words[200];
static unsigned int nr_words;

static void note_word(void *object)
{
	struct page *slab = virt_to_page(object)->slab_mem;

	words[nr_words++] = slab_state(slab);
}

static void note_frees(void *arg)
{
	struct batch *batch = arg;

	for (unsigned int i = 0; i < batch->n; i++) {
		note_word(batch->objects[i]);
		give_n(cache, batch->objects + i, 1);
	}
	note_word(batch->objects[0]);
}

KTEST(remote, every_change_raises_the_generation,
      "a state word that was changed is never again as it was: not when the same objects go and come back",
      20000000)
{
	struct batch batch = { objects, 5 };

	boot(256, 2);
	nr_words = 0;
	take_n(cache, objects, per_slab - 1);
	/* Frozen: A, B are freed by another CPU, taken, freed again. */
	run_on(1, t->seed, note_frees, &batch);
	take_n(cache, objects, 1);	/* what was left of the CPU's own */
	take_n(cache, objects + 1, 4);	/* from the slab's list */
	flush_cpus(cache);
	/* On the list, without an owner. */
	batch.n = 4;
	run_on(1, t->seed, note_frees, &batch);
	flush_cpus(cache);
	/* One at a time, from another node. */
	for (unsigned int i = 0; i < 4; i++) {
		ktest_migrate(1);
		objects[i] = cache_alloc_node(cache, GFP_KERNEL, 0);
		ktest_migrate(0);
		ASSERT_TRUE(objects[i] && took(objects[i], 256, 8));
	}
	for (unsigned int i = 0; i < nr_words; i++)
		for (unsigned int k = 0; k < i; k++)
			if (words[i] == words[k])
				ktest_fail(__FILE__, __LINE__, "state %#lx was seen before, %u changes ago",
					   (unsigned long)words[i], i - k);
	for (unsigned int i = 1; i < nr_words; i++)
		EXPECT_TRUE(words[i] >> 32 > words[i - 1] >> 32);
}

/* Objects of a slab that are live, by the test's own list. */
static unsigned int live_of(const struct page *slab, void **list, unsigned int n)
{
	unsigned int live = 0;

	for (unsigned int i = 0; i < n; i++)
		live += virt_to_page(list[i])->slab_mem == slab;
	return live;
}

static void check_slab(struct page *slab, void **list, unsigned int n)
{
	u64 state = slab_state(slab);
	void *object = state_head(state, page_address(slab));
	unsigned int spare = 0;

	EXPECT_FALSE(is_frozen(state));
	EXPECT_EQ(state_inuse(state), live_of(slab, list, n));
	for (; object && spare <= slab_objects(slab); spare++) {
		if (!is_object(cache, slab, object)) {
			ktest_fail(__FILE__, __LINE__, "the free list leads to %p, which is no object", object);
			return;
		}
		object = get_link(cache, object);
	}
	EXPECT_EQ(spare + state_inuse(state), slab_objects(slab));
}

KTEST_SEEDS(remote, state_words_tell_the_truth,
	    "a flushed slab is not frozen, and its word and its list count what is free and what is in use",
	    40000000, 2)
{
	unsigned int n = 0;

	boot(232, 1);
	for (unsigned int step = 0; step < 40 && !ktest_failed(); step++) {
		struct batch batch = { objects + n, 1 + prng_below(&t->rng, 40) };
		unsigned int cpu = prng_below(&t->rng, 3);

		if (n + batch.n <= 300 && prng_below(&t->rng, 2)) {
			n += batch.n;
			run_on(cpu, t->seed + step, take_batch, &batch);
		} else if (n) {
			batch.n = min(batch.n, n);
			shuffle(&t->rng, objects, n);
			n -= batch.n;
			batch.objects = objects + n;
			run_on(cpu, t->seed + step, give_batch, &batch);
		}
		if (step % 6)
			continue;
		flush_cpus(cache);
		for (unsigned long i = 0; i < WORLD_PAGES; i++) {
			struct page *page = world_page(WORLD_FIRST + i);

			if (PageSlab(page) && page->slab_cache == cache && page->slab_mem == page)
				check_slab(page, objects, n);
		}
	}
	give_n(cache, objects, n);
	expect_all_back(cache, pages);
}
