/* Shrinkers: caches of kernel objects that can give memory back when it is short. */
#pragma once

#include "lib/list.h"
#include "mm/phys/gfp.h"

struct shrinker {
	const char *name;
	unsigned long (*count)(void);			/* objects it could free now, roughly */
	/* Frees up to @nr: how many. Called with __GFP_FS only; takes no sleeping lock that an
	 * allocation may happen under. */
	unsigned long (*scan)(unsigned long nr);
	struct list_head node;
};

/* /proc/sys/vm: percent of the share that dentries and inodes give; 0: they give nothing. */
extern unsigned int vfs_cache_pressure;

void register_shrinker(struct shrinker *shrinker);	/* for good; boot */
/* Asks each for 1/2^@priority of what it has (at least a few): objects freed. May sleep. */
unsigned long shrink_slab(gfp_t gfp, unsigned int priority);
