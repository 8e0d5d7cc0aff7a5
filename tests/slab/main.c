/* Runs all tests: slab-test SEED. The last line counts. The machine boots once, and stays up. */
#include "test.h"
#include "base/irq.h"
#include "base/percpu.h"

/* ---- CPUs ---------------------------------------------------------------------------------- */

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

/* 64 MiB, and behind a hole of 16 MiB another 8: addresses outside of the longest stretch. */
static void boot(void)
{
	kernel_init();
	kernel_cpus(NR_TEST_CPUS);
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

	boot();
	return run_suites(suites, ARRAY_SIZE(suites), seed, log_forget, "tests/slab/run.sh");
}
