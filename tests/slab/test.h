/* Host tests of kernel/mm/slab: seeded, judged by a shadow of what was handed out. */
#pragma once

#include "../hosted/kernel.h"
#include "mm/slab/backend.h"

#define NR_TEST_CPUS	4

/* Each file's tests, ended by an empty entry. Those of the backend, test_NAME.c, need not exist. */
extern const struct test object_tests[], cpu_tests[];
extern const struct test backend_tests[] __attribute__((weak));

/* Becomes CPU @cpu; while no other CPU runs. */
void be_cpu(unsigned int cpu);
/* Pages in use, after all caches and per-CPU lists have been emptied. While no other CPU runs. */
unsigned long pages_in_use(void);

/* Fills an object with what only its owner knows; looks whether it is still there. */
void mark_object(void *object, size_t size, u64 tag);
bool object_marked(const void *object, size_t size, u64 tag);
