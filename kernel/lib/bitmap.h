/*
 * Arrays of bits (see bitops.h for the layout). Every search takes the number
 * of valid bits and returns that number when it finds nothing. Bits beyond it
 * in the last word are never looked at nor changed.
 */
#pragma once

#include "lib/bitops.h"

#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

/* First set bit at or after @start in a map of @size bits, or @size. */
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start);

/* First clear bit at or after @start in a map of @size bits, or @size. */
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
				 unsigned long start);

/* Last set bit below @size, or @size when there is none. */
unsigned long find_last_bit(const unsigned long *map, unsigned long size);

/*
 * First run of @nr clear bits (@nr >= 1) at or after @start whose first bit is
 * a multiple of @align_mask + 1, or @size.
 */
unsigned long bitmap_find_next_zero_area(const unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long nr,
					 unsigned long align_mask);

/* Set, or clear, @nr bits from bit @start. */
void bitmap_set(unsigned long *map, unsigned long start, unsigned long nr);
void bitmap_clear(unsigned long *map, unsigned long start, unsigned long nr);

/* Number of set bits among the first @size. */
unsigned long bitmap_weight(const unsigned long *map, unsigned long size);

static inline unsigned long find_first_bit(const unsigned long *map, unsigned long size)
{
	return find_next_bit(map, size, 0);
}

static inline unsigned long find_first_zero_bit(const unsigned long *map, unsigned long size)
{
	return find_next_zero_bit(map, size, 0);
}

static inline bool bitmap_empty(const unsigned long *map, unsigned long size)
{
	return find_first_bit(map, size) >= size;
}

static inline bool bitmap_full(const unsigned long *map, unsigned long size)
{
	return find_first_zero_bit(map, size) >= size;
}

/* Clear, or set, a whole map of @size bits (and the rest of its last word). */
static inline void bitmap_zero(unsigned long *map, unsigned long size)
{
	for (unsigned long i = 0; i < BITS_TO_LONGS(size); i++)
		map[i] = 0;
}

static inline void bitmap_fill(unsigned long *map, unsigned long size)
{
	for (unsigned long i = 0; i < BITS_TO_LONGS(size); i++)
		map[i] = ~0UL;
}

#define for_each_set_bit(bit, map, size) \
	for ((bit) = find_first_bit(map, size); (bit) < (size); \
	     (bit) = find_next_bit(map, size, (bit) + 1))

#define for_each_clear_bit(bit, map, size) \
	for ((bit) = find_first_zero_bit(map, size); (bit) < (size); \
	     (bit) = find_next_zero_bit(map, size, (bit) + 1))
