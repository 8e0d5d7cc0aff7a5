/* /proc/<pid>/: one process, in Linux's formats (proc(5)). */
#include "proc/internal.h"
#include "base/initcall.h"
#include "debug/fault_inject.h"
#include "fs/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"

static char process_state(const struct process *p)
{
	struct task *t;

	if (p->zombie)
		return 'Z';
	if (p->stopped)
		return 'T';
	t = list_first_entry_or_null(&p->threads, struct task, group_node);
	if (!t || READ_ONCE(t->thread.state) == TASK_RUNNING)
		return 'R';
	return READ_ONCE(t->thread.state) == TASK_INTERRUPTIBLE ? 'S' : 'D';
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R': return "R (running)";
	case 'S': return "S (sleeping)";
	case 'T': return "T (stopped)";
	case 'Z': return "Z (zombie)";
	default: return "D (disk sleep)";
	}
}

/* What several files show; gathered under the locks, printed without them. */
struct snapshot {
	char state;
	pid_t ppid, pgid, sid;
	unsigned int threads;
	u64 utime_ns, stime_ns;
	sigset_t pending, shared, blocked, ignored, caught;
	unsigned long voluntary, involuntary;
	unsigned int cpu;
};

static void take_snapshot(struct process *p, struct snapshot *s)
{
	struct task *t;

	memset(s, 0, sizeof(*s));
	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	s->state = process_state(p);
	s->ppid = p->parent ? p->parent->pid : 0;
	s->pgid = p->pgid;
	s->sid = p->sid;
	s->threads = p->nr_threads;
	s->utime_ns = p->utime_ns;
	s->stime_ns = p->stime_ns;
	s->shared = p->shared_pending.set;
	list_for_each_entry(t, &p->threads, group_node) {
		u64 utime, stime;

		thread_cputime(&t->thread, &utime, &stime);
		s->utime_ns += utime;
		s->stime_ns += stime;
		s->pending |= t->pending.set;
		s->blocked = t->blocked;
		s->voluntary += t->thread.nvcsw;
		s->involuntary += t->thread.nivcsw;
		s->cpu = t->thread.head.cpu;
	}
	for (int sig = 1; sig <= _NSIG && !p->zombie; sig++) {
		unsigned long handler = p->sighand->action[sig - 1].handler;

		if (handler == SIG_IGN)
			s->ignored |= sigmask(sig);
		else if (handler != SIG_DFL)
			s->caught |= sigmask(sig);
	}
	spin_unlock(&p->sig_lock);
	spin_unlock_irq(&tasklist_lock);
}

static unsigned long kb(unsigned long pages)
{
	return pages << (PAGE_SHIFT - 10);
}

static unsigned long rss_pages(struct mm *mm)
{
	return max(atomic_read(&mm->rss_anon), 0L) + max(atomic_read(&mm->rss_file), 0L);
}

/* Pages of the vmas that have all flags in @with and none in @without. */
static unsigned long vma_pages(struct mm *mm, unsigned long with, unsigned long without)
{
	unsigned long pages = 0;
	struct vma *vma;

	mutex_lock(&mm->mmap_lock);
	for_each_vma(mm, vma)
		if ((vma->flags & with) == with && !(vma->flags & without))
			pages += (vma->end - vma->start) >> PAGE_SHIFT;
	mutex_unlock(&mm->mmap_lock);
	return pages;
}

static void show_memory(struct seq_file *m, struct mm *mm)
{
	unsigned long rss = rss_pages(mm);

	seq_printf(m, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8lu kB\n",
		   kb(max(mm->hiwater_vm, mm->total_pages)), kb(mm->total_pages), 0UL, 0UL);
	seq_printf(m, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n",
		   kb(max(mm->hiwater_rss, rss)), kb(rss),
		   kb(max(atomic_read(&mm->rss_anon), 0L)), kb(max(atomic_read(&mm->rss_file), 0L)));
	seq_printf(m, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmPTE:\t%8lu kB\n"
		   "VmSwap:\t%8lu kB\n",
		   kb(vma_pages(mm, VM_WRITE, VM_SHARED | VM_GROWSDOWN)),
		   kb(vma_pages(mm, VM_GROWSDOWN, 0)), (mm->end_code - mm->start_code) >> 10,
		   kb(max(atomic_read(&mm->pgtables), 0L)), kb(max(atomic_read(&mm->swapents), 0L)));
}

static int show_status(struct seq_file *m, struct process *p)
{
	struct mm *mm = get_process_mm(p);
	struct snapshot s;

	take_snapshot(p, &s);
	seq_printf(m, "Name:\t%s\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n", p->comm,
		   state_name(s.state), p->pid, p->pid, s.ppid);
	seq_puts(m, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	if (mm) {
		show_memory(m, mm);
		mm_put(mm);
	}
	seq_printf(m, "Threads:\t%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", s.threads,
		   s.pending, s.shared, s.blocked);
	seq_printf(m, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", s.ignored, s.caught);
	seq_printf(m, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		   s.voluntary, s.involuntary);
	return 0;
}

static u64 clock_ticks(u64 ns)
{
	return ns / 10000000;
}

static int show_stat(struct seq_file *m, struct process *p)
{
	struct mm *mm = get_process_mm(p);
	struct snapshot s;

	take_snapshot(p, &s);
	seq_printf(m, "%d (%s) %c %d %d %d 0 -1 0 %lu 0 %lu 0 ", p->pid, p->comm, s.state, s.ppid,
		   s.pgid, s.sid, p->min_flt, p->maj_flt);
	seq_printf(m, "%lu %lu %lu %lu 20 0 %u 0 %lu ", clock_ticks(s.utime_ns),
		   clock_ticks(s.stime_ns), clock_ticks(p->cutime_ns), clock_ticks(p->cstime_ns),
		   s.threads, clock_ticks(p->start_ns));
	seq_printf(m, "%lu %lu %lu %lu %lu %lu 0 0 ", mm ? mm->total_pages * PAGE_SIZE : 0,
		   mm ? rss_pages(mm) : 0, ~0UL, mm ? mm->start_code : 0, mm ? mm->end_code : 0,
		   mm ? mm->start_stack : 0);
	seq_printf(m, "%lu %lu %lu %lu 0 0 0 %d %u 0 0 0 0 0 ", s.pending, s.blocked, s.ignored,
		   s.caught, p->exit_signal, s.cpu);
	seq_printf(m, "%lu %lu %lu %lu %lu %lu %lu %d\n", mm ? mm->start_data : 0,
		   mm ? mm->end_data : 0, mm ? mm->start_brk : 0, mm ? mm->arg_start : 0,
		   mm ? mm->arg_end : 0, mm ? mm->env_start : 0, mm ? mm->env_end : 0,
		   p->exit_code);
	if (mm)
		mm_put(mm);
	return 0;
}

static int show_statm(struct seq_file *m, struct process *p)
{
	struct mm *mm = get_process_mm(p);

	if (!mm) {
		seq_puts(m, "0 0 0 0 0 0 0\n");
		return 0;
	}
	seq_printf(m, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_pages, rss_pages(mm),
		   max(atomic_read(&mm->rss_file), 0L), (mm->end_code - mm->start_code) >> PAGE_SHIFT,
		   vma_pages(mm, VM_WRITE, VM_SHARED));
	mm_put(mm);
	return 0;
}

/* argv and the environment as they are in the process's memory now. */
static int show_user_range(struct seq_file *m, struct process *p, bool environment)
{
	struct mm *mm = get_process_mm(p);
	unsigned long at, end;
	char chunk[128];

	if (!mm)
		return 0;
	at = environment ? mm->env_start : mm->arg_start;
	end = environment ? mm->env_end : mm->arg_end;
	while (at < end) {
		size_t n = access_process_vm(mm, at, chunk, min(end - at, sizeof(chunk)), false);

		for (size_t i = 0; i < n; i++)
			seq_putc(m, chunk[i]);
		if (!n)
			break;
		at += n;
	}
	mm_put(mm);
	return 0;
}

static int show_cmdline(struct seq_file *m, struct process *p)
{
	return show_user_range(m, p, false);
}

static int show_environ(struct seq_file *m, struct process *p)
{
	return show_user_range(m, p, true);
}

static int show_comm(struct seq_file *m, struct process *p)
{
	seq_printf(m, "%s\n", p->comm);
	return 0;
}

/* For the calling thread only: who else would know how far it is? */
static int show_fail_nth(struct seq_file *m, struct process *p)
{
	if (p != current_process())
		return -EPERM;
	seq_printf(m, "%u\n", *fail_nth_of_current());
	return 0;
}

static int write_fail_nth(const char *text, size_t n, struct process *p)
{
	unsigned long nth;
	int err = kstrtoul(text, 0, &nth);

	(void)n;
	if (err || nth > ~0U)
		return -EINVAL;
	if (p != current_process())
		return -EPERM;
	*fail_nth_of_current() = nth;
	return 0;
}

static int link_exe(struct process *p, char *buf, size_t n)
{
	struct mm *mm = get_process_mm(p);
	int ret = -ENOENT;

	if (!mm)
		return ret;
	if (mm->exe)
		ret = mm->exe->ops->name(mm->exe, buf, n);
	mm_put(mm);
	return ret < 0 ? ret : (int)strlen(buf);
}

/* The path of the first thread's working directory. */
static int link_cwd(struct process *p, char *buf, size_t n)
{
	struct fs_struct *fs = NULL;
	struct dentry *cwd;
	struct task *t;
	char *path;

	spin_lock_irq(&tasklist_lock);
	t = list_first_entry_or_null(&p->threads, struct task, group_node);
	if (t && t->fs) {
		fs = t->fs;
		atomic_inc(&fs->refs);
	}
	spin_unlock_irq(&tasklist_lock);
	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);	/* not within tasklist_lock, which interrupts take */
	cwd = dget(fs->cwd);
	spin_unlock(&fs->lock);
	fs_put(fs);
	path = d_path(cwd, buf, n);
	if (!IS_ERR(path))
		memmove(buf, path, strlen(path) + 1);
	dput(cwd);
	return IS_ERR(path) ? (int)PTR_ERR(path) : (int)strlen(buf);
}

static pid_t next_pid(pid_t after)
{
	struct process *p;
	pid_t best = 0;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all)
		if (p->pid > after && (!best || p->pid < best))
			best = p->pid;
	spin_unlock_irq(&tasklist_lock);
	return best;
}

static pid_t self_pid(void)
{
	return current_thread()->user ? current_process()->pid : 0;
}

static const struct proc_pid_ops pid_ops = {
	.next = next_pid,
	.get = find_get_process,
	.put = process_put,
	.self = self_pid,
};

static int pidfiles_init(void)
{
	proc_set_pid_ops(&pid_ops);
	proc_create_pid("status", show_status, NULL);
	proc_create_pid("stat", show_stat, NULL);
	proc_create_pid("statm", show_statm, NULL);
	proc_create_pid("cmdline", show_cmdline, NULL);
	proc_create_pid("environ", show_environ, NULL);
	proc_create_pid("comm", show_comm, NULL);
	if (HAS_FAULT_INJECTION)
		proc_create_pid("fail-nth", show_fail_nth, write_fail_nth);
	proc_create_pid_link("exe", link_exe);
	proc_create_pid_link("cwd", link_cwd);
	return 0;
}
fs_initcall(pidfiles_init);
