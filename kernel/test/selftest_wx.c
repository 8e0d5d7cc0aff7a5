/*
 * selftest=wx: looks at every entry of the kernel's tables and panics if one is both writable and
 * executable. Runs once at boot, after the kernel has mapped all that it maps itself.
 */
#include "mm/vm/pgtable.h"
#include "mm/vm/vmalloc.h"
#include "test/selftest.h"

/* Checks the table whose first entry is for @va; how many leaves it and those below it hold. */
static unsigned long check_table(pfn_t table, int level, unsigned long va)
{
	const pte_t *entry = __va(PFN_PHYS(table));
	unsigned long leaves = 0;

	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		unsigned long at = va + ((unsigned long)i << (PAGE_SHIFT + 9 * level));
		pte_t pte = entry[i];

		if (!pte_present(pte))
			continue;
		if (!pte_is_leaf(pte, level)) {
			leaves += check_table(pte_pfn(pte), level - 1, at);
			continue;
		}
		if (pte_write(pte) && pte_exec(pte))
			panic("wx: %#lx is writable and executable", at);
		leaves++;
	}
	return leaves;
}

/* The kernel's addresses are the top ones of what the root covers. */
void selftest_wx(void)
{
	int top = pgtable_levels - 1;
	unsigned long span = 1UL << (PAGE_SHIFT + 9 * top);

	pr_info("wx: %lu entries, none writable and executable\n",
		check_table(PFN_DOWN(kernel_root), top, -span * PTRS_PER_TABLE));
}
