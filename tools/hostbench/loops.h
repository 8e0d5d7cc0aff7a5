/* The loops, the same for every allocator: whoever includes this has defined ALLOC() and FREE(). */
#include "bench.h"

#define MANY 1000

void bench_hot(unsigned long pairs)
{
	while (pairs--)
		FREE(ALLOC());
}

void bench_many(unsigned long pairs)
{
	void *objects[MANY];

	for (; pairs >= MANY; pairs -= MANY) {
		for (unsigned int i = 0; i < MANY; i++)
			objects[i] = ALLOC();
		for (unsigned int i = 0; i < MANY; i++)
			FREE(objects[i]);
	}
}

void bench_make(void **objects)
{
	for (unsigned int i = 0; i < BENCH_BATCH; i++)
		objects[i] = ALLOC();
}

void bench_free(void **objects)
{
	for (unsigned int i = 0; i < BENCH_BATCH; i++)
		FREE(objects[i]);
}
