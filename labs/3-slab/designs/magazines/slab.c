/*
 * SLAB, another right design: as in Bonwick's papers of 1994 and 2001, magazines and one list of slabs.
 *
 * A magazine is a box for `batchcount` objects. A CPU has limit / batchcount of them in a row: full ones, the
 * one it works with, empty ones. When the row has run full or empty it exchanges a whole magazine with the
 * depot, which has room for `shared` full ones: so the shared array is a list of boxes, and a batch moves by
 * a pointer.
 *
 *	CPU	[full] [full] [loaded] [empty]		oldest objects first
 *	depot	full -> full -> full, empty -> empty
 *
 * Magazines are neither made nor freed but with the cache and its tunables; each exchange is one against
 * one. Those of different sizes must not mix, so the depot is closed while the CPUs get new ones.
 *
 * All slabs are on one list: those without free objects, then partial ones, then free ones. A pointer tells
 * where the first with a free object is. Each slab has a struct slab with a chain of numbers, at the end of
 * its memory or from kmalloc(); the entry of an object that is not in the chain says who has it.
 *
 * Lock: one for each cache, interrupts off, nothing is taken inside it.
 */
#include "mm/slab/backend.h"
#include "base/irq.h"
#include "base/percpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MAX_SLAB_ORDER	(CONFIG_LAB == 1 ? 0U : 3U)
#define LINE		64U
#define SMALL		256U		/* smaller objects have their struct slab beside them */
#define MAX_TUNABLE	(1U << 30)

/* Entries of next[] that are no numbers. */
#define IN_USE		0xffff
#define IN_MAGAZINE	0xfffe
#define END		0xfffd

struct slab {
	char *first;			/* object */
	struct page *page;
	u16 free;			/* first of the chain */
	u16 away;			/* objects that are not in it */
	u16 next[];
};

struct magazine {
	struct magazine *below;		/* in the depot */
	unsigned int rounds;
	void *round[];
};

struct cpu_cache {
	struct magazine *loaded;	/* mag[at] */
	unsigned int at, size;		/* of each */
	unsigned int nr;		/* magazines; 0: there is no kmalloc() yet */
	bool touched;			/* since cache_reap() last looked */
	struct magazine *mag[];
};

struct depot {
	struct magazine *full, *empty;
	unsigned int nr_full, least_full;	/* since cache_reap(): so many were not needed */
};

/* cache->private */
struct bonwick {
	struct cpu_cache *cpu[NR_CPUS];	/* each touched by its CPU only; exchanged under lock */
	spinlock_t lock;		/* for the rest */
	struct depot depot;
	struct list_head slabs, *first;	/* slab with a free object; &slabs: none */
	unsigned long nr_slabs, nr_free;
	unsigned long nr_here;		/* objects that lie in slabs */
	unsigned int next_colour;
	unsigned int limit, batch, shared;
	/* Constant from here on. */
	unsigned int num, order, colours, colour_unit;
	u32 reciprocal;
	bool off_slab;
};
BUILD_BUG_ON(sizeof(struct bonwick) > KMEM_CACHE_PRIVATE);

const bool cache_merge_default = false;

/* What a CPU has before there is kmalloc(): always empty and always full. */
static struct magazine no_magazine;
static struct cpu_cache no_cpu_cache = { .loaded = &no_magazine };

static __always_inline struct bonwick *bonwick_of(const struct kmem_cache *cache)
{
	return (struct bonwick *)cache->private;
}

/* ---- layout -------------------------------------------------------------------------------- */

static unsigned int slab_size(unsigned int num)
{
	return sizeof(struct slab) + num * sizeof(u16);
}

/* Objects that fit into @bytes with their struct slab. */
static unsigned int fit_beside(const struct kmem_cache *cache, unsigned int bytes)
{
	unsigned int num = bytes / cache->size;

	while (num && num * cache->size + ALIGN(slab_size(num), 8U) > bytes)
		num--;
	return num;
}

static bool is_off_slab(const struct kmem_cache *cache, unsigned int bytes)
{
	unsigned int on = fit_beside(cache, bytes), off = bytes / cache->size;

	return cache->size >= SMALL && 2 * slab_size(off) < cache->size &&
	       (bytes + slab_size(off)) * on < bytes * off;
}

static void choose_layout(struct kmem_cache *cache)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned int best = ~0U, left = 0;

	for (unsigned int order = 0; order <= MAX_SLAB_ORDER && best > PAGE_SIZE; order++) {
		unsigned int bytes = PAGE_SIZE << order;
		bool off = is_off_slab(cache, bytes);
		unsigned int num = off ? bytes / cache->size : fit_beside(cache, bytes);
		unsigned int over = bytes - num * cache->size - (off ? 0 : ALIGN(slab_size(num), 8U));
		unsigned int part = 8 * over >> order;		/* of 8 pages: an eighth is one */

		if (!num || part >= best)
			continue;
		best = part;
		left = over;
		b->num = num;
		b->order = order;
		b->off_slab = off;
	}
	b->colour_unit = max(LINE, cache->align);
	b->colours = left / b->colour_unit + 1;
	b->reciprocal = (1UL << 32) / cache->size + 1;
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page, const void *object)
{
	(void)page, (void)object;
	return cache->object_size;
}

static __always_inline unsigned long number_of(const struct bonwick *b, const struct slab *slab,
					       const void *object)
{
	return ((unsigned long)object - (unsigned long)slab->first) * b->reciprocal >> 32;
}

/* ---- slabs come and go ---------------------------------------------------------------------- */

static void init_slab(struct kmem_cache *cache, struct slab *slab, struct page *page)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	slab->first = (char *)page_address(page) + b->next_colour * b->colour_unit;
	b->next_colour = b->next_colour + 1 < b->colours ? b->next_colour + 1 : 0;
	spin_unlock_irqrestore(&b->lock, flags);
	slab->page = page;
	slab->free = 0;
	slab->away = 0;
	for (unsigned int i = 0; i < b->num; i++) {
		slab->next[i] = i + 1 < b->num ? i + 1 : END;
		if (cache->ctor)
			cache->ctor(slab->first + i * cache->size);
	}
	for (unsigned int i = 0; i < 1U << b->order; i++)
		page[i].slab_mem = slab;
}

static struct slab *make_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long size = slab_size(b->num);
	struct slab *slab = NULL;
	struct page *page;

	if (b->off_slab) {
		slab = kmalloc(size, gfp & ~(__GFP_ZERO | __GFP_DMA32 | __GFP_THISNODE));
		if (!slab)
			return NULL;
	}
	page = slab_pages_alloc(cache, gfp, nid, b->order);
	if (!page) {
		kfree(slab);
		return NULL;
	}
	if (!slab)
		slab = (struct slab *)((char *)page_address(page) + (PAGE_SIZE << b->order) - ALIGN(size, 8));
	init_slab(cache, slab, page);
	return slab;
}

/* ---- the list of slabs, under the lock ------------------------------------------------------- */

/* A free slab, to the end. */
static void add_slab(struct bonwick *b, struct slab *slab)
{
	list_add_tail(&slab->page->slab_list, &b->slabs);
	if (b->first == &b->slabs)
		b->first = &slab->page->slab_list;
	b->nr_slabs++;
	b->nr_free++;
	b->nr_here += b->num;
}

static void remove_free_slab(struct bonwick *b, struct slab *slab)
{
	struct list_head *link = &slab->page->slab_list;

	if (b->first == link)
		b->first = link->next;
	list_del(link);
	b->nr_slabs--;
	b->nr_free--;
	b->nr_here -= b->num;
}

/* A batch for each CPU, and a slab. */
static unsigned long worth_keeping(const struct bonwick *b)
{
	return (unsigned long)nr_cpus * b->batch + b->num;
}

/* Free slabs beyond @keep objects; takes the lock itself. How many pages. */
static int give_back(struct kmem_cache *cache, unsigned long keep)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags;
	struct page *page, *next;
	int pages = 0;
	LIST_HEAD(gone);

	spin_lock_irqsave(&b->lock, flags);
	while (b->nr_free * b->num > keep) {
		struct slab *slab = list_last_entry(&b->slabs, struct page, slab_list)->slab_mem;

		remove_free_slab(b, slab);
		list_add(&slab->page->slab_list, &gone);
	}
	spin_unlock_irqrestore(&b->lock, flags);
	list_for_each_entry_safe(page, next, &gone, slab_list) {
		struct slab *slab = page->slab_mem;

		slab_pages_free(cache, page, b->order);
		if (b->off_slab)
			kfree(slab);
		pages += 1 << b->order;
	}
	return pages;
}

/* Up to @n objects; how many. */
static unsigned int take_of_slabs(struct kmem_cache *cache, void **objects, unsigned int n)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned int got = 0;

	while (got < n && b->first != &b->slabs) {
		struct slab *slab = list_entry(b->first, struct page, slab_list)->slab_mem;

		if (!slab->away)
			b->nr_free--;
		while (got < n && slab->free != END) {
			unsigned int nr = slab->free;

			objects[got++] = slab->first + nr * cache->size;
			slab->free = slab->next[nr];
			slab->next[nr] = IN_MAGAZINE;
			slab->away++;
		}
		if (slab->free == END)
			b->first = b->first->next;
	}
	b->nr_here -= got;
	return got;
}

static void put_in_slab(struct bonwick *b, void *object)
{
	struct slab *slab = object_page_known(object)->slab_mem;
	unsigned long nr = number_of(b, slab, object);
	bool was_full = slab->free == END;

	slab->next[nr] = slab->free;
	slab->free = nr;
	slab->away--;
	b->nr_here++;
	if (!slab->away) {		/* behind all others */
		b->nr_free++;
		remove_free_slab(b, slab);
		add_slab(b, slab);
	} else if (was_full) {		/* to where the partial ones begin */
		struct list_head *link = &slab->page->slab_list;

		list_del(link);
		list_add_tail(link, b->first);
		b->first = link;
	}
}

/* ---- magazines ------------------------------------------------------------------------------- */

static struct magazine *make_magazine(unsigned int size)
{
	struct magazine *mag = kmalloc(sizeof(*mag) + (unsigned long)size * sizeof(void *),
				       GFP_KERNEL | __GFP_NOWARN);

	if (mag)
		mag->rounds = 0;
	return mag;
}

static void push(struct magazine **list, struct magazine *mag)
{
	mag->below = *list;
	*list = mag;
}

static struct magazine *pop(struct magazine **list)
{
	struct magazine *mag = *list;

	*list = mag->below;
	return mag;
}

static void empty_magazine(struct bonwick *b, struct magazine *mag)
{
	while (mag->rounds) {
		WRITE_ONCE(mag->rounds, mag->rounds - 1);
		put_in_slab(b, mag->round[mag->rounds]);
	}
}

static void load(struct cpu_cache *cc, unsigned int at)
{
	WRITE_ONCE(cc->at, at);
	cc->loaded = cc->mag[at];
}

static void empty_cpu(struct bonwick *b, struct cpu_cache *cc)
{
	for (unsigned int i = 0; i < cc->nr; i++)
		empty_magazine(b, cc->mag[i]);
	if (cc->nr)
		load(cc, 0);
}

/* Up to @n of the depot's full magazines into the slabs. */
static void empty_depot(struct bonwick *b, struct depot *depot, unsigned int n)
{
	for (n = min(n, depot->nr_full); n; n--) {
		struct magazine *mag = pop(&depot->full);

		depot->nr_full--;
		empty_magazine(b, mag);
		push(&depot->empty, mag);
	}
	depot->least_full = depot->nr_full;
}

/* All magazines of this CPU are empty: gets a full one, or fills one. Under the lock. */
static void refill(struct kmem_cache *cache, struct cpu_cache *cc)
{
	struct bonwick *b = bonwick_of(cache);
	struct depot *depot = &b->depot;

	if (!depot->nr_full) {
		WRITE_ONCE(cc->loaded->rounds, take_of_slabs(cache, cc->loaded->round, cc->size));
		return;
	}
	push(&depot->empty, cc->loaded);
	cc->mag[0] = pop(&depot->full);
	load(cc, 0);
	depot->nr_full--;
	depot->least_full = min(depot->least_full, depot->nr_full);
}

/* All magazines of this CPU are full: the oldest leaves, or is emptied. Under the lock. */
static void make_room(struct bonwick *b, struct cpu_cache *cc)
{
	struct depot *depot = &b->depot;
	struct magazine *oldest = cc->mag[0], *empty = oldest;

	if (depot->empty) {
		empty = pop(&depot->empty);
		push(&depot->full, oldest);
		depot->nr_full++;
	} else {
		empty_magazine(b, oldest);
	}
	memmove(cc->mag, cc->mag + 1, (cc->nr - 1) * sizeof(cc->mag[0]));
	cc->mag[cc->nr - 1] = empty;
	load(cc, cc->nr - 1);
}

/* ---- allocate and free --------------------------------------------------------------------- */

static __always_inline void *take_round(struct cpu_cache *cc)
{
	struct magazine *mag = cc->loaded;

	cc->touched = true;
	WRITE_ONCE(mag->rounds, mag->rounds - 1);
	return mag->round[mag->rounds];
}

static __always_inline void put_round(struct cpu_cache *cc, void *object)
{
	struct magazine *mag = cc->loaded;

	cc->touched = true;
	mag->round[mag->rounds] = object;
	WRITE_ONCE(mag->rounds, mag->rounds + 1);
}

/* The loaded magazine is empty. Interrupts are off, as they were in @flags when this returns. */
static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned long flags)
{
	struct bonwick *b = bonwick_of(cache);
	struct slab *slab = NULL;
	bool failed = false;

	for (;;) {
		struct cpu_cache *cc = b->cpu[smp_processor_id()];
		void *object = NULL;

		if (!cc->loaded->rounds && cc->at)
			load(cc, cc->at - 1);
		if (slab || !cc->loaded->rounds) {
			spin_lock_raw(&b->lock);
			if (slab)
				add_slab(b, slab);
			if (!cc->nr)
				take_of_slabs(cache, &object, 1);
			else if (!cc->loaded->rounds)
				refill(cache, cc);
			spin_unlock_raw(&b->lock);
		}
		if (cc->loaded->rounds)
			object = take_round(cc);
		local_irq_restore(flags);
		if (object || failed)
			return object;
		slab = make_slab(cache, gfp, nid < 0 ? (int)cpu_node[smp_processor_id()] : nid);
		failed = !slab;		/* but somebody may have freed an object meanwhile */
		flags = local_irq_save();
	}
}

static __always_inline void *alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags = local_irq_save();
	struct cpu_cache *cc = b->cpu[smp_processor_id()];
	struct slab *slab;
	void *object;

	if (likely(cc->loaded->rounds)) {
		object = take_round(cc);
		local_irq_restore(flags);
	} else {
		object = alloc_slow(cache, gfp, nid, flags);
		if (!object)
			return NULL;
	}
	slab = object_page_known(object)->slab_mem;
	WRITE_ONCE(slab->next[number_of(b, slab, object)], IN_USE);
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
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
		if (objects[i])
			continue;
		cache_free_bulk(cache, i, objects);
		return 0;
	}
	return n;
}

/* The loaded magazine is full. */
static noinline void free_slow(struct kmem_cache *cache, void *object, unsigned long flags)
{
	struct bonwick *b = bonwick_of(cache);
	struct cpu_cache *cc = b->cpu[smp_processor_id()];
	unsigned long keep = worth_keeping(b);
	bool surplus = false;

	if (cc->at + 1 < cc->nr) {
		load(cc, cc->at + 1);
	} else {
		spin_lock_raw(&b->lock);
		if (cc->nr)
			make_room(b, cc);
		else
			put_in_slab(b, object);
		surplus = b->nr_free * b->num > keep;
		spin_unlock_raw(&b->lock);
	}
	if (cc->nr)
		put_round(cc, object);
	local_irq_restore(flags);
	if (surplus)
		give_back(cache, keep);
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	struct bonwick *b = bonwick_of(cache);
	struct slab *slab = page->slab_mem;
	unsigned long nr = number_of(b, slab, object), flags;
	struct cpu_cache *cc;

	if (unlikely(nr >= b->num || slab->first + nr * cache->size != object)) {
		slab_bug(cache, object, "free of an address where no object begins");
		return;
	}
	if (unlikely(READ_ONCE(slab->next[nr]) != IN_USE)) {
		slab_bug(cache, object, "double free");
		return;
	}
	flags = local_irq_save();
	WRITE_ONCE(slab->next[nr], IN_MAGAZINE);
	cc = b->cpu[smp_processor_id()];
	if (unlikely(cc->loaded->rounds >= cc->size)) {
		free_slow(cache, object, flags);
		return;
	}
	put_round(cc, object);
	local_irq_restore(flags);
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++)
		kmem_cache_free(cache, objects[i]);
}

/* ---- giving memory back -------------------------------------------------------------------- */

static void empty_mine(void *data)
{
	struct bonwick *b = bonwick_of(data);
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	empty_cpu(b, b->cpu[smp_processor_id()]);
	spin_unlock_irqrestore(&b->lock, flags);
}

int cache_shrink(struct kmem_cache *cache)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags;

	smp_call(cpu_online_mask, empty_mine, cache);
	spin_lock_irqsave(&b->lock, flags);
	empty_depot(b, &b->depot, ~0U);
	spin_unlock_irqrestore(&b->lock, flags);
	return give_back(cache, 0);
}

int cache_reap(struct kmem_cache *cache)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags;
	struct cpu_cache *cc;

	spin_lock_irqsave(&b->lock, flags);
	cc = b->cpu[smp_processor_id()];
	if (!cc->touched)
		empty_cpu(b, cc);
	cc->touched = false;
	empty_depot(b, &b->depot, b->depot.least_full);
	spin_unlock_irqrestore(&b->lock, flags);
	return give_back(cache, 0);
}

/* ---- the magazines of a cache are made, exchanged and freed ----------------------------------- */

/* What a cache has, or will have. */
struct arsenal {
	struct kmem_cache *cache;
	struct cpu_cache *cpu[NR_CPUS];
	struct depot depot;
};

static void free_cpu_cache(struct cpu_cache *cc)
{
	if (!cc || cc == &no_cpu_cache)
		return;
	for (unsigned int i = 0; i < cc->nr; i++)
		kfree(cc->mag[i]);
	kfree(cc);
}

/* All of whose magazines are empty. */
static void free_arsenal(struct arsenal *a)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		free_cpu_cache(a->cpu[cpu]);
	while (a->depot.empty)
		kfree(pop(&a->depot.empty));
}

static struct cpu_cache *make_cpu_cache(unsigned int nr, unsigned int size)
{
	struct cpu_cache *cc = kmalloc(sizeof(*cc) + (unsigned long)nr * sizeof(cc->mag[0]),
				       GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO);

	if (!cc)
		return NULL;
	cc->size = size;
	while (cc->nr < nr) {
		cc->mag[cc->nr] = make_magazine(size);
		if (!cc->mag[cc->nr]) {
			free_cpu_cache(cc);
			return NULL;
		}
		cc->nr++;
	}
	cc->loaded = cc->mag[0];
	return cc;
}

static bool make_arsenal(struct arsenal *a, unsigned int limit, unsigned int batch, unsigned int shared)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		a->cpu[cpu] = make_cpu_cache(limit / batch, batch);
		if (!a->cpu[cpu])
			return false;
	}
	for (unsigned int i = 0; i < shared; i++) {
		struct magazine *mag = make_magazine(batch);

		if (!mag)
			return false;
		push(&a->depot.empty, mag);
	}
	return true;
}

static void exchange_mine(void *data)
{
	struct arsenal *a = data;
	struct bonwick *b = bonwick_of(a->cache);
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	swap(b->cpu[smp_processor_id()], a->cpu[smp_processor_id()]);
	spin_unlock_irqrestore(&b->lock, flags);
}

/* @a and the cache exchange their magazines; @online: the CPUs that may use the cache. */
static void exchange(struct arsenal *a, unsigned long online)
{
	struct bonwick *b = bonwick_of(a->cache);
	struct depot old = { 0 };
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	swap(b->depot, old);		/* closed: nothing can come or go */
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (!(online & BIT(cpu)))
			swap(b->cpu[cpu], a->cpu[cpu]);
	spin_unlock_irqrestore(&b->lock, flags);
	if (online)
		smp_call(online, exchange_mine, a);
	spin_lock_irqsave(&b->lock, flags);
	b->depot = a->depot;
	a->depot = old;
	spin_unlock_irqrestore(&b->lock, flags);
}

static int set_tunables(struct kmem_cache *cache, unsigned int limit, unsigned int batch, unsigned int shared)
{
	struct bonwick *b = bonwick_of(cache);
	struct arsenal a = { .cache = cache };
	unsigned long flags;

	if (!make_arsenal(&a, limit, batch, shared)) {
		free_arsenal(&a);
		return -ENOMEM;
	}
	exchange(&a, b->limit ? cpu_online_mask : 0);	/* nobody knows a new cache */
	spin_lock_irqsave(&b->lock, flags);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		empty_cpu(b, a.cpu[cpu]);
	empty_depot(b, &a.depot, ~0U);
	b->limit = limit;
	b->batch = batch;
	b->shared = shared;
	spin_unlock_irqrestore(&b->lock, flags);
	give_back(cache, worth_keeping(b));
	free_arsenal(&a);
	return 0;
}

/* ---- caches ---------------------------------------------------------------------------------- */

int cache_setup(struct kmem_cache *cache)
{
	struct bonwick *b = bonwick_of(cache);

	cache->size = ALIGN(cache->object_size, cache->align);
	choose_layout(cache);
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->slabs);
	b->first = &b->slabs;
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		b->cpu[cpu] = &no_cpu_cache;
	return slab_is_available() ? cache_setup_late(cache) : 0;
}

int cache_setup_late(struct kmem_cache *cache)
{
	unsigned int limit = cache->size <= 256 ? 120 : cache->size <= 1024 ? 54 :
			     cache->size <= PAGE_SIZE ? 24 : 8;

	return set_tunables(cache, limit, limit / 2, nr_cpus > 1 ? 8 : 0);
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	struct bonwick *b = bonwick_of(cache);
	bool fits = value && value <= MAX_TUNABLE;

	if (!strcmp(key, "limit"))
		return fits ? set_tunables(cache, value, min(b->batch, (unsigned int)value), b->shared) :
		       -EINVAL;
	if (!strcmp(key, "batchcount"))
		return fits && value <= b->limit ? set_tunables(cache, b->limit, value, b->shared) :
		       -EINVAL;
	if (!strcmp(key, "shared"))
		return fits || !value ? set_tunables(cache, b->limit, b->batch, value) : -EINVAL;
	return -ENOENT;
}

int cache_release(struct kmem_cache *cache)
{
	struct arsenal a = { .cache = cache };

	cache_shrink(cache);
	if (READ_ONCE(bonwick_of(cache)->nr_slabs))
		return -EBUSY;
	exchange(&a, 0);
	free_arsenal(&a);
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	struct bonwick *b = bonwick_of(cache);
	unsigned long flags, idle;

	spin_lock_irqsave(&b->lock, flags);
	idle = stats->shared_avail = (unsigned long)b->depot.nr_full * b->batch;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct cpu_cache *cc = b->cpu[cpu];

		idle += READ_ONCE(cc->at) * cc->size + READ_ONCE(READ_ONCE(cc->loaded)->rounds);
	}
	idle += b->nr_here;
	stats->total_slabs = b->nr_slabs;
	stats->active_slabs = b->nr_slabs - b->nr_free;
	stats->total_objects = b->nr_slabs * b->num;
	stats->active_objects = stats->total_objects - min(idle, stats->total_objects);
	stats->objects_per_slab = b->num;
	stats->pages_per_slab = 1U << b->order;
	stats->limit = b->limit;
	stats->batchcount = b->batch;
	stats->shared = b->shared;
	spin_unlock_irqrestore(&b->lock, flags);
}
