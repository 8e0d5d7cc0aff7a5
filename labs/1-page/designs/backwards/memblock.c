/*
 * memblock, another right design: cut into shreds, sort, join.
 *
 * To add, what the array lacks of the new range is found by cutting every region out of it: shreds
 * remain. They are put behind a copy of the array, the copy is sorted, and neighbours that touch
 * and have the same node are joined, in one sweep. To remove is the same thing the other way
 * round: the range is cut out of every region, and the shreds are the new array. The copy has room
 * for twice as many regions, so whether the result fits is asked once, at the end.
 *
 * The walk over free ranges cuts as well: it keeps the number of a region and the number of the
 * reserved region to cut out next.
 */
#include "mm/phys/memblock.h"
#include "arch/layout.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/sort.h"
#include "lib/string.h"

struct memblock memblock = {
	.memory.name = "memory",
	.reserved.name = "reserved",
	.current_limit = ~0UL,
};

/* The copy: at most all regions and a shred behind each, and one. Only the boot CPU runs. */
static struct memblock_region copy[2 * MEMBLOCK_MAX_REGIONS + 1];
static unsigned int copied;

static void put(phys_addr_t base, phys_addr_t end, int nid)
{
	if (base < end)
		copy[copied++] = (struct memblock_region){ base, end - base, nid };
}

static int by_base(const void *a, const void *b)
{
	const struct memblock_region *x = a, *y = b;

	return x->base < y->base ? -1 : 1;
}

static int publish(struct memblock_type *type)
{
	unsigned int kept = 0;

	sort(copy, copied, sizeof(copy[0]), by_base, NULL);
	for (unsigned int i = 0; i < copied; i++) {
		struct memblock_region *last = &copy[kept ? kept - 1 : 0];

		if (kept && last->nid == copy[i].nid && last->base + last->size == copy[i].base)
			last->size += copy[i].size;
		else
			copy[kept++] = copy[i];
	}
	if (kept > MEMBLOCK_MAX_REGIONS)
		return -ENOSPC;
	type->cnt = kept;
	memcpy(type->regions, copy, kept * sizeof(copy[0]));
	return 0;
}

static int add(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid)
{
	phys_addr_t end = base + size;

	if (!size || end < base)
		return -EINVAL;
	copied = type->cnt;
	memcpy(copy, type->regions, copied * sizeof(copy[0]));
	for (const struct memblock_region *r = type->regions; r < type->regions + type->cnt; r++) {
		if (r->base + r->size <= base || r->base >= end)
			continue;
		put(base, r->base, nid);
		base = r->base + r->size;
	}
	put(base, end, nid);
	return publish(type);
}

static int cut_out(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + size;

	if (!size || end < base)
		return -EINVAL;
	copied = 0;
	for (const struct memblock_region *r = type->regions; r < type->regions + type->cnt; r++) {
		put(r->base, min(base, r->base + r->size), r->nid);
		put(max(end, r->base), r->base + r->size, r->nid);
	}
	return publish(type);
}

int memblock_add(phys_addr_t base, phys_addr_t size, int nid)
{
	return add(&memblock.memory, base, size, nid);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return cut_out(&memblock.memory, base, size);
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return add(&memblock.reserved, base, size, 0);
}

int memblock_free(phys_addr_t base, phys_addr_t size)
{
	return cut_out(&memblock.reserved, base, size);
}

/* Binary search: the last region that begins at or before @addr. */
static bool holds(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned int low = 0, high = type->cnt;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (type->regions[middle].base <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr - type->regions[low - 1].base < type->regions[low - 1].size;
}

bool memblock_is_memory(phys_addr_t addr)
{
	return holds(&memblock.memory, addr);
}

bool memblock_is_reserved(phys_addr_t addr)
{
	return holds(&memblock.reserved, addr);
}

phys_addr_t memblock_phys_mem_size(void)
{
	const struct memblock_type *memory = &memblock.memory;
	phys_addr_t sum = 0;

	for (unsigned int i = 0; i < memory->cnt; i++)
		sum += memory->regions[i].size;
	return sum;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	const struct memblock_region *past = memblock.memory.regions + memblock.memory.cnt;

	return memblock.memory.cnt ? past[-1].base + past[-1].size : 0;
}

/*
 * *idx: the region in the upper half, in the lower half how many reserved regions it was cut by.
 * What lies between reserved region j - 1 and j is gap j.
 */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	const struct memblock_type *memory = &memblock.memory, *reserved = &memblock.reserved;
	u64 i = *idx >> 32, j = (u32)*idx;

	for (; i < memory->cnt; i++, j = 0) {
		const struct memblock_region *r = &memory->regions[i];

		for (; j <= reserved->cnt; j++) {
			const struct memblock_region *q = &reserved->regions[j];

			*base = j ? max(r->base, q[-1].base + q[-1].size) : r->base;
			*end = r->base + r->size;
			if (j < reserved->cnt)
				*end = min(*end, q->base);
			if (*base >= *end)
				continue;
			*nid = r->nid;
			*idx = i << 32 | (j + 1);
			return true;
		}
	}
	*idx = i << 32;
	return false;
}

static bool overlaps(const struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	for (unsigned int i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		if (r->base < end && base < r->base + r->size)
			return true;
	}
	return false;
}

/*
 * The highest place that fits lies directly below something: the end of a region, the limit, or a
 * reserved region. So try these, and keep the best.
 */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				      phys_addr_t max_addr)
{
	phys_addr_t best = 0;

	if (!size || !align || (align & (align - 1)))
		return 0;
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		phys_addr_t low = max(r->base, min_addr), high = min(r->base + r->size, max_addr);

		for (unsigned int j = 0; j <= memblock.reserved.cnt; j++) {
			phys_addr_t roof = high, place;

			if (j < memblock.reserved.cnt)
				roof = min(high, memblock.reserved.regions[j].base);
			if (roof < low || roof - low < size)
				continue;
			place = (roof - size) / align * align;
			if (place >= low && place > best &&
			    !overlaps(&memblock.reserved, place, place + size))
				best = place;
		}
	}
	return best && !memblock_reserve(best, size) ? best : 0;
}

void *memblock_alloc(size_t size, size_t align)
{
	phys_addr_t place = memblock_phys_alloc_range(size, align, 1, memblock.current_limit);

	if (!place)
		panic("memblock_alloc: out of memory");
	return memset(__va(place), 0, size);
}
