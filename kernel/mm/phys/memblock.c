/*
 * memblock: the allocator before the allocator.
 *
 * The problem. The page allocator needs an array of struct page, page tables and per-CPU areas
 * before it can work, and all of them are memory. Somebody must hand out memory when nothing is
 * known but what the device tree says: there is RAM here and there, and these parts of it are
 * taken.
 *
 * The shape. Two arrays of regions:
 *
 *	memory		|######################|      |##############|
 *	reserved	   |##|   |#####|                |##|
 *	free		|##|  |###|     |######|      |##|  |########|
 *
 * What is free is not written down anywhere: it is memory minus reserved, worked out when somebody
 * asks. To allocate is to find a free range and reserve it. That is a linear search, and right for
 * a few dozen regions and a few dozen calls in a boot.
 *
 * Invariants of each array, before and after every call:
 *
 *	- regions are sorted by base, not empty, and do not overlap
 *	- regions of the same node do not touch (they would have been merged into one)
 *
 * They make one range of addresses look one way only, whatever the order of the calls was; the
 * arrays stay as short as they can be; and looking things up needs no special cases.
 *
 * All addresses are physical, in bytes. A range is [base, base + size) and may not wrap around
 * the end of the address space. No locks: only the boot CPU runs.
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

static phys_addr_t region_end(const struct memblock_region *r)
{
	return r->base + r->size;
}

/* Index of the first region that ends above @addr; cnt if none does. */
static unsigned int type_find(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned int low = 0, high = type->cnt;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (region_end(&type->regions[mid]) > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void insert_region(struct memblock_type *type, unsigned int at, phys_addr_t base,
			  phys_addr_t size, int nid)
{
	struct memblock_region *r = &type->regions[at];

	memmove(r + 1, r, (type->cnt - at) * sizeof(*r));
	*r = (struct memblock_region){ .base = base, .size = size, .nid = nid };
	type->cnt++;
}

static void delete_region(struct memblock_type *type, unsigned int at)
{
	struct memblock_region *r = &type->regions[at];

	type->cnt--;
	memmove(r, r + 1, (type->cnt - at) * sizeof(*r));
}

/* Is there a region of @nid at index @at - 1 that ends at @addr? One at @at that starts there? */
static bool touches_left(const struct memblock_type *type, unsigned int at, phys_addr_t addr,
			 int nid)
{
	return at > 0 && region_end(&type->regions[at - 1]) == addr &&
	       type->regions[at - 1].nid == nid;
}

static bool touches_right(const struct memblock_type *type, unsigned int at, phys_addr_t addr,
			  int nid)
{
	return at < type->cnt && type->regions[at].base == addr && type->regions[at].nid == nid;
}

/* Adds [base, end), which overlaps nothing and belongs in front of region @at: a neighbour that
 * touches grows; between two that touch, both and the gap become one. */
static void add_gap(struct memblock_type *type, unsigned int at, phys_addr_t base,
		    phys_addr_t end, int nid)
{
	bool left = touches_left(type, at, base, nid);
	bool right = touches_right(type, at, end, nid);
	struct memblock_region *r = &type->regions[at];

	if (left && right) {
		r[-1].size = region_end(r) - r[-1].base;
		delete_region(type, at);
	} else if (left) {
		r[-1].size += end - base;
	} else if (right) {
		r->size += end - base;
		r->base = base;
	} else {
		insert_region(type, at, base, end - base, nid);
	}
}

/*
 * Goes through the gaps of [from, end), the parts that no region covers, and adds them if @add.
 * Returns how many of them need a slot of their own, touching nothing they could merge with.
 */
static unsigned int fill_gaps(struct memblock_type *type, phys_addr_t from, phys_addr_t end,
			      int nid, bool add)
{
	unsigned int slots = 0;

	while (from < end) {
		unsigned int at = type_find(type, from);
		const struct memblock_region *next = at < type->cnt ? &type->regions[at] : NULL;
		phys_addr_t to = next ? min(next->base, end) : end;

		if (next && next->base <= from) {
			from = region_end(next);
			continue;
		}
		if (!touches_left(type, at, from, nid) && !touches_right(type, at, to, nid))
			slots++;
		if (add)
			add_gap(type, at, from, to, nid);
		from = to;
	}
	return slots;
}

/* What is there already keeps its node. The slots are counted first, so that an array without
 * enough of them refuses the range as a whole instead of taking half of it. */
static int type_add(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid)
{
	phys_addr_t end = base + size;

	if (!size || end <= base)
		return -EINVAL;
	if (type->cnt + fill_gaps(type, base, end, nid, false) > MEMBLOCK_MAX_REGIONS)
		return -ENOSPC;
	fill_gaps(type, base, end, nid, true);
	return 0;
}

/* Takes the range out of the array: regions are dropped, trimmed, or (one at most) split. */
static int type_remove(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + size;
	unsigned int i;

	if (!size || end <= base)
		return -EINVAL;

	i = type_find(type, base);
	while (i < type->cnt && type->regions[i].base < end) {
		struct memblock_region *r = &type->regions[i];
		phys_addr_t r_end = region_end(r);

		if (r->base < base && r_end > end) {
			if (type->cnt == MEMBLOCK_MAX_REGIONS)
				return -ENOSPC;
			insert_region(type, i + 1, end, r_end - end, r->nid);
			r->size = base - r->base;
			return 0;
		}
		if (r->base < base) {
			r->size = base - r->base;
			i++;
		} else if (r_end > end) {
			r->size = r_end - end;
			r->base = end;
			return 0;
		} else {
			delete_region(type, i);
		}
	}
	return 0;
}

int memblock_add(phys_addr_t base, phys_addr_t size, int nid)
{
	return type_add(&memblock.memory, base, size, nid);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return type_remove(&memblock.memory, base, size);
}

/* Reserved memory has no node: what is taken is taken, and neighbours always merge. */
int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return type_add(&memblock.reserved, base, size, 0);
}

int memblock_free(phys_addr_t base, phys_addr_t size)
{
	return type_remove(&memblock.reserved, base, size);
}

static bool type_contains(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned int i = type_find(type, addr);

	return i < type->cnt && type->regions[i].base <= addr;
}

bool memblock_is_memory(phys_addr_t addr)
{
	return type_contains(&memblock.memory, addr);
}

bool memblock_is_reserved(phys_addr_t addr)
{
	return type_contains(&memblock.reserved, addr);
}

phys_addr_t memblock_phys_mem_size(void)
{
	phys_addr_t size = 0;

	for (unsigned int i = 0; i < memblock.memory.cnt; i++)
		size += memblock.memory.regions[i].size;
	return size;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	const struct memblock_type *memory = &memblock.memory;

	return memory->cnt ? region_end(&memory->regions[memory->cnt - 1]) : 0;
}

/*
 * Walks both arrays side by side, as a merge does. Between two reserved regions, in front of the
 * first and behind the last lies a gap; the free ranges are the intersections of gaps and memory
 * regions. *@idx holds the position in both: memory region in the lower half, gap in the upper,
 * where gap g ends at reserved region g. Whichever of the two ends first is stepped over.
 */
bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	const struct memblock_type *memory = &memblock.memory, *reserved = &memblock.reserved;
	u32 m = *idx, gap = *idx >> 32;

	while (m < memory->cnt && gap <= reserved->cnt) {
		const struct memblock_region *r = &memory->regions[m];
		phys_addr_t gap_base = gap ? region_end(&reserved->regions[gap - 1]) : 0;
		phys_addr_t gap_end = gap < reserved->cnt ? reserved->regions[gap].base : ~0UL;

		*base = max(r->base, gap_base);
		*end = min(region_end(r), gap_end);
		*nid = r->nid;
		if (region_end(r) <= gap_end)
			m++;
		else
			gap++;
		if (*base < *end) {
			*idx = (u64)gap << 32 | m;
			return true;
		}
	}
	*idx = (u64)gap << 32 | m;
	return false;
}

/* Top down, so that low memory, which some devices depend on, goes last. */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				      phys_addr_t max_addr)
{
	phys_addr_t base, end, found = 0;
	u64 idx = 0;
	int nid;

	if (!size || !align || (align & (align - 1)))
		return 0;
	while (memblock_next_free(&idx, &base, &end, &nid)) {
		phys_addr_t low = max(base, min_addr), high = min(end, max_addr), start;

		if (high < size || high - size < low)
			continue;
		start = ALIGN_DOWN(high - size, align);
		if (start >= low && start)
			found = start;	/* ranges come in rising order: the last one wins */
	}
	if (found && memblock_reserve(found, size))
		return 0;
	return found;
}

void *memblock_alloc(size_t size, size_t align)
{
	phys_addr_t pa = memblock_phys_alloc_range(size, align, 0, memblock.current_limit);

	if (!pa)
		panic("memblock: no room for %lu bytes below %lx", size, memblock.current_limit);
	return memset(__va(pa), 0, size);
}
