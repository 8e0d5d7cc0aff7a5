/*
 * The record of calls across the border of the files under test: for a person who wants to see what led to a failure
 * (make ktest CALLS=1, grading/regrade). No graded image has it.
 *
 * tools/ktest-build calls writes one function for each name that the lab exports, and for each function of the
 * kernel that the files call; both stand in between, and note arguments and results here. world_reset() forgets, so
 * that what is left is the last run: of a random trace, the shortest. Soon after the first failure the record stops.
 */
#pragma once

#include "lib/types.h"

#define CALL_ARGS	6

/* How a value is shown. */
enum call_kind {
	CALL_VOID = 'v', CALL_SIGNED = 'd', CALL_UNSIGNED = 'u', CALL_HEX = 'x', CALL_BOOL = 'b', CALL_GFP = 'g',
	CALL_PAGE = 'p',	/* frame number, or CALL_NULL */
	CALL_ZONE = 'z',	/* node << 8 | type, or CALL_NULL */
	CALL_CACHE = 'c',	/* its name */
	CALL_STRING = 's',
	CALL_OTHER = 'm',	/* its first bytes: a small structure */
};
#define CALL_NULL	(~0UL)
#define CALL_BYTES(x) ({ u64 _v = 0; \
	__builtin_memcpy(&_v, &(x), sizeof(x) < sizeof(_v) ? sizeof(x) : sizeof(_v)); _v; })

struct ktest_call_fn {
	const char *name, *kinds, *args[CALL_ARGS];	/* one kind for each argument */
	char result;
	bool outward;			/* the files under test call it */
};

struct ktest_call {
	const struct ktest_call_fn *fn;
	u64 arg[CALL_ARGS], result;
	u8 cpu, depth, state;
};

/* NULL: the record is closed. Any context. */
struct ktest_call *ktest_call_enter(const struct ktest_call_fn *fn, const u64 *args);
void ktest_call_leave(struct ktest_call *call, u64 result);

#ifdef CONFIG_CALLS
#define CALLS_BUDGET	8		/* times the test's: tools/strata/ktest.py knows, too */
void ktest_calls_forget(void);		/* a fresh world */
void ktest_calls_unwind(void);		/* this CPU has left all calls that were open: a panic */
void ktest_calls_failed(void);
void ktest_calls_report(void (*line)(const char *text));
#else
#define CALLS_BUDGET	1
static inline void ktest_calls_forget(void) { }
static inline void ktest_calls_unwind(void) { }
static inline void ktest_calls_failed(void) { }
static inline void ktest_calls_report(void (*line)(const char *text)) { (void)line; }
#endif
