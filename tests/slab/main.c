/* Runs all tests: slab-test SEED. The last line counts. The machine boots once, and stays up. */
#include "test.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "sched/mutex.h"

int fflush(void *file);
unsigned long strtoul(const char *s, char **end, int base);

#define MIB	(1UL << 20)

bool test_failed;
const char *test_cmdline = "";

static char log_lines[64][160];
static unsigned int log_used;

void expect_eq(long actual, long expected, const char *what, const char *file, int line)
{
	if (actual == expected)
		return;
	if (!test_failed)
		printf("# %s:%d: %s is %ld (0x%lx), expected %ld (0x%lx)\n", file, line, what,
		       actual, actual, expected, expected);
	test_failed = true;
}

static void log_line(const char *line)
{
	unsigned int slot = __atomic_fetch_add(&log_used, 1, __ATOMIC_RELAXED);

	if (slot < ARRAY_SIZE(log_lines))
		snprintf(log_lines[slot], sizeof(log_lines[slot]), "%s", line);
}

void log_forget(void)
{
	log_used = 0;
	memset(log_lines, 0, sizeof(log_lines));
}

unsigned int log_count(const char *what)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(log_lines); i++)
		n += strstr(log_lines[i], what) != NULL;
	return n;
}

/* ---- what the kernel has elsewhere -------------------------------------------------------- */

bool cmdline_has(const char *key)
{
	return strstr(test_cmdline, key) != NULL;
}

/* Caches come and go while one thread runs only. */
void mutex_lock(struct mutex *lock)
{
	(void)lock;
}

bool mutex_trylock(struct mutex *lock)
{
	(void)lock;
	return true;
}

void mutex_unlock(struct mutex *lock)
{
	(void)lock;
}

void be_cpu(unsigned int cpu)
{
	host_current->cpu = cpu;
	host_current->percpu_base = per_cpu_offset[cpu];
}

/* The others do not run now, so their work can be done for them. */
void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	unsigned int self = smp_processor_id();
	unsigned long flags = local_irq_save();

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		if (!(mask & BIT(cpu)))
			continue;
		be_cpu(cpu);
		fn(arg);
	}
	be_cpu(self);
	local_irq_restore(flags);
}

/* ---- objects ------------------------------------------------------------------------------ */

unsigned long pages_in_use(void)
{
	kmem_cache_shrink_all();
	kmem_cache_shrink_all();	/* the first may have freed objects of caches already shrunk */
	drain_all_pages();
	return totalram_pages() - nr_free_pages();
}

static u8 mark_byte(u64 tag, size_t at)
{
	return tag >> at % 8 * 8 ^ at;
}

void mark_object(void *object, size_t size, u64 tag)
{
	for (size_t i = 0; i < size; i++)
		((u8 *)object)[i] = mark_byte(tag, i);
}

bool object_marked(const void *object, size_t size, u64 tag)
{
	for (size_t i = 0; i < size; i++)
		if (((const u8 *)object)[i] != mark_byte(tag, i))
			return false;
	return true;
}

/* ---- the run ------------------------------------------------------------------------------ */

static void idle(unsigned int cpu)
{
	(void)cpu;
}

static void on_panic(const char *message)
{
	printf("# panic: %s\n", message);
}

/* 64 MiB, and behind a hole of 16 MiB another 8: addresses outside of the longest stretch. */
static void boot(void)
{
	host_init();
	host_log_hook = log_line;
	host_panic_hook = on_panic;
	host_run_cpus(NR_TEST_CPUS, idle);
	memblock.current_limit = HOST_MAX_PHYS;
	memblock_add(64 * MIB, 64 * MIB, 0);
	memblock_add(144 * MIB, 8 * MIB, 0);
	mem_init();
	kmem_cache_init();
}

int main(int argc, char **argv)
{
	const struct test *suites[] = { object_tests, cpu_tests, backend_tests };
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	int good = 0, bad = 0;

	boot();
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++) {
		for (const struct test *test = suites[s]; test && test->name; test++) {
			struct prng rng;

			prng_seed(&rng, seed);
			test_failed = false;
			log_forget();
			fflush(NULL);
			test->run(&rng);
			test_failed ? bad++ : good++;
			printf("%s %d - %s\n", test_failed ? "not ok" : "ok", good + bad,
			       test->name);
		}
	}
	printf("%d passed, %d failed\n", good, bad);
	return bad != 0;
}
