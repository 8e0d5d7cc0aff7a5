/*
 * Zones and nodes. A zone is a range of frames with one lock and one page core; a node is the
 * memory near some CPUs.
 */
#pragma once

#include "mm/phys/page.h"
#include "mm/phys/gfp.h"
#include "base/spinlock.h"

#define MAX_NUMNODES	8
#define MAX_ORDER	10		/* largest order: 4 MiB blocks */
#define NR_ORDERS	(MAX_ORDER + 1)

enum zone_type { ZONE_DMA32, ZONE_NORMAL, MAX_NR_ZONES };
enum zone_watermark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };

struct free_area {
	struct list_head free_list;
	unsigned long nr_free;		/* blocks */
};

struct zone {
	spinlock_t lock;		/* irq-safe; innermost but for printk */
	struct free_area free_area[NR_ORDERS];	/* the page core's; the freelist core uses [0] */
	unsigned long free_pages;	/* pages in the core; under lock */
	pfn_t start_pfn;
	unsigned long spanned_pages;	/* end - start, holes included */
	unsigned long present_pages;	/* RAM */
	unsigned long managed_pages;	/* given to the core at boot */
	unsigned long watermark[NR_WMARK];	/* pages */
	unsigned long lowmem_reserve[MAX_NR_ZONES];	/* pages kept from requests for that zone */
	enum zone_type type;
	int nid;
	const char *name;		/* "DMA32", "Normal" */
	void *pcp;			/* lab 2: per-CPU lists */
	unsigned long private[8];	/* the core's own, for other right designs */
};

struct pglist_data {
	struct zone zones[MAX_NR_ZONES];
	int nid;
	bool online;
	pfn_t start_pfn;
	unsigned long spanned_pages, present_pages;
	void *reclaim;			/* mm/reclaim's per-node state */
};

extern struct pglist_data node_data[MAX_NUMNODES];
#define NODE_DATA(nid)	(&node_data[nid])
extern unsigned int nr_nodes;

#define for_each_zone(zone) \
	for (unsigned int _n = 0; _n < nr_nodes; _n++) \
		for (unsigned int _z = 0; _z < MAX_NR_ZONES; _z++) \
			if (((zone) = &node_data[_n].zones[_z])->managed_pages)

static inline struct zone *page_zone(const struct page *page)
{
	return &node_data[page->flags >> PAGE_NODE_SHIFT]
		.zones[(page->flags >> PAGE_ZONE_SHIFT) & 3];
}

/* ---- the page core: freelist.c [lab 1] or buddy.c [lab 2]; zone->lock held, interrupts off --- */
void zone_core_init(struct zone *zone);
void zone_core_free(struct zone *zone, struct page *page, unsigned int order);
struct page *zone_core_alloc(struct zone *zone, unsigned int order);

/* ---- zonelist.c [lab 2], stubs in lab 1 ------------------------------------------------ */
/* First zone of the request's list that may serve it at this watermark; NULL if none. */

/* ---- page_init.c [lab 1] ---------------------------------------------------------------- */
/* Initialises the page array and the zones from memblock and gives all free memory to the cores. */
void page_init(void);
