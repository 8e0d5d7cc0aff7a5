/* Lab @N@: docs/ktest.md tells how to write tests. Ask for behaviour that every right design has. */
#include "mm/phys/@NAME@.h"
#include "test/ktest/ktest.h"

#define WORDS	4
#define PAGES	(WORDS * 64UL)

/* The length, and where it begins; @nowhere stays if there is none. */
static void expect_run(const u64 *used, unsigned long pages, unsigned long length, unsigned long start)
{
	unsigned long at = ~0UL;

	EXPECT_EQ(@NAME@_longest(used, pages, &at), length);
	EXPECT_EQ(at, length ? start : ~0UL);
}

KTEST(runs, an_empty_map_is_one_run, "a map without used pages is one run, one without free pages has none", 2000000)
{
	u64 free[WORDS] = { 0 }, full[WORDS] = { ~0UL, ~0UL, ~0UL, ~0UL };

	expect_run(free, PAGES, PAGES, 0);
	expect_run(full, PAGES, 0, 0);
	expect_run(free, 0, 0, 0);
}

KTEST(runs, the_lowest_of_the_longest, "of several runs the longest is found, of equal ones the lowest", 2000000)
{
	u64 used[WORDS] = { 0xff0ffULL, ~0UL, ~0UL, ~0UL };

	expect_run(used, 20, 4, 8);
	used[0] = 0xf00ff0ffULL;
	expect_run(used, 32, 8, 20);
	used[0] = 0xf0f0ffffULL;
	expect_run(used, 32, 4, 16);
}

KTEST(ends, a_run_may_end_the_map, "a run that ends with the map counts, what lies behind the map does not", 2000000)
{
	u64 used[WORDS] = { 0xffUL, 0, 0, 0 };

	expect_run(used, 10, 2, 8);
	expect_run(used, 100, 92, 8);
	used[0] = 0xfffffffffffffff0UL;
	used[1] = ~0UL;
	expect_run(used, 70, 4, 0);
}

/* Straight from the definition: every place, every length. */
static unsigned long model(const u64 *used, unsigned long pages, unsigned long *start)
{
	unsigned long best = 0;

	for (unsigned long from = 0; from < pages; from++) {
		unsigned long n = from;

		while (n < pages && !(used[n / 64] >> (n % 64) & 1))
			n++;
		if (n - from > best) {
			best = n - from;
			*start = from;
		}
	}
	return best;
}

KTEST_SEEDS(ends, random_maps, "on random maps it says what the definition says", 40000000, 4)
{
	for (unsigned int i = 0; i < 20 && !ktest_failed(); i++) {
		unsigned long pages = prng_below(&t->rng, PAGES + 1), start = ~0UL, length;
		unsigned int lean = 1 + prng_below(&t->rng, 10);
		u64 used[WORDS] = { 0 };

		for (unsigned long n = 0; n < PAGES; n++)
			used[n / 64] |= (u64)!prng_below(&t->rng, lean) << (n % 64);
		length = model(used, pages, &start);
		expect_run(used, pages, length, start);
	}
}
