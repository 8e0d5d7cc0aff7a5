/* Runs all tests: slub-test SEED. The last line counts. And what the slab layer needs of the kernel. */
#include "test.h"
#include "base/irq.h"
#include "base/random.h"
#include "sched/mutex.h"

int fflush(void *file);
unsigned long strtoul(const char *s, char **end, int base);

/* ---- the kernel around -------------------------------------------------------------------- */

void mutex_lock(struct mutex *lock)
{
	while (!mutex_trylock(lock))
		;
}

bool mutex_trylock(struct mutex *lock)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&lock->owner, &none, current_thread(), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void mutex_unlock(struct mutex *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_SEQ_CST);
}

u64 random_u64(void)
{
	return 0x0123456789abcdefUL;
}

unsigned int stack_trace_save(unsigned long *entries, unsigned int max, unsigned int skip)
{
	(void)entries;
	(void)max;
	(void)skip;
	return 0;
}

/* ---- expectations, log -------------------------------------------------------------------- */

static bool failed;
static char log_lines[256][160];
static unsigned int log_used;

bool test_failed(void)
{
	return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

void expect_eq(long actual, long expected, const char *what, const char *file, int line)
{
	if (actual == expected)
		return;
	if (!__atomic_exchange_n(&failed, true, __ATOMIC_SEQ_CST))
		printf("# %s:%d: %s is %ld (0x%lx), expected %ld (0x%lx)\n", file, line, what,
		       actual, actual, expected, expected);
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

static void on_panic(const char *message)
{
	printf("# panic: %s\n", message);
}

/* ---- the shadow map ----------------------------------------------------------------------- */

static u8 owners[RAM_SIZE / 8];		/* of each 8 bytes: how many think it is theirs */
static atomic_long_t live;

static void mark(void *object, size_t size, int change)
{
	unsigned long at = ((unsigned long)object - (unsigned long)__va(RAM_BASE)) / 8;

	for (unsigned long i = at; i < at + DIV_ROUND_UP(size, 8) && !test_failed(); i++) {
		if (i >= ARRAY_SIZE(owners)) {
			EXPECT(i < ARRAY_SIZE(owners));
			return;
		}
		EXPECT_EQ(__atomic_add_fetch(&owners[i], change, __ATOMIC_RELAXED), change > 0);
	}
	atomic_add(change * (long)size, &live);
}

/* ThreadSanitizer looks at each byte, and the first ones tell as much. */
#ifdef __SANITIZE_THREAD__
#define LOOKED_AT(size)	min(size, (size_t)64)
#else
#define LOOKED_AT(size)	(size)
#endif

static u8 tag_of(const void *object)
{
	return ((unsigned long)object >> 3) * 37 + 1;
}

void took(void *object, size_t size, size_t align)
{
	EXPECT_EQ((unsigned long)object % align, 0);
	mark(object, LOOKED_AT(size), 1);
	memset(object, tag_of(object), LOOKED_AT(size));
}

void giving(void *object, size_t size)
{
	EXPECT_EQ(memchr_inv(object, tag_of(object), LOOKED_AT(size)), NULL);
	mark(object, LOOKED_AT(size), -1);
}

unsigned long live_bytes(void)
{
	return atomic_read(&live);
}

void on_each_cpu(void (*fn)(void *), void *arg)
{
	for (unsigned int cpu = 0; cpu < TEST_CPUS; cpu++) {
		host_cpu_enter(cpu);
		fn(arg);
	}
	host_cpu_enter(0);
}

static void shrink_one(void *cache)
{
	kmem_cache_shrink(cache);
}

void shrink_everywhere(struct kmem_cache *cache)
{
	on_each_cpu(shrink_one, cache);
}

static void shrink(void *unused)
{
	(void)unused;
	kmem_cache_shrink_all();
}

unsigned long pages_of_slabs(void)
{
	on_each_cpu(shrink, NULL);
	return vm_stat_read(NR_SLAB_UNRECLAIMABLE) + vm_stat_read(NR_SLAB_RECLAIMABLE);
}

/* ---- main --------------------------------------------------------------------------------- */

static void idle(unsigned int cpu)
{
	(void)cpu;
}

static void boot(void)
{
	host_init();
	host_log_hook = log_line;
	host_panic_hook = on_panic;
	host_run_cpus(TEST_CPUS, idle);
	cpu_node[1] = cpu_node[3] = 1;
	memblock.current_limit = HOST_MAX_PHYS;
	memset(vmemmap, 0x5a, (RAM_BASE + RAM_SIZE) / PAGE_SIZE * sizeof(struct page));
	memblock_add(RAM_BASE, RAM_SIZE / 2, 0);
	memblock_add(RAM_BASE + RAM_SIZE / 2, RAM_SIZE / 2, 1);
	mem_init();
	kmem_cache_init();
}

int main(int argc, char **argv)
{
	const struct test *suites[] = {
		common_tests,
#ifdef CONFIG_SLAB_SLUB
		slub_tests,
#endif
	};
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	int good = 0, bad = 0;

	boot();
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++) {
		for (const struct test *test = suites[s]; test->name; test++) {
			struct prng rng;

			prng_seed(&rng, seed);
			failed = false;
			memset(owners, 0, sizeof(owners));
			live.counter = 0;
			log_forget();
			test->run(&rng);
			failed ? bad++ : good++;
			printf("%s %d - %s\n", failed ? "not ok" : "ok", good + bad, test->name);
			fflush(NULL);
		}
	}
	if (bad)
		printf("# replay with: tests/slub/run.sh %lu\n", seed);
	printf("%d passed, %d failed\n", good, bad);
	return bad != 0;
}
