/*
 * Inside of memory.h's world: memory.c, memory_reclaim.c and memory_oom.c. The page core is a
 * stack of free pages; there are no contents, only versions.
 *
 * machine.lock guards frames, places, slots and the stack. It is never held while the code under test runs, so that
 * several CPUs may come from both sides: a page is found and a reference to it taken in one piece, as in a page
 * cache's tree, and evict_page() counts references under the same lock.
 */
#pragma once

#include "test/ktest/memory.h"
#include "base/panic.h"
#include "mm/cache/pagecache.h"

#define FIRST_PFN	0x40000UL
#define NOBODY		0xffffffffU

enum kind { FREE, FILE_PAGE, ANON_PAGE };

/* What is true of a page in memory. */
struct frame {
	u8 kind;
	bool exec, shared;
	u8 mappings, young;		/* page-table entries, and those whose accessed bit is set */
	u8 pins;
	u32 owner, index;		/* file or process, and page of it */
	u32 version;
	bool writing;			/* the write that is under way has this version: */
	u32 writing_version;
};

/* What is true of page @index of a file or process. */
struct place {
	u32 pfn;			/* in memory there, less FIRST_PFN, plus 1; 0: not */
	u32 version;			/* newest that was written by a program */
	u32 stored;			/* on disk; of a process: in @slot */
	u32 slot;			/* of a process: 0 none */
};

struct machine {
	unsigned long pages, slots;
	struct frame *frames;
	struct place *files[MEMORY_FILES], *tasks[MEMORY_TASKS];
	unsigned long task_pages[MEMORY_TASKS];		/* highest that was touched, plus 1 */
	u32 *free_stack;
	unsigned long nr_free;
	struct { u32 count; bool cache; u32 version; struct page *page; } *slot;
	unsigned long slots_used;
	struct address_space mapping[MEMORY_FILES];
	spinlock_t lock;
	int locked[NR_CPUS];		/* pages that the code under test has locked */
	bool smp;			/* several CPUs run */
	u32 kswapd_awake, kswapd_busy;
	bool elsewhere;			/* memory_other_cpu runs */
	unsigned long unlocks_irqs_on;
};
extern struct machine machine;

/* A page of shared memory: on the anonymous lists, and nobody's own. */
static inline bool is_shared_memory(const struct frame *frame)
{
	return frame->kind == FILE_PAGE && frame->owner == MEMORY_SHARED;
}

static inline struct frame *frame_of(const struct page *page)
{
	unsigned long i = page_to_pfn(page) - FIRST_PFN;

	if (i >= machine.pages)
		panic("%p is no page of this machine", (const void *)page);
	return &machine.frames[i];
}

static inline struct place *place_of(const struct frame *frame)
{
	return (frame->kind == FILE_PAGE ? machine.files : machine.tasks)[frame->owner] + frame->index;
}

static inline struct page *page_of(const struct place *place)
{
	return place->pfn ? world_page(FIRST_PFN + place->pfn - 1) : NULL;
}

static inline void hold(void) { spin_lock(&machine.lock); }
static inline void release(void) { spin_unlock(&machine.lock); }

/* memory_reclaim.c; machine.lock held. */
void slot_drop(u32 slot);
void leave_swap_cache(struct page *page);
/* memory.c: all entries that map the page go; the caller has it and keeps it alive, and holds machine.lock. */
void drop_mappings(struct page *page);
