/*
 * Self-tests and provoked failures, asked for by selftest=NAME on the command line. They run in the
 * first kernel thread, before the root is mounted. What passes says "selftest: NAME passed" and
 * powers off; what fails, panics; what is meant to die, dies. The host's tests read the output.
 */
#pragma once

#include "base/panic.h"

#define CHECK(cond) do { if (!(cond)) \
	panic("selftest: %s fails at %s:%d", #cond, __FILE__, __LINE__); } while (0)

void selftest_sched(void);
void selftest_block(void);
void selftest_mm(void);
void selftest_wx(void);
void selftest_slub(void);
void selftest_reclaim(void);

/* selftest_crash.c: does what @name says; returns if it knows no such crash, or survived it. */
void selftest_crash(const char *name);
/* selftest_sanitize.c: the same for what KASAN and UBSAN find. */
void selftest_sanitize(const char *name);
