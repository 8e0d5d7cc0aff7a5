/*
 * The files of /proc that describe the machine and the kernel as a whole, in Linux's formats.
 * What a subsystem above fs/ knows best it registers itself.
 */
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "base/printk.h"
#include "fs/proc.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache/writeback.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/swapmap.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "uapi/utsname.h"

#define USER_HZ		100		/* what times in /proc/stat count in */
#define NS_PER_TICK	(NSEC_PER_SEC / USER_HZ)
#define MAX_IRQ		1024

/* ---- memory ------------------------------------------------------------------------------ */

static void line(struct seq_file *m, const char *name, unsigned long pages)
{
	char padded[17];

	snprintf(padded, sizeof(padded), "%s:                ", name);
	seq_printf(m, "%s%8lu kB\n", padded, pages * (PAGE_SIZE / 1024));
}

/* What programs could still get without trouble: free above the low watermarks, and half of what is
 * cached or as much as leaves the low watermark cached. */
static unsigned long available(unsigned long file, unsigned long slab)
{
	unsigned long reserve = 0, free = nr_free_pages(), cached = file + slab;
	struct zone *zone;

	for_each_zone(zone)
		reserve += zone->watermark[WMARK_LOW];
	cached -= min(cached / 2, reserve);
	return (free > reserve ? free - reserve : 0) + cached;
}

static int show_meminfo(struct seq_file *m, void *data)
{
	unsigned long shmem = vm_stat_read(NR_SHMEM), file = vm_stat_read(NR_FILE_PAGES);
	unsigned long reclaimable = vm_stat_read(NR_SLAB_RECLAIMABLE);
	unsigned long unreclaimable = vm_stat_read(NR_SLAB_UNRECLAIMABLE);

	(void)data;
	line(m, "MemTotal", totalram_pages());
	line(m, "MemFree", nr_free_pages());
	line(m, "MemAvailable", available(file > shmem ? file - shmem : 0, reclaimable));
	line(m, "Buffers", 0);			/* there is one cache only */
	line(m, "Cached", file);
	line(m, "SwapCached", vm_stat_read(NR_SWAPCACHE));
	line(m, "Active", vm_stat_read(NR_ACTIVE_ANON) + vm_stat_read(NR_ACTIVE_FILE));
	line(m, "Inactive", vm_stat_read(NR_INACTIVE_ANON) + vm_stat_read(NR_INACTIVE_FILE));
	line(m, "Active(anon)", vm_stat_read(NR_ACTIVE_ANON));
	line(m, "Inactive(anon)", vm_stat_read(NR_INACTIVE_ANON));
	line(m, "Active(file)", vm_stat_read(NR_ACTIVE_FILE));
	line(m, "Inactive(file)", vm_stat_read(NR_INACTIVE_FILE));
	line(m, "SwapTotal", total_swap_pages());
	line(m, "SwapFree", nr_swap_pages());
	line(m, "Dirty", vm_stat_read(NR_FILE_DIRTY));
	line(m, "Writeback", vm_stat_read(NR_WRITEBACK));
	line(m, "AnonPages", vm_stat_read(NR_ANON_MAPPED));
	line(m, "Mapped", vm_stat_read(NR_FILE_MAPPED));
	line(m, "Shmem", shmem);
	line(m, "KReclaimable", reclaimable);
	line(m, "Slab", reclaimable + unreclaimable);
	line(m, "SReclaimable", reclaimable);
	line(m, "SUnreclaim", unreclaimable);
	line(m, "KernelStack", vm_stat_read(NR_KERNEL_STACK));
	line(m, "PageTables", vm_stat_read(NR_PAGETABLE));
	line(m, "CommitLimit", totalram_pages());
	line(m, "VmallocTotal", (VMALLOC_END - VMALLOC_START) / PAGE_SIZE);
	line(m, "VmallocUsed", vm_stat_read(NR_VMALLOC));
	return 0;
}

static int show_vmstat(struct seq_file *m, void *data)
{
	static const char *const names[NR_VM_STAT_ITEMS] = {
		[NR_ANON_MAPPED] = "nr_anon_pages", [NR_FILE_MAPPED] = "nr_mapped",
		[NR_FILE_PAGES] = "nr_file_pages", [NR_FILE_DIRTY] = "nr_dirty",
		[NR_WRITEBACK] = "nr_writeback", [NR_SHMEM] = "nr_shmem",
		[NR_SLAB_RECLAIMABLE] = "nr_slab_reclaimable",
		[NR_SLAB_UNRECLAIMABLE] = "nr_slab_unreclaimable",
		[NR_PAGETABLE] = "nr_page_table_pages", [NR_KERNEL_STACK] = "nr_kernel_stack",
		[NR_VMALLOC] = "nr_vmalloc", [PGFAULT] = "pgfault", [PGMAJFAULT] = "pgmajfault",
		[PGALLOC] = "pgalloc", [PGFREE] = "pgfree", [PGPGIN] = "pgpgin",
		[PGPGOUT] = "pgpgout", [PGDROP] = "pgdrop",
		[NR_SWAPCACHE] = "nr_swapcached",
		[NR_INACTIVE_ANON] = "nr_inactive_anon", [NR_ACTIVE_ANON] = "nr_active_anon",
		[NR_INACTIVE_FILE] = "nr_inactive_file", [NR_ACTIVE_FILE] = "nr_active_file",
		[PSWPIN] = "pswpin", [PSWPOUT] = "pswpout",
		[PGSCAN_KSWAPD] = "pgscan_kswapd", [PGSCAN_DIRECT] = "pgscan_direct",
		[PGSTEAL_KSWAPD] = "pgsteal_kswapd", [PGSTEAL_DIRECT] = "pgsteal_direct",
		[PGACTIVATE] = "pgactivate", [PGDEACTIVATE] = "pgdeactivate",
		[PGREFILL] = "pgrefill",
		[WORKINGSET_REFAULT_ANON] = "workingset_refault_anon",
		[WORKINGSET_REFAULT_FILE] = "workingset_refault_file",
		[WORKINGSET_ACTIVATE_ANON] = "workingset_activate_anon",
		[WORKINGSET_ACTIVATE_FILE] = "workingset_activate_file",
		[ALLOCSTALL] = "allocstall", [PAGEOUTRUN] = "pageoutrun",
		[SLABS_SCANNED] = "slabs_scanned", [OOM_KILL] = "oom_kill",
	};

	(void)data;
	seq_printf(m, "nr_free_pages %lu\n", nr_free_pages());
	for (unsigned int i = 0; i < NR_VM_STAT_ITEMS; i++)
		if (names[i])
			seq_printf(m, "%s %lu\n", names[i], vm_stat_read(i));
	return 0;
}

/* ---- processors and time ----------------------------------------------------------------- */

static int show_cpuinfo(struct seq_file *m, void *data)
{
	char text[1024];
	unsigned int cpu;

	(void)data;
	for_each_online_cpu(cpu) {
		int n = arch_cpuinfo(cpu, text, sizeof(text));

		seq_printf(m, "processor\t: %u\n%s%s\n", cpu, n > 0 ? text : "",
			   n > 0 && text[n - 1] != '\n' ? "\n" : "");
	}
	return 0;
}

static u64 idle_ns(void)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_online_cpu(cpu)
		sum += sched_idle_ns(cpu);
	return sum;
}

static int show_uptime(struct seq_file *m, void *data)
{
	u64 up = ktime_get() / NS_PER_TICK, idle = idle_ns() / NS_PER_TICK;

	(void)data;
	seq_printf(m, "%lu.%02lu %lu.%02lu\n", up / USER_HZ, up % USER_HZ, idle / USER_HZ,
		   idle % USER_HZ);
	return 0;
}

/* Time is accounted to threads, not to CPUs: what a CPU was not idle counts as user time here. */
static void cpu_line(struct seq_file *m, const char *name, u64 total, u64 idle)
{
	u64 busy = total > idle ? total - idle : 0;

	seq_printf(m, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", name, busy / NS_PER_TICK, idle / NS_PER_TICK);
}

static int show_stat(struct seq_file *m, void *data)
{
	u64 now = ktime_get(), switches = 0, interrupts = 0;
	unsigned int cpu, online = 0;
	char name[16];

	(void)data;
	for_each_online_cpu(cpu) {
		switches += sched_nr_switches(cpu);
		online++;
	}
	for (unsigned int irq = 0; irq < MAX_IRQ; irq++)
		interrupts += irq_count(irq);
	cpu_line(m, "cpu ", now * online, idle_ns());
	for_each_online_cpu(cpu) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		cpu_line(m, name, now, sched_idle_ns(cpu));
	}
	seq_printf(m, "intr %lu\nctxt %lu\nbtime %lu\nprocs_running %u\nprocs_blocked 0\n",
		   interrupts, switches, (ktime_get_real() - now) / NSEC_PER_SEC,
		   sched_nr_running());
	return 0;
}

static int show_loadavg(struct seq_file *m, void *data)
{
	unsigned long avg[3], flags, threads = 0;
	struct thread *t;

	(void)data;
	sched_loadavg(avg);
	for (int i = 0; i < 3; i++)
		seq_printf(m, "%lu.%02lu ", avg[i] >> 11, (avg[i] & 2047) * 100 >> 11);
	spin_lock_irqsave(&thread_list_lock, flags);
	list_for_each_entry(t, &thread_list, all_node)
		threads++;
	spin_unlock_irqrestore(&thread_list_lock, flags);
	seq_printf(m, "%u/%lu %d\n", sched_nr_running(), threads, current_thread()->tid);
	return 0;
}

static int show_interrupts(struct seq_file *m, void *data)
{
	(void)data;
	for (unsigned int irq = 0; irq < MAX_IRQ; irq++)
		if (irq_count(irq))
			seq_printf(m, "%4u: %10lu\n", irq, irq_count(irq));
	return 0;
}

/* ---- the kernel itself ------------------------------------------------------------------- */

static int show_string(struct seq_file *m, void *data)
{
	seq_printf(m, "%s\n", (const char *)data);
	return 0;
}

static int show_kmsg(struct seq_file *m, void *data)
{
	char record[512];
	u64 pos = 0;

	(void)data;
	while (printk_read(&pos, record, sizeof(record)))
		seq_puts(m, record);
	return 0;
}

static int show_ratio(struct seq_file *m, void *data)
{
	seq_printf(m, "%u\n", *(unsigned int *)data);
	return 0;
}

static int set_ratio(const char *text, size_t n, void *data)
{
	unsigned int percent;
	int err = kstrtouint(text, 10, &percent);

	(void)n;
	if (err)
		return err;
	if (percent > 100)
		return -EINVAL;
	WRITE_ONCE(*(unsigned int *)data, percent);
	return 0;
}

static int proc_misc_init(void)
{
	proc_create("meminfo", show_meminfo, NULL, NULL);
	proc_create("vmstat", show_vmstat, NULL, NULL);
	proc_create("cpuinfo", show_cpuinfo, NULL, NULL);
	proc_create("uptime", show_uptime, NULL, NULL);
	proc_create("stat", show_stat, NULL, NULL);
	proc_create("loadavg", show_loadavg, NULL, NULL);
	proc_create("interrupts", show_interrupts, NULL, NULL);
	proc_create("cmdline", show_string, NULL, boot_command_line);
	proc_create("version", show_string, NULL, "Strata version " UTS_RELEASE " " UTS_VERSION);
	proc_create("kmsg", show_kmsg, NULL, NULL);
	proc_create("sys/kernel/ostype", show_string, NULL, "Strata");
	proc_create("sys/kernel/osrelease", show_string, NULL, UTS_RELEASE);
	proc_create("sys/kernel/hostname", show_string, NULL, "strata");
	proc_create("sys/vm/dirty_ratio", show_ratio, set_ratio, &dirty_ratio);
	proc_create("sys/vm/dirty_background_ratio", show_ratio, set_ratio,
		    &dirty_background_ratio);
	return 0;
}
fs_initcall(proc_misc_init);
