/*
 * Per-CPU data. CPU 0 uses the linked copy; the others get zeroed copies from memblock before they
 * start. So a per-CPU variable always starts as zero bytes: anything else is set by an init
 * function that runs for every CPU.
 */
#pragma once

#include "arch/thread_head.h"
#include "asm/current.h"
#include "arch/arch.h"

#ifndef CONFIG_ARCH_HOST
#define DEFINE_PER_CPU(type, name) __section(".bss..percpu") __typeof__(type) name
#else	/* the host's linker gives us the section's ends if it has a C name */
#define DEFINE_PER_CPU(type, name) __section("percpu") __typeof__(type) name
#endif
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

extern unsigned long per_cpu_offset[NR_CPUS];

/* This CPU's copy. The caller is not preemptible (or tolerates another CPU's copy). */
#define this_cpu_ptr(ptr) \
	((__typeof__(ptr))((unsigned long)(ptr) + current_head()->percpu_base))
#define per_cpu_ptr(ptr, cpu) \
	((__typeof__(ptr))((unsigned long)(ptr) + per_cpu_offset[cpu]))
#define this_cpu(var)		(*this_cpu_ptr(&(var)))
#define per_cpu(var, cpu)	(*per_cpu_ptr(&(var), cpu))

#define smp_processor_id()	(current_head()->cpu)

extern unsigned int nr_cpus;		/* CPUs in the device tree that may run; fixed at boot */
extern unsigned long cpu_online_mask;	/* bit n: CPU n runs */
extern unsigned long cpu_hwid[NR_CPUS];	/* firmware's id of logical CPU n */
extern unsigned int cpu_node[NR_CPUS];	/* NUMA node */
#define for_each_online_cpu(cpu) \
	for ((cpu) = 0; (cpu) < nr_cpus; (cpu)++) if (cpu_online_mask & BIT(cpu))

extern char __per_cpu_start[], __per_cpu_end[];	/* linker script: the linked copy */

/* Finds the CPUs in the device tree (at most `maxcpus=` of them, every `cpustep=`-th) and makes the
 * copies for CPUs 1 … nr_cpus-1 with @alloc (zeroed memory; memblock's). Boot CPU, once. */
void percpu_init(void *(*alloc)(size_t size, size_t align));
