/*
 * The oracle: what was handed out, written down by the harness and by nobody else.
 *
 * One byte for every frame of the world says whose it is (a zone, or nobody's) and one whether it is
 * live. Both are filled from what the world was built of and from the blocks that pass by; nothing is
 * ever read from a list, flag or counter that the code under test keeps. Every check answers with
 * NULL or with a sentence.
 *
 * What may be asked of any right page core, whatever its design:
 *
 *	- a block handed out lies in its zone, is aligned to its size and overlaps no live one
 *	- a request fails only if no free, aligned block of that size exists in the zone
 *	- after everything was freed, taking it all, largest blocks first, gives the same number of
 *	  blocks of each size as the map of memory allows: that is what coalescing means
 *
 * Takes no lock: live bytes change atomically, so that the CPUs of an SMP test may share it.
 */
#pragma once

#include "test/ktest/world.h"

struct oracle {
	pfn_t first;
	unsigned long pages;
	u8 *zone_of;			/* 0: nobody's; else nid * MAX_NR_ZONES + type + 1 */
	u32 *live;
	unsigned long free_pages[MAX_NUMNODES * MAX_NR_ZONES + 1];	/* by zone; atomic */
	unsigned int max_order;		/* of the core: 0 for a freelist */
	char text[4][160];
	unsigned int next_text;
};

/* Maps the world as world_build() has just made it from these @ranges. */
void oracle_init(struct oracle *o, const struct world_range *ranges, unsigned int n,
		 unsigned int max_order);
/* @zone gave @page for a request of @order (zone NULL: any); any CPU. */
const char *oracle_took(struct oracle *o, const struct zone *zone, const struct page *page,
			unsigned int order);
/* The block is about to be freed. */
const char *oracle_gave(struct oracle *o, const struct page *page, unsigned int order);
/* Was it right to refuse? One CPU only. */
const char *oracle_refused(struct oracle *o, const struct zone *zone, unsigned int order);
/* Frames of @zone that are not live. */
unsigned long oracle_free_pages(const struct oracle *o, const struct zone *zone);
/*
 * With nothing live: takes all of @zone from the core, largest first, checks every block and how
 * many there are of each order, and gives all back. One CPU only.
 */
const char *oracle_drain_and_refill(struct oracle *o, struct zone *zone);
