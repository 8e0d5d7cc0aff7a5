/* What the benchmarks share: bench=NAME on the command line, and work given to CPUs. bench.c tells. */
#pragma once

#include "test/selftest.h"
#include "arch/arch.h"
#include "base/percpu.h"

/* A turn of something, on the calling CPU with interrupts off: @arg is its own, turns count from 0. */
typedef void (*turn_fn)(unsigned int arg, unsigned int turn);

/* Is it this one that was asked for? */
bool bench_is(const char *name);
/* Once, in the first kernel thread; afterwards it stays on its CPU. */
void bench_start(void);
/* Nanoseconds that @turns turns of each CPU take together: one CPU after the other, or all at once. */
u64 bench_in_turns(turn_fn fn, unsigned int arg, unsigned int turns);
u64 bench_at_once(turn_fn fn, unsigned int arg, unsigned int turns);
/* A line for tools/bench: "bench: CPUS@how @name VALUE", the value @ns / @pairs, rounded. */
void bench_report(const char *how, const char *name, u64 ns, unsigned long pairs);
/* Powers off. */
void bench_end(void);
