/*
 * Pages for a world of small objects: the harness's own page core, under the real names
 * (alloc_pages_node(), __free_pages(), __get_free_pages(), put_page() …).
 *
 * It is no allocator to learn from: it looks for the next free, aligned place, and so a page that was
 * freed rests for a long time. While it rests it is filled with a pattern and, on the host, poisoned;
 * a page that was written to after it was freed is reported when its turn comes, or at the end. Who
 * gets a page finds garbage in it. Any number of allocations can be refused, and all pages are
 * counted: so a test needs nobody's word for what was given back.
 */
#pragma once

#include "test/ktest/world.h"

/* A world of @pages frames with contents, none in use; below 4 GiB, node 0. Once a test. */
void pages_world(unsigned long pages);
/* Pages that are in use now. */
unsigned long pages_in_use(void);
/* At most @more pages can be had from now on; ~0UL: as many as there are. */
void pages_allow(unsigned long more);
/* The @n-th allocation from now on fails (1: the next one), and no other; 0: none does. */
void pages_fail(unsigned long n);
/* How many allocations were refused since pages_world(). */
unsigned long pages_refused(void);
/* Were free pages written to? NULL: no. One CPU only. */
const char *pages_check(void);

/* smp_call() works in such a world on the host, too, if all CPUs go through here: instead of
 * ktest_on_cpus(), and instead of ktest_relax() or where a test's loop begins anew. */
void pages_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg);
void pages_poll(void);
/* The command line: one word, "key" or "key=value", or NULL. */
extern const char *pages_cmdline;
