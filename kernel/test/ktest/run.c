/*
 * ktest in the kernel: a late initcall runs the tests that the command line names and powers off.
 *
 *	ktest.tests=a,b,c	names (default: all)	ktest.seed=N	secret=32 hex digits
 *	ktest.seeds=N		tests that run with several seeds run with N, and say how many runs differed
 *
 * The last CPU is reserved: this file's thread lives there, and no test ever runs on it. Each of the
 * others has a worker thread. The reserved CPU gives a test to worker 0, watches until it is done or
 * the budget is spent, and prints. It needs nothing from the others to do so: it has its turn even if
 * every other CPU spins with interrupts off. After a test that did not come to its end this machine is
 * not to be trusted, and is switched off; tools/ktest starts another one for the tests that are left.
 *
 * Turns. Under instruction counting QEMU 7.2 runs one virtual CPU at a time, until a timer of any CPU is
 * due, and then goes on to the next. What that timer does is worked out at the cost of the next
 * CPU's slice, which comes to nothing: of CPUs that are all busy every second one starves. So only every
 * second CPU of the machine is used (cpustep=2), and the CPUs between them sleep for ever. And never
 * do all of them sleep: then QEMU's clock is moved on by another thread of the host, and how the CPUs
 * get on is a race. So this CPU does not wait, it looks.
 *
 * Interleavings. Under instruction counting one virtual CPU runs at a time, until a timer fires. While a
 * test runs on several CPUs each has a timer that is armed at intervals drawn from the seed. The clock
 * ticks only every 100 (RISC-V) or 16 (ARM64) instructions, so the handler also burns a number of
 * instructions drawn from the seed: or else a loop whose length divides the tick would always be
 * interrupted at the same place.
 */
#include "test/ktest/calls.h"
#include "test/ktest/ktest.h"
#include "test/ktest/seal.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/panic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/vm/vmalloc.h"
#include "sched/timer.h"
#include "task/kthread.h"

#define SEED_STEP	0x9e3779b9UL
#define GRACE		2000000UL	/* instructions for the other CPUs, when the first is done */
#define LINE_SIZE	256
#define ARENA_SIZE	(16UL << 20)	/* what ktest_alloc() gives */
#define SWITCH_TIME	80		/* rounds of burn(): more than a tick of the clock */
#define ABORT_GRACE	5000000UL	/* ... when one has left the test, perhaps with a lock */
#define RELAX_TIME	1000		/* instructions: more than it takes to arm a timer */
#define HEARTBEAT	30000		/* instructions */
#define LOOK_TIME	12000		/* instructions: how often the reserved CPU looks at a CPU that is alone */

struct worker {
	struct thread *thread;
	void (*fn)(unsigned int cpu, void *arg);	/* NULL: nothing to do */
	void *arg;
	bool ready;
};

static struct worker workers[NR_CPUS];
static unsigned int nr_workers;
static bool harness_runs;

/* ---- for the tests ------------------------------------------------------------------------ */

u64 ktest_clock(void)
{
	return arch_clock_ns();
}

unsigned int ktest_nr_cpus(void)
{
	return nr_workers;
}

/*
 * Ends this CPU's slice, interrupts on or off: QEMU goes on to the next CPU when a timer is armed that is
 * due before all others. It must lie in the future when it is armed, or else it just fires. The kernel's
 * timers take the early interrupt as one that finds nothing to do, and set the alarm anew.
 */
void ktest_relax(void)
{
	arch_timer_set(arch_clock_ns() + RELAX_TIME);
}

/* A stack: what is given last comes back first. One area for the whole run, so that the tests cause no
 * TLB shootdowns. */
static char *arena;
static unsigned long arena_used;

void *ktest_map(unsigned long size)
{
	char *p = arena + arena_used;

	if (size > ARENA_SIZE - arena_used)
		return NULL;
	arena_used += ALIGN(size, 64UL);
	return p;
}

void ktest_unmap(void *p)
{
	arena_used = (char *)p - arena;
}

void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg);
void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	smp_call(mask, fn, arg);
}

/*
 * Every CPU's, always: no slice lasts longer, even of a CPU that spins with interrupts off. It takes
 * one of each, because a timer that has fired is armed again only when its CPU has had its turn.
 */
static struct timer hearts[NR_CPUS];

static void heartbeat(struct timer *timer)
{
	timer_start(timer, arch_clock_ns() + HEARTBEAT + 1000 * smp_processor_id());
}

static void start_heart(void)
{
	struct timer *heart = &hearts[smp_processor_id()];

	if (heart->fn)
		return;
	timer_init(heart, heartbeat);
	heartbeat(heart);
}

static struct {
	struct timer timer;
	struct thread *thread;
} traveller;

static void wake_traveller(struct timer *timer)
{
	(void)timer;
	wake_up_process(traveller.thread);
}

void ktest_migrate(unsigned int cpu)
{
	struct thread *self = current_thread();

	self->cpus_allowed = BIT(cpu);
	traveller.thread = self;
	timer_init(&traveller.timer, wake_traveller);
	while (smp_processor_id() != cpu) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		timer_start(&traveller.timer, arch_clock_ns() + RELAX_TIME);
		schedule();
	}
}

/*
 * The thread that started all this has nothing to do but this: it takes CPU 0 from a thread that was
 * interrupted there, until another CPU, which has run dry, has come for that one.
 */
static struct {
	struct thread *thread;
	struct thread *moved;		/* NULL: nobody */
} usurper;

bool ktest_move_interrupted(void)
{
	struct thread *self = current_thread();

	/* The interrupt itself counts as one reason not to be preempted. */
	if (smp_processor_id() || preempt_count() > 1 || self != workers[0].thread ||
	    READ_ONCE(usurper.moved))
		return false;
	self->cpus_allowed = ~0UL;
	smp_store_release(&usurper.moved, self);
	wake_up_process(usurper.thread);
	set_bit(TIF_NEED_RESCHED, &current_head()->flags);
	return true;
}

static __noreturn void usurp(void)
{
	struct thread *self = current_thread(), *moved;

	self->cpus_allowed = BIT(0);
	usurper.thread = self;
	for (;;) {
		unsigned long anywhere = ~0UL;

		set_current_state(TASK_UNINTERRUPTIBLE);
		moved = smp_load_acquire(&usurper.moved);
		if (!moved) {
			schedule();
			continue;
		}
		WRITE_ONCE(self->state, TASK_RUNNING);
		/* It stays there, unless it has been there, and wants to come back. */
		__atomic_compare_exchange_n(&moved->cpus_allowed, &anywhere, ~BIT(0), false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
		while (!READ_ONCE(moved->head.cpu) && READ_ONCE(moved->cpus_allowed) != BIT(0)) {
			arch_send_ipi(BIT(1), IPI_RESCHEDULE);
			ktest_relax();
		}
		smp_store_release(&usurper.moved, NULL);
	}
}

/* ---- workers ------------------------------------------------------------------------------ */

static void release_thread(struct thread *t)
{
	stack_free(t->stack);
	tid_free(t->tid);
	WRITE_ONCE(t->tid, 0);
}

/* A kernel thread that never runs on another CPU than @cpu. */
static void start_on(unsigned int cpu, void (*fn)(void *arg), const char *name)
{
	static struct thread threads[NR_CPUS];
	struct thread *t = &threads[cpu];
	void *stack = stack_alloc();

	while (READ_ONCE(t->tid))	/* its predecessor is being buried */
		ktest_relax();
	if (!stack)
		panic("ktest: no memory for a thread");
	memset(t, 0, sizeof(*t));
	thread_init(t, name, stack, fn, (void *)(unsigned long)cpu);
	t->tid = tid_alloc();
	t->pf_flags = PF_KTHREAD;
	t->release = release_thread;
	t->cpus_allowed = BIT(cpu);
	thread_start(t);
}

static void worker_main(void *arg)
{
	unsigned int cpu = (unsigned long)arg;
	struct worker *worker = &workers[cpu];

	worker->thread = current_thread();
	start_heart();
	smp_store_release(&worker->ready, true);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!smp_load_acquire(&worker->fn)) {
			schedule();
			continue;
		}
		WRITE_ONCE(current_thread()->state, TASK_RUNNING);
		worker->fn(cpu, worker->arg);
		smp_store_release(&worker->fn, NULL);
	}
}

static void start_worker(unsigned int cpu)
{
	struct worker *worker = &workers[cpu];

	worker->ready = false;
	start_on(cpu, worker_main, "ktest");
	while (!smp_load_acquire(&worker->ready))
		ktest_relax();
}

static void give_work(unsigned int cpu, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	workers[cpu].arg = arg;
	smp_store_release(&workers[cpu].fn, fn);
	wake_up_process(workers[cpu].thread);
}

/* ---- interleavings ------------------------------------------------------------------------ */

struct jitter {
	struct timer timer;
	struct prng rng;
};

static struct jitter jitters[NR_CPUS];
/* For the harness's own test: called when a CPU was interrupted. */
void (*ktest_jitter_hook)(unsigned int cpu);

static void burn(u64 n)
{
	while (n--)
		barrier();
}

static void jitter_arm(struct jitter *jitter)
{
	u64 span = prng_below(&jitter->rng, 4) ? 12000 : 1000;

	timer_start(&jitter->timer, arch_clock_ns() + 100 + prng_below(&jitter->rng, span));
}

static void jitter_fire(struct timer *timer)
{
	struct jitter *jitter = container_of(timer, struct jitter, timer);

	if (ktest_jitter_hook)
		ktest_jitter_hook(jitter - jitters);
	burn(prng_below(&jitter->rng, 128));
	jitter_arm(jitter);
}

static struct {
	void (*fn)(unsigned int cpu, void *arg);
	void *arg;
	u64 seed;
	unsigned int n, arrived, left;
	bool aborted;			/* a CPU has left the test, its locks perhaps still taken */
	struct prng rng;		/* for the places where a CPU lets others in */
} gang;

/* One in four: an alarm that comes at once, and then nothing until it has come. */
bool ktest_interleaved;

void ktest_let_others_in(void)
{
	if (!READ_ONCE(gang.left) || prng_below(&gang.rng, 4))
		return;
	ktest_relax();
	burn(SWITCH_TIME);
}

void ktest_sched_point(void)
{
	__atomic_fetch_add(&ktest_unlocks, 1, __ATOMIC_RELAXED);
	ktest_let_others_in();
}

static void gang_member(unsigned int cpu, void *arg)
{
	struct jitter *jitter = &jitters[cpu];

	(void)arg;
	timer_init(&jitter->timer, jitter_fire);
	prng_seed(&jitter->rng, gang.seed * 64 + cpu);
	jitter_arm(jitter);
	__atomic_fetch_add(&gang.arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&gang.arrived, __ATOMIC_ACQUIRE) < gang.n)
		ktest_relax();
	gang.fn(cpu, gang.arg);
	timer_cancel(&jitter->timer);
	__atomic_fetch_sub(&gang.left, 1, __ATOMIC_ACQ_REL);
}

void ktest_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	BUG_ON(smp_processor_id() != 0 || n > nr_workers || !n);
	gang.fn = fn;
	gang.arg = arg;
	gang.seed = seed;
	gang.n = gang.left = n;
	gang.arrived = 0;
	gang.aborted = false;
	prng_seed(&gang.rng, seed);
	ktest_interleaved = true;
	for (unsigned int cpu = 1; cpu < n; cpu++)
		give_work(cpu, gang_member, NULL);
	gang_member(0, NULL);
	while (__atomic_load_n(&gang.left, __ATOMIC_ACQUIRE))
		ktest_relax();
	ktest_interleaved = false;
	/* Nor is the next gang's work to be given to one that is still putting this one's away. */
	for (unsigned int cpu = 1; cpu < n; cpu++)
		while (smp_load_acquire(&workers[cpu].fn))
			ktest_relax();
}

/* The worker ends; whoever waits for it must not wait for ever. */
void ktest_abort(void)
{
	unsigned int cpu = smp_processor_id();

	local_irq_disable();
	preempt_count() = 0;
	local_irq_enable();
	timer_cancel(&jitters[cpu].timer);
	smp_store_release(&gang.aborted, true);
	if (cpu)
		__atomic_fetch_sub(&gang.left, 1, __ATOMIC_ACQ_REL);
	workers[cpu].thread = NULL;
	smp_store_release(&workers[cpu].fn, NULL);
	thread_exit();
}

/* ---- one test ----------------------------------------------------------------------------- */

#define MAX_SEEDS	1000

static struct {
	const struct ktest *test;
	u64 first_seed, seed, deadline;
	unsigned int asked_seeds;	/* 0: as many as the test has */
	u64 runs[MAX_SEEDS];		/* with each seed: what it cost and how often a lock was released */
} now;

static unsigned int seeds_of(const struct ktest *test)
{
	return test->seeds > 1 && now.asked_seeds ? now.asked_seeds : test->seeds;
}

static u64 budget_of(const struct ktest *test)
{
	return test->budget / test->seeds * seeds_of(test) * CALLS_BUDGET;
}

/* Runs that differ in these numbers were different; of others nothing is known. */
static unsigned int different_runs(unsigned int n)
{
	unsigned int different = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int j = 0;

		while (now.runs[j] != now.runs[i])
			j++;
		different += j == i;
	}
	return different;
}

u64 ktest_budget_left(void)
{
	u64 clock = arch_clock_ns();

	return clock < now.deadline ? now.deadline - clock : 0;
}

static void run_test(unsigned int cpu, void *arg)
{
	const struct ktest *test = now.test;

	(void)cpu;
	(void)arg;
	for (unsigned int i = 0; i < seeds_of(test) && !ktest_failed(); i++) {
		struct ktest_run t = { .seed = now.first_seed + i * SEED_STEP };
		unsigned long unlocks = ktest_unlocks;
		u64 start = arch_clock_ns();

		now.seed = t.seed;
		prng_seed(&t.rng, t.seed);
		world_reset();
		test->run(&t);
		ktest_release(0);
		if (now.asked_seeds)
			now.runs[i] = (arch_clock_ns() - start) << 32 | (u32)(ktest_unlocks - unlocks);
	}
}

static void out(const char *text)
{
	for (; *text; text++)
		arch_early_putc(*text);
}

static void out_comment(const char *text)
{
	out("#   ");
	out(text);
	out("\n");
}

/* " mac=" and 16 digits: by hand, so that each value costs the same number of instructions. */
static void format_mac(char *buf, const char *line)
{
	u64 mac = seal(line);

	memcpy(buf, " mac=", 5);
	for (unsigned int i = 0; i < 16; i++, mac <<= 4)
		buf[5 + i] = '0' + (mac >> 60) + ((9 - (mac >> 60)) >> 63) * ('a' - '0' - 10);
	memcpy(buf + 21, "\n", 2);
}

static __printf(1, 2) void out_sealed(const char *fmt, ...)
{
	char line[LINE_SIZE], mac[32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	format_mac(mac, line);
	out(line);
	out(mac);
}

/*
 * The reserved CPU lets the others run. Each look costs as much as a third of a slice of RELAX_TIME. So while
 * one CPU is alone with a test it has more, as far as no heart beats in that time: an alarm behind
 * another one would not end this CPU's slice. Several CPUs are switched as often as can be.
 */
static void look_away(void)
{
	u64 clock = arch_clock_ns(), alarm = clock + LOOK_TIME;

	if (READ_ONCE(gang.left)) {
		ktest_relax();
		return;
	}
	for (unsigned int cpu = 0; cpu < nr_workers; cpu++) {
		u64 beat = READ_ONCE(hearts[cpu].expires_ns);

		if (beat > clock)
			alarm = min(alarm, beat - RELAX_TIME);
	}
	arch_timer_set(max(alarm, clock + RELAX_TIME));
}

/* Until worker 0 is done; false: the budget is spent, or it waits in vain for a CPU that has left. */
static bool wait_for_worker(void)
{
	u64 deadline = now.deadline;

	gang.aborted = false;
	while (smp_load_acquire(&workers[0].fn)) {
		u64 clock = arch_clock_ns();

		if (clock >= deadline)
			return false;
		if (smp_load_acquire(&gang.aborted))
			deadline = min(deadline, clock + ABORT_GRACE);
		look_away();
	}
	return true;
}

/* Are all workers idle soon? */
static bool settle(void)
{
	u64 deadline = arch_clock_ns() + GRACE;

	for (unsigned int cpu = 0; cpu < nr_workers; cpu++) {
		while (smp_load_acquire(&workers[cpu].fn)) {
			if (arch_clock_ns() >= deadline)
				return false;
			ktest_relax();
		}
	}
	return true;
}

static __noreturn void finish(void)
{
	out("# ktest: end\n");
	printk_flush();
	arch_poweroff();
}

#ifdef CONFIG_CALLS
static void *(*thread_hook)(char *buf, size_t size);

/* A panic of this kernel, too, is what some call has led to. */
static void *panic_with_calls(char *buf, size_t size)
{
	if (panic_in_progress())
		ktest_calls_report(out_comment);
	return thread_hook(buf, size);
}

static void calls_init(void)
{
	thread_hook = panic_thread_hook;
	panic_thread_hook = panic_with_calls;
}
#else
static inline void calls_init(void) { }
#endif

/* Prints the verdict; does not return if the machine cannot be used any more. */
static void run_one(const struct ktest *test, unsigned int number)
{
	char timeout[LINE_SIZE], mac[32], runs[48] = "";
	unsigned int seeds = seeds_of(test);
	bool in_time, settled;
	u64 start, budget = budget_of(test);

	out_sealed("# start %u %s", number, test->name);
	/* Sealed beforehand: when it is needed, other CPUs may be running wild. */
	snprintf(timeout, sizeof(timeout), "not ok %u %s # timed out after %lu instructions",
		 number, test->name, (unsigned long)budget);
	format_mac(mac, timeout);

	now.test = test;
	ktest_interleaved = false;	/* the last test may not have come to its end */
	start = arch_clock_ns();
	now.deadline = start + budget;
	give_work(0, run_test, NULL);
	in_time = wait_for_worker();
	if (!in_time && !ktest_failed()) {
		char where[64];

		snprintf(where, sizeof(where), "seed %lu", (unsigned long)now.seed);
		out_comment(where);
		ktest_calls_report(out_comment);
		out(timeout);
		out(mac);
		finish();
	}
	settled = in_time && settle();
	if (ktest_failed()) {
		char where[64];

		ktest_calls_report(out_comment);
		ktest_report(out_comment);
		snprintf(where, sizeof(where), "seed %lu", (unsigned long)now.seed);
		out_comment(where);
	}
	if (seeds != test->seeds && !ktest_failed())
		snprintf(runs, sizeof(runs), ", %u of %u runs differ", different_runs(seeds), seeds);
	out_sealed("%s %u %s # %lu instructions%s", ktest_failed() ? "not ok" : "ok", number,
		   test->name, (unsigned long)(arch_clock_ns() - start), runs);
	if (!settled)
		finish();
	for (unsigned int cpu = 0; cpu < nr_workers; cpu++)
		if (!workers[cpu].thread)
			start_worker(cpu);
	ktest_forget();
}

/* Is @name in the comma-separated @list? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)) != NULL; p++)
		if ((p == list || p[-1] == ',') && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

static void harness_main(void *unused)
{
	static char list[3800];
	unsigned int number = 0;

	(void)unused;
	smp_store_release(&harness_runs, true);
	start_heart();
	for (unsigned int cpu = 0; cpu < nr_workers; cpu++)
		start_worker(cpu);
	now.first_seed = cmdline_long("ktest.seed", 1);
	now.asked_seeds = clamp(cmdline_long("ktest.seeds", 0), 0L, (long)MAX_SEEDS);
	cmdline_get("ktest.tests", list, sizeof(list));
	out("KTAP version 1\n");
	for (const struct ktest *const *test = ktest_table; *test; test++)
		if (!list[0] || listed(list, (*test)->name))
			run_one(*test, ++number);
	finish();
}

static int ktest_main(void)
{
	if (!cmdline_has("ktest"))
		return 0;
	arena = vmalloc(ARENA_SIZE, GFP_KERNEL);
	if (nr_cpus < 2 || !arena || !seal_init()) {
		out("# ktest: trouble: needs two CPUs, secret= and mem= below the machine's memory\n");
		finish();
	}
	nr_workers = nr_cpus - 1;
	calls_init();
	start_on(nr_cpus - 1, harness_main, "ktest");
	while (!smp_load_acquire(&harness_runs))
		ktest_relax();
	usurp();
}
late_initcall(ktest_main);
