/* Which sections of memory have a struct page for each frame: see pfn_valid() in page.h. */
#include "mm/phys/page.h"
#include "mm/phys/memblock.h"

unsigned long section_map[DIV_ROUND_UP(MAX_SECTIONS, 64)];

void sections_init(void)
{
	for (unsigned int i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];
		unsigned long first = r->base >> SECTION_SHIFT;
		unsigned long last = (r->base + r->size - 1) >> SECTION_SHIFT;

		for (unsigned long s = first; s <= last && s < MAX_SECTIONS; s++)
			section_map[s / 64] |= 1UL << (s % 64);
	}
}

unsigned long sections_longest_run(pfn_t *first)
{
	pfn_t end = ALIGN(PFN_UP(memblock_end_of_DRAM()), PAGES_PER_SECTION);
	unsigned long best = 0, length = 0;

	for (pfn_t pfn = 0; pfn < end; pfn += PAGES_PER_SECTION) {
		length = pfn_valid(pfn) ? length + PAGES_PER_SECTION : 0;
		if (length > best) {
			best = length;
			*first = pfn + PAGES_PER_SECTION - length;
		}
	}
	return best;
}
