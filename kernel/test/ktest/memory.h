/*
 * A machine for the tests of reclaim: pages of files and of processes, page tables, a disk, a swap area and
 * processes to kill, all made up; under the names that lru.c, vmscan.c and oom.c use.
 *
 * What is true is kept apart from what the code under test does: each page of a file or process has a version,
 * which grows when it is written. Memory, disk and swap each remember the version that they hold, so a page that
 * is lost, or comes back old, is seen at once, and by whose fault.
 *
 * Time passes only here: a write that was started ends at the next memory_disk_works(), or when somebody waits.
 */
#pragma once

#include "test/ktest/world.h"
#include "mm/reclaim/reclaim.h"
#include "mm/reclaim/oom.h"

#define MEMORY_FILES	8
#define MEMORY_SHARED	(MEMORY_FILES - 1)	/* no file is behind this one: it is memory that programs share */
#define MEMORY_TASKS	16

/* One node with one zone of @pages pages (watermarks: 1/16, 1/12, 1/8 of it), none in use; @slots of swap. Once a
 * test. kswapd runs within the calls below, after whatever woke it. */
void memory_world(unsigned long pages, unsigned long slots);
struct zone *memory_zone(void);
struct node_reclaim *memory_node(void);
/* 2^shift pages per file or process; before the first is used. */
#define MEMORY_PAGES	(1UL << 14)

/* Reads or writes page @index of @file through a system call; makes it the student's memory if it is not there.
 * True: it was there. */
bool memory_read(unsigned int file, pgoff_t index);
bool memory_write(unsigned int file, pgoff_t index);
/* A program touches the page through a mapping: it is mapped from then on. @exec: text. */
bool memory_map(unsigned int file, pgoff_t index, bool exec);
/* A process touches page @index of its own memory. */
bool memory_touch(unsigned int task, pgoff_t index, bool write);
/* Another process has the same page, as after a fork: one more mapping. */
void memory_share(struct page *page);
/* A clean page that nobody maps leaves the file. */
void memory_truncate(unsigned int file, pgoff_t index);
/* The page, if it is in memory; no reference is taken. */
struct page *memory_file_page(unsigned int file, pgoff_t index);
struct page *memory_task_page(unsigned int task, pgoff_t index);
/* The process ends: its pages and slots are given back. */
void memory_exit(unsigned int task);

/* Writes that are under way end. */
void memory_disk_works(void);
/* Somebody else takes a reference, as a system call under way does; and drops it. */
void memory_pin(struct page *page);
void memory_unpin(struct page *page);
/* The page is locked by somebody else. */
void memory_lock(struct page *page, bool locked);
/* A clean page is all there is: no allocation can start I/O (GFP_NOIO) etc.: what memory_*() allocate with. */
extern gfp_t memory_gfp;
/* Does kswapd run? Otherwise whoever is short of memory reclaims directly. */
extern bool memory_kswapd_runs;
/* Does the flusher, when it is woken? */
extern bool memory_flusher_runs;
/* Writes end at once, as on a RAM disk. */
extern bool memory_fast_disk;
/* Writes end with an error. */
extern bool memory_bad_disk;

struct memory_stats {
	unsigned long hits, misses;
	unsigned long writes, swap_writes;	/* pages that were written */
	unsigned long reads, swap_reads;
	unsigned long evicted_file, evicted_anon;
	unsigned long flusher_wakes, waits, failed;	/* allocations that found nothing */
	unsigned long kswapd_runs, direct_runs;
	unsigned long scanned_references, scanned_anon;	/* page_referenced() calls, of processes' pages */
	unsigned long slab_scans;
	unsigned long unmaps;
};
extern struct memory_stats memory_stats;

/*
 * Is all as it must be between two operations? Pages in memory and free pages make up the machine; none is
 * locked or has a reference too many; what is in memory is marked PG_lru; the counts of the lists and of
 * vm_stat agree with the pages; no slot is lost. NULL, or what is wrong.
 */
const char *memory_check(void);
unsigned long memory_free(void);
/* Is kswapd's thread awake, or about to be? It was woken, or had no reason to go to sleep. */
bool memory_kswapd_awake(void);

/*
 * Several CPUs: as ktest_on_cpus(). All may make the calls above meanwhile, but a process belongs to one CPU, and files
 * and processes must have been used before: that makes room for what is known of them.
 */
void memory_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg);
bool memory_smp(void);
/*
 * Or one CPU that plays two: this is called when the code under test has released a spinlock or a mutex, looked at a
 * watermark or a process, or is about to take a mutex. Never within itself.
 */
extern void (*memory_other_cpu)(void);
void memory_let_others_in(void);
unsigned long memory_resident(unsigned int file);

/* Processes for the OOM killer: a table that the test fills. */
extern struct oom_task memory_tasks[MEMORY_TASKS];
extern unsigned int memory_kills, memory_marks;	/* calls of oom_ops */
extern unsigned int memory_reports, memory_kill_reports;
extern pid_t memory_killed;			/* the last */
/* Called when somebody sleeps: time passes. */
extern void (*memory_sleep_hook)(void);
/* The current thread has a fatal signal. */
void memory_current_dies(bool dies);
void memory_tasks_init(void);			/* memory_world() does it */
