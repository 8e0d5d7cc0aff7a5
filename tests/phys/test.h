/* Host tests of kernel/mm/phys: seeded, each compared with a model that shares no code with it. */
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

int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);

struct test {
	const char *name;		/* a sentence about behaviour */
	void (*run)(struct prng *rng);
};

/* Each file's tests, ended by an empty entry. */
extern const struct test memblock_tests[], init_tests[], alloc_tests[], buddy_tests[], tree_tests[];

#define EXPECT_EQ(actual, expected) \
	expect_eq((long)(actual), (long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT(cond) expect_eq(!!(cond), 1, #cond, __FILE__, __LINE__)
/* Prints the first difference of a test, and fails it. Any thread. */
void expect_eq(long actual, long expected, const char *what, const char *file, int line);
extern bool test_failed;

/* Logged lines that contain @what since the last call of log_forget(). */
unsigned int log_count(const char *what);
void log_forget(void);

/* Runs @body; true if it ended in a panic. */
extern void *panic_frame[5];
extern bool panic_expected;
#define PANICS(body) ({ bool _p = false; \
	if (__builtin_setjmp(panic_frame)) { _p = true; } \
	else { panic_expected = true; body; } \
	panic_expected = false; _p; })

/* Forgets all memory: memblock, nodes, pages. The pages of frames below @max_phys become
 * garbage. */
void reset_memory(phys_addr_t max_phys);

/* Device trees from the command line. */
struct blob {
	const char *name;
	void *data;
	u32 size;
};
extern struct blob blobs[16];
extern int blob_count;

/* RAM at the given place, booted into an allocator. */
void boot_memory(phys_addr_t base, phys_addr_t size);
/* A random layout of up to 3 nodes with holes, crossing 4 GiB in half of the cases; not booted. */
void random_layout(struct prng *rng);
/* Pages that the per-CPU lists themselves take. */
unsigned long pcp_overhead(void);
/* Gives the per-CPU lists of all CPUs back to the cores. */
void drain_cpus(void);
/* Every page of a zone that is in a free block, counted; and the blocks' states checked. */
unsigned long walk_free_list(struct zone *zone);
