/*
 * SLUB, another right design: who has the node's lock takes several slabs.
 *
 * When a CPU has to go to a node's list it takes half of cpu_partial slabs at once, and so the lock is
 * taken once for many objects. Its own list is filled in no other way: a full slab goes back to its
 * node's list with the first object that is freed to it, under the lock. New slabs are made with their
 * objects in falling order, and the node's list is first in, first out.
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "lib/string.h"

static bool change(struct page *slab, u64 *old, u64 new)
{
	return __atomic_compare_exchange_n(&slab->slab_state, old, new + GENERATION_ONE, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}


static bool is_listed(u64 state)
{
	return !is_frozen(state) && (state & STATE_HEAD);
}

/* ---- the node's list, under its lock -------------------------------------------------------- */

static void enlist(struct kmem_cache_node *node, struct page *slab)
{
	list_add_tail(&slab->slab_list, &node->partial);
	WRITE_ONCE(node->nr_partial, node->nr_partial + 1);
}

static void delist(struct kmem_cache_node *node, struct page *slab)
{
	list_del(&slab->slab_list);
	WRITE_ONCE(node->nr_partial, node->nr_partial - 1);
}

static void destroy_slab(struct kmem_cache *cache, struct page *slab)
{
	atomic_dec(&slab_node(cache, slab)->nr_slabs);
	atomic_sub(slab_objects(slab), &slab_node(cache, slab)->nr_objects);
	slab_pages_free(cache, slab, slab_order(slab));
}

/* Makes a slab and puts it on the list of its node. */
static struct page *make_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct slub *s = slub_of(cache);
	gfp_t try = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	struct kmem_cache_node *node;
	unsigned int order = s->order, n;
	struct page *slab = NULL;
	unsigned long flags;
	char *object;
	void *next = NULL;

	gfp &= ~__GFP_ZERO;
	if (order > s->min_order)
		slab = slab_pages_alloc(cache, try & ~__GFP_ZERO, nid, order);
	if (!slab) {
		order = s->min_order;
		slab = slab_pages_alloc(cache, gfp, nid, order);
	}
	if (!slab)
		return NULL;
	n = (PAGE_SIZE << order) / cache->size;
	slab->aux = n | order << AUX_ORDER;
	for (unsigned int i = 0; i < 1U << order; i++)
		slab[i].slab_mem = slab;
	if (is_debugged(cache))
		slub_debug_init_slab(cache, slab);
	object = (char *)page_address(slab) + s->red_left;
	for (; n--; object += cache->size) {
		if (cache->ctor)
			cache->ctor(object);
		set_link(cache, object, next);
		next = object;
	}
	slab->slab_state = head_of(next);
	node = slab_node(cache, slab);
	atomic_inc(&node->nr_slabs);
	atomic_add(slab_objects(slab), &node->nr_objects);
	flags = local_irq_save();
	spin_lock_raw(&node->list_lock);
	enlist(node, slab);
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	return slab;
}

/* ---- allocate ------------------------------------------------------------------------------ */

/* The whole free list of a slab, which is frozen then; or NULL, and it is full and nobody's. */
static void *empty_list(struct page *slab)
{
	u64 old = slab_state(slab), new;

	do {
		new = old & ~STATE_FROZEN;
		if (old & STATE_HEAD)
			new = (old & STATE_GENERATION) | STATE_FROZEN | slab_objects(slab) * INUSE_ONE;
	} while (!change(slab, &old, new));
	return state_head(old, page_address(slab));
}

/* The node's lock is held: more slabs for a CPU that has none. */
static void take_more(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);

	while (!list_empty(&node->partial) && c->nr_partial < slub_of(cache)->cpu_partial / 2) {
		struct page *slab = list_first_entry(&node->partial, struct page, slab_list);
		u64 old = slab_state(slab);

		delist(node, slab);
		while (!change(slab, &old, old | STATE_FROZEN))
			;
		slab->slab_list.next = (struct list_head *)c->partial;
		c->partial = slab;
		c->nr_partial++;
	}
}

/* A slab of the first node that has one, for the CPU or, if @one, a single object of it. */
static void *from_nodes(struct kmem_cache *cache, int nid, bool only, bool one, struct page **slab)
{
	void *found = NULL;

	for (unsigned int i = 0; !found && i < (only ? 1 : nr_nodes); i++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[(nid + i) % nr_nodes];

		if (!READ_ONCE(node->nr_partial))
			continue;
		spin_lock_raw(&node->list_lock);
		if (list_empty(&node->partial)) {
			spin_unlock_raw(&node->list_lock);
			continue;
		}
		*slab = list_first_entry(&node->partial, struct page, slab_list);
		if (!one) {
			delist(node, *slab);
			found = empty_list(*slab);
			take_more(cache, node);
		} else {
			u64 old = slab_state(*slab), new;

			do {
				void *next;

				found = state_head(old, page_address(*slab));
				next = get_link(cache, found);
				new = (old & ~STATE_HEAD) + INUSE_ONE;
				new |= next ? head_of(next) : 0;
			} while (!change(*slab, &old, new));
			if (!(new & STATE_HEAD))	/* who frees to it waits for the lock */
				delist(node, *slab);
		}
		spin_unlock_raw(&node->list_lock);
	}
	return found;
}

struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags)
{
	for (;;) {
		struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
		int nid = cpu_node[smp_processor_id()];
		struct page *slab = NULL;
		bool grown;

		if (!c->freelist && c->slab)
			c->freelist = empty_list(c->slab);
		if (!c->freelist) {
			if (c->partial) {
				slab = c->partial;
				c->partial = (struct page *)slab->slab_list.next;
				c->nr_partial--;
				c->freelist = empty_list(slab);
			} else {
				c->freelist = from_nodes(cache, nid, gfp & __GFP_THISNODE, false,
							 &slab);
			}
			c->slab = c->freelist ? slab : NULL;
			c->base = c->slab ? (unsigned long)page_address(slab) : 0;
			c->bytes = c->slab ? PAGE_SIZE << slab_order(slab) : 0;
		}
		if (c->freelist)
			return c;
		local_irq_restore(*flags);
		grown = make_slab(cache, gfp, nid);
		*flags = local_irq_save();
		if (!grown)
			return NULL;
	}
}

static noinline void *single(struct kmem_cache *cache, gfp_t gfp, int nid, void *caller)
{
	struct page *slab;
	void *object;

	for (;;) {
		unsigned long flags = local_irq_save();

		object = from_nodes(cache, nid, true, true, &slab);
		local_irq_restore(flags);
		if (!object) {
			slab = make_slab(cache, gfp, nid);
			if (slab) {
				nid = slab->flags >> PAGE_NODE_SHIFT;
				continue;
			}
			flags = local_irq_save();
			object = from_nodes(cache, nid, gfp & __GFP_THISNODE, true, &slab);
			local_irq_restore(flags);
			if (!object)
				return NULL;
		}
		if (!is_debugged(cache) || slub_debug_alloc(cache, slab, object, gfp, caller))
			break;
	}
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
	return object;
}

static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, unsigned long flags)
{
	struct kmem_cache_cpu *c;
	void *object = NULL;

	if (is_debugged(cache)) {
		int nid = cpu_node[smp_processor_id()];

		local_irq_restore(flags);
		return single(cache, gfp, nid, __builtin_return_address(0));
	}
	c = slub_refill(cache, gfp, &flags);
	if (c) {
		object = c->freelist;
		c->freelist = get_link(cache, object);
	}
	local_irq_restore(flags);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, cache->object_size);
	return object;
}

static noinline void *alloc_zeroed(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = cache_alloc(cache, gfp & ~__GFP_ZERO);

	return object ? memset(object, 0, cache->object_size) : NULL;
}

__frameless void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct kmem_cache_cpu *c;
	unsigned long flags;
	void *object;

	if (unlikely(gfp & __GFP_ZERO))
		return alloc_zeroed(cache, gfp);
	flags = local_irq_save();
	c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	object = c->freelist;
	if (unlikely(!object))
		return alloc_slow(cache, gfp, flags);
	c->freelist = get_link(cache, object);
	local_irq_restore(flags);
	return object;
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	if ((unsigned int)nid >= nr_nodes || (nr_nodes == 1 && !is_debugged(cache)))
		return cache_alloc(cache, gfp);
	return single(cache, gfp, nid, __builtin_return_address(0));
}

/* ---- free ---------------------------------------------------------------------------------- */

/* Under the node's lock; @n linked objects. True: the slab is empty now, and to be destroyed. */
static bool put_locked(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		       void *first, void *last, unsigned int n)
{
	u64 old = slab_state(slab), new;

	do {
		set_link(cache, last, state_head(old, last));
		new = ((old & ~STATE_HEAD) | head_of(first)) - n * INUSE_ONE;
	} while (!change(slab, &old, new));
	if (is_frozen(new))
		return false;
	if (!is_listed(old))
		enlist(node, slab);
	if (state_inuse(new) || node->nr_partial <= slub_of(cache)->min_partial)
		return false;
	delist(node, slab);
	return true;
}

void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	u64 old = slab_state(slab), new;
	unsigned long flags;
	bool empty;

	while (is_frozen(old) || ((old & STATE_HEAD) && state_inuse(old) > n)) {
		set_link(cache, last, state_head(old, last));
		new = ((old & ~STATE_HEAD) | head_of(first)) - n * INUSE_ONE;
		if (change(slab, &old, new))
			return;
	}
	flags = local_irq_save();
	spin_lock_raw(&node->list_lock);
	empty = put_locked(cache, node, slab, first, last, n);
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	if (empty)
		destroy_slab(cache, slab);
}

static noinline void free_slow(struct kmem_cache *cache, struct page *slab, void *object)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	bool empty = false;
	unsigned long flags;

	if (!is_debugged(cache)) {
		slub_free_linked(cache, slab, object, object, 1);
		return;
	}
	flags = local_irq_save();
	spin_lock_raw(&node->list_lock);
	if (slub_debug_free(cache, slab, object, __builtin_return_address(0)))
		empty = put_locked(cache, node, slab, object, object, 1);
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	if (empty)
		destroy_slab(cache, slab);
}

__frameless void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);

	if (unlikely(c->slab != page->slab_mem)) {
		local_irq_restore(flags);
		free_slow(cache, page->slab_mem, object);
		return;
	}
	set_link(cache, object, c->freelist);
	c->freelist = object;
	local_irq_restore(flags);
}

__frameless void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);

	if (unlikely((unsigned long)object - c->base >= c->bytes)) {
		local_irq_restore(flags);
		kmem_cache_free_rest(cache, object);
		return;
	}
	set_link(cache, object, c->freelist);
	c->freelist = object;
	local_irq_restore(flags);
}

__frameless void kfree(const void *object)
{
	struct page *page = slab_span_page(object);

	if (in_slab_span(object) && likely(page->flags & BIT(PG_slab)))
		cache_free(page->slab_cache, page, (void *)object);
	else
		kfree_rest(object);
}

/* ---- give back ----------------------------------------------------------------------------- */

/* The slabs that were taken in reserve. Interrupts off. */
static void put_reserve(struct kmem_cache *cache, struct kmem_cache_cpu *c)
{
	while (c->partial) {
		struct page *slab = c->partial;
		struct kmem_cache_node *node = slab_node(cache, slab);
		u64 old = slab_state(slab);

		c->partial = (struct page *)slab->slab_list.next;
		c->nr_partial--;
		spin_lock_raw(&node->list_lock);
		while (!change(slab, &old, old & ~STATE_FROZEN))
			;
		enlist(node, slab);
		spin_unlock_raw(&node->list_lock);
	}
}

/* The active slab goes back, with what the CPU had of it, and stays, even if it is empty. */
void slub_flush_cpu(void *data)
{
	struct kmem_cache *cache = data;
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	void *first = c->freelist, *last = first, *next;
	struct kmem_cache_node *node;
	struct page *slab = c->slab;
	unsigned int n = !!first;
	u64 old, new;

	if (slab) {
		node = slab_node(cache, slab);
		while (first && (next = get_link(cache, last))) {
			last = next;
			n++;
		}
		spin_lock_raw(&node->list_lock);
		old = slab_state(slab);
		do {
			new = (old & ~STATE_FROZEN) - n * INUSE_ONE;
			if (first) {
				set_link(cache, last, state_head(old, last));
				new = (new & ~STATE_HEAD) | head_of(first);
			}
		} while (!change(slab, &old, new));
		if (is_listed(new))
			enlist(node, slab);
		spin_unlock_raw(&node->list_lock);
		c->slab = NULL;
		c->freelist = NULL;
		c->base = c->bytes = 0;
	}
	put_reserve(cache, c);
	local_irq_restore(flags);
}

static int give_back(struct kmem_cache *cache, unsigned long keep)
{
	int pages = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[nid];
		unsigned long flags = local_irq_save();
		struct page *slab, *next;
		LIST_HEAD(empty);

		spin_lock_raw(&node->list_lock);
		list_for_each_entry_safe(slab, next, &node->partial, slab_list) {
			if (state_inuse(slab_state(slab)) || node->nr_partial <= keep)
				continue;
			delist(node, slab);
			list_add(&slab->slab_list, &empty);
		}
		spin_unlock_raw(&node->list_lock);
		local_irq_restore(flags);
		list_for_each_entry_safe(slab, next, &empty, slab_list) {
			pages += 1 << slab_order(slab);
			destroy_slab(cache, slab);
		}
	}
	return pages;
}

int cache_shrink(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, slub_flush_cpu, cache);
	return give_back(cache, 0);
}

int cache_reap(struct kmem_cache *cache)
{
	return give_back(cache, 1);
}
