/*
 * The kernel's allocator of small objects on its own page allocator, in a process (kernel/arch/host).
 *
 * What stands in for the machine: "interrupts off" is a load and two stores of a variable of the
 * thread, where ARM64 has three instructions and RISC-V two; nobody disturbs, and nothing is made
 * up for it. "current" is a variable of the thread, one load. Locks and compare-and-swap are the
 * host's own; who waits for a lock gives the processor away. Memory is 1 GiB of address space.
 */
#include "arch/host/host.h"
#include "base/percpu.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/slab/slab.h"
#include "sched/mutex.h"

#define ALLOC() kmalloc(64, GFP_KERNEL)
#define FREE(object) kfree(object)
#include "loops.h"

/* Nobody contends: caches are made by one thread. */
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

static void quiet(const char *line)
{
	(void)line;
}

static void idle(unsigned int cpu)
{
	(void)cpu;
}

void bench_init(unsigned int cpus)
{
	host_init();
	host_log_hook = quiet;
	host_run_cpus(cpus, idle);
	memblock.current_limit = HOST_MAX_PHYS;
	memblock_add(0x40000000, 1UL << 30, 0);
	mem_init();
	kmem_cache_init();
}

void bench_enter(unsigned int cpu)
{
	host_cpu_enter(cpu);
}
