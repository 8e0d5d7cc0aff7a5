/*
 * Fault injection: allocations that fail on purpose, to see what becomes of who asked. DEBUG=1 and KASAN=1
 * builds, from the command line, in Linux's words:
 *
 *	fail_page_alloc=INTERVAL,PROBABILITY,SPACE,TIMES	failslab=… (KASAN=1)	fail_seed=N
 *
 * Of every INTERVAL-th call PROBABILITY per cent fail, after SPACE bytes have been given, at most TIMES
 * (-1: without end). Only calls on behalf of user programs: boot and the kernel's own threads may
 * need what they ask for. The same seed and the same calls give the same failures.
 *
 * A program that wants each of a call's allocations to fail in turn writes N to /proc/self/fail-nth: the N-th
 * that its thread asks for from then on fails, of pages or objects. Reading tells how many are to come until
 * then: 0, it has failed (or none was to).
 */
#pragma once

#include "arch/thread_head.h"
#include "asm/current.h"
#include "lib/types.h"

enum fault_point { FAIL_PAGE_ALLOC, FAIL_SLAB };

#if (defined(CONFIG_DEBUG) || defined(CONFIG_KASAN)) && !defined(CONFIG_ARCH_HOST)
/* Shall this call, of a thread that works for a user program or not, fail? Any context. */
bool should_fail(enum fault_point point, size_t size, bool user);
#define HAS_FAULT_INJECTION	true
#define fail_nth_of_current()	(&current_head()->fail_nth)
#else
#define HAS_FAULT_INJECTION	false
#define fail_nth_of_current()	((unsigned int *)NULL)
static inline bool should_fail(enum fault_point point, size_t size, bool user)
{
	(void)point; (void)size; (void)user;
	return false;
}
#endif
