/* See memory.h. The page core here is a stack of free pages; there are no contents, only versions. */
#include "test/ktest/memory.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"

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

static struct {
	unsigned long pages, slots;
	struct frame *frames;
	struct place *files[MEMORY_FILES], *tasks[MEMORY_TASKS];
	u32 *free_stack;
	unsigned long nr_free;
	struct { u32 count; bool cache; u32 version; struct page *page; } *slot;
	unsigned long slots_used;
	struct address_space mapping[MEMORY_FILES];
	unsigned int locked;		/* pages that the code under test has locked */
	bool in_reclaim;
} m;

struct memory_stats memory_stats;
gfp_t memory_gfp;
bool memory_kswapd_runs, memory_fast_disk, memory_bad_disk;
struct oom_task memory_tasks[MEMORY_TASKS];
unsigned int memory_kills, memory_marks;
pid_t memory_killed;
void (*memory_sleep_hook)(void);
static u64 now_ns;

unsigned int vm_swappiness, sysctl_panic_on_oom;
struct swap_area swap_areas[MAX_SWAPFILES];
const struct oom_ops *oom_ops;
static struct node_reclaim node;

struct zone *memory_zone(void) { return &node_data[0].zones[ZONE_DMA32]; }
struct node_reclaim *memory_node(void) { return &node; }
struct node_reclaim *node_reclaim(int nid) { (void)nid; return &node; }
struct lruvec *node_lruvec(int nid) { (void)nid; return &node.lruvec; }
struct lruvec *page_lruvec(const struct page *page) { (void)page; return &node.lruvec; }
unsigned long memory_free(void) { return m.nr_free; }

static struct frame *frame_of(const struct page *page)
{
	unsigned long i = page_to_pfn(page) - FIRST_PFN;

	if (i >= m.pages)
		panic("%p is no page of this machine", (const void *)page);
	return &m.frames[i];
}

static struct place *place_of(const struct frame *frame)
{
	return (frame->kind == FILE_PAGE ? m.files : m.tasks)[frame->owner] + frame->index;
}

static struct page *page_of(const struct place *place)
{
	return place->pfn ? world_page(FIRST_PFN + place->pfn - 1) : NULL;
}

static void fill_oom_ops(void);

void memory_world(unsigned long pages, unsigned long slots)
{
	struct zone *zone = memory_zone();
	unsigned long rounded = ALIGN(pages, PAGES_PER_SECTION);

	world_window(FIRST_PFN, rounded);
	memset(&m, 0, sizeof(m));
	memset(&memory_stats, 0, sizeof(memory_stats));
	memset(node_data, 0, sizeof(node_data));
	memset(&node, 0, sizeof(node));
	memset(memory_tasks, 0, sizeof(memory_tasks));
	nr_nodes = 1;
	m.pages = pages;
	m.slots = slots;
	m.frames = ktest_alloc(pages * sizeof(*m.frames));
	m.free_stack = ktest_alloc(pages * sizeof(*m.free_stack));
	m.slot = ktest_alloc((slots + 1) * sizeof(*m.slot));
	memset(world_page(FIRST_PFN), 0, rounded * sizeof(struct page));
	for (unsigned long i = 0; i < rounded; i++) {
		struct page *page = world_page(FIRST_PFN + i);

		section_map[(FIRST_PFN + i) / PAGES_PER_SECTION / 64] |=
			1UL << ((FIRST_PFN + i) / PAGES_PER_SECTION % 64);
		page->flags = i < pages ? 0 : BIT(PG_reserved);
		atomic_set(&page->_mapcount, -1);
	}
	for (unsigned long i = 0; i < pages; i++)
		m.free_stack[m.nr_free++] = pages - 1 - i;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		memset(per_cpu_ptr(&vm_stat, cpu), 0, sizeof(vm_stat));
	for (int type = 0; type < MAX_NR_ZONES; type++)
		NODE_DATA(0)->zones[type].type = type;
	spin_lock_init(&zone->lock);
	zone->name = "DMA32";
	zone->start_pfn = FIRST_PFN;
	zone->spanned_pages = zone->present_pages = zone->managed_pages = pages;
	zone->free_pages = zone->free_area[0].nr_free = pages;
	zone->watermark[WMARK_MIN] = pages / 16;
	zone->watermark[WMARK_LOW] = pages / 12;
	zone->watermark[WMARK_HIGH] = pages / 8;
	node.kswapd_order = -1;
	NODE_DATA(0)->reclaim = &node;
	swap_areas[0] = (struct swap_area){ .active = slots, .writeok = slots, .max = slots + 1, .pages = slots };
	for (unsigned int i = 0; i < MEMORY_FILES; i++)
		m.mapping[i].host = NULL;
	memory_gfp = GFP_USER_MOVABLE;
	memory_kswapd_runs = memory_fast_disk = true;
	memory_bad_disk = false;
	memory_sleep_hook = NULL;
	memory_kills = memory_marks = memory_killed = 0;
	vm_swappiness = 60;
	sysctl_panic_on_oom = 0;
	now_ns = NSEC_PER_SEC;
	clear_bit(TIF_KILLED, &current_head()->flags);
	shadow_init(pages);
	zonelist_init();
	fill_oom_ops();
	lruvec_init(&node.lruvec);
}

/* ---- slots of swap --------------------------------------------------------------------------- */

static void slot_maybe_free(u32 slot)
{
	if (!m.slot[slot].count && !m.slot[slot].cache) {
		m.slots_used--;
		swap_areas[0].inuse--;
	}
}

static void slot_drop(u32 slot)
{
	if (!m.slot[slot].count)
		panic("slot %u is given back once too often", slot);
	m.slot[slot].count--;
	slot_maybe_free(slot);
}

bool swap_available(void) { return m.slots_used < m.slots; }

unsigned int swap_count(swp_entry_t entry)
{
	return entry.val && entry.val <= m.slots ? m.slot[entry.val].count : 0;
}

bool add_to_swap(struct page *page)
{
	struct frame *frame = frame_of(page);

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that is not locked");
	if (frame->kind != ANON_PAGE || PageSwapCache(page)) {
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that is not anonymous or has a slot");
		return false;
	}
	for (u32 slot = 1; slot <= m.slots; slot++) {
		if (m.slot[slot].count || m.slot[slot].cache)
			continue;
		m.slot[slot].cache = true;
		m.slot[slot].version = NOBODY;
		m.slot[slot].page = page;
		m.slots_used++;
		swap_areas[0].inuse++;
		page->private = slot;
		SetPageSwapCache(page);
		SetPageDirty(page);
		get_page(page);
		return true;
	}
	return false;
}

static void leave_swap_cache(struct page *page)
{
	u32 slot = page->private;

	m.slot[slot].cache = false;
	m.slot[slot].page = NULL;
	page->private = 0;
	ClearPageSwapCache(page);
	slot_maybe_free(slot);
	put_page(page);
}

/* ---- pages ----------------------------------------------------------------------------------- */

void put_page(struct page *page)
{
	struct frame *frame = frame_of(page);
	int left = atomic_dec_return(&page->_refcount);

	if (left > 0)
		return;
	if (left < 0)
		panic("a reference of page %lu is dropped once too often", page_to_pfn(page) - FIRST_PFN);
	if (PageLRU(page) && frame->kind == ANON_PAGE)
		lru_del(page);
	if (PageLRU(page))
		panic("a page is freed that is still marked PG_lru");
	if (PageLocked(page))
		panic("a page is freed that is still locked");
	if (frame->mappings || PageWriteback(page) || PageSwapCache(page))
		panic("a page is freed that is still mapped, being written or in the swap cache");
	page->flags = 0;
	page->mapping = NULL;
	memset(frame, 0, sizeof(*frame));
	m.free_stack[m.nr_free++] = page_to_pfn(page) - FIRST_PFN;
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = m.nr_free;
}

static void run_kswapd(void)
{
	if (!memory_kswapd_runs || m.in_reclaim || !kswapd_wanted(&node))
		return;
	m.in_reclaim = true;
	memory_stats.kswapd_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	balance_node(&node);
	current_thread()->pf_flags &= ~(PF_MEMALLOC | PF_KSWAPD);
	m.in_reclaim = false;
	if (m.locked)
		panic("kswapd leaves %u pages locked", m.locked);
}

static void reclaim_directly(void)
{
	m.in_reclaim = true;
	memory_stats.direct_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC;
	try_to_free_pages(memory_zone(), memory_gfp, 0);
	current_thread()->pf_flags &= ~PF_MEMALLOC;
	m.in_reclaim = false;
	if (m.locked)
		panic("direct reclaim leaves %u pages locked", m.locked);
}

/* As the page allocator does it: wake below low, reclaim below min. NULL: nothing is left. */
static struct page *take_page(void)
{
	struct zone *zone = memory_zone();

	if (m.nr_free <= zone->watermark[WMARK_LOW]) {
		wakeup_kswapd(zone, 0);
		run_kswapd();
	}
	for (int i = 0; i < 4 && m.nr_free <= zone->watermark[WMARK_MIN]; i++)
		reclaim_directly();
	if (m.nr_free <= zone->watermark[WMARK_MIN]) {
		memory_stats.failed++;
		return NULL;
	}
	zone->free_pages = zone->free_area[0].nr_free = m.nr_free - 1;
	return world_page(FIRST_PFN + m.free_stack[--m.nr_free]);
}

static struct page *new_page(enum kind kind, u32 owner, u32 index, struct place *place)
{
	struct page *page = take_page();
	struct frame *frame;

	if (!page)
		return NULL;
	atomic_set(&page->_refcount, 1);
	atomic_set(&page->_mapcount, -1);
	frame = frame_of(page);
	*frame = (struct frame){ .kind = kind, .owner = owner, .index = index };
	place->pfn = page_to_pfn(page) - FIRST_PFN + 1;
	page->index = index;
	SetPageUptodate(page);
	return page;
}

static struct place *places(struct place **table)
{
	if (!*table)
		*table = ktest_alloc(MEMORY_PAGES * sizeof(**table));
	return *table;
}

/* The file's page, read if it is missing; *@hit. NULL: no memory. */
static struct page *get_file_page(unsigned int file, pgoff_t index, bool *hit)
{
	struct place *place = places(&m.files[file]) + index;
	struct page *page = page_of(place);

	*hit = page != NULL;
	if (page) {
		memory_stats.hits++;
		return page;
	}
	memory_stats.misses++;
	page = new_page(FILE_PAGE, file, index, place);
	if (!page)
		return NULL;
	if (place->stored != place->version)
		ktest_fail(__FILE__, __LINE__, "page %lu of file %u was lost: version %u was written, the disk has %u",
			   index, file, place->version, place->stored);
	memory_stats.reads++;
	frame_of(page)->version = place->stored;
	page->mapping = &m.mapping[file];
	lru_add(page);
	return page;
}

bool memory_read(unsigned int file, pgoff_t index)
{
	struct page *page;
	bool hit;

	page = get_file_page(file, index, &hit);
	if (page)
		mark_page_accessed(page);
	return hit;
}

bool memory_write(unsigned int file, pgoff_t index)
{
	struct place *place = places(&m.files[file]) + index;
	struct page *page;
	bool hit;

	page = get_file_page(file, index, &hit);
	if (!page)
		return false;
	frame_of(page)->version = ++place->version;
	if (!TestSetPageDirty(page))
		inc_vm_stat(NR_FILE_DIRTY);
	mark_page_accessed(page);
	return hit;
}

static void add_mapping(struct page *page)
{
	struct frame *frame = frame_of(page);

	frame->mappings++;
	frame->young++;
	get_page(page);
	atomic_inc(&page->_mapcount);
}

bool memory_map(unsigned int file, pgoff_t index, bool exec)
{
	struct page *page;
	bool hit;

	page = get_file_page(file, index, &hit);
	if (!page)
		return false;
	if (exec)
		SetPageIcache(page);
	if (!frame_of(page)->mappings)
		add_mapping(page);
	frame_of(page)->young = max(frame_of(page)->young, (u8)1);
	return hit;
}

void memory_share(struct page *page)
{
	add_mapping(page);
	frame_of(page)->shared = true;
}

/* A process's page comes back from its slot. */
static struct page *swap_in_page(unsigned int task, pgoff_t index, struct place *place)
{
	u32 slot = place->slot;
	struct page *page = m.slot[slot].page;
	struct frame *frame;

	if (!page) {
		page = new_page(ANON_PAGE, task, index, place);
		if (!page)
			return NULL;
		memory_stats.swap_reads++;
		frame = frame_of(page);
		frame->version = m.slot[slot].version;
		page->mapping = (struct address_space *)(((unsigned long)&m.tasks[task]) | 1);
		page->private = slot;
		SetPageSwapBacked(page);
		SetPageSwapCache(page);
		m.slot[slot].cache = true;
		m.slot[slot].page = page;
		lru_add(page);
		add_mapping(page);
	} else {
		place->pfn = page_to_pfn(page) - FIRST_PFN + 1;
		add_mapping(page);
	}
	place->slot = 0;
	slot_drop(slot);
	return page;
}

bool memory_touch(unsigned int task, pgoff_t index, bool write)
{
	struct place *place = places(&m.tasks[task]) + index;
	struct page *page = place->slot ? NULL : page_of(place);
	bool hit = page != NULL;
	struct frame *frame;

	memory_stats.hits += hit;
	memory_stats.misses += !hit;
	if (!page && place->slot) {
		page = swap_in_page(task, index, place);
	} else if (!page) {
		page = new_page(ANON_PAGE, task, index, place);
		if (page) {
			page->mapping = (struct address_space *)(((unsigned long)&m.tasks[task]) | 1);
			SetPageSwapBacked(page);
			frame_of(page)->mappings = frame_of(page)->young = 1;
			atomic_inc(&page->_mapcount);
			frame_of(page)->version = place->version;
			lru_add(page);
		}
	}
	if (!page)
		return false;
	frame = frame_of(page);
	if (frame->version != place->version)
		ktest_fail(__FILE__, __LINE__, "page %lu of process %u was lost: version %u was written, %u came back",
			   index, task, place->version, frame->version);
	frame->young = max(frame->young, (u8)1);
	if (write) {
		/* The slot's contents are old now: a copy-on-write fault has seen to that. */
		if (PageSwapCache(page) && !PageWriteback(page) && !m.slot[page->private].count)
			leave_swap_cache(page);
		else if (PageSwapCache(page))
			SetPageDirty(page);
		frame->version = ++place->version;
	}
	return hit;
}

struct page *memory_file_page(unsigned int file, pgoff_t index)
{
	return m.files[file] ? page_of(m.files[file] + index) : NULL;
}

struct page *memory_task_page(unsigned int task, pgoff_t index)
{
	return m.tasks[task] && !m.tasks[task][index].slot ? page_of(m.tasks[task] + index) : NULL;
}

unsigned long memory_resident(unsigned int file)
{
	unsigned long n = 0;

	for (unsigned long i = 0; m.files[file] && i < MEMORY_PAGES; i++)
		n += m.files[file][i].pfn != 0;
	return n;
}

/* All entries that map the page go; the caller keeps it alive. */
static void drop_mappings(struct page *page)
{
	struct frame *frame = frame_of(page);

	while (frame->mappings) {
		frame->mappings--;
		atomic_dec(&page->_mapcount);
		put_page(page);
	}
}

void memory_exit(unsigned int task)
{
	for (unsigned long i = 0; m.tasks[task] && i < MEMORY_PAGES; i++) {
		struct place *place = &m.tasks[task][i];
		struct page *page = page_of(place);

		if (place->slot) {
			u32 slot = place->slot;

			place->slot = 0;
			page = m.slot[slot].page;
			slot_drop(slot);
		}
		place->pfn = 0;
		if (!page)
			continue;
		get_page(page);
		drop_mappings(page);
		if (PageSwapCache(page) && !PageWriteback(page) && !PageLocked(page) &&
		    !m.slot[page->private].count)
			leave_swap_cache(page);
		put_page(page);
	}
}

void memory_pin(struct page *page)
{
	frame_of(page)->pins++;
	get_page(page);
}

void memory_unpin(struct page *page)
{
	frame_of(page)->pins--;
	put_page(page);
}

void memory_lock(struct page *page, bool locked)
{
	locked ? SetPageLocked(page) : ClearPageLocked(page);
}

/* ---- what reclaim calls ---------------------------------------------------------------------- */

bool trylock_page(struct page *page)
{
	if (page_count(page) <= 0)
		panic("a page is locked to which no reference is held");
	if (TestSetPageLocked(page))
		return false;
	m.locked++;
	return true;
}

void unlock_page(struct page *page)
{
	if (!PageLocked(page))
		panic("a page is unlocked that is not locked");
	m.locked--;
	ClearPageLocked(page);
}

int page_referenced(struct page *page)
{
	struct frame *frame = frame_of(page);
	int young = frame->young;

	memory_stats.scanned_references++;
	frame->young = 0;
	return young;
}

bool try_to_unmap(struct page *page)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "try_to_unmap() of a page that is not locked");
	if (!frame->mappings)
		return true;
	if (frame->kind == ANON_PAGE) {
		if (!PageSwapCache(page))
			return false;
		place->slot = page->private;
		m.slot[place->slot].count += 1;
	}
	memory_stats.unmaps++;
	frame->young = 0;
	drop_mappings(page);
	return true;
}

static void write_ends(struct page *page)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);

	frame->writing = false;
	if (memory_bad_disk)
		SetPageDirty(page);
	else if (frame->kind == FILE_PAGE)
		place->stored = frame->writing_version;
	else
		m.slot[page->private].version = frame->writing_version;
	ClearPageWriteback(page);
	dec_vm_stat(NR_WRITEBACK);
	if (TestClearPageReclaim(page))
		rotate_reclaimable_page(page);
}

void memory_disk_works(void)
{
	for (unsigned long i = 0; i < m.pages; i++)
		if (m.frames[i].writing)
			write_ends(world_page(FIRST_PFN + i));
}

static void write_starts(struct page *page)
{
	struct frame *frame = frame_of(page);

	SetPageWriteback(page);
	inc_vm_stat(NR_WRITEBACK);
	frame->writing = true;
	frame->writing_version = frame->version;
	frame->kind == FILE_PAGE ? memory_stats.writes++ : memory_stats.swap_writes++;
	if (memory_fast_disk)
		write_ends(page);
}

enum pageout_result pageout(struct page *page, gfp_t gfp)
{
	struct frame *frame = frame_of(page);

	if (!PageLocked(page) || page_mapped(page) || PageWriteback(page))
		panic("pageout() of a page that is not locked, is mapped or is being written");
	if (page_count(page) != 2)
		return PAGEOUT_KEEP;
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
	write_starts(page);
	unlock_page(page);
	return PAGEOUT_STARTED;
}

bool evict_page(struct page *page, u32 shadow)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);
	bool wanted = frame->kind == FILE_PAGE || m.slot[page->private].count;
	u64 key = shadow_key(page);

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "evict_page() of a page that is not locked");
	if (page_mapped(page) || page_count(page) != 2 || PageWriteback(page) ||
	    (PageDirty(page) && wanted) || (frame->kind == ANON_PAGE && !PageSwapCache(page)))
		return false;
	if (frame->kind == FILE_PAGE) {
		if (frame->version != place->stored)
			ktest_fail(__FILE__, __LINE__, "a page of a file is given up whose newest contents were never written");
		place->pfn = 0;
		page->mapping = NULL;
		memory_stats.evicted_file++;
		put_page(page);
	} else {
		u32 slot = page->private;

		if (m.slot[slot].count && frame->version != m.slot[slot].version)
			ktest_fail(__FILE__, __LINE__, "a page of a process is given up whose slot has other contents");
		place->pfn = 0;
		memory_stats.evicted_anon++;
		leave_swap_cache(page);
	}
	shadow_store(key, shadow);
	return true;
}

void wake_flusher(void)
{
	memory_stats.flusher_wakes++;
	/* It runs at once, and writes some of what is dirty. */
	for (unsigned long i = 0, n = 0; i < m.pages && n < 32; i++) {
		struct page *page = world_page(FIRST_PFN + i);

		if (m.frames[i].kind != FILE_PAGE || !PageDirty(page) || PageLocked(page) || PageWriteback(page))
			continue;
		ClearPageDirty(page);
		dec_vm_stat(NR_FILE_DIRTY);
		write_starts(page);
		n++;
	}
}

bool wait_for_writeback(void)
{
	bool any = vm_stat_read(NR_WRITEBACK) || vm_stat_read(NR_FILE_DIRTY);

	if (m.locked)
		ktest_fail(__FILE__, __LINE__, "reclaim sleeps with %u pages locked", m.locked);
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

unsigned long nr_free_pages(void) { return m.nr_free; }
unsigned long totalram_pages(void) { return m.pages; }
unsigned long total_swap_pages(void) { return m.slots; }
unsigned long nr_swap_pages(void) { return m.slots - m.slots_used; }
unsigned long pcp_events(bool frees) { (void)frees; return 0; }

/* Nobody but kswapd sleeps on a queue here, and it runs when it is asked if it wants to. */
void wake_up(struct wait_queue *wq)
{
	(void)wq;
}

/* ---- is all as it must be ------------------------------------------------------------------- */

#define WRONG(...) do { snprintf(text, sizeof(text), __VA_ARGS__); return text; } while (0)

static const char *check_page(unsigned long i, unsigned long on_lists[NR_LRU_LISTS])
{
	static char text[160];
	const struct frame *frame = &m.frames[i];
	struct page *page = world_page(FIRST_PFN + i);
	int refs = frame->pins + frame->mappings + (frame->kind == FILE_PAGE) + PageSwapCache(page);

	if (frame->kind == FREE)
		return NULL;
	if (page_count(page) != refs)
		WRONG("a page has %d references, %d are known", page_count(page), refs);
	if (!PageLRU(page))
		WRONG("a page in memory is on no LRU list (PG_lru is clear)");
	if (PageSwapBacked(page) != (frame->kind == ANON_PAGE))
		WRONG("a page's PG_swapbacked was changed");
	on_lists[(frame->kind == FILE_PAGE ? LRU_FILE : 0) + PageActive(page)]++;
	return NULL;
}

const char *memory_check(void)
{
	static const unsigned int stat[] = { NR_INACTIVE_ANON, NR_ACTIVE_ANON, NR_INACTIVE_FILE, NR_ACTIVE_FILE };
	static char text[160];
	unsigned long on_lists[NR_LRU_LISTS] = { 0 }, used = 0;
	const char *wrong;

	if (m.locked)
		WRONG("%u pages were left locked", m.locked);
	for (unsigned long i = 0; i < m.pages; i++) {
		wrong = check_page(i, on_lists);
		if (wrong)
			return wrong;
		used += m.frames[i].kind != FREE;
	}
	if (used + m.nr_free != m.pages)
		WRONG("%lu pages are in use and %lu free, of %lu", used, m.nr_free, m.pages);
	for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++) {
		if (on_lists[lru] != node.lruvec.nr[lru])
			WRONG("list %u counts %lu pages, %lu are marked to be on it", lru, node.lruvec.nr[lru],
			      on_lists[lru]);
		if (on_lists[lru] != vm_stat_read(stat[lru]))
			WRONG("vm_stat counts %lu pages of list %u, there are %lu", vm_stat_read(stat[lru]), lru,
			      on_lists[lru]);
	}
	return NULL;
}

/* ---- processes and time ---------------------------------------------------------------------- */

static bool next_task(pid_t after, struct oom_task *task)
{
	const struct oom_task *best = NULL;

	for (unsigned int i = 0; i < MEMORY_TASKS; i++) {
		const struct oom_task *t = &memory_tasks[i];

		if (t->pid > after && (!best || t->pid < best->pid))
			best = t;
	}
	if (best)
		*task = *best;
	return best != NULL;
}

static bool kill_task(pid_t pid)
{
	memory_kills++;
	memory_killed = pid;
	for (unsigned int i = 0; i < MEMORY_TASKS; i++) {
		struct oom_task *t = &memory_tasks[i];

		if (t->pid != pid || !t->has_memory)
			continue;
		t->dying = t->oom_victim = true;
		t->victim_since_ns = now_ns;
		return true;
	}
	return false;
}

static void mark_current(void)
{
	memory_marks++;
	current_thread()->oom_victim = true;
}

static void fill_oom_ops(void)
{
	static const struct oom_ops ops = { .next = next_task, .kill = kill_task, .mark_current = mark_current };

	oom_ops = &ops;
	current_thread()->oom_victim = false;
}

void oom_report(gfp_t gfp, unsigned int order)
{
	(void)gfp;
	(void)order;
}

void oom_report_kill(const struct oom_task *victim)
{
	(void)victim;
}

void memory_current_dies(bool dies)
{
	dies ? set_bit(TIF_KILLED, &current_head()->flags) : clear_bit(TIF_KILLED, &current_head()->flags);
}

u64 arch_clock_ns(void)
{
	return now_ns;
}

void sleep_ns(u64 ns)
{
	now_ns += ns;
	if (memory_sleep_hook)
		memory_sleep_hook();
}

bool mutex_trylock(struct mutex *lock)
{
	(void)lock;
	return true;
}

void mutex_unlock(struct mutex *lock)
{
	(void)lock;
}

u64 ktime_get(void)
{
	return now_ns;
}

void *vmalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return ktest_alloc(size);
}

/* world.c names what other labs' worlds have. */
void zone_core_init(struct zone *zone) { (void)zone; }
void zone_core_free(struct zone *zone, struct page *page, unsigned int order) { (void)zone, (void)page, (void)order; }
struct page *zone_core_alloc(struct zone *zone, unsigned int order) { (void)zone, (void)order; return NULL; }
void pcp_init(struct zone *zone) { (void)zone; }
void fast_paths_open(void) { }
void fast_paths_close(void) { }
