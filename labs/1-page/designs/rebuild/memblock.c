/*
 * memblock, another right design: every change rebuilds the array.
 *
 * The reference changes its arrays in place. Here a change writes the whole new array, region by
 * region in rising order, into a second one, and copies it back if it fits. Only one function,
 * append(), knows what a region may look like: it joins what touches and has the same node. As the
 * pieces arrive sorted and disjoint, the result obeys both rules of the array whatever was asked;
 * and as append() never takes a region back, the result is too large exactly if append() runs out
 * of room, and then nothing has been changed.
 *
 * The walk over free ranges remembers an address, not two positions: the end of the last range. So
 * it would survive a reservation made on the way.
 */
#include "mm/phys/memblock.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

struct memblock memblock = {
	.memory.name = "memory",
	.reserved.name = "reserved",
	.current_limit = ~0UL,
};

/* The array that is being written. One is enough: only the boot CPU runs. */
static struct memblock_region fresh[MEMBLOCK_MAX_REGIONS];
static unsigned int nr_fresh;
static bool overflow;

/* The next piece of the new array; an empty one is none. */
static void append(phys_addr_t base, phys_addr_t end, int nid)
{
	struct memblock_region *last = nr_fresh ? &fresh[nr_fresh - 1] : NULL;

	if (base >= end)
		return;
	if (last && last->nid == nid && last->base + last->size == base)
		last->size = end - last->base;
	else if (nr_fresh == MEMBLOCK_MAX_REGIONS)
		overflow = true;
	else
		fresh[nr_fresh++] = (struct memblock_region){ base, end - base, nid };
}

static int commit(struct memblock_type *type)
{
	if (overflow)
		return -ENOSPC;
	memcpy(type->regions, fresh, nr_fresh * sizeof(fresh[0]));
	type->cnt = nr_fresh;
	return 0;
}

static bool valid_range(phys_addr_t base, phys_addr_t size)
{
	return size && base + size > base;
}

static int add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid)
{
	phys_addr_t end = base + size;

	if (!valid_range(base, size))
		return -EINVAL;
	nr_fresh = 0;
	overflow = false;
	for (unsigned int i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		append(base, min(end, r->base), nid);	/* what is new in front of it */
		append(r->base, r->base + r->size, r->nid);
		base = max(base, r->base + r->size);
	}
	append(base, end, nid);
	return commit(type);
}

static int remove_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + size;

	if (!valid_range(base, size))
		return -EINVAL;
	nr_fresh = 0;
	overflow = false;
	for (unsigned int i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];
		phys_addr_t r_end = r->base + r->size;

		append(r->base, min(r_end, base), r->nid);
		append(max(r->base, end), r_end, r->nid);
	}
	return commit(type);
}

int memblock_add(phys_addr_t base, phys_addr_t size, int nid)
{
	return add_range(&memblock.memory, base, size, nid);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return remove_range(&memblock.memory, base, size);
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return add_range(&memblock.reserved, base, size, 0);
}

int memblock_free(phys_addr_t base, phys_addr_t size)
{
	return remove_range(&memblock.reserved, base, size);
}

static bool contains(const struct memblock_type *type, phys_addr_t addr)
{
	for (unsigned int i = 0; i < type->cnt; i++)
		if (addr - type->regions[i].base < type->regions[i].size)
			return true;
	return false;
}

bool memblock_is_memory(phys_addr_t addr)
{
	return contains(&memblock.memory, addr);
}

bool memblock_is_reserved(phys_addr_t addr)
{
	return contains(&memblock.reserved, addr);
}

phys_addr_t memblock_phys_mem_size(void)
{
	phys_addr_t sum = 0;

	for (unsigned int i = 0; i < memblock.memory.cnt; i++)
		sum += memblock.memory.regions[i].size;
	return sum;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	const struct memblock_region *past = memblock.memory.regions + memblock.memory.cnt;

	return memblock.memory.cnt ? past[-1].base + past[-1].size : 0;
}

/* The first free bytes of [*base, *end): narrows both. False: there are none. */
static bool first_free(phys_addr_t *base, phys_addr_t *end)
{
	for (unsigned int i = 0; i < memblock.reserved.cnt && *base < *end; i++) {
		const struct memblock_region *r = &memblock.reserved.regions[i];

		if (r->base > *base) {
			*end = min(*end, r->base);
			return true;
		}
		*base = max(*base, r->base + r->size);
	}
	return *base < *end;
}

/* *idx: where the last range ended. */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		*base = max(r->base, *idx);
		*end = r->base + r->size;
		if (first_free(base, end)) {
			*idx = *end;
			*nid = r->nid;
			return true;
		}
	}
	return false;
}

/* The ranges come in rising order: the last one that has room is the highest. */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				      phys_addr_t max_addr)
{
	phys_addr_t base, end, found = 0;
	u64 idx = 0;
	int nid;

	if (!size || !align || (align & (align - 1)))
		return 0;
	while (memblock_next_free(&idx, &base, &end, &nid)) {
		phys_addr_t place;

		base = max(base, min_addr);
		end = min(end, max_addr);
		if (base >= end || end - base < size)
			continue;
		place = (end - size) & ~(align - 1);
		if (place >= base && place)
			found = place;
	}
	return found && !memblock_reserve(found, size) ? found : 0;
}

void *memblock_alloc(size_t size, size_t align)
{
	phys_addr_t place = memblock_phys_alloc_range(size, align, 0, memblock.current_limit);

	if (!place)
		panic("memblock: no room for %lu bytes", (unsigned long)size);
	return memset(__va(place), 0, size);
}
