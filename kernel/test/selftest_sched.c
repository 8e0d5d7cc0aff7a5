/* The scheduler and what stands on it, under load on all CPUs. */
#include "test/selftest.h"
#include "base/irq.h"
#include "lib/bitops.h"
#include "lib/random.h"
#include "mm/slab/slab.h"
#include "mm/phys/page_alloc.h"
#include "sched/mutex.h"
#include "sched/timer.h"
#include "task/kthread.h"

static atomic_t running;
static DEFINE_WAIT_QUEUE(done_wait);

struct job {
	void (*fn)(unsigned int id);
	unsigned int id;
};

static struct job jobs[256];

static void run_job(void *arg)
{
	struct job *job = arg;

	job->fn(job->id);
	if (atomic_dec_and_test(&running))
		wake_up(&done_wait);
}

/* Runs @fn in @n threads at once and waits for all. */
static void in_parallel(unsigned int n, void (*fn)(unsigned int id))
{
	n = min(n, (unsigned int)ARRAY_SIZE(jobs));
	atomic_set(&running, n);
	for (unsigned int i = 0; i < n; i++) {
		jobs[i] = (struct job){ fn, i };
		CHECK(kthread_run(run_job, &jobs[i], "test/%u", i));
	}
	wait_event(&done_wait, atomic_read(&running) == 0);
}

/* ---- mutual exclusion --------------------------------------------------------------------- */

#define ROUNDS 1000

static DEFINE_MUTEX(count_mutex);
static DEFINE_SPINLOCK(count_lock);
static volatile unsigned long mutex_count, spin_count;

static void count_up(unsigned int id)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned long seen;

		mutex_lock(&count_mutex);
		seen = mutex_count;
		if (i % 64 == id % 64)
			sched_yield();
		if (i % 256 == id % 256)
			sleep_ns(50000);
		mutex_count = seen + 1;
		mutex_unlock(&count_mutex);

		spin_lock(&count_lock);
		spin_count = spin_count + 1;
		spin_unlock(&count_lock);
	}
}

static void test_exclusion(void)
{
	unsigned int n = 2 * nr_cpus + 3;

	in_parallel(n, count_up);
	CHECK(mutex_count == n * ROUNDS);
	CHECK(spin_count == n * ROUNDS);
}

/* ---- wake-ups: a lost one hangs the test -------------------------------------------------- */

#define PAIRS	8
#define VOLLEYS	1000

static struct table {
	struct wait_queue wait;
	unsigned long ball;		/* even: the even player's turn */
} tables[PAIRS];

static void play(unsigned int id)
{
	struct table *t = &tables[id / 2];

	for (unsigned int i = 0; i < VOLLEYS; i++) {
		wait_event(&t->wait, READ_ONCE(t->ball) % 2 == id % 2);
		WRITE_ONCE(t->ball, t->ball + 1);
		wake_up(&t->wait);
	}
}

static void test_wakeups(void)
{
	for (int i = 0; i < PAIRS; i++)
		wait_queue_init(&tables[i].wait);
	in_parallel(2 * PAIRS, play);
	for (int i = 0; i < PAIRS; i++)
		CHECK(tables[i].ball == 2 * VOLLEYS);
}

/* ---- timers ------------------------------------------------------------------------------- */

struct alarm {
	struct timer timer;
	u64 due;
	atomic_t rings;
	bool early;
};

static void ring(struct timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);

	if (arch_clock_ns() < alarm->due)
		alarm->early = true;
	atomic_inc(&alarm->rings);
}

static void use_timers(unsigned int id)
{
	struct alarm alarm = { .early = false };
	struct prng rng;

	prng_seed(&rng, id);
	timer_init(&alarm.timer, ring);
	for (int i = 0; i < 200; i++) {
		u64 wait = prng_below(&rng, 400000), nap = prng_below(&rng, 400000);
		int before = atomic_read(&alarm.rings);
		bool was_armed;

		alarm.due = arch_clock_ns() + wait;
		timer_start(&alarm.timer, alarm.due);
		sleep_ns(nap);
		was_armed = timer_cancel(&alarm.timer);
		CHECK(atomic_read(&alarm.rings) == before + !was_armed);
		CHECK(!alarm.early);
	}
}

static void test_timers(void)
{
	u64 start = arch_clock_ns();

	msleep(20);
	CHECK(arch_clock_ns() - start >= 20 * NSEC_PER_MSEC);
	in_parallel(4 * nr_cpus, use_timers);
}

static DEFINE_WAIT_QUEUE(never_wait);

static void test_timeouts(void)
{
	u64 deadline = arch_clock_ns() + 5 * NSEC_PER_MSEC;

	CHECK(wait_event_until(&never_wait, false, deadline) == -ETIMEDOUT);
	CHECK(arch_clock_ns() >= deadline);
	CHECK(wait_event_until(&never_wait, true, deadline) == 0);
	CHECK(wait_event_interruptible_until(&never_wait, false, 0) == -ETIMEDOUT);
}

/* ---- preemption: spinners on every CPU do not stop anybody ---------------------------------- */

static volatile unsigned long spins[256];
static volatile bool stop_spinning;

static void spin(unsigned int id)
{
	while (!stop_spinning)
		spins[id]++;
}

static bool all_spun(void)
{
	for (unsigned int i = 0; i < 2 * nr_cpus + 1; i++)
		if (!spins[i])
			return false;
	return true;
}

static void stop_spinners(struct work *work)
{
	u64 deadline = arch_clock_ns() + 20 * NSEC_PER_SEC;

	(void)work;
	while (!all_spun() && arch_clock_ns() < deadline)
		msleep(10);
	stop_spinning = true;
}

static void test_preemption(void)
{
	static struct work stopper = WORK_INIT(stop_spinners);

	schedule_work(&stopper);
	in_parallel(2 * nr_cpus + 1, spin);
	CHECK(all_spun());
}

/* ---- calls between CPUs ------------------------------------------------------------------- */

#define CALLS	20

static atomic_t calls;

static void count_call(void *arg)
{
	CHECK(irqs_disabled());
	atomic_inc((atomic_t *)arg);
}

static void call_all(unsigned int id)
{
	(void)id;
	for (int i = 0; i < CALLS; i++) {
		atomic_t mine = ATOMIC_INIT(0);
		int cpus = hweight64(cpu_online_mask);

		smp_call(~0UL, count_call, &mine);
		CHECK(atomic_read(&mine) == cpus);
		atomic_inc(&calls);
	}
}

static void test_calls(void)
{
	in_parallel(nr_cpus + 1, call_all);
	CHECK(atomic_read(&calls) == (int)(CALLS * (nr_cpus + 1)));
}

/* ---- threads come and go, and leave nothing -------------------------------------------------- */

static void nothing(unsigned int id)
{
	(void)id;
}

static void test_churn(void)
{
	unsigned long before = 0;

	for (int i = 0; i < 30; i++) {
		in_parallel(20, nothing);
		if (i == 9) {
			stack_cache_drain();
			kmem_cache_shrink_all();
			before = nr_free_pages();
		}
	}
	stack_cache_drain();
	kmem_cache_shrink_all();
	if (nr_free_pages() + 8 < before)
		panic("selftest: %lu pages lost", before - nr_free_pages());
}

/* ---- idle CPUs sleep ---------------------------------------------------------------------- */

static void test_idle(void)
{
	u64 start = arch_clock_ns(), idle = 0, switches = 0, time;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		idle -= sched_idle_ns(cpu);
		switches -= sched_nr_switches(cpu);
	}
	msleep(300);
	time = arch_clock_ns() - start;
	for_each_online_cpu(cpu) {
		idle += sched_idle_ns(cpu);
		switches += sched_nr_switches(cpu);
	}
	pr_info("idle: %lu of %lu us on all CPUs, %lu switches\n", idle / 1000,
		time / 1000 * nr_cpus, switches);
	CHECK(switches < 20);
	CHECK(idle > time * nr_cpus / 10 * 8);
}

void selftest_sched(void)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "exclusion", test_exclusion },	{ "wake-ups", test_wakeups },
		{ "timers", test_timers },		{ "timeouts", test_timeouts },
		{ "preemption", test_preemption },	{ "calls", test_calls },
		{ "churn", test_churn },		{ "idle", test_idle },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		u64 start = arch_clock_ns();

		tests[i].fn();
		pr_info("selftest: %s, %lu ms\n", tests[i].name,
			(arch_clock_ns() - start) / NSEC_PER_MSEC);
	}
}
