/*
 * bench=objects: what small objects cost. The same method and the same kind of lines as bench=pages,
 * see bench_pages.c: per pair of allocation and free, loop included; of the bulk calls, per object.
 */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

#define SIZE		64
#define PAIRS		20000
#define MANY		1000		/* objects held at once */
#define MANY_ROUNDS	20
#define BULK		20
#define BULK_ROUNDS	1000

static void *held[NR_CPUS][MANY];
static struct kmem_cache *bench_cache;

static void kmalloc_pairs(void *unused)
{
	(void)unused;
	for (unsigned int i = 0; i < PAIRS; i++)
		kfree(kmalloc(SIZE, GFP_KERNEL));
}

static void cache_pairs(void *unused)
{
	struct kmem_cache *cache = bench_cache;

	(void)unused;
	for (unsigned int i = 0; i < PAIRS; i++)
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

static void many(void *unused)
{
	void **objects = held[smp_processor_id()];

	(void)unused;
	for (unsigned int round = 0; round < MANY_ROUNDS; round++) {
		for (unsigned int i = 0; i < MANY; i++)
			objects[i] = kmalloc(SIZE, GFP_KERNEL);
		for (unsigned int i = 0; i < MANY; i++)
			kfree(objects[i]);
	}
}

static void bulk(void *unused)
{
	void **objects = held[smp_processor_id()];

	(void)unused;
	for (unsigned int round = 0; round < BULK_ROUNDS; round++) {
		CHECK(kmem_cache_alloc_bulk(bench_cache, GFP_KERNEL, BULK, objects) == BULK);
		kmem_cache_free_bulk(bench_cache, BULK, objects);
	}
}

/* All CPUs run @fn, which makes so many pairs; the first run fills what there is to fill. */
static void bench(const char *name, void (*fn)(void *), unsigned long pairs)
{
	unsigned long flags = 0;
	u64 start;

	pairs *= nr_cpus;
	smp_call(cpu_online_mask, fn, NULL);
	if (nr_cpus == 1)
		flags = local_irq_save();
	start = arch_clock_ns();
	if (nr_cpus == 1)
		fn(NULL);
	else
		smp_call(cpu_online_mask, fn, NULL);
	start = arch_clock_ns() - start;
	if (nr_cpus == 1)
		local_irq_restore(flags);
	pr_notice("bench: %s %lu\n", name, (start + pairs / 2) / pairs);
}

static int bench_objects_run(void)
{
	char name[32];

	if (cmdline_get("bench", name, sizeof(name)) <= 0 || strcmp(name, "objects"))
		return 0;
	bench_cache = kmem_cache_create("bench", SIZE, 0, SLAB_PANIC | SLAB_NO_MERGE, NULL);
	bench("object_kmalloc_pair", kmalloc_pairs, PAIRS);
	bench("object_cache_pair", cache_pairs, PAIRS);
	bench("object_1000_pairs", many, MANY * MANY_ROUNDS);
	bench("object_bulk_pair", bulk, BULK * BULK_ROUNDS);
	printk_flush();
	arch_poweroff();
	return 0;
}
late_initcall(bench_objects_run);
