/* The front of the page allocator: the same for all stages. */
#pragma once

#include "mm/phys/zone.h"

/* 2^order contiguous pages with reference count 1, or NULL (logged unless __GFP_NOWARN). With
 * __GFP_DIRECT_RECLAIM may sleep; else any context. LAB=1 serves order 0 only. */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order);
#define alloc_page(gfp) alloc_pages(gfp, 0)
/* Drops one reference, frees at zero. @order as allocated. A bad page is refused. Any context. */
void __free_pages(struct page *page, unsigned int order);
#define __free_page(page) __free_pages(page, 0)
/* The same by direct-map address: 0 / nothing for NULL. */
void *__get_free_pages(gfp_t gfp, unsigned int order);
#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define get_zeroed_page(gfp) __get_free_pages((gfp) | __GFP_ZERO, 0)
void free_pages(void *addr, unsigned int order);
#define free_page(addr) free_pages(addr, 0)

/* @size bytes in whole pages, contiguous, from a block whose unused end is given back at once;
 * NULL: no block that large. Not __GFP_COMP. Freed by free_pages_exact() with the same size, or
 * page by page. */
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *addr, size_t size);
/* Makes a block just allocated into 2^@order single pages, each with a reference of its own. */
void split_page(struct page *page, unsigned int order);

/* Reports a page that was freed or found in a state it cannot be in; nothing is changed. */
void bad_page(struct page *page, const char *reason);

/* What to do when memory runs low: registered by mm/reclaim. */
struct pressure_ops {
	/* Starts background work; any context. */
	void (*wake)(struct zone *zone, unsigned int order);
	/* Frees pages, may sleep; how many. */
	unsigned long (*reclaim)(struct zone *zone, gfp_t gfp, unsigned int order);
	/* Last resort; true: something was done, try again. */
	bool (*oom)(gfp_t gfp, unsigned int order);
};
void page_alloc_set_pressure_ops(const struct pressure_ops *ops);

/*
 * What the owner of a page above must do when its last reference goes: drop the anon_vma, take an
 * anonymous page off its LRU list. Registered by mm/vm; who registers later calls the one before.
 * Any context, spinlocks of upper layers may be held.
 */
extern void (*page_free_hook)(struct page *page);

unsigned long nr_free_pages(void);	/* core and per-CPU lists */
unsigned long totalram_pages(void);
unsigned long pcp_events(bool frees);	/* pages that passed the per-CPU lists, for vm_stat_read() */
void drain_all_pages(void);		/* per-CPU lists back to the cores; may sleep */
void mem_init(void);			/* page_init, watermarks, statistics; called by main */
