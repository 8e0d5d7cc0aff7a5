/*
 * The files of /proc about physical memory: buddyinfo and zoneinfo in Linux's formats, and
 * extfrag_index, which Linux has in /sys/kernel/debug/extfrag/extfrag_index.
 *
 * The fragmentation index (Mel Gorman) answers, for each order: if a block of it cannot be had, is
 * it because memory is short or because it is in pieces? With F free pages in B blocks, and a
 * request for R pages that no block can serve,
 *
 *	index = 1 - (1 + F / R) / B
 *
 * Towards 0, there are about as many blocks as there would be if all of F lay in blocks of R:
 * memory is short, and only reclaim helps. Towards 1, F is many times R but lies in very many
 * blocks: memory is in pieces. -1.000 says that the request would be served.
 */
#include "base/initcall.h"
#include "base/percpu.h"
#include "fs/proc.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/pcp.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/reclaim.h"

/* Blocks of each order, at one moment. */
static void read_free_areas(struct zone *zone, unsigned long nr_free[NR_ORDERS])
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		nr_free[order] = zone->free_area[order].nr_free;
	spin_unlock_irqrestore(&zone->lock, flags);
}

static int show_buddyinfo(struct seq_file *m, void *data)
{
	unsigned long nr_free[NR_ORDERS];
	struct zone *zone;

	(void)data;
	for_each_zone(zone) {
		read_free_areas(zone, nr_free);
		seq_printf(m, "Node %d, zone %8s ", zone->nid, zone->name);
		for (unsigned int order = 0; order < NR_ORDERS; order++)
			seq_printf(m, "%6lu ", nr_free[order]);
		seq_putc(m, '\n');
	}
	return 0;
}

/* In thousandths; -1000: a block of @order is there. */
static long fragmentation_index(const unsigned long nr_free[NR_ORDERS], unsigned int order)
{
	unsigned long blocks = 0, pages = 0;

	for (unsigned int o = 0; o < NR_ORDERS; o++) {
		blocks += nr_free[o];
		pages += nr_free[o] << o;
		if (o >= order && nr_free[o])
			return -1000;
	}
	if (!blocks)
		return 0;
	return 1000 - (long)((1000 + (pages * 1000 >> order)) / blocks);
}

static int show_extfrag_index(struct seq_file *m, void *data)
{
	unsigned long nr_free[NR_ORDERS];
	struct zone *zone;

	(void)data;
	for_each_zone(zone) {
		read_free_areas(zone, nr_free);
		seq_printf(m, "Node %d, zone %8s ", zone->nid, zone->name);
		for (unsigned int order = 0; order < NR_ORDERS; order++) {
			long index = fragmentation_index(nr_free, order);
			unsigned long size = index < 0 ? -index : index;

			seq_printf(m, "%s%lu.%03lu ", index < 0 ? "-" : "", size / 1000,
				   size % 1000);
		}
		seq_putc(m, '\n');
	}
	return 0;
}

/* ---- zoneinfo ----------------------------------------------------------------------------- */

/* Pages of one LRU list of a node; before lab 5 there are no such lists. */
static unsigned long lru_pages(int nid, enum lru_list lru)
{
	const struct node_reclaim *reclaim = NODE_DATA(nid)->reclaim;

	return reclaim ? READ_ONCE(reclaim->lruvec.nr[lru]) : 0;
}

static const struct {
	const char *name;
	enum lru_list lru;
} lru_names[] = {
	{ "inactive_anon", LRU_INACTIVE_ANON }, { "active_anon", LRU_ACTIVE_ANON },
	{ "inactive_file", LRU_INACTIVE_FILE }, { "active_file", LRU_ACTIVE_FILE },
};

/* Events and counters that are the machine's, not kept by node: the first node shows them. */
static void show_machine_stats(struct seq_file *m)
{
	static const struct {
		const char *name;
		enum vm_stat_item item;
	} stats[] = {
		{ "nr_slab_reclaimable", NR_SLAB_RECLAIMABLE },
		{ "nr_slab_unreclaimable", NR_SLAB_UNRECLAIMABLE },
		{ "workingset_refault_anon", WORKINGSET_REFAULT_ANON },
		{ "workingset_refault_file", WORKINGSET_REFAULT_FILE },
		{ "workingset_activate_anon", WORKINGSET_ACTIVATE_ANON },
		{ "workingset_activate_file", WORKINGSET_ACTIVATE_FILE },
		{ "nr_anon_pages", NR_ANON_MAPPED }, { "nr_mapped", NR_FILE_MAPPED },
		{ "nr_file_pages", NR_FILE_PAGES }, { "nr_dirty", NR_FILE_DIRTY },
		{ "nr_writeback", NR_WRITEBACK }, { "nr_shmem", NR_SHMEM },
		{ "nr_kernel_stack", NR_KERNEL_STACK },
		{ "nr_page_table_pages", NR_PAGETABLE }, { "nr_swapcached", NR_SWAPCACHE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(stats); i++)
		seq_printf(m, "\n      %-12s %lu", stats[i].name, vm_stat_read(stats[i].item));
}

/* The lists are a node's. */
static void show_node_stats(struct seq_file *m, int nid)
{
	seq_puts(m, "\n  per-node stats");
	for (unsigned int i = 0; i < ARRAY_SIZE(lru_names); i++)
		seq_printf(m, "\n      nr_%-9s %lu", lru_names[i].name,
			   lru_pages(nid, lru_names[i].lru));
	seq_puts(m, "\n      nr_unevictable 0");
	if (nid == 0)
		show_machine_stats(m);
}

/* How much of the node's lists lies in @zone is known when the node has no other. */
static void show_zone_lists(struct seq_file *m, const struct zone *zone)
{
	const struct zone *other;
	unsigned int zones = 0;

	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		other = &NODE_DATA(zone->nid)->zones[type];
		zones += other->managed_pages != 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(lru_names) && zones == 1; i++)
		seq_printf(m, "\n      nr_zone_%s %lu", lru_names[i].name,
			   lru_pages(zone->nid, lru_names[i].lru));
}

static void show_pagesets(struct seq_file *m, const struct zone *zone)
{
	unsigned int cpu;

	seq_puts(m, "\n  pagesets");
	for_each_online_cpu(cpu) {
		const struct per_cpu_pages *pcp = zone->pcp ? &zone->pcp[cpu] : NULL;

		seq_printf(m, "\n    cpu: %u"
			   "\n              count: %ld"
			   "\n              high:  %d"
			   "\n              batch: %d",
			   cpu, pcp ? pcp_pages(pcp) : 0, pcp ? pcp->high : 0,
			   pcp ? pcp->batch : 0);
	}
}

static void show_zone(struct seq_file *m, const struct zone *zone)
{
	unsigned long free = READ_ONCE(zone->free_pages);

	seq_printf(m, "\n  pages free     %lu"
		   "\n        boost    0"
		   "\n        min      %lu"
		   "\n        low      %lu"
		   "\n        high     %lu"
		   "\n        spanned  %lu"
		   "\n        present  %lu"
		   "\n        managed  %lu"
		   "\n        cma      0",
		   free, zone->watermark[WMARK_MIN], zone->watermark[WMARK_LOW],
		   zone->watermark[WMARK_HIGH], zone->spanned_pages, zone->present_pages,
		   zone->managed_pages);
	seq_puts(m, "\n        protection: (");
	for (int type = 0; type < MAX_NR_ZONES; type++)
		seq_printf(m, "%s%lu", type ? ", " : "", zone->lowmem_reserve[type]);
	seq_printf(m, ")\n      nr_free_pages %lu", free);
	show_zone_lists(m, zone);
	show_pagesets(m, zone);
	seq_printf(m, "\n  node_unreclaimable:  0\n  start_pfn:           %lu\n",
		   (unsigned long)zone->start_pfn);
}

/* A node's figures stand with its first zone. */
static int show_zoneinfo(struct seq_file *m, void *data)
{
	struct zone *zone;
	int nid = -1;

	(void)data;
	for_each_zone(zone) {
		seq_printf(m, "Node %d, zone %8s", zone->nid, zone->name);
		if (zone->nid != nid)
			show_node_stats(m, zone->nid);
		nid = zone->nid;
		show_zone(m, zone);
	}
	return 0;
}

static int proc_zone_init(void)
{
	proc_create("buddyinfo", show_buddyinfo, NULL, NULL);
	proc_create("zoneinfo", show_zoneinfo, NULL, NULL);
	proc_create("extfrag_index", show_extfrag_index, NULL, NULL);
	return 0;
}
fs_initcall(proc_zone_init);
