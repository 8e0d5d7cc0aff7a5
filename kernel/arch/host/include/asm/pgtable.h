/* A process has no page tables of its own to write: entries exist so that headers that speak of them compile. */
#pragma once

#include "lib/types.h"

typedef struct { u64 v; } pte_t;

extern int pgtable_levels;
