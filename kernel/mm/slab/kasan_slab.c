/*
 * KASAN for small objects: redzones, who allocated and who freed, the quarantine.
 *
 *	| object: what was asked for | tail | struct kasan_meta | up to cache->size |
 *	  may be used                  redzone: may not -------------------------->
 *
 * An object is made larger by a struct kasan_meta, which remembers the call chains of its allocation and
 * of its last free, and which is itself a redzone: only this file, which is compiled without checks, may
 * touch it. It is kept while the object is free, so that a report on a freed object can tell both.
 *
 * The quarantine. An object that is handed out again at once is in use, and a stale pointer to it looks
 * right. So a freed object waits in a queue until 1/32 of memory waits with it. A pointer that is
 * used after a while is then still found.
 *
 * Locks: quarantine.lock guards the queue; a leaf, interrupts off. The backend is called without it.
 */
#include "mm/slab/kasan_slab.h"
#include "mm/slab/backend.h"
#include "base/irq.h"
#include "debug/fault_inject.h"
#include "base/panic.h"
#include "lib/string.h"
#include "sched/thread.h"

#define TRACK_FRAMES	10
#define QUARANTINE_PART	32		/* of all memory, at most */

/* A call chain: return addresses as distances from _text. */
struct track {
	pid_t tid;
	u32 nr;
	u32 frames[TRACK_FRAMES];
};

struct kasan_meta {
	struct track alloc, free;
	void *next;			/* in the quarantine */
};

static struct {
	spinlock_t lock;
	void *first, *last;		/* objects, linked by their meta */
	size_t bytes, limit;
} quarantine = { .lock = SPIN_LOCK_UNLOCKED("quarantine") };

/* SLOB does without: caches share its pages, so nobody can tell whose an object is. */
#ifdef CONFIG_SLAB_SLOB
#define PER_OBJECT	false
#else
#define PER_OBJECT	true
#endif

size_t kasan_cache_init(struct kmem_cache *cache, size_t size)
{
	size_t room = ALIGN(size, KASAN_GRANULE) + sizeof(struct kasan_meta);

	cache->asked_size = size;
	return PER_OBJECT && (room <= PAGE_SIZE || KMALLOC_MAX_CACHE_SIZE > PAGE_SIZE) ? room : size;
}

size_t kasan_usable_size(const struct kmem_cache *cache, size_t size)
{
	(void)size;
	return cache->asked_size;
}

/* NULL: its cache's objects are too large to have one. */
static struct kasan_meta *meta_of(const struct kmem_cache *cache, const void *object)
{
	size_t at = ALIGN(cache->asked_size, KASAN_GRANULE);

	return at + sizeof(struct kasan_meta) <= cache->object_size ?
	       (struct kasan_meta *)((char *)object + at) : NULL;
}

/*
 * Where objects begin. Those of a slab lie at distances of cache->size, but where the first one does is
 * the backend's affair. Each page of a slab remembers it of the object that was allocated in it last: the
 * distance from the page's start, modulo the size, in _mapcount, which a slab has no other use for. A
 * page has none yet while that is -1, as it is in all that are not mapped.
 */
static void learn_phase(const struct kmem_cache *cache, const char *object)
{
	const char *page = (const char *)((unsigned long)object & PAGE_MASK);

	for (; page < object + cache->size; page += PAGE_SIZE) {
		long distance = (object - page) % (long)cache->size;

		atomic_set(&virt_to_page(page)->_mapcount,
			   distance < 0 ? distance + cache->size : distance);
	}
}

/* The start of the object that @addr in a slab of @cache lies in; NULL: not known. */
static void *object_at(const struct kmem_cache *cache, const char *addr)
{
	const char *page = (const char *)((unsigned long)addr & PAGE_MASK);
	long phase = atomic_read(&virt_to_page(page)->_mapcount);
	long distance = (addr - page - phase) % (long)cache->size;

	return phase < 0 ? NULL : (void *)(addr - (distance < 0 ? distance + cache->size : distance));
}

void kasan_forget_slab(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		atomic_set(&page[i]._mapcount, -1);
}

static noinline void remember(struct track *track)
{
	unsigned long entries[TRACK_FRAMES];

	track->tid = current_thread()->tid;
	track->nr = stack_trace_save(entries, TRACK_FRAMES, 3);
	for (u32 i = 0; i < track->nr; i++)
		track->frames[i] = entries[i] - (unsigned long)_text;
}

void kasan_poison_slab(struct page *page, unsigned int order)
{
	if (PER_OBJECT)
		kasan_poison(page_address(page), PAGE_SIZE << order, KASAN_SLAB_REDZONE);
}

static noinline void object_allocated(struct kmem_cache *cache, void *object)
{
	struct kasan_meta *meta;

	if (!PER_OBJECT || !object)
		return;
	meta = meta_of(cache, object);
	kasan_poison(object, ALIGN_DOWN(cache->size, KASAN_GRANULE), KASAN_SLAB_REDZONE);
	kasan_unpoison(object, cache->asked_size);
	learn_phase(cache, object);
	if (meta) {
		remember(&meta->alloc);
		meta->free.nr = 0;
	}
}

void kasan_kmalloc(struct kmem_cache *cache, void *object, size_t size)
{
	if (!PER_OBJECT || !object)
		return;
	kasan_poison(object, ALIGN(cache->asked_size, KASAN_GRANULE), KASAN_SLAB_REDZONE);
	kasan_unpoison(object, max(size, 1UL));	/* kmalloc(0) is one in use, too */
}

void kasan_kmalloc_large(void *block, size_t size, size_t room)
{
	size_t used = ALIGN(size, KASAN_GRANULE);

	if (!block)
		return;
	kasan_poison((char *)block + used, room - used, KASAN_PAGE_REDZONE);
	kasan_unpoison(block, size);
}

/* ---- the quarantine ----------------------------------------------------------------------- */

static void let_go(void *object)
{
	struct page *page = object_page(object);

	kasan_off();
	cache_free(page->slab_cache, page, object);
	kasan_on();
}

/* Takes the oldest object out if the queue is too long; NULL: it is not. */
static void *take_oldest(void)
{
	void *object = NULL;
	unsigned long flags;

	spin_lock_irqsave(&quarantine.lock, flags);
	if (quarantine.bytes > quarantine.limit) {
		struct kmem_cache *cache = object_page(quarantine.first)->slab_cache;

		object = quarantine.first;
		quarantine.first = meta_of(cache, object)->next;
		quarantine.bytes -= cache->size;
	}
	spin_unlock_irqrestore(&quarantine.lock, flags);
	return object;
}

static void put_in(struct kmem_cache *cache, void *object)
{
	unsigned long flags;
	void *old;

	meta_of(cache, object)->next = NULL;
	spin_lock_irqsave(&quarantine.lock, flags);
	if (quarantine.first)
		meta_of(object_page(quarantine.last)->slab_cache, quarantine.last)->next = object;
	else
		quarantine.first = object;
	quarantine.last = object;
	quarantine.bytes += cache->size;
	spin_unlock_irqrestore(&quarantine.lock, flags);
	while ((old = take_oldest()) != NULL)
		let_go(old);
}

/* Unlinks all objects of @cache (NULL: all); a chain of them. */
static void *take_all_of(const struct kmem_cache *cache)
{
	void *object, *keep_first = NULL, *keep_last = NULL, *out = NULL, *next;
	unsigned long flags;

	spin_lock_irqsave(&quarantine.lock, flags);
	for (object = quarantine.first; object; object = next) {
		const struct kmem_cache *mine = object_page(object)->slab_cache;
		struct kasan_meta *meta = meta_of(mine, object);

		next = meta->next;
		if (!cache || mine == cache) {
			meta->next = out;
			out = object;
			quarantine.bytes -= mine->size;
			continue;
		}
		meta->next = NULL;
		if (keep_last)
			meta_of(object_page(keep_last)->slab_cache, keep_last)->next = object;
		else
			keep_first = object;
		keep_last = object;
	}
	quarantine.first = keep_first;
	quarantine.last = keep_last;
	spin_unlock_irqrestore(&quarantine.lock, flags);
	return out;
}

unsigned long kasan_quarantine_flush(struct kmem_cache *cache)
{
	void *object = take_all_of(cache), *next;
	unsigned long n = 0;

	for (; object; object = next, n++) {
		next = meta_of(object_page(object)->slab_cache, object)->next;
		let_go(object);
	}
	return n;
}

/* ---- free --------------------------------------------------------------------------------- */

static void report_free(const char *what, void *object, unsigned long ip)
{
	if (!kasan_report_begin(what, ip))
		return;
	pr_err("Free of addr %016lx\n", (unsigned long)object);
	kasan_report_end(object);
}

/* @object is none in use, and that was reported. */
static bool bad_free(struct kmem_cache *cache, void *object, unsigned long ip)
{
	u8 shadow = kasan_shadow_of(object);

	if (object_at(cache, object) == object && shadow < KASAN_GRANULE)
		return false;
	report_free(shadow == KASAN_SLAB_FREE ? "double-free" : "invalid-free", object, ip);
	return true;
}

static void free_object(struct kmem_cache *cache, void *object, unsigned long ip)
{
	struct kasan_meta *meta = meta_of(cache, object);

	if (bad_free(cache, object, ip))
		return;
	kasan_poison(object, ALIGN_DOWN(cache->size, KASAN_GRANULE), KASAN_SLAB_FREE);
	if (meta) {
		remember(&meta->free);
		put_in(cache, object);
	} else {
		let_go(object);
	}
}

/* ---- in the place of the functions in slab.h ---------------------------------------------- */

#define RET_IP ((unsigned long)__builtin_return_address(0))

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	void *object;

	if (should_fail(FAIL_SLAB, cache->asked_size, thread_is_fallible()))
		return NULL;
	kasan_off();
	object = cache_alloc_node(cache, gfp, nid);
	kasan_on();
	object_allocated(cache, object);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	if (should_fail(FAIL_SLAB, cache->asked_size, thread_is_fallible()))
		return NULL;
	kasan_off();
	object = cache_alloc(cache, gfp);
	kasan_on();
	object_allocated(cache, object);
	return object;
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	int done;

	kasan_off();
	done = cache_alloc_bulk(cache, gfp, n, objects);
	kasan_on();
	for (int i = 0; i < done; i++)
		object_allocated(cache, objects[i]);
	return done;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct page *page = object ? object_page(object) : NULL;

	if (PER_OBJECT && page && page_is_of_cache(page, cache)) {
		free_object(cache, object, RET_IP);
		return;
	}
	kasan_off();
	kmem_cache_free_rest(cache, object);
	kasan_on();
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++)
		kmem_cache_free(cache, objects[i]);
}

void kfree(const void *object)
{
	struct page *page = object ? object_page(object) : NULL;

	if (PER_OBJECT && page && PageSlab(page)) {
		free_object(page->slab_cache, (void *)object, RET_IP);
		return;
	}
	kasan_off();
	kfree_rest(object);
	kasan_on();
}

/* ---- reports ------------------------------------------------------------------------------ */

static void show_track(const char *what, const struct track *track)
{
	if (!track->nr)
		return;
	pr_err("%s by task %d:\n", what, track->tid);
	for (u32 i = 0; i < track->nr && i < TRACK_FRAMES; i++)
		show_return_address((unsigned long)_text + track->frames[i]);
}

static void show_place(const struct kmem_cache *cache, const char *object, const char *addr)
{
	size_t size = cache->asked_size;
	bool inside = addr < object + size;

	pr_err("The buggy address belongs to the object at %016lx\n", (unsigned long)object);
	pr_err(" which belongs to the cache %s of size %lu\n", cache->name, size);
	pr_err("The buggy address is located %lu bytes %s\n",
	       (unsigned long)(inside ? addr - object : addr - (object + size)),
	       inside ? "inside of it" : "behind it");
}

static void describe(const void *addr)
{
	struct page *page;
	const struct kasan_meta *meta;
	char *object;

	if ((unsigned long)addr < PAGE_OFFSET || (unsigned long)addr >= PAGE_OFFSET_END ||
	    !pfn_valid(PFN_DOWN(__pa(addr))))
		return;
	page = object_page(addr);
	if (!PageSlab(page) || !page->slab_cache) {
		pr_err("The buggy address belongs to the page %lx, which is no slab's\n",
		       PFN_DOWN(__pa(addr)));
		return;
	}
	object = object_at(page->slab_cache, addr);
	if (!object)
		return;
	meta = meta_of(page->slab_cache, object);
	if (meta) {
		show_track("Allocated", &meta->alloc);
		show_track("Freed", &meta->free);
	}
	show_place(page->slab_cache, object, addr);
}

void kasan_slab_init(void)
{
	quarantine.limit = totalram_pages() / QUARANTINE_PART * PAGE_SIZE;
	kasan_describe_hook = describe;
}
