/*
 * Swap entries and who refers to them.
 *
 * A swap entry is what a page-table entry holds instead of a frame while the page is on a swap area: which
 * area (type) and which page of it (offset; 0 is the area's header, so no entry is 0).
 *
 * Each area has a map with a number per slot: how many page-table entries hold the slot's entry, and a bit
 * that says the swap cache (mm/cache/swap_cache.c) has the page, too. A slot is free when both are gone.
 * Only numbers live here, below the block layer; what reads and writes slots is above.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

#define MAX_SWAPFILES	4
#define SWAP_TYPE_SHIFT	44	/* 50 bits of a page-table entry are software's */

typedef struct {
	unsigned long val;	/* 0: none */
} swp_entry_t;

static inline swp_entry_t swp_entry(unsigned int type, pgoff_t offset)
{
	return (swp_entry_t){ (unsigned long)type << SWAP_TYPE_SHIFT | offset };
}
static inline unsigned int swp_type(swp_entry_t entry) { return entry.val >> SWAP_TYPE_SHIFT; }
static inline pgoff_t swp_offset(swp_entry_t entry)
{
	return entry.val & ((1UL << SWAP_TYPE_SHIFT) - 1);
}

#define SWAP_HAS_CACHE	0x8000		/* in a slot's number */
#define SWAP_MAP_BAD	0x7fff		/* never to be used: from the header, or a write failed */
#define SWAP_MAP_MAX	0x7ffe		/* page-table entries that can hold one entry */

struct swap_area {
	bool active;		/* entries of it may exist */
	bool writeok;		/* new ones may be given out */
	u16 *map;
	u8 *retire;		/* bit per slot: write failed, becomes SWAP_MAP_BAD when free */
	pgoff_t max;		/* slots, the header's included */
	unsigned long pages, inuse;	/* usable slots; of them not free */
	pgoff_t next;		/* where the next free one is looked for */
	int prio;		/* higher is used first */
	char name[32];		/* for /proc/swaps */
	void *private;		/* mm/cache/swapfile.c */
};

extern struct swap_area swap_areas[MAX_SWAPFILES];

/*
 * All of these may be called in any context but interrupts (swap_retire: there, too); they take swap_lock, a
 * spinlock that is innermost but for printk.
 */

/* Makes an area usable whose map, retire, max, pages, prio and name are set: its type, or -EPERM when there
 * are MAX_SWAPFILES already. A prio below 0 becomes one below that of all others: the first come is the first
 * served. */
int swap_area_add(const struct swap_area *area);
/* No new entries from now on (or again). */
void swap_area_set_writeok(unsigned int type, bool writeok);
/* Forgets an area of which no slot is in use; -EBUSY otherwise. */
int swap_area_del(unsigned int type);

/* A free slot, marked SWAP_HAS_CACHE, of the area with the highest priority; .val 0: none is left. */
swp_entry_t get_swap_slot(void);
/* One more page-table entry holds @entry: 0, -EINVAL when it is nobody's, -ENOMEM when it has too many. */
int swap_duplicate(swp_entry_t entry);
/* One fewer. If that was the last and the swap cache has the page, it is told through swap_orphan_hook. A
 * spinlock may be held (page_table_lock is). */
void swap_free(swp_entry_t entry);
/* The swap cache is about to take @entry's page in: 0, -EEXIST when it has it, -ENOENT when nobody holds it. */
int swapcache_prepare(swp_entry_t entry);
/* The swap cache lets go of it. */
void swapcache_free(swp_entry_t entry);
/* Page-table entries that hold it. */
unsigned int swap_count(swp_entry_t entry);
/* Nothing is written to this slot any more once it is free. Any context. */
void swap_retire(swp_entry_t entry);

extern void (*swap_orphan_hook)(swp_entry_t entry);

/* Pages of all areas that are in use, and those that could still be taken. */
unsigned long total_swap_pages(void);
unsigned long nr_swap_pages(void);
