/*
 * ktest: tests in C that run in three places from one source: in the kernel under QEMU on both
 * machines, and on the host under sanitizers.
 *
 * A test is a function and a line that registers it:
 *
 *	KTEST(freelist, freelist_lifo, "the page freed last is handed out first", 2000000)
 *	{
 *		struct zone *zone = world_zone(t, 16);
 *		...
 *		EXPECT_EQ(page_to_pfn(second), page_to_pfn(first));
 *	}
 *
 * part and name are identifiers that lab.toml knows; the sentence says what holds when the test
 * passes; the budget is in instructions. What is under test lives in a world of its own (see
 * world.h): a second set of the page allocator's files and variables, with the student's files in
 * it, and memory that only exists there. The kernel that runs the tests is another one.
 *
 * An expectation that does not hold is recorded, and the test goes on; after a failed assertion
 * (ASSERT_…) it ends at once. Where these macros stand, a variable or parameter t of type struct
 * ktest_run * must be in sight only for the random numbers; expectations work on every CPU.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/random.h"

/* One run of a test. */
struct ktest_run {
	u64 seed;
	struct prng rng;		/* seeded with it */
};

struct ktest {
	const char *part, *name, *about;
	const char *file;		/* where the test is */
	u64 budget;			/* instructions for all seeds together */
	unsigned int seeds;		/* how many seeds it runs with */
	void (*run)(struct ktest_run *t);
};

#define __KTEST(part_, name_, about_, budget_, seeds_)					\
	static void ktest_run_##name_(struct ktest_run *t);				\
	extern const struct ktest ktest_def_##name_;					\
	const struct ktest ktest_def_##name_ = {					\
		.part = #part_, .name = #name_, .about = about_, .file = __FILE__,	\
		.budget = budget_, .seeds = seeds_, .run = ktest_run_##name_,		\
	};										\
	static void ktest_run_##name_(struct ktest_run *t __maybe_unused)

#define KTEST(part, name, about, budget)	__KTEST(part, name, about, budget, 1)
/* A test whose outcome hangs on the seed (an interleaving, a random trace): runs with @seeds of
 * them, stops at the first that fails. */
#define KTEST_SEEDS(part, name, about, budget, seeds) __KTEST(part, name, about, budget, seeds)

/* The tests of this image, ended by NULL: written by tools/ktest-build. */
extern const struct ktest *const ktest_table[];

/* ---- expectations ------------------------------------------------------------------------- */

/* Records a failure; printed when the test is over, the first few of them. Any context. */
void ktest_fail(const char *file, int line, const char *fmt, ...) __printf(3, 4);
/* A line that is printed if the test fails. */
void ktest_note(const char *fmt, ...) __printf(1, 2);
/* For what is tried many times: ktest_forget_notes(mark) drops the notes made since ktest_note_mark()
 * gave that mark. One CPU only. */
unsigned int ktest_note_mark(void);
void ktest_forget_notes(unsigned int mark);
bool ktest_failed(void);
/* Leaves the test. Any CPU that runs it. */
__noreturn void ktest_abort(void);

/* Numbers and pointers, compared as signed 64-bit values. True if it holds. */
bool ktest_compare(long a, const char *op, long b, const char *a_text, const char *b_text,
		   const char *file, int line);
#define __KTEST_OP(a, op, b, stop) do {							\
	if (!ktest_compare((long)(a), op, (long)(b), #a, #b, __FILE__, __LINE__)) {	\
		stop;									\
	} } while (0)
#define __KTEST_TRUE(cond, stop) do {							\
	if (!(cond)) {									\
		ktest_fail(__FILE__, __LINE__, "%s: actual false, expected true", #cond); \
		stop;									\
	} } while (0)

/* Actual value first. */
#define EXPECT_EQ(a, b)		__KTEST_OP(a, "==", b, )
#define EXPECT_NE(a, b)		__KTEST_OP(a, "!=", b, )
#define EXPECT_LE(a, b)		__KTEST_OP(a, "<=", b, )
#define EXPECT_GE(a, b)		__KTEST_OP(a, ">=", b, )
#define EXPECT_TRUE(c)		__KTEST_TRUE(c, )
#define EXPECT_FALSE(c)		__KTEST_TRUE(!(c), )
#define ASSERT_EQ(a, b)		__KTEST_OP(a, "==", b, ktest_abort())
#define ASSERT_NE(a, b)		__KTEST_OP(a, "!=", b, ktest_abort())
#define ASSERT_TRUE(c)		__KTEST_TRUE(c, ktest_abort())
#define ASSERT_FALSE(c)		__KTEST_TRUE(!(c), ktest_abort())
/* A check that comes back as text: NULL is good. */
#define EXPECT_OK(text) do {								\
	const char *_kt = (text);							\
	if (_kt)									\
		ktest_fail(__FILE__, __LINE__, "%s", _kt);				\
	} while (0)
#define ASSERT_OK(text) do {								\
	const char *_kt = (text);							\
	if (_kt) {									\
		ktest_fail(__FILE__, __LINE__, "%s", _kt);				\
		ktest_abort();								\
	} } while (0)

/* ---- CPUs --------------------------------------------------------------------------------- */

/* How many CPUs may run a test's code; the last one of the machine is not among them. */
unsigned int ktest_nr_cpus(void);
/*
 * Runs fn(cpu, arg) on CPUs 0 … n-1 at the same time and waits for all; from the test's own
 * function only. In the kernel the interleaving is chosen by @seed; on the host by the host.
 */
void ktest_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg);
/* Instructions of the budget that are left. */
u64 ktest_budget_left(void);
/* What a CPU does while it waits for another one. */
void ktest_relax(void);
/* A place where other CPUs are let in now and then, while several run a test: every unlocking is one. */
void ktest_sched_point(void);
/* Locks released by the code under test since the test began, on all CPUs. */
extern unsigned long ktest_unlocks;
/* Goes on on another CPU, asleep in between: the test's own function only, and back on CPU 0 before it
 * ends. The host: takes that CPU's name. */
void ktest_migrate(unsigned int cpu);
/* In ktest_jitter_hook, on CPU 0: the interrupted thread, if it is the test's own, goes on on a CPU that runs
 * none of the test's, from the very instruction. True if it will; then ktest_migrate(0) is due. */
bool ktest_move_interrupted(void);
/* Called in the kernel when one of ktest_on_cpus()'s CPUs was interrupted, in the interrupt; never on
 * the host. */
extern void (*ktest_jitter_hook)(unsigned int cpu);
/* Instructions executed so far (the host: nanoseconds). */
u64 ktest_clock(void);
/* Zeroed memory that lives until the test's end, with unmapped or poisoned memory behind it; ends
 * the test when there is none. The test's own function only. */
void *ktest_alloc(unsigned long size);
/* The same, with anything in it. */
void *ktest_alloc_dirty(unsigned long size);
/* For loops: ktest_release(mark) frees what was allocated since ktest_mark() gave that mark. */
unsigned int ktest_mark(void);
void ktest_release(unsigned int mark);

/* ---- what the runner needs of the world --------------------------------------------------- */

/* Puts the world back into its first state. */
void world_reset(void);
/* For the runners: ktest.c. */
struct ktest_text {
	unsigned int used;		/* bytes in text */
	char text[4000];		/* lines to print if the test fails */
};
struct ktest_state {
	int failures;
	struct ktest_text reasons;	/* large enough for all that are reported */
	struct ktest_text notes;	/* the first of them */
};
extern struct ktest_state ktest_state;
/* Calls line(text) for each line that is to be printed. */
void ktest_report(void (*line)(const char *text));
void ktest_forget(void);			/* between two tests */
void *ktest_map(unsigned long size);		/* the runner's: NULL if there is none */
void ktest_unmap(void *p);
