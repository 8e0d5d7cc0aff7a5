/* Giving memory back: shrink, reap, destroy. */
#include "test/ktest/objects.h"
#include "mm/slab/backend.h"
#include "lib/errno.h"
#include "lib/string.h"

#define N	400

static void *object[N];

KTEST(back, shrink_gives_all_free_slabs_back,
      "kmem_cache_shrink() empties the arrays of all CPUs, gives back every free slab and says "
      "how many "
      "pages", 200000000)
{
	static const size_t sizes[] = { 32, 200, 700, 1024, 4096, 8192 };

	objects_world(2048);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("shrink", sizes[s], 0, 0, NULL);
		unsigned long n = sizes[s] > 1024 ? 40 : N;

		ASSERT_TRUE(c != NULL);
		EXPECT_EQ(kmem_cache_shrink(c), 0);
		ASSERT_EQ(objects_take_many(c, object, n), n);
		EXPECT_TRUE(objects_pages(c) > 0);
		objects_give_many(c, object, n);
		EXPECT_OK(objects_all_back(c));
		EXPECT_EQ(kmem_cache_shrink(c), 0);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

static void leave_some_behind(unsigned int cpu, void *arg)
{
	struct kmem_cache *c = arg;
	void *mine[40];

	(void)cpu;
	for (unsigned int i = 0; i < 40; i++) {
		mine[i] = objects_take(c, GFP_KERNEL);
		pages_point();
	}
	for (unsigned int i = 0; i < 40; i++) {
		if (mine[i])
			objects_give(c, mine[i]);
		pages_point();
	}
}

KTEST(back, shrink_reaches_every_cpu,
      "objects in the arrays of other CPUs are given back as well, by shrinking and by destroying",
      200000000)
{
	struct kmem_cache *c;

	objects_world(1024);
	c = kmem_cache_create("cpus", 300, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	for (unsigned int round = 0; round < 3; round++) {
		pages_on_cpus(ktest_nr_cpus(), t->seed + round, leave_some_behind, c);
		EXPECT_TRUE(objects_pages(c) > 0);
		ASSERT_OK(objects_all_back(c));
	}
	pages_on_cpus(ktest_nr_cpus(), t->seed, leave_some_behind, c);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	EXPECT_EQ(objects_pages(c), 0);
}

KTEST(back, reap_takes_what_lies_idle,
      "reaping again and again gives back all that this CPU and the shared array have left "
      "unused, and "
      "says so", 100000000)
{
	struct kmem_cache *c;
	unsigned long before, said = 0;

	objects_world(1024);
	kmem_cache_shrink_all();
	kmem_cache_shrink_all();
	c = kmem_cache_create("reap", 250, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, N), N);
	objects_give_many(c, object, N);
	before = objects_pages(c);
	EXPECT_TRUE(before > 0);
	for (unsigned int i = 0; i < 4; i++)
		said += kmem_cache_reap();
	EXPECT_EQ(objects_pages(c), 0);
	EXPECT_GE(said, before);
	EXPECT_EQ(pages_check(), NULL);
}

KTEST(back, reap_waits_for_nothing,
      "cache_reap() may be called by anybody, with interrupts off too, and leaves live objects "
      "alone",
      100000000)
{
	struct kmem_cache *c;

	objects_world(1024);
	c = kmem_cache_create("atomic", 250, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(objects_take_many(c, object, 300), 300);
	objects_give_many(c, object, 250);
	local_irq_disable();
	for (unsigned int i = 0; i < 4; i++)
		cache_reap(c);
	EXPECT_TRUE(irqs_disabled());
	local_irq_enable();
	EXPECT_LE(objects_slabs(c), 50);
	objects_give_many(c, object + 250, 50);
	EXPECT_OK(objects_all_back(c));
}

KTEST(back, destroy_refuses_a_cache_in_use,
      "kmem_cache_destroy() says -EBUSY while an object lives, and the cache is as good as before",
      100000000)
{
	static const size_t sizes[] = { 60, 1024, 5000 };
	void *others[48];

	objects_world(1024);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct kmem_cache *c = kmem_cache_create("busy", sizes[s], 0, 0, objects_ctor);

		ASSERT_TRUE(c != NULL);
		ASSERT_EQ(objects_take_many(c, object, 70), 70);
		objects_give_many(c, object + 1, 69);
		for (unsigned int i = 0; i < 3; i++)
			EXPECT_EQ(kmem_cache_destroy(c), -EBUSY);
		/* What the cache still needs must not be had by others. */
		for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
			others[i] = objects_kmalloc(64 << i % 6, GFP_KERNEL);
		ASSERT_EQ(objects_take_many(c, object + 1, 69), 69);
		objects_give_many(c, object, 70);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
		for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
			objects_kfree(others[i], 64 << i % 6);
	}
	EXPECT_EQ(world_log_count("BUG"), 0);
}

/* What is left when nothing is in use but what the caches need for themselves. Two rounds: caches
 * that keep their management in others give it back in the first. */
static unsigned long settled(void)
{
	for (unsigned int i = 0; i < 3; i++)
		kmem_cache_shrink_all();
	return pages_in_use();
}

KTEST(back, a_destroyed_cache_leaves_nothing,
      "slabs, arrays and management of a destroyed cache are all given back", 200000000)
{
	unsigned long before;

	objects_world(1024);
	before = settled();
	for (unsigned int round = 0; round < 24; round++) {
		struct kmem_cache *c = kmem_cache_create("gone", round % 2 ? 1024 :
							 1 + round * 200, 0, 0, NULL);

		ASSERT_TRUE(c != NULL);
		if (round % 2) {
			ASSERT_EQ(objects_take_many(c, object, 90), 90);
			objects_give_many(c, object, 90);
		}
		if (round % 3 == 0)
			EXPECT_EQ(kmem_cache_set_tunables("gone", 50, 10, round % 4), 0);
		ASSERT_EQ(kmem_cache_destroy(c), 0);
	}
	EXPECT_EQ(settled(), before);
	EXPECT_EQ(pages_check(), NULL);
}
