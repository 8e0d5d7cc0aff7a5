/*
 * How good the choice is: hits on traces of accesses, beside the best that anybody could have done who knew the
 * future (Belady), and beside first in, first out. What is asked for is a share of Belady's hits, so any policy
 * that is good enough will do.
 */
#include "test/ktest/memory.h"
#include "lib/string.h"

#define PAGES		512
#define MAX_STEPS	20000
#define UNIVERSE	8192

static u16 *trace;
static unsigned int steps;

static void begin(void)
{
	memory_world(PAGES, 0);
	trace = ktest_alloc(MAX_STEPS * sizeof(*trace));
	steps = 0;
}

static void add(unsigned int page)
{
	trace[steps++] = page;
}

/* Pages that may hold cache: what the watermarks keep free is lost to all alike. */
static unsigned int capacity(void)
{
	return PAGES - memory_zone()->watermark[WMARK_HIGH];
}

/* Each step's hit for the code under test, counted for pages in [from, to). */
static unsigned long run(unsigned int from, unsigned int to)
{
	unsigned long hits = 0;

	for (unsigned int i = 0; i < steps; i++)
		hits += memory_read(0, trace[i]) && trace[i] >= from && trace[i] < to;
	EXPECT_EQ(memory_stats.failed, 0);
	return hits;
}

/* The step of the next use of the page used in step i; steps: none. */
static u16 *next_uses(void)
{
	u16 *next = ktest_alloc(MAX_STEPS * sizeof(*next)), *last = ktest_alloc(UNIVERSE * sizeof(*last));

	for (unsigned int i = 0; i < UNIVERSE; i++)
		last[i] = steps;
	for (unsigned int i = steps; i-- > 0; ) {
		next[i] = last[trace[i]];
		last[trace[i]] = i;
	}
	return next;
}

/* Evicts what is used farthest in the future. */
static unsigned long belady(unsigned int from, unsigned int to)
{
	u16 *next = next_uses(), *where = ktest_alloc(UNIVERSE * sizeof(*where));
	u16 *held = ktest_alloc(PAGES * sizeof(*held)), *use = ktest_alloc(PAGES * sizeof(*use));
	unsigned int used = 0, room = capacity();
	unsigned long hits = 0;

	for (unsigned int i = 0; i < steps; i++) {
		unsigned int page = trace[i], slot = where[page];

		if (slot) {
			hits += page >= from && page < to;
			use[slot - 1] = next[i];
			continue;
		}
		if (used < room) {
			slot = used++;
		} else {
			slot = 0;
			for (unsigned int s = 1; s < room; s++)
				if (use[s] > use[slot])
					slot = s;
			where[held[slot]] = 0;
		}
		held[slot] = page;
		use[slot] = next[i];
		where[page] = slot + 1;
	}
	return hits;
}

static unsigned long fifo(unsigned int from, unsigned int to)
{
	u16 *held = ktest_alloc(PAGES * sizeof(*held));
	u8 *in = ktest_alloc(UNIVERSE);
	unsigned int at = 0, room = capacity();
	unsigned long hits = 0;

	for (unsigned int i = 0; i < steps; i++) {
		if (in[trace[i]]) {
			hits += trace[i] >= from && trace[i] < to;
			continue;
		}
		if (at >= room)
			in[held[at % room]] = 0;
		held[at++ % room] = trace[i];
		in[trace[i]] = 1;
	}
	return hits;
}

/* At least @percent of Belady's hits on pages [from, to). */
static void judge(const char *what, unsigned int percent, unsigned int from, unsigned int to)
{
	unsigned long best = belady(from, to), first = fifo(from, to), hits = run(from, to);

	ktest_note("%s: %lu hits of %u; Belady %lu, FIFO %lu: %lu %% of Belady's, %u %% are asked for",
		   what, hits, steps, best, first, hits * 100 / max(best, 1UL), percent);
	EXPECT_GE(hits * 100, best * percent);
	EXPECT_OK(memory_check());
}

KTEST(policy, a_stream_does_not_push_out_the_hot_set,
      "pages in use all the time stay in memory while a large file streams past", 400000000)
{
	unsigned int hot, at = 0;

	begin();
	hot = capacity() * 40 / 100;
	for (unsigned int i = 0; i < 2 * hot; i++)
		add(i % hot);
	/* One hot page for each page of the stream, which is 8 times as large as memory. */
	for (unsigned int i = 0; i < 8 * PAGES; i++) {
		add(1000 + i);
		add(at++ % hot);
	}
	judge("hot set", 95, 0, hot);
}

KTEST(policy, a_mapped_stream_does_not_either,
      "a large file that is read through a mapping does not push out mapped pages in use: 85 % "
      "of the best possible hits", 400000000)
{
	unsigned int hot, at = 0;
	unsigned long hits = 0, best;

	begin();
	hot = capacity() * 40 / 100;
	for (unsigned int i = 0; i < 8 * PAGES; i++) {
		add(1000 + i);
		add(at++ % hot);
	}
	best = belady(0, hot);
	for (unsigned int i = 0; i < steps; i++)
		hits += memory_map(0, trace[i], false) && trace[i] < hot;
	ktest_note("mapped stream: %lu hits, Belady %lu, FIFO %lu", hits, best, fifo(0, hot));
	EXPECT_GE(hits * 100, best * 85);
	EXPECT_OK(memory_check());
}

/* Zipf's law with exponent @tenths / 10 over @n pages: cumulated weights. */
static void zipf(struct ktest_run *t, unsigned int n, unsigned int tenths)
{
	u32 *sum = ktest_alloc(n * sizeof(*sum)), total = 0;

	for (unsigned int i = 0; i < n; i++) {
		u64 weight = 1UL << 20;		/* divided by (i + 1) ^ (tenths / 10), by way of logarithms */

		if (tenths == 10) {
			weight /= i + 1;
		} else {			/* 0.8: the fifth root of the fourth power */
			u64 power = (u64)(i + 1) * (i + 1) * (i + 1) * (i + 1), root = 1;

			while ((root + 1) * (root + 1) * (root + 1) * (root + 1) * (root + 1) <= power)
				root++;
			weight /= root;
		}
		total += weight;
		sum[i] = total;
	}
	for (unsigned int i = 0; i < 16000; i++) {
		u32 want = prng_below(&t->rng, total), low = 0, high = n - 1;

		while (low < high) {
			u32 middle = (low + high) / 2;

			if (sum[middle] > want)
				high = middle;
			else
				low = middle + 1;
		}
		add(low * 2654435761U % n);	/* popular pages do not lie side by side */
	}
}

KTEST(policy, zipf_is_near_the_optimum,
      "accesses of Zipf's law with exponent 1.0 get at least 85 % of the best possible hits", 600000000)
{
	begin();
	zipf(t, 2039, 10);
	judge("zipf 1.0", 85, 0, UNIVERSE);
}

KTEST(policy, flat_zipf_is_near_the_optimum,
      "accesses of Zipf's law with exponent 0.8 get at least 70 % of the best possible hits", 600000000)
{
	begin();
	zipf(t, 2039, 8);
	judge("zipf 0.8", 70, 0, UNIVERSE);
}

KTEST(policy, a_change_of_phase_is_followed,
      "when the pages in use change, the new ones are soon in memory: 80 % of the best possible hits",
      600000000)
{
	begin();
	for (unsigned int phase = 0; phase < 5; phase++)
		for (unsigned int i = 0; i < 3000; i++)
			add(phase * 1000 + prng_below(&t->rng, capacity() * 7 / 10));
	judge("phases", 80, 0, UNIVERSE);
}

/* Processes' pages and files' fill memory alike, and the files' are read through: which go? */
static void compete(unsigned int swappiness)
{
	memory_world(PAGES, 2 * PAGES);
	vm_swappiness = swappiness;
	for (unsigned long i = 0; i < 200; i++)
		memory_touch(0, i, true);
	for (unsigned long i = 0; i < 4000; i++) {
		memory_map(0, i % 400, false);
		if (i % 8 == 0)
			memory_touch(0, i / 8 % 200, false);
	}
	EXPECT_OK(memory_check());
}

KTEST(policy, swappiness_is_obeyed,
      "with swappiness 0 files' pages go, and with 200 processes' pages go far more readily", 600000000)
{
	unsigned long none, many;

	compete(0);
	none = memory_stats.evicted_anon;
	compete(200);
	many = memory_stats.evicted_anon;
	EXPECT_EQ(none, 0);
	EXPECT_GE(many, 50);
}

KTEST(policy, files_used_once_spare_programs,
      "a file that is read once does not push programs' pages out to swap", 400000000)
{
	memory_world(PAGES, 2 * PAGES);
	for (unsigned long i = 0; i < 150; i++)
		memory_touch(0, i, true);
	for (unsigned long i = 0; i < 8 * PAGES; i++)
		memory_read(1, i);
	EXPECT_LE(memory_stats.evicted_anon, 15);
	EXPECT_OK(memory_check());
}
