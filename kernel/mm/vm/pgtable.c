/* One walker for every table: three, four or five levels, kernel's and users'. */
#include "mm/vm/pgtable.h"
#include "base/panic.h"
#include "lib/atomic.h"
#include "lib/errno.h"

static pte_t *table_of(pfn_t pfn)
{
	return __va(PFN_PHYS(pfn));
}

/* Hangs a new table into the empty @slot: 0 or -ENOMEM. */
static int make_table(pte_t *slot, table_alloc_t alloc)
{
	phys_addr_t table = alloc ? alloc() : 0;

	if (!table)
		return -ENOMEM;
	smp_wmb();		/* a walker without the lock finds it zeroed */
	set_pte(slot, pte_table(PFN_DOWN(table)));
	return 0;
}

pte_t *pgtable_walk(phys_addr_t root, unsigned long va, int level, table_alloc_t alloc,
		    int *level_out)
{
	pte_t *table = __va(root), *slot = NULL;
	int at;

	for (at = pgtable_levels - 1; ; at--) {
		slot = &table[pgtable_index(va, at)];
		if (at == level)
			break;
		if (pte_none(*slot) && make_table(slot, alloc)) {
			slot = NULL;
			break;
		}
		if (pte_is_leaf(*slot, at)) {
			slot = NULL;
			break;
		}
		table = table_of(pte_pfn(*slot));
	}
	if (level_out)
		*level_out = at;
	return slot;
}

static unsigned long leaf_size(int level)
{
	return 1UL << (PAGE_SHIFT + 9 * level);
}

/* The highest level, up to @max_level, whose leaves fit at @va and @pa with @size bytes to go. */
static int leaf_level(unsigned long va, phys_addr_t pa, size_t size, int max_level)
{
	int level = max_level;

	while (level > 0 && (((va | pa) & (leaf_size(level) - 1)) || size < leaf_size(level)))
		level--;
	return level;
}

int pgtable_map(phys_addr_t root, unsigned long va, phys_addr_t pa, size_t size,
		unsigned long prot, int max_level, table_alloc_t alloc)
{
	while (size) {
		int level = leaf_level(va, pa, size, max_level);
		unsigned long step = leaf_size(level);
		pte_t *slot = pgtable_walk(root, va, level, alloc, NULL);

		if (!slot)
			return -ENOMEM;
		/* Stay in this table: a larger leaf can only become possible where it ends. */
		do {
			BUG_ON(!pte_none(*slot));
			set_pte(slot++, pte_leaf(PFN_DOWN(pa), prot, level));
			va += step;
			pa += step;
			size -= step;
		} while (size >= step && pgtable_index(va, level));
	}
	return 0;
}
