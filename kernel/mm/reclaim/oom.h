/*
 * The OOM killer: oom.c is the student's [lab 5]; the processes are shown to it, and killed, through oom_ops.
 */
#pragma once

#include "mm/phys/gfp.h"
#include "lib/types.h"

#define OOM_NEVER		(-__LONG_MAX__ - 1)	/* the badness of one that is not to be killed */
#define OOM_SCORE_ADJ_MIN	(-1000)
#define OOM_SCORE_ADJ_MAX	1000

/* A process, as it was when it was asked for. */
struct oom_task {
	pid_t pid;
	char comm[16];
	unsigned long total_vm;		/* pages of all its mappings */
	unsigned long rss_anon, rss_file;	/* pages in memory */
	unsigned long swapents;		/* pages in swap */
	unsigned long pgtables;		/* pages of page tables */
	int oom_score_adj;		/* -1000..1000: thousandths of all memory, added to its score */
	bool has_memory;		/* false: it has given back what it had */
	bool is_init;			/* must never die */
	bool dying;			/* was killed, by whomever, and has not gone yet */
	bool oom_victim;		/* was killed by oom_ops->kill */
	u64 victim_since_ns;		/* and when; ktime_get() */
};

struct oom_ops {
	/* The process with the lowest pid above @after: false: none is left. */
	bool (*next)(pid_t after, struct oom_task *task);
	/* SIGKILL for all its threads and for all that share its memory; they may use the reserves from now on.
	 * False: it has gone meanwhile. */
	bool (*kill)(pid_t pid);
	/* The current thread is dying: the reserves are for it, too. */
	void (*mark_current)(void);
};
extern const struct oom_ops *oom_ops;	/* registered by proc/ */

extern unsigned int sysctl_panic_on_oom;	/* 0: kill; 1: panic */

/* ---- oom.c [lab 5] -------------------------------------------------------------------------- */

/* How much would be had back by killing it, in pages of memory and of swap, adjusted: the higher, the likelier.
 * OOM_NEVER: not to be killed. @totalpages: all memory and swap. */
long oom_badness(const struct oom_task *task, unsigned long totalpages);
/*
 * An allocation of 2^@order pages cannot be served, and reclaim has nothing more. True: something was done
 * that will give memory back, or somebody else is at it: it has waited, try again. False: the allocation is
 * to fail, for @order is above 3, or the caller is to die and has had the reserves. With nobody to kill, or
 * panic_on_oom, it panics. Sleeps.
 */
bool out_of_memory(gfp_t gfp, unsigned int order);

/* ---- oom_report.c, given --------------------------------------------------------------------- */

/* What the machine looked like: who asked for how much, the memory of each zone, all processes. */
void oom_report(gfp_t gfp, unsigned int order);
void oom_report_kill(const struct oom_task *victim);
/* 0..2000 for /proc/<pid>/oom_score. */
unsigned int oom_score(const struct oom_task *task);
