/*
 * bench=pages: what the page allocator costs. Runs in the first kernel thread and prints one line
 * per figure, "bench: CPUS NAME VALUE", then powers off. tools/bench reads the lines.
 *
 * A figure is nanoseconds of the kernel's clock per pair of allocation and free, loop included,
 * rounded to the nearest. Under QEMU's -icount shift=0 a nanosecond is an instruction, of whichever
 * CPU: QEMU runs one at a time. The clock ticks every 100 instructions on RISC-V and every 16 on
 * ARM64, so what lies between two looks at it is thousands.
 *
 * What is measured must not depend on what the boot left behind:
 *
 *	lists	everything is done twice, and the second time counts: the lists are then as full
 *		as they will be
 *	order 5	how much is split and merged depends on the sizes of the blocks that are free. So
 *		all free blocks of orders 5 to 9 are taken first, and to leave a block of a
 *		chosen larger order as the only thing to split, one of that order is taken and
 *		freed; its neighbours stay taken. Then each pair makes exactly so many splits
 *		and merges, which is checked. Both ends of the scale are measured: one, and
 *		five, the most there can be
 *
 * With several CPUs two things are of interest, and they are measured apart:
 *
 *	in turns	what an operation costs while others use the same zone. The CPUs work by
 *			turns of 100 operations, and only the turns are timed; who has no turn
 *			sleeps. So blocks move between CPUs and lists, and nobody waits
 *	at once		all run freely, and the time is that of the whole, with what they wait for
 *			the lock. QEMU lets a CPU run for long before the next, so that is little.
 *			It depends on the machine more than on the allocator: on ARM64 a CPU that
 *			spins gives its time away, on RISC-V it spins until its time is up
 *
 * One CPU, the boss, gives out jobs (struct job) to a thread on each of the others, and works itself.
 * Nobody who waits spins: its instructions would be counted. Interrupts are off during a job, or
 * the timer's would be.
 */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "base/preempt.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/vm/vmalloc.h"
#include "task/kthread.h"

#define TURN		100		/* operations of a CPU before the next has its turn */
#define PAIR_TURNS	200
#define MANY		1000		/* pages held at once */
#define MANY_TURNS	(2 * MANY / TURN * 20)

/* A turn of something: @order is its own, turns count from 0. */
typedef void (*turn_fn)(unsigned int order, unsigned int turn);

struct job {
	turn_fn fn;
	unsigned int order, first, turns;
	u64 ns;				/* out: how long it took */
	int state;			/* written last */
};
enum { ABSENT, IDLE, POSTED };

static struct job jobs[NR_CPUS];	/* the CPU that a job is for owns it while it is POSTED */
static unsigned int boss;		/* the CPU that gives out jobs, and works itself */
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

/* ---- jobs for CPUs ------------------------------------------------------------------------ */

static void do_job(struct job *job)
{
	unsigned long flags = local_irq_save();
	u64 start = arch_clock_ns();

	for (unsigned int i = 0; i < job->turns; i++)
		job->fn(job->order, job->first + i);
	job->ns = arch_clock_ns() - start;
	local_irq_restore(flags);
}

/* Sleeps until the job of a CPU is in this state. The one who changes it sends an interrupt. */
static void wait_for(const struct job *job, int state)
{
	local_irq_disable();
	while (smp_load_acquire(&job->state) != state) {
		arch_idle();
		local_irq_disable();
	}
	local_irq_enable();
}

static void change_state(struct job *job, int state, unsigned int wake)
{
	smp_store_release(&job->state, state);
	arch_send_ipi(BIT(wake), IPI_RESCHEDULE);
}

static void serve(void *unused)
{
	struct job *job;

	(void)unused;
	preempt_disable();
	job = &jobs[smp_processor_id()];
	for (;;) {
		change_state(job, IDLE, boss);
		wait_for(job, POSTED);
		do_job(job);
	}
}

static void post(unsigned int cpu, turn_fn fn, unsigned int order, unsigned int first,
		 unsigned int turns)
{
	struct job *job = &jobs[cpu];

	job->fn = fn;
	job->order = order;
	job->first = first;
	job->turns = turns;
	if (cpu == boss)
		do_job(job);
	else
		change_state(job, POSTED, cpu);
}

/* The sum of the turns' times, one CPU after the other. */
static u64 in_turns(turn_fn fn, unsigned int order, unsigned int turns)
{
	u64 ns = 0;

	for (unsigned int turn = 0; turn < turns; turn++) {
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			post(cpu, fn, order, turn, 1);
			wait_for(&jobs[cpu], IDLE);
			ns += jobs[cpu].ns;
		}
	}
	return ns;
}

static u64 at_once(turn_fn fn, unsigned int order, unsigned int turns)
{
	u64 start = arch_clock_ns();

	for (unsigned int i = 1; i <= nr_cpus; i++)	/* the boss last */
		post((boss + i) % nr_cpus, fn, order, 0, turns);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		wait_for(&jobs[cpu], IDLE);
	return arch_clock_ns() - start;
}

/* ---- figures ------------------------------------------------------------------------------ */

static void report(const char *how, const char *name, u64 ns, unsigned long pairs)
{
	pr_notice("bench: %u%s %s %lu\n", nr_cpus, how, name, (ns + pairs / 2) / pairs);
}

static void bench(const char *name, turn_fn fn, unsigned int order, unsigned int turns,
		  unsigned long pairs)
{
	in_turns(fn, order, turns);
	report("", name, in_turns(fn, order, turns), pairs * nr_cpus);
	if (nr_cpus > 1)
		report("_at_once", name, at_once(fn, order, turns), pairs * nr_cpus);
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
	char name[32];

	if (cmdline_get("bench", name, sizeof(name)) <= 0 || strcmp(name, "pages"))
		return 0;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		CHECK((held[cpu] = vmalloc(MANY * sizeof(*held[cpu]), GFP_KERNEL)));
	preempt_disable();
	boss = smp_processor_id();
	jobs[boss].state = IDLE;
	for (unsigned int i = 1; i < nr_cpus; i++)
		CHECK(kthread_run(serve, NULL, "bench/%u", i));
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		wait_for(&jobs[cpu], IDLE);

	bench("page_order0_pair", pairs_turn, 0, PAIR_TURNS, PAIR_TURNS * TURN);
	bench("page_1000_pairs", many_turn, 0, MANY_TURNS, MANY_TURNS * TURN / 2);
	if (CONFIG_LAB > 1) {
		bench("page_order3_pair", pairs_turn, 3, PAIR_TURNS, PAIR_TURNS * TURN);
		bench_split("page_order5_pair_1_split", 5, 1);
		bench_split("page_order5_pair_5_splits", 5, 5);
	}
	printk_flush();
	arch_poweroff();
	return 0;
}
late_initcall(bench_run);
