/*
 * bench=slab: what small objects cost, counted as bench.c tells: instructions per pair of allocation
 * and free, loop included; with SLUB_STATS=1 also what CPUs share: list locks taken, changes of
 * slabs' state words, pages taken and given back. bench=slabmem: bytes of pages taken for 10 000
 * objects of each size of kmalloc.
 */
#include "test/bench.h"
#include "base/initcall.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"
#ifdef CONFIG_SLAB_SLUB
#include "mm/slab/slub.h"
#endif

#define TURN		1000		/* pairs, or objects, of a CPU before the next has its turn */
#define TURNS		20
#define BULK		20		/* objects in one call */
#define HANDED		100		/* objects that a CPU makes before another frees them */
#define HANDED_TURNS	200
#define HELD		10000		/* objects whose memory is measured */

static void **held[NR_CPUS];		/* TURN each; only while it runs */
static struct kmem_cache *own_cache;

/* ---- what is measured --------------------------------------------------------------------- */

static void pairs_turn(unsigned int unused, unsigned int turn)
{
	(void)unused;
	(void)turn;
	for (unsigned int i = 0; i < TURN; i++)
		kfree(kmalloc(64, GFP_KERNEL));
}

static void own_turn(unsigned int unused, unsigned int turn)
{
	struct kmem_cache *cache = own_cache;

	(void)unused;
	(void)turn;
	for (unsigned int i = 0; i < TURN; i++)
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

/* In one turn all allocations, in the next one all frees. */
static void many_turn(unsigned int unused, unsigned int turn)
{
	void **objects = held[smp_processor_id()];

	(void)unused;
	if (turn % 2 == 0)
		for (unsigned int i = 0; i < TURN; i++)
			objects[i] = kmalloc(64, GFP_KERNEL);
	else
		for (unsigned int i = 0; i < TURN; i++)
			kfree(objects[i]);
}

static void bulk_turn(unsigned int unused, unsigned int turn)
{
	struct kmem_cache *cache = own_cache;
	void **objects = held[smp_processor_id()];

	(void)unused;
	(void)turn;
	for (unsigned int i = 0; i < TURN / BULK; i++) {
		kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, objects);
		kmem_cache_free_bulk(cache, BULK, objects);
	}
}

/* A CPU of even number makes objects, its neighbour frees them. */
static void handed_turn(unsigned int unused, unsigned int turn)
{
	unsigned int cpu = smp_processor_id();
	void **objects = held[cpu & ~1U];

	(void)unused;
	(void)turn;
	if (cpu % 2 == 0)
		for (unsigned int i = 0; i < HANDED; i++)
			objects[i] = kmalloc(64, GFP_KERNEL);
	else
		for (unsigned int i = 0; i < HANDED; i++)
			kfree(objects[i]);
}

/* ---- what CPUs share ---------------------------------------------------------------------- */

enum { LOCKS, CHANGES, PAGES, NR_SHARED };

/* Since boot, of all CPUs: list locks taken and state words changed (both counted by SLUB_STATS=1
 * alone), pages allocated and freed. */
static void read_shared(unsigned long shared[NR_SHARED])
{
	memset(shared, 0, NR_SHARED * sizeof(*shared));
#ifdef CONFIG_SLUB_STATS
	struct kmem_cache *caches[] = { own_cache, &kmalloc_caches[kmalloc_index(64)] };

	for (unsigned int c = 0; c < ARRAY_SIZE(caches); c++) {
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			unsigned long *stat = per_cpu_ptr(slub_of(caches[c])->cpu_slab, cpu)->stat;

			shared[LOCKS] += stat[LIST_LOCK];
			shared[CHANGES] += stat[STATE_CHANGE];
		}
	}
#endif
	shared[PAGES] = vm_stat_read(PGALLOC) + vm_stat_read(PGFREE);
}

/* What came since @before, for 1000 pairs. */
static void report_shared(const char *how, const char *name, const unsigned long *before,
			  unsigned long pairs)
{
	static const char *const what[] = { "locks", "changes", "pages" };
	unsigned long now[NR_SHARED];
	char line[48];

	read_shared(now);
	for (unsigned int i = 0; i < NR_SHARED; i++) {
#ifndef CONFIG_SLUB_STATS
		if (i != PAGES)
			continue;
#endif
		snprintf(line, sizeof(line), "%s_%s", name, what[i]);
		bench_report(how, line, (now[i] - before[i]) * 1000, pairs);
	}
}

/* ---- figures ------------------------------------------------------------------------------ */

static void bench_way(const char *how, u64 (*run)(turn_fn, unsigned int, unsigned int),
		      const char *name, turn_fn fn, unsigned int turns, unsigned long pairs)
{
	unsigned long before[NR_SHARED];

	run(fn, 0, turns);
	read_shared(before);
	bench_report(how, name, run(fn, 0, turns), pairs);
	report_shared(how, name, before, pairs);
}

static void bench(const char *name, turn_fn fn, unsigned int turns, unsigned long pairs)
{
	bench_way("", bench_in_turns, name, fn, turns, pairs * nr_cpus);
	if (nr_cpus > 1)
		bench_way("_at_once", bench_at_once, name, fn, turns, pairs * nr_cpus);
}

static void bench_objects(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		CHECK((held[cpu] = vmalloc(TURN * sizeof(*held[cpu]), GFP_KERNEL)));
	own_cache = kmem_cache_create("bench", 64, 8, SLAB_NO_MERGE | SLAB_PANIC, NULL);
	bench("kmalloc_pair", pairs_turn, TURNS, TURNS * TURN);
	bench("cache_pair", own_turn, TURNS, TURNS * TURN);
	bench("kmalloc_1000_pairs", many_turn, 2 * TURNS, TURNS * TURN);
	bench("bulk_20_pair", bulk_turn, TURNS, TURNS * TURN);
	if (nr_cpus > 1)
		bench_way("", bench_in_turns, "handed_pair", handed_turn, HANDED_TURNS,
			  HANDED_TURNS * HANDED * (nr_cpus / 2));
}

/* What the page core is short of while they are held, however the allocator accounts for it. */
static void measure_memory(unsigned int size)
{
	void **objects = vmalloc(HELD * sizeof(*objects), GFP_KERNEL);
	unsigned long pages;

	CHECK(objects);
	kmem_cache_shrink_all();
	pages = nr_free_pages();
	for (unsigned int i = 0; i < HELD; i++)
		CHECK((objects[i] = kmalloc(size, GFP_KERNEL)));
	pages -= nr_free_pages();
	for (unsigned int i = 0; i < HELD; i++)
		kfree(objects[i]);
	vfree(objects);
	pr_notice("bench: memory_%u %lu.%03lu\n", size, pages * PAGE_SIZE / (size * HELD),
		  pages * PAGE_SIZE * 1000 / (size * HELD) % 1000);
}

static int bench_run(void)
{
	static const unsigned int sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048,
					      4096, 8192 };

	if (bench_is("slab")) {
		bench_start();
		bench_objects();
		bench_end();
	} else if (bench_is("slabmem")) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			if (CONFIG_LAB > 1 || sizes[i] <= PAGE_SIZE)
				measure_memory(sizes[i]);
		bench_end();
	}
	return 0;
}
late_initcall(bench_run);
