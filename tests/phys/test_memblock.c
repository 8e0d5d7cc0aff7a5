/* memblock against a model of one entry per unit of a small address space. */
#include "test.h"

#define UNITS	512
#define UNIT	0x800UL			/* half a page: regions need not be whole pages */
#define BASE	0x40000000UL

static signed char mem[UNITS];		/* node, -1: no memory */
static bool taken[UNITS];

static void model_reset(void)
{
	memset(mem, -1, sizeof(mem));
	memset(taken, 0, sizeof(taken));
	reset_memory(0);
}

/* Sorted, not empty, apart; merged where neighbours are alike. */
static void check_shape(const struct memblock_type *type)
{
	EXPECT(type->cnt <= MEMBLOCK_MAX_REGIONS);
	for (unsigned int i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		EXPECT(r->size > 0);
		if (!i)
			continue;
		EXPECT(r[-1].base + r[-1].size <= r->base);
		EXPECT(r[-1].base + r[-1].size < r->base || r[-1].nid != r->nid);
	}
}

static void check_against_model(void)
{
	phys_addr_t base, end, total = 0;
	bool seen[UNITS] = { false };
	u64 idx = 0;
	int nid;

	check_shape(&memblock.memory);
	check_shape(&memblock.reserved);
	for (unsigned int u = 0; u < UNITS; u++) {
		EXPECT_EQ(memblock_is_memory(BASE + u * UNIT), mem[u] >= 0);
		EXPECT_EQ(memblock_is_memory(BASE + u * UNIT + UNIT - 1), mem[u] >= 0);
		EXPECT_EQ(memblock_is_reserved(BASE + u * UNIT), taken[u]);
		total += mem[u] >= 0 ? UNIT : 0;
	}
	EXPECT_EQ(memblock_phys_mem_size(), total);

	while (memblock_next_free(&idx, &base, &end, &nid)) {
		EXPECT(base < end);
		for (phys_addr_t a = base; a < end; a += UNIT) {
			unsigned int u = (a - BASE) / UNIT;

			EXPECT_EQ(mem[u], nid);
			EXPECT(!taken[u] && !seen[u]);
			seen[u] = true;
		}
	}
	for (unsigned int u = 0; u < UNITS; u++)
		EXPECT_EQ(seen[u], mem[u] >= 0 && !taken[u]);
}

static void random_step(struct prng *rng)
{
	unsigned int from = prng_below(rng, UNITS), n = 1 + prng_below(rng, 40);
	unsigned int to = min(from + n, (unsigned int)UNITS);
	phys_addr_t base = BASE + from * UNIT, size = (to - from) * UNIT;
	int op = prng_below(rng, 4), nid = prng_below(rng, 3), err = 0;

	switch (op) {
	case 0: err = memblock_add(base, size, nid); break;
	case 1: err = memblock_remove(base, size); break;
	case 2: err = memblock_reserve(base, size); break;
	case 3: err = memblock_free(base, size); break;
	}
	EXPECT_EQ(err, 0);
	for (unsigned int u = from; u < to; u++) {
		if (op == 0 && mem[u] < 0)
			mem[u] = nid;
		if (op == 1)
			mem[u] = -1;
		if (op >= 2)
			taken[u] = op == 2;
	}
}

static void test_model(struct prng *rng)
{
	for (int round = 0; round < 40; round++) {
		model_reset();
		for (int i = 0; i < 100 && !test_failed(); i++) {
			random_step(rng);
			check_against_model();
		}
	}
}

/* Is there room for @size at @align in [low, high)? By trying every unit. */
static bool model_fits(phys_addr_t size, phys_addr_t align, phys_addr_t low, phys_addr_t high)
{
	for (phys_addr_t at = BASE; at + size <= BASE + UNITS * UNIT; at += UNIT) {
		bool good = at % align == 0 && at >= low && at + size <= high;

		for (phys_addr_t a = at; good && a < at + size; a += UNIT)
			good = mem[(a - BASE) / UNIT] >= 0 && !taken[(a - BASE) / UNIT];
		if (good)
			return true;
	}
	return false;
}

static void test_alloc(struct prng *rng)
{
	for (int round = 0; round < 40; round++) {
		model_reset();
		for (int i = 0; i < 60; i++)
			random_step(rng);
		/* One node, so that free ranges do not end inside of memory. */
		for (unsigned int i = 0; i < UNITS; i++)
			mem[i] = mem[i] >= 0 ? 0 : -1;
		reset_memory(0);
		for (unsigned int u = 0; u < UNITS; u++) {
			if (mem[u] >= 0)
				memblock_add(BASE + u * UNIT, UNIT, 0);
			if (taken[u])
				memblock_reserve(BASE + u * UNIT, UNIT);
		}
		for (int i = 0; i < 60; i++) {
			phys_addr_t size = (1 + prng_below(rng, 12)) * UNIT;
			phys_addr_t align = UNIT << prng_below(rng, 5);
			phys_addr_t low = BASE + prng_below(rng, UNITS) * UNIT;
			phys_addr_t high = low + prng_below(rng, UNITS) * UNIT;
			bool fits = model_fits(size, align, low, high);
			phys_addr_t got = memblock_phys_alloc_range(size, align, low, high);

			EXPECT_EQ(got != 0, fits);
			if (!got)
				continue;
			EXPECT(got % align == 0 && got >= low && got + size <= high);
			for (phys_addr_t a = got; a < got + size; a += UNIT) {
				EXPECT(mem[(a - BASE) / UNIT] >= 0 && !taken[(a - BASE) / UNIT]);
				taken[(a - BASE) / UNIT] = true;
			}
			check_against_model();
		}
	}
}

static void test_full(struct prng *rng)
{
	struct memblock_type before;

	(void)rng;
	reset_memory(0);
	for (unsigned int i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
		EXPECT_EQ(memblock_reserve(BASE + i * 4 * UNIT, 2 * UNIT), 0);
	before = memblock.reserved;
	EXPECT_EQ(memblock_reserve(BASE + 1000 * UNIT, UNIT), -ENOSPC);
	EXPECT_EQ(memblock_reserve(0x1000, BASE), -ENOSPC + ENOSPC);	/* merges with the first */
	memblock.reserved = before;
	EXPECT_EQ(memblock_free(BASE, UNIT), 0);			/* trims: no slot needed */
	memblock.reserved = before;
	before.regions[5].size = 3 * UNIT;
	EXPECT_EQ(memblock_reserve(BASE + 22 * UNIT, UNIT), 0);
	EXPECT(!memcmp(&before, &memblock.reserved, sizeof(before)));
	EXPECT_EQ(memblock_free(BASE + 21 * UNIT, UNIT), -ENOSPC);	/* would split */
	EXPECT(!memcmp(&before, &memblock.reserved, sizeof(before)));
}

/* A range that needs more slots than there are changes nothing, even if part of it would fit. */
static void test_all_or_nothing(struct prng *rng)
{
	struct memblock_type before;

	(void)rng;
	reset_memory(0);
	for (unsigned int i = 0; i < MEMBLOCK_MAX_REGIONS - 1; i++)
		EXPECT_EQ(memblock_add(BASE + i * 4 * UNIT, 2 * UNIT, 0), 0);
	before = memblock.memory;
	EXPECT_EQ(memblock_add(BASE, 20 * UNIT, 1), -ENOSPC);
	EXPECT(!memcmp(&before, &memblock.memory, sizeof(before)));
}

static void test_bad_ranges(struct prng *rng)
{
	(void)rng;
	reset_memory(0);
	EXPECT_EQ(memblock_add(BASE, 0, 0), -EINVAL);
	EXPECT_EQ(memblock_add(~0UL - 0xfff, 0x2000, 0), -EINVAL);
	EXPECT_EQ(memblock_reserve(5, ~0UL), -EINVAL);
	EXPECT_EQ(memblock_remove(BASE, 0), -EINVAL);
	EXPECT_EQ(memblock_free(~0UL, 2), -EINVAL);
	EXPECT_EQ(memblock.memory.cnt + memblock.reserved.cnt, 0);
	EXPECT_EQ(memblock_end_of_DRAM(), 0);
	EXPECT_EQ(memblock_phys_alloc_range(UNIT, UNIT, 0, ~0UL), 0);
	EXPECT_EQ(memblock_phys_alloc_range(0, UNIT, 0, ~0UL), 0);
	EXPECT_EQ(memblock_phys_alloc_range(UNIT, 3, 0, ~0UL), 0);
	EXPECT(PANICS(memblock_alloc(UNIT, UNIT)));
}

static void test_zeroed(struct prng *rng)
{
	unsigned char *p;

	(void)rng;
	reset_memory(0);
	memset(__va(BASE), 0xff, 16 * UNIT);
	memblock_add(BASE, 16 * UNIT, 0);
	memblock.current_limit = BASE + 8 * UNIT;
	p = memblock_alloc(2 * UNIT, UNIT);
	EXPECT_EQ(__pa(p), BASE + 6 * UNIT);
	EXPECT(!memchr_inv(p, 0, 2 * UNIT));
	EXPECT_EQ(p[-1], 0xff);
	EXPECT_EQ(p[2 * UNIT], 0xff);
	EXPECT(memblock_is_reserved(__pa(p)));
}

const struct test memblock_tests[] = {
	{ "memblock: random changes agree with a map of units", test_model },
	{ "memblock: an allocation is found exactly when there is room", test_alloc },
	{ "memblock: a full array refuses what needs a slot, and only that", test_full },
	{ "memblock: a refused range leaves the array as it was", test_all_or_nothing },
	{ "memblock: empty and wrapping ranges are refused", test_bad_ranges },
	{ "memblock: memory comes zeroed, from below the limit", test_zeroed },
	{ NULL, NULL },
};
