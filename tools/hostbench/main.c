/*
 * Wall-clock time of an allocator on this host: hostbench SECONDS SAMPLES. A line for each workload,
 * "NAME THREADS PAIRS_PER_MICROSECOND SAMPLES", the median of many short samples, of all threads together.
 *
 * The threads are tied to processors of their own and begin a sample together. A sample during
 * which one of them did not have its processor nearly all the time says nothing about the
 * allocator, and is thrown away; after SECONDS for a workload what there is has to do, and "-" says
 * that there is nothing.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench.h"

#define MAX_SAMPLES	1000
#define PAIRS		50000UL		/* of a thread in a sample: less than a millisecond, or little more */
#define SLOTS		16		/* batches on their way from one thread to the other */
#define DISTURBED	1.05		/* more wall-clock than processor time than this */

struct workload {
	const char *name;
	unsigned int threads;
	void (*run)(unsigned int cpu);
	unsigned long pairs;		/* of all threads */
};

static double patience;
static unsigned int wanted, processors[2];
static const struct workload *workload;
static atomic_uint arrived, turn;
static atomic_bool over;
static struct {
	double begin, end, used;	/* seconds */
	char pad[104];
} spans[2];

/* ---- workloads ---------------------------------------------------------------------------- */

static void hot(unsigned int cpu)
{
	(void)cpu;
	bench_hot(PAIRS);
}

static void many(unsigned int cpu)
{
	(void)cpu;
	bench_many(PAIRS);
}

/* One thread makes objects, the other frees them. */
static struct {
	_Alignas(64) atomic_ulong made;
	_Alignas(64) atomic_ulong freed;
	_Alignas(64) void *slots[SLOTS][BENCH_BATCH];
} belt;

static void hand(unsigned int cpu)
{
	for (unsigned long i = 0; i < PAIRS / BENCH_BATCH; i++) {
		if (cpu == 0) {
			unsigned long made = atomic_load_explicit(&belt.made, memory_order_relaxed);

			while (made - atomic_load_explicit(&belt.freed, memory_order_acquire) == SLOTS)
				;
			bench_make(belt.slots[made % SLOTS]);
			atomic_store_explicit(&belt.made, made + 1, memory_order_release);
		} else {
			unsigned long freed = atomic_load_explicit(&belt.freed, memory_order_relaxed);

			while (atomic_load_explicit(&belt.made, memory_order_acquire) == freed)
				;
			bench_free(belt.slots[freed % SLOTS]);
			atomic_store_explicit(&belt.freed, freed + 1, memory_order_release);
		}
	}
}

static const struct workload workloads[] = {
	{ "hot", 1, hot, PAIRS }, { "hot", 2, hot, 2 * PAIRS },
	{ "many", 1, many, PAIRS }, { "many", 2, many, 2 * PAIRS },
	{ "handed", 2, hand, PAIRS },
};

/* ---- samples ------------------------------------------------------------------------------ */

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* All threads of the workload come here, and leave together. */
static void meet(void)
{
	unsigned int mine = atomic_load(&turn);

	if (atomic_fetch_add(&arrived, 1) + 1 == workload->threads) {
		atomic_store(&arrived, 0);
		atomic_fetch_add(&turn, 1);
	}
	for (unsigned int spins = 0; atomic_load(&turn) == mine; spins++)
		if (spins > 10000)
			sched_yield();
}

static void sample(unsigned int cpu)
{
	double used = now(CLOCK_THREAD_CPUTIME_ID);

	spans[cpu].begin = now(CLOCK_MONOTONIC);
	workload->run(cpu);
	spans[cpu].end = now(CLOCK_MONOTONIC);
	spans[cpu].used = now(CLOCK_THREAD_CPUTIME_ID) - used;
}

/* Pairs per microsecond of the sample that has just ended; 0: it was disturbed. */
static double judge(void)
{
	double begin = spans[0].begin, end = spans[0].end;

	for (unsigned int i = 0; i < workload->threads; i++) {
		if (spans[i].end - spans[i].begin > spans[i].used * DISTURBED)
			return 0;
		begin = spans[i].begin < begin ? spans[i].begin : begin;
		end = spans[i].end > end ? spans[i].end : end;
	}
	return workload->pairs / (end - begin) * 1e-6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* By thread 0, between samples. True: it is enough. */
static bool account(double deadline, unsigned int *tried)
{
	static double good[MAX_SAMPLES];
	static unsigned int n;
	double result = judge();

	if (++*tried <= 3)		/* lists and caches fill */
		n = 0;
	else if (result > 0)
		good[n++] = result;
	if (n < wanted && now(CLOCK_MONOTONIC) < deadline)
		return false;
	qsort(good, n, sizeof(*good), ascending);
	if (n)
		printf("%s %u %.3f %u\n", workload->name, workload->threads, good[n / 2], n);
	else
		printf("%s %u - 0\n", workload->name, workload->threads);
	fflush(stdout);
	return true;
}

static void *thread(void *arg)
{
	unsigned int cpu = (unsigned long)arg, tried = 0;
	double deadline = now(CLOCK_MONOTONIC) + patience;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processors[cpu], &set);
	sched_setaffinity(0, sizeof(set), &set);
	bench_enter(cpu);
	do {
		meet();
		sample(cpu);
		meet();
		if (cpu == 0)
			atomic_store(&over, account(deadline, &tried));
		meet();
	} while (!atomic_load(&over));
	return NULL;
}

static void run(const struct workload *w)
{
	pthread_t other[2];

	workload = w;
	for (unsigned long i = 0; i < w->threads; i++)
		if (pthread_create(&other[i], NULL, thread, (void *)i))
			exit(2);
	for (unsigned int i = 0; i < w->threads; i++)
		pthread_join(other[i], NULL);
}

/* The first two that this process may use. */
static unsigned int find_processors(void)
{
	unsigned int n = 0;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &set))
			processors[n++] = i;
	return n;
}

int main(int argc, char **argv)
{
	patience = argc > 1 ? atof(argv[1]) : 2;
	wanted = argc > 2 ? atoi(argv[2]) : 101;
	if (patience <= 0 || wanted < 1 || wanted > MAX_SAMPLES || find_processors() < 2) {
		fputs("hostbench SECONDS SAMPLES: needs two processors\n", stderr);
		return 2;
	}
	bench_init(2);
	for (unsigned int i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		run(&workloads[i]);
	return 0;
}
