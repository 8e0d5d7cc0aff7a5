/* See trace.h. */
#include "test/ktest/trace.h"
#include "base/preempt.h"
#include "lib/format.h"
#include "lib/string.h"

#define MAX_TRIES	400		/* runs spent on making a trace shorter */
#define MAX_PRINTED	24

void trace_generate(struct trace *trace, struct prng *rng, unsigned int n)
{
	unsigned int lean = 50;		/* per cent of allocations; wanders, so memory fills and empties */

	trace->ops = ktest_alloc(n * sizeof(*trace->ops));
	trace->nr_ops = n;
	for (unsigned int i = 0; i < n; i++) {
		struct trace_op *op = &trace->ops[i];
		unsigned int order = 0;

		if (i % 64 == 0)
			lean = 25 + prng_below(rng, 60);
		while (order < trace->max_order && prng_below(rng, 100) < 55)
			order++;
		op->kind = prng_below(rng, 100) < lean ? TRACE_ALLOC : TRACE_FREE;
		op->order = order;
		op->slot = prng_below(rng, TRACE_SLOTS);
	}
}

static struct zone *nth_zone(unsigned int hint)
{
	struct zone *zone, *found = NULL;
	unsigned int n = 0;

	for_each_zone(zone)
		n++;
	if (!n)
		return NULL;
	hint %= n;
	n = 0;
	for_each_zone(zone)
		if (n++ == hint)
			found = zone;
	return found;
}

static struct page *take_from_core(unsigned int order, unsigned int hint, struct zone **zone)
{
	*zone = nth_zone(hint);
	return *zone ? core_alloc(*zone, order) : NULL;
}

static void give_to_core(struct page *page, unsigned int order)
{
	core_free(page_zone(page), page, order);
}

static const char *check_counts(const struct trace *trace, struct oracle *o)
{
	static char text[160];
	struct zone *zone;

	if (!trace->check_counts)
		return NULL;
	for_each_zone(zone) {
		unsigned long free = oracle_free_pages(o, zone);

		if (zone->free_pages == free)
			continue;
		snprintf(text, sizeof(text), "node %d %s: free_pages is %lu, expected %lu",
			 zone->nid, zone->name, zone->free_pages, free);
		return text;
	}
	return NULL;
}

struct attempt {
	const struct trace *trace;
	struct oracle oracle;
	struct page *page[TRACE_SLOTS];
	u8 order[TRACE_SLOTS];
	const char *error;
	unsigned int at;		/* operation that failed */
};

static const char *step(struct attempt *a, const struct trace_op *op)
{
	const struct trace *trace = a->trace;
	struct page **page = &a->page[op->slot];
	const char *error;

	if (op->kind == TRACE_FREE && *page) {
		struct page *p = *page;

		*page = NULL;
		error = oracle_gave(&a->oracle, p, a->order[op->slot]);
		(trace->free ?: give_to_core)(p, a->order[op->slot]);
	} else if (op->kind == TRACE_ALLOC && !*page) {
		struct zone *zone = NULL;
		struct page *p = (trace->alloc ?: take_from_core)(op->order, op->slot, &zone);

		if (!p)
			return zone ? oracle_refused(&a->oracle, zone, op->order) : NULL;
		error = oracle_took(&a->oracle, zone, p, op->order);
		*page = error ? NULL : p;
		a->order[op->slot] = op->order;
	} else {
		return NULL;
	}
	if (!error && a->at % 8 == 0)
		error = check_counts(trace, &a->oracle);
	return error;
}

static void run_ops(struct attempt *a)
{
	const struct trace *trace = a->trace;
	struct zone *zone;

	world_build(trace->ranges, trace->nr_ranges);
	oracle_init(&a->oracle, trace->ranges, trace->nr_ranges, trace->max_order);
	if (trace->setup)
		trace->setup();
	for (a->at = 0; a->at < trace->nr_ops && !a->error; a->at++)
		a->error = step(a, &trace->ops[a->at]);
	for (unsigned int slot = 0; slot < TRACE_SLOTS && !a->error; slot++)
		a->error = step(a, &(struct trace_op){ .kind = TRACE_FREE, .slot = slot });
	if (a->error)
		return;
	if (trace->settle)
		trace->settle();
	a->error = check_counts(trace, &a->oracle);
	for_each_zone(zone) {
		if (!a->error)
			a->error = oracle_drain_and_refill(&a->oracle, zone);
		if (!a->error)
			a->error = check_counts(trace, &a->oracle);
	}
}

#define ERROR_SIZE	220

/* One try in a fresh world; the error stays readable until the next one. */
static const char *attempt(const struct trace *trace, unsigned int *at)
{
	static char text[ERROR_SIZE];
	unsigned int mark = ktest_mark();
	struct attempt *a = ktest_alloc(sizeof(*a));

	a->trace = trace;
	world_reset();
	if (PANICS(run_ops(a)))
		snprintf(text, sizeof(text), "panic: %s", world_panic_text);
	else if (a->error)
		snprintf(text, sizeof(text), "%s", a->error);
	else
		text[0] = '\0';
	*at = min(a->at, trace->nr_ops);
	ktest_release(mark);
	return text[0] ? text : NULL;
}

const char *trace_run(const struct trace *trace)
{
	unsigned int at;

	return attempt(trace, &at);
}

static const char *next_word(const char *p, bool *number)
{
	for (*number = false; *p && *p != ' '; p++)
		*number |= *p >= '0' && *p <= '9';
	return p;
}

/* Do two errors differ in nothing but numbers, addresses and names with a number? */
static bool same_kind(const char *a, const char *b)
{
	while (*a && *b) {
		bool a_number, b_number;
		const char *a_end = next_word(a, &a_number), *b_end = next_word(b, &b_number);

		if (!a_number && !b_number &&
		    (a_end - a != b_end - b || memcmp(a, b, a_end - a)))
			return false;
		a = a_end + (*a_end == ' ');
		b = b_end + (*b_end == ' ');
	}
	return !*a && !*b;
}

/* Leaves out operations [from, from + n) for good if the rest still fails as @kind says. */
static bool leave_out(struct trace *trace, unsigned int from, unsigned int n, const char *kind)
{
	unsigned int mark = ktest_mark(), at;
	struct trace shorter = *trace;
	const char *error;
	bool fails;

	shorter.nr_ops = trace->nr_ops - n;
	shorter.ops = ktest_alloc((shorter.nr_ops + 1) * sizeof(*shorter.ops));
	memcpy(shorter.ops, trace->ops, from * sizeof(*shorter.ops));
	memcpy(shorter.ops + from, trace->ops + from + n,
	       (shorter.nr_ops - from) * sizeof(*shorter.ops));
	error = attempt(&shorter, &at);
	fails = error && same_kind(error, kind);
	if (fails) {
		trace->nr_ops = shorter.nr_ops;
		memcpy(trace->ops, shorter.ops, shorter.nr_ops * sizeof(*shorter.ops));
	}
	ktest_release(mark);
	return fails;
}

/* Stops early when half of the budget that was left is spent. */
static void shrink(struct trace *trace, const char *kind)
{
	unsigned int tries = 0, n = trace->nr_ops / 2;
	u64 reserve = ktest_budget_left() / 2;

	while (n && tries < MAX_TRIES && ktest_budget_left() > reserve) {
		bool shorter = false;

		for (unsigned int from = 0; from + n <= trace->nr_ops && tries < MAX_TRIES &&
		     ktest_budget_left() > reserve; ) {
			tries++;
			if (leave_out(trace, from, n, kind))
				shorter = true;
			else
				from += n;
		}
		if (!shorter || n > trace->nr_ops)
			n /= 2;
	}
}

void trace_check_at(struct trace *trace, const char *file, int line)
{
	unsigned int all = trace->nr_ops, said = ktest_note_mark(), at;
	const char *error = attempt(trace, &at);
	char kind[ERROR_SIZE];

	if (!error)
		return;
	snprintf(kind, sizeof(kind), "%s", error);
	trace->nr_ops = min(trace->nr_ops, at);
	error = attempt(trace, &at);
	if (!error || !same_kind(error, kind))
		trace->nr_ops = all;
	shrink(trace, kind);
	ktest_forget_notes(said);	/* of the other tries */
	error = attempt(trace, &at) ?: "the trace fails, but not when it is repeated";
	ktest_fail(file, line, "%s", error);
	ktest_note("  the shortest trace found that fails so has %u of %u operations:",
		   trace->nr_ops, all);
	for (unsigned int i = 0; i < trace->nr_ops && i < MAX_PRINTED; i++) {
		const struct trace_op *op = &trace->ops[i];

		if (op->kind == TRACE_ALLOC)
			ktest_note("    alloc order %u -> slot %u", op->order, op->slot);
		else
			ktest_note("    free slot %u", op->slot);
	}
	if (trace->nr_ops > MAX_PRINTED)
		ktest_note("    ... and %u more", trace->nr_ops - MAX_PRINTED);
}
