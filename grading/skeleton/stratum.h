/*
 * @NAME@: the longest run of free pages in a map, one bit a page. @NAME@.c is the student's [lab @N@].
 *
 * A place-holder: replace the function by those of your stratum, and say here what each one owes its callers: units,
 * ranges, what a failure looks like, which lock is held, in which context.
 */
#pragma once

#include "lib/types.h"

/*
 * The longest run of clear bits among the first @pages bits of @used: its length, 0 if there is none. *@start is
 * where it begins, the lowest place of several; left alone if there is none. Bit n is bit n % 64 of word
 * n / 64. Any context.
 */
unsigned long @NAME@_longest(const u64 *used, unsigned long pages, unsigned long *start);
