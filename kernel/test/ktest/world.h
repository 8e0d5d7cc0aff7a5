/*
 * The world: memory that exists for one test.
 *
 * The files under test, and the given files around them, are compiled a second time with
 * CONFIG_WORLD: vmemmap, __va() and __pa() are then what this file makes them, and node_data,
 * nr_nodes, section_map, memblock are variables of the world. Every symbol of it gets a prefix when
 * the test image is linked, so that none of them meets the kernel that runs the tests.
 *
 * A world is a window of frames: [first, first + pages), anywhere in the first 8 GiB, so that holes,
 * odd ends and the 4 GiB border can be made at will. Their struct pages are real and begin as
 * garbage; a page outside of the window has none, and touching it faults. A frame has
 * contents only below the limit that world_contents() sets.
 */
#pragma once

#include "mm/phys/memblock.h"
#include "mm/phys/page_alloc.h"
#include "test/ktest/ktest.h"

#define WORLD_MAX_PAGES	32768UL
#define DMA32_LIMIT_PFN	(1UL << (32 - PAGE_SHIFT))

/* Opens the window, rounded outwards to sections; struct pages are garbage. Once a test. */
void world_window(pfn_t first, unsigned long pages);
/* Gives the first @pages frames of the window contents. */
void world_contents(unsigned long pages);
pfn_t world_first_pfn(void);
unsigned long world_pages(void);

/* Frames [start, end) of node @nid that zones are to be built from; @managed: free at boot. */
struct world_range {
	pfn_t start, end;
	int nid;
	bool reserved;
};

/*
 * Builds nodes and zones from @n ranges as the reference's page_init() would, without calling
 * anything of the student's but zone_core_init() and zone_core_free(). Frames of the window in no
 * range are holes: reserved. Ranges are sorted and do not overlap. Opens the window itself.
 */
void world_build(const struct world_range *ranges, unsigned int n);
/* The same for one zone of @pages frames from frame @first on: below 4 GiB DMA32, else Normal. */
struct zone *world_zone(pfn_t first, unsigned long pages);
/* The rest of mem_init(): watermarks, zonelists, per-CPU lists. After world_build() or page_init(). */
void world_front(void);
/* The struct page of a frame in the window, whatever it is. */
struct page *world_page(pfn_t pfn);

/* zone_core_*() under the zone's lock with interrupts off, as the front calls them. */
struct page *core_alloc(struct zone *zone, unsigned int order);
void core_free(struct zone *zone, struct page *page, unsigned int order);

/* How often bad_page() was called, and how many lines were logged that contain @what. */
unsigned int world_bad_pages(void);
unsigned int world_log_count(const char *what);
void world_log_forget(void);

/* Calls between the student's own files pass through here and can be watched or replaced. */
struct world_hooks {
	void (*core_free)(struct zone *zone, struct page *page, unsigned int order);
	struct page *(*core_alloc)(struct zone *zone, unsigned int order);
	void (*core_init)(struct zone *zone);
	bool (*next_free)(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid);
	bool no_pages;			/* __get_free_pages() has none */
};
extern struct world_hooks world_hooks;

/* Does @body end in a panic? */
extern void *world_panic_frame[5];
extern bool world_panic_expected;
extern char world_panic_text[200];	/* of the panic that was expected last */
#define PANICS(body) ({ bool _p = false; int _pc = preempt_count(); bool _io = irqs_disabled();	\
	if (__builtin_setjmp(world_panic_frame)) {						\
		_p = true;									\
		preempt_count() = _pc;								\
		if (!_io)									\
			local_irq_enable();							\
	} else {										\
		world_panic_expected = true;							\
		body;										\
	}											\
	world_panic_expected = false;								\
	_p; })
