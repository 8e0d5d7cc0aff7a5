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

/* ---- the page core: freelist.c [lab 1] or buddy.c [lab 2]; zone->lock held, interrupts off ----
 * A free of a page that is free already, reserved or of another zone is refused: bad_page(), and
 * nothing changes. */
void zone_core_init(struct zone *zone);
void zone_core_free(struct zone *zone, struct page *page, unsigned int order);
struct page *zone_core_alloc(struct zone *zone, unsigned int order);

/* ---- page_init.c [lab 1] ------------------------------------------------------------------ */
/* Initialises the page array and the zones from memblock and gives all free memory to the cores. */
void page_init(void);

/* ---- zonelist.c [lab 2]; the stubs of lab 1 are in zonelist_stub.c ------------------------ */
/* A walk over the zones that may serve a request, best first. */
struct zonelist_cursor {
	gfp_t gfp;
	int nid;			/* the node that the request prefers */
	unsigned int step;		/* the implementation's: how far the walk is */
};
/* After page_init() and zone_init_watermarks(): fallback order and lowmem_reserve of every zone. */
void zonelist_init(void);
/* First and next zone with managed pages for @gfp seen from node @nid; NULL at the end. No lock;
 * any context. */
struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp);
struct zone *zonelist_next(struct zonelist_cursor *cursor);
/* May a block of @order be taken for @gfp without @zone falling below @mark? Takes no lock, so the
 * answer may be stale when it arrives. */
bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark,
		       gfp_t gfp);

/* ---- pcp.c [lab 2]; the stubs of lab 1 are in zonelist_stub.c ----------------------------- */
#define PCP_MAX_ORDER	3
#define PCP_MAX_PAGES	512		/* on one CPU's lists of one zone */
/* After zonelist_init(), page allocator usable: makes zone->pcp. 0, or -ENOMEM: no lists then. */
int pcp_init(struct zone *zone);
/* Interrupts off, zone->lock not held: refills under it when empty. NULL: not served here, ask
 * the core. */
struct page *pcp_alloc(struct zone *zone, unsigned int order);
/* The same; false: not taken, give the block to the core. */
bool pcp_free(struct zone *zone, struct page *page, unsigned int order);
/* Gives this CPU's pages back to the core; interrupts off. How many. */
unsigned long pcp_drain(struct zone *zone);
/* Pages on all CPUs' lists; no lock, a snapshot. */
unsigned long pcp_count(const struct zone *zone);

/* ---- zone.c, given ------------------------------------------------------------------------ */
/* min, low and high of every zone from its size, as Linux does; after page_init(). */
void zone_init_watermarks(void);
