/*
 * The host architecture: parts of the kernel as a Linux process, under sanitizers.
 *
 * Physical memory is a mapping of 8 GiB that the host fills as it is touched; the page array
 * another; a CPU is a host thread that has called host_cpu_enter(). What the code under test logs
 * goes to host_log_hook, a panic to host_panic_hook.
 */
#pragma once

#include "lib/types.h"

#define HOST_MAX_PHYS	(8UL << 30)
#define HOST_PAGE_STRUCT 64		/* sizeof(struct page) */

/* Once, in the main thread, which becomes CPU 0. */
void host_init(void);
/* Makes the calling thread CPU @cpu. */
void host_cpu_enter(unsigned int cpu);
/* Threads run fn(cpu) as CPUs 0 … n-1; returns when all are done. */
void host_run_cpus(unsigned int n, void (*fn)(unsigned int cpu));

extern void (*host_log_hook)(const char *line);
/* May not return. Without one, a panic ends the process. */
extern void (*host_panic_hook)(const char *message);
/* What arch_fdt() gives. */
extern const void *host_fdt;
/* Physical address at which the "kernel image" of host_image_size bytes pretends to lie. */
extern phys_addr_t host_image_phys;
