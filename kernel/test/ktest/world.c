/* The world: see world.h. This file gives it frames, nodes and what the kernel below would give. */
#include "test/ktest/world.h"
#include "test/ktest/calls.h"
#include "mm/phys/page_fast.h"
#include "mm/phys/vmstat.h"
#include "base/irq.h"
#include "base/panic.h"
#include "lib/format.h"
#include "lib/string.h"

#define GARBAGE		0x5a
#define MAX_LOG_LINES	64
#define MAX_LOG_SHOWN	8
#define LOG_FLOOD	100000		/* lines: nobody says that much who comes to an end */
#define LOG_LINE	160
#define CONTENTS_ALIGN	0x8000UL

struct page *vmemmap;
struct world_hooks world_hooks;

static struct {
	pfn_t first;
	unsigned long pages;		/* of the window */
	unsigned long contents;		/* of them with contents */
	char *memory;
} window;

/* ---- what a lab's world may lack -------------------------------------------------------------- */

/* The front's mem_init() and this file name them; a lab that owns them defines them. */
__weak struct memblock memblock;

__weak void page_init(void)
{
	panic("%s() is not part of this world", __func__);
}

__weak bool memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	(void)idx, (void)base, (void)end, (void)nid;
	panic("%s() is not part of this world", __func__);
}

__weak phys_addr_t memblock_phys_mem_size(void)
{
	return 0;
}

__weak phys_addr_t memblock_end_of_DRAM(void)
{
	return PFN_PHYS(window.first + window.pages);
}

/* ---- what the kernel gives ------------------------------------------------------------------ */

unsigned int nr_cpus = 1, cpu_node[NR_CPUS];
unsigned long cpu_online_mask = 1;

void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg);

__weak void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	ktest_smp_call(mask & cpu_online_mask, fn, arg);
}

/* __va(0) is asked for by who wants to know where the direct map begins. */
void *__va(phys_addr_t pa)
{
	if (pa && PFN_DOWN(pa) - window.first >= window.contents)
		panic("memory at %#lx is touched, which has no contents here", pa);
	return (void *)((unsigned long)window.memory + pa - PFN_PHYS(window.first));
}

phys_addr_t __pa(const void *va)
{
	return (phys_addr_t)((const char *)va - window.memory) + PFN_PHYS(window.first);
}

void spin_lock_slow(spinlock_t *lock)
{
	if (READ_ONCE(lock->holder) == current_head()->cpu + 1)
		panic("spinlock is taken again by its holder");
	do {
		while (READ_ONCE(lock->locked))
			ktest_relax();
	} while (!raw_spin_trylock(lock));
}

/* ---- the log -------------------------------------------------------------------------------- */

static char log_lines[MAX_LOG_LINES][LOG_LINE];
static u32 spoofed;
static unsigned int log_used;

static void log_line(const char *fmt, va_list args)
{
	unsigned int slot = __atomic_fetch_add(&log_used, 1, __ATOMIC_RELAXED);
	char *line;
	int len;

	if (slot == LOG_FLOOD)
		panic("the code under test floods the console");
	if (slot >= MAX_LOG_LINES)
		return;
	line = log_lines[slot];
	len = vsnprintf(line, LOG_LINE, fmt, args);
	if (line[0] == KERN_SOH[0] && line[1])
		memmove(line, line + 2, LOG_LINE - 2);
	if (len <= 0)
		return;
	for (char *p = line; *p; p++)
		if (*p < ' ' && (p[1] || *p != '\n'))
			*p = '?';
	if (slot < MAX_LOG_SHOWN)
		ktest_note("  log: %s", line);
	if ((strstr(line, "ok ") || strstr(line, "mac=")) &&
	    !__atomic_exchange_n(&spoofed, 1, __ATOMIC_RELAXED))
		ktest_fail("spoof", 0, "the code under test printed what looks like a verdict");
}

int vprintk(const char *fmt, va_list args)
{
	log_line(fmt, args);
	return 0;
}

int printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(fmt, args);
	va_end(args);
	return 0;
}

void dump_stack(void)
{
}

void warn_slow(const char *file, int line, const char *what)
{
	printk("WARNING: %s at %s:%d\n", what, file, line);
}

unsigned int world_log_count(const char *what)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAX_LOG_LINES && i < log_used; i++)
		n += strstr(log_lines[i], what) != NULL;
	return n;
}

void world_log_forget(void)
{
	log_used = 0;
	spoofed = 0;
}

unsigned int world_bad_pages(void)
{
	return world_log_count("Bad page state");
}

/* ---- panic ---------------------------------------------------------------------------------- */

void *world_panic_frame[5];
bool world_panic_expected;
char world_panic_text[200];

void panic(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (world_panic_expected) {
		memcpy(world_panic_text, text, sizeof(text));
		ktest_calls_unwind();
		__builtin_longjmp(world_panic_frame, 1);
	}
	ktest_fail("panic", 0, "%s", text);
	ktest_abort();
}

/* ---- the first state ------------------------------------------------------------------------ */

/* Around the variables of the files under test: the test image's linker script. */
extern char world_data_start[], world_data_end[];
static char *first_state;

/* Sanitizers keep out: between two variables lies what nobody may touch. */
__attribute__((no_sanitize_address)) static void copy_data(char *to, const char *from, size_t n)
{
	volatile char *d = to;

	while (n--)
		*d++ = *from++;
}

void world_reset(void)
{
	size_t size = world_data_end - world_data_start;

	ktest_calls_forget();
	if (!first_state) {
		first_state = ktest_map(size + 1);
		if (!first_state)
			ktest_abort();
		copy_data(first_state, world_data_start, size);
	}
	copy_data(world_data_start, first_state, size);
	memset(&world_hooks, 0, sizeof(world_hooks));
	memset(&window, 0, sizeof(window));
	memset(cpu_node, 0, sizeof(cpu_node));
	vmemmap = NULL;
	nr_cpus = ktest_nr_cpus();
	cpu_online_mask = BIT(nr_cpus) - 1;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		memset(per_cpu_ptr(&vm_stat, cpu), 0, sizeof(vm_stat));
	world_panic_expected = false;
	world_log_forget();
}

/* ---- frames, zones, nodes ------------------------------------------------------------------- */

void world_window(pfn_t first, unsigned long pages)
{
	pfn_t end = ALIGN(first + pages, PAGES_PER_SECTION);
	struct page *array;

	first = ALIGN_DOWN(first, PAGES_PER_SECTION);
	if (end - first > WORLD_MAX_PAGES)
		panic("a world of %lu pages is too large", end - first);
	array = ktest_alloc_dirty((end - first) * sizeof(struct page));
	memset(array, GARBAGE, (end - first) * sizeof(struct page));
	window.first = first;
	window.pages = end - first;
	vmemmap = array - first;
	memset(section_map, 0, sizeof(section_map));
}

void world_contents(unsigned long pages)
{
	window.contents = min(pages, window.pages);
	/* As in the direct map, what is aligned as a frame is aligned as memory, up to 32 KiB. */
	window.memory = ktest_alloc_dirty(window.contents * PAGE_SIZE + CONTENTS_ALIGN);
	window.memory = (char *)ALIGN((unsigned long)window.memory, CONTENTS_ALIGN);
}

pfn_t world_first_pfn(void)
{
	return window.first;
}

unsigned long world_pages(void)
{
	return window.pages;
}

struct page *world_page(pfn_t pfn)
{
	ASSERT_TRUE(pfn >= window.first && pfn < window.first + window.pages);
	return vmemmap + pfn;
}

static struct zone *zone_at(int nid, pfn_t pfn)
{
	return &node_data[nid].zones[pfn < DMA32_LIMIT_PFN ? ZONE_DMA32 : ZONE_NORMAL];
}

static void init_page(struct page *page, struct zone *zone, bool reserved)
{
	memset(page, 0, sizeof(*page));
	page->flags = (unsigned long)zone->nid << PAGE_NODE_SHIFT |
		      (unsigned long)zone->type << PAGE_ZONE_SHIFT |
		      (reserved ? BIT(PG_reserved) : 0);
	INIT_LIST_HEAD(&page->list);
	atomic_set(&page->_refcount, reserved);
	atomic_set(&page->_mapcount, -1);
}

static void init_zones(void)
{
	static const char *const names[MAX_NR_ZONES] = { "DMA32", "Normal" };

	memset(node_data, 0, sizeof(node_data));
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		node_data[nid].nid = nid;
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node_data[nid].zones[type];

			spin_lock_init(&zone->lock);
			zone->type = type;
			zone->nid = nid;
			zone->name = names[type];
			zone_core_init(zone);
		}
	}
}

/* Accounts [start, end), all of one zone, and gives it to the core if it is free. */
static void add_range(struct zone *zone, pfn_t start, pfn_t end, bool reserved)
{
	pfn_t zone_end = max(zone->start_pfn + zone->spanned_pages, end);

	if (!zone->present_pages || start < zone->start_pfn)
		zone->start_pfn = start;
	zone->spanned_pages = zone_end - zone->start_pfn;
	zone->present_pages += end - start;
	node_data[zone->nid].online = true;
	node_data[zone->nid].present_pages += end - start;
	nr_nodes = max(nr_nodes, (unsigned int)zone->nid + 1);
	for (pfn_t pfn = start; pfn < end; pfn++) {
		section_map[pfn / PAGES_PER_SECTION / 64] |=
			1UL << (pfn / PAGES_PER_SECTION % 64);
		init_page(vmemmap + pfn, zone, reserved);
	}
	if (reserved)
		return;
	zone->managed_pages += end - start;
	for (pfn_t pfn = start; pfn < end; ) {
		unsigned int order = 0;

		while (order < MAX_ORDER && !(pfn & (1UL << order)) && pfn + (2UL << order) <= end)
			order++;
		core_free(zone, vmemmap + pfn, order);
		pfn += 1UL << order;
	}
}

void world_build(const struct world_range *ranges, unsigned int n)
{
	pfn_t first = ranges[0].start;

	world_window(first, ranges[n - 1].end - first);
	init_zones();
	nr_nodes = 1;
	for (pfn_t pfn = window.first; pfn < window.first + window.pages; pfn++)
		init_page(vmemmap + pfn, zone_at(0, pfn), true);
	for (unsigned int i = 0; i < n; i++) {
		const struct world_range *r = &ranges[i];

		for (pfn_t pfn = r->start; pfn < r->end; ) {
			pfn_t stop = pfn < DMA32_LIMIT_PFN ? min(r->end, DMA32_LIMIT_PFN) : r->end;

			add_range(zone_at(r->nid, pfn), pfn, stop, r->reserved);
			pfn = stop;
		}
	}
}

struct zone *world_zone(pfn_t first, unsigned long pages)
{
	struct world_range range = { first, first + pages, 0, false };

	world_build(&range, 1);
	return zone_at(0, first);
}

void world_front(void)
{
	struct zone *zone;

	fast_paths_close();
	zone_init_watermarks();
	zonelist_init();
	for_each_zone(zone)
		pcp_init(zone);
	fast_paths_open();
}

struct page *core_alloc(struct zone *zone, unsigned int order)
{
	struct page *page;
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	page = zone_core_alloc(zone, order);
	spin_unlock_irqrestore(&zone->lock, flags);
	return page;
}

void core_free(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone_core_free(zone, page, order);
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* ---- calls between the student's files ------------------------------------------------------ */

void via_zone_core_init(struct zone *zone);
void via_zone_core_free(struct zone *zone, struct page *page, unsigned int order);
struct page *via_zone_core_alloc(struct zone *zone, unsigned int order);
bool via_memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid);
void *via___get_free_pages(gfp_t gfp, unsigned int order);

void via_zone_core_init(struct zone *zone)
{
	world_hooks.core_init ? world_hooks.core_init(zone) : zone_core_init(zone);
}

void via_zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	if (world_hooks.core_free)
		world_hooks.core_free(zone, page, order);
	else
		zone_core_free(zone, page, order);
}

struct page *via_zone_core_alloc(struct zone *zone, unsigned int order)
{
	return world_hooks.core_alloc ? world_hooks.core_alloc(zone, order) :
					zone_core_alloc(zone, order);
}

bool via_memblock_next_free(u64 *idx, phys_addr_t *base, phys_addr_t *end, int *nid)
{
	return world_hooks.next_free ? world_hooks.next_free(idx, base, end, nid) :
				       memblock_next_free(idx, base, end, nid);
}

/* What an allocator needs for itself is not taken from the memory it manages: that has no contents. */
void *via___get_free_pages(gfp_t gfp, unsigned int order)
{
	char *p;

	(void)gfp;
	if (world_hooks.no_pages)
		return NULL;
	p = ktest_alloc((PAGE_SIZE << order) + PAGE_SIZE);
	return (char *)PAGE_ALIGN(p);
}
