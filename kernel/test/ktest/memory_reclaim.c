/* See memory.h: slots of swap, page locks, the disk, and the ways out of memory for one page. */
#include "test/ktest/memory_inner.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"

/* ---- slots of swap --------------------------------------------------------------------------- */

static void slot_maybe_free(u32 slot)
{
	if (!machine.slot[slot].count && !machine.slot[slot].cache) {
		machine.slots_used--;
		swap_areas[0].inuse--;
	}
}

void slot_drop(u32 slot)
{
	if (!machine.slot[slot].count)
		panic("slot %u is given back once too often", slot);
	machine.slot[slot].count--;
	slot_maybe_free(slot);
}

bool swap_available(void) { return machine.slots_used < machine.slots; }

unsigned int swap_count(swp_entry_t entry)
{
	return entry.val && entry.val <= machine.slots ? machine.slot[entry.val].count : 0;
}

bool add_to_swap(struct page *page)
{
	struct frame *frame = frame_of(page);
	u32 slot;

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that is not locked");
	if (frame->kind != ANON_PAGE || PageSwapCache(page)) {
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that %s", frame->kind == ANON_PAGE ?
			   "has a slot" : "is not anonymous: page_is_anon() tells");
		return false;
	}
	hold();
	for (slot = 1; slot <= machine.slots && (machine.slot[slot].count || machine.slot[slot].cache); slot++)
		;
	if (slot <= machine.slots) {
		machine.slot[slot].cache = true;
		machine.slot[slot].version = NOBODY;
		machine.slot[slot].page = page;
		machine.slots_used++;
		swap_areas[0].inuse++;
		page->private = slot;
		SetPageSwapCache(page);
		SetPageDirty(page);
		get_page(page);
	}
	release();
	return slot <= machine.slots;
}

void leave_swap_cache(struct page *page)
{
	u32 slot = page->private;

	machine.slot[slot].cache = false;
	machine.slot[slot].page = NULL;
	page->private = 0;
	ClearPageSwapCache(page);
	slot_maybe_free(slot);
	put_page(page);
}

/* ---- one page -------------------------------------------------------------------------------- */

bool trylock_page(struct page *page)
{
	if (page_count(page) <= 0)
		panic("a page is locked to which no reference is held");
	if (TestSetPageLocked(page))
		return false;
	machine.locked[smp_processor_id()]++;
	return true;
}

void unlock_page(struct page *page)
{
	if (!PageLocked(page))
		panic("a page is unlocked that is not locked");
	machine.locked[smp_processor_id()]--;
	ClearPageLocked(page);
}

int page_referenced(struct page *page)
{
	struct frame *frame = frame_of(page);
	int young;

	hold();
	memory_stats.scanned_references++;
	memory_stats.scanned_anon += frame->kind == ANON_PAGE;
	young = frame->young;
	frame->young = 0;
	release();
	return young;
}

bool try_to_unmap(struct page *page)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);
	bool done = true;

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "try_to_unmap() of a page that is not locked");
	hold();
	if (frame->mappings && frame->kind == ANON_PAGE && !PageSwapCache(page)) {
		done = false;
	} else if (frame->mappings) {
		if (frame->kind == ANON_PAGE) {
			place->slot = page->private;
			machine.slot[place->slot].count += 1;
		}
		memory_stats.unmaps++;
		frame->young = 0;
		drop_mappings(page);
	}
	release();
	return done;
}

/* machine.lock held. True: the page is to be rotated. */
static bool write_ends(struct page *page)
{
	struct frame *frame = frame_of(page);

	frame->writing = false;
	if (memory_bad_disk)
		SetPageDirty(page);
	else if (frame->kind == FILE_PAGE)
		place_of(frame)->stored = frame->writing_version;
	else
		machine.slot[page->private].version = frame->writing_version;
	ClearPageWriteback(page);
	dec_vm_stat(NR_WRITEBACK);
	return TestClearPageReclaim(page);
}

/* machine.lock held. True: it has ended already, and the page is to be rotated. */
static bool write_starts(struct page *page)
{
	struct frame *frame = frame_of(page);

	SetPageWriteback(page);
	inc_vm_stat(NR_WRITEBACK);
	frame->writing = true;
	frame->writing_version = frame->version;
	frame->kind == FILE_PAGE ? memory_stats.writes++ : memory_stats.swap_writes++;
	return memory_fast_disk && write_ends(page);
}

void memory_disk_works(void)
{
	for (unsigned long i = 0; i < machine.pages; i++) {
		struct page *page = world_page(FIRST_PFN + i);
		bool rotate = false, wrote;

		hold();
		wrote = machine.frames[i].writing;
		if (wrote) {
			get_page(page);
			rotate = write_ends(page);
		}
		release();
		if (rotate)
			rotate_reclaimable_page(page);
		if (wrote)
			put_page(page);
	}
}

/* machine.lock held. */
static enum pageout_result try_pageout(struct page *page, gfp_t gfp, bool *rotate)
{
	struct frame *frame = frame_of(page);

	if (!PageLocked(page) || page_mapped(page) || PageWriteback(page))
		panic("pageout() of a page that is not locked, is mapped or is being written");
	if (page_count(page) != 2)
		return PAGEOUT_KEEP;
	if (is_shared_memory(frame))
		return PAGEOUT_ACTIVATE;		/* it has nowhere to go */
	if (frame->kind == FILE_PAGE && (!(current_thread()->pf_flags & PF_KSWAPD) || !(gfp & __GFP_FS)))
		return PAGEOUT_KEEP;
	if (frame->kind == ANON_PAGE && !PageSwapCache(page))
		return PAGEOUT_ACTIVATE;
	if (!(gfp & __GFP_IO))
		ktest_fail(__FILE__, __LINE__, "pageout() for an allocation that must not start I/O");
	if (!TestClearPageDirty(page))
		return PAGEOUT_KEEP;
	if (frame->kind == FILE_PAGE)
		dec_vm_stat(NR_FILE_DIRTY);
	SetPageReclaim(page);
	*rotate = write_starts(page);
	return PAGEOUT_STARTED;
}

enum pageout_result pageout(struct page *page, gfp_t gfp)
{
	enum pageout_result result;
	bool rotate = false;

	hold();
	result = try_pageout(page, gfp, &rotate);
	release();
	if (rotate)
		rotate_reclaimable_page(page);
	if (result == PAGEOUT_STARTED)
		unlock_page(page);
	return result;
}

/* machine.lock held: see evict_page(). */
static bool leave_cache(struct page *page)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);
	bool wanted = frame->kind == FILE_PAGE || machine.slot[page->private].count;

	if (page_mapped(page) || page_count(page) != 2 || PageWriteback(page) ||
	    (PageDirty(page) && wanted) || (frame->kind == ANON_PAGE && !PageSwapCache(page)))
		return false;
	if (frame->kind == FILE_PAGE) {
		if (frame->version != place->stored)
			ktest_fail(__FILE__, __LINE__,
				   "a page of a file is given up whose newest contents were never written");
		page->mapping = NULL;
		memory_stats.evicted_file++;
		put_page(page);
	} else {
		if (wanted && frame->version != machine.slot[page->private].version)
			ktest_fail(__FILE__, __LINE__, "a page of a process is given up whose slot has other contents");
		memory_stats.evicted_anon++;
		leave_swap_cache(page);
	}
	if (page_of(place) == page)
		place->pfn = 0;
	return true;
}

bool evict_page(struct page *page, u32 shadow)
{
	u64 key = shadow_key(page);
	bool left;

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "evict_page() of a page that is not locked");
	hold();
	left = leave_cache(page);
	release();
	if (left)
		shadow_store(key, shadow);
	return left;
}

/* It runs at once, and writes some of what is dirty; or its turn has not come yet. */
void wake_flusher(void)
{
	memory_stats.flusher_wakes++;
	if (!memory_flusher_runs)
		return;
	for (unsigned long i = 0, n = 0; i < machine.pages && n < 32; i++) {
		struct page *page = world_page(FIRST_PFN + i);
		bool rotate = false, write;

		hold();
		write = machine.frames[i].kind == FILE_PAGE && !is_shared_memory(&machine.frames[i]) &&
			PageDirty(page) && !PageLocked(page) && !PageWriteback(page);
		if (write) {
			get_page(page);
			ClearPageDirty(page);
			dec_vm_stat(NR_FILE_DIRTY);
			rotate = write_starts(page);
			n++;
		}
		release();
		if (rotate)
			rotate_reclaimable_page(page);
		if (write)
			put_page(page);
	}
}

bool wait_for_writeback(void)
{
	bool any = vm_stat_read(NR_WRITEBACK) || vm_stat_read(NR_FILE_DIRTY);

	if (machine.locked[smp_processor_id()])
		ktest_fail(__FILE__, __LINE__, "reclaim sleeps with %d pages locked",
			   machine.locked[smp_processor_id()]);
	memory_stats.waits++;
	memory_disk_works();
	return any;
}

unsigned long shrink_slab(gfp_t gfp, unsigned int priority)
{
	(void)gfp;
	(void)priority;
	memory_stats.slab_scans++;
	return 0;
}

unsigned long kmem_cache_reap(void)
{
	return 0;
}

unsigned long nr_free_pages(void) { return machine.nr_free; }
unsigned long totalram_pages(void) { return machine.pages; }
unsigned long total_swap_pages(void) { return machine.slots; }
unsigned long nr_swap_pages(void) { return machine.slots - machine.slots_used; }
unsigned long pcp_events(bool frees) { (void)frees; return 0; }

/* ---- what the given files call besides ------------------------------------------------------- */

void *vmalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return ktest_alloc(size);
}

/*
 * One zone of single pages, so a zonelist is a walk of one step. It is not lab 2's, which may be unfinished in the
 * tree where this is built.
 */
void zonelist_init(void) { }

struct zone *zonelist_first(struct zonelist_cursor *cursor, int nid, gfp_t gfp)
{
	cursor->nid = nid;
	cursor->gfp = gfp;
	return memory_zone();
}

struct zone *zonelist_next(struct zonelist_cursor *cursor)
{
	(void)cursor;
	return NULL;
}

bool zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark, gfp_t gfp)
{
	unsigned long reserve = gfp & __GFP_MEMALLOC ? 0 : zone->watermark[mark];

	return order == 0 && READ_ONCE(zone->free_pages) > reserve;
}

/* world.c names what other labs' worlds have. */
void zone_core_init(struct zone *zone) { (void)zone; }
void zone_core_free(struct zone *zone, struct page *page, unsigned int order) { (void)zone, (void)page, (void)order; }
struct page *zone_core_alloc(struct zone *zone, unsigned int order) { (void)zone, (void)order; return NULL; }
void pcp_init(struct zone *zone) { (void)zone; }
void fast_paths_open(void) { }
void fast_paths_close(void) { }
