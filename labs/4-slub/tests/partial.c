/* Partial slabs, min_partial, shrinking, destroying. */
#include "shadow.h"
#include "lib/errno.h"

#define MAX_OBJECTS	2000

static struct kmem_cache *cache;
static void *objects[MAX_OBJECTS], *kept[200];
static unsigned int per_slab;
static unsigned long pages;

static void boot(size_t size)
{
	boot_slabs(1);
	cache = new_cache("partial", size, 8, 0, NULL);
	per_slab = objects_per_slab(cache);
	pages = slab_pages();
}

static unsigned long slabs(void)
{
	return slabs_of(cache, slab_pages() - pages);
}

KTEST(partial, free_objects_are_used_before_new_pages,
      "as long as any slab has free objects, no pages are asked for", 20000000)
{
	unsigned int n;
	unsigned long calls;

	boot(256);
	n = 30 * per_slab;
	ASSERT_TRUE(n <= MAX_OBJECTS);
	take_n(cache, objects, n);
	for (unsigned int round = 0; round < 4 && !ktest_failed(); round++) {
		shuffle(&t->rng, objects, n);
		give_n(cache, objects, n / 2);
		if (round == 2)
			flush_cpus(cache);
		/* Some slabs may have become empty and gone back: what is left must be used up. */
		n = n - n / 2;
		for (unsigned int i = 0; i < n; i++)
			objects[i] = objects[n + i];
		calls = pages_calls;
		n += slabs() * per_slab - n;
		for (unsigned int i = live_objects(); i < n; i++)
			take_n(cache, objects + i, 1);
		EXPECT_EQ(pages_calls, calls);
	}
	give_n(cache, objects, n);
	expect_all_back(cache, pages);
}

KTEST(partial, full_slabs_come_back,
      "a full slab is found again after its first object was freed", 20000000)
{
	unsigned long calls;

	boot(256);
	take_n(cache, objects, 20 * per_slab);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int s = 0; s < 20; s++)
			give_n(cache, objects + s * per_slab, 1);
		calls = pages_calls;
		for (unsigned int s = 0; s < 20; s++)
			take_n(cache, objects + s * per_slab, 1);
		EXPECT_EQ(pages_calls, calls);
		if (round == 1)
			flush_cpus(cache);
	}
	give_n(cache, objects, 20 * per_slab);
	expect_all_back(cache, pages);
}

KTEST(partial, empty_slabs_stay_up_to_min_partial,
      "of slabs that become empty a node keeps min_partial and a CPU cpu_partial, the others go back",
      30000000)
{
	static const struct { unsigned int min, cpu; } kinds[] = { { 4, 1 }, { 0, 2 }, { 8, 4 } };

	for (unsigned int k = 0; k < ARRAY_SIZE(kinds) && !ktest_failed(); k++) {
		unsigned int n, least = kinds[k].min;
		unsigned long calls;

		world_reset();
		boot(512);
		EXPECT_EQ(cache_tune(cache, "min_partial", kinds[k].min), 0);
		EXPECT_EQ(cache_tune(cache, "cpu_partial", kinds[k].cpu), 0);
		n = 40 * per_slab;
		ASSERT_TRUE(n <= MAX_OBJECTS);
		take_n(cache, objects, n);
		EXPECT_EQ(slabs(), 40);
		shuffle(&t->rng, objects, n);
		give_n(cache, objects, n);
		/* The active slab, and one for the moment at which the CPU has too many. */
		EXPECT_LE(slabs(), kinds[k].min + kinds[k].cpu + 2);
		EXPECT_GE(slabs(), least);
		calls = pages_calls;
		take_n(cache, objects, least * per_slab);
		EXPECT_EQ(pages_calls, calls);
		give_n(cache, objects, least * per_slab);
		expect_all_back(cache, pages);
	}
}

static void use_and_free(unsigned int cpu, void *arg)
{
	void *mine[20];

	(void)cpu, (void)arg;
	take_n(cache, mine, ARRAY_SIZE(mine));
	give_n(cache, mine, ARRAY_SIZE(mine));
}

KTEST(partial, shrinking_gives_all_empty_slabs_back,
      "kmem_cache_shrink() gives back every empty slab, of all CPUs, too, and says how many pages that were",
      20000000)
{
	unsigned long before;
	int reaped;

	boot(1000);
	take_n(cache, objects, 10 * per_slab);
	give_n(cache, objects, 10 * per_slab);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, use_and_free, NULL);
	before = slab_pages();
	EXPECT_GE(before, pages + 1);
	EXPECT_EQ(kmem_cache_shrink(cache), before - pages);
	EXPECT_EQ(slab_pages(), pages);
	EXPECT_EQ(kmem_cache_shrink(cache), 0);
	/* ... and is of use afterwards. */
	take_n(cache, objects, 3 * per_slab);
	give_n(cache, objects, 3 * per_slab);
	flush_cpus(cache);
	before = slab_pages();
	reaped = cache_reap(cache);
	EXPECT_EQ(reaped, before - slab_pages());
	expect_all_back(cache, pages);
}

KTEST(partial, shrinking_keeps_what_is_in_use,
      "shrinking leaves the slabs whose objects are in use, and only those", 20000000)
{
	unsigned int n, keep = 0, holding = 0;

	boot(256);
	n = 40 * per_slab;
	take_n(cache, objects, n);
	for (unsigned int i = 0; i < n; i++) {
		/* Of every second slab one object, in some slabs two. */
		bool stays = i / per_slab % 2 && (i % per_slab == 3 || (i / per_slab % 4 == 1 && i % per_slab == 5));

		if (stays)
			kept[keep++] = objects[i];
		else
			give_n(cache, objects + i, 1);
	}
	for (unsigned int i = 0; i < keep; i++) {
		bool first = true;

		for (unsigned int k = 0; k < i; k++)
			first &= virt_to_page(kept[k])->slab_mem != virt_to_page(kept[i])->slab_mem;
		holding += first;
	}
	kmem_cache_shrink(cache);
	EXPECT_EQ(slabs(), holding);
	n = holding * per_slab - keep;
	take_n(cache, objects, n);
	EXPECT_EQ(slabs(), holding);
	give_n(cache, objects, n);
	give_n(cache, kept, keep);
	expect_all_back(cache, pages);
}

KTEST(partial, destroying_is_refused_while_objects_live,
      "a cache with a live object is not destroyed, and is as good as before", 20000000)
{
	boot(192);
	take_n(cache, objects, 2 * per_slab + 1);
	EXPECT_EQ(kmem_cache_destroy(cache), -EBUSY);
	give_n(cache, objects, 2 * per_slab);
	EXPECT_EQ(kmem_cache_destroy(cache), -EBUSY);
	take_n(cache, objects, per_slab);
	give_n(cache, objects, per_slab);
	give_n(cache, objects + 2 * per_slab, 1);
	expect_all_back(cache, pages);
}
