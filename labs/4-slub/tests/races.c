/* Several CPUs at once: the seed chooses who comes in between where. */
#include "shadow.h"
#include "base/irq.h"

#define MAX_SLOTS	24

static struct kmem_cache *cache;
static unsigned int per_slab;
static unsigned long pages;
static void *slots[MAX_SLOTS];
static unsigned int nr_slots;		/* objects that are live at a time */

static void boot(size_t size, unsigned int nodes)
{
	boot_slabs(nodes);
	shadow_depth = 16;
	cache = new_cache("shared", size, 8, 0, NULL);
	per_slab = objects_per_slab(cache);
	pages = slab_pages();
	nr_slots = MAX_SLOTS;
	for (unsigned int i = 0; i < MAX_SLOTS; i++)
		slots[i] = NULL;
}

static void give(void *object)
{
	if (!object || ktest_failed())
		return;
	giving(object, cache->object_size);
	kmem_cache_free(cache, object);
}

static void *take(int nid)
{
	void *object = nid < 0 ? kmem_cache_alloc(cache, GFP_KERNEL) :
				 kmem_cache_alloc_node(cache, GFP_KERNEL, nid);

	ASSERT_TRUE(object != NULL);
	if (!took(object, cache->object_size, 8))
		ktest_abort();
	return object;
}

/* Puts a new object, or nothing, into a slot and frees what was there, from whatever CPU. */
static void exchange(struct prng *rng, int nid)
{
	void **slot = &slots[prng_below(rng, nr_slots)];
	void *object = prng_below(rng, 3) ? take(nid) : NULL;

	give(__atomic_exchange_n(slot, object, __ATOMIC_ACQ_REL));
}

static void empty_slots(void)
{
	for (unsigned int i = 0; i < MAX_SLOTS; i++) {
		give(slots[i]);
		slots[i] = NULL;
	}
}

struct job {
	u64 seed;
	unsigned int steps, flushes;	/* one flush in so many steps */
};

static void exchange_many(unsigned int cpu, void *arg)
{
	const struct job *job = arg;
	struct prng rng;

	prng_seed(&rng, job->seed + 1000 * cpu);
	for (unsigned int i = 0; i < job->steps && !ktest_failed(); i++)
		exchange(&rng, -1);
}

KTEST_SEEDS(races, cpus_share_a_cache,
	    "objects that some CPUs allocate and others free are never in two hands, and all come back",
	    70000000, 3)
{
	struct job job = { .seed = t->seed, .steps = 1000 };

	boot(64, 1);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exchange_many, &job);
	empty_slots();
	expect_all_back(cache, pages);
}

KTEST_SEEDS(races, slabs_change_hands,
	    "slabs of few objects, emptied, given back, taken and frozen by several CPUs, lose no object",
	    100000000, 4)
{
	struct job job = { .seed = t->seed, .steps = 1000 };

	boot(1024, 1);
	cache_tune(cache, "min_partial", prng_below(&t->rng, 2));
	cache_tune(cache, "cpu_partial", prng_below(&t->rng, 3));
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exchange_many, &job);
	empty_slots();
	expect_all_back(cache, pages);
}

static void exchange_and_flush(unsigned int cpu, void *arg)
{
	const struct job *job = arg;
	struct prng rng;

	prng_seed(&rng, job->seed + 1000 * cpu);
	for (unsigned int i = 0; i < job->steps && !ktest_failed(); i++) {
		exchange(&rng, (int)prng_below(&rng, nr_nodes + 1) - 1);
		if (!prng_below(&rng, job->flushes))
			slub_flush_cpu(cache);
	}
}

KTEST_SEEDS(races, flushes_meet_frees,
	    "CPUs that give their slabs up all the time, while others free into them, lose no object and no slab",
	360000000, 2)
{
	struct job job = { t->seed, 400, 3 };

	/* Slabs of 4 objects or 8, one node or two; few objects, that slabs become empty, or many. */
	for (unsigned int kind = 0; kind < 8 && !ktest_failed(); kind++) {
		unsigned int mark = ktest_mark();

		world_reset();
		boot(kind & 1 ? 8192 : 1024, kind & 2 ? 2 : 1);
		nr_slots = kind & 4 ? 3 : MAX_SLOTS;
		cache_tune(cache, "min_partial", prng_below(&t->rng, 2));
		cache_tune(cache, "cpu_partial", prng_below(&t->rng, 3));
		job.seed = t->seed + kind;
		ktest_on_cpus(ktest_nr_cpus(), job.seed, exchange_and_flush, &job);
		empty_slots();
		expect_all_back(cache, pages);
		ktest_release(mark);
	}
}

KTEST_SEEDS(races, last_frees_meet_flushes,
	    "a slab that is given up in the moment in which its last object is freed is on the list once, or gone",
	210000000, 4)
{
	struct job job = { t->seed, 1000, 1 };

	boot(1024, 1);
	nr_slots = 2;
	cache_tune(cache, "min_partial", 0);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exchange_and_flush, &job);
	empty_slots();
	expect_all_back(cache, pages);
}

/* ---- all free into one slab ------------------------------------------------------------------- */

static struct {
	void *objects[128];
	unsigned int n, rounds;
	u32 arrived, round;
} meeting;

static void meet(unsigned int cpus)
{
	u32 round = __atomic_load_n(&meeting.round, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&meeting.arrived, 1, __ATOMIC_ACQ_REL) == cpus) {
		__atomic_store_n(&meeting.arrived, 0, __ATOMIC_RELAXED);
		__atomic_add_fetch(&meeting.round, 1, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&meeting.round, __ATOMIC_ACQUIRE) == round && !ktest_failed())
		ktest_relax();
}

static void free_together(unsigned int cpu, void *arg)
{
	unsigned int cpus = ktest_nr_cpus();

	(void)arg;
	for (unsigned int round = 0; round < meeting.rounds && !ktest_failed(); round++) {
		if (cpu == round % cpus)
			for (unsigned int i = 0; i < meeting.n; i++)
				meeting.objects[i] = take(-1);
		meet(cpus);
		for (unsigned int i = cpu; i < meeting.n; i += cpus)
			give(meeting.objects[i]);
		meet(cpus);
	}
}

KTEST_SEEDS(races, cpus_free_into_one_slab,
	    "of objects that several CPUs free into one slab at once none is lost, and the slab has one owner",
	    70000000, 3)
{
	boot(256, 1);
	meeting.n = min(2 * per_slab, 128U);
	meeting.rounds = 30;
	meeting.arrived = meeting.round = 0;
	ktest_on_cpus(ktest_nr_cpus(), t->seed, free_together, NULL);
	expect_all_back(cache, pages);
}

/* ---- giving back meanwhile --------------------------------------------------------------------- */

static u32 at_work;

static void shrink_under_way(unsigned int cpu, void *arg)
{
	if (cpu == 0) {
		while (__atomic_load_n(&at_work, __ATOMIC_ACQUIRE) && !ktest_failed()) {
			kmem_cache_shrink(cache);
			give(take(-1));
			ktest_relax();
		}
		return;
	}
	exchange_many(cpu, arg);
	__atomic_sub_fetch(&at_work, 1, __ATOMIC_RELEASE);
}

KTEST_SEEDS(races, slabs_are_given_back_under_way,
	    "one CPU may shrink the cache while others allocate and free", 40000000, 3)
{
	struct job job = { .seed = t->seed, .steps = 300 };

	boot(512, 1);
	at_work = ktest_nr_cpus() - 1;
	ktest_on_cpus(ktest_nr_cpus(), t->seed, shrink_under_way, &job);
	empty_slots();
	expect_all_back(cache, pages);
}

/* ---- asleep, and awake elsewhere ---------------------------------------------------------------- */

static void *nested[64];
static unsigned int nr_nested, moves;
static bool inside;

/* The CPU that was left, and what it had of the cache then: nobody else may touch it. */
static struct kmem_cache_cpu *left, left_state;

static void check_left(void)
{
	if (left && (left->freelist != left_state.freelist || left->slab != left_state.slab ||
		     left->partial != left_state.partial))
		ktest_fail(__FILE__, __LINE__, "the slabs of a CPU were changed by one that had been on it");
	left = NULL;
}

/* Whoever may sleep for pages may find, when he wakes up, that others have used this CPU's slabs, and that
 * he is on another CPU. */
static bool sleep_and_move(struct kmem_cache *c, gfp_t gfp)
{
	if (c != cache || inside || !(gfp & __GFP_DIRECT_RECLAIM))
		return true;
	if (irqs_disabled()) {
		ktest_fail(__FILE__, __LINE__, "pages are asked for with GFP_KERNEL, and interrupts are off");
		return true;
	}
	inside = true;
	for (unsigned int i = 0; i < 2 && nr_nested < ARRAY_SIZE(nested); i++) {
		void *object = kmem_cache_alloc(cache, GFP_ATOMIC);

		if (object && took(object, cache->object_size, 8))
			nested[nr_nested++] = object;
	}
	left = this_cpu_ptr(slub_of(cache)->cpu_slab);
	left_state = *left;
	ktest_migrate(!smp_processor_id());
	for (unsigned int i = 0; i < 2 && nr_nested < ARRAY_SIZE(nested); i++) {
		void *object = kmem_cache_alloc(cache, GFP_ATOMIC);

		if (object && took(object, cache->object_size, 8))
			nested[nr_nested++] = object;
	}
	moves++;
	inside = false;
	return true;
}

KTEST(races, a_sleeping_allocation_may_wake_up_elsewhere,
      "who slept for pages uses the slabs of the CPU it is on now, and what others put there is not lost",
      20000000)
{
	static void *list[64 * 12];
	unsigned int n;

	boot(64, 1);
	nr_nested = moves = 0;
	inside = false;
	left = NULL;
	before_pages = sleep_and_move;
	for (n = 0; n < 5 * per_slab && !ktest_failed(); n++) {
		list[n] = kmem_cache_alloc(cache, GFP_KERNEL);
		check_left();
		if (!list[n] || !took(list[n], 64, 8))
			break;
	}
	for (; n < 10 * per_slab && !ktest_failed(); n += 8) {
		if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, 8, list + n) != 8)
			break;
		check_left();
		for (unsigned int i = 0; i < 8; i++)
			took(list[n + i], 64, 8);
	}
	before_pages = NULL;
	ktest_migrate(0);
	EXPECT_EQ(n, 10 * per_slab);
	EXPECT_GE(moves, 5);
	/* With two of each on both CPUs: no slab may have been forgotten. */
	EXPECT_LE(slabs_of(cache, slab_pages() - pages), n / per_slab + moves);
	give_n(cache, list, n);
	give_n(cache, nested, nr_nested);
	expect_all_back(cache, pages);
}

/* ---- preempted, and elsewhere ------------------------------------------------------------------- */

#define MOVES		150

static bool may_move;

static void move_away(unsigned int cpu)
{
	struct kmem_cache_cpu *c = per_cpu_ptr(slub_of(cache)->cpu_slab, cpu);

	if (!may_move || !ktest_move_interrupted())
		return;
	may_move = false;
	left = c;
	left_state = *c;
}

/* Frees and allocates until an interrupt has come, somewhere in between, and he is on another CPU. */
static void exchange_till_moved(struct prng *rng, bool fast)
{
	may_move = true;
	while (may_move && !ktest_failed()) {
		void **slot = &slots[prng_below(rng, nr_slots)];

		for (unsigned int i = 0; i < 4 && fast && may_move; i++) {
			void *object = kmem_cache_alloc(cache, GFP_KERNEL);

			if (may_move)
				kmem_cache_free(cache, object);
			else
				kfree(object);
			object = kmem_cache_alloc(cache, GFP_KERNEL);
			kfree(object);
		}
		kmem_cache_free(cache, *slot);
		*slot = kmem_cache_alloc(cache, GFP_KERNEL);
		ASSERT_TRUE(*slot != NULL);
	}
	if (smp_processor_id())
		check_left();
	left = NULL;
	ktest_migrate(0);
}

static void exchange_and_move(unsigned int cpu, void *arg)
{
	struct prng rng;

	prng_seed(&rng, *(u64 *)arg + cpu);
	for (unsigned int i = 0; i < MOVES && !ktest_failed(); i++)
		exchange_till_moved(&rng, i % 2);
}

KTEST(races, a_preempted_thread_may_go_on_elsewhere,
      "who is preempted, at whatever instruction, and goes on on another CPU, leaves the slabs of the first alone",
      30000000)
{
	boot(1024, 1);
	left = NULL;
	for (unsigned int i = 0; i < nr_slots; i++)
		slots[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	if (MACHINE >= 0) {			/* nobody is interrupted on the host */
		ktest_jitter_hook = move_away;
		ktest_on_cpus(1, t->seed, exchange_and_move, &t->seed);
		ktest_jitter_hook = NULL;
	}
	for (unsigned int i = 0; i < nr_slots && !ktest_failed(); i++)
		took(slots[i], cache->object_size, 8);
	empty_slots();
	expect_all_back(cache, pages);
}

/* ---- nodes ------------------------------------------------------------------------------------- */

static void exchange_nodes(unsigned int cpu, void *arg)
{
	const struct job *job = arg;
	struct prng rng;

	prng_seed(&rng, job->seed + 1000 * cpu);
	for (unsigned int i = 0; i < job->steps && !ktest_failed(); i++) {
		exchange(&rng, prng_below(&rng, 16) ? (int)prng_below(&rng, 2) : -1);
		if (!prng_below(&rng, job->flushes))
			slub_flush_cpu(cache);
	}
}

KTEST_SEEDS(races, nodes_are_robbed_by_others,
	    "objects asked for from a node come from there, one at a time, while other CPUs free into the same slabs",
	    90000000, 3)
{
	struct job job = { t->seed, 1000, 3 };
	void *mine;

	boot(8192, 2);
	nr_slots = 4;
	cache_tune(cache, "cpu_partial", 0);
	cpu_node[1] = 1;
	mine = take(-1);			/* this CPU has a slab of node 0 */
	for (int nid = 0; nid < 2; nid++) {
		for (unsigned int i = 0; i < 5; i++) {
			void *object = take(nid);

			EXPECT_EQ(virt_to_page(object)->flags >> PAGE_NODE_SHIFT, nid);
			give(object);
		}
	}
	give(mine);
	ktest_on_cpus(ktest_nr_cpus(), t->seed, exchange_nodes, &job);
	empty_slots();
	cpu_node[1] = 0;
	expect_all_back(cache, pages);
}
