/*
 * bench=reclaim: what reclaim costs, by the kind of the page. Runs in the first kernel thread on an empty
 * machine with a RAM disk (ramdisk=32M), prints one line per figure, and powers off. tools/bench reads the lines.
 *
 * A figure is nanoseconds of the kernel's clock per page that went, as bench.c tells: an instruction each under
 * -icount shift=0. What is timed are calls of try_to_free_pages() as an allocation makes them, each for a batch,
 * until PAGES went of the HELD that the inactive list has of that kind. So it is all in: the passes of rising
 * effort, isolation, the questions that each page is asked, the way out, and the page allocator.
 * No page was used since it was last asked, so none gets another round, and none is mapped by a
 * running process, so no other CPU has to be told.
 *
 *	clean file	is dropped
 *	dirty file	is written first, by this thread in kswapd's place (direct reclaim leaves that to kswapd
 *			and the flusher, and waits), to the RAM disk: a copy that is over at once
 *	anonymous	gets a slot, is unmapped and written to swap on the same RAM disk
 */
#include "test/bench.h"
#include "base/initcall.h"
#include "block/block.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/cache/swap.h"
#include "mm/fault/fault.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/reclaim.h"
#include "uapi/mman.h"

#define HELD		4096		/* pages of the kind */
#define PAGES		1024		/* of these are reclaimed */
#define SWAP_PAGES	(HELD + 1)	/* the first is the header */

static void file_pages(struct address_space *mapping, bool dirty)
{
	for (pgoff_t index = 0; index < HELD; index++) {
		struct page *page = read_cache_page(mapping, index);

		CHECK(!IS_ERR(page));
		if (dirty) {
			lock_page(page);
			set_page_dirty(page);
			unlock_page(page);
		}
		put_page(page);
	}
}

/* HELD of them in an address space, all touched once and looked at since. They stay for good. */
static void anon_pages(void)
{
	struct mm *mm = mm_alloc();
	long start, end;

	CHECK(mm);
	start = vm_mmap(mm, 0, HELD * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL,
			0, 0);
	CHECK(start > 0);
	end = start + HELD * PAGE_SIZE;
	for (long addr = start; addr < end; addr += PAGE_SIZE)
		CHECK(mm_fault(mm, addr, FAULT_WRITE) == FAULT_DONE);
	for (long addr = start; addr < end; addr += PAGE_SIZE)
		page_referenced(pfn_to_page(pte_pfn(*user_pte_find(mm, addr, NULL))));
}

/* Writes the header that mkswap(8) would, and swaps to the disk. */
static void swap_to(struct block_device *bdev)
{
	struct address_space *mapping = bdev->mapping;
	struct page *page = read_cache_page(mapping, 0);
	u32 *info;

	CHECK(!IS_ERR(page));
	lock_page(page);
	info = page_address(page) + 1024;
	info[0] = 1;				/* version */
	info[1] = SWAP_PAGES - 1;		/* the last page */
	memcpy(page_address(page) + PAGE_SIZE - 10, "SWAPSPACE2", 10);
	set_page_dirty(page);
	unlock_page(page);
	put_page(page);
	CHECK(!filemap_write_and_wait(mapping));
	CHECK(!swap_on(bdev, "/dev/ram1", -1));
}

/* Until PAGES are gone. */
static void bench(const char *name)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct zone *zone = page_zone(page);
	unsigned long before = vm_stat_read(PGSTEAL_DIRECT), freed = 0;
	u64 start = arch_clock_ns();

	__free_page(page);
	while (freed < PAGES) {
		CHECK(try_to_free_pages(zone, GFP_KERNEL, 0));
		freed = vm_stat_read(PGSTEAL_DIRECT) - before;
	}
	bench_report("", name, arch_clock_ns() - start, freed);
}

static int bench_run(void)
{
	struct block_device *bdev;

	if (!bench_is("reclaim"))
		return 0;
	bdev = find_block_device("ram1");
	CHECK(bdev && bdev->nr_sectors >= SWAP_PAGES * PAGE_SIZE / SECTOR_SIZE);
	file_pages(bdev->mapping, false);
	bench("reclaim_clean_file");
	drop_pagecache();

	file_pages(bdev->mapping, true);
	current_thread()->pf_flags |= PF_KSWAPD;
	bench("reclaim_dirty_file");
	current_thread()->pf_flags &= ~PF_KSWAPD;
	CHECK(!filemap_write_and_wait(bdev->mapping));
	drop_pagecache();

	swap_to(bdev);
	drop_pagecache();
	anon_pages();
	bench("reclaim_anonymous");
	bench_end();
	return 0;
}
late_initcall(bench_run);
