/*
 * SLAB, another right design: two bits for each object, and no books off the slab.
 *
 * A slab has two bitmaps. `here` says which objects lie in the slab; it changes under the cache's lock.
 * `idle` says which are not in use, wherever they lie; anybody changes it, with one atomic operation, so
 * even two CPUs that free an object in the same moment are told apart:
 *
 *	idle, here		in its slab
 *	idle, not here		in an array
 *	not idle		in use
 *
 * Of objects of 64 bytes and more there are at most 64 in a page, so each page's part of the maps fits
 * into the two words that its struct page has for us: such slabs hold objects and nothing else. The maps
 * of smaller ones (which fill a page well, so their slabs are of one) lie at the end of the slab, where no
 * colour moves them.
 *
 * What must be known of a slab:
 *
 *	first page	slab_mem: its first object	slab_state, aux: here, idle of objects 0 to 63
 *	page n		slab_mem: first page, and bit 0	slab_state, aux: of objects 64 n to 64 n + 63
 *
 * A slab without objects here is on no list: who frees one of its objects knows it. The arrays are rings, for
 * objects come and go at the top and leave in batches at the bottom.
 *
 * Lock: one for each cache, interrupts off, nothing is taken inside it.
 */
#include "mm/slab/backend.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/bitops.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MAX_SLAB_ORDER	(CONFIG_LAB == 1 ? 0U : 3U)
#define LINE		64U
#define MAX_TUNABLE	(1U << 30)
#define IN_STRUCT_PAGE	64U		/* objects of so many bytes have their bits there */

struct ring {
	unsigned int first, count, limit, batch;
	unsigned int mask;		/* a power of two that is not below limit, less one */
	bool touched;			/* since cache_reap() last looked */
	void *object[];
};

/* cache->private */
struct slab_cache {
	struct ring *ring[NR_CPUS];	/* each touched by its CPU only; exchanged under lock */
	struct ring *shared;		/* NULL: none; from here on under lock */
	spinlock_t lock;
	struct list_head partial, free;
	unsigned long nr_slabs, nr_free;
	unsigned long nr_here;		/* objects that lie in slabs */
	unsigned long next_colour;	/* atomic */
	unsigned int limit, batch, nr_shared;
	/* Constant from here on. */
	unsigned int num, order, words, colours, colour_unit;
	u32 reciprocal;
};
BUILD_BUG_ON(sizeof(struct slab_cache) > KMEM_CACHE_PRIVATE);

const bool cache_merge_default = false;

/* What a CPU has before there is kmalloc(): always empty and always full. */
static struct ring no_ring;

static struct slab_cache *slabs_of(const struct kmem_cache *cache)
{
	return (struct slab_cache *)cache->private;
}

/* ---- layout -------------------------------------------------------------------------------- */

static unsigned int map_words(const struct kmem_cache *cache, unsigned int num)
{
	return cache->size < IN_STRUCT_PAGE ? BITS_TO_LONGS(num) : 0;
}

/* Bytes left over in a slab of @bytes with as many objects as there is room for, which is *@num. */
static unsigned int lay_out(const struct kmem_cache *cache, unsigned int bytes, unsigned int *num)
{
	unsigned int used;

	*num = bytes / cache->size;
	for (;;) {
		used = *num * cache->size + 2 * sizeof(long) * map_words(cache, *num);
		if (used <= bytes)
			return bytes - used;
		--*num;
	}
}

static void choose_order(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned int left = 0, least = ~0U, num;

	for (unsigned int order = 0; order <= MAX_SLAB_ORDER; order++) {
		unsigned int bytes = PAGE_SIZE << order;
		unsigned int part, over = lay_out(cache, bytes, &num);

		part = over << (MAX_SLAB_ORDER - order);
		if (!num || part >= least)
			continue;
		least = part;
		left = over;
		s->order = order;
		s->num = num;
		if (over <= bytes / 8)
			break;
	}
	s->words = map_words(cache, s->num);
	s->colour_unit = max(LINE, cache->align);
	s->colours = left / s->colour_unit + 1;
	s->reciprocal = (1UL << 32) / cache->size + 1;
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page, const void *object)
{
	(void)page, (void)object;
	return cache->object_size;
}

/* ---- from an object to its bits ------------------------------------------------------------- */

static __always_inline struct page *slab_of(struct page *page)
{
	unsigned long mem = (unsigned long)page->slab_mem;

	return mem & 1 ? (struct page *)(mem - 1) : page;
}

/* Behind the last page of a slab of one: the end of its maps. */
static __always_inline unsigned long *end_of_maps(const struct page *slab)
{
	return (unsigned long *)(((unsigned long)slab->slab_mem | (PAGE_SIZE - 1)) + 1);
}

static __always_inline unsigned long *idle_word(const struct slab_cache *s, struct page *slab, unsigned long i)
{
	return s->words ? end_of_maps(slab) - s->words + i : &slab[i].aux;
}

static unsigned long *here_word(const struct slab_cache *s, struct page *slab, unsigned long i)
{
	return s->words ? end_of_maps(slab) - 2 * s->words + i : (unsigned long *)&slab[i].slab_state;
}

static unsigned int nr_words(const struct slab_cache *s)
{
	return BITS_TO_LONGS(s->num);
}

/* All bits that word @i of a map has. */
static unsigned long all_of(const struct slab_cache *s, unsigned int i)
{
	unsigned int bits = s->num - 64 * i;

	return bits >= 64 ? ~0UL : BIT(bits) - 1;
}

/* Which of the slab's objects @object is, if it is one. */
static __always_inline unsigned long number_of(const struct slab_cache *s, const struct page *slab,
					       const void *object)
{
	return ((unsigned long)object - (unsigned long)slab->slab_mem) * s->reciprocal >> 32;
}

/* An object leaves its array for its new owner. */
static __always_inline void hand_out(const struct slab_cache *s, void *object)
{
	struct page *slab = slab_of(object_page_known(object));
	unsigned long nr = number_of(s, slab, object);

	__atomic_fetch_and(idle_word(s, slab, nr / 64), ~BIT(nr % 64), __ATOMIC_RELAXED);
}

/* ---- slabs come and go ---------------------------------------------------------------------- */

static struct page *make_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct slab_cache *s = slabs_of(cache);
	struct page *slab = slab_pages_alloc(cache, gfp, nid, s->order);
	unsigned long colour;
	char *first;

	if (!slab)
		return NULL;
	colour = __atomic_fetch_add(&s->next_colour, 1, __ATOMIC_RELAXED) % s->colours;
	first = (char *)page_address(slab) + colour * s->colour_unit;
	slab->slab_mem = first;
	for (unsigned int i = 1; i < 1U << s->order; i++)
		slab[i].slab_mem = (char *)slab + 1;
	for (unsigned int i = 0; i < nr_words(s); i++)
		*idle_word(s, slab, i) = *here_word(s, slab, i) = all_of(s, i);
	for (unsigned int i = 0; cache->ctor && i < s->num; i++)
		cache->ctor(first + i * cache->size);
	return slab;
}

static void add_slab(struct slab_cache *s, struct page *slab)
{
	list_add(&slab->slab_list, &s->free);
	s->nr_slabs++;
	s->nr_free++;
	s->nr_here += s->num;
}

static void remove_free_slab(struct slab_cache *s, struct page *slab, struct list_head *gone)
{
	list_move(&slab->slab_list, gone);
	s->nr_slabs--;
	s->nr_free--;
	s->nr_here -= s->num;
}

/* Of slabs that were taken off; no lock held. How many pages. */
static unsigned int give_back(struct kmem_cache *cache, struct list_head *gone)
{
	unsigned int order = slabs_of(cache)->order, pages = 0;
	struct page *slab, *next;

	list_for_each_entry_safe(slab, next, gone, slab_list) {
		slab_pages_free(cache, slab, order);
		pages += 1U << order;
	}
	return pages;
}

/* Does none of its objects lie in the slab? */
static bool all_away(const struct slab_cache *s, struct page *slab)
{
	for (unsigned int i = 0; i < nr_words(s); i++)
		if (*here_word(s, slab, i))
			return false;
	return true;
}

static bool all_here(const struct slab_cache *s, struct page *slab)
{
	for (unsigned int i = 0; i < nr_words(s); i++)
		if (*here_word(s, slab, i) != all_of(s, i))
			return false;
	return true;
}

/* ---- between slabs and arrays, under the lock ------------------------------------------------ */

/* Takes up to @n objects out of the slab, lowest addresses first. How many. */
static unsigned int take_of(struct kmem_cache *cache, struct page *slab, void **objects, unsigned int n)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned int got = 0;

	for (unsigned int i = 0; i < nr_words(s); i++) {
		unsigned long *word = here_word(s, slab, i);

		for (; *word && got < n; *word &= *word - 1)
			objects[got++] = (char *)slab->slab_mem +
					 (64 * i + __ffs(*word)) * (unsigned long)cache->size;
	}
	s->nr_here -= got;
	return got;
}

static unsigned int take_of_slabs(struct kmem_cache *cache, void **objects, unsigned int n)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned int got = 0;

	while (got < n) {
		struct page *slab = list_first_entry_or_null(&s->partial, struct page, slab_list);

		if (!slab) {
			slab = list_first_entry_or_null(&s->free, struct page, slab_list);
			if (!slab)
				break;
			list_move(&slab->slab_list, &s->partial);
			s->nr_free--;
		}
		got += take_of(cache, slab, objects + got, n - got);
		if (all_away(s, slab))
			list_del(&slab->slab_list);
	}
	return got;
}

/* What the next bursts on all CPUs will want, and a slab. */
static bool has_surplus(const struct slab_cache *s)
{
	return s->nr_free * s->num > (1UL + nr_cpus) * s->batch + s->num;
}

/* An idle object goes back; @gone NULL: its slab stays in any case. */
static void put_in_slab(struct kmem_cache *cache, void *object, struct list_head *gone)
{
	struct slab_cache *s = slabs_of(cache);
	struct page *slab = slab_of(object_page_known(object));
	unsigned long nr = number_of(s, slab, object);
	unsigned long *word = here_word(s, slab, nr / 64);

	if (!*word && all_away(s, slab))
		list_add(&slab->slab_list, &s->partial);
	*word |= BIT(nr % 64);
	s->nr_here++;
	if (*word != all_of(s, nr / 64) || !all_here(s, slab))
		return;
	list_move(&slab->slab_list, &s->free);
	s->nr_free++;
	if (gone && has_surplus(s))
		remove_free_slab(s, slab, gone);
}

/* ---- rings ----------------------------------------------------------------------------------- */

static struct ring *make_ring(unsigned long limit, unsigned int batch)
{
	unsigned long room = roundup_pow_of_two(limit);
	struct ring *ring = kmalloc(sizeof(*ring) + room * sizeof(void *), GFP_KERNEL | __GFP_NOWARN);

	if (ring) {
		memset(ring, 0, sizeof(*ring));
		ring->limit = limit;
		ring->batch = batch;
		ring->mask = room - 1;
	}
	return ring;
}

static __always_inline void push(struct ring *ring, void *object)
{
	ring->object[(ring->first + ring->count) & ring->mask] = object;
	WRITE_ONCE(ring->count, ring->count + 1);
}

static __always_inline void *pop(struct ring *ring)
{
	WRITE_ONCE(ring->count, ring->count - 1);
	return ring->object[(ring->first + ring->count) & ring->mask];
}

/* What has lain longest. */
static void *pop_bottom(struct ring *ring)
{
	WRITE_ONCE(ring->count, ring->count - 1);
	return ring->object[ring->first++ & ring->mask];
}

static void empty_ring(struct kmem_cache *cache, struct ring *ring, struct list_head *gone)
{
	while (ring && ring->count)
		put_in_slab(cache, pop(ring), gone);
}

/* A batch for an empty ring. */
static void fill(struct kmem_cache *cache, struct ring *ring)
{
	struct slab_cache *s = slabs_of(cache);
	struct ring *shared = s->shared;

	if (shared && shared->count) {
		shared->touched = true;
		ring->first = 0;
		while (shared->count && ring->count < ring->batch)
			push(ring, pop(shared));
		return;
	}
	ring->first = 0;
	WRITE_ONCE(ring->count, take_of_slabs(cache, ring->object, ring->batch));
}

/* A batch leaves a full ring. */
static void spill(struct kmem_cache *cache, struct ring *ring, struct list_head *gone)
{
	struct ring *shared = slabs_of(cache)->shared;
	unsigned int n = ring->batch;

	if (shared && shared->count < shared->limit) {
		shared->touched = true;
		for (; n && shared->count < shared->limit; n--)
			push(shared, pop_bottom(ring));
		return;
	}
	for (; n; n--)
		put_in_slab(cache, pop_bottom(ring), gone);
}

/* ---- allocate and free --------------------------------------------------------------------- */

/* This CPU's ring is empty. Interrupts are off, as they were in @flags when this returns. */
static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned long flags)
{
	struct slab_cache *s = slabs_of(cache);
	struct page *slab = NULL;
	bool failed = false;
	void *object = NULL;

	for (;;) {
		struct ring *ring = s->ring[smp_processor_id()];
		int node = nid < 0 ? (int)cpu_node[smp_processor_id()] : nid;

		spin_lock_raw(&s->lock);
		if (slab)
			add_slab(s, slab);
		if (!ring->limit)
			take_of_slabs(cache, &object, 1);
		else if (!ring->count)
			fill(cache, ring);
		if (ring->count)
			object = pop(ring);
		spin_unlock_raw(&s->lock);
		local_irq_restore(flags);
		if (object || failed)
			return object;
		slab = make_slab(cache, gfp, node);
		failed = !slab;		/* but somebody may have freed one meanwhile */
		flags = local_irq_save();
	}
}

static __always_inline void *alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	unsigned long flags = local_irq_save();
	struct ring *ring = slabs_of(cache)->ring[smp_processor_id()];
	void *object;

	if (likely(ring->count)) {
		ring->touched = true;
		object = pop(ring);
		local_irq_restore(flags);
	} else {
		object = alloc_slow(cache, gfp, nid, flags);
		if (!object)
			return NULL;
	}
	hand_out(slabs_of(cache), object);
	if (unlikely(gfp & __GFP_ZERO))
		return memset(object, 0, cache->object_size);
	return object;
}

void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return alloc(cache, gfp, -1);
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	return alloc(cache, gfp, nid);
}

int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++) {
		objects[i] = cache_alloc(cache, gfp);
		if (!objects[i]) {
			cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return n;
}

static noinline void free_slow(struct kmem_cache *cache, void *object, unsigned long flags)
{
	struct slab_cache *s = slabs_of(cache);
	struct ring *ring = s->ring[smp_processor_id()];
	LIST_HEAD(gone);

	spin_lock_raw(&s->lock);
	if (ring->limit) {
		spill(cache, ring, &gone);
		push(ring, object);
	} else {
		put_in_slab(cache, object, &gone);
	}
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
	give_back(cache, &gone);
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	struct slab_cache *s = slabs_of(cache);
	struct page *slab = slab_of(page);
	unsigned long nr = number_of(s, slab, object), bit = BIT(nr % 64), old;
	struct ring *ring;
	unsigned long flags;

	if (unlikely(nr >= s->num || slab->slab_mem + nr * cache->size != object)) {
		slab_bug(cache, object, "free of an address where no object begins");
		return;
	}
	old = __atomic_fetch_or(idle_word(s, slab, nr / 64), bit, __ATOMIC_RELAXED);
	if (unlikely(old & bit)) {
		slab_bug(cache, object, "double free");
		return;
	}
	flags = local_irq_save();
	ring = s->ring[smp_processor_id()];
	if (unlikely(ring->count >= ring->limit)) {
		free_slow(cache, object, flags);
		return;
	}
	ring->touched = true;
	push(ring, object);
	local_irq_restore(flags);
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++)
		kmem_cache_free(cache, objects[i]);
}

/* ---- giving memory back -------------------------------------------------------------------- */

static void flush_cpu(void *data)
{
	struct kmem_cache *cache = data;
	struct slab_cache *s = slabs_of(cache);
	unsigned long flags = local_irq_save();

	spin_lock_raw(&s->lock);
	empty_ring(cache, s->ring[smp_processor_id()], NULL);
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
}

static int give_back_free(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);
	struct page *slab, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&s->lock, flags);
	list_for_each_entry_safe(slab, next, &s->free, slab_list)
		remove_free_slab(s, slab, &gone);
	spin_unlock_irqrestore(&s->lock, flags);
	return give_back(cache, &gone);
}

static void flush_shared(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	empty_ring(cache, s->shared, NULL);
	spin_unlock_irqrestore(&s->lock, flags);
}

int cache_shrink(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, flush_cpu, cache);
	flush_shared(cache);
	return give_back_free(cache);
}

/* Was it used since the last question? */
static bool was_touched(struct ring *ring)
{
	bool touched = ring->touched;

	if (touched)
		ring->touched = false;
	return touched;
}

int cache_reap(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned long flags = local_irq_save();
	struct ring *ring = s->ring[smp_processor_id()];

	spin_lock_raw(&s->lock);
	if (!was_touched(ring))
		empty_ring(cache, ring, NULL);
	if (s->shared && !was_touched(s->shared))
		empty_ring(cache, s->shared, NULL);
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
	return give_back_free(cache);
}

/* ---- the arrays of a cache come, change and go ----------------------------------------------- */

struct rings {
	struct kmem_cache *cache;
	struct ring *shared, *ring[NR_CPUS];
};

static void free_rings(struct rings *r)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (r->ring[cpu] != &no_ring)
			kfree(r->ring[cpu]);
	kfree(r->shared);
}

static bool make_rings(struct rings *r, unsigned int limit, unsigned int batch, unsigned int shared)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		r->ring[cpu] = make_ring(limit, batch);
		if (!r->ring[cpu])
			return false;
	}
	if (shared)
		r->shared = make_ring((unsigned long)shared * batch, batch);
	return !shared || r->shared;
}

static void exchange_ring(struct rings *r, unsigned int cpu)
{
	struct slab_cache *s = slabs_of(r->cache);
	unsigned long flags = local_irq_save();

	spin_lock_raw(&s->lock);	/* for cache_stats() */
	swap(s->ring[cpu], r->ring[cpu]);
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
}

static void exchange_mine(void *data)
{
	exchange_ring(data, smp_processor_id());
}

/* Gives a cache new rings, which needs all of the old ones' objects to go. */
static int set_rings(struct kmem_cache *cache, unsigned int limit, unsigned int batch, unsigned int shared)
{
	struct rings r = { .cache = cache };
	struct slab_cache *s = slabs_of(cache);
	unsigned long online = cpu_online_mask, flags;
	LIST_HEAD(gone);

	if (!make_rings(&r, limit, batch, shared)) {
		free_rings(&r);
		return -ENOMEM;
	}
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		if ((online & BIT(cpu)) && s->ring[cpu] != &no_ring)
			continue;
		online &= ~BIT(cpu);		/* nobody uses it */
		exchange_ring(&r, cpu);
	}
	if (online)
		smp_call(online, exchange_mine, &r);
	spin_lock_irqsave(&s->lock, flags);
	swap(s->shared, r.shared);
	s->limit = limit;
	s->batch = batch;
	s->nr_shared = shared;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		empty_ring(cache, r.ring[cpu], &gone);
	empty_ring(cache, r.shared, &gone);
	spin_unlock_irqrestore(&s->lock, flags);
	give_back(cache, &gone);
	free_rings(&r);
	return 0;
}

int cache_setup(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);

	cache->size = ALIGN(cache->object_size, cache->align);
	choose_order(cache);
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->partial);
	INIT_LIST_HEAD(&s->free);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		s->ring[cpu] = &no_ring;
	return slab_is_available() ? cache_setup_late(cache) : 0;
}

int cache_setup_late(struct kmem_cache *cache)
{
	unsigned int limit = cache->size <= 256 ? 120 : cache->size <= 1024 ? 54 :
			     cache->size <= PAGE_SIZE ? 24 : 8;

	return set_rings(cache, limit, limit / 2, nr_cpus > 1 ? 8 : 0);
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	struct slab_cache *s = slabs_of(cache);
	bool fits = value && value <= MAX_TUNABLE;

	if (!strcmp(key, "limit"))
		return fits ? set_rings(cache, value, min(s->batch, value), s->nr_shared) : -EINVAL;
	if (!strcmp(key, "batchcount"))
		return fits && value <= s->limit ? set_rings(cache, s->limit, value, s->nr_shared) :
		       -EINVAL;
	if (!strcmp(key, "shared"))
		return fits || !value ? set_rings(cache, s->limit, s->batch, value) : -EINVAL;
	return -ENOENT;
}

int cache_release(struct kmem_cache *cache)
{
	struct slab_cache *s = slabs_of(cache);
	struct rings r = { .cache = cache };

	cache_shrink(cache);
	if (READ_ONCE(s->nr_slabs))
		return -EBUSY;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		r.ring[cpu] = s->ring[cpu];
	r.shared = s->shared;
	free_rings(&r);
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	struct slab_cache *s = slabs_of(cache);
	unsigned long flags, idle;

	spin_lock_irqsave(&s->lock, flags);
	stats->shared_avail = s->shared ? s->shared->count : 0;
	idle = s->nr_here + stats->shared_avail;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		idle += READ_ONCE(s->ring[cpu]->count);
	stats->total_slabs = s->nr_slabs;
	stats->active_slabs = s->nr_slabs - s->nr_free;
	stats->total_objects = s->nr_slabs * s->num;
	stats->active_objects = stats->total_objects - min(idle, stats->total_objects);
	stats->objects_per_slab = s->num;
	stats->pages_per_slab = 1U << s->order;
	stats->limit = s->limit;
	stats->batchcount = s->batch;
	stats->shared = s->nr_shared;
	spin_unlock_irqrestore(&s->lock, flags);
}
