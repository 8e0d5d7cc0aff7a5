/*
 * Bits of one word, and single bits of an array of words. Nothing here is
 * atomic; test_bit() and the atomic changes of single bits are in atomic.h. Bit
 * n of an array is bit n % 64 of word n / 64.
 *
 * The base instruction sets of our machines do not all count zeros or ones, so
 * these are written with multiplications and tables rather than compiler
 * builtins that would become calls into a runtime library we do not link.
 * Constant arguments are still folded.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/compiler.h"
#include "lib/types.h"

#define BITS_PER_LONG 64
#define BITS_PER_BYTE 8
#define BITS_TO_LONGS(nr) DIV_ROUND_UP(nr, BITS_PER_LONG)

#define BIT_MASK(nr) (1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)
/* Bits @l..@h inclusive. */
#define GENMASK(h, l) ((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))

#define BITOPS_DEBRUIJN 0x03f79d71b4cb0a89UL
extern const u8 bitops_debruijn_index[64];

/* Index of the lowest set bit, 0..63; undefined for 0. */
static __always_inline unsigned long __ffs(unsigned long word)
{
	if (__builtin_constant_p(word))
		return __builtin_ctzl(word);
	return bitops_debruijn_index[((word & -word) * BITOPS_DEBRUIJN) >> 58];
}

/* Index of the highest set bit, 0..63; undefined for 0. */
static __always_inline unsigned long __fls(unsigned long word)
{
	if (__builtin_constant_p(word))
		return 63 - __builtin_clzl(word);
	word |= word >> 1;
	word |= word >> 2;
	word |= word >> 4;
	word |= word >> 8;
	word |= word >> 16;
	word |= word >> 32;
	return bitops_debruijn_index[((word ^ (word >> 1)) * BITOPS_DEBRUIJN) >> 58];
}

/* Index of the lowest clear bit; undefined for ~0UL. */
static __always_inline unsigned long ffz(unsigned long word)
{
	return __ffs(~word);
}

/* One-based index of the lowest set bit, 0 when there is none. */
static __always_inline int ffs(int word)
{
	return word ? (int)__ffs((unsigned int)word) + 1 : 0;
}

/* One-based index of the highest set bit, 0 when there is none. */
static __always_inline int fls(unsigned int word)
{
	return word ? (int)__fls(word) + 1 : 0;
}

static __always_inline int fls64(u64 word)
{
	return word ? (int)__fls(word) + 1 : 0;
}

/* Floor of the base-2 logarithm; undefined for 0. */
#define ilog2(n) ((int)__fls((unsigned long)(n)))

/* Number of set bits. */
static __always_inline unsigned int hweight64(u64 word)
{
	if (__builtin_constant_p(word))
		return __builtin_popcountl(word);
	word -= (word >> 1) & 0x5555555555555555UL;
	word = (word & 0x3333333333333333UL) + ((word >> 2) & 0x3333333333333333UL);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (word * 0x0101010101010101UL) >> 56;
}

#define hweight_long(word) hweight64(word)
#define hweight32(word) hweight64((u32)(word))

static __always_inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* Smallest power of two >= @n, for 1 <= @n <= 2^63. */
static __always_inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << (__fls(n - 1) + 1);
}

/* Largest power of two <= @n, for @n >= 1. */
static __always_inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return 1UL << __fls(n);
}

/* Ceiling of the base-2 logarithm, for 1 <= @n <= 2^63. */
static __always_inline int order_base_2(unsigned long n)
{
	return n <= 1 ? 0 : (int)__fls(n - 1) + 1;
}

static __always_inline u32 rol32(u32 word, unsigned int shift)
{
	return (word << (shift & 31)) | (word >> (-shift & 31));
}

static __always_inline u32 ror32(u32 word, unsigned int shift)
{
	return (word >> (shift & 31)) | (word << (-shift & 31));
}

static __always_inline u64 rol64(u64 word, unsigned int shift)
{
	return (word << (shift & 63)) | (word >> (-shift & 63));
}

/* The value of a two's complement number of @bits bits, 1..64. */
static __always_inline s64 sign_extend64(u64 value, unsigned int bits)
{
	return (s64)(value << (64 - bits)) >> (64 - bits);
}

static __always_inline void __set_bit(unsigned long nr, unsigned long *map)
{
	map[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static __always_inline void __clear_bit(unsigned long nr, unsigned long *map)
{
	map[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static __always_inline void __change_bit(unsigned long nr, unsigned long *map)
{
	map[BIT_WORD(nr)] ^= BIT_MASK(nr);
}

/* Set the bit and return its old value. */
static __always_inline bool __test_and_set_bit(unsigned long nr, unsigned long *map)
{
	bool old = test_bit(nr, map);

	__set_bit(nr, map);
	return old;
}

/* Clear the bit and return its old value. */
static __always_inline bool __test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	bool old = test_bit(nr, map);

	__clear_bit(nr, map);
	return old;
}
