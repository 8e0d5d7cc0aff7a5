/*
 * How memory is used: /proc/meminfo, vmstat and swaps, in Linux's formats.
 *
 * A line of meminfo that is always 0 is there because it is true: nothing can be locked in memory, no
 * page is written through a bounce buffer. What Linux counts and this kernel does not is left out.
 */
#include "base/initcall.h"
#include "base/percpu.h"
#include "block/block.h"
#include "fs/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/address_space.h"
#include "mm/vm/commit.h"
#include "mm/vm/swapmap.h"

#define KB(pages)	((pages) * (PAGE_SIZE / 1024))

static void line(struct seq_file *m, const char *name, unsigned long pages)
{
	char padded[17];

	snprintf(padded, sizeof(padded), "%s:                ", name);
	seq_printf(m, "%s%8lu kB\n", padded, KB(pages));
}

/* What programs could still get without trouble: free above the low watermarks, and half of what is
 * cached or as much as leaves the low watermark cached. */
static unsigned long available(unsigned long file, unsigned long slab)
{
	unsigned long reserve = 0, free = nr_free_pages(), cached = file + slab;
	struct zone *zone;

	for_each_zone(zone)
		reserve += zone->watermark[WMARK_LOW];
	cached -= min(cached / 2, reserve);
	return (free > reserve ? free - reserve : 0) + cached;
}

/* Pages of block devices themselves: a filesystem's tables, or what is read from /dev/vda. */
static unsigned long buffer_pages(void)
{
	struct block_device *bdev = NULL;
	unsigned long pages = 0;

	while ((bdev = next_block_device(bdev)))
		if (bdev->mapping)
			pages += READ_ONCE(bdev->mapping->nrpages);
	return pages;
}

static void show_lists(struct seq_file *m)
{
	unsigned long active_anon = vm_stat_read(NR_ACTIVE_ANON);
	unsigned long active_file = vm_stat_read(NR_ACTIVE_FILE);
	unsigned long inactive_anon = vm_stat_read(NR_INACTIVE_ANON);
	unsigned long inactive_file = vm_stat_read(NR_INACTIVE_FILE);

	line(m, "Active", active_anon + active_file);
	line(m, "Inactive", inactive_anon + inactive_file);
	line(m, "Active(anon)", active_anon);
	line(m, "Inactive(anon)", inactive_anon);
	line(m, "Active(file)", active_file);
	line(m, "Inactive(file)", inactive_file);
	line(m, "Unevictable", 0);
	line(m, "Mlocked", 0);
}

static void show_kernel_memory(struct seq_file *m)
{
	unsigned long reclaimable = vm_stat_read(NR_SLAB_RECLAIMABLE);
	unsigned long unreclaimable = vm_stat_read(NR_SLAB_UNRECLAIMABLE);

	line(m, "KReclaimable", reclaimable);
	line(m, "Slab", reclaimable + unreclaimable);
	line(m, "SReclaimable", reclaimable);
	line(m, "SUnreclaim", unreclaimable);
	line(m, "KernelStack", vm_stat_read(NR_KERNEL_STACK));
	line(m, "PageTables", vm_stat_read(NR_PAGETABLE));
	line(m, "NFS_Unstable", 0);
	line(m, "Bounce", 0);
	line(m, "WritebackTmp", 0);
}

static int show_meminfo(struct seq_file *m, void *data)
{
	unsigned long shmem = vm_stat_read(NR_SHMEM), pages = vm_stat_read(NR_FILE_PAGES);
	unsigned long buffers = min(buffer_pages(), pages);

	(void)data;
	line(m, "MemTotal", totalram_pages());
	line(m, "MemFree", nr_free_pages());
	line(m, "MemAvailable", available(pages > shmem ? pages - shmem : 0,
					  vm_stat_read(NR_SLAB_RECLAIMABLE)));
	line(m, "Buffers", buffers);
	line(m, "Cached", pages - buffers);
	line(m, "SwapCached", vm_stat_read(NR_SWAPCACHE));
	show_lists(m);
	line(m, "SwapTotal", total_swap_pages());
	line(m, "SwapFree", nr_swap_pages());
	line(m, "Dirty", vm_stat_read(NR_FILE_DIRTY));
	line(m, "Writeback", vm_stat_read(NR_WRITEBACK));
	line(m, "AnonPages", vm_stat_read(NR_ANON_MAPPED));
	line(m, "Mapped", vm_stat_read(NR_FILE_MAPPED));
	line(m, "Shmem", shmem);
	show_kernel_memory(m);
	line(m, "CommitLimit", vm_commit_limit());
	line(m, "Committed_AS", vm_committed());
	line(m, "VmallocTotal", (VMALLOC_END - VMALLOC_START) / PAGE_SIZE);
	line(m, "VmallocUsed", vm_stat_read(NR_VMALLOC));
	line(m, "VmallocChunk", 0);	/* as Linux shows it since it is not looked for any more */
	line(m, "Percpu", nr_cpus * (unsigned long)(__per_cpu_end - __per_cpu_start) / PAGE_SIZE);
	return 0;
}

/* ---- vmstat ------------------------------------------------------------------------------- */

static const char *const vmstat_names[NR_VM_STAT_ITEMS] = {
	[NR_ANON_MAPPED] = "nr_anon_pages", [NR_FILE_MAPPED] = "nr_mapped",
	[NR_FILE_PAGES] = "nr_file_pages", [NR_FILE_DIRTY] = "nr_dirty",
	[NR_WRITEBACK] = "nr_writeback", [NR_SHMEM] = "nr_shmem",
	[NR_SLAB_RECLAIMABLE] = "nr_slab_reclaimable",
	[NR_SLAB_UNRECLAIMABLE] = "nr_slab_unreclaimable",
	[NR_PAGETABLE] = "nr_page_table_pages", [NR_KERNEL_STACK] = "nr_kernel_stack",
	[NR_VMALLOC] = "nr_vmalloc", [PGFAULT] = "pgfault", [PGMAJFAULT] = "pgmajfault",
	[PGALLOC] = "pgalloc", [PGFREE] = "pgfree", [PGDROP] = "pgdrop",
	[NR_SWAPCACHE] = "nr_swapcached",
	[NR_INACTIVE_ANON] = "nr_inactive_anon", [NR_ACTIVE_ANON] = "nr_active_anon",
	[NR_INACTIVE_FILE] = "nr_inactive_file", [NR_ACTIVE_FILE] = "nr_active_file",
	[PSWPIN] = "pswpin", [PSWPOUT] = "pswpout",
	[PGSCAN_KSWAPD] = "pgscan_kswapd", [PGSCAN_DIRECT] = "pgscan_direct",
	[PGSTEAL_KSWAPD] = "pgsteal_kswapd", [PGSTEAL_DIRECT] = "pgsteal_direct",
	[PGACTIVATE] = "pgactivate", [PGDEACTIVATE] = "pgdeactivate",
	[PGREFILL] = "pgrefill",
	[WORKINGSET_REFAULT_ANON] = "workingset_refault_anon",
	[WORKINGSET_REFAULT_FILE] = "workingset_refault_file",
	[WORKINGSET_ACTIVATE_ANON] = "workingset_activate_anon",
	[WORKINGSET_ACTIVATE_FILE] = "workingset_activate_file",
	[ALLOCSTALL] = "allocstall", [PAGEOUTRUN] = "pageoutrun",
	[SLABS_SCANNED] = "slabs_scanned", [OOM_KILL] = "oom_kill",
};

static int show_vmstat(struct seq_file *m, void *data)
{
	(void)data;
	seq_printf(m, "nr_free_pages %lu\n", nr_free_pages());
	for (unsigned int i = 0; i < NR_VM_STAT_ITEMS; i++)
		if (vmstat_names[i])
			seq_printf(m, "%s %lu\n", vmstat_names[i], vm_stat_read(i));
	/* All that block devices read and wrote, swap among it; KiB, unlike the others. */
	seq_printf(m, "pgpgin %lu\npgpgout %lu\n",
		   KB(vm_stat_read(PGPGIN) + vm_stat_read(PSWPIN)),
		   KB(vm_stat_read(PGPGOUT) + vm_stat_read(PSWPOUT)));
	return 0;
}

/* ---- swaps -------------------------------------------------------------------------------- */

/* An area may come or go meanwhile: then the line is a moment old. */
static int show_swaps(struct seq_file *m, void *data)
{
	(void)data;
	seq_puts(m, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	for (unsigned int i = 0; i < MAX_SWAPFILES; i++) {
		const struct swap_area *area = &swap_areas[i];
		unsigned long size = KB(READ_ONCE(area->pages)), used = KB(READ_ONCE(area->inuse));

		if (!READ_ONCE(area->active))
			continue;
		seq_printf(m, "%s%*s", area->name, max(40 - (int)strlen(area->name), 1), "");
		seq_printf(m, "partition\t%lu\t%s%lu\t%s%d\n", size, size < 10000000 ? "\t" : "",
			   used, used < 10000000 ? "\t" : "", area->prio);
	}
	return 0;
}

static int proc_meminfo_init(void)
{
	proc_create("meminfo", show_meminfo, NULL, NULL);
	proc_create("vmstat", show_vmstat, NULL, NULL);
	proc_create("swaps", show_swaps, NULL, NULL);
	return 0;
}
fs_initcall(proc_meminfo_init);
