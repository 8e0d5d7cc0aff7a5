/*
 * The seal: shows that a line was printed by the harness.
 *
 * The key comes with the command line, is different in every run, and lies in a frame behind the end
 * of what the kernel was told to use (mem=): no map of memory shows it. It is mapped while a
 * line is being sealed, by the one CPU that never runs a student's code, and at no other time. The code
 * is SipHash-2-4 (Aumasson and Bernstein), whose path does not hang on key or text.
 */
#pragma once

#include "lib/types.h"

/* Moves the key to its place; false: the command line holds none, or there is no memory for it. */
bool seal_init(void);
/* May sleep. 0 before seal_init(). */
u64 seal(const char *text);
