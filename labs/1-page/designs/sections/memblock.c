/*
 * memblock, another right design: paint the line.
 *
 * All ends of regions, and the two of the new range, cut the line of addresses into pieces, and
 * every piece has one colour: the node that owns it, or none. A change paints: it gathers the
 * cuts, sorts them, asks for each piece what colour it has afterwards, and writes down runs of one
 * colour. There are no cases of overlap at all. What does not fit is seen before anything is
 * written back. It is quadratic in the number of regions, at most 128, a few dozen times.
 *
 * An allocation does not use the walk over free ranges. It comes from above: put the block as high
 * as its region and the limit allow; as long as something reserved is in the way, move it below
 * that.
 */
#include "mm/phys/memblock.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/sort.h"
#include "lib/string.h"

#define NOBODY	(-1)

struct memblock memblock = {
	.memory.name = "memory",
	.reserved.name = "reserved",
	.current_limit = ~0UL,
};

/* Boot CPU only, so that one of each is enough. */
static phys_addr_t cuts[2 * MEMBLOCK_MAX_REGIONS + 2];
static struct memblock_region painted[2 * MEMBLOCK_MAX_REGIONS + 2];

static phys_addr_t end_of(const struct memblock_region *r)
{
	return r->base + r->size;
}

/* The first region that ends behind @addr, or cnt. */
static unsigned int find(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned int i = 0;

	while (i < type->cnt && end_of(&type->regions[i]) <= addr)
		i++;
	return i;
}

static int colour_at(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned int i = find(type, addr);

	return i < type->cnt && type->regions[i].base <= addr ? type->regions[i].nid : NOBODY;
}

static int compare(const void *a, const void *b)
{
	phys_addr_t x = *(const phys_addr_t *)a, y = *(const phys_addr_t *)b;

	return x < y ? -1 : x > y;
}

/* [base, base + size) becomes @nid's where it is nobody's; with NOBODY, it becomes nobody's. */
static int paint(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid)
{
	phys_addr_t end = base + size;
	unsigned int nr_cuts = 0, nr = 0;

	if (!size || end < base)
		return -EINVAL;
	cuts[nr_cuts++] = base;
	cuts[nr_cuts++] = end;
	for (unsigned int i = 0; i < type->cnt; i++) {
		cuts[nr_cuts++] = type->regions[i].base;
		cuts[nr_cuts++] = end_of(&type->regions[i]);
	}
	sort(cuts, nr_cuts, sizeof(cuts[0]), compare, NULL);

	for (unsigned int i = 0; i + 1 < nr_cuts; i++) {
		phys_addr_t from = cuts[i], to = cuts[i + 1];
		int colour = colour_at(type, from);

		if (from == to)
			continue;
		if (from >= base && from < end && (colour == NOBODY || nid == NOBODY))
			colour = nid;
		if (colour == NOBODY)
			continue;
		if (nr && painted[nr - 1].nid == colour && end_of(&painted[nr - 1]) == from)
			painted[nr - 1].size += to - from;
		else
			painted[nr++] = (struct memblock_region){ from, to - from, colour };
	}
	if (nr > MEMBLOCK_MAX_REGIONS)
		return -ENOSPC;
	memcpy(type->regions, painted, nr * sizeof(painted[0]));
	type->cnt = nr;
	return 0;
}

int memblock_add(phys_addr_t base, phys_addr_t size, int nid)
{
	return paint(&memblock.memory, base, size, nid);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return paint(&memblock.memory, base, size, NOBODY);
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return paint(&memblock.reserved, base, size, 0);
}

int memblock_free(phys_addr_t base, phys_addr_t size)
{
	return paint(&memblock.reserved, base, size, NOBODY);
}

bool memblock_is_memory(phys_addr_t addr)
{
	return colour_at(&memblock.memory, addr) != NOBODY;
}

bool memblock_is_reserved(phys_addr_t addr)
{
	return colour_at(&memblock.reserved, addr) != NOBODY;
}

phys_addr_t memblock_phys_mem_size(void)
{
	phys_addr_t sum = 0;

	for (unsigned int i = memblock.memory.cnt; i-- > 0; )
		sum += memblock.memory.regions[i].size;
	return sum;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	unsigned int cnt = memblock.memory.cnt;

	return cnt ? end_of(&memblock.memory.regions[cnt - 1]) : 0;
}

/* *idx counts the ranges given so far: each call counts them off anew. */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	const struct memblock_type *reserved = &memblock.reserved;
	u64 to_skip = *idx;

	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		phys_addr_t at = r->base;

		while (at < end_of(r)) {
			unsigned int j = find(reserved, at);
			bool taken = j < reserved->cnt && reserved->regions[j].base <= at;
			phys_addr_t stop = j == reserved->cnt ? end_of(r) : taken ?
				end_of(&reserved->regions[j]) : reserved->regions[j].base;

			stop = min(stop, end_of(r));
			if (!taken && !to_skip--) {
				*base = at;
				*end = stop;
				*nid = r->nid;
				(*idx)++;
				return true;
			}
			at = stop;
		}
	}
	return false;
}

/* The highest place in [low, high) that nothing reserved overlaps, or 0. */
static phys_addr_t fit_below(phys_addr_t low, phys_addr_t high, phys_addr_t size, phys_addr_t align)
{
	const struct memblock_type *reserved = &memblock.reserved;

	while (high > low && high - low >= size) {
		phys_addr_t place = ALIGN_DOWN(high - size, align);
		unsigned int i = find(reserved, place);

		if (place < low)
			return 0;
		if (i == reserved->cnt || reserved->regions[i].base >= place + size)
			return place;
		high = reserved->regions[i].base;
	}
	return 0;
}

phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				      phys_addr_t max_addr)
{
	if (!size || !align || (align & (align - 1)))
		return 0;
	for (unsigned int i = memblock.memory.cnt; i-- > 0; ) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		phys_addr_t low = max(r->base, min_addr), high = min(end_of(r), max_addr);
		phys_addr_t place = fit_below(low, high, size, align);

		if (place)
			return memblock_reserve(place, size) ? 0 : place;
	}
	return 0;
}

void *memblock_alloc(size_t size, size_t align)
{
	phys_addr_t place = memblock_phys_alloc_range(size, align, 0, memblock.current_limit);

	if (!place)
		panic("memblock_alloc: %zu bytes aligned to %zu are not to be had", size, align);
	memset(__va(place), 0, size);
	return __va(place);
}
