/*
 * ktest on the host: every test in a process of its own, under ASan and UBSan, with threads as CPUs.
 *
 *	ktest-host [-s SEED] [NAME...]
 *
 * KTAP on standard output; the exit status is 0 if all passed, 1 if not. A test that dies, hangs
 * or overruns fails alone. A sanitizer's report stands in front of its result line.
 */
#include "arch/host/host.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "base/preempt.h"
#include "test/ktest/ktest.h"
#include "lib/format.h"
#include "lib/string.h"

#define SEED_STEP	0x9e3779b9UL
#define STATUS_PASSED	77
#define STATUS_FAILED	78
#define HOST_CPUS	3
#define ITIMER_PROF	2
#define SIGALRM		14
#define SIGPROF		27
#define LATE_TESTS	2		/* as in tools/strata/ktest.py, which tells why */
#define LATE_BUDGET	300000000UL

static bool smp_running;

int printf(const char *fmt, ...) __printf(1, 2);
int fflush(void *file);
void exit(int status) __noreturn;
void _exit(int status) __noreturn;
void abort(void) __noreturn;
int fork(void);
int waitpid(int pid, int *status, int options);
unsigned int alarm(unsigned int seconds);
int setitimer(int which, const unsigned long *value, unsigned long *old);
void *malloc(size_t size);
void free(void *p);
unsigned long strtoul(const char *s, char **end, int base);
int sched_yield(void);

void (*ktest_jitter_hook)(unsigned int cpu);	/* never called here */

#ifdef CONFIG_FUZZ
/* A stack, as in run.c: a world a millisecond is more than mmap() should be asked for. */
#define ARENA_SIZE	(32UL << 20)
#define FENCE		4096UL

void __asan_poison_memory_region(const void *addr, size_t size);
void __asan_unpoison_memory_region(const void *addr, size_t size);

static char arena[ARENA_SIZE] __aligned(4096);
static unsigned long arena_used;

void *ktest_map(unsigned long size)
{
	char *p = arena + arena_used;

	if (size + FENCE > ARENA_SIZE - arena_used)
		return NULL;
	arena_used += ALIGN(size, 64UL) + FENCE;
	__asan_unpoison_memory_region(p, size);
	__asan_poison_memory_region(p + size, arena + arena_used - (p + size));
	return p;
}

void ktest_unmap(void *p)
{
	__asan_poison_memory_region(p, arena + arena_used - (char *)p);
	arena_used = (char *)p - arena;
}
#else
void *ktest_map(unsigned long size)
{
	return malloc(size);
}

void ktest_unmap(void *p)
{
	free(p);
}
#endif

u64 ktest_clock(void)
{
	return arch_clock_ns();
}

unsigned int ktest_nr_cpus(void)
{
	return HOST_CPUS;
}

void ktest_relax(void)
{
	sched_yield();
}

void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg);
void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	unsigned int self = smp_processor_id();

	if (smp_running) {		/* no thread can be interrupted */
		smp_call(mask, fn, arg);
		return;
	}
	for (unsigned int cpu = 0; cpu < HOST_CPUS; cpu++) {
		if (!(mask & BIT(cpu)))
			continue;
		host_cpu_enter(cpu);
		fn(arg);
	}
	host_cpu_enter(self);
}

void ktest_migrate(unsigned int cpu)
{
	host_cpu_enter(cpu);
}

bool ktest_move_interrupted(void)
{
	return false;
}

static u64 current_seed;

static u64 started, budget;

/* A host of a billion simple instructions a second. */
u64 ktest_budget_left(void)
{
	u64 used = arch_clock_ns() - started;

	return used < budget ? budget - used : 0;
}

static void print_line(const char *text)
{
	printf("#   %s\n", text);
}

static __noreturn void finish(void)
{
	if (ktest_failed()) {
		ktest_report(print_line);
		printf("#   seed %lu\n", (unsigned long)current_seed);
	}
	fflush(NULL);
#ifdef CONFIG_FUZZ
	abort();		/* libFuzzer keeps the input */
#endif
	_exit(ktest_failed() ? STATUS_FAILED : STATUS_PASSED);
}

void ktest_abort(void)
{
	finish();
}

static u32 sched_points;

void ktest_sched_point(void)
{
	__atomic_fetch_add(&ktest_unlocks, 1, __ATOMIC_RELAXED);
	if (smp_running && __atomic_fetch_add(&sched_points, 1, __ATOMIC_RELAXED) % 4 == 0)
		sched_yield();
}

static void (*smp_fn)(unsigned int cpu, void *arg);
static void *smp_arg;

static void smp_body(unsigned int cpu)
{
	smp_fn(cpu, smp_arg);
}

void ktest_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	(void)seed;
	smp_fn = fn;
	smp_arg = arg;
	smp_running = true;
	host_run_cpus(n, smp_body);
	smp_running = false;
}

#ifndef CONFIG_FUZZ		/* fuzz.c: libFuzzer has its own main() */
static unsigned long seed = 1;

/* In the child. */
static __noreturn void run(const struct ktest *test)
{
	/* Of processor time: the load does not count. Four times what the budget should take. */
	unsigned long seconds = 1 + test->budget / 400000000;
	unsigned long limit[4] = { 0, 0, seconds, 0 };

	setitimer(ITIMER_PROF, limit, NULL);
	alarm(60 * seconds);
	started = arch_clock_ns();
	budget = test->budget;
	for (unsigned int i = 0; i < test->seeds && !ktest_failed(); i++) {
		struct ktest_run t = { .seed = seed + i * SEED_STEP };

		current_seed = t.seed;
		prng_seed(&t.rng, t.seed);
		world_reset();
		test->run(&t);
		ktest_release(0);
	}
	finish();
}

/* What ran out of time in the part that is being run; tests of a part stand together. */
static struct {
	const char *part;
	unsigned long tests, budget;
} late;

static bool part_is_lost(const struct ktest *test)
{
	if (!late.part || strcmp(late.part, test->part)) {
		memset(&late, 0, sizeof(late));
		late.part = test->part;
	}
	return late.tests >= LATE_TESTS || late.budget >= LATE_BUDGET;
}

static bool passes(const struct ktest *test, char *why, size_t size)
{
	int pid, status, code, signal;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		printf("# cannot fork\n");
		exit(2);
	}
	if (!pid)
		run(test);
	waitpid(pid, &status, 0);
	code = status >> 8 & 255;
	signal = status & 127;
	if (signal == SIGALRM || signal == SIGPROF) {
		snprintf(why, size, "timed out");
		late.tests++;
		late.budget += test->budget;
	} else if (signal) {
		snprintf(why, size, "died of signal %d", signal);
	} else if (code != STATUS_PASSED && code != STATUS_FAILED) {
		snprintf(why, size, "died, the report is above");
	} else {
		why[0] = '\0';
	}
	return !signal && code == STATUS_PASSED;
}

static bool wanted(const struct ktest *test, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], test->name) || !strcmp(argv[i], test->part))
			return true;
	return argc == 0;
}

int main(int argc, char **argv)
{
	int good = 0, bad = 0, planned = 0;

	argc--;
	argv++;
	if (argc >= 2 && !strcmp(argv[0], "-s")) {
		seed = strtoul(argv[1], NULL, 0);
		argc -= 2;
		argv += 2;
	}
	host_init();
	for (const struct ktest *const *test = ktest_table; *test; test++)
		planned += wanted(*test, argc, argv);
	printf("KTAP version 1\n1..%d\n", planned);
	for (const struct ktest *const *test = ktest_table; *test; test++) {
		char why[80] = "not run: the part is lost, its tests run out of time";
		bool ok;

		if (!wanted(*test, argc, argv))
			continue;
		ok = !part_is_lost(*test) && passes(*test, why, sizeof(why));
		ok ? good++ : bad++;
		printf("%s %d %s - %s%s%s\n", ok ? "ok" : "not ok", good + bad, (*test)->name,
		       (*test)->about, why[0] ? " # " : "", why);
	}
	printf("# %d passed, %d failed\n", good, bad);
	return bad != 0;
}
#endif
