/*
 * SLAB: caches of objects, after Bonwick.
 *
 * The problem. A kernel asks for the same few structures over and over. A page each wastes most of the
 * page; a heap of mixed sizes is slow to search, and frays. And a structure that was just freed is nearly
 * ready for its next use, with locks free and lists empty, yet is torn down and built up again.
 *
 * The idea. Give every structure a cache of its own. A cache takes memory in slabs: a few pages cut
 * into objects of one size, so there is nothing to search and nothing to fray. The constructor
 * runs once, when the slab is cut; an object is freed in its constructed state and handed out again as
 * it is. A slab whose objects are all free can be given back whole.
 *
 *	cache ── array of CPU 0: │obj│obj│obj│   │   │  avail 3, limit 5
 *	      ├─ array of CPU 1: │obj│   │   │   │   │
 *	      ├─ shared array:   │obj│obj│obj│obj│ … │
 *	      └─ lists of slabs: full ─ □ ─ □      every object has left
 *				 partial ─ □       some have
 *				 free ─ □ ─ □      none has
 *
 *	a slab		│ colour │ ctl: u16 for each object │ object 0 │ object 1 │ … │ rest │
 *	off slab	│ colour │ object 0 │ object 1 │ … │ rest │	ctl comes from kmalloc
 *
 *	struct page	slab_list	the slab's place in one of the lists	(first page only)
 *			slab_state	first free object, number of those out	(first page only)
 *			slab_mem	object 0				(all its pages)
 *			aux		ctl					(all its pages)
 *
 * Management. ctl[i] says where object i is: with its owner (CTL_LIVE), in an array (CTL_CACHED), or in the
 * slab, and then it is the index of the next free object of that slab. So the chain of free objects runs
 * beside the objects, not through them: a constructed object is not written to. For objects of
 * PAGE_SIZE / 16 and more, ctl may cost the slab a whole object; if less memory is used per object
 * with ctl elsewhere, it is taken from a kmalloc class, always one of smaller objects than the
 * cache's own: so slabs that need slabs come to an end.
 *
 * Colour. Slabs begin at page boundaries, so the first objects of all slabs would compete for the same
 * sets of the processor's caches, and so the second ones, while the lines that correspond to the rest of
 * a slab would lie idle. What is left over in a slab is therefore put to use: each new slab begins its
 * objects one line further in than the one before, until the slack is used up, then at 0 again.
 *
 * Arrays. The lists are shared by all CPUs, under a lock. Bonwick's magazines, 2001, keep nearly all traffic
 * away from it: each CPU has an array of free objects, last in, first out, which only it touches, and only
 * with interrupts off. An empty array is filled with a batch, a full one gives a batch away, first
 * to and from the shared array, which is a copy of pointers, then the slabs.
 *
 * Bad frees. What is freed must be the start of an object, and its ctl must be CTL_LIVE. Both are looked at
 * in the fast path, by a multiplication instead of a division, so a double free is refused wherever the object
 * is: in its slab, in the shared array, or in the array of another CPU. (Not if two CPUs free it in the very
 * same moment: that would take an atomic exchange.) The price is a line of ctl touched in each operation.
 *
 * Invariants, seen with the lock held:
 *	- ctl[i] < num, or CTL_END: object i is in its slab's chain. CTL_CACHED: in one array, once
 *	- state.inuse = objects of the slab whose ctl is CTL_LIVE or CTL_CACHED
 *	- a slab is in full if inuse = num, in free if inuse = 0, else in partial
 *	- free_objects = objects in chains; what exceeds free_limit is given back as slabs empty
 *
 * Locks: cache's lock, innermost but for nothing: neither pages nor ctl are allocated or freed under it.
 * Interrupts are off while it is held, as interrupt handlers free objects. ctl of an object that is out
 * belongs to its holder. The arrays of another CPU are reached by having it do the work
 * (smp_call), which needs a caller who may wait. Tunables change under slab_mutex.
 *
 * From: J. Bonwick, The Slab Allocator: An Object-Caching Kernel Memory Allocator, USENIX 1994;
 * J. Bonwick and J. Adams, Magazines and Vmem, USENIX 2001. The names are those of Linux's mm/slab.c.
 */
#include "mm/slab/backend.h"
#include "base/irq.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SLAB_MAX_ORDER	(CONFIG_LAB > 1 ? 3 : 0)
#define OFF_SLAB_MIN	(PAGE_SIZE / 16)	/* smaller objects keep ctl on the slab */
#define CACHE_LINE	64

typedef s16 ctl_t;			/* an index, or: */
#define CTL_LIVE	(-1)
#define CTL_CACHED	(-2)
#define CTL_END		(-3)		/* the last free one of its slab */
#define CTL_MAX		0x7fff		/* objects in a slab at most */

struct array_cache {
	void **top, **end;		/* the next to be pushed goes to top; end: full */
	unsigned int batchcount;
	bool touched;			/* filled or emptied since the last reap */
	void *entry[];
};

struct cache_private {
	struct array_cache *array[NR_CPUS];
	unsigned long reciprocal;	/* 2^32 / size, rounded up */
	unsigned long size;		/* cache->size */
	u32 num;			/* objects in a slab */
	u32 slots;			/* entries of ctl: those from num on are never live */
	u16 order;			/* a slab has 2^order pages */
	u16 ctl_size;			/* bytes of ctl at the start of a slab, 0: off slab */
	u32 colour_off, colours;	/* a new slab begins at one of @colours multiples */
	struct kmem_cache *ctl_cache;	/* off slab: where ctl comes from; else NULL */

	atomic_t colour_next;

	spinlock_t lock;		/* the next three lines */
	struct list_head full, partial, free;
	unsigned long slabs, free_slabs, free_objects, free_limit;
	struct array_cache *shared;	/* or NULL */

	unsigned int limit, batchcount, shared_factor;	/* under slab_mutex */
	struct array_cache boot_array;	/* until there is kmalloc: one entry, the boot CPU's */
};
BUILD_BUG_ON(sizeof(struct cache_private) + sizeof(void *) > KMEM_CACHE_PRIVATE);

struct slab_state {			/* lies in page->slab_state */
	ctl_t free;			/* first of the chain */
	u16 inuse;
};

const bool cache_merge_default = false;

static __always_inline struct cache_private *private_of(struct kmem_cache *cache)
{
	return (struct cache_private *)cache->private;
}

static unsigned int array_avail(const struct array_cache *ac)
{
	return ac->top - ac->entry;
}

static struct slab_state *state_of(struct page *slab)
{
	return (struct slab_state *)&slab->slab_state;
}

/* ---- objects and their slabs -------------------------------------------------------------- */

/* Offset / size; offsets are far below 2^32 / size, so the reciprocal is exact. What lies before the
 * first object gives a huge index. */
static __always_inline unsigned long object_index(const struct cache_private *p,
						  const struct page *page, const void *object)
{
	unsigned long offset = (unsigned long)object - (unsigned long)page->slab_mem;

	return offset * p->reciprocal >> 32;
}

static __always_inline ctl_t *ctl_of(const struct page *page)
{
	return (ctl_t *)page->aux;
}

static __always_inline void set_ctl(const struct cache_private *p, const void *object, ctl_t ctl)
{
	struct page *page = object_page_known(object);

	ctl_of(page)[object_index(p, page, object)] = ctl;
}

static __always_inline void *object_at(const struct cache_private *p, const struct page *page,
				       unsigned long index)
{
	return (char *)page->slab_mem + index * p->size;
}

/* The first page of a slab: blocks of pages are aligned to their size. */
static struct page *slab_of(const struct cache_private *p, const void *object)
{
	return pfn_to_page(page_to_pfn(object_page_known(object)) & ~((1UL << p->order) - 1));
}

/* ---- how a slab is laid out --------------------------------------------------------------- */

struct layout {
	size_t bytes, ctl, used;	/* of the slab; ctl on it; ctl and objects together */
	unsigned int num, slots;	/* objects; entries of ctl */
};

static struct layout layout_of(const struct kmem_cache *cache, unsigned int order, bool off_slab)
{
	struct layout l = { .bytes = (size_t)PAGE_SIZE << order };

	l.num = min(l.bytes / cache->size, (size_t)CTL_MAX);
	l.slots = l.bytes / cache->size + 1;
	for (;; l.num--) {
		l.ctl = off_slab ? 0 : ALIGN(l.slots * sizeof(ctl_t), (size_t)cache->align);
		l.used = l.ctl + (size_t)l.num * cache->size;
		if (l.used <= l.bytes)
			return l;
	}
}

/* Is ctl better kept elsewhere? Counts bytes per object, the foreign ctl's included. */
static bool prefer_off_slab(const struct kmem_cache *cache, unsigned int order)
{
	struct layout on = layout_of(cache, order, false), off = layout_of(cache, order, true);
	size_t ctl = off.slots * sizeof(ctl_t);

	if (cache->size < OFF_SLAB_MIN || !off.num || ctl >= cache->size / 2)
		return false;
	return (off.bytes + ctl) * on.num < on.bytes * off.num;
}

/* The smallest order that leaves no more than an eighth unused, or else the one that leaves least. */
static int choose_layout(struct kmem_cache *cache, struct cache_private *p)
{
	unsigned long best_waste = ~0UL;

	for (unsigned int order = 0; order <= SLAB_MAX_ORDER; order++) {
		bool off_slab = prefer_off_slab(cache, order);
		struct layout l = layout_of(cache, order, off_slab);
		unsigned long waste = (l.bytes - l.used) << (SLAB_MAX_ORDER - order);

		if (!l.num || waste >= best_waste)
			continue;
		best_waste = waste;
		p->order = order;
		p->num = l.num;
		p->slots = l.slots;
		p->ctl_size = l.ctl;
		p->ctl_cache = off_slab ?
			&kmalloc_caches[kmalloc_index(l.slots * sizeof(ctl_t))] : NULL;
		p->colours = (l.bytes - l.used) / p->colour_off + 1;
		if ((l.bytes - l.used) * 8 <= l.bytes)
			break;
	}
	return p->num ? 0 : -EINVAL;
}

/* ---- slabs come and go -------------------------------------------------------------------- */

/* Those that were taken off the lists; the lock is not held. How many pages. */
static unsigned int slabs_destroy(struct kmem_cache *cache, struct list_head *doomed)
{
	struct cache_private *p = private_of(cache);
	struct page *slab, *next;
	unsigned int pages = 0;

	list_for_each_entry_safe(slab, next, doomed, slab_list) {
		ctl_t *ctl = ctl_of(slab);

		list_del(&slab->slab_list);
		slab_pages_free(cache, slab, p->order);
		if (p->ctl_cache)
			kmem_cache_free(p->ctl_cache, ctl);
		pages += 1U << p->order;
	}
	return pages;
}

/* Fills in the page descriptors and ctl, and constructs the objects. */
static void slab_init(struct kmem_cache *cache, struct page *slab, ctl_t *ctl)
{
	struct cache_private *p = private_of(cache);
	u32 colour = (u32)atomic_fetch_add(1, &p->colour_next) % p->colours;
	char *start = (char *)page_address(slab) + colour * p->colour_off;

	for (struct page *page = slab; page < slab + (1UL << p->order); page++) {
		page->slab_mem = start + p->ctl_size;
		page->aux = (unsigned long)(ctl ? ctl : (ctl_t *)start);
	}
	*state_of(slab) = (struct slab_state){ .free = 0, .inuse = 0 };
	for (unsigned int i = 0; i < p->slots; i++)
		ctl_of(slab)[i] = i + 1 < p->num ? (ctl_t)(i + 1) : CTL_END;
	for (unsigned int i = 0; cache->ctor && i < p->num; i++)
		cache->ctor(object_at(p, slab, i));
}

/* One more slab, free. False: no memory. The lock is not held; with __GFP_DIRECT_RECLAIM may
 * sleep. */
static bool cache_grow(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct cache_private *p = private_of(cache);
	struct page *slab = slab_pages_alloc(cache, gfp, nid, p->order);
	unsigned long flags;
	ctl_t *ctl = NULL;

	if (!slab)
		return false;
	if (p->ctl_cache) {
		ctl = kmem_cache_alloc_node(p->ctl_cache, gfp & ~__GFP_ZERO, nid);
		if (!ctl) {
			slab_pages_free(cache, slab, p->order);
			return false;
		}
	}
	slab_init(cache, slab, ctl);

	spin_lock_irqsave(&p->lock, flags);
	list_add_tail(&slab->slab_list, &p->free);
	p->slabs++;
	p->free_slabs++;
	p->free_objects += p->num;
	spin_unlock_irqrestore(&p->lock, flags);
	return true;
}

/* ---- between slabs and arrays; the lock is held ------------------------------------------- */

/* Takes up to @n objects out of a slab that is partial or free. How many. */
static unsigned int take_from_slab(struct kmem_cache *cache, struct page *slab, void **to,
				   unsigned int n)
{
	struct cache_private *p = private_of(cache);
	struct slab_state *state = state_of(slab);
	unsigned int taken = 0;
	ctl_t *ctl = ctl_of(slab);

	if (!state->inuse)
		p->free_slabs--;
	while (taken < n && state->free != CTL_END) {
		ctl_t index = state->free;

		state->free = ctl[index];
		ctl[index] = CTL_CACHED;
		to[taken++] = object_at(p, slab, index);
	}
	state->inuse += taken;
	p->free_objects -= taken;
	list_del(&slab->slab_list);
	list_add(&slab->slab_list, state->inuse == p->num ? &p->full : &p->partial);
	return taken;
}

/* Puts @n objects back into their slabs. What exceeds the limit goes to @doomed, if there is that. */
static void free_block(struct kmem_cache *cache, void **objects, unsigned int n,
		       struct list_head *doomed)
{
	struct cache_private *p = private_of(cache);

	for (unsigned int i = 0; i < n; i++) {
		struct page *slab = slab_of(p, objects[i]);
		struct slab_state *state = state_of(slab);
		unsigned long index = object_index(p, slab, objects[i]);

		ctl_of(slab)[index] = state->free;
		state->free = index;
		p->free_objects++;
		list_del(&slab->slab_list);
		if (--state->inuse) {
			/* Last in the queue: the longer it waits, the more of it comes back. */
			list_add_tail(&slab->slab_list, &p->partial);
		} else if (doomed && p->free_objects > p->free_limit) {
			p->slabs--;
			p->free_objects -= p->num;
			list_add(&slab->slab_list, doomed);
		} else {
			p->free_slabs++;
			list_add(&slab->slab_list, &p->free);
		}
	}
}

/* Moves up to @n objects from one array to another: those on top, or those at the bottom, which have
 * lain longest. How many. */
static unsigned int transfer(struct array_cache *to, struct array_cache *from, unsigned int n,
			     bool bottom)
{
	n = min(n, min(array_avail(from), (unsigned int)(to->end - to->top)));
	from->top -= n;
	memcpy(to->top, bottom ? from->entry : from->top, n * sizeof(void *));
	if (bottom)
		memmove(from->entry, from->entry + n, array_avail(from) * sizeof(void *));
	to->top += n;
	return n;
}

/* The same into the slabs, from the bottom. */
static void drain_array(struct kmem_cache *cache, struct array_cache *ac, unsigned int n,
			struct list_head *doomed)
{
	n = min(n, array_avail(ac));
	free_block(cache, ac->entry, n, doomed);
	ac->top -= n;
	memmove(ac->entry, ac->entry + n, array_avail(ac) * sizeof(void *));
}

/* ---- the arrays run empty, or full; interrupts off ---------------------------------------- */

/* False: shared array and slabs are empty, too. */
static bool cache_alloc_refill(struct kmem_cache *cache, struct array_cache *ac)
{
	struct cache_private *p = private_of(cache);
	struct page *slab;

	ac->touched = true;
	spin_lock_raw(&p->lock);
	if (p->shared && transfer(ac, p->shared, ac->batchcount, false))
		p->shared->touched = true;
	while (array_avail(ac) < ac->batchcount) {
		slab = list_first_entry_or_null(&p->partial, struct page, slab_list);
		if (!slab)
			slab = list_first_entry_or_null(&p->free, struct page, slab_list);
		if (!slab)
			break;
		ac->top += take_from_slab(cache, slab, ac->top, ac->batchcount - array_avail(ac));
	}
	spin_unlock_raw(&p->lock);
	return ac->top > ac->entry;
}

static void cache_flusharray(struct kmem_cache *cache, struct array_cache *ac)
{
	struct cache_private *p = private_of(cache);
	LIST_HEAD(doomed);

	ac->touched = true;
	spin_lock_raw(&p->lock);
	if (p->shared && transfer(p->shared, ac, ac->batchcount, true))
		p->shared->touched = true;
	else
		drain_array(cache, ac, ac->batchcount, &doomed);
	spin_unlock_raw(&p->lock);
	slabs_destroy(cache, &doomed);
}

/* ---- allocate ----------------------------------------------------------------------------- */

static struct array_cache *this_cpu_array(struct cache_private *p)
{
	return p->array[smp_processor_id()];
}

static noinline void *cache_alloc_slow(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct cache_private *p = private_of(cache);
	void *object = NULL;

	do {
		unsigned long flags = local_irq_save();
		struct array_cache *ac = this_cpu_array(p);

		if (ac->top > ac->entry || cache_alloc_refill(cache, ac)) {
			object = *--ac->top;
			set_ctl(p, object, CTL_LIVE);
		}
		local_irq_restore(flags);
	} while (!object && cache_grow(cache, gfp, nid));

	if (object && gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
	return object;
}

static noinline void *cache_alloc_near(struct kmem_cache *cache, gfp_t gfp)
{
	return cache_alloc_slow(cache, gfp, cpu_node[smp_processor_id()]);
}

__frameless void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct cache_private *p = private_of(cache);
	unsigned long flags = local_irq_save();
	struct array_cache *ac = this_cpu_array(p);
	void *object;

	if (unlikely(ac->top == ac->entry)) {
		local_irq_restore(flags);
		return cache_alloc_near(cache, gfp);
	}
	object = *--ac->top;
	local_irq_restore(flags);
	set_ctl(p, object, CTL_LIVE);
	if (unlikely(gfp & __GFP_ZERO))
		return memset(object, 0, cache->object_size);
	return object;
}

/* Slabs are not sorted by node: @nid is where a new one comes from. */
void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	return cache_alloc_slow(cache, gfp, nid);
}

int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++) {
		objects[i] = cache_alloc(cache, gfp);
		if (unlikely(!objects[i])) {
			cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return n;
}

/* ---- free --------------------------------------------------------------------------------- */

/*
 * Is there an object in use, which begins at @object? Then its ctl. One comparison finds what lies between
 * two objects, or before the first. What lies behind the last can look like one; ctl has entries
 * for as many as there would be room for, so those are not live.
 */
static __always_inline ctl_t *live_ctl(struct kmem_cache *cache, struct page *page,
				     const void *object)
{
	struct cache_private *p = private_of(cache);
	unsigned long index = object_index(p, page, object);
	ctl_t *ctl = ctl_of(page) + index;

	if (unlikely(object_at(p, page, index) != object))
		return NULL;
	return likely(*ctl == CTL_LIVE) ? ctl : NULL;
}

static noinline void bad_free(struct kmem_cache *cache, struct page *page, void *object)
{
	struct cache_private *p = private_of(cache);
	unsigned long index = object_index(p, page, object);

	slab_bug(cache, object, index < p->num && object_at(p, page, index) == object ?
		 "free of a free object (double free)" :
		 "free of what is not the start of an object");
}

static noinline void cache_free_slow(struct kmem_cache *cache, void *object)
{
	unsigned long flags = local_irq_save();
	struct array_cache *ac = this_cpu_array(private_of(cache));

	if (ac->top == ac->end)
		cache_flusharray(cache, ac);
	*ac->top++ = object;
	local_irq_restore(flags);
}

__frameless void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	ctl_t *ctl = live_ctl(cache, page, object);
	struct array_cache *ac;
	unsigned long flags;

	if (unlikely(!ctl)) {
		bad_free(cache, page, object);
		return;
	}
	*ctl = CTL_CACHED;
	flags = local_irq_save();
	ac = this_cpu_array(private_of(cache));
	if (unlikely(ac->top == ac->end)) {
		local_irq_restore(flags);
		cache_free_slow(cache, object);
		return;
	}
	*ac->top++ = object;
	local_irq_restore(flags);
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	for (size_t i = 0; i < n; i++)
		kmem_cache_free(cache, objects[i]);
}

/* ---- giving memory back ------------------------------------------------------------------- */

/* This CPU's array, into the slabs, which stay. Interrupts off. */
static void drain_this_cpu(void *data)
{
	struct kmem_cache *cache = data;
	struct cache_private *p = private_of(cache);
	struct array_cache *ac = this_cpu_array(p);

	spin_lock_raw(&p->lock);
	drain_array(cache, ac, ~0U, NULL);
	spin_unlock_raw(&p->lock);
}

/* The shared array (only if it has lain idle, if that is asked) and then all free slabs. How many
 * pages. */
static unsigned int drain_freelist(struct kmem_cache *cache, bool idle_only)
{
	struct cache_private *p = private_of(cache);
	unsigned long flags;
	LIST_HEAD(doomed);

	spin_lock_irqsave(&p->lock, flags);
	if (p->shared) {
		if (!idle_only || !p->shared->touched)
			drain_array(cache, p->shared, ~0U, NULL);
		p->shared->touched = false;
	}
	p->slabs -= p->free_slabs;
	p->free_objects -= p->free_slabs * p->num;
	p->free_slabs = 0;
	list_splice_init(&p->free, &doomed);
	spin_unlock_irqrestore(&p->lock, flags);
	return slabs_destroy(cache, &doomed);
}

int cache_shrink(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, drain_this_cpu, cache);
	return drain_freelist(cache, false);
}

/* An array that was neither filled nor emptied since the last time is not needed. Those of other
 * CPUs stay, as one would have to wait for them. */
int cache_reap(struct kmem_cache *cache)
{
	unsigned long flags = local_irq_save();
	struct array_cache *ac = this_cpu_array(private_of(cache));

	if (!ac->touched)
		drain_this_cpu(cache);
	ac->touched = false;
	local_irq_restore(flags);
	return drain_freelist(cache, true);
}

/* ---- setting up, tunables ----------------------------------------------------------------- */

struct new_arrays {
	struct kmem_cache *cache;
	struct array_cache *array[NR_CPUS];	/* after the exchange, the old ones */
	struct array_cache *shared;
};

static struct array_cache *array_create(unsigned int limit, unsigned int batchcount)
{
	struct array_cache *ac = kmalloc(sizeof(*ac) + limit * sizeof(void *), GFP_KERNEL);

	if (ac)
		*ac = (struct array_cache){
			.top = ac->entry, .end = ac->entry + limit, .batchcount = batchcount,
		};
	return ac;
}

static void exchange_this_cpu(void *data)
{
	struct new_arrays *new = data;
	unsigned int cpu = smp_processor_id();

	swap(private_of(new->cache)->array[cpu], new->array[cpu]);
}

/* Nobody uses it any more. */
static void array_destroy(struct kmem_cache *cache, struct array_cache *ac)
{
	struct cache_private *p = private_of(cache);
	unsigned long flags;
	LIST_HEAD(doomed);

	if (!ac)
		return;
	spin_lock_irqsave(&p->lock, flags);
	drain_array(cache, ac, ~0U, &doomed);
	spin_unlock_irqrestore(&p->lock, flags);
	slabs_destroy(cache, &doomed);
	if (ac != &p->boot_array)
		kfree(ac);
}

/* Each CPU exchanges its own array, so nobody is in the middle of using it; one that does not run yet
 * cannot be asked, and need not. */
static void arrays_install(struct new_arrays *new)
{
	struct cache_private *p = private_of(new->cache);
	bool fresh = p->array[0] == &p->boot_array;
	unsigned long flags;

	if (!fresh)
		smp_call(cpu_online_mask, exchange_this_cpu, new);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (fresh || !(cpu_online_mask & BIT(cpu)))
			swap(p->array[cpu], new->array[cpu]);
	spin_lock_irqsave(&p->lock, flags);
	swap(p->shared, new->shared);
	spin_unlock_irqrestore(&p->lock, flags);
}

/* Arrays of these sizes for all CPUs, in place of those there are. 0 or -ENOMEM. */
static int set_arrays(struct kmem_cache *cache, unsigned int limit, unsigned int batchcount,
		      unsigned int shared_factor)
{
	struct cache_private *p = private_of(cache);
	struct new_arrays new = { .cache = cache };
	bool complete = true;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		complete &= (new.array[cpu] = array_create(limit, batchcount)) != NULL;
	if (shared_factor)
		complete &= (new.shared = array_create(shared_factor * batchcount, batchcount)) != NULL;
	if (complete) {
		arrays_install(&new);
		p->limit = limit;
		p->batchcount = batchcount;
		p->shared_factor = shared_factor;
		p->free_limit = (1 + nr_cpus) * batchcount + p->num;
	}
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		array_destroy(cache, new.array[cpu]);
	array_destroy(cache, new.shared);
	return complete ? 0 : -ENOMEM;
}

/* The larger the objects, the fewer may lie about. */
int cache_setup_late(struct kmem_cache *cache)
{
	unsigned int limit = cache->size > PAGE_SIZE ? 8 : cache->size > 1024 ? 24 :
			     cache->size > 256 ? 54 : 120;

	return set_arrays(cache, limit, (limit + 1) / 2,
			  cache->size <= PAGE_SIZE && nr_cpus > 1 ? 8 : 0);
}

int cache_setup(struct kmem_cache *cache)
{
	struct cache_private *p = private_of(cache);
	int err;

	cache->size = ALIGN(cache->object_size, cache->align);
	p->size = cache->size;
	p->reciprocal = DIV_ROUND_UP(1UL << 32, cache->size);
	p->colour_off = max(cache->align, (unsigned int)CACHE_LINE);
	err = choose_layout(cache, p);
	if (err)
		return err;
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->full);
	INIT_LIST_HEAD(&p->partial);
	INIT_LIST_HEAD(&p->free);
	p->free_limit = p->num;
	p->boot_array = (struct array_cache){
		.top = p->boot_array.entry, .end = p->boot_array.entry + 1, .batchcount = 1,
	};
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		p->array[cpu] = &p->boot_array;
	return slab_is_available() ? cache_setup_late(cache) : 0;
}

int cache_release(struct kmem_cache *cache)
{
	struct cache_private *p = private_of(cache);

	cache_shrink(cache);
	if (READ_ONCE(p->slabs))
		return -EBUSY;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		array_destroy(cache, p->array[cpu]);
	array_destroy(cache, p->shared);
	return 0;
}

#define TUNE_MAX	(1UL << 16)	/* entries of an array */

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	struct cache_private *p = private_of(cache);
	unsigned long limit = p->limit, batchcount = p->batchcount, shared = p->shared_factor;

	if (!strcmp(key, "limit"))
		batchcount = min(limit = value, batchcount);
	else if (!strcmp(key, "batchcount"))
		batchcount = value;
	else if (!strcmp(key, "shared"))
		shared = value;
	else
		return -ENOENT;
	if (!batchcount || batchcount > limit || limit > TUNE_MAX || shared > TUNE_MAX / batchcount)
		return -EINVAL;
	return set_arrays(cache, limit, batchcount, shared);
}

/* ---- what there is ------------------------------------------------------------------------ */

/* Other CPUs go on meanwhile: what lies in their arrays is a snapshot. */
void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	struct cache_private *p = private_of(cache);
	unsigned long flags, idle;

	*stats = (struct slab_stats){
		.objects_per_slab = p->num, .pages_per_slab = 1U << p->order,
		.limit = p->limit, .batchcount = p->batchcount, .shared = p->shared_factor,
	};
	spin_lock_irqsave(&p->lock, flags);
	stats->total_slabs = p->slabs;
	stats->active_slabs = p->slabs - p->free_slabs;
	stats->total_objects = p->slabs * p->num;
	stats->shared_avail = p->shared ? array_avail(p->shared) : 0;
	idle = p->free_objects + stats->shared_avail;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		idle += array_avail(p->array[cpu]);
	spin_unlock_irqrestore(&p->lock, flags);
	stats->active_objects = stats->total_objects - min(stats->total_objects, idle);
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page,
			 const void *object)
{
	(void)page;
	(void)object;
	return cache->object_size;
}
