/* Runs all tests: slub-test SEED. The last line counts. And what the tests need of the kernel. */
#include "test.h"
#include "base/irq.h"

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

static void boot(void)
{
	kernel_init();
	kernel_cpus(TEST_CPUS);
	cpu_node[1] = cpu_node[3] = 1;
	memblock.current_limit = HOST_MAX_PHYS;
	memset(vmemmap, 0x5a, (RAM_BASE + RAM_SIZE) / PAGE_SIZE * sizeof(struct page));
	memblock_add(RAM_BASE, RAM_SIZE / 2, 0);
	memblock_add(RAM_BASE + RAM_SIZE / 2, RAM_SIZE / 2, 1);
	mem_init();
	kmem_cache_init();
}

static void forget(void)
{
	memset(owners, 0, sizeof(owners));
	live.counter = 0;
	log_forget();
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

	boot();
	return run_suites(suites, ARRAY_SIZE(suites), seed, forget, "tests/slub/run.sh");
}
