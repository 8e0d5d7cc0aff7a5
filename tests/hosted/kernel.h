/* Host tests of parts of the kernel (arch/host): what was logged, what panicked, and mutexes. */
#pragma once

#include "test.h"
#include "arch/host/host.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"

#define MIB	(1UL << 20)

/* host_init(), with the log and panics coming here. Once, in the main thread. */
void kernel_init(void);
/* All CPUs come up, as threads that end at once. */
void kernel_cpus(unsigned int n);

/* Logged lines that contain @what since the last call of log_forget(), which each test should begin
 * with: of the first 256. */
unsigned int log_count(const char *what);
void log_forget(void);

/* Runs @body; true if it ended in a panic. Main thread. */
extern void *panic_frame[5];
extern bool panic_expected;
#define PANICS(body) ({ bool _p = false; \
	if (__builtin_setjmp(panic_frame)) { _p = true; } \
	else { panic_expected = true; body; } \
	panic_expected = false; _p; })
