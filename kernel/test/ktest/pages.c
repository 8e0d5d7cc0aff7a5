/* See pages.h. Also what else the files under mm/slab/ use of the kernel below them. */
#include "test/ktest/pages.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/panic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/phys/page_fast.h"
#include "sched/mutex.h"

#define FIRST_PFN	0x40000UL
#define RESTING		0xa5a5a5a5a5a5a5a5UL
#define FRESH		0x5a

#ifdef CONFIG_ARCH_HOST
void __asan_poison_memory_region(const void *addr, size_t size);
void __asan_unpoison_memory_region(const void *addr, size_t size);
#else
#define __asan_poison_memory_region(addr, size)		((void)(addr), (void)(size))
#define __asan_unpoison_memory_region(addr, size)	((void)(addr), (void)(size))
#endif

enum frame_state { FREE, RESTS, USED };

static struct {
	spinlock_t lock;		/* all below */
	u8 *state;			/* enum frame_state of each frame */
	unsigned long pages, next, used;
	unsigned long allowed, fail, refused;
	bool written;			/* to a free page */
	pfn_t written_pfn;
} source;

unsigned int nr_nodes;
struct pglist_data node_data[MAX_NUMNODES];
const char *pages_cmdline;

/* On the host: CPUs that have yet to do what they were asked to; CPUs that run a test. */
static unsigned long calls_pending, cpus_running;

void pages_world(unsigned long pages)
{
	unsigned long rounded = ALIGN(pages, PAGES_PER_SECTION);

	world_window(FIRST_PFN, rounded);
	world_contents(rounded);
	memset(&source, 0, sizeof(source));
	source.state = ktest_alloc(pages);
	source.pages = pages;
	source.allowed = ~0UL;
	memset(node_data, 0, sizeof(node_data));
	nr_nodes = 1;
	memset(world_page(FIRST_PFN), 0, rounded * sizeof(struct page));
	for (pfn_t pfn = FIRST_PFN; pfn < FIRST_PFN + rounded; pfn++) {
		struct page *page = world_page(pfn);

		section_map[pfn / PAGES_PER_SECTION / 64] |= 1UL << (pfn / PAGES_PER_SECTION % 64);
		if (pfn >= FIRST_PFN + pages)
			page->flags = BIT(PG_reserved);
		INIT_LIST_HEAD(&page->list);
		atomic_set(&page->_mapcount, -1);
	}
	__asan_poison_memory_region(__va(PFN_PHYS(FIRST_PFN)), rounded * PAGE_SIZE);
	calls_pending = cpus_running = 0;
	ktest_jitter_hook = NULL;
}

unsigned long pages_in_use(void)
{
	return READ_ONCE(source.used);
}

void pages_allow(unsigned long more)
{
	source.allowed = more;
}

void pages_fail(unsigned long n)
{
	source.fail = n;
}

unsigned long pages_refused(void)
{
	return READ_ONCE(source.refused);
}

/* Does a frame that rests still hold the pattern? */
static void check_resting(unsigned long frame)
{
	const u64 *word = __va(PFN_PHYS(FIRST_PFN + frame));

	u64 changed = 0;

	/* Eight words a turn: this is the longest loop of all tests together. */
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*word); i += 8) {
		changed |= (word[i] ^ RESTING) | (word[i + 1] ^ RESTING) | (word[i + 2] ^ RESTING) |
			   (word[i + 3] ^ RESTING) | (word[i + 4] ^ RESTING) | (word[i + 5] ^ RESTING) |
			   (word[i + 6] ^ RESTING) | (word[i + 7] ^ RESTING);
	}
	if (changed && !source.written) {
		source.written = true;
		source.written_pfn = FIRST_PFN + frame;
	}
}

const char *pages_check(void)
{
	static char text[100];

	for (unsigned long i = 0; i < source.pages; i++) {
		if (source.state[i] != RESTS)
			continue;
		__asan_unpoison_memory_region(__va(PFN_PHYS(FIRST_PFN + i)), PAGE_SIZE);
		check_resting(i);
	}
	if (!source.written)
		return NULL;
	snprintf(text, sizeof(text), "page %#lx was written to after it had been given back",
		 source.written_pfn);
	return text;
}

/* ---- the page core ------------------------------------------------------------------------- */

static bool all_free(unsigned long frame, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		if (source.state[frame + i] == USED)
			return false;
	return true;
}

/* The lock is held. The first frame of the next free block; source.pages: none. */
static unsigned long find_block(unsigned int order)
{
	unsigned long n = 1UL << order, blocks = source.pages / n, start = ALIGN(source.next, n) / n;

	for (unsigned long i = 0; i < blocks; i++) {
		unsigned long block = (start + i) % blocks;

		if (all_free(block * n, n))
			return block * n;
	}
	return source.pages;
}

static bool refuse(unsigned int order)
{
	unsigned long n = 1UL << order;

	if (source.fail && !--source.fail)
		return true;
	if (order > MAX_ORDER || source.allowed < n)
		return true;
	return false;
}

static void prepare(unsigned long frame, unsigned int order, bool zero)
{
	for (unsigned long i = frame; i < frame + (1UL << order); i++) {
		void *contents = __va(PFN_PHYS(FIRST_PFN + i));

		__asan_unpoison_memory_region(contents, PAGE_SIZE);
		if (source.state[i] == RESTS)
			check_resting(i);
		if (zero || source.state[i] == FREE)	/* else the pattern will do for garbage */
			memset(contents, zero ? 0 : FRESH, PAGE_SIZE);
		source.state[i] = USED;
	}
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	unsigned long flags, frame;
	struct page *page = NULL;

	if ((unsigned int)nid >= MAX_NUMNODES)
		ktest_fail(__FILE__, __LINE__, "pages of node %d are asked for", nid);
	if ((gfp & __GFP_DIRECT_RECLAIM) && (irqs_disabled() || preempt_count()))
		ktest_fail(__FILE__, __LINE__, "pages are asked for in a way that may sleep, with "
			   "interrupts off or a spinlock held");
	spin_lock_irqsave(&source.lock, flags);
	frame = refuse(order) ? source.pages : find_block(order);
	if (frame < source.pages) {
		prepare(frame, order, gfp & __GFP_ZERO);
		source.next = frame + (1UL << order);
		source.used += 1UL << order;
		if (source.allowed != ~0UL)
			source.allowed -= 1UL << order;
		page = pfn_to_page(FIRST_PFN + frame);
		set_page_in_use(page, order);
	} else {
		source.refused++;
	}
	spin_unlock_irqrestore(&source.lock, flags);
	return page;
}

/* Cleared is what the page core would clear. */
static void give_back(struct page *page, unsigned int order)
{
	unsigned long frame = page_to_pfn(page) - FIRST_PFN, flags;

	spin_lock_irqsave(&source.lock, flags);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		void *contents = page_address(page + i);

		memset(&page[i], 0, offsetof(struct page, _refcount));
		INIT_LIST_HEAD(&page[i].list);
		page[i].aux = 0;
		atomic_set(&page[i]._refcount, 0);
		memset(contents, (u8)RESTING, PAGE_SIZE);
		__asan_poison_memory_region(contents, PAGE_SIZE);
		source.state[frame + i] = RESTS;
	}
	source.used -= 1UL << order;
	if (source.allowed != ~0UL)
		source.allowed += 1UL << order;
	spin_unlock_irqrestore(&source.lock, flags);
}

void __free_pages(struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);

	if (pfn - FIRST_PFN >= source.pages || page_count(page) != 1 ||
	    (PageHead(page) ? page->aux : 0) != order || (page->flags & FLAGS_BAD_AT_FREE))
		bad_page(page, "free of what was not allocated like this");
	else
		give_back(page, order);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_pages_node(0, gfp, order);
}

void *__get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? page_address(page) : NULL;
}

void free_pages(void *addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page(addr), order);
}

void put_page(struct page *page)
{
	__free_pages(page, PageHead(page) ? page->aux : 0);
}

void bad_page(struct page *page, const char *reason)
{
	pr_err("BUG: Bad page state: %s (page %#lx)\n", reason, page_to_pfn(page));
	ktest_fail(__FILE__, __LINE__, "bad page: %s (page %#lx)", reason, page_to_pfn(page));
}

/* ---- what worlds of pages have and this one has not ---------------------------------------- */

#define NOT_HERE()	panic("%s() is not part of this world", __func__)

void zone_core_init(struct zone *zone)
{
	(void)zone;
	NOT_HERE();
}

void zone_core_free(struct zone *zone, struct page *page, unsigned int order)
{
	(void)zone, (void)page, (void)order;
	NOT_HERE();
}

struct page *zone_core_alloc(struct zone *zone, unsigned int order)
{
	(void)zone, (void)order;
	NOT_HERE();
}

void zone_init_watermarks(void)
{
}

void zonelist_init(void)
{
}

int pcp_init(struct zone *zone)
{
	(void)zone;
	return 0;
}

unsigned long pcp_events(bool frees)
{
	(void)frees;
	return 0;
}

void fast_paths_close(void)
{
}

void fast_paths_open(void)
{
}

/* ---- mutexes and the command line ------------------------------------------------------------ */

void __mutex_init(struct mutex *lock)
{
	memset(lock, 0, sizeof(*lock));
}

bool mutex_trylock(struct mutex *lock)
{
	struct thread *nobody = NULL;

	return __atomic_compare_exchange_n(&lock->owner, &nobody, current_thread(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void mutex_lock(struct mutex *lock)
{
	if (mutex_is_held(lock))
		panic("mutex is taken again by its holder");
	if (irqs_disabled() || preempt_count())
		panic("mutex is taken with interrupts off or a spinlock held");
	while (!mutex_trylock(lock))
		pages_poll();
}

void mutex_unlock(struct mutex *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELEASE);
	ktest_sched_point();
}

static const char *value_of(const char *key)
{
	size_t len = strlen(key);

	if (!pages_cmdline || strncmp(pages_cmdline, key, len))
		return NULL;
	return pages_cmdline[len] == '=' ? pages_cmdline + len + 1 :
	       pages_cmdline[len] ? NULL : pages_cmdline + len;
}

bool cmdline_has(const char *key)
{
	return value_of(key) != NULL;
}

int cmdline_get(const char *key, char *buf, size_t size)
{
	const char *value = value_of(key);

	return value ? snprintf(buf, size, "%s", value) : -1;
}

long cmdline_long(const char *key, long fallback)
{
	const char *value = value_of(key);
	long n = 0;

	if (!value || !*value)
		return fallback;
	while (*value >= '0' && *value <= '9')
		n = n * 10 + *value++ - '0';
	return n;
}

/* ---- a CPU has another one do something ------------------------------------------------------ */

#ifndef CONFIG_ARCH_HOST
void ktest_smp_call(unsigned long mask, void (*fn)(void *), void *arg);

void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	if (irqs_disabled() || preempt_count())
		panic("smp_call() with interrupts off or a spinlock held");
	ktest_smp_call(mask & cpu_online_mask, fn, arg);
}

void pages_poll(void)
{
	ktest_relax();
}

void pages_point(void)
{
}

void pages_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	ktest_on_cpus(n, seed, fn, arg);
}
#else
/*
 * No thread can be interrupted, but each comes to pages_poll() now and then, and does there what
 * it was asked to. For a CPU that runs no thread the caller does it in its name.
 */
static struct {
	u32 busy;			/* somebody's call is under way */
	void (*fn)(void *);
	void *arg;
} call;
static struct {
	void (*fn)(unsigned int cpu, void *arg);
	void *arg;
} gang;

static void run_as(unsigned int cpu, void (*fn)(void *), void *arg)
{
	struct thread_head *self = current_head(), saved = *self;

	self->cpu = cpu;
	self->percpu_base = per_cpu_offset[cpu];
	local_irq_disable();
	fn(arg);
	local_irq_enable();
	self->cpu = saved.cpu;
	self->percpu_base = saved.percpu_base;
}

void pages_point(void)
{
	unsigned long bit = BIT(smp_processor_id());

	if (__atomic_load_n(&calls_pending, __ATOMIC_ACQUIRE) & bit) {
		run_as(smp_processor_id(), call.fn, call.arg);
		__atomic_fetch_and(&calls_pending, ~bit, __ATOMIC_ACQ_REL);
	}
}

void pages_poll(void)
{
	pages_point();
	ktest_relax();
}

void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	unsigned long running, self = BIT(smp_processor_id());

	if (irqs_disabled() || preempt_count())
		panic("smp_call() with interrupts off or a spinlock held");
	while (__atomic_exchange_n(&call.busy, 1, __ATOMIC_ACQ_REL))
		pages_poll();
	mask &= cpu_online_mask;
	call.fn = fn;
	call.arg = arg;
	running = __atomic_load_n(&cpus_running, __ATOMIC_ACQUIRE) & mask & ~self;
	__atomic_store_n(&calls_pending, running, __ATOMIC_RELEASE);
	while (__atomic_load_n(&calls_pending, __ATOMIC_ACQUIRE))
		ktest_relax();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if ((mask & ~running) & BIT(cpu))
			run_as(cpu, fn, arg);
	__atomic_store_n(&call.busy, 0, __ATOMIC_RELEASE);
}

/* Who begins or ends does so while nobody's call is under way. */
static void set_running(unsigned int cpu, bool on)
{
	while (__atomic_exchange_n(&call.busy, 1, __ATOMIC_ACQ_REL))
		pages_poll();
	if (on)
		__atomic_fetch_or(&cpus_running, BIT(cpu), __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(&cpus_running, ~BIT(cpu), __ATOMIC_ACQ_REL);
	__atomic_store_n(&call.busy, 0, __ATOMIC_RELEASE);
}

static void gang_member(unsigned int cpu, void *arg)
{
	(void)arg;
	set_running(cpu, true);
	gang.fn(cpu, gang.arg);
	set_running(cpu, false);
}

void pages_on_cpus(unsigned int n, u64 seed, void (*fn)(unsigned int cpu, void *arg), void *arg)
{
	gang.fn = fn;
	gang.arg = arg;
	ktest_on_cpus(n, seed, gang_member, NULL);
}
#endif
