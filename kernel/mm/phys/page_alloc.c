/*
 * The front of the page allocator: everything that is the same whichever page core lies below.
 *
 * An allocation goes through the zones of its zonelist, asks each whether it is above the low
 * watermark, then the CPU's own lists (pcp, lab 2), then the core under the zone's lock. What costs
 * time, filling with zeroes and poison, happens outside of the lock and with interrupts as they
 * were. When no zone will serve, the slow path wakes background reclaim, goes down to the min
 * watermark, reclaims itself if the caller may sleep, and at the end calls for the OOM killer.
 * These three are hooks (struct pressure_ops), because reclaim lives above this floor.
 *
 * A block in use has reference count 1 or more in its first page, and if its order is above 0,
 * PG_head and the order in aux there. Its other pages have count 0 and are nobody's business: so a
 * free of one of them is refused like a double free. __free_pages() changes nothing, neither lists
 * nor counts, unless the page is in a state in which it can be freed; what is refused is reported
 * by bad_page() and lost, which is better than two owners.
 *
 * The plain cases never come here: see page_fast.c.
 *
 * Lock order: zone->lock is innermost (only printk's lock may be taken inside); interrupts off.
 */
#include "mm/phys/page_alloc.h"
#include "mm/phys/page_fast.h"
#include "mm/phys/memblock.h"
#include "mm/phys/vmstat.h"
#include "sched/thread.h"
#include "debug/fault_inject.h"
#include "debug/kasan.h"
#include "base/panic.h"
#include "base/irq.h"
#include "lib/string.h"

#define MAX_RECLAIM_RETRIES	16

static const struct pressure_ops *pressure_ops;
void (*page_free_hook)(struct page *page);

void page_alloc_set_pressure_ops(const struct pressure_ops *ops)
{
	smp_store_release(&pressure_ops, ops);
}

/* ---- poison: DEBUG=1 fills freed pages and looks at them when they are handed out again ---- */

#ifdef CONFIG_DEBUG
#define PAGE_POISON	0xaa
#define PAGE_POISONED	0x706f69736f6e6564UL	/* in aux of a free page that was filled */

static void poison_pages(struct page *page, unsigned int order)
{
	memset(page_address(page), PAGE_POISON, PAGE_SIZE << order);
	for (unsigned long i = 0; i < 1UL << order; i++)
		page[i].aux = PAGE_POISONED;
}

/* Memory freed at boot was never filled, so its aux says no. */
static void check_poison(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		unsigned char *bad;

		if (page[i].aux != PAGE_POISONED)
			continue;
		page[i].aux = 0;
		bad = memchr_inv(page_address(page + i), PAGE_POISON, PAGE_SIZE);
		if (!bad)
			continue;
		pr_err("page_alloc: page %lx was written after it was freed: byte %lx is %02x\n",
		       page_to_pfn(page + i), (unsigned long)bad & ~PAGE_MASK, *bad);
		dump_stack();
	}
}
#else
static inline void poison_pages(struct page *page, unsigned int order) { (void)page; (void)order; }
static inline void check_poison(struct page *page, unsigned int order) { (void)page; (void)order; }
#endif

/* ---- bad pages ---------------------------------------------------------------------------- */

void bad_page(struct page *page, const char *reason)
{
	pr_err("BUG: Bad page state: %s\n", reason);
	/* A foreign pointer is not to be looked into. */
	if ((unsigned long)page % sizeof(*page) || !pfn_valid(page_to_pfn(page)))
		pr_err("page:%p is not in the page array\n", (void *)page);
	else
		pr_err("page:%p pfn:%lx refcount:%d mapcount:%d mapping:%p index:%lx flags:%lx\n",
		       (void *)page, page_to_pfn(page), page_count(page), page_mapcount(page),
		       (void *)page->mapping, page->index, page->flags);
	dump_stack();
}

/*
 * May it be on an LRU list? page_free_hook takes it off. An anonymous page ends with its last mapping, wherever that
 * is; and one that left its file while reclaim had it off the list comes back to the list when nobody else
 * has it any more. One that is still in a file's cache cannot end.
 */
static bool flags_bad(const struct page *page)
{
	bool may_be_listed = page_free_hook && (!page->mapping || (unsigned long)page->mapping & 1);

	return page->flags & FLAGS_BAD_AT_FREE & ~(may_be_listed ? BIT(PG_lru) : 0);
}

/* Why this page cannot be freed as a block of @order, or NULL. */
static const char *bad_reason(const struct page *page, unsigned int order)
{
	if ((unsigned long)page % sizeof(*page) || !pfn_valid(page_to_pfn(page)))
		return "free of a page that does not exist";
	if (PageReserved(page) && page_count(page) <= 1)
		return "free of a reserved page";
	if (page->flags & (BIT(PG_buddy) | BIT(PG_pcp)))
		return "free of a free page (double free)";
	if (page_count(page) <= 0)
		return "free of a page without references (double free, or inside a block)";
	if (order > MAX_ORDER || (PageHead(page) ? page->aux : 0) != order)
		return "free with another order than allocated";
	return NULL;
}

/*
 * Why this page, whose last reference has just gone, cannot end, or NULL. Asked only then: as long as others hold
 * the page, they may still lock and unlock it, and what its flags were does not fit what its count is.
 */
static const char *bad_end(const struct page *page)
{
	if (flags_bad(page))
		return "free of a page that is still locked, on a list or part of a slab";
	return page_mapcount(page) ? "free of a page that is still mapped" : NULL;
}

/* ---- free --------------------------------------------------------------------------------- */

/* Inline, for that is what a large block's way consists of; so is take_from_core(). */
static __always_inline void free_to_core(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long flags = local_irq_save();

	(*this_cpu_ptr(&vm_stat))[PGFREE] += 1L << order;
	spin_lock_raw(&zone->lock);
	zone_core_free(zone, page, order);
	spin_unlock_raw(&zone->lock);
	local_irq_restore(flags);
}

void free_large_block(struct zone *zone, struct page *page, unsigned int order)
{
	page->flags &= FLAGS_ZONE;
	page->aux = 0;
	free_to_core(zone, page, order);
}

/* The last reference is gone, and the checks were passed. */
void free_block(struct page *page, unsigned int order)
{
	struct zone *zone = page_zone(page);
	unsigned long flags;
	bool taken;

	if ((page->mapping || PageLRU(page)) && page_free_hook)
		page_free_hook(page);
	if (unlikely(PageLRU(page))) {
		bad_page(page, "free of a page that is still on an LRU list");
		return;
	}
	page->flags &= FLAGS_ZONE;
	page->mapping = NULL;
	page->aux = 0;
	poison_pages(page, order);
	kasan_poison(page_address(page), PAGE_SIZE << order, KASAN_PAGE_FREE);

	flags = local_irq_save();
	taken = pcp_free(zone, page, order);
	local_irq_restore(flags);
	if (!taken)
		free_to_core(zone, page, order);
}

void free_pages_general(struct page *page, unsigned int order)
{
	const char *reason;
	int count;

	if (unlikely((reason = bad_reason(page, order)))) {
		bad_page(page, reason);
		return;
	}
	count = page_count(page);
	do {
		if (unlikely(count <= 0)) {	/* another CPU has just freed it */
			bad_page(page, "free of a page without references (double free)");
			return;
		}
	} while (!atomic_try_cmpxchg(&page->_refcount, &count, count - 1));
	if (count > 1)
		return;
	if (unlikely((reason = bad_end(page)))) {
		atomic_inc(&page->_refcount);	/* its owner's still */
		bad_page(page, reason);
		return;
	}
	free_block(page, order);
}

/* Two CPUs free one page at once: only one of them brought the count to 0. */
void undo_free(struct page *page)
{
	atomic_inc(&page->_refcount);
	bad_page(page, "free of a page without references (double free, or inside a block)");
}

void free_pages(void *addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page(addr), order);
}

/* ---- allocate ----------------------------------------------------------------------------- */

static __always_inline struct page *take_from_core(struct zone *zone, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct page *page;

	spin_lock_raw(&zone->lock);
	page = zone_core_alloc(zone, order);
	spin_unlock_raw(&zone->lock);
	if (page)
		(*this_cpu_ptr(&vm_stat))[PGALLOC] += 1L << order;
	local_irq_restore(flags);
	return page;
}

/* A block from the CPU's lists or the core of @zone, still as the core left it. */
static struct page *zone_take(struct zone *zone, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct page *page = pcp_alloc(zone, order);

	local_irq_restore(flags);
	return page ? page : take_from_core(zone, order);
}

struct page *alloc_large_block(struct zone *zone, gfp_t gfp, unsigned int order)
{
	struct page *page = NULL;

	if (likely(READ_ONCE(zone->free_pages) >= zone->watermark[WMARK_LOW] +
		   zone->lowmem_reserve[ZONE_NORMAL] + (1UL << order)))
		page = take_from_core(zone, order);
	if (unlikely(!page))
		return alloc_pages_general(zone->nid, gfp, order);
	set_page_in_use(page, order);
	return page;
}

/* The first zone that is above @mark and has a block. */
static struct page *take_from_zones(int nid, gfp_t gfp, unsigned int order,
				    enum zone_watermark mark)
{
	struct zonelist_cursor cursor;

	for (struct zone *zone = zonelist_first(&cursor, nid, gfp); zone;
	     zone = zonelist_next(&cursor)) {
		struct page *page;

		if (!zone_watermark_ok(zone, order, mark, gfp))
			continue;
		page = zone_take(zone, order);
		if (page)
			return page;
	}
	return NULL;
}

/* Makes a block from the core into one in use. */
static struct page *prepare_block(struct page *page, gfp_t gfp, unsigned int order)
{
	kasan_unpoison(page_address(page), PAGE_SIZE << order);
	check_poison(page, order);
	if (gfp & __GFP_ZERO)
		for (unsigned long i = 0; i < 1UL << order; i++)
			clear_page(page_address(page + i));
	set_page_in_use(page, order);
	return page;
}

static void wake_reclaim(int nid, gfp_t gfp, unsigned int order)
{
	const struct pressure_ops *ops = smp_load_acquire(&pressure_ops);
	struct zonelist_cursor cursor;

	if (!ops || !ops->wake)
		return;
	for (struct zone *zone = zonelist_first(&cursor, nid, gfp); zone;
	     zone = zonelist_next(&cursor))
		ops->wake(zone, order);
}

/* One round of direct reclaim over the zones; pages freed. */
static unsigned long direct_reclaim(int nid, gfp_t gfp, unsigned int order)
{
	const struct pressure_ops *ops = smp_load_acquire(&pressure_ops);
	struct thread *self = current_thread();
	struct zonelist_cursor cursor;
	unsigned long freed = 0;

	if (!ops || !ops->reclaim)
		return 0;
	might_sleep();
	self->pf_flags |= PF_MEMALLOC;	/* what reclaim itself needs comes from the reserves */
	for (struct zone *zone = zonelist_first(&cursor, nid, gfp); zone;
	     zone = zonelist_next(&cursor))
		freed += ops->reclaim(zone, gfp, order);
	self->pf_flags &= ~PF_MEMALLOC;
	return freed;
}

static bool call_oom(gfp_t gfp, unsigned int order)
{
	const struct pressure_ops *ops = smp_load_acquire(&pressure_ops);

	if ((gfp & __GFP_NORETRY) || (current_thread()->pf_flags & PF_NO_OOM))
		return false;
	return ops && ops->oom && ops->oom(gfp, order);
}

/* May this request go to sleep for memory? Not within reclaim, or it would wait for itself. */
static bool can_reclaim(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) && can_sleep() &&
	       !(current_thread()->pf_flags & PF_MEMALLOC);
}

/* One report a second at most: who is out of memory asks often. */
static void warn_failure(gfp_t gfp, unsigned int order)
{
	static u64 quiet_until;
	u64 now = arch_clock_ns();
	struct zone *zone;

	if ((gfp & __GFP_NOWARN) || now < READ_ONCE(quiet_until))
		return;
	WRITE_ONCE(quiet_until, now + 1000000000UL);
	pr_warn("%s: page allocation failure: order:%u, mode:%#x\n", current_thread()->comm, order,
		gfp);
	dump_stack();
	for_each_zone(zone)
		pr_warn("Node %d %s free:%lu min:%lu low:%lu high:%lu managed:%lu pages\n",
			zone->nid, zone->name, zone->free_pages + pcp_count(zone),
			zone->watermark[WMARK_MIN], zone->watermark[WMARK_LOW],
			zone->watermark[WMARK_HIGH], zone->managed_pages);
}

/* No zone is above its low watermark, or memory is in pieces. */
static noinline struct page *alloc_slow(int nid, gfp_t gfp, unsigned int order)
{
	unsigned int idle_rounds = 0, rounds = 0;
	struct page *page;

	if (((current_thread()->pf_flags & PF_MEMALLOC) || READ_ONCE(current_thread()->oom_victim)) &&
	    !in_interrupt() && !(gfp & __GFP_NOMEMALLOC))
		gfp |= __GFP_MEMALLOC;
	if (gfp & __GFP_KSWAPD_RECLAIM)
		wake_reclaim(nid, gfp, order);

	while (!(page = take_from_zones(nid, gfp, order, WMARK_MIN))) {
		if (!can_reclaim(gfp))
			break;
		if (direct_reclaim(nid, gfp, order)) {
			idle_rounds = 0;
			if (order == 0)
				rounds = 0;	/* others were faster; single pages come in the end */
		} else {
			drain_all_pages();
			idle_rounds++;
		}
		if ((gfp & __GFP_NORETRY) && ++rounds > 1)
			break;
		if (idle_rounds < 2 && rounds++ < MAX_RECLAIM_RETRIES)
			continue;
		page = take_from_zones(nid, gfp, order, WMARK_MIN);
		if (page)
			break;
		if (!call_oom(gfp, order) && !(gfp & __GFP_NOFAIL))
			break;
		if (READ_ONCE(current_thread()->oom_victim))
			gfp |= __GFP_MEMALLOC;	/* dies the sooner */
		idle_rounds = rounds = 0;
		if (gfp & __GFP_NOFAIL)
			sched_yield();
	}
	if (!page)
		warn_failure(gfp, order);
	return page;
}

struct page *alloc_pages_general(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (unlikely(order > MAX_ORDER)) {
		WARN_ON_ONCE(!(gfp & __GFP_NOWARN));
		return NULL;
	}
	if (unlikely((unsigned int)nid >= nr_nodes))
		nid = 0;	/* a CPU may be near a node without memory */
	if (should_fail(FAIL_PAGE_ALLOC, PAGE_SIZE << order, thread_is_fallible()))
		return NULL;
	gfp &= ~current_thread()->gfp_mask_off;
	page = take_from_zones(nid, gfp, order, WMARK_LOW);
	if (unlikely(!page))
		page = alloc_slow(nid, gfp, order);
	return likely(page) ? prepare_block(page, gfp, order) : NULL;
}

void *__get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? page_address(page) : NULL;
}

void split_page(struct page *page, unsigned int order)
{
	__ClearPageHead(page);
	page->aux = 0;
	for (struct page *p = page + 1; p < page + (1UL << order); p++) {
		p->flags &= FLAGS_ZONE;
		p->mapping = NULL;
		p->index = 0;
		p->private = 0;
		p->aux = 0;
		atomic_set(&p->_refcount, 1);
	}
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned long pages = DIV_ROUND_UP(size, PAGE_SIZE);
	unsigned int order = 0;
	struct page *page;

	while (order <= MAX_ORDER && 1UL << order < pages)
		order++;
	page = size ? alloc_pages(gfp, order) : NULL;
	if (!page)
		return NULL;
	split_page(page, order);
	for (struct page *p = page + pages; p < page + (1UL << order); p++)
		__free_page(p);
	return page_address(page);
}

void free_pages_exact(void *addr, size_t size)
{
	for (size_t done = 0; addr && done < size; done += PAGE_SIZE)
		free_page((char *)addr + done);
}

/* ---- totals, draining, boot --------------------------------------------------------------- */

unsigned long nr_free_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;

	for_each_zone(zone)
		pages += READ_ONCE(zone->free_pages) + pcp_count(zone);
	return pages;
}

unsigned long totalram_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;

	for_each_zone(zone)
		pages += zone->managed_pages;
	return pages;
}

unsigned long pcp_events(bool frees)
{
	unsigned long pages = 0;
	struct zone *zone;

	for_each_zone(zone)
		for (unsigned int cpu = 0; zone->pcp && cpu < nr_cpus; cpu++)
			pages += READ_ONCE(*(frees ? &zone->pcp[cpu].nr_free :
					     &zone->pcp[cpu].nr_alloc));
	return pages;
}

static void drain_this_cpu(void *unused)
{
	unsigned long flags = local_irq_save();
	struct zone *zone;

	(void)unused;
	for_each_zone(zone)
		pcp_drain(zone);
	local_irq_restore(flags);
}

void drain_all_pages(void)
{
	struct zone *zone;

	for_each_zone(zone) {
		if (zone->pcp) {
			smp_call(cpu_online_mask, drain_this_cpu, NULL);
			return;
		}
	}
}

void mem_init(void)
{
	struct zone *zone;

	fast_paths_close();
	sections_init();
	page_init();
	zone_init_watermarks();
	zonelist_init();
	for_each_zone(zone)
		if (pcp_init(zone))
			pr_warn("page_alloc: no per-CPU lists for node %d %s\n", zone->nid,
				zone->name);
	fast_paths_open();
	memblock.current_limit = 0;	/* all it had is given away: memblock_alloc() panics now */
	pr_info("Memory: %luK/%luK available\n", nr_free_pages() * (PAGE_SIZE / 1024),
		(unsigned long)memblock_phys_mem_size() / 1024);
}
