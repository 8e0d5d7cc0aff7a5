/*
 * @NAME@, the reference. Begin a file with a real idea by that idea: the problem, the invariants, the lock
 * order, where the algorithm comes from.
 *
 * One pass: @length counts the free pages that end before page n.
 */
#include "mm/phys/@NAME@.h"

unsigned long @NAME@_longest(const u64 *used, unsigned long pages, unsigned long *start)
{
	unsigned long length = 0, best = 0;

	for (unsigned long n = 0; n < pages; n++) {
		length = used[n / 64] >> (n % 64) & 1 ? 0 : length + 1;
		if (length > best) {
			best = length;
			*start = n + 1 - length;
		}
	}
	return best;
}
