/*
 * The whole boot, in order. Each floor of the house may use those above it in this file.
 *
 *	arch/…/head.S	paging on, boot CPU on its own stack, current = init_thread
 *	start_kernel	boot CPU, interrupts off, one thread: hardware found, memory up, CPUs up
 *	kernel_init	first kernel thread: drivers, filesystems, root, process 1
 *	secondary_start	every other CPU, straight to its idle loop
 */
#include "arch/arch.h"
#include "arch/upcalls.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "debug/kasan.h"
#include "fs/vfs.h"
#include "lib/bitops.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"
#include "proc/process.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "task/kthread.h"

#define CPU_START_TIMEOUT_NS	(5 * NSEC_PER_SEC)
#define CPU_START_LOOK_NS	(NSEC_PER_MSEC / 10)

#ifdef CONFIG_DEBUG
static const char debug_note[] = ", DEBUG=1";
#else
static const char debug_note[] = "";
#endif

static void start_secondaries(void);
static void kernel_init(void *unused);

void start_kernel(void)
{
	void *stack;

	arch_early_init();			/* traps, clock, features, device tree */
	symbols_init();				/* a panic can be read from here on */
	cmdline_init();
	printk_init();
	sched_init();				/* this thread may use locks and per-CPU data */
	pr_notice("Strata on %s, LAB=%d%s\n", arch_uname_machine, CONFIG_LAB, debug_note);
	pr_info("Command line: %s\n", boot_command_line);

	memblock_init_fdt();			/* which memory there is, and what of it is taken */
	vm_kernel_init();			/* final page tables: W^X, direct map, vmemmap */
	kasan_init();				/* KASAN=1: from here on accesses are checked */
	percpu_init(memblock_alloc);		/* which CPUs there are */
	mem_init();				/* struct page, zones, the page allocator */
	kmem_cache_init();			/* kmalloc */
	vmalloc_init();				/* kernel stacks, device registers */
	kthread_init();

	arch_init();				/* interrupt controllers */
	arch_cpu_init();			/* this CPU's timer and IPIs */
	start_secondaries();

	stack = stack_alloc();
	if (!stack || !kthread_run(kernel_init, NULL, "kernel_init"))
		panic("no memory for the first threads");
	sched_start(stack);			/* interrupts on; the scheduler takes over */
}

/* The first thread: may sleep, and everything from here on may. */
static void kernel_init(void *unused)
{
	static char init[64] = "/bin/init";	/* process 1 reads it after we are gone */
	int err;

	(void)unused;
	if (!kthread_run(sched_reaper_loop, NULL, "reaper"))
		panic("no memory for the reaper");
	workqueue_init();
	do_initcalls();				/* drivers, filesystems, /proc files join */

	err = mount_root();
	if (err)
		panic("cannot mount the root filesystem: error %d", err);
	cmdline_get("init", init, sizeof(init));
	err = proc_start_init(init);
	if (err)
		panic("cannot start %s: error %d", init, err);
}

static void start_secondaries(void)
{
	unsigned long asked = cpu_online_mask;
	u64 deadline;

	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		void *stack = stack_alloc();
		struct thread *idle = stack ? sched_init_cpu(cpu, stack) : NULL;
		int err = idle ? arch_cpu_start(cpu, cpu_hwid[cpu], &idle->head,
						(char *)stack + THREAD_SIZE) : -ENOMEM;

		if (err)
			pr_err("CPU %u does not start: error %d\n", cpu, err);
		else
			asked |= BIT(cpu);
	}
	/* Asleep between two looks: an emulator may run one CPU at a time, until that one waits. But
	 * with cpustep= it may not find all CPUs asleep at once (test/ktest/run.c). */
	deadline = arch_clock_ns() + CPU_START_TIMEOUT_NS;
	while (READ_ONCE(cpu_online_mask) != asked && arch_clock_ns() < deadline) {
		u64 look = arch_clock_ns() + CPU_START_LOOK_NS;

		arch_timer_set(look);
		if (cmdline_has("cpustep")) {
			while (arch_clock_ns() < look)
				cpu_relax();
			continue;
		}
		arch_idle();
		local_irq_disable();
	}
	if (cpu_online_mask != asked)
		pr_err("CPUs that did not come up: mask %#lx\n", asked & ~cpu_online_mask);
	pr_info("%d of %u CPUs online\n", (int)hweight64(cpu_online_mask), nr_cpus);
}

void secondary_start(unsigned int cpu)
{
	arch_cpu_init();
	timer_program();
	set_bit(cpu, &cpu_online_mask);
	arch_cpu_online();
	cpu_idle_loop();
}
