/* What the OOM killer says, in Linux's words. */
#include "mm/reclaim/oom.h"
#include "base/panic.h"
#include "mm/cache/swap.h"
#include "mm/phys/pcp.h"
#include "mm/phys/vmstat.h"

const struct oom_ops *oom_ops;
unsigned int sysctl_panic_on_oom;

#define KB(pages)	((pages) << (PAGE_SHIFT - 10))

static void show_memory(void)
{
	struct zone *zone;

	pr_warn("Mem-Info:\n");
	pr_warn("active_anon:%lu inactive_anon:%lu active_file:%lu inactive_file:%lu dirty:%lu writeback:%lu\n",
		vm_stat_read(NR_ACTIVE_ANON), vm_stat_read(NR_INACTIVE_ANON), vm_stat_read(NR_ACTIVE_FILE),
		vm_stat_read(NR_INACTIVE_FILE), vm_stat_read(NR_FILE_DIRTY), vm_stat_read(NR_WRITEBACK));
	pr_warn("slab_reclaimable:%lu slab_unreclaimable:%lu mapped:%lu shmem:%lu pagetables:%lu free:%lu\n",
		vm_stat_read(NR_SLAB_RECLAIMABLE), vm_stat_read(NR_SLAB_UNRECLAIMABLE),
		vm_stat_read(NR_FILE_MAPPED), vm_stat_read(NR_SHMEM), vm_stat_read(NR_PAGETABLE),
		nr_free_pages());
	for_each_zone(zone)
		pr_warn("Node %d %s free:%lukB min:%lukB low:%lukB high:%lukB managed:%lukB free_pcp:%lukB\n",
			zone->nid, zone->name, KB(zone->free_pages), KB(zone->watermark[WMARK_MIN]),
			KB(zone->watermark[WMARK_LOW]), KB(zone->watermark[WMARK_HIGH]),
			KB(zone->managed_pages), KB(pcp_count(zone)));
	pr_warn("Free swap  = %lukB\nTotal swap = %lukB\n", KB(nr_swap_pages()), KB(total_swap_pages()));
}

static void show_tasks(void)
{
	struct oom_task task;

	pr_warn("Tasks state (memory values in pages):\n");
	pr_warn("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n");
	for (pid_t pid = 0; oom_ops->next(pid, &task); pid = task.pid)
		if (task.has_memory)
			pr_warn("[%7d] %5d %5d %8lu %8lu %8lu %8lu         %5d %s\n", task.pid, 0, task.pid,
				task.total_vm, task.rss_anon + task.rss_file, task.pgtables << PAGE_SHIFT,
				task.swapents, task.oom_score_adj, task.comm);
}

void oom_report(gfp_t gfp, unsigned int order)
{
	pr_warn("%s invoked oom-killer: gfp_mask=%#x, order=%u\n", current_thread()->comm, gfp, order);
	dump_stack();
	show_memory();
	show_tasks();
}

void oom_report_kill(const struct oom_task *victim)
{
	pr_err("Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, "
	       "shmem-rss:0kB, UID:0 pgtables:%lukB oom_score_adj:%d\n", victim->pid, victim->comm,
	       KB(victim->total_vm), KB(victim->rss_anon), KB(victim->rss_file), KB(victim->pgtables),
	       victim->oom_score_adj);
}

unsigned int oom_score(const struct oom_task *task)
{
	unsigned long total = totalram_pages() + total_swap_pages();
	long points = oom_badness(task, total);

	if (points == OOM_NEVER)
		return 0;
	/* As Linux scales it: 0 for nothing at -1000, 666 for nothing at 0, up to 2000. */
	return max(1000 + points * 1000 / (long)total, 0L) * 2 / 3;
}
