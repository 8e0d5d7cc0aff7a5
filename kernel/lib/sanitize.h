/*
 * What the lowest layer owes the sanitizers. memcpy() and its family are not compiled with checks, as
 * they read whole words; they ask about their areas by hand. debug/kasan.c answers.
 */
#pragma once

#include "lib/types.h"

#ifdef CONFIG_KASAN
/* May [p, p + n) be read, or written? If not, that is reported. Any context. */
void kasan_check_read(const void *p, size_t n);
void kasan_check_write(void *p, size_t n);
#else
static inline void kasan_check_read(const void *p, size_t n) { (void)p; (void)n; }
static inline void kasan_check_write(void *p, size_t n) { (void)p; (void)n; }
#endif
