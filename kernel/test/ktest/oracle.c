/* See oracle.h. */
#include "test/ktest/oracle.h"
#include "lib/format.h"
#include "lib/string.h"

static __printf(2, 3) const char *say(struct oracle *o, const char *fmt, ...)
{
	unsigned int slot = __atomic_fetch_add(&o->next_text, 1, __ATOMIC_RELAXED);
	char *text = o->text[slot % ARRAY_SIZE(o->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(o->text[0]), fmt, args);
	va_end(args);
	return text;
}

static u8 owner_id(const struct zone *zone)
{
	return zone->nid * MAX_NR_ZONES + zone->type + 1;
}

void oracle_init(struct oracle *o, const struct world_range *ranges, unsigned int n,
		 unsigned int max_order)
{
	memset(o, 0, sizeof(*o));
	o->first = world_first_pfn();
	o->pages = world_pages();
	o->max_order = max_order;
	o->zone_of = ktest_alloc(o->pages);
	o->live = ktest_alloc(o->pages * sizeof(*o->live));
	for (unsigned int i = 0; i < n; i++) {
		if (ranges[i].reserved)
			continue;
		for (pfn_t pfn = ranges[i].start; pfn < ranges[i].end; pfn++) {
			u8 id = ranges[i].nid * MAX_NR_ZONES +
				(pfn < DMA32_LIMIT_PFN ? ZONE_DMA32 : ZONE_NORMAL) + 1;

			o->zone_of[pfn - o->first] = id;
			o->free_pages[id]++;
		}
	}
}

/* What is wrong with the place of a block, whoever it came from? */
static const char *check_place(struct oracle *o, const struct zone *zone, const struct page *page,
			       unsigned int order)
{
	unsigned long nr = 1UL << order, at;
	pfn_t pfn;

	if ((unsigned long)page < (unsigned long)(vmemmap + o->first) ||
	    (unsigned long)page >= (unsigned long)(vmemmap + o->first + o->pages) ||
	    ((unsigned long)page - (unsigned long)vmemmap) % sizeof(*page))
		return say(o, "an allocation of order %u gave %p, which is no page of this memory",
			   order, (const void *)page);
	pfn = page_to_pfn(page);
	at = pfn - o->first;
	if (pfn & (nr - 1))
		return say(o, "block %#lx of order %u is not aligned to its size", pfn, order);
	for (unsigned long i = 0; i < nr; i++) {
		u8 owner = at + i < o->pages ? o->zone_of[at + i] : 0;

		if (!owner)
			return say(o, "block %#lx of order %u holds frame %#lx, which is a hole "
				   "or reserved", pfn, order, pfn + i);
		if (zone && owner != owner_id(zone))
			return say(o, "block %#lx of order %u holds frame %#lx of another zone "
				   "than node %d %s", pfn, order, pfn + i, zone->nid, zone->name);
		if (!zone && owner != o->zone_of[at])
			return say(o, "block %#lx of order %u crosses the border of its zone",
				   pfn, order);
	}
	return NULL;
}

const char *oracle_took(struct oracle *o, const struct zone *zone, const struct page *page,
			unsigned int order)
{
	const char *error = check_place(o, zone, page, order);
	pfn_t pfn = page_to_pfn(page);

	if (error)
		return error;
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (__atomic_exchange_n(&o->live[pfn - o->first + i], 1, __ATOMIC_ACQ_REL) && !error)
			error = say(o, "frame %#lx was handed out a second time (block %#lx of "
				    "order %u) while it is in use", pfn + i, pfn, order);
	__atomic_fetch_sub(&o->free_pages[o->zone_of[pfn - o->first]], 1UL << order,
			   __ATOMIC_RELAXED);
	return error;
}

const char *oracle_gave(struct oracle *o, const struct page *page, unsigned int order)
{
	const char *error = NULL;
	pfn_t pfn = page_to_pfn(page);

	for (unsigned long i = 0; i < 1UL << order; i++)
		if (!__atomic_exchange_n(&o->live[pfn - o->first + i], 0, __ATOMIC_ACQ_REL))
			error = say(o, "frame %#lx was marked free while it was in use", pfn + i);
	__atomic_fetch_add(&o->free_pages[o->zone_of[pfn - o->first]], 1UL << order,
			   __ATOMIC_RELAXED);
	return error;
}

static bool block_is_free(const struct oracle *o, u8 id, pfn_t pfn, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		unsigned long at = pfn - o->first + i;

		if (at >= o->pages || o->zone_of[at] != id || o->live[at])
			return false;
	}
	return true;
}

const char *oracle_refused(struct oracle *o, const struct zone *zone, unsigned int order)
{
	u8 id = owner_id(zone);

	if (order > o->max_order || READ_ONCE(o->free_pages[id]) < 1UL << order)
		return NULL;
	for (pfn_t pfn = ALIGN(o->first, 1UL << order); pfn < o->first + o->pages;
	     pfn += 1UL << order)
		if (block_is_free(o, id, pfn, order))
			return say(o, "an allocation of order %u failed although block %#lx of "
				   "node %d %s is free", order, pfn, zone->nid, zone->name);
	return NULL;
}

unsigned long oracle_free_pages(const struct oracle *o, const struct zone *zone)
{
	return READ_ONCE(o->free_pages[owner_id(zone)]);
}

/* How many blocks of each order the zone's frames make if all that can merge has merged. */
static void count_blocks(const struct oracle *o, const struct zone *zone, unsigned long *count)
{
	u8 id = owner_id(zone);

	memset(count, 0, NR_ORDERS * sizeof(*count));
	for (pfn_t pfn = o->first; pfn < o->first + o->pages; ) {
		int order = o->max_order;

		while (order >= 0 && ((pfn & ((1UL << order) - 1)) ||
				      !block_is_free(o, id, pfn, order)))
			order--;
		if (order >= 0)
			count[order]++;
		pfn += order >= 0 ? 1UL << order : 1;
	}
}

const char *oracle_drain_and_refill(struct oracle *o, struct zone *zone)
{
	unsigned long expected[NR_ORDERS], total = 0, taken = 0;
	struct page **blocks;
	u8 *orders;
	const char *error = NULL;

	count_blocks(o, zone, expected);
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		total += expected[order];
	blocks = ktest_alloc((total + 1) * sizeof(*blocks));
	orders = ktest_alloc(total + 1);
	for (int order = o->max_order; order >= 0 && !error; order--) {
		unsigned long n = 0;
		struct page *page;

		while (!error && (page = core_alloc(zone, order))) {
			error = oracle_took(o, zone, page, order);
			if (!error && n == expected[order])
				error = say(o, "more blocks of order %u came out of node %d %s than "
					    "the %lu that fit", order, zone->nid, zone->name, n);
			if (!error) {
				blocks[taken] = page;
				orders[taken++] = order;
				n++;
			}
		}
		if (!error && n != expected[order])
			error = say(o, "with all memory free, node %d %s gives %lu blocks of order "
				    "%u; %lu fit, so free memory is lost or not merged",
				    zone->nid, zone->name, n, order, expected[order]);
	}
	while (taken && !error) {
		taken--;
		error = oracle_gave(o, blocks[taken], orders[taken]);
		core_free(zone, blocks[taken], orders[taken]);
	}
	return error;
}
