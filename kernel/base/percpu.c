/* Which CPUs there are, and their copies of the per-CPU data. */
#include "base/percpu.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "base/printk.h"
#include "lib/fdt.h"
#include "lib/string.h"

#define CACHE_LINE 64

unsigned long per_cpu_offset[NR_CPUS];
unsigned int nr_cpus = 1;
unsigned long cpu_online_mask = 1;
unsigned long cpu_hwid[NR_CPUS];
unsigned int cpu_node[NR_CPUS];

static void record_cpu(const void *fdt, int node, unsigned int cpu, u64 hwid)
{
	u32 nid = 0;

	fdt_read_u32(fdt, node, "numa-node-id", &nid);
	cpu_hwid[cpu] = hwid;
	cpu_node[cpu] = nid;
}

/* The boot CPU becomes CPU 0; the others follow in the tree's order, every @step-th of them. */
static void find_cpus(const void *fdt, unsigned int limit, unsigned int step)
{
	int cpus = fdt_node_offset_by_path(fdt, "/cpus");
	unsigned int place = 0;
	bool boot_found = false;
	int node;

	if (cpus < 0)
		panic("the device tree has no /cpus node");
	fdt_for_each_child(fdt, node, cpus) {
		const char *type = fdt_get_string(fdt, node, "device_type");
		u64 hwid;

		if (!type || strcmp(type, "cpu") != 0 || !fdt_is_available(fdt, node) ||
		    fdt_get_reg_raw(fdt, node, 0, &hwid, NULL) != 0)
			continue;
		if (hwid == arch_boot_hwid()) {
			record_cpu(fdt, node, 0, hwid);
			boot_found = true;
		} else if (nr_cpus < limit && place % step == 0) {
			record_cpu(fdt, node, nr_cpus++, hwid);
		}
		place++;
	}
	if (!boot_found)
		panic("the boot CPU (id %#lx) is not in the device tree",
		      (unsigned long)arch_boot_hwid());
}

void percpu_init(void *(*alloc)(size_t size, size_t align))
{
	size_t size = __per_cpu_end - __per_cpu_start;
	long limit = cmdline_long("maxcpus", NR_CPUS);

	find_cpus(arch_fdt(), clamp(limit, 1L, (long)NR_CPUS), max(cmdline_long("cpustep", 1), 1L));
	for (unsigned int cpu = 1; cpu < nr_cpus && size; cpu++)
		per_cpu_offset[cpu] = (unsigned long)alloc(size, CACHE_LINE) -
				      (unsigned long)__per_cpu_start;
	pr_info("%u CPU%s, %lu bytes of data each\n", nr_cpus, nr_cpus == 1 ? "" : "s",
		(unsigned long)size);
}
