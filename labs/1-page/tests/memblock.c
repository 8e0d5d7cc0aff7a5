/* memblock: two sorted arrays of regions, and what is free between them. */
#include "test/ktest/world.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MIB	(1UL << 20)

static const struct memblock_region *memory(unsigned int i)
{
	return &memblock.memory.regions[i];
}

/* The array @type must hold exactly the @n ranges [from, to) given. */
static void expect_regions(const struct memblock_type *type, unsigned int n, const u64 (*want)[2])
{
	ASSERT_EQ(type->cnt, n);
	for (unsigned int i = 0; i < n; i++) {
		EXPECT_EQ(type->regions[i].base, want[i][0]);
		EXPECT_EQ(type->regions[i].base + type->regions[i].size, want[i][1]);
	}
}

KTEST(memblock, memblock_sorts_and_merges,
      "added ranges are kept sorted; those that touch or overlap become one, if of one node",
      50000000)
{
	EXPECT_EQ(memblock_add(0x5000, 0x1000, 0), 0);
	EXPECT_EQ(memblock_add(0x1000, 0x1000, 0), 0);
	EXPECT_EQ(memblock_add(0x9000, 0x1000, 0), 0);
	expect_regions(&memblock.memory, 3, (const u64[][2]){
		{ 0x1000, 0x2000 }, { 0x5000, 0x6000 }, { 0x9000, 0xa000 } });
	EXPECT_EQ(memblock_add(0x2000, 0x1000, 0), 0);		/* touches the first */
	EXPECT_EQ(memblock_add(0x4800, 0x1000, 0), 0);		/* overlaps the second */
	EXPECT_EQ(memblock_add(0x9000, 0x1000, 0), 0);		/* is the third */
	expect_regions(&memblock.memory, 3, (const u64[][2]){
		{ 0x1000, 0x3000 }, { 0x4800, 0x6000 }, { 0x9000, 0xa000 } });
	EXPECT_EQ(memblock_add(0x3000, 0x1800, 0), 0);		/* closes the gap */
	expect_regions(&memblock.memory, 2, (const u64[][2]){
		{ 0x1000, 0x6000 }, { 0x9000, 0xa000 } });
	EXPECT_EQ(memblock_add(0, 0x10000, 0), 0);		/* covers all */
	expect_regions(&memblock.memory, 1, (const u64[][2]){ { 0, 0x10000 } });

	EXPECT_EQ(memblock_add(0x10000, 0x1000, 1), 0);		/* touches, of another node */
	expect_regions(&memblock.memory, 2, (const u64[][2]){ { 0, 0x10000 }, { 0x10000, 0x11000 } });
	EXPECT_EQ(memory(0)->nid, 0);
	EXPECT_EQ(memory(1)->nid, 1);
	EXPECT_EQ(memblock_phys_mem_size(), 0x11000);
	EXPECT_EQ(memblock_end_of_DRAM(), 0x11000);

	EXPECT_EQ(memblock_reserve(0x3000, 0x1000), 0);
	EXPECT_EQ(memblock_reserve(0x2000, 0x1000), 0);
	expect_regions(&memblock.reserved, 1, (const u64[][2]){ { 0x2000, 0x4000 } });
}

KTEST(memblock, memblock_splits,
      "a removed range drops, trims or splits the regions that it meets, and nothing else", 20000000)
{
	memblock_add(0x10000, 0x10000, 0);
	EXPECT_EQ(memblock_remove(0x14000, 0x4000), 0);
	expect_regions(&memblock.memory, 2, (const u64[][2]){
		{ 0x10000, 0x14000 }, { 0x18000, 0x20000 } });
	EXPECT_EQ(memblock_remove(0x13000, 0x6000), 0);		/* the end of one, the start of one */
	expect_regions(&memblock.memory, 2, (const u64[][2]){
		{ 0x10000, 0x13000 }, { 0x19000, 0x20000 } });
	EXPECT_EQ(memblock_remove(0x13000, 0x6000), 0);		/* the hole */
	EXPECT_EQ(memblock_remove(0x20000, 0x1000), 0);		/* just behind */
	EXPECT_EQ(memblock_remove(0, 0x10000), 0);		/* just in front */
	expect_regions(&memblock.memory, 2, (const u64[][2]){
		{ 0x10000, 0x13000 }, { 0x19000, 0x20000 } });
	EXPECT_EQ(memblock_remove(0x10000, 0x3000), 0);		/* exactly one */
	expect_regions(&memblock.memory, 1, (const u64[][2]){ { 0x19000, 0x20000 } });

	memblock_reserve(0x1000, 0x3000);
	EXPECT_EQ(memblock_free(0x2000, 0x1000), 0);
	expect_regions(&memblock.reserved, 2, (const u64[][2]){
		{ 0x1000, 0x2000 }, { 0x3000, 0x4000 } });
	EXPECT_TRUE(memblock_is_reserved(0x1fff));
	EXPECT_FALSE(memblock_is_reserved(0x2000));
	EXPECT_FALSE(memblock_is_reserved(0x2fff));
	EXPECT_TRUE(memblock_is_reserved(0x3000));
	EXPECT_TRUE(memblock_is_memory(0x19000));
	EXPECT_FALSE(memblock_is_memory(0x18fff));
	EXPECT_FALSE(memblock_is_memory(0x20000));
	memblock_remove(0, 0x100000);
	EXPECT_EQ(memblock_phys_mem_size(), 0);
	EXPECT_EQ(memblock_end_of_DRAM(), 0);
}

KTEST(memblock, memblock_refuses_nonsense,
      "an empty range and one that wraps around are refused with -EINVAL and change nothing", 20000000)
{
	memblock_add(0x1000, 0x1000, 0);
	EXPECT_EQ(memblock_add(0x5000, 0, 0), -EINVAL);
	EXPECT_EQ(memblock_add(-0x1000UL, 0x2000, 0), -EINVAL);
	EXPECT_EQ(memblock_reserve(0x5000, 0), -EINVAL);
	EXPECT_EQ(memblock_reserve(0x1000, -0x800UL), -EINVAL);
	EXPECT_EQ(memblock_remove(0x1000, 0), -EINVAL);
	EXPECT_EQ(memblock_remove(0x1800, -0x1000UL), -EINVAL);
	EXPECT_EQ(memblock_free(-1UL, 2), -EINVAL);
	expect_regions(&memblock.memory, 1, (const u64[][2]){ { 0x1000, 0x2000 } });
	EXPECT_EQ(memblock.reserved.cnt, 0);
}

KTEST(memblock, memblock_full_array_is_refused_whole,
      "a range for which the array has no room is refused with -ENOSPC; what merges still fits",
      50000000)
{
	for (u64 i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
		ASSERT_EQ(memblock_reserve(i * 0x2000, 0x1000), 0);
	EXPECT_EQ(memblock_reserve(0x1000000, 0x1000), -ENOSPC);
	EXPECT_EQ(memblock_free(0x2400, 0x400), -ENOSPC);	/* a split */
	EXPECT_EQ(memblock.reserved.cnt, MEMBLOCK_MAX_REGIONS);
	EXPECT_TRUE(memblock_is_reserved(0x2400));
	EXPECT_FALSE(memblock_is_reserved(0x1000000));
	EXPECT_EQ(memblock_reserve(0x1000, 0x1000), 0);		/* closes a gap: one region fewer */
	EXPECT_EQ(memblock.reserved.cnt, MEMBLOCK_MAX_REGIONS - 1);
	EXPECT_EQ(memblock_reserve(0x1000000, 0x1000), 0);

	/* Room for two more, and a range that would need three, between regions of another node. */
	for (u64 i = 0; i < MEMBLOCK_MAX_REGIONS - 2; i++)
		ASSERT_EQ(memblock_add(i * 0x2000, 0x1000, 1), 0);
	EXPECT_EQ(memblock_add(0x1000, 0x5800, 0), -ENOSPC);
	EXPECT_EQ(memblock.memory.cnt, MEMBLOCK_MAX_REGIONS - 2);
	EXPECT_EQ(memblock_phys_mem_size(), (MEMBLOCK_MAX_REGIONS - 2) * 0x1000);
	EXPECT_EQ(memblock_add(0x1000, 0x3800, 0), 0);
	EXPECT_EQ(memblock.memory.cnt, MEMBLOCK_MAX_REGIONS);
}

/* ---- against a bitmap: bit n says whether byte n * 16 is in the set -------------------------- */

#define UNITS	512

struct model {
	u8 in[UNITS];
	u8 nid[UNITS];
};

/* Regions as a bitmap would have them: maximal runs of one node. */
static void expect_model(const struct memblock_type *type, const struct model *m, unsigned int step)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < UNITS && !ktest_failed(); ) {
		unsigned int end = i;

		while (end < UNITS && m->in[end] && m->nid[end] == m->nid[i])
			end++;
		if (end == i) {
			i++;
			continue;
		}
		ASSERT_TRUE(n < type->cnt);
		EXPECT_EQ(type->regions[n].base, i * 16UL);
		EXPECT_EQ(type->regions[n].size, (end - i) * 16UL);
		EXPECT_EQ(type->regions[n].nid, m->nid[i]);
		n++;
		i = end;
	}
	EXPECT_EQ(type->cnt, n);
	if (ktest_failed())
		ktest_note("  after %u calls", step + 1);
}

KTEST_SEEDS(memblock, memblock_matches_a_bitmap,
	    "after any calls of add and remove the regions are those that a bitmap shows", 400000000, 6)
{
	struct model *m = ktest_alloc(sizeof(*m));

	for (unsigned int step = 0; step < 150 && !ktest_failed(); step++) {
		unsigned int from = prng_below(&t->rng, UNITS), n = 1 + prng_below(&t->rng, 40);
		unsigned int nid = prng_below(&t->rng, 4) ? 0 : 1;

		n = min(n, UNITS - from);
		if (prng_below(&t->rng, 5) < 3) {
			if (memblock_add(from * 16, n * 16, nid))
				continue;		/* full */
			for (unsigned int i = from; i < from + n; i++) {
				if (!m->in[i])
					m->nid[i] = nid;	/* what is there keeps its node */
				m->in[i] = 1;
			}
		} else {
			if (memblock_remove(from * 16, n * 16))
				continue;
			memset(m->in + from, 0, n);
		}
		expect_model(&memblock.memory, m, step);
	}
}

/* ---- free ranges and early allocation -------------------------------------------------------- */

KTEST(memblock_alloc, free_ranges_are_memory_minus_reserved,
      "the walk gives every range that is memory and not reserved, once, in rising order", 20000000)
{
	static const u64 want[][2] = {
		{ 0x1000, 0x2000 }, { 0x3000, 0x5000 }, { 0x8000, 0x9000 }, { 0xa000, 0xb000 },
		{ 0xb000, 0xb800 },
	};
	phys_addr_t base, end;
	unsigned int n = 0;
	u64 idx = 0;
	int nid;

	memblock_add(0x1000, 0x4000, 0);
	memblock_add(0x7000, 0x4000, 0);
	memblock_add(0xb000, 0x1000, 1);
	memblock_reserve(0, 0x800);
	memblock_reserve(0x2000, 0x1000);
	memblock_reserve(0x6000, 0x2000);
	memblock_reserve(0x9000, 0x1000);
	memblock_reserve(0xb800, 0x8000);
	while (memblock_next_free(&idx, &base, &end, &nid)) {
		ASSERT_TRUE(n < ARRAY_SIZE(want));
		EXPECT_EQ(base, want[n][0]);
		EXPECT_EQ(end, want[n][1]);
		EXPECT_EQ(nid, n == 4);
		n++;
	}
	EXPECT_EQ(n, ARRAY_SIZE(want));
	EXPECT_FALSE(memblock_next_free(&idx, &base, &end, &nid));
}

KTEST(memblock_alloc, early_alloc_is_aligned_and_top_down,
      "an early allocation is the highest aligned range that is free, and is reserved afterwards",
      50000000)
{
	memblock_add(0x10000, 0x10000, 0);
	memblock_add(0x30000, 0x10000, 0);
	memblock_reserve(0x3f800, 0x800);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0, -1UL), 0x3e000);
	EXPECT_EQ(memblock_phys_alloc_range(0x800, 16, 0, -1UL), 0x3f000);
	EXPECT_TRUE(memblock_is_reserved(0x3e000) && memblock_is_reserved(0x3f7ff));
	EXPECT_FALSE(memblock_is_reserved(0x3dfff));
	EXPECT_EQ(memblock_phys_alloc_range(0x10, 0x10000, 0, -1UL), 0x30000);
	EXPECT_EQ(memblock_phys_alloc_range(0xe000, 0x1000, 0, -1UL), 0x12000);
	EXPECT_EQ(memblock_phys_alloc_range(0x20000, 1, 0, -1UL), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0, 16, 0, -1UL), 0);
	EXPECT_EQ(memblock_phys_alloc_range(16, 0, 0, -1UL), 0);
	EXPECT_EQ(memblock_phys_alloc_range(16, 24, 0, -1UL), 0);
}

KTEST(memblock_alloc, early_alloc_obeys_limits,
      "an early allocation lies within [min, max), to the byte; address 0 is never given", 20000000)
{
	memblock_add(0, 0x100000, 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x8000, 0x9000), 0x8000);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x8000, 0x9000), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x9001, 0xafff), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x9001, 0xb000), 0xa000);
	EXPECT_EQ(memblock_phys_alloc_range(0x10, 1, 0x20000, 0x20010), 0x20000);
	EXPECT_EQ(memblock_phys_alloc_range(0x10, 1, 0x20011, 0x20020), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0, 0x1000), 0);
	EXPECT_FALSE(memblock_is_reserved(0));
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x50000, 0x50000), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x60000, 0x50000), 0);
}

KTEST(memblock_alloc, early_alloc_is_reserved_or_refused,
      "with the reserved array full an early allocation is found only where it merges", 50000000)
{
	memblock_add(0, 0x1000000, 0);
	for (u64 i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
		ASSERT_EQ(memblock_reserve(i * 0x2000, 0x1000), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0x1000, 0x1000, 0x800000, 0x900000), 0);
	EXPECT_FALSE(memblock_is_reserved(0x8ff000));
	EXPECT_EQ(memblock_phys_alloc_range(0x800, 16, 0x1000, 0x1800), 0x1000);
	EXPECT_TRUE(memblock_is_reserved(0x1000) && memblock_is_reserved(0x17ff));
	EXPECT_FALSE(memblock_is_reserved(0x1800));
	EXPECT_EQ(memblock.reserved.cnt, MEMBLOCK_MAX_REGIONS);
}

KTEST_SEEDS(memblock_alloc, early_alloc_matches_a_bitmap,
	    "an early allocation is found whenever a bitmap shows room, at the highest place", 400000000, 6)
{
	struct model *m = ktest_alloc(sizeof(*m));	/* in: free */

	for (unsigned int i = 0; i < 6; i++) {
		unsigned int from = 1 + prng_below(&t->rng, UNITS - 1);
		unsigned int n = min(1 + (unsigned int)prng_below(&t->rng, 120), UNITS - from);

		memblock_add(from * 16, n * 16, 0);
		memset(m->in + from, 1, n);
	}
	for (unsigned int step = 0; step < 60 && !ktest_failed(); step++) {
		unsigned int n = 1 + prng_below(&t->rng, 12), align = 1 << prng_below(&t->rng, 5);
		unsigned int lo = prng_below(&t->rng, UNITS / 2), hi = UNITS - prng_below(&t->rng, 64);
		unsigned int best = 0;

		for (unsigned int at = ALIGN(lo, align); at + n <= hi; at += align) {
			unsigned int len = 0;

			while (len < n && m->in[at + len])
				len++;
			if (len == n && at)
				best = at;
		}
		EXPECT_EQ(memblock_phys_alloc_range(n * 16, align * 16, lo * 16, hi * 16),
			  best * 16UL);
		if (best)
			memset(m->in + best, 0, n);
	}
}

KTEST(memblock_alloc, early_alloc_zeroes_or_panics,
      "memblock_alloc gives zeroed memory below the limit, and panics if there is none", 50000000)
{
	pfn_t first = 0x40000;
	u8 *p, *q;

	world_window(first, 512);
	world_contents(64);
	memblock_add(PFN_PHYS(first), 64 * PAGE_SIZE, 0);
	memset(__va(PFN_PHYS(first)), 0xee, 64 * PAGE_SIZE);
	memblock.current_limit = PFN_PHYS(first) + 32 * PAGE_SIZE;
	p = memblock_alloc(5000, 64);
	q = memblock_alloc(16, 16);
	EXPECT_EQ((unsigned long)__pa(p) % 64, 0);
	EXPECT_LE(__pa(p) + 5000, memblock.current_limit);
	EXPECT_TRUE(!memchr_inv(p, 0, 5000));
	EXPECT_TRUE(!memchr_inv(q, 0, 16));
	EXPECT_TRUE(q + 16 <= p || q >= p + 5000);
	EXPECT_TRUE(PANICS(memblock_alloc(33 * PAGE_SIZE, 16)));
}
