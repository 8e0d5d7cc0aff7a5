/*
 * Random numbers, for AT_RANDOM and getrandom. A seeded generator, not for secrets: a kernel whose
 * runs must repeat has none. `seed=` on the command line changes them; without it every boot gives
 * the same. Any context.
 */
#pragma once

#include "lib/types.h"

u64 random_u64(void);
