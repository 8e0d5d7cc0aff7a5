/*
 * The host tests of kernel/lib: each test is a function that draws its data from
 * a seeded generator and compares with a model or with the host's C library.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/random.h"
#include "lib/string.h"
#include "lib/format.h"
#include "lib/errno.h"

struct test {
	const char *name;		/* a sentence about behaviour */
	void (*run)(struct prng *rng);
};

/* Each file's tests, ended by an empty entry. */
extern const struct test list_tests[], tree_tests[], bit_tests[], string_tests[], format_tests[],
	fdt_tests[];

/* Device trees given on the command line, exactly @size bytes each. */
struct blob {
	const char *name;
	void *data;
	u32 size;
};

extern struct blob blobs[16];
extern int blob_count;

/* Compare two integers; the first difference of a test is printed, the test fails. */
#define EXPECT_EQ(actual, expected) \
	expect_eq((long)(actual), (long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT(cond) expect_eq(!!(cond), 1, #cond, __FILE__, __LINE__)
#define EXPECT_STR(actual, expected) \
	expect_str(actual, expected, #actual, __FILE__, __LINE__)

void expect_eq(long actual, long expected, const char *what, const char *file, int line);
void expect_str(const char *actual, const char *expected, const char *what, const char *file,
		int line);

/* The host's own, whose headers would clash with ours. */
int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
