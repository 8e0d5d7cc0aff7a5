/* Between main.c, which knows the host, and the loops, which know one allocator. */
#pragma once

#define BENCH_BATCH 100		/* objects that one thread makes before the other frees them */

/* The main thread, before anything else; @cpus threads will call bench_enter(). */
void bench_init(unsigned int cpus);
/* The calling thread is CPU @cpu from now on. */
void bench_enter(unsigned int cpu);

/* Pairs of 64 bytes, as many as @pairs. */
void bench_hot(unsigned long pairs);
/* 1000 objects and then 1000 frees, oldest first, until there were @pairs. */
void bench_many(unsigned long pairs);
/* BENCH_BATCH objects into @objects; and from there back. */
void bench_make(void **objects);
void bench_free(void **objects);
