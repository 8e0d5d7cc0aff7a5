/* See shadow.h. Also what the files under test need of a kernel that is not there on the host. */
#include "shadow.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/random.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sched/mutex.h"

/* ---- the kernel around -------------------------------------------------------------------- */

bool (*before_pages)(struct kmem_cache *cache, gfp_t gfp);
unsigned long pages_calls;
const char *slub_debug_option;

struct page *via_slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order);

struct page *via_slab_pages_alloc(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int order)
{
	__atomic_fetch_add(&pages_calls, 1, __ATOMIC_RELAXED);
	if (before_pages && !before_pages(cache, gfp))
		return NULL;
	return slab_pages_alloc(cache, gfp | __GFP_NOWARN, nid, order);
}

static bool any_owned(const void *memory, size_t size);
void via_slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order);

void via_slab_pages_free(struct kmem_cache *cache, struct page *page, unsigned int order)
{
	if (!PageSlab(page) || page->slab_cache != cache)
		ktest_fail(__FILE__, __LINE__, "page %#lx is given back, which is no slab of %s",
			   page_to_pfn(page), cache->name);
	else if (any_owned(page_address(page), PAGE_SIZE << order))
		ktest_fail(__FILE__, __LINE__, "the slab at page %#lx is given back, and has an object in use",
			   page_to_pfn(page));
	else
		slab_pages_free(cache, page, order);
}

void mutex_lock(struct mutex *lock)
{
	while (!mutex_trylock(lock))
		ktest_relax();
}

bool mutex_trylock(struct mutex *lock)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&lock->owner, &none, (struct thread *)1, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void mutex_unlock(struct mutex *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_SEQ_CST);
}

u64 random_u64(void)
{
	return 0x0123456789abcdefUL;
}

unsigned int stack_trace_save(unsigned long *entries, unsigned int max, unsigned int skip);
unsigned int stack_trace_save(unsigned long *entries, unsigned int max, unsigned int skip)
{
	(void)entries, (void)max, (void)skip;
	return 0;
}

int cmdline_get(const char *key, char *buf, size_t size)
{
	if (!slub_debug_option || strcmp(key, "slub_debug"))
		return -1;
	return snprintf(buf, size, "%s", slub_debug_option);
}

bool cmdline_has(const char *key)
{
	(void)key;
	return false;
}

/* ---- the world ---------------------------------------------------------------------------- */

static u64 *owned;			/* a bit for each 8 bytes: are they part of an object? */
static long live;
size_t shadow_depth;

void boot_slabs(unsigned int nodes)
{
	const struct world_range ranges[2] = {
		{ WORLD_FIRST, WORLD_FIRST + WORLD_PAGES / nodes, 0, false },
		{ WORLD_FIRST + WORLD_PAGES / 2, WORLD_FIRST + WORLD_PAGES, 1, false },
	};

	before_pages = NULL;
	pages_calls = 0;
	slub_debug_option = NULL;
	live = 0;
	shadow_depth = ~0UL;
	ktest_jitter_hook = NULL;	/* of a test that did not come to its end */
	world_build(ranges, nodes);
	world_contents(WORLD_PAGES);
	owned = ktest_alloc(WORLD_PAGES * PAGE_SIZE / 64);
	world_front();
	kmem_cache_init();
}

struct kmem_cache *new_cache(const char *name, size_t size, size_t align, slab_flags_t flags,
			     void (*ctor)(void *))
{
	struct kmem_cache *cache = kmem_cache_create(name, size, align, flags | SLAB_NO_MERGE, ctor);

	ASSERT_TRUE(cache != NULL);
	return cache;
}

unsigned long slab_pages(void)
{
	return vm_stat_read(NR_SLAB_UNRECLAIMABLE) + vm_stat_read(NR_SLAB_RECLAIMABLE);
}

unsigned int objects_per_slab(const struct kmem_cache *cache)
{
	return (PAGE_SIZE << slub_of(cache)->order) / cache->size;
}

unsigned long slabs_of(const struct kmem_cache *cache, unsigned long pages)
{
	return pages >> slub_of(cache)->order;
}

/* ---- the shadow map ----------------------------------------------------------------------- */

/* All of these bits were 0 and are 1 now, or the reverse; false: not all. */
static bool mark(const void *object, size_t size, bool used)
{
	phys_addr_t at = __pa(object) - PFN_PHYS(world_first_pfn());
	unsigned long end = DIV_ROUND_UP(at + size, 8);
	bool good = true;

	for (unsigned long i = at / 8, next; i < end; i = next) {
		u64 bits = ~0UL << (i % 64), old;

		next = ALIGN_DOWN(i, 64UL) + 64;
		if (end < next)
			bits &= BIT(end % 64) - 1;
		old = used ? __atomic_fetch_or(&owned[i / 64], bits, __ATOMIC_RELAXED) :
			     ~__atomic_fetch_and(&owned[i / 64], ~bits, __ATOMIC_RELAXED);
		good &= !(old & bits);
	}
	return good;
}

static bool any_owned(const void *memory, size_t size)
{
	phys_addr_t at = __pa(memory) - PFN_PHYS(world_first_pfn());
	u64 any = 0;

	for (unsigned long i = at / 512; i < (at + size) / 512; i++)
		any |= __atomic_load_n(&owned[i], __ATOMIC_RELAXED);
	return any;
}

static u8 tag_of(const void *object)
{
	return ((unsigned long)object >> 3) * 37 + 1;
}

bool took(void *object, size_t size, size_t align)
{
	phys_addr_t pa = __pa(object);
	pfn_t first = world_first_pfn();

	if (PFN_DOWN(pa) < first || PFN_DOWN(pa + size - 1) >= first + WORLD_PAGES) {
		ktest_fail(__FILE__, __LINE__, "%p was handed out, which is no memory", object);
		return false;
	}
	EXPECT_EQ((unsigned long)object % align, 0);
	if (!mark(object, size, true)) {
		ktest_fail(__FILE__, __LINE__, "object at %#lx of %lu bytes was handed out, and part of it is in use",
			   (unsigned long)pa, size);
		return false;
	}
	__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
	memset(object, tag_of(object), min(size, shadow_depth));
	return true;
}

void giving(void *object, size_t size)
{
	const char *changed = memchr_inv(object, tag_of(object), min(size, shadow_depth));

	if (changed)
		ktest_fail(__FILE__, __LINE__, "byte %lu of the object at %#lx changed while it was in use",
			   changed - (const char *)object, (unsigned long)__pa(object));
	if (!mark(object, size, false))
		ktest_fail(__FILE__, __LINE__, "object at %#lx was not in use", (unsigned long)__pa(object));
	__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
}

unsigned long live_objects(void)
{
	return __atomic_load_n(&live, __ATOMIC_RELAXED);
}

void take_n(struct kmem_cache *cache, void **objects, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		ASSERT_TRUE(objects[i] != NULL);
		if (!took(objects[i], cache->object_size, cache->align))
			ktest_abort();
	}
}

void give_n(struct kmem_cache *cache, void **objects, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		giving(objects[i], cache->object_size);
		kmem_cache_free(cache, objects[i]);
	}
}

void shuffle(struct prng *rng, void **objects, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int other = prng_below(rng, n);

		swap(objects[i], objects[other]);
	}
}

/* ---- CPUs --------------------------------------------------------------------------------- */

void flush_cpus(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, slub_flush_cpu, cache);
}

void expect_all_back(struct kmem_cache *cache, unsigned long pages)
{
	EXPECT_EQ(world_log_count("BUG"), 0);
	EXPECT_EQ(live_objects(), 0);
	if (ktest_failed())
		return;
	EXPECT_EQ(kmem_cache_destroy(cache), 0);
	EXPECT_EQ(slab_pages(), pages);
}

struct call {
	unsigned int cpu;
	void (*fn)(void *arg);
	void *arg;
};

static void call_on(unsigned int cpu, void *arg)
{
	struct call *call = arg;

	if (cpu == call->cpu)
		call->fn(call->arg);
}

void run_on(unsigned int cpu, u64 seed, void (*fn)(void *arg), void *arg)
{
	struct call call = { cpu, fn, arg };

	ktest_on_cpus(cpu + 1, seed, call_on, &call);
}
