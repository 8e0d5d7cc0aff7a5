/* Sorting in place. */
#pragma once

#include "lib/types.h"

/*
 * Sort @num elements of @size bytes by @cmp (negative, 0, positive as in C's
 * qsort). @swap_fn exchanges two elements; NULL picks one that suits @size.
 * Heapsort: O(n log n) always, no memory, not stable.
 */
void sort(void *base, size_t num, size_t size, int (*cmp)(const void *a, const void *b),
	  void (*swap_fn)(void *a, void *b, int size));
