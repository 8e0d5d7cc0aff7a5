/* page_init against random layouts of memory. */
#include "test.h"

#define DMA32_END	(4UL << 30)

static phys_addr_t ram_base = 0x40000000;

void boot_memory(phys_addr_t base, phys_addr_t size)
{
	ram_base = base;
	reset_memory(base + size);
	memblock_add(base, size, 0);
	mem_init();
	memblock.current_limit = HOST_MAX_PHYS;
}

void random_layout(struct prng *rng)
{
	phys_addr_t at = prng_below(rng, 2) ? DMA32_END - 24 * MIB : 64 * MIB;
	int regions = 1 + prng_below(rng, 6);

	ram_base = at;
	reset_memory(at + 256 * MIB);
	for (int i = 0; i < regions; i++) {
		phys_addr_t size = (1 + prng_below(rng, 4000)) * 0x1000;

		/* Half of them begin or end within a frame. */
		if (prng_below(rng, 2))
			size += prng_below(rng, 0x1000);
		memblock_add(at, size, prng_below(rng, 3));
		for (int r = prng_below(rng, 4); r > 0; r--) {
			phys_addr_t from = prng_below(rng, size);

			memblock_reserve(at + from, 1 + prng_below(rng, 64 * 1024));
		}
		at += size + prng_below(rng, 3) * prng_below(rng, 6 * MIB);
	}
}

unsigned long walk_free_list(struct zone *zone)
{
	unsigned long pages = 0;

	for (unsigned int order = 0; order < NR_ORDERS; order++) {
		unsigned long n = 0;
		struct page *page;

		list_for_each_entry(page, &zone->free_area[order].free_list, list) {
			pfn_t pfn = page_to_pfn(page), buddy = pfn ^ (1UL << order);

			EXPECT(page_zone(page) == zone);
			EXPECT(PageBuddy(page));
			EXPECT_EQ(page_count(page), 0);
			EXPECT_EQ(page->private, order);
			EXPECT_EQ(pfn & ((1UL << order) - 1), 0);
			EXPECT(page->list.next->prev == &page->list);
			/* Two free buddies would be one block. */
			if (CONFIG_LAB > 1 && order < MAX_ORDER && pfn_valid(buddy))
				EXPECT(!PageBuddy(pfn_to_page(buddy)) ||
				       pfn_to_page(buddy)->private != order ||
				       page_zone(pfn_to_page(buddy)) != zone);
			n++;
		}
		EXPECT_EQ(zone->free_area[order].nr_free, n);
		pages += n << order;
	}
	EXPECT_EQ(zone->free_pages, pages);
	return pages;
}

/* Memory node of a whole frame, -1 if it is not (all) memory; what memblock says, bytewise. */
static int frame_node(pfn_t pfn)
{
	phys_addr_t at = PFN_PHYS(pfn);

	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		if (at >= r->base && at + PAGE_SIZE <= r->base + r->size)
			return r->nid;
	}
	return -1;
}

static bool frame_reserved(pfn_t pfn)
{
	phys_addr_t at = PFN_PHYS(pfn);

	for (unsigned int i = 0; i < memblock.reserved.cnt; i++) {
		const struct memblock_region *r = &memblock.reserved.regions[i];

		if (at < r->base + r->size && at + PAGE_SIZE > r->base)
			return true;
	}
	return false;
}

struct expected_zone {
	unsigned long present, managed;
	pfn_t start, end;
};

/* Is there a free block that begins here? In lab 1 every free page is one. */
static bool starts_block(pfn_t pfn)
{
	for (unsigned int order = 1; CONFIG_LAB > 1 && order <= MAX_ORDER; order++) {
		pfn_t head = pfn & ~((1UL << order) - 1);

		if (head != pfn && pfn_valid(head) && PageBuddy(pfn_to_page(head)) &&
		    pfn_to_page(head)->private >= order)
			return false;
	}
	return true;
}

static void check_page(pfn_t pfn, struct expected_zone want[][MAX_NR_ZONES])
{
	const struct page *page = pfn_to_page(pfn);
	int node = frame_node(pfn), type = PFN_PHYS(pfn) >= DMA32_END;
	bool free = node >= 0 && !frame_reserved(pfn);

	if (node >= 0) {
		struct expected_zone *zone = &want[node][type];

		EXPECT(pfn_valid(pfn));
		if (!zone->present++)
			zone->start = pfn;
		zone->end = pfn + 1;
		zone->managed += free;
	}
	if (!pfn_valid(pfn))
		return;
	EXPECT_EQ(page->mapping, NULL);
	EXPECT_EQ(page->index, 0);
	EXPECT_EQ(page->aux, 0);
	EXPECT_EQ(page_mapcount(page), 0);
	EXPECT_EQ((page->flags >> PAGE_ZONE_SHIFT) & 3, type);
	if (node >= 0)
		EXPECT_EQ(page->flags >> PAGE_NODE_SHIFT, node);
	EXPECT_EQ(PageReserved(page), !free);
	EXPECT_EQ(page_count(page), !free);
	EXPECT_EQ(page->flags & ~(~0UL << PAGE_ZONE_SHIFT),
		  !free ? BIT(PG_reserved) : starts_block(pfn) ? BIT(PG_buddy) : 0);
}

static void check_layout(void)
{
	static struct expected_zone want[MAX_NUMNODES][MAX_NR_ZONES];
	pfn_t first = PFN_DOWN(ram_base) & ~(PAGES_PER_SECTION - 1);
	pfn_t last = PFN_UP(memblock_end_of_DRAM()) + PAGES_PER_SECTION;

	memset(want, 0, sizeof(want));
	for (pfn_t pfn = first; pfn < last && !test_failed(); pfn++)
		check_page(pfn, want);
	for (unsigned int n = 0; n < MAX_NUMNODES; n++) {
		EXPECT_EQ(node_data[n].present_pages, want[n][0].present + want[n][1].present);
		EXPECT_EQ(node_data[n].online, node_data[n].present_pages > 0);
		for (unsigned int z = 0; z < MAX_NR_ZONES; z++) {
			struct zone *zone = &node_data[n].zones[z];
			struct expected_zone *w = &want[n][z];

			EXPECT_EQ(zone->present_pages, w->present);
			EXPECT_EQ(zone->managed_pages, w->managed);
			EXPECT_EQ(walk_free_list(zone), w->managed);
			EXPECT_EQ(zone->type, z);
			EXPECT_EQ(zone->nid, n);
			if (!w->present)
				continue;
			EXPECT(n < nr_nodes);
			EXPECT_EQ(zone->start_pfn, w->start);
			EXPECT_EQ(zone->spanned_pages, w->end - w->start);
		}
	}
}

static void test_layouts(struct prng *rng)
{
	for (int round = 0; round < 60 && !test_failed(); round++) {
		random_layout(rng);
		sections_init();
		page_init();
		check_layout();
	}
}

static void test_machine(struct prng *rng)
{
	unsigned long min_mark, low_mark;

	(void)rng;
	ram_base = 0x80000000;
	reset_memory(0x90000000);
	memblock_add(0x80000000, 256 * MIB, 0);
	memblock_reserve(0x80200000, 3 * MIB + 5);
	mem_init();
	EXPECT_EQ(totalram_pages(), 65536 - 768 - 1);
	EXPECT_EQ(nr_free_pages() + pcp_overhead(), totalram_pages());
	if (!pcp_overhead())
		check_layout();
	min_mark = node_data[0].zones[0].watermark[WMARK_MIN];
	low_mark = node_data[0].zones[0].watermark[WMARK_LOW];
	EXPECT(min_mark >= 128 && min_mark < low_mark && low_mark < 2048);
	EXPECT(low_mark < node_data[0].zones[0].watermark[WMARK_HIGH]);
	EXPECT(PANICS(memblock_alloc(1, 1)));	/* all of it is given away */
}

const struct test init_tests[] = {
	{ "page_init: zones, pages and free lists agree with random layouts", test_layouts },
	{ "page_init: a machine with 256 MiB", test_machine },
	{ NULL, NULL },
};
