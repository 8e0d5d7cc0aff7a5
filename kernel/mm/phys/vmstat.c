/* Counters of memory by use: each CPU adds to its own, without locks; a reader sums them. */
#include "mm/phys/vmstat.h"
#include "mm/phys/page_alloc.h"

DEFINE_PER_CPU(long, vm_stat[NR_VM_STAT_ITEMS]);

/* What one CPU counted up another may count down, so only the sum means something. It is not a
 * snapshot, and so may be below zero for a moment. */
unsigned long vm_stat_read(enum vm_stat_item item)
{
	unsigned int cpu;
	long sum = 0;

	for (cpu = 0; cpu < nr_cpus; cpu++)
		sum += READ_ONCE((*per_cpu_ptr(&vm_stat, cpu))[item]);
	if (item == PGALLOC || item == PGFREE)
		sum += pcp_events(item == PGFREE);
	return sum < 0 ? 0 : sum;
}
