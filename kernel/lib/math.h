/* Whole-number arithmetic that C has no operator for. */
#pragma once

#include "lib/types.h"

/* The square root of @x, rounded down. Bit by bit from the highest that a root can have, as by hand. */
static inline unsigned long int_sqrt(unsigned long x)
{
	unsigned long root = 0;

	for (unsigned long bit = 1UL << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	return root;
}
