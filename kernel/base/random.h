/* Random numbers, for AT_RANDOM and getrandom: a seeded generator stirred with the clock. Not for
 * secrets: a kernel whose runs must repeat has none. Any context. */
#pragma once

#include "lib/types.h"

/* Seeds from the command line's `seed=` (default: fixed) and the device tree's rng-seed if any. */
void random_init(void);
u64 random_u64(void);
