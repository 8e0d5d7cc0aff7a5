/*
 * bench=pages: what the page allocator costs, counted as bench.c tells. Runs in the first kernel
 * thread and prints one line per figure, then powers off. tools/bench reads the lines.
 *
 * What is measured must not depend on what the boot left behind:
 *
 *	order 5	how much is split and merged depends on the sizes of the blocks that are free. So
 *		all free blocks of orders 5 to 9 are taken first, and to leave a block of a
 *		chosen larger order as the only thing to split, one of that order is taken and
 *		freed; its neighbours stay taken. Then each pair makes exactly so many splits
 *		and merges, which is checked. Both ends of the scale are measured: one, and
 *		five, the most there can be
 */
#include "test/bench.h"
#include "base/initcall.h"
#include "mm/phys/page_alloc.h"
#include "mm/vm/vmalloc.h"

#define TURN		100		/* operations of a CPU before the next has its turn */
#define PAIR_TURNS	200
#define MANY		1000		/* pages held at once */
#define MANY_TURNS	(2 * MANY / TURN * 20)

static struct page **held[NR_CPUS];	/* MANY each; only while it runs */
static LIST_HEAD(taken);		/* blocks kept away from a measurement, by page->list */

/* ---- what is measured --------------------------------------------------------------------- */

static void pairs_turn(unsigned int order, unsigned int turn)
{
	(void)turn;
	for (unsigned int i = 0; i < TURN; i++)
		__free_pages(alloc_pages(GFP_KERNEL, order), order);
}

/* MANY allocations, then as many frees, TURN at a time. */
static void many_turn(unsigned int order, unsigned int turn)
{
	unsigned int phase = turn % (2 * MANY / TURN);
	struct page **pages = &held[smp_processor_id()][phase % (MANY / TURN) * TURN];

	if (phase < MANY / TURN)
		for (unsigned int i = 0; i < TURN; i++)
			pages[i] = alloc_pages(GFP_KERNEL, order);
	else
		for (unsigned int i = 0; i < TURN; i++)
			__free_pages(pages[i], order);
}

/* ---- figures ------------------------------------------------------------------------------ */

static void bench(const char *name, turn_fn fn, unsigned int order, unsigned int turns,
		  unsigned long pairs)
{
	bench_in_turns(fn, order, turns);
	bench_report("", name, bench_in_turns(fn, order, turns), pairs * nr_cpus);
	if (nr_cpus > 1)
		bench_report("_at_once", name, bench_at_once(fn, order, turns), pairs * nr_cpus);
}

static void take(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	CHECK(page);
	list_add(&page->list, &taken);
	page->private = order;
}

/* All from @order on, but the largest. */
static void take_free_blocks(const struct zone *zone, unsigned int order)
{
	for (; order < MAX_ORDER; order++)
		while (zone->free_area[order].nr_free)
			take(order);
}

static void give_all_back(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &taken, list)
		__free_pages(page, page->private);
	INIT_LIST_HEAD(&taken);
}

/* One pair of @order: how many free lists changed between. */
static unsigned int splits_of(const struct zone *zone, unsigned int order)
{
	unsigned long before[NR_ORDERS];
	unsigned int splits = 0;
	struct page *page;

	for (unsigned int k = 0; k < NR_ORDERS; k++)
		before[k] = zone->free_area[k].nr_free;
	page = alloc_pages(GFP_KERNEL, order);
	CHECK(page);
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		splits += zone->free_area[k].nr_free > before[k];
	__free_pages(page, order);
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		CHECK(zone->free_area[k].nr_free == before[k]);
	return splits;
}

/* Blocks of @order from one of order @order + @splits. */
static void bench_split(const char *name, unsigned int order, unsigned int splits)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct zone *zone = page_zone(page);

	__free_page(page);
	take_free_blocks(zone, order);
	page = alloc_pages(GFP_KERNEL, order + splits);
	CHECK(page);
	take_free_blocks(zone, order);
	__free_pages(page, order + splits);
	CHECK(splits_of(zone, order) == splits);
	bench(name, pairs_turn, order, PAIR_TURNS, PAIR_TURNS * TURN);
	give_all_back();
}

static int bench_run(void)
{
	if (!bench_is("pages"))
		return 0;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		CHECK((held[cpu] = vmalloc(MANY * sizeof(*held[cpu]), GFP_KERNEL)));
	bench_start();
	bench("page_order0_pair", pairs_turn, 0, PAIR_TURNS, PAIR_TURNS * TURN);
	bench("page_1000_pairs", many_turn, 0, MANY_TURNS, MANY_TURNS * TURN / 2);
	if (CONFIG_LAB > 1) {
		bench("page_order3_pair", pairs_turn, 3, PAIR_TURNS, PAIR_TURNS * TURN);
		bench_split("page_order5_pair_1_split", 5, 1);
		bench_split("page_order5_pair_5_splits", 5, 5);
	}
	bench_end();
	return 0;
}
late_initcall(bench_run);
