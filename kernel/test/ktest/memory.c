/*
 * See memory.h. The page core here is a stack of free pages; there are no contents, only versions.
 *
 * m.lock guards frames, places, slots and the stack. It is never held while the code under test runs, so that
 * several CPUs may come from both sides: a page is found and a reference to it taken in one piece, as in a page
 * cache's tree, and evict_page() counts references under the same lock.
 */
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
} m;

struct memory_stats memory_stats;
gfp_t memory_gfp;
bool memory_kswapd_runs, memory_fast_disk, memory_bad_disk;
void (*memory_other_cpu)(void);

unsigned int vm_swappiness;
struct swap_area swap_areas[MAX_SWAPFILES];
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

void memory_world(unsigned long pages, unsigned long slots)
{
	struct zone *zone = memory_zone();
	unsigned long rounded = ALIGN(pages, PAGES_PER_SECTION);

	world_window(FIRST_PFN, rounded);
	memset(&m, 0, sizeof(m));
	memset(&memory_stats, 0, sizeof(memory_stats));
	memset(node_data, 0, sizeof(node_data));
	memset(&node, 0, sizeof(node));
	spin_lock_init(&m.lock);
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
	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
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
	memory_other_cpu = NULL;
	vm_swappiness = 60;
	shadow_init(pages);
	zonelist_init();
	memory_tasks_init();
	lruvec_init(&node.lruvec);
}

static void hold(void) { spin_lock(&m.lock); }
static void release(void) { spin_unlock(&m.lock); }

static int locked_pages(void)
{
	int n = 0;

	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
		n += m.locked[cpu];
	return n;
}

/* ---- what another CPU does meanwhile --------------------------------------------------------- */

void memory_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	m.smp = true;
	ktest_on_cpus(n, seed, fn, arg);
	m.smp = false;
}

bool memory_smp(void)
{
	return m.smp;
}

void memory_let_others_in(void)
{
	if (m.smp)
		ktest_relax();
	if (!memory_other_cpu || m.elsewhere || m.smp)
		return;
	m.elsewhere = true;
	memory_other_cpu();
	m.elsewhere = false;
}

void via_ktest_sched_point(void);
bool via_zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark, gfp_t gfp);

/* The code under test has released a spinlock, and has not yet switched interrupts on again. */
void via_ktest_sched_point(void)
{
	if (!irqs_disabled())
		__atomic_fetch_add(&m.unlocks_irqs_on, 1, __ATOMIC_RELAXED);
	ktest_sched_point();
	if (!m.smp)
		memory_let_others_in();
}

/* It has looked at a watermark: what it saw may be old already. */
bool via_zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark, gfp_t gfp)
{
	bool ok = zone_watermark_ok(zone, order, mark, gfp);

	memory_let_others_in();
	return ok;
}

/* ---- slots of swap --------------------------------------------------------------------------- */

/* m.lock held, here and below. */
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
	u32 slot;

	if (!PageLocked(page))
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that is not locked");
	if (frame->kind != ANON_PAGE || PageSwapCache(page)) {
		ktest_fail(__FILE__, __LINE__, "add_to_swap() of a page that is not anonymous or has a slot");
		return false;
	}
	hold();
	for (slot = 1; slot <= m.slots && (m.slot[slot].count || m.slot[slot].cache); slot++)
		;
	if (slot <= m.slots) {
		m.slot[slot].cache = true;
		m.slot[slot].version = NOBODY;
		m.slot[slot].page = page;
		m.slots_used++;
		swap_areas[0].inuse++;
		page->private = slot;
		SetPageSwapCache(page);
		SetPageDirty(page);
		get_page(page);
	}
	release();
	return slot <= m.slots;
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
	hold();
	page->flags = 0;
	page->mapping = NULL;
	memset(frame, 0, sizeof(*frame));
	m.free_stack[m.nr_free++] = page_to_pfn(page) - FIRST_PFN;
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = m.nr_free;
	release();
}

/* The thread sleeps for kswapd_wanted(), and is woken by wake_up() alone. */
static void run_kswapd(void)
{
	if (!memory_kswapd_runs || !READ_ONCE(m.kswapd_awake) ||
	    __atomic_exchange_n(&m.kswapd_busy, 1, __ATOMIC_ACQUIRE))
		return;
	memory_stats.kswapd_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	balance_node(&node);
	current_thread()->pf_flags &= ~(PF_MEMALLOC | PF_KSWAPD);
	if (m.locked[smp_processor_id()])
		panic("kswapd leaves %d pages locked", m.locked[smp_processor_id()]);
	WRITE_ONCE(m.kswapd_awake, 0);		/* on the queue before it looks */
	smp_mb();
	if (kswapd_wanted(&node))
		WRITE_ONCE(m.kswapd_awake, 1);
	__atomic_store_n(&m.kswapd_busy, 0, __ATOMIC_RELEASE);
}

void wake_up(struct wait_queue *wq)
{
	smp_mb();
	if (wq == &node.kswapd_wait && kswapd_wanted(&node))
		WRITE_ONCE(m.kswapd_awake, 1);
}

void wake_up_all(struct wait_queue *wq)
{
	wake_up(wq);
}

bool memory_kswapd_awake(void)
{
	return m.kswapd_awake;
}

static void reclaim_directly(void)
{
	memory_stats.direct_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC;
	try_to_free_pages(memory_zone(), memory_gfp, 0);
	current_thread()->pf_flags &= ~PF_MEMALLOC;
	if (m.locked[smp_processor_id()])
		panic("direct reclaim leaves %d pages locked", m.locked[smp_processor_id()]);
}

/* As the page allocator does it: wake below low, reclaim below min. NULL: nothing is left. */
static struct page *take_page(void)
{
	struct zone *zone = memory_zone();
	struct page *page = NULL;

	if (READ_ONCE(m.nr_free) <= zone->watermark[WMARK_LOW]) {
		wakeup_kswapd(zone, 0);
		run_kswapd();
	}
	for (int i = 0; i < (m.smp ? 40 : 4) && READ_ONCE(m.nr_free) <= zone->watermark[WMARK_MIN]; i++)
		reclaim_directly();
	hold();
	if (m.nr_free <= zone->watermark[WMARK_MIN]) {
		memory_stats.failed++;
	} else {
		page = world_page(FIRST_PFN + m.free_stack[--m.nr_free]);
		zone->free_pages = zone->free_area[0].nr_free = m.nr_free;
	}
	release();
	return page;
}

/* With one reference, which is to be its cache's or its mapping's. */
static struct page *new_page(enum kind kind, u32 owner, u32 index)
{
	struct page *page = take_page();

	if (!page)
		return NULL;
	atomic_set(&page->_refcount, 1);
	atomic_set(&page->_mapcount, -1);
	*frame_of(page) = (struct frame){ .kind = kind, .owner = owner, .index = index };
	page->index = index;
	SetPageUptodate(page);
	return page;
}

static void set_place(struct place *place, const struct page *page)
{
	place->pfn = page_to_pfn(page) - FIRST_PFN + 1;
}

/* Programs wait for a page's lock; only another CPU can give it back. */
static void lock_as_program(struct page *page)
{
	while (m.smp && TestSetPageLocked(page))
		ktest_relax();
}

static void unlock_as_program(struct page *page)
{
	if (m.smp)
		ClearPageLocked(page);
}

static struct place *places(struct place **table)
{
	if (!*table)
		*table = ktest_alloc(MEMORY_PAGES * sizeof(**table));
	return *table;
}

static struct page *find_page(const struct place *place)
{
	struct page *page;

	hold();
	page = page_of(place);
	if (page)
		get_page(page);
	release();
	return page;
}

/* The file's page with a reference, read if it is missing; *@hit. NULL: no memory. */
static struct page *get_file_page(unsigned int file, pgoff_t index, bool *hit)
{
	struct place *place = places(&m.files[file]) + index;
	struct page *page = find_page(place), *other;

	*hit = page != NULL;
	if (page) {
		memory_stats.hits++;
		return page;
	}
	memory_stats.misses++;
	page = new_page(FILE_PAGE, file, index);
	if (!page)
		return NULL;
	hold();
	other = page_of(place);			/* another CPU was first */
	if (other) {
		get_page(other);
		release();
		put_page(page);
		return other;
	}
	if (place->stored != place->version)
		ktest_fail(__FILE__, __LINE__, "page %lu of file %u was lost: version %u was written, the disk has %u",
			   index, file, place->version, place->stored);
	memory_stats.reads++;
	frame_of(page)->version = place->stored;
	page->mapping = &m.mapping[file];
	set_place(place, page);
	get_page(page);
	release();
	lru_add(page);
	return page;
}

bool memory_read(unsigned int file, pgoff_t index)
{
	struct page *page;
	bool hit;

	page = get_file_page(file, index, &hit);
	if (!page)
		return false;
	mark_page_accessed(page);
	put_page(page);
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
	hold();
	frame_of(page)->version = ++place->version;
	if (!TestSetPageDirty(page))
		inc_vm_stat(NR_FILE_DIRTY);
	release();
	mark_page_accessed(page);
	put_page(page);
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
	lock_as_program(page);
	hold();
	if (exec)
		SetPageIcache(page);
	if (!frame_of(page)->mappings)
		add_mapping(page);
	frame_of(page)->young = max(frame_of(page)->young, (u8)1);
	release();
	unlock_as_program(page);
	put_page(page);
	return hit;
}

void memory_share(struct page *page)
{
	add_mapping(page);
	frame_of(page)->shared = true;
}

static void map_anon(struct page *page, struct place *place)
{
	add_mapping(page);
	set_place(place, page);
}

static struct page *new_anon_page(unsigned int task, pgoff_t index)
{
	struct page *page = new_page(ANON_PAGE, task, index);

	if (!page)
		return NULL;
	page->mapping = (struct address_space *)(((unsigned long)&m.tasks[task]) | 1);
	SetPageSwapBacked(page);
	return page;
}

/* A process's page is in the swap cache still, or was a moment ago. */
static void map_cached(struct page *page, struct place *place)
{
	u32 slot = place->slot;

	lock_as_program(page);
	hold();
	if (PageSwapCache(page) && page->private == slot) {
		map_anon(page, place);
		place->slot = 0;
		slot_drop(slot);
	}
	release();
	unlock_as_program(page);
	put_page(page);
}

/* False: no memory. */
static bool read_from_slot(unsigned int task, pgoff_t index, struct place *place)
{
	struct page *page = new_anon_page(task, index);
	u32 slot = place->slot;

	if (!page)
		return false;
	hold();
	memory_stats.swap_reads++;
	frame_of(page)->version = m.slot[slot].version;
	page->private = slot;
	SetPageSwapCache(page);
	m.slot[slot].cache = true;
	m.slot[slot].page = page;
	map_anon(page, place);
	place->slot = 0;
	slot_drop(slot);
	get_page(page);
	release();
	lru_add(page);
	put_page(page);
	return true;
}

/* A page fault on what is not mapped. False: no memory. */
static bool fault_in(unsigned int task, pgoff_t index, struct place *place)
{
	struct page *page = NULL;

	if (place->slot) {
		hold();
		page = m.slot[place->slot].page;
		if (page)
			get_page(page);
		release();
		if (!page)
			return read_from_slot(task, index, place);
		map_cached(page, place);
		return true;
	}
	page = new_anon_page(task, index);
	if (!page)
		return false;
	hold();
	frame_of(page)->version = place->version;
	map_anon(page, place);
	release();
	lru_add(page);
	put_page(page);
	return true;
}

/* m.lock held; the page is mapped. */
static void touch_mapped(struct page *page, struct place *place, bool write)
{
	struct frame *frame = frame_of(page);

	if (frame->version != place->version)
		ktest_fail(__FILE__, __LINE__, "page %u of process %u was lost: version %u was written, %u came back",
			   frame->index, frame->owner, place->version, frame->version);
	frame->young = max(frame->young, (u8)1);
	if (!write)
		return;
	/* The slot's contents are old now: a copy-on-write fault has seen to that. */
	if (PageSwapCache(page) && !PageWriteback(page) && !PageLocked(page) && !m.slot[page->private].count)
		leave_swap_cache(page);
	else if (PageSwapCache(page))
		SetPageDirty(page);
	frame->version = ++place->version;
}

bool memory_touch(unsigned int task, pgoff_t index, bool write)
{
	struct place *place = places(&m.tasks[task]) + index;
	struct page *page;
	bool hit = true;

	m.task_pages[task] = max(m.task_pages[task], index + 1);
	for (;;) {
		hold();
		page = place->slot ? NULL : page_of(place);
		if (page)
			touch_mapped(page, place, write);
		release();
		if (page)
			break;
		hit = false;
		if (!fault_in(task, index, place))
			break;
	}
	memory_stats.hits += hit;
	memory_stats.misses += !hit;
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
	for (unsigned long i = 0; i < m.task_pages[task]; i++) {
		struct place *place = &m.tasks[task][i];
		struct page *page;

		hold();
		page = place->slot ? m.slot[place->slot].page : page_of(place);
		if (page)
			get_page(page);
		if (place->slot)
			slot_drop(place->slot);
		place->slot = place->pfn = 0;
		if (page) {
			drop_mappings(page);
			if (PageSwapCache(page) && !PageWriteback(page) && !PageLocked(page) &&
			    !m.slot[page->private].count)
				leave_swap_cache(page);
		}
		release();
		if (page)
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
	m.locked[smp_processor_id()]++;
	return true;
}

void unlock_page(struct page *page)
{
	if (!PageLocked(page))
		panic("a page is unlocked that is not locked");
	m.locked[smp_processor_id()]--;
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
			m.slot[place->slot].count += 1;
		}
		memory_stats.unmaps++;
		frame->young = 0;
		drop_mappings(page);
	}
	release();
	return done;
}

/* m.lock held. True: the page is to be rotated. */
static bool write_ends(struct page *page)
{
	struct frame *frame = frame_of(page);

	frame->writing = false;
	if (memory_bad_disk)
		SetPageDirty(page);
	else if (frame->kind == FILE_PAGE)
		place_of(frame)->stored = frame->writing_version;
	else
		m.slot[page->private].version = frame->writing_version;
	ClearPageWriteback(page);
	dec_vm_stat(NR_WRITEBACK);
	return TestClearPageReclaim(page);
}

/* m.lock held. True: it has ended already, and the page is to be rotated. */
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
	for (unsigned long i = 0; i < m.pages; i++) {
		struct page *page = world_page(FIRST_PFN + i);
		bool rotate = false, wrote;

		hold();
		wrote = m.frames[i].writing;
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

/* m.lock held. */
static enum pageout_result try_pageout(struct page *page, gfp_t gfp, bool *rotate)
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

/* m.lock held: see evict_page(). */
static bool leave_cache(struct page *page)
{
	struct frame *frame = frame_of(page);
	struct place *place = place_of(frame);
	bool wanted = frame->kind == FILE_PAGE || m.slot[page->private].count;

	if (page_mapped(page) || page_count(page) != 2 || PageWriteback(page) ||
	    (PageDirty(page) && wanted) || (frame->kind == ANON_PAGE && !PageSwapCache(page)))
		return false;
	if (frame->kind == FILE_PAGE) {
		if (frame->version != place->stored)
			ktest_fail(__FILE__, __LINE__, "a page of a file is given up whose newest contents were never written");
		page->mapping = NULL;
		memory_stats.evicted_file++;
		put_page(page);
	} else {
		if (wanted && frame->version != m.slot[page->private].version)
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

/* It runs at once, and writes some of what is dirty. */
void wake_flusher(void)
{
	memory_stats.flusher_wakes++;
	for (unsigned long i = 0, n = 0; i < m.pages && n < 32; i++) {
		struct page *page = world_page(FIRST_PFN + i);
		bool rotate = false, write;

		hold();
		write = m.frames[i].kind == FILE_PAGE && PageDirty(page) && !PageLocked(page) && !PageWriteback(page);
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

	if (m.locked[smp_processor_id()])
		ktest_fail(__FILE__, __LINE__, "reclaim sleeps with %d pages locked", m.locked[smp_processor_id()]);
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

/* ---- is all as it must be ------------------------------------------------------------------- */

#define WRONG(...) do { snprintf(text, sizeof(text), __VA_ARGS__); return text; } while (0)

static const char *check_page(unsigned long i, unsigned long on_lists[NR_LRU_LISTS])
{
	static char text[160];
	const struct frame *frame = &m.frames[i];
	struct page *page = world_page(FIRST_PFN + i);
	int refs = frame->pins + frame->mappings + (frame->kind == FILE_PAGE) + PageSwapCache(page);

	if (frame->kind == FREE && page->flags)
		WRONG("a page was worked on after it had been freed: its flags are %#lx", page->flags);
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

	if (locked_pages())
		WRONG("%d pages were left locked", locked_pages());
	if (m.unlocks_irqs_on)
		WRONG("a spinlock was released with interrupts on");
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

/* ---- what the given files call besides ------------------------------------------------------- */

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
