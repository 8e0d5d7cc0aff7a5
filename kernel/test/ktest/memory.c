/* See memory.h: the machine, its free pages, and what programs do with them. */
#include "test/ktest/memory_inner.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache/swap.h"
#include "mm/phys/vmstat.h"

struct machine machine;
struct memory_stats memory_stats;
gfp_t memory_gfp;
bool memory_kswapd_runs, memory_flusher_runs, memory_fast_disk, memory_bad_disk;
void (*memory_other_cpu)(void);

unsigned int vm_swappiness;
struct swap_area swap_areas[MAX_SWAPFILES];
static struct node_reclaim node;

struct zone *memory_zone(void) { return &node_data[0].zones[ZONE_DMA32]; }
struct node_reclaim *memory_node(void) { return &node; }
struct node_reclaim *node_reclaim(int nid) { (void)nid; return &node; }
struct lruvec *node_lruvec(int nid) { (void)nid; return &node.lruvec; }
struct lruvec *page_lruvec(const struct page *page) { (void)page; return &node.lruvec; }
unsigned long memory_free(void) { return machine.nr_free; }

void memory_world(unsigned long pages, unsigned long slots)
{
	struct zone *zone = memory_zone();
	unsigned long rounded = ALIGN(pages, PAGES_PER_SECTION);

	world_window(FIRST_PFN, rounded);
	memset(&machine, 0, sizeof(machine));
	memset(&memory_stats, 0, sizeof(memory_stats));
	memset(node_data, 0, sizeof(node_data));
	memset(&node, 0, sizeof(node));
	spin_lock_init(&machine.lock);
	nr_nodes = 1;
	machine.pages = pages;
	machine.slots = slots;
	machine.frames = ktest_alloc(pages * sizeof(*machine.frames));
	machine.free_stack = ktest_alloc(pages * sizeof(*machine.free_stack));
	machine.slot = ktest_alloc((slots + 1) * sizeof(*machine.slot));
	memset(world_page(FIRST_PFN), 0, rounded * sizeof(struct page));
	for (unsigned long i = 0; i < rounded; i++) {
		struct page *page = world_page(FIRST_PFN + i);

		section_map[(FIRST_PFN + i) / PAGES_PER_SECTION / 64] |=
			1UL << ((FIRST_PFN + i) / PAGES_PER_SECTION % 64);
		page->flags = i < pages ? 0 : BIT(PG_reserved);
		atomic_set(&page->_mapcount, -1);
	}
	for (unsigned long i = 0; i < pages; i++)
		machine.free_stack[machine.nr_free++] = pages - 1 - i;
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
		machine.mapping[i].host = NULL;
	memory_gfp = GFP_USER_MOVABLE;
	memory_kswapd_runs = memory_flusher_runs = memory_fast_disk = true;
	memory_bad_disk = false;
	memory_other_cpu = NULL;
	vm_swappiness = 60;
	shadow_init(pages);
	zonelist_init();
	memory_tasks_init();
	lruvec_init(&node.lruvec);
}

static int locked_pages(void)
{
	int n = 0;

	for (unsigned int cpu = 0; cpu < ktest_nr_cpus(); cpu++)
		n += machine.locked[cpu];
	return n;
}

/* ---- what another CPU does meanwhile --------------------------------------------------------- */

void memory_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	machine.smp = true;
	ktest_on_cpus(n, seed, fn, arg);
	machine.smp = false;
}

bool memory_smp(void)
{
	return machine.smp;
}

void memory_let_others_in(void)
{
	if (machine.smp)
		ktest_relax();
	if (!memory_other_cpu || machine.elsewhere || machine.smp)
		return;
	machine.elsewhere = true;
	memory_other_cpu();
	machine.elsewhere = false;
}

void via_ktest_sched_point(void);
bool via_zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark, gfp_t gfp);

/* The code under test has released a spinlock, and has not yet switched interrupts on again. */
void via_ktest_sched_point(void)
{
	if (!irqs_disabled())
		__atomic_fetch_add(&machine.unlocks_irqs_on, 1, __ATOMIC_RELAXED);
	ktest_sched_point();
	if (!machine.smp)
		memory_let_others_in();
}

/* It has looked at a watermark: what it saw may be old already. */
bool via_zone_watermark_ok(const struct zone *zone, unsigned int order, enum zone_watermark mark, gfp_t gfp)
{
	bool ok = zone_watermark_ok(zone, order, mark, gfp);

	memory_let_others_in();
	return ok;
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
	/* As the page allocator does it: only an anonymous page is on its list until its last reference goes. */
	if (PageLRU(page) && page->mapping)
		lru_del(page);
	if (PageLRU(page))
		panic("a page is freed that is still marked PG_lru: a file's, which has left its cache");
	if (PageLocked(page))
		panic("a page is freed that is still locked");
	if (frame->mappings || PageWriteback(page) || PageSwapCache(page))
		panic("a page is freed that is still mapped, being written or in the swap cache");
	hold();
	page->flags = 0;
	page->mapping = NULL;
	memset(frame, 0, sizeof(*frame));
	machine.free_stack[machine.nr_free++] = page_to_pfn(page) - FIRST_PFN;
	memory_zone()->free_pages = memory_zone()->free_area[0].nr_free = machine.nr_free;
	release();
}

/* The thread sleeps for kswapd_wanted(), and is woken by wake_up() alone. */
static void run_kswapd(void)
{
	if (!memory_kswapd_runs || !READ_ONCE(machine.kswapd_awake) ||
	    __atomic_exchange_n(&machine.kswapd_busy, 1, __ATOMIC_ACQUIRE))
		return;
	memory_stats.kswapd_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC | PF_KSWAPD;
	balance_node(&node);
	current_thread()->pf_flags &= ~(PF_MEMALLOC | PF_KSWAPD);
	if (machine.locked[smp_processor_id()])
		panic("kswapd leaves %d pages locked", machine.locked[smp_processor_id()]);
	WRITE_ONCE(machine.kswapd_awake, 0);		/* on the queue before it looks */
	smp_mb();
	if (kswapd_wanted(&node))
		WRITE_ONCE(machine.kswapd_awake, 1);
	__atomic_store_n(&machine.kswapd_busy, 0, __ATOMIC_RELEASE);
}

void wake_up(struct wait_queue *wq)
{
	smp_mb();
	if (wq == &node.kswapd_wait && kswapd_wanted(&node))
		WRITE_ONCE(machine.kswapd_awake, 1);
}

void wake_up_all(struct wait_queue *wq)
{
	wake_up(wq);
}

bool memory_kswapd_awake(void)
{
	return machine.kswapd_awake;
}

static void reclaim_directly(void)
{
	memory_stats.direct_runs++;
	current_thread()->pf_flags |= PF_MEMALLOC;
	try_to_free_pages(memory_zone(), memory_gfp, 0);
	current_thread()->pf_flags &= ~PF_MEMALLOC;
	if (machine.locked[smp_processor_id()])
		panic("direct reclaim leaves %d pages locked", machine.locked[smp_processor_id()]);
}

/* As the page allocator does it: wake below low, reclaim below min. NULL: nothing is left. */
static struct page *take_page(void)
{
	struct zone *zone = memory_zone();
	struct page *page = NULL;

	if (READ_ONCE(machine.nr_free) <= zone->watermark[WMARK_LOW]) {
		wakeup_kswapd(zone, 0);
		run_kswapd();
	}
	for (int i = 0; i < (machine.smp ? 40 : 4) && READ_ONCE(machine.nr_free) <= zone->watermark[WMARK_MIN]; i++)
		reclaim_directly();
	hold();
	if (machine.nr_free <= zone->watermark[WMARK_MIN]) {
		memory_stats.failed++;
	} else {
		page = world_page(FIRST_PFN + machine.free_stack[--machine.nr_free]);
		zone->free_pages = zone->free_area[0].nr_free = machine.nr_free;
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
	while (machine.smp && TestSetPageLocked(page))
		ktest_relax();
}

static void unlock_as_program(struct page *page)
{
	if (machine.smp)
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
	struct place *place = places(&machine.files[file]) + index;
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
	page->mapping = &machine.mapping[file];
	if (file == MEMORY_SHARED)
		SetPageSwapBacked(page);
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
	struct place *place = places(&machine.files[file]) + index;
	struct page *page;
	bool hit;

	page = get_file_page(file, index, &hit);
	if (!page)
		return false;
	hold();
	frame_of(page)->version = ++place->version;
	if (!TestSetPageDirty(page) && file != MEMORY_SHARED)
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
	page->mapping = (struct address_space *)(((unsigned long)&machine.tasks[task]) | 1);
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
	frame_of(page)->version = machine.slot[slot].version;
	page->private = slot;
	SetPageSwapCache(page);
	machine.slot[slot].cache = true;
	machine.slot[slot].page = page;
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
		page = machine.slot[place->slot].page;
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

/* machine.lock held; the page is mapped. */
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
	if (PageSwapCache(page) && !PageWriteback(page) && !PageLocked(page) && !machine.slot[page->private].count)
		leave_swap_cache(page);
	else if (PageSwapCache(page))
		SetPageDirty(page);
	frame->version = ++place->version;
}

bool memory_touch(unsigned int task, pgoff_t index, bool write)
{
	struct place *place = places(&machine.tasks[task]) + index;
	struct page *page;
	bool hit = true;

	machine.task_pages[task] = max(machine.task_pages[task], index + 1);
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

void memory_truncate(unsigned int file, pgoff_t index)
{
	struct place *place = places(&machine.files[file]) + index;
	struct page *page;

	hold();
	page = page_of(place);
	place->pfn = 0;
	if (page)
		page->mapping = NULL;
	release();
	if (!page)
		return;
	lru_del(page);
	put_page(page);
}

struct page *memory_file_page(unsigned int file, pgoff_t index)
{
	return machine.files[file] ? page_of(machine.files[file] + index) : NULL;
}

struct page *memory_task_page(unsigned int task, pgoff_t index)
{
	return machine.tasks[task] && !machine.tasks[task][index].slot ? page_of(machine.tasks[task] + index) : NULL;
}

unsigned long memory_resident(unsigned int file)
{
	unsigned long n = 0;

	for (unsigned long i = 0; machine.files[file] && i < MEMORY_PAGES; i++)
		n += machine.files[file][i].pfn != 0;
	return n;
}

void drop_mappings(struct page *page)
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
	for (unsigned long i = 0; i < machine.task_pages[task]; i++) {
		struct place *place = &machine.tasks[task][i];
		struct page *page;

		hold();
		page = place->slot ? machine.slot[place->slot].page : page_of(place);
		if (page)
			get_page(page);
		if (place->slot)
			slot_drop(place->slot);
		place->slot = place->pfn = 0;
		if (page) {
			drop_mappings(page);
			if (PageSwapCache(page) && !PageWriteback(page) && !PageLocked(page) &&
			    !machine.slot[page->private].count)
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

/* ---- is all as it must be ------------------------------------------------------------------- */

#define WRONG(...) do { snprintf(text, sizeof(text), __VA_ARGS__); return text; } while (0)

static const char *check_page(unsigned long i, unsigned long on_lists[NR_LRU_LISTS])
{
	static char text[160];
	const struct frame *frame = &machine.frames[i];
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
	if (PageSwapBacked(page) != (frame->kind == ANON_PAGE || is_shared_memory(frame)))
		WRONG("a page's PG_swapbacked was changed");
	on_lists[(PageSwapBacked(page) ? 0 : LRU_FILE) + PageActive(page)]++;
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
	if (machine.unlocks_irqs_on)
		WRONG("a spinlock was released with interrupts on");
	for (unsigned long i = 0; i < machine.pages; i++) {
		wrong = check_page(i, on_lists);
		if (wrong)
			return wrong;
		used += machine.frames[i].kind != FREE;
	}
	if (used + machine.nr_free != machine.pages)
		WRONG("%lu pages are in use and %lu free, of %lu", used, machine.nr_free, machine.pages);
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
