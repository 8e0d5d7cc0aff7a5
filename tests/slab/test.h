/* Host tests of kernel/mm/slab: seeded, judged by a shadow of what was handed out. */
#pragma once

#include "arch/host/host.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "lib/compiler.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/backend.h"

int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);

#define NR_TEST_CPUS	4

struct test {
	const char *name;		/* a sentence about behaviour */
	void (*run)(struct prng *rng);
};

/* Each file's tests, ended by an empty entry. Those of the backend, test_NAME.c, need not exist. */
extern const struct test object_tests[], cpu_tests[];
extern const struct test backend_tests[] __attribute__((weak));

#define EXPECT_EQ(actual, expected) \
	expect_eq((long)(actual), (long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT(cond) expect_eq(!!(cond), 1, #cond, __FILE__, __LINE__)
/* Prints the first difference of a test, and fails it. Any thread. */
void expect_eq(long actual, long expected, const char *what, const char *file, int line);
extern bool test_failed;

/* Logged lines that contain @what since the last call of log_forget(). */
unsigned int log_count(const char *what);
void log_forget(void);
/* Is this word on the kernel's command line? */
extern const char *test_cmdline;

/* Becomes CPU @cpu; while no other CPU runs. */
void be_cpu(unsigned int cpu);
/* Pages in use, after all caches and per-CPU lists have been emptied. While no other CPU runs. */
unsigned long pages_in_use(void);

/* Fills an object with what only its owner knows; looks whether it is still there. */
void mark_object(void *object, size_t size, u64 tag);
bool object_marked(const void *object, size_t size, u64 tag);
