/* Bit operations and bitmaps against loops that cannot be wrong. */
#include "test.h"
#include "lib/bitmap.h"
#include "lib/math.h"

static void test_words(struct prng *rng)
{
	for (int round = 0; round < 20000; round++) {
		unsigned long word = prng_next(rng) >> prng_below(rng, 64);
		volatile unsigned long opaque;
		unsigned int ones = 0, low = 64, high = 64;

		word &= ~0UL << prng_below(rng, 64);
		opaque = word;
		for (unsigned int i = 0; i < 64; i++) {
			if (!(word >> i & 1))
				continue;
			ones++;
			high = i;
			low = low == 64 ? i : low;
		}
		EXPECT_EQ(hweight64(opaque), ones);
		EXPECT_EQ(fls64(opaque), word ? (int)high + 1 : 0);
		EXPECT_EQ(ffs((int)opaque), word << 32 ? (int)low + 1 : 0);
		EXPECT_EQ(is_power_of_2(opaque), ones == 1);
		if (!word)
			continue;
		EXPECT_EQ(__ffs(opaque), low);
		EXPECT_EQ(__fls(opaque), high);
		EXPECT_EQ(ilog2(opaque), high);
		EXPECT_EQ(ffz(~opaque), low);
		EXPECT_EQ(rounddown_pow_of_two(opaque), 1UL << high);
		if (high == 63)
			continue;
		EXPECT_EQ(roundup_pow_of_two(opaque), ones == 1 ? word : 2UL << high);
		EXPECT_EQ(order_base_2(opaque), ones == 1 ? high : high + 1);
	}
	EXPECT_EQ(__ffs(0x80UL), 7);
	EXPECT_EQ(__fls(0x80UL), 7);
	EXPECT_EQ(roundup_pow_of_two(1), 1);
	EXPECT_EQ(GENMASK(7, 4), 0xf0);
	EXPECT_EQ(GENMASK(63, 0), ~0UL);
	EXPECT_EQ(rol32(0x80000001, 1), 3);
	EXPECT_EQ(ror32(3, 1), 0x80000001);
	EXPECT_EQ(sign_extend64(0xfff, 12), -1);
	EXPECT_EQ(sign_extend64(0x7ff, 12), 0x7ff);
}

#define BITS 300

static bool model[BITS];

static unsigned long slow_next(unsigned long size, unsigned long start, bool value)
{
	for (; start < size; start++)
		if (model[start] == value)
			return start;
	return size;
}

static unsigned long slow_area(unsigned long size, unsigned long start, unsigned long nr,
			       unsigned long align_mask)
{
	for (; start + nr <= size; start++)
		if (!(start & align_mask) && slow_next(start + nr, start, true) == start + nr)
			return start;
	return size;
}

static void check_searches(struct prng *rng, unsigned long *map)
{
	unsigned long size = prng_below(rng, BITS + 1), start = prng_below(rng, BITS + 1);
	unsigned long nr = 1 + prng_below(rng, 70), mask = (1UL << prng_below(rng, 5)) - 1;
	unsigned long last = size, weight = 0, bit, seen = 0;

	EXPECT_EQ(find_next_bit(map, size, start), slow_next(size, min(start, size), true));
	EXPECT_EQ(find_next_zero_bit(map, size, start), slow_next(size, min(start, size), false));
	EXPECT_EQ(bitmap_find_next_zero_area(map, size, start, nr, mask),
		  slow_area(size, start, nr, mask));
	for (unsigned long i = 0; i < size; i++) {
		last = model[i] ? i : last;
		weight += model[i];
	}
	EXPECT_EQ(find_last_bit(map, size), last);
	EXPECT_EQ(bitmap_weight(map, size), weight);
	EXPECT_EQ(bitmap_empty(map, size), weight == 0);
	EXPECT_EQ(bitmap_full(map, size), weight == size);
	for_each_set_bit(bit, map, size) {
		EXPECT(model[bit]);
		seen++;
	}
	EXPECT_EQ(seen, weight);
}

static void test_bitmap(struct prng *rng)
{
	unsigned long *map = calloc(BITS_TO_LONGS(BITS), sizeof(long));

	for (int round = 0; round < 20000; round++) {
		unsigned long start = prng_below(rng, BITS), nr = prng_below(rng, BITS - start + 1);
		bool value = prng_below(rng, 2);

		switch (prng_below(rng, 3)) {
		case 0:
			nr = 1;
			EXPECT_EQ(value ? __test_and_set_bit(start, map) :
				  __test_and_clear_bit(start, map), model[start]);
			break;
		case 1:
			nr = min(nr, prng_below(rng, 80));
			/* fall through */
		default:
			if (value)
				bitmap_set(map, start, nr);
			else
				bitmap_clear(map, start, nr);
		}
		for (unsigned long i = start; i < start + nr; i++)
			model[i] = value;
		EXPECT_EQ(test_bit(start, map), model[start]);
		check_searches(rng, map);
	}
	bitmap_fill(map, BITS);
	EXPECT(bitmap_full(map, BITS));
	bitmap_zero(map, BITS);
	EXPECT(bitmap_empty(map, BITS));
	free(map);
}

static void test_sqrt(struct prng *rng)
{
	EXPECT_EQ(int_sqrt(0), 0);
	EXPECT_EQ(int_sqrt(~0UL), 0xffffffff);
	for (int round = 0; round < 20000; round++) {
		unsigned long root = prng_below(rng, 1UL << 32) >> prng_below(rng, 32);

		EXPECT_EQ(int_sqrt(root * root), root);
		EXPECT_EQ(int_sqrt(root * root + 2 * root), root);	/* the largest below the next square */
	}
}

const struct test bit_tests[] = {
	{ "word operations agree with counting bit by bit", test_words },
	{ "bitmap ranges and searches agree with an array of bool", test_bitmap },
	{ "square roots are rounded down", test_sqrt },
	{ 0 },
};
