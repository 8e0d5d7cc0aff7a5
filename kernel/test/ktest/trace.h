/*
 * Traces: long random sequences of allocations and frees, from a seed, judged by the oracle. The
 * same seed gives the same trace on the host and on both machines. A trace that fails is cut down
 * (delta debugging: leave out a part, see whether it still fails in the same way) to a short one,
 * which is printed.
 *
 * An operation names a slot: "alloc" fills it if it is empty, "free" empties it if it is full, and
 * else nothing happens. So whatever is left out, the rest is still a trace.
 */
#pragma once

#include "test/ktest/oracle.h"

#define TRACE_SLOTS	256

struct trace_op {
	u8 kind;			/* TRACE_ALLOC, TRACE_FREE */
	u8 order;
	u16 slot;
};
enum { TRACE_ALLOC, TRACE_FREE };

struct trace {
	/* The memory; built anew for each try. */
	const struct world_range *ranges;
	unsigned int nr_ranges;
	unsigned int max_order;
	/* After the world is built, before the first operation; or NULL. */
	void (*setup)(void);
	/* How blocks come and go; NULL: the cores of the zones, by turns. @zone_hint: any number. A
	 * refusal is checked against the map if zone is left set. */
	struct page *(*alloc)(unsigned int order, unsigned int hint, struct zone **zone);
	void (*free)(struct page *page, unsigned int order);
	/* After everything was freed, before the zones are drained and compared; or NULL. */
	void (*settle)(void);
	bool check_counts;		/* zone->free_pages agrees with the map at every step */
	struct trace_op *ops;
	unsigned int nr_ops;
};

/* Fills trace->ops with @n operations from the random numbers; orders mostly small. */
void trace_generate(struct trace *trace, struct prng *rng, unsigned int n);
/* Runs the trace; if it fails, shortens it, prints it and records the failure. */
#define trace_check(trace) trace_check_at(trace, __FILE__, __LINE__)
void trace_check_at(struct trace *trace, const char *file, int line);
/* One try in a fresh world: NULL, or what is wrong. */
const char *trace_run(const struct trace *trace);
