/*
 * The memory behind KASAN's shadow: 32 GiB of addresses, of which little is ever used.
 *
 *	until the final tables	one page for all of it, which everybody writes and nobody reads: the
 *				compiler's stack redzones are written before there is memory
 *	RAM, the image		an eighth of their size, of their own
 *	vmalloc			grows with it from below (kasan_vmalloc); nothing is there above
 *				kasan_vmalloc_end
 *	the rest		one page of zeroes, read-only: all may be used
 *
 * The two shared pages are the same one, and so are the tables that repeat it: 512 entries that point to
 * the page, 512 that point to that table.
 */
#include "mm/vm/pgtable.h"
#include "mm/vm/vmalloc.h"
#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "base/panic.h"
#include "debug/kasan.h"
#include "lib/string.h"

#define SHADOW(va)	(((unsigned long)(va) >> 3) + KASAN_SHADOW_OFFSET)
#define LEVEL_4K	0
#define LEVEL_2M	1
#define LEVEL_1G	2

static char shared_page[PAGE_SIZE] __aligned(PAGE_SIZE);
static pte_t shared_pte[PTRS_PER_TABLE] __aligned(PAGE_SIZE);
static pte_t shared_pmd[PTRS_PER_TABLE] __aligned(PAGE_SIZE);
extern pte_t arch_boot_pud[];		/* head.S: the boot tables' 1 GiB level, for the kernel half */

static void share(unsigned long prot)
{
	for (int i = 0; i < PTRS_PER_TABLE; i++) {
		set_pte(&shared_pte[i], pte_leaf(PFN_DOWN(__pa(shared_page)), prot, LEVEL_4K));
		set_pte(&shared_pmd[i], pte_table(PFN_DOWN(__pa(shared_pte))));
	}
}

void kasan_early_init(void)
{
	share(PTE_KERNEL_RW);
	for (unsigned long va = KASAN_SHADOW_START; va < KASAN_SHADOW_END; va += PUD_SIZE)
		set_pte(&arch_boot_pud[pgtable_index(va, LEVEL_1G)],
			pte_table(PFN_DOWN(__pa(shared_pmd))));
}

/* ---- the final tables --------------------------------------------------------------------- */

static phys_addr_t boot_table(void)
{
	return __pa(memblock_alloc(PAGE_SIZE, PAGE_SIZE));
}

static pte_t *slot_of(unsigned long va, int level)
{
	pte_t *slot = pgtable_walk(kernel_root, va, level, boot_table, NULL);

	if (!slot)
		panic("KASAN: no memory for the shadow's tables");
	return slot;
}

/* Shadow of its own for [start, end). Neighbours may share a page of it. */
static void back(unsigned long start, unsigned long end)
{
	unsigned long va = ALIGN_DOWN(SHADOW(start), PAGE_SIZE);

	end = ALIGN(SHADOW(end), PAGE_SIZE);
	while (va < end) {
		bool large = !(va & (PMD_SIZE - 1)) && end - va >= PMD_SIZE;
		unsigned long size = large ? PMD_SIZE : PAGE_SIZE;
		pte_t *slot = slot_of(va, large ? LEVEL_2M : LEVEL_4K);
		phys_addr_t pa;

		if (pte_none(*slot)) {
			pa = memblock_phys_alloc_range(size, size, 0, MAX_PHYSMEM);
			if (!pa)
				panic("KASAN: no memory for the shadow: it takes an eighth of all");
			memset(__va(pa), 0, size);
			set_pte(slot, pte_leaf(PFN_DOWN(pa), PTE_KERNEL_RW, large));
		}
		va += size;
	}
}

static bool of_vmalloc(unsigned long va)
{
	return va >= SHADOW(VMALLOC_START) && va < SHADOW(VMALLOC_END);
}

/* Fills what is empty in the table around @va at @level, down to where all is. */
static void fill_gaps(unsigned long va, int level)
{
	static pte_t *const shared[] = { NULL, shared_pte, shared_pmd };
	unsigned long step = 1UL << (PAGE_SHIFT + 9 * level);

	for (unsigned long i = 0; i < (level == LEVEL_1G ? 32 : PTRS_PER_TABLE); i++, va += step) {
		pte_t *slot;

		if (of_vmalloc(va))
			continue;
		slot = slot_of(va, level);
		if (pte_none(*slot))
			set_pte(slot, level ? pte_table(PFN_DOWN(__pa(shared[level]))) : shared_pte[0]);
		else if (level && !pte_is_leaf(*slot, level) &&
			 pte_pfn(*slot) != PFN_DOWN(__pa(shared[level])))
			fill_gaps(va, level - 1);
	}
}

void kasan_map_shadow(void)
{
	const struct memblock_type *memory = &memblock.memory;

	back((unsigned long)_text, (unsigned long)_end);
	/* What the shadow itself takes is RAM, too: the list does not change meanwhile. */
	for (unsigned int i = 0; i < memory->cnt; i++)
		back((unsigned long)__va(memory->regions[i].base),
		     (unsigned long)__va(memory->regions[i].base + memory->regions[i].size));
	for (unsigned long va = SHADOW(VMALLOC_START); va < SHADOW(VMALLOC_END); va += PUD_SIZE)
		slot_of(va, LEVEL_2M);
	fill_gaps(KASAN_SHADOW_START, LEVEL_1G);
	kasan_vmalloc_end = VMALLOC_START;
}

/* The boot tables are not used any more. */
void kasan_seal_shared(void)
{
	share(PTE_KERNEL_RO);
	arch_flush_tlb_kernel(KASAN_SHADOW_START, KASAN_SHADOW_END);
	memset(__va(__pa(shared_page)), 0, PAGE_SIZE);
}

/* ---- vmalloc ------------------------------------------------------------------------------ */

static DEFINE_SPINLOCK(grow_lock);	/* kasan_vmalloc_end, and the tables below it */

static phys_addr_t grow_table(void)
{
	struct page *page;

	if (!totalram_pages())
		return boot_table();
	page = alloc_page(GFP_ATOMIC | __GFP_ZERO);
	return page ? page_to_phys(page) : 0;
}

/* Every page of the vmalloc area below @end gets its shadow: 32 KiB of it with each page. */
static int grow(unsigned long end)
{
	const unsigned long step = PAGE_SIZE * KASAN_GRANULE;

	while (kasan_vmalloc_end < end) {
		pte_t *slot = pgtable_walk(kernel_root, SHADOW(kasan_vmalloc_end), LEVEL_4K,
					   grow_table, NULL);
		phys_addr_t pa = slot ? grow_table() : 0;

		if (!pa)
			return -1;
		set_pte(slot, pte_leaf(PFN_DOWN(pa), PTE_KERNEL_RW, LEVEL_4K));
		smp_store_release(&kasan_vmalloc_end, kasan_vmalloc_end + step);
	}
	return 0;
}

int kasan_vmalloc(unsigned long start, size_t size)
{
	unsigned long flags;
	int err = 0;

	if (READ_ONCE(kasan_vmalloc_end) < start + size) {
		spin_lock_irqsave(&grow_lock, flags);
		err = grow(start + size);
		spin_unlock_irqrestore(&grow_lock, flags);
	}
	if (!err)
		kasan_unpoison((void *)start, size);
	return err;
}
