/* Several CPUs at once, and interrupts. */
#include "test/ktest/objects.h"
#include "base/percpu.h"
#include "mm/slab/backend.h"
#include "lib/string.h"

#define MAX_LIVE	30

static struct kmem_cache *caches[3];

/* Small, constructed; plain; with management off the slab. */
static void make_caches(void)
{
	caches[0] = kmem_cache_create("smp0", 90, 0, 0, objects_ctor);
	caches[1] = kmem_cache_create("smp1", 256, 0, 0, NULL);
	caches[2] = kmem_cache_create("smp2", 1024, 0, 0, objects_ctor);
	ASSERT_TRUE(caches[0] && caches[1] && caches[2]);
}

static void all_back(void)
{
	for (unsigned int i = 0; i < 3 && !ktest_failed(); i++) {
		EXPECT_OK(objects_all_back(caches[i]));
		EXPECT_EQ(kmem_cache_destroy(caches[i]), 0);
	}
	EXPECT_EQ(world_log_count("BUG"), 0);
}

struct live {
	struct kmem_cache *cache;
	void *object;
};

static void churn_steps(struct prng *rng, unsigned int steps)
{
	struct live live[MAX_LIVE];
	unsigned int n = 0;

	for (unsigned int step = 0; step < steps && !ktest_failed(); step++) {
		pages_point();
		if (n < MAX_LIVE && (!n || prng_below(rng, 100) < 53)) {
			live[n].cache = caches[prng_below(rng, 3)];
			live[n].object = objects_take(live[n].cache, GFP_ATOMIC);
			n += live[n].object != NULL;
		} else {
			unsigned int i = prng_below(rng, n);

			objects_give(live[i].cache, live[i].object);
			live[i] = live[--n];
		}
	}
	while (n && !ktest_failed()) {
		n--;
		objects_give(live[n].cache, live[n].object);
	}
}

static void churn(unsigned int cpu, void *arg)
{
	const struct ktest_run *t = arg;
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	churn_steps(&rng, 250);
}

static void small_arrays(unsigned int shared)
{
	EXPECT_EQ(kmem_cache_set_tunables("smp0", 4, 2, shared), 0);
	EXPECT_EQ(kmem_cache_set_tunables("smp1", 3, 3, shared), 0);
	EXPECT_EQ(kmem_cache_set_tunables("smp2", 2, 1, shared), 0);
}

KTEST_SEEDS(smp, no_object_has_two_owners,
	    "CPUs that allocate and free at the same time never get the same object", 300000000, 6)
{
	objects_world(1024);
	make_caches();
	small_arrays(t->seed % 3);
	pages_on_cpus(ktest_nr_cpus(), t->seed, churn, t);
	all_back();
}

/* Four objects for all CPUs. */
static void fight(unsigned int cpu, void *arg)
{
	struct kmem_cache *c = arg;

	for (unsigned int i = 0; i < 120 && !ktest_failed(); i++) {
		void *object = objects_take(c, GFP_ATOMIC);

		pages_point();
		if (!object)
			continue;
		if ((i + cpu) % 3 == 0)
			ktest_relax();
		objects_give(c, object);
	}
}

KTEST_SEEDS(smp, cpus_fight_over_few_objects,
	    "CPUs that want the same few objects at the same time neither share nor lose one", 300000000, 8)
{
	struct kmem_cache *c;

	objects_world(512);
	c = kmem_cache_create("fight", 1024, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	ASSERT_EQ(kmem_cache_set_tunables("fight", 1, 1, t->seed % 2), 0);
	objects_give(c, objects_take(c, GFP_KERNEL));
	pages_allow(0);
	pages_on_cpus(ktest_nr_cpus(), t->seed, fight, c);
	pages_allow(~0UL);
	EXPECT_OK(objects_all_back(c));
	EXPECT_EQ(world_log_count("BUG"), 0);
}

static struct {
	struct kmem_cache *cache;
	void *object[4][400];
	unsigned int n[4];
} pile;

static void exhaust(unsigned int cpu, void *arg)
{
	(void)arg;
	while (pile.n[cpu] < 400 && !ktest_failed()) {
		void *object = objects_take(pile.cache, GFP_ATOMIC);

		pages_point();
		if (!object)
			return;
		pile.object[cpu][pile.n[cpu]++] = object;
	}
}

KTEST_SEEDS(smp, cpus_exhaust_a_cache_together,
	    "CPUs that race to the last object get all objects between them, each once", 300000000, 6)
{
	unsigned int cpus = min(ktest_nr_cpus(), 4U), all = 0;
	unsigned long beside = 0;
	void *one = NULL;

	objects_world(512);
	memset(&pile, 0, sizeof(pile));
	pile.cache = kmem_cache_create("pile", 480, 0, 0, objects_ctor);
	ASSERT_TRUE(pile.cache != NULL);
	pages_allow(16);
	pages_on_cpus(cpus, t->seed, exhaust, NULL);
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		all += pile.n[cpu];
		if (pile.n[cpu])
			one = pile.object[cpu][0];
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		beside += objects_beside(one, pile.object[cpu], pile.n[cpu]);
	EXPECT_EQ(all, objects_slabs(pile.cache) * beside);
	EXPECT_EQ(objects_constructed(), all);
	pages_allow(~0UL);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		objects_give_many(pile.cache, pile.object[cpu], pile.n[cpu]);
	EXPECT_OK(objects_all_back(pile.cache));
}

/* Each object needs half a slab, so most of what happens is that slabs come and go. */
static void grow(unsigned int cpu, void *arg)
{
	(void)arg;
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 40; i++) {
			pages_point();
			pile.object[cpu][i] = kmem_cache_alloc(pile.cache, GFP_KERNEL);
		}
		for (unsigned int i = 0; i < 40; i++) {
			pages_point();
			kmem_cache_free(pile.cache, pile.object[cpu][i]);
		}
	}
}

KTEST_SEEDS(smp, cpus_make_slabs_at_the_same_time,
	    "slabs that several CPUs make and give back at the same time are all counted and all used",
	    300000000, 12)
{
	struct slab_stats stats;

	objects_world(1024);
	pile.cache = kmem_cache_create("grow", 2000, 0, 0, NULL);
	ASSERT_TRUE(pile.cache != NULL);
	ASSERT_EQ(kmem_cache_set_tunables("grow", 1, 1, 0), 0);
	pages_on_cpus(min(ktest_nr_cpus(), 4U), t->seed, grow, NULL);
	cache_stats(pile.cache, &stats);
	EXPECT_EQ(stats.total_slabs, objects_slabs(pile.cache));
	EXPECT_EQ(stats.active_objects, 0);
	EXPECT_OK(objects_all_back(pile.cache));
	cache_stats(pile.cache, &stats);
	EXPECT_EQ(stats.total_slabs, 0);
	EXPECT_EQ(stats.total_objects, 0);
	EXPECT_EQ(kmem_cache_destroy(pile.cache), 0);
}

/* ---- one allocates, others free ------------------------------------------------------------- */

#define PASSED	400

static struct {
	struct kmem_cache *cache;
	void *object[16];
	unsigned int put, got;
} ring;

static void hand_over(unsigned int cpu, void *arg)
{
	(void)arg;
	while (!ktest_failed()) {
		unsigned int got = __atomic_load_n(&ring.got, __ATOMIC_ACQUIRE);
		unsigned int put = __atomic_load_n(&ring.put, __ATOMIC_ACQUIRE);
		void *object;

		pages_point();
		if ((cpu ? got : put) >= PASSED)
			return;
		if (cpu ? got == put : put - got == ARRAY_SIZE(ring.object)) {
			pages_poll();
		} else if (!cpu) {
			object = objects_take(ring.cache, GFP_KERNEL);
			ASSERT_TRUE(object != NULL);
			ring.object[put % ARRAY_SIZE(ring.object)] = object;
			__atomic_store_n(&ring.put, put + 1, __ATOMIC_RELEASE);
		} else {
			object = ring.object[got % ARRAY_SIZE(ring.object)];
			if (__atomic_compare_exchange_n(&ring.got, &got, got + 1, false, __ATOMIC_ACQ_REL,
							__ATOMIC_RELAXED))
				objects_give(ring.cache, object);
		}
	}
}

KTEST_SEEDS(smp, frees_on_other_cpus_come_back,
	    "objects that one CPU allocates and others free serve again, and none is lost", 300000000, 4)
{
	objects_world(512);
	memset(&ring, 0, sizeof(ring));
	ring.cache = kmem_cache_create("ring", 200, 0, 0, objects_ctor);
	ASSERT_TRUE(ring.cache != NULL);
	ASSERT_EQ(kmem_cache_set_tunables("ring", 8, 4, t->seed % 3), 0);
	pages_on_cpus(ktest_nr_cpus(), t->seed, hand_over, NULL);
	/* At no time more than 16 were live; the rest lies in arrays and free slabs. */
	EXPECT_LE(objects_slabs(ring.cache), 16);
	EXPECT_OK(objects_all_back(ring.cache));
	EXPECT_EQ(world_log_count("BUG"), 0);
}

/* ---- the cache changes under those who use it ------------------------------------------------ */

static void churn_and_change(unsigned int cpu, void *arg)
{
	static const char *const names[] = { "smp0", "smp1", "smp2" };
	const struct ktest_run *t = arg;
	struct prng rng;

	prng_seed(&rng, t->seed + 1000 * cpu);
	for (unsigned int i = 0; i < 10 && !ktest_failed(); i++) {
		churn_steps(&rng, cpu ? 30 : 5);
		if (!cpu && i % 2)
			kmem_cache_set_tunables(names[i % 3], 2 + prng_below(&rng, 20), 2,
						prng_below(&rng, 3));
		else if (!cpu || i == 5)
			kmem_cache_shrink(caches[prng_below(&rng, 3)]);
		else if (i == 7)
			kmem_cache_reap();
	}
}

KTEST_SEEDS(smp, caches_shrink_while_in_use,
	    "shrinking, reaping and new tunables while other CPUs allocate and free lose nothing", 300000000,
	    5)
{
	objects_world(1024);
	make_caches();
	small_arrays(1);
	pages_on_cpus(ktest_nr_cpus(), t->seed, churn_and_change, t);
	all_back();
}

/* Nothing but pops and pushes, of objects that are judged quickly: who empties, or exchanges, another
 * CPU's array under its hands is bound to meet it in the middle of one. */
static void pop_and_push(unsigned int cpu, void *arg)
{
	struct kmem_cache *c = arg;
	void *object[3];

	for (unsigned int i = 0; i < (cpu ? 250 : 24) && !ktest_failed(); i++) {
		pages_point();
		if (!cpu && i % 4)
			kmem_cache_set_tunables("hands", 6 + i, 3, 0);
		else if (!cpu)
			kmem_cache_shrink(c);
		for (unsigned int k = 0; cpu && k < 3; k++)
			object[k] = objects_take(c, GFP_ATOMIC);
		for (unsigned int k = 0; cpu && k < 3; k++)
			if (object[k])
				objects_give(c, object[k]);
	}
}

KTEST_SEEDS(smp, arrays_are_touched_by_their_cpu_only,
	    "shrinking and new tunables disturb no CPU in the middle of a pop or push", 300000000, 8)
{
	struct kmem_cache *c;

	objects_world(512);
	c = kmem_cache_create("hands", 16, 0, 0, NULL);
	ASSERT_TRUE(c != NULL);
	pages_on_cpus(ktest_nr_cpus(), t->seed, pop_and_push, c);
	EXPECT_OK(objects_all_back(c));
	EXPECT_EQ(world_log_count("BUG"), 0);
}

static void own_cache(unsigned int cpu, void *arg)
{
	static const char *const names[] = { "own0", "own1", "own2", "own3" };

	(void)arg;
	for (unsigned int i = 0; i < 6 && !ktest_failed(); i++) {
		struct kmem_cache *c = kmem_cache_create(names[cpu % 4], 100 + 300 * (i % 4), 0, 0,
							 objects_ctor);
		void *object[12];

		ASSERT_TRUE(c != NULL);
		for (unsigned int k = 0; k < 12; k++)
			object[k] = objects_take(c, GFP_KERNEL);
		for (unsigned int k = 0; k < 12; k++)
			objects_give(c, object[k]);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST_SEEDS(smp, caches_come_and_go_on_all_cpus,
	    "CPUs make and destroy caches at the same time, and nothing is left of them", 300000000, 2)
{
	unsigned long before;

	objects_world(1024);
	for (unsigned int i = 0; i < 3; i++)
		kmem_cache_shrink_all();
	before = pages_in_use();
	pages_on_cpus(ktest_nr_cpus(), t->seed, own_cache, NULL);
	for (unsigned int i = 0; i < 3; i++)
		kmem_cache_shrink_all();
	EXPECT_EQ(pages_in_use(), before);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

/* A handler that allocates and frees from the caches that were interrupted at work. It may not end the
 * test, so it writes its objects itself, and only counts. */
static struct {
	void *object[6];
	unsigned int turn;
} held[NR_CPUS];
static unsigned int handled, damaged;

static void handler(unsigned int cpu)
{
	void **slot = &held[cpu].object[held[cpu].turn++ % 6];
	struct kmem_cache *c = caches[1];

	handled++;
	if (*slot) {
		for (unsigned int i = 0; i < c->object_size / sizeof(long); i++)
			damaged += ((unsigned long *)*slot)[i] != (unsigned long)*slot;
		kmem_cache_free(c, *slot);
		*slot = NULL;
	} else {
		*slot = kmem_cache_alloc(c, GFP_ATOMIC);
		for (unsigned int i = 0; *slot && i < c->object_size / sizeof(long); i++)
			((unsigned long *)*slot)[i] = (unsigned long)*slot;
	}
}

static void churn_plain(unsigned int cpu, void *arg)
{
	void *object[8] = { NULL };

	(void)cpu;
	(void)arg;
	for (unsigned int i = 0; i < 400 && !ktest_failed(); i++) {
		void **slot = &object[i * 5 % 8];

		pages_point();
		if (*slot)
			objects_give(caches[1], *slot);
		*slot = *slot ? NULL : objects_take(caches[1], GFP_ATOMIC);
	}
	for (unsigned int i = 0; i < 8 && !ktest_failed(); i++)
		if (object[i])
			objects_give(caches[1], object[i]);
}

KTEST_SEEDS(smp, interrupts_allocate_and_free,
	    "an interrupt handler may allocate and free at any moment, in the middle of its CPU doing so",
	    300000000, 6)
{
	objects_world(1024);
	make_caches();
	small_arrays(t->seed % 2);
	memset(held, 0, sizeof(held));
	handled = damaged = 0;
	ktest_jitter_hook = handler;
	pages_on_cpus(ktest_nr_cpus(), t->seed, churn_plain, NULL);
	ktest_jitter_hook = NULL;
	ktest_note("%u interrupts", handled);
	for (unsigned int cpu = 0; cpu < NR_CPUS && !ktest_failed(); cpu++)
		for (unsigned int i = 0; i < 6; i++)
			if (held[cpu].object[i])
				kmem_cache_free(caches[1], held[cpu].object[i]);
	EXPECT_EQ(damaged, 0);
	all_back();
}
