/*
 * Caches of kernel objects (dentries, inodes) register here; reclaim asks each for a share of
 * what it has, the same share of all, so that none is emptied for the sake of another.
 */
#include "mm/reclaim/shrinker.h"
#include "sched/mutex.h"

#define MIN_SCAN	32

unsigned int vfs_cache_pressure = 100;

static LIST_HEAD(shrinkers);		/* filled at boot, before reclaim can run beside */

void register_shrinker(struct shrinker *shrinker)
{
	list_add_tail(&shrinker->node, &shrinkers);
}

unsigned long shrink_slab(gfp_t gfp, unsigned int priority)
{
	struct shrinker *shrinker;
	unsigned long freed = 0;

	if (!(gfp & __GFP_FS))
		return 0;
	list_for_each_entry(shrinker, &shrinkers, node) {
		unsigned long has = shrinker->count() * READ_ONCE(vfs_cache_pressure) / 100;

		if (has)
			freed += shrinker->scan(max(has >> priority, (unsigned long)MIN_SCAN));
	}
	return freed;
}
