/*
 * Benchmarks: how work is given to CPUs, and timed.
 *
 * A figure is nanoseconds of the kernel's clock per pair of allocation and free, loop included,
 * rounded to the nearest. Under QEMU's -icount shift=0 a nanosecond is an instruction, of whichever
 * CPU: QEMU runs one at a time. (So are `instret` and `cycle` of RISC-V, and ARM's cycle counter: in
 * that mode they all show QEMU's one count, and cannot tell the CPUs apart.) The clock ticks every
 * 100 instructions on RISC-V and every 16 on ARM64, so what lies between two looks at it is
 * thousands. Everything is done twice, and the second time counts: lists are then as full as they
 * will be.
 *
 * With several CPUs two things are of interest, and they are measured apart:
 *
 *	in turns	what an operation costs while others use the same allocator. The CPUs work
 *			by turns of 100 or 1000 operations, and only the turns are timed; who has no
 *			turn sleeps. So memory moves between CPUs and lists, and nobody waits
 *	at once		all run freely, and the time is that of the whole, with what they wait for
 *			locks. QEMU lets a CPU run for long before the next, so that is little. It
 *			depends on the machine more than on the allocator: on ARM64 a CPU that spins
 *			gives its time away, on RISC-V it spins until its time is up
 *
 * One CPU, the boss, gives out jobs (struct job) to a thread on each of the others, and works itself,
 * last. Nobody who waits spins: its instructions would be counted. Interrupts are off during a job, or
 * the timer's would be.
 */
#include "test/bench.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/preempt.h"
#include "lib/string.h"
#include "task/kthread.h"

struct job {
	turn_fn fn;
	unsigned int arg, first, turns;
	u64 ns;				/* out: how long it took */
	int state;			/* written last */
};
enum { ABSENT, IDLE, POSTED };

static struct job jobs[NR_CPUS];	/* the CPU that a job is for owns it while it is POSTED */
static unsigned int boss;		/* the CPU that gives out jobs, and works itself */

static void do_job(struct job *job)
{
	unsigned long flags = local_irq_save();
	u64 start = arch_clock_ns();

	for (unsigned int i = 0; i < job->turns; i++)
		job->fn(job->arg, job->first + i);
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

static void post(unsigned int cpu, turn_fn fn, unsigned int arg, unsigned int first,
		 unsigned int turns)
{
	struct job *job = &jobs[cpu];

	job->fn = fn;
	job->arg = arg;
	job->first = first;
	job->turns = turns;
	if (cpu == boss)
		do_job(job);
	else
		change_state(job, POSTED, cpu);
}

u64 bench_in_turns(turn_fn fn, unsigned int arg, unsigned int turns)
{
	u64 ns = 0;

	for (unsigned int turn = 0; turn < turns; turn++) {
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			post(cpu, fn, arg, turn, 1);
			wait_for(&jobs[cpu], IDLE);
			ns += jobs[cpu].ns;
		}
	}
	return ns;
}

u64 bench_at_once(turn_fn fn, unsigned int arg, unsigned int turns)
{
	u64 start = arch_clock_ns();

	for (unsigned int i = 1; i <= nr_cpus; i++)	/* the boss last */
		post((boss + i) % nr_cpus, fn, arg, 0, turns);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		wait_for(&jobs[cpu], IDLE);
	return arch_clock_ns() - start;
}

bool bench_is(const char *name)
{
	char asked[32];

	return cmdline_get("bench", asked, sizeof(asked)) > 0 && !strcmp(asked, name);
}

void bench_start(void)
{
	preempt_disable();
	boss = smp_processor_id();
	jobs[boss].state = IDLE;
	for (unsigned int i = 1; i < nr_cpus; i++)
		CHECK(kthread_run(serve, NULL, "bench/%u", i));
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		wait_for(&jobs[cpu], IDLE);
}

void bench_report(const char *how, const char *name, u64 ns, unsigned long pairs)
{
	pr_notice("bench: %u%s %s %lu\n", nr_cpus, how, name, (ns + pairs / 2) / pairs);
}

void bench_end(void)
{
	printk_flush();
	arch_poweroff();
}
