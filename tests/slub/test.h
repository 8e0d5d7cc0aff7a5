/* Host tests of SLUB (and, in part, of SLOB): against a shadow map that shares no code with it. */
#pragma once

#include "arch/host/host.h"
#include "arch/layout.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/phys/memblock.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/backend.h"
#ifdef CONFIG_SLAB_SLUB
#include "mm/slab/slub.h"
#endif

int printf(const char *fmt, ...) __printf(1, 2);
void *calloc(size_t n, size_t size);
void free(void *p);

struct test {
	const char *name;		/* a sentence about behaviour */
	void (*run)(struct prng *rng);
};
extern const struct test common_tests[], slub_tests[];

#define EXPECT_EQ(actual, expected) \
	expect_eq((long)(actual), (long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT(cond) expect_eq(!!(cond), 1, #cond, __FILE__, __LINE__)
/* Prints the first difference of a test, and fails it. Any thread. */
void expect_eq(long actual, long expected, const char *what, const char *file, int line);
bool test_failed(void);

/* Logged lines that contain @what since the last call of log_forget(). */
unsigned int log_count(const char *what);
void log_forget(void);

#define TEST_CPUS	4
#define MIB		(1UL << 20)
#define RAM_BASE	0x40000000UL
#define RAM_SIZE	(64 * MIB)

/*
 * The shadow map. took(): an object of @size bytes was handed out; nobody else has any of it, and it is
 * aligned. Fills it. giving(): it is going to be freed, and still holds what it was filled with.
 */
void took(void *object, size_t size, size_t align);
void giving(void *object, size_t size);
unsigned long live_bytes(void);

/* All CPUs give what they have of a cache, as in smp_call(). Main thread. */
void on_each_cpu(void (*fn)(void *), void *arg);
/* Each CPU shrinks the cache. */
void shrink_everywhere(struct kmem_cache *cache);
/* Every CPU gives all it has back; the pages that all caches have then. */
unsigned long pages_of_slabs(void);
