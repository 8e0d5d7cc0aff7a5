/*
 * Hash functions: for tables inside the kernel, not against an adversary.
 * hash_64() multiplies by 2^64 / golden ratio (Knuth, TAOCP 6.4) and keeps the
 * top bits, which are the ones every input bit has reached. Strings use FNV-1a.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

#define GOLDEN_RATIO_64 0x9e3779b97f4a7c15UL
#define FNV64_OFFSET 0xcbf29ce484222325UL
#define FNV64_PRIME 0x100000001b3UL

/* @bits (1..64) bits of hash. */
static inline u64 hash_64(u64 value, unsigned int bits)
{
	return (value * GOLDEN_RATIO_64) >> (64 - bits);
}

static inline u32 hash_32(u32 value, unsigned int bits)
{
	return (u32)hash_64(value, bits);
}

static inline unsigned long hash_long(unsigned long value, unsigned int bits)
{
	return hash_64(value, bits);
}

static inline unsigned long hash_ptr(const void *ptr, unsigned int bits)
{
	return hash_64((unsigned long)ptr, bits);
}

/* 64 bits of hash over @len bytes, starting from @seed (FNV64_OFFSET, or an earlier result). */
static inline u64 hash_bytes(const void *data, size_t len, u64 seed)
{
	const u8 *p = data;

	while (len--)
		seed = (seed ^ *p++) * FNV64_PRIME;
	return seed;
}

static inline u64 hash_string(const char *s)
{
	u64 hash = FNV64_OFFSET;

	while (*s)
		hash = (hash ^ (u8)*s++) * FNV64_PRIME;
	return hash;
}
