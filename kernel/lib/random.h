/*
 * A small seeded generator (Steele, Lea and Flood's SplitMix64): good enough to
 * spread and to test, useless as a secret. The state is the caller's, any value.
 */
#pragma once

#include "lib/types.h"

struct prng {
	u64 state;
};

static inline void prng_seed(struct prng *rng, u64 seed)
{
	rng->state = seed;
}

/* The next 64 bits. */
static inline u64 prng_next(struct prng *rng)
{
	u64 z = rng->state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

/* A number in 0..@bound - 1, for @bound in 1..2^32; the bias is below 2^-32. */
static inline u64 prng_below(struct prng *rng, u64 bound)
{
	return ((prng_next(rng) >> 32) * bound) >> 32;
}
