/*
 * The one table behind bitops.h. BITOPS_DEBRUIJN is a de Bruijn sequence: each of
 * its 64 windows of six bits is different, so multiplying it by a power of two
 * brings a window to the top that tells which power it was (Leiserson, Prokop
 * and Randall, "Using de Bruijn sequences to index a 1 in a computer word", 1998).
 */
#include "lib/bitops.h"

const u8 bitops_debruijn_index[64] = {
	0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
};
