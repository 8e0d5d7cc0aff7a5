/* bootcheck: what its files share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	4096UL

/* seal.c: lines that the grader believes */

/* Reads the key that came with this boot; false: there is none, and lines go out without a code. */
bool seal_init(void);
/* Prints one line, whose code the key makes; at most 100 characters. In one piece: no line of
 * the kernel's comes between. */
void say_sealed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints a remark on the check that runs. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* checks.c: each runs in a process of its own; true: it has passed, else it said why not. */
bool programs_run_on_it(void);
bool memory_comes_back(void);
bool blocks_merge_again(void);
