/*
 * The files of /proc that make the kernel do something, drop_caches and sysrq-trigger; and how many
 * names and inodes are in memory.
 */
#include "arch/arch.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "fs/proc.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "task/kthread.h"

#define DROP_PAGES	1
#define DROP_OBJECTS	2
#define DROP_ROUNDS	32		/* while others fill the caches again, there is no end */

/*
 * Frees everything that is only kept because it might be wanted again: clean cache pages, unused
 * dentries and inodes, spare stacks, per-CPU pages, empty slabs. Nothing is written: sync first.
 * Freeing one kind makes another free (a dentry held its parent and its inode, an inode its
 * pages), hence the loop. Two drops with the same programs running leave the same MemFree, which
 * tests rely on to find leaks.
 */
static void drop_caches(unsigned long what)
{
	unsigned long freed = 1;

	for (int i = 0; freed && i < DROP_ROUNDS; i++) {
		freed = 0;
		if (what & DROP_PAGES)
			freed += drop_pagecache();
		if (what & DROP_OBJECTS)
			freed += dcache_shrink(~0UL) + icache_shrink(~0UL);
	}
	stack_cache_drain();
	kmem_cache_shrink_all();
	drain_all_pages();
}

static int write_drop_caches(const char *text, size_t n, void *data)
{
	unsigned long what;
	int err = kstrtoul(text, 10, &what);

	(void)n;
	(void)data;
	if (err)
		return err;
	if (what < 1 || what > 3)
		return -EINVAL;
	drop_caches(what);
	return 0;
}

static int show_inodes(struct seq_file *m, void *data)
{
	(void)data;
	seq_printf(m, "%lu %lu\n", nr_inodes(), nr_unused_inodes());
	return 0;
}

static int show_dentries(struct seq_file *m, void *data)
{
	(void)data;
	seq_printf(m, "%lu %lu 45 0 0 0\n", nr_dentries(), nr_unused_dentries());
	return 0;
}

static void show_threads(void)
{
	static const char states[] = "RSDKTXN";		/* enum thread_state */
	unsigned long flags;
	struct thread *t;

	pr_info("  tid state cpu  name\n");
	spin_lock_irqsave(&thread_list_lock, flags);
	list_for_each_entry(t, &thread_list, all_node)
		pr_info("%5d   %c   %3u  %s\n", t->tid, states[min((unsigned int)t->state, 6U)],
			t->head.cpu, t->comm);
	spin_unlock_irqrestore(&thread_list_lock, flags);
}

static int write_sysrq(const char *text, size_t n, void *data)
{
	(void)n;
	(void)data;
	switch (text[0]) {
	case 'b':
		arch_reboot();
	case 'c':
		panic("sysrq triggered crash");
	case 'o':
		sync_all();
		arch_poweroff();
	case 's':
		sync_all();
		return 0;
	case 't':
		show_threads();
		return 0;
	default:
		return -EINVAL;
	}
}

static int proc_control_init(void)
{
	proc_create("sys/vm/drop_caches", NULL, write_drop_caches, NULL);
	proc_create("sys/fs/inode-nr", show_inodes, NULL, NULL);
	proc_create("sys/fs/dentry-state", show_dentries, NULL, NULL);
	proc_create("sysrq-trigger", NULL, write_sysrq, NULL);
	return 0;
}
fs_initcall(proc_control_init);
