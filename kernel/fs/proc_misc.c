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
#include "lib/format.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "uapi/utsname.h"

#define USER_HZ		100		/* what times in /proc/stat count in */
#define NS_PER_TICK	(NSEC_PER_SEC / USER_HZ)
#define MAX_IRQ		1024

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

static int proc_misc_init(void)
{
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
	return 0;
}
fs_initcall(proc_misc_init);
