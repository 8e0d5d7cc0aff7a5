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
	struct per_cpu_pages *pcp;	/* lab 2: one for each CPU (mm/phys/pcp.h), or NULL */
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

/* Zone and node as one number, the same for a zone and for its pages. */
#define NR_ZONE_IDS	(MAX_NUMNODES << (PAGE_NODE_SHIFT - PAGE_ZONE_SHIFT))

static inline unsigned int page_zone_id(const struct page *page)
{
	return page->flags >> PAGE_ZONE_SHIFT;
}

static inline unsigned int zone_id(const struct zone *zone)
{
	return zone->nid << (PAGE_NODE_SHIFT - PAGE_ZONE_SHIFT) | zone->type;
}

/* ---- the page core: freelist.c [lab 1] or buddy.c [lab 2]; zone->lock held, interrupts off - */
/* No free memory yet. */
void zone_core_init(struct zone *zone);
/* Takes back 2^@order pages from @page on, of reference count 0, aligned to their size. A bad one
 * is refused: bad_page(), nothing changed. */
void zone_core_free(struct zone *zone, struct page *page, unsigned int order);
/* 2^@order pages, aligned to their size; NULL: no block that large. */
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

/* ---- zone.c, given ------------------------------------------------------------------------ */
/* /proc/sys/vm: the reserve of all zones together, KiB; low and high above it, at least so many ten-thousandths
 * of a zone apart. */
extern unsigned int min_free_kbytes, watermark_scale_factor;
/* min_free_kbytes from the size of memory, as Linux does, and then the watermarks; after page_init(). */
void zone_init_watermarks(void);
/* min, low and high of every zone from the two numbers above. Any time; one caller at a time. */
void zone_update_watermarks(void);
