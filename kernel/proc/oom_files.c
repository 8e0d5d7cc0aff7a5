/* /proc/<pid>/oom_score and oom_score_adj: how the OOM killer sees a process, and what it is asked to add. */
#include "proc/internal.h"
#include "base/initcall.h"
#include "fs/proc.h"
#include "lib/string.h"
#include "mm/reclaim/oom.h"

static int show_score(struct seq_file *m, struct process *p)
{
	struct oom_task task;

	oom_describe(p, &task);
	seq_printf(m, "%u\n", oom_score(&task));
	return 0;
}

static int show_adj(struct seq_file *m, struct process *p)
{
	seq_printf(m, "%d\n", READ_ONCE(p->oom_score_adj));
	return 0;
}

/* Who shares the memory dies with it, and so must not be judged differently. */
static int write_adj(const char *text, size_t n, struct process *p)
{
	struct process *other;
	int adj, err = kstrtoint(text, 10, &adj);

	(void)n;
	if (err)
		return err == -ERANGE ? -EINVAL : err;
	if (adj < OOM_SCORE_ADJ_MIN || adj > OOM_SCORE_ADJ_MAX)
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	WRITE_ONCE(p->oom_score_adj, adj);
	list_for_each_entry(other, &process_list, all)
		if (p->mm && other->mm == p->mm)
			WRITE_ONCE(other->oom_score_adj, adj);
	spin_unlock_irq(&tasklist_lock);
	return 0;
}

static int oom_files_init(void)
{
	proc_create_pid("oom_score", show_score, NULL);
	proc_create_pid("oom_score_adj", show_adj, write_adj);
	return 0;
}
fs_initcall(oom_files_init);
