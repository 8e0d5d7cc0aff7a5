/* The C library's malloc(), or another one's by LD_PRELOAD. Compiled with -fno-builtin, or the compiler
 * would see that nobody looks at the objects. */
#include <stdlib.h>

#define ALLOC() malloc(64)
#define FREE(object) free(object)
#include "loops.h"

void bench_init(unsigned int cpus)
{
	(void)cpus;
}

void bench_enter(unsigned int cpu)
{
	(void)cpu;
}
