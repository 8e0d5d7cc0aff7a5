/*
 * What the programs of host tests share: each test is a function that draws its data from a seeded
 * generator, and compares with a model or with the host's C library.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/random.h"
#include "lib/string.h"

struct test {
	const char *name;		/* a sentence about behaviour */
	void (*run)(struct prng *rng);
};

/* Compare two values; the first difference of a test is printed, and the test fails. Any thread. */
#define EXPECT_EQ(actual, expected) \
	expect_eq((long)(actual), (long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT(cond) expect_eq(!!(cond), 1, #cond, __FILE__, __LINE__)
#define EXPECT_STR(actual, expected) \
	expect_str(actual, expected, #actual, __FILE__, __LINE__)
void expect_eq(long actual, long expected, const char *what, const char *file, int line);
void expect_str(const char *actual, const char *expected, const char *what, const char *file,
		int line);
/* Has the test that runs failed? Any thread. */
bool test_failed(void);

/* Runs all tests of @n suites, each ended by an empty entry and with a generator of its own, seeded
 * alike; NULL is no suite. @before (or NULL) runs before each. Prints a line for each and, last, how
 * many passed; @script is what replays it. For main() to return: 0 if all passed, else 1. */
int run_suites(const struct test *const *suites, unsigned int n, unsigned long seed,
	       void (*before)(void), const char *script);

/* Device trees given on the command line, exactly @size bytes each. */
struct blob {
	const char *name;
	void *data;
	u32 size;
};
extern struct blob blobs[16];
extern int blob_count;
void load_blob(const char *path);	/* or ends the program */

/* The host's own, whose headers would clash with ours. */
int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
unsigned long strtoul(const char *s, char **end, int base);
