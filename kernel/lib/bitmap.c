/* Searches and ranges over bit arrays, a word at a time. */
#include "lib/bitmap.h"

/* @invert is 0 to look for ones and ~0 to look for zeros. */
static inline unsigned long find_next(const unsigned long *map, unsigned long size,
				      unsigned long start, unsigned long invert)
{
	unsigned long i, word, found;

	if (start >= size)
		return size;
	i = BIT_WORD(start);
	word = (map[i] ^ invert) & (~0UL << (start % BITS_PER_LONG));
	while (!word) {
		i++;
		if (i * BITS_PER_LONG >= size)
			return size;
		word = map[i] ^ invert;
	}
	found = i * BITS_PER_LONG + __ffs(word);
	return found < size ? found : size;
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start)
{
	return find_next(map, size, start, 0);
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
				 unsigned long start)
{
	return find_next(map, size, start, ~0UL);
}

unsigned long find_last_bit(const unsigned long *map, unsigned long size)
{
	unsigned long i = BITS_TO_LONGS(size), mask = ~0UL;

	if (size % BITS_PER_LONG)
		mask = ~(~0UL << (size % BITS_PER_LONG));
	while (i--) {
		unsigned long word = map[i] & mask;

		if (word)
			return i * BITS_PER_LONG + __fls(word);
		mask = ~0UL;
	}
	return size;
}

unsigned long bitmap_find_next_zero_area(const unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long nr,
					 unsigned long align_mask)
{
	for (;;) {
		unsigned long end, busy;

		start = find_next_zero_bit(map, size, start);
		start = (start + align_mask) & ~align_mask;
		end = start + nr;
		if (end > size || end < start)
			return size;
		busy = find_next_bit(map, end, start);
		if (busy == end)
			return start;
		start = busy + 1;
	}
}

/* The bits of word @i that lie in start..end-1; the range is known to touch the word. */
static inline unsigned long range_mask(unsigned long i, unsigned long start, unsigned long end)
{
	unsigned long mask = ~0UL;

	if (i == BIT_WORD(start))
		mask &= ~0UL << (start % BITS_PER_LONG);
	if (i == BIT_WORD(end - 1))
		mask &= ~0UL >> (BITS_PER_LONG - 1 - (end - 1) % BITS_PER_LONG);
	return mask;
}

void bitmap_set(unsigned long *map, unsigned long start, unsigned long nr)
{
	unsigned long end = start + nr;

	if (!nr)
		return;
	for (unsigned long i = BIT_WORD(start); i <= BIT_WORD(end - 1); i++)
		map[i] |= range_mask(i, start, end);
}

void bitmap_clear(unsigned long *map, unsigned long start, unsigned long nr)
{
	unsigned long end = start + nr;

	if (!nr)
		return;
	for (unsigned long i = BIT_WORD(start); i <= BIT_WORD(end - 1); i++)
		map[i] &= ~range_mask(i, start, end);
}

unsigned long bitmap_weight(const unsigned long *map, unsigned long size)
{
	unsigned long i, weight = 0;

	for (i = 0; i < size / BITS_PER_LONG; i++)
		weight += hweight64(map[i]);
	if (size % BITS_PER_LONG)
		weight += hweight64(map[i] & ~(~0UL << (size % BITS_PER_LONG)));
	return weight;
}
