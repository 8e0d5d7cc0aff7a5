/*
 * SLAB, another right design: a stack of numbers in each slab, and slabs sorted by how full they are.
 *
 * The books of a slab are two tables. used[] has a byte for each object: is it in use? Only its owner writes
 * it, so it needs no lock; that an object is idle in a slab or in some array is the same here. stack[] holds
 * the numbers of the objects that lie in the slab, and nothing about the others: to take ten objects is to
 * read ten entries. An entry is a byte, or two in slabs of more than 256 objects.
 *
 *	books:	| nfree | used: 0 1 1 0 1 | stack: 3 0 . . . |		with nfree 2
 *
 * They lie at the beginning of the slab or come from kmalloc(). All pages of a slab know the same:
 *
 *	slab_mem	the books
 *	slab_state	the address of the first object
 *	aux		how many pages further on in the slab it is than the first
 *
 * Partial slabs lie on four lists, by quarters. Objects are taken from the fullest list that has any, so the
 * emptier ones have the best chance to become free.
 *
 * The array of a CPU can be larger than its limit. So tunables that are lowered need no memory, and larger
 * arrays take over what lies in the old ones: the slabs see only what finds no room any more.
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
#define ALWAYS_ON_SLAB	256U		/* smaller ones are */
#define MAX_TUNABLE	(1U << 30)
#define NARROW		256U		/* objects whose numbers fit into a byte */

enum { FULL, QUARTERS = 4, FREE = QUARTERS + 1, NR_LISTS };

struct books {
	u16 nfree;
	u8 used[];			/* and stack[] */
};

struct stock {
	unsigned int avail, limit, batch, room;
	bool touched;			/* since cache_reap() last looked */
	void *slot[];
};

/* cache->private */
struct stacked {
	struct stock *stock[NR_CPUS];	/* each touched by its CPU only; exchanged under lock */
	struct stock *shared;		/* NULL: none yet; from here on under lock */
	spinlock_t lock;
	unsigned int next_colour;
	struct list_head lists[NR_LISTS];
	unsigned long nr_slabs, nr_free;
	unsigned long nr_here;		/* objects that lie in slabs */
	unsigned int limit, batch, nr_shared;
	/* Constant from here on. */
	unsigned int num, order, first_offset, colours, colour_unit;
	u32 reciprocal;
	bool off_slab;
	unsigned long boot_stock[sizeof(struct stock) / sizeof(long) + 1];	/* with one slot */
};
BUILD_BUG_ON(sizeof(struct stacked) > KMEM_CACHE_PRIVATE);
BUILD_BUG_ON(sizeof(struct stock) % sizeof(long));

const bool cache_merge_default = false;

static __always_inline struct stacked *stacked_of(const struct kmem_cache *cache)
{
	return (struct stacked *)cache->private;
}

/* ---- layout -------------------------------------------------------------------------------- */

static unsigned int books_size(unsigned int num)
{
	unsigned int tables = num <= NARROW ? 2 * num : ALIGN(num, 2U) + 2 * num;

	return sizeof(struct books) + tables;
}

struct layout {
	unsigned int num, order, first_offset, left;
	bool off_slab;
};

static struct layout lay_out(const struct kmem_cache *cache, unsigned int order, bool off_slab)
{
	unsigned int bytes = PAGE_SIZE << order, used;
	struct layout l = { .num = bytes / cache->size, .order = order, .off_slab = off_slab };

	for (;;) {
		l.first_offset = off_slab ? 0 : ALIGN(books_size(l.num), cache->align);
		used = l.first_offset + l.num * cache->size;
		if (used <= bytes)
			break;
		if (!l.num)
			return l;
		l.num--;
	}
	l.left = bytes - used;
	return l;
}

/* The better place for the books: fewer bytes for an object, the books included. */
static struct layout place_books(const struct kmem_cache *cache, unsigned int order)
{
	struct layout on = lay_out(cache, order, false), off = lay_out(cache, order, true);
	unsigned int bytes = PAGE_SIZE << order;

	if (cache->size < ALWAYS_ON_SLAB || 2 * books_size(off.num) >= cache->size)
		return on;
	return (bytes + books_size(off.num)) * on.num < bytes * off.num ? off : on;
}

static void choose_layout(struct kmem_cache *cache)
{
	struct stacked *s = stacked_of(cache);
	struct layout best = { .num = 0 };

	for (unsigned int order = 0; order <= MAX_SLAB_ORDER; order++) {
		struct layout l = place_books(cache, order);

		if (l.num && (!best.num || l.left < best.left << (order - best.order)))
			best = l;
		if (best.num && 8 * best.left <= (unsigned int)PAGE_SIZE << best.order)
			break;
	}
	s->num = best.num;
	s->order = best.order;
	s->off_slab = best.off_slab;
	s->first_offset = best.first_offset;
	s->colour_unit = max(LINE, cache->align);
	s->colours = best.left / s->colour_unit + 1;
	s->reciprocal = (1UL << 32) / cache->size + 1;
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page, const void *object)
{
	(void)page, (void)object;
	return cache->object_size;
}

/* ---- the books ------------------------------------------------------------------------------ */

static unsigned int stack_entry(const struct stacked *s, const struct books *books, unsigned int i)
{
	if (s->num <= NARROW)
		return books->used[s->num + i];
	return ((const u16 *)&books->used[ALIGN(s->num, 2U)])[i];
}

static void set_stack_entry(const struct stacked *s, struct books *books, unsigned int i, unsigned int nr)
{
	if (s->num <= NARROW)
		books->used[s->num + i] = nr;
	else
		((u16 *)&books->used[ALIGN(s->num, 2U)])[i] = nr;
}

/* Which object of its slab it is, if it is one at all. */
static __always_inline unsigned long number_of(const struct stacked *s, const struct page *page,
					       const void *object)
{
	return ((unsigned long)object - page->slab_state) * s->reciprocal >> 32;
}

static __always_inline void mark_used(const struct stacked *s, void *object)
{
	struct page *page = object_page_known(object);
	struct books *books = page->slab_mem;

	WRITE_ONCE(books->used[number_of(s, page, object)], 1);
}

/* ---- slabs come and go ---------------------------------------------------------------------- */

static unsigned int list_for(const struct stacked *s, unsigned int nfree)
{
	if (!nfree)
		return FULL;
	return nfree == s->num ? FREE : 1 + nfree * QUARTERS / s->num;
}

/* The slab has @nfree objects now. True: it was not free, and is. */
static bool set_nfree(struct stacked *s, struct page *slab, unsigned int nfree)
{
	struct books *books = slab->slab_mem;
	unsigned int from = list_for(s, books->nfree), to = list_for(s, nfree);

	s->nr_here += nfree;
	s->nr_here -= books->nfree;
	books->nfree = nfree;
	if (from == to)
		return false;
	list_move(&slab->slab_list, &s->lists[to]);
	s->nr_free += to == FREE;
	s->nr_free -= from == FREE;
	return to == FREE;
}

static unsigned int take_colour(struct stacked *s)
{
	unsigned long flags;
	unsigned int colour;

	spin_lock_irqsave(&s->lock, flags);
	colour = s->next_colour;
	s->next_colour = colour + 1 < s->colours ? colour + 1 : 0;
	spin_unlock_irqrestore(&s->lock, flags);
	return colour;
}

static struct page *make_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct stacked *s = stacked_of(cache);
	struct page *slab = slab_pages_alloc(cache, gfp, nid, s->order);
	struct books *books;
	char *first;

	if (!slab)
		return NULL;
	books = page_address(slab);
	if (s->off_slab) {
		books = kmalloc(books_size(s->num), gfp & ~(__GFP_ZERO | __GFP_DMA32 | __GFP_THISNODE));
		if (!books) {
			slab_pages_free(cache, slab, s->order);
			return NULL;
		}
	}
	first = (char *)page_address(slab) + s->first_offset + take_colour(s) * s->colour_unit;
	for (unsigned int i = 0; i < 1U << s->order; i++) {
		slab[i].slab_mem = books;
		slab[i].slab_state = (unsigned long)first;
		slab[i].aux = i;
	}
	books->nfree = s->num;
	memset(books->used, 0, s->num);
	for (unsigned int i = 0; i < s->num; i++) {
		set_stack_entry(s, books, i, s->num - 1 - i);
		if (cache->ctor)
			cache->ctor(first + i * cache->size);
	}
	return slab;
}

static void add_slab(struct stacked *s, struct page *slab)
{
	list_add(&slab->slab_list, &s->lists[FREE]);
	s->nr_slabs++;
	s->nr_free++;
	s->nr_here += s->num;
}

/* More than the next batch, and a slab: it is taken off. */
static void take_surplus(struct stacked *s, struct list_head *gone, unsigned int batch)
{
	while (s->nr_free && (!batch || (s->nr_free - 1) * s->num > batch)) {
		list_move(s->lists[FREE].prev, gone);
		s->nr_slabs--;
		s->nr_free--;
		s->nr_here -= s->num;
	}
}

/* What was taken off; no lock held. How many pages. */
static unsigned int give_back(struct kmem_cache *cache, struct list_head *gone)
{
	struct stacked *s = stacked_of(cache);
	unsigned int order = s->order, pages = 0;
	struct page *slab, *next;

	list_for_each_entry_safe(slab, next, gone, slab_list) {
		struct books *books = slab->slab_mem;

		slab_pages_free(cache, slab, order);
		if (s->off_slab)
			kfree(books);
		pages += 1U << order;
	}
	return pages;
}

/* ---- between slabs and arrays, under the lock ------------------------------------------------ */

/* Up to @n objects; how many. */
static unsigned int take_of_slabs(struct kmem_cache *cache, void **objects, unsigned int n)
{
	struct stacked *s = stacked_of(cache);
	unsigned int got = 0;

	for (unsigned int list = FULL + 1; list <= FREE; list++) {
		while (got < n && !list_empty(&s->lists[list])) {
			struct page *slab = list_first_entry(&s->lists[list], struct page, slab_list);
			struct books *books = slab->slab_mem;
			unsigned int nfree = books->nfree;

			while (nfree && got < n)
				objects[got++] = (char *)slab->slab_state +
						 stack_entry(s, books, --nfree) * cache->size;
			set_nfree(s, slab, nfree);
		}
	}
	return got;
}

static void put_in_slabs(struct stacked *s, void **objects, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct page *page = object_page_known(objects[i]), *slab = page - page->aux;
		struct books *books = slab->slab_mem;

		set_stack_entry(s, books, books->nfree, number_of(s, page, objects[i]));
		set_nfree(s, slab, books->nfree + 1);
	}
}

/* ---- stocks of free objects ------------------------------------------------------------------ */

/* The last @n of @stock go to the slabs. */
static void drop_top(struct stacked *s, struct stock *stock, unsigned int n)
{
	WRITE_ONCE(stock->avail, stock->avail - n);
	put_in_slabs(s, &stock->slot[stock->avail], n);
}

/* The first @n are gone. */
static void close_gap(struct stock *stock, unsigned int n)
{
	WRITE_ONCE(stock->avail, stock->avail - n);
	memmove(stock->slot, stock->slot + n, stock->avail * sizeof(void *));
}

static void move_stock(struct stock *to, void **objects, unsigned int n)
{
	memcpy(&to->slot[to->avail], objects, n * sizeof(void *));
	WRITE_ONCE(to->avail, to->avail + n);
}

/* A batch for an empty stock. */
static void fill(struct kmem_cache *cache, struct stock *stock)
{
	struct stock *shared = stacked_of(cache)->shared;

	if (shared && shared->avail) {
		unsigned int n = min(shared->avail, stock->batch);

		shared->touched = true;
		WRITE_ONCE(shared->avail, shared->avail - n);
		move_stock(stock, &shared->slot[shared->avail], n);
		return;
	}
	WRITE_ONCE(stock->avail, take_of_slabs(cache, stock->slot, stock->batch));
}

/* A batch of what has lain longest leaves a full stock. */
static void spill(struct kmem_cache *cache, struct stock *stock, struct list_head *gone)
{
	struct stacked *s = stacked_of(cache);
	struct stock *shared = s->shared;
	unsigned int n = stock->batch, to_shared = 0;

	if (shared && shared->avail < shared->limit) {
		to_shared = min(n, shared->limit - shared->avail);
		shared->touched = true;
		move_stock(shared, stock->slot, to_shared);
	}
	put_in_slabs(s, stock->slot + to_shared, n - to_shared);
	close_gap(stock, n);
	take_surplus(s, gone, s->batch);
}

/* ---- allocate and free --------------------------------------------------------------------- */

/* This CPU's stock is empty. Interrupts are off, as they were in @flags when this returns. */
static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned long flags)
{
	struct stacked *s = stacked_of(cache);
	struct page *slab = NULL;
	bool failed = false;

	for (;;) {
		unsigned int cpu = smp_processor_id();
		struct stock *stock = s->stock[cpu];
		int node = nid < 0 ? (int)cpu_node[cpu] : nid;
		void *object = NULL;

		spin_lock_raw(&s->lock);
		if (slab)
			add_slab(s, slab);
		if (!stock->avail)
			fill(cache, stock);
		if (stock->avail) {
			stock->touched = true;
			WRITE_ONCE(stock->avail, stock->avail - 1);
			object = stock->slot[stock->avail];
		}
		spin_unlock_raw(&s->lock);
		local_irq_restore(flags);
		if (object || failed)
			return object;
		slab = make_slab(cache, gfp, node);
		failed = !slab;		/* but somebody may have freed an object meanwhile */
		flags = local_irq_save();
	}
}

static __always_inline void *alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct stacked *s = stacked_of(cache);
	unsigned long flags = local_irq_save();
	struct stock *stock = s->stock[smp_processor_id()];
	void *object;

	if (likely(stock->avail)) {
		stock->touched = true;
		WRITE_ONCE(stock->avail, stock->avail - 1);
		object = stock->slot[stock->avail];
		local_irq_restore(flags);
	} else {
		object = alloc_slow(cache, gfp, nid, flags);
		if (!object)
			return NULL;
	}
	mark_used(s, object);
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
		if (!objects[i]) {
			cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return n;
}

/* This CPU's stock is full. */
static noinline void free_slow(struct kmem_cache *cache, void *object, unsigned long flags)
{
	struct stacked *s = stacked_of(cache);
	struct stock *stock = s->stock[smp_processor_id()];
	LIST_HEAD(gone);

	spin_lock_raw(&s->lock);
	spill(cache, stock, &gone);
	spin_unlock_raw(&s->lock);
	move_stock(stock, &object, 1);
	local_irq_restore(flags);
	give_back(cache, &gone);
}

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	struct stacked *s = stacked_of(cache);
	unsigned long nr = number_of(s, page, object), flags;
	struct books *books = page->slab_mem;
	struct stock *stock;

	if (unlikely(nr >= s->num || page->slab_state + nr * cache->size != (unsigned long)object)) {
		slab_bug(cache, object, "free of an address where no object begins");
		return;
	}
	if (unlikely(!READ_ONCE(books->used[nr]))) {
		slab_bug(cache, object, "double free");
		return;
	}
	flags = local_irq_save();
	WRITE_ONCE(books->used[nr], 0);
	stock = s->stock[smp_processor_id()];
	if (unlikely(stock->avail >= stock->limit)) {
		free_slow(cache, object, flags);
		return;
	}
	stock->touched = true;
	stock->slot[stock->avail] = object;
	WRITE_ONCE(stock->avail, stock->avail + 1);
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
	struct stacked *s = stacked_of(data);
	unsigned long flags = local_irq_save();
	struct stock *stock = s->stock[smp_processor_id()];

	spin_lock_raw(&s->lock);
	drop_top(s, stock, stock->avail);
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
}

/* Surplus above what is worth keeping for @batch; 0: all free slabs. How many pages. */
static int give_back_surplus(struct kmem_cache *cache, unsigned int batch)
{
	struct stacked *s = stacked_of(cache);
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&s->lock, flags);
	take_surplus(s, &gone, batch);
	spin_unlock_irqrestore(&s->lock, flags);
	return give_back(cache, &gone);
}

int cache_shrink(struct kmem_cache *cache)
{
	struct stacked *s = stacked_of(cache);
	unsigned long flags;

	smp_call(cpu_online_mask, empty_mine, cache);
	spin_lock_irqsave(&s->lock, flags);
	if (s->shared)
		drop_top(s, s->shared, s->shared->avail);
	spin_unlock_irqrestore(&s->lock, flags);
	return give_back_surplus(cache, 0);
}

static void drop_if_idle(struct stacked *s, struct stock *stock)
{
	if (!stock->touched)
		drop_top(s, stock, stock->avail);
	stock->touched = false;
}

int cache_reap(struct kmem_cache *cache)
{
	struct stacked *s = stacked_of(cache);
	unsigned long flags = local_irq_save();

	spin_lock_raw(&s->lock);
	drop_if_idle(s, s->stock[smp_processor_id()]);
	if (s->shared)
		drop_if_idle(s, s->shared);
	spin_unlock_raw(&s->lock);
	local_irq_restore(flags);
	return give_back_surplus(cache, 0);
}

/* ---- the arrays of a cache change ------------------------------------------------------------ */

struct change {
	struct kmem_cache *cache;
	unsigned int limit, batch;
	struct stock *stock[NR_CPUS];	/* NULL: the old one is large enough */
};

static void set_stock(struct stock *stock, unsigned int limit, unsigned int batch)
{
	stock->limit = limit;
	stock->batch = batch;
}

static struct stock *make_stock(unsigned long room)
{
	struct stock *stock = kmalloc(sizeof(*stock) + room * sizeof(void *), GFP_KERNEL | __GFP_NOWARN);

	if (stock) {
		memset(stock, 0, sizeof(*stock));
		stock->room = room;
	}
	return stock;
}

/* Under the lock: *@stock becomes *@larger, if there is one, which becomes the old one; what has no room
 * any more goes to the slabs, the coldest first. */
static void change_stock(struct stacked *s, struct stock **stock, struct stock **larger,
			 unsigned int limit, unsigned int batch)
{
	unsigned int excess;

	if (*larger) {
		if (*stock)
			move_stock(*larger, (*stock)->slot, (*stock)->avail);
		swap(*stock, *larger);
	}
	if (!*stock)
		return;
	set_stock(*stock, limit, batch);
	if ((*stock)->avail > limit) {
		excess = (*stock)->avail - limit;
		put_in_slabs(s, (*stock)->slot, excess);
		close_gap(*stock, excess);
	}
}

static void change_cpu(struct change *c, unsigned int cpu)
{
	struct stacked *s = stacked_of(c->cache);
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	change_stock(s, &s->stock[cpu], &c->stock[cpu], c->limit, c->batch);
	spin_unlock_irqrestore(&s->lock, flags);
}

static void change_mine(void *data)
{
	change_cpu(data, smp_processor_id());
}

static void free_stock(struct stacked *s, struct stock *stock)
{
	if (stock != (struct stock *)s->boot_stock)
		kfree(stock);
}

/* All that is too small is made anew, or nothing changes. */
static bool prepare(struct stacked *s, struct change *c, struct stock **shared, unsigned long nr_shared)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		if (s->stock[cpu] && s->stock[cpu]->room >= c->limit)
			continue;
		c->stock[cpu] = make_stock(c->limit);
		if (!c->stock[cpu])
			return false;
	}
	if (nr_shared > (s->shared ? s->shared->room : 0)) {
		*shared = make_stock(nr_shared);
		return *shared;
	}
	return true;
}

static void finish(struct stacked *s, struct change *c, struct stock *shared)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		free_stock(s, c->stock[cpu]);
	kfree(shared);
}

static int set_tunables(struct kmem_cache *cache, unsigned int limit, unsigned int batch,
			unsigned int nr_shared)
{
	struct change c = { .cache = cache, .limit = limit, .batch = batch };
	struct stacked *s = stacked_of(cache);
	unsigned long online = cpu_online_mask, flags;
	struct stock *shared = NULL;

	if (!prepare(s, &c, &shared, (unsigned long)nr_shared * batch)) {
		finish(s, &c, shared);
		return -ENOMEM;
	}
	if (!s->limit)			/* a new cache: no other CPU knows it */
		online = 0;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (!(online & BIT(cpu)))
			change_cpu(&c, cpu);
	if (online)
		smp_call(online, change_mine, &c);
	spin_lock_irqsave(&s->lock, flags);
	change_stock(s, &s->shared, &shared, nr_shared * batch, batch);
	s->limit = limit;
	s->batch = batch;
	s->nr_shared = nr_shared;
	spin_unlock_irqrestore(&s->lock, flags);
	give_back_surplus(cache, batch);
	finish(s, &c, shared);
	return 0;
}

/* ---- caches ---------------------------------------------------------------------------------- */

int cache_setup(struct kmem_cache *cache)
{
	struct stacked *s = stacked_of(cache);
	struct stock *boot = (struct stock *)s->boot_stock;

	cache->size = ALIGN(cache->object_size, cache->align);
	choose_layout(cache);
	spin_lock_init(&s->lock);
	for (unsigned int i = 0; i < NR_LISTS; i++)
		INIT_LIST_HEAD(&s->lists[i]);
	if (slab_is_available())
		return cache_setup_late(cache);
	boot->room = 1;
	set_stock(boot, 1, 1);
	s->stock[smp_processor_id()] = boot;
	return 0;
}

int cache_setup_late(struct kmem_cache *cache)
{
	unsigned int limit = cache->size <= 256 ? 120 : cache->size <= 1024 ? 54 :
			     cache->size <= PAGE_SIZE ? 24 : 8;

	return set_tunables(cache, limit, limit / 2, nr_cpus > 1 ? 8 : 0);
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	struct stacked *s = stacked_of(cache);
	bool is_limit = !strcmp(key, "limit"), is_batch = !strcmp(key, "batchcount");

	if (!is_limit && !is_batch && strcmp(key, "shared"))
		return -ENOENT;
	if (value > MAX_TUNABLE || (!value && (is_limit || is_batch)) || (is_batch && value > s->limit))
		return -EINVAL;
	if (is_limit)
		return set_tunables(cache, value, min_t(unsigned int, s->batch, value), s->nr_shared);
	return is_batch ? set_tunables(cache, s->limit, value, s->nr_shared) :
	       set_tunables(cache, s->limit, s->batch, value);
}

int cache_release(struct kmem_cache *cache)
{
	struct stacked *s = stacked_of(cache);

	cache_shrink(cache);
	if (READ_ONCE(s->nr_slabs))
		return -EBUSY;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		free_stock(s, s->stock[cpu]);
	kfree(s->shared);
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	struct stacked *s = stacked_of(cache);
	unsigned long flags, idle;

	spin_lock_irqsave(&s->lock, flags);
	stats->shared_avail = s->shared ? s->shared->avail : 0;
	idle = s->nr_here + stats->shared_avail;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		idle += s->stock[cpu] ? READ_ONCE(s->stock[cpu]->avail) : 0;
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
