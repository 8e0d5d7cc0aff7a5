/*
 * bench=pages: what the page allocator costs. Runs in the first kernel thread and prints one line
 * per figure, "bench: NAME VALUE", then powers off. tools/bench reads the lines.
 *
 * A figure is nanoseconds of the kernel's clock per pair of allocation and free, loop included,
 * rounded to the nearest. Under QEMU's -icount shift=0 with one CPU, a nanosecond is an
 * instruction. The clock ticks every 100 instructions on RISC-V and every 16 on ARM64, so the
 * loops are long. With several CPUs QEMU counts the instructions of all of them, one after the
 * other: while all run the same loop, the time divided by all their pairs is again the cost of one.
 * The CPU that called the others spins when it is ready, and its spinning is counted, too: on
 * RISC-V, where a spinning CPU keeps its turn, that adds about a third.
 *
 * Interrupts are off during a single CPU's loops, or the timer's would be counted, too.
 */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"

#define PAIRS		20000
#define MANY		1000		/* pages held at once */
#define MANY_ROUNDS	20

static struct page *held[NR_CPUS][MANY];

static void report(const char *name, u64 ns, unsigned long pairs)
{
	pr_notice("bench: %s %lu\n", name, (ns + pairs / 2) / pairs);
}

static void pairs_of(unsigned int order)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		__free_pages(alloc_pages(GFP_KERNEL, order), order);
}

static void many(void)
{
	struct page **pages = held[smp_processor_id()];

	for (unsigned int round = 0; round < MANY_ROUNDS; round++) {
		for (unsigned int i = 0; i < MANY; i++)
			pages[i] = alloc_page(GFP_KERNEL);
		for (unsigned int i = 0; i < MANY; i++)
			__free_page(pages[i]);
	}
}

static void bench_order(const char *name, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct page *page = alloc_pages(GFP_KERNEL, order);
	u64 start;

	CHECK(page);
	__free_pages(page, order);
	start = arch_clock_ns();
	pairs_of(order);
	start = arch_clock_ns() - start;
	local_irq_restore(flags);
	report(name, start, PAIRS);
}

static void bench_many(void)
{
	unsigned long flags = local_irq_save();
	u64 start;

	many();					/* the lists are as full as they will be */
	start = arch_clock_ns();
	many();
	start = arch_clock_ns() - start;
	local_irq_restore(flags);
	report("page_1000_pairs", start, MANY * MANY_ROUNDS);
}

/* ---- all CPUs at once --------------------------------------------------------------------- */

static void cpu_pairs(void *order)
{
	pairs_of((unsigned long)order);
}

static void cpu_many(void *unused)
{
	(void)unused;
	many();
}

static void bench_all(const char *name, void (*fn)(void *), unsigned long order,
		      unsigned long pairs)
{
	u64 start = arch_clock_ns();

	smp_call(cpu_online_mask, fn, (void *)order);
	report(name, arch_clock_ns() - start, pairs * nr_cpus);
}

static int bench_run(void)
{
	char name[32];

	if (cmdline_get("bench", name, sizeof(name)) <= 0 || strcmp(name, "pages"))
		return 0;
	if (nr_cpus == 1) {
		bench_order("page_order0_pair", 0);
		bench_many();
		if (CONFIG_LAB > 1) {
			bench_order("page_order3_pair", 3);
			bench_order("page_order5_pair", 5);
		}
	} else {
		bench_all("page_order0_pair", cpu_pairs, 0, PAIRS);
		bench_all("page_1000_pairs", cpu_many, 0, MANY * MANY_ROUNDS);
		if (CONFIG_LAB > 1) {
			bench_all("page_order3_pair", cpu_pairs, 3, PAIRS);
			bench_all("page_order5_pair", cpu_pairs, 5, PAIRS);
		}
	}
	printk_flush();
	arch_poweroff();
	return 0;
}
late_initcall(bench_run);
