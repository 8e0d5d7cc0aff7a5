/*
 * bench=slab: what small objects cost. As bench_pages.c tells: instructions per pair of allocation
 * and free, loop included, under QEMU's -icount shift=0. bench=slabmem: bytes taken for 10 000
 * objects of each size of kmalloc.
 */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"
#ifdef CONFIG_SLAB_SLUB
#include "mm/slab/slub.h"
#endif

#define PAIRS		20000
#define MANY		1000
#define MANY_ROUNDS	20
#define BULK		20
#define BULK_ROUNDS	1000
#define HELD		10000		/* objects whose memory is measured */

static void **held[NR_CPUS];		/* MANY each; only while it runs */
static struct kmem_cache *own_cache;

static void report(const char *name, u64 ns, unsigned long pairs)
{
	pr_notice("bench: %s %lu\n", name, (unsigned long)((ns + pairs / 2) / pairs));
}

static void hot(void)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		kfree(kmalloc(64, GFP_KERNEL));
}

static void hot_own(void)
{
	struct kmem_cache *cache = own_cache;

	for (unsigned int i = 0; i < PAIRS; i++)
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

static void many(void)
{
	void **objects = held[smp_processor_id()];

	for (unsigned int round = 0; round < MANY_ROUNDS; round++) {
		for (unsigned int i = 0; i < MANY; i++)
			objects[i] = kmalloc(64, GFP_KERNEL);
		for (unsigned int i = 0; i < MANY; i++)
			kfree(objects[i]);
	}
}

static void bulk(void)
{
	struct kmem_cache *cache = own_cache;
	void **objects = held[smp_processor_id()];

	for (unsigned int round = 0; round < BULK_ROUNDS; round++) {
		kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, objects);
		kmem_cache_free_bulk(cache, BULK, objects);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
	unsigned long pairs;
} benches[] = {
	{ "kmalloc_pair", hot, PAIRS },
	{ "cache_pair", hot_own, PAIRS },
	{ "kmalloc_1000_pairs", many, MANY * MANY_ROUNDS },
	{ "bulk_20_pair", bulk, BULK * BULK_ROUNDS },
};

static void on_cpu(void *run)
{
	((void (*)(void))run)();
}

/* With SLUB_STATS=1: events of all CPUs per 1000 pairs. */
static void report_shared(const char *name, unsigned long pairs, bool start)
{
#ifdef CONFIG_SLUB_STATS
	static unsigned long before[NR_SLUB_STATS];
	struct kmem_cache *caches[] = { own_cache, &kmalloc_caches[kmalloc_index(64)] };
	unsigned long now[NR_SLUB_STATS] = { 0 };

	for (unsigned int i = 0; i < NR_SLUB_STATS; i++)
		for (unsigned int c = 0; c < ARRAY_SIZE(caches); c++)
			for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
				now[i] += per_cpu_ptr(slub_of(caches[c])->cpu_slab, cpu)->stat[i];
	if (!start)
		pr_notice("bench: %s: per 1000 pairs: %lu list locks, %lu state changes\n", name,
			  (now[LIST_LOCK] - before[LIST_LOCK]) * 1000 / pairs,
			  (now[STATE_CHANGE] - before[STATE_CHANGE]) * 1000 / pairs);
	memcpy(before, now, sizeof(before));
#else
	(void)name;
	(void)pairs;
	(void)start;
#endif
}

static void run_bench(const char *name, void (*run)(void), unsigned long pairs)
{
	u64 start;

	if (nr_cpus == 1) {
		unsigned long flags = local_irq_save();

		run();
		report_shared(name, pairs, true);
		start = arch_clock_ns();
		run();
		start = arch_clock_ns() - start;
		local_irq_restore(flags);
	} else {
		smp_call(cpu_online_mask, on_cpu, (void *)run);
		report_shared(name, pairs, true);
		start = arch_clock_ns();
		smp_call(cpu_online_mask, on_cpu, (void *)run);
		start = arch_clock_ns() - start;
	}
	pairs *= nr_cpus;
	report(name, start, pairs);
	report_shared(name, pairs, false);
}

static void measure_memory(unsigned int size)
{
	void **objects = vmalloc(HELD * sizeof(*objects), GFP_KERNEL);
	unsigned long pages;

	CHECK(objects);
	kmem_cache_shrink_all();
	pages = vm_stat_read(NR_SLAB_UNRECLAIMABLE);
	for (unsigned int i = 0; i < HELD; i++) {
		objects[i] = kmalloc(size, GFP_KERNEL);
		CHECK(objects[i]);
	}
	pages = vm_stat_read(NR_SLAB_UNRECLAIMABLE) - pages;
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
	char name[32];

	if (cmdline_get("bench", name, sizeof(name)) <= 0)
		return 0;
	if (!strcmp(name, "slab")) {
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
			CHECK((held[cpu] = vmalloc(MANY * sizeof(*held[cpu]), GFP_KERNEL)));
		own_cache = kmem_cache_create("bench", 64, 8, SLAB_NO_MERGE | SLAB_PANIC, NULL);
		for (unsigned int i = 0; i < ARRAY_SIZE(benches); i++)
			run_bench(benches[i].name, benches[i].run, benches[i].pairs);
	} else if (!strcmp(name, "slabmem")) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			measure_memory(sizes[i]);
	} else {
		return 0;
	}
	printk_flush();
	arch_poweroff();
	return 0;
}
late_initcall(bench_run);
