/*
 * The LRU lists of a node: which pages may be given up, and in which order. lru.c is the student's [lab 5].
 */
#pragma once

#include "mm/phys/zone.h"

enum lru_list {
	LRU_INACTIVE_ANON,
	LRU_ACTIVE_ANON,
	LRU_INACTIVE_FILE,
	LRU_ACTIVE_FILE,
	NR_LRU_LISTS
};
#define LRU_ACTIVE	1		/* inactive list + LRU_ACTIVE = the active one of its kind */
#define LRU_FILE	LRU_INACTIVE_FILE

static inline bool lru_is_file(enum lru_list lru) { return lru >= LRU_FILE; }
static inline bool lru_is_active(enum lru_list lru) { return lru & LRU_ACTIVE; }

struct lruvec {
	spinlock_t lock;			/* irq-safe; inside it only zone->lock */
	struct list_head lists[NR_LRU_LISTS];	/* newest first: reclaim takes from the tail */
	unsigned long nr[NR_LRU_LISTS];		/* pages on each */
	unsigned long age;			/* pages evicted and activated: what refaults are timed by */
	unsigned long cost[2];			/* lately, of reclaiming anonymous [0] and file [1] pages */
	unsigned long private[8];		/* the implementation's own */
};

struct lruvec *node_lruvec(int nid);
struct lruvec *page_lruvec(const struct page *page);

/* Is it clean cache of a file, or does it go to swap? By what backs it, not by who maps it. */
static inline bool page_is_file_lru(const struct page *page) { return !PageSwapBacked(page); }

/* ---- lru.c [lab 5]; all take lruvec->lock, never called with it held ------------------------ */

/* Four empty lists. Boot. */
void lruvec_init(struct lruvec *lruvec);
/* A page enters memory: new, or read again after it was evicted. It holds a reference that outlives its
 * stay on the list. Any context but interrupts. */
void lru_add(struct page *page);
/* The page is being freed, or leaves its cache: off its list, if it is on one; one that is isolated is not. */
void lru_del(struct page *page);
/* The page was read through a system call: the second time it becomes active. One that is
 * isolated is only marked. Hardware's own marks are page_referenced()'s. */
void mark_page_accessed(struct page *page);
/* Its writeback ended and it was wanted: next in line to be reclaimed, if it is on an inactive list.
 * Any context. */
void rotate_reclaimable_page(struct page *page);
/*
 * Takes up to @nr pages of zones up to @highest off the cold end of a list, onto @to, each with a reference of
 * its own and without PG_lru. One without references is just being freed, and stays. *@scanned (if not
 * NULL) is how many were looked at. Returns how many were taken.
 */
unsigned long isolate_lru_pages(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
				enum zone_type highest, struct list_head *to, unsigned long *scanned);
/* Back onto the list that its flags say, at the hot end; drops isolate's reference. */
void putback_lru_page(struct page *page);
/* Should pages of this kind be moved from the active to the inactive list now? */
bool inactive_is_low(struct lruvec *lruvec, bool file);
/* Looks at up to @nr pages at the cold end of an active list, and moves those to the inactive list that have
 * not earned to stay. */
void shrink_active_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr,
			enum zone_type highest);
/* What to remember of a page that is being evicted, so that its return can be judged: not 0. Page locked. */
u32 workingset_eviction(struct page *page);
/* A page returns of which that was remembered: was it evicted too early? Then it goes to the active list. */
bool workingset_refault(struct page *page, u32 shadow);

/* ---- workingset.c, given: what is remembered of evicted pages ------------------------------- */

/* Which page it is, whether in memory or not: its file and index, or its swap entry. 0: none that lasts. */
u64 shadow_key(const struct page *page);
/* Any context. A full table forgets the oldest of a few; nothing remembered is 0. */
void shadow_store(u64 key, u32 shadow);
u32 shadow_take(u64 key);
void shadow_init(unsigned long pages);
