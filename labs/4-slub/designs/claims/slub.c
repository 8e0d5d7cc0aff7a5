/*
 * SLUB, another right design: whoever wants more of a slab than to push an object owns it first.
 *
 * Anybody may push to a slab. Only its owner takes from it, gives it back, or links it anywhere;
 * and its owner is who has set "frozen", be it for long (a CPU's slabs) or for a moment under the
 * lock of the node. So all there is, is made of few verbs, each one swap of the word:
 *
 *	push	objects on the slab's list; the push that finds the slab full also claims it
 *	claim	a slab that nobody has: frozen, and off the node's list if it was on it (lock held)
 *	take	all of the owner's list, or leave the slab if there is nothing on it
 *	pop	one object of the owner's: no ABA, since what lies behind the head cannot go
 *	release	the slab is nobody's: on the node's list, on no list if it is full, or dead
 *
 * The last free of a slab is claim, push, release. An object of a debugged cache or of another
 * CPU's node is claim, pop, release. A flush is push and release. A slab that is empty is dead only
 * in its owner's hands: nobody can come between, whatever happens outside of the lock.
 *
 * The node's list has the fuller half of the slabs in front. New slabs become active at once.
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "lib/string.h"

static bool change(struct kmem_cache *cache, struct page *slab, u64 *old, u64 new)
{
	count(cache, STATE_CHANGE);
	if (likely(__atomic_compare_exchange_n(&slab->slab_state, old, new + GENERATION_ONE, false,
					       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
		return true;
	count(cache, STATE_MISS);
	return false;
}

/* A slab that nobody has and that is not full is on its node's list. */
static bool is_listed(u64 state)
{
	return !is_frozen(state) && (state & STATE_HEAD);
}

static struct page *next_slab(const struct page *slab)
{
	return (struct page *)slab->slab_list.next;
}

static void link_slab(struct page **list, struct page *slab)
{
	slab->slab_list.next = (struct list_head *)*list;
	*list = slab;
}

static unsigned int node_of(const struct page *slab)
{
	return slab->flags >> PAGE_NODE_SHIFT;
}

static void lock_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	count(cache, LIST_LOCK);
	spin_lock_raw(&node->list_lock);
}

/* ---- the verbs ------------------------------------------------------------------------------ */

enum pushed { PUSHED, CLAIMED, WOULD_BE_EMPTY };

/*
 * @n objects, linked from @first to @last. CLAIMED: the slab was full and is the caller's now.
 * WOULD_BE_EMPTY: nothing was done, since that slab would have to leave the node's list.
 */
static __always_inline enum pushed push(struct kmem_cache *cache, struct page *slab, void *first,
					void *last, unsigned int n)
{
	u64 old = slab_state(slab), new;

	do {
		if (is_listed(old) && state_inuse(old) == n)
			return WOULD_BE_EMPTY;
		set_link(cache, last, state_head(old, last));
		new = ((old & ~STATE_HEAD) | head_of(first)) - n * INUSE_ONE;
		if (!(old & STATE_HEAD))
			new |= STATE_FROZEN;
	} while (!change(cache, slab, &old, new));
	return is_frozen(old) || (old & STATE_HEAD) ? PUSHED : CLAIMED;
}

/* Lock of the slab's node held. False: some CPU has it. */
static bool claim(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	u64 old = slab_state(slab);

	do {
		if (is_frozen(old))
			return false;
	} while (!change(cache, slab, &old, old | STATE_FROZEN));
	if (old & STATE_HEAD) {
		list_del(&slab->slab_list);
		node->nr_partial--;
	}
	return true;
}

/* Owner only. All free objects; NULL: there were none, and the slab is nobody's now. */
static void *take(struct kmem_cache *cache, struct page *slab)
{
	u64 old = slab_state(slab), all = slab_objects(slab) * INUSE_ONE, new;

	do {
		if (old & STATE_HEAD)
			new = (old & ~(STATE_HEAD | STATE_INUSE)) | all;
		else
			new = old & ~STATE_FROZEN;
	} while (!change(cache, slab, &old, new));
	return state_head(old, page_address(slab));
}

/* Owner only, and there is an object. */
static void *pop(struct kmem_cache *cache, struct page *slab)
{
	u64 old = slab_state(slab), new;
	void *object, *rest;

	do {
		object = state_head(old, page_address(slab));
		rest = get_link(cache, object);
		new = (old & ~STATE_HEAD) | (rest ? head_of(rest) : 0);
	} while (!change(cache, slab, &old, new + INUSE_ONE));
	return object;
}

/* Owner only, lock of the slab's node held. False: it is dead, empty and still the caller's; never
 * so with @keep. */
static bool release(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		    bool keep)
{
	u64 old = slab_state(slab);

	do {
		if (!state_inuse(old) && !keep && node->nr_partial >= slub_of(cache)->min_partial)
			return false;
	} while (!change(cache, slab, &old, old & ~STATE_FROZEN));
	if (!(old & STATE_HEAD))
		return true;	/* and perhaps somebody's already */
	if (2 * state_inuse(old) >= slab_objects(slab))
		list_add(&slab->slab_list, &node->partial);
	else
		list_add_tail(&slab->slab_list, &node->partial);
	node->nr_partial++;
	return true;
}

/* ---- slabs come and go ---------------------------------------------------------------------- */

/* Returns how many pages. */
static int bury(struct kmem_cache *cache, struct page *slab)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	unsigned int order = slab_order(slab);

	atomic_dec(&node->nr_slabs);
	atomic_sub(slab_objects(slab), &node->nr_objects);
	slab_pages_free(cache, slab, order);
	return 1 << order;
}

static int bury_all(struct kmem_cache *cache, struct page *list)
{
	int pages = 0;

	while (list) {
		struct page *slab = list;

		list = next_slab(slab);
		pages += bury(cache, slab);
	}
	return pages;
}

/* Interrupts off. @list is the caller's, linked by slab_list.next. */
static void release_all(struct kmem_cache *cache, struct page *list, bool keep)
{
	struct kmem_cache_node *node, *locked = NULL;
	struct page *slab, *dead = NULL;

	while (list) {
		slab = list;
		list = next_slab(slab);
		node = slab_node(cache, slab);
		if (node != locked) {
			if (locked)
				spin_unlock_raw(&locked->list_lock);
			lock_node(cache, node);
			locked = node;
		}
		if (!release(cache, node, slab, keep))
			link_slab(&dead, slab);
	}
	if (locked)
		spin_unlock_raw(&locked->list_lock);
	bury_all(cache, dead);
}

static void release_one(struct kmem_cache *cache, struct page *slab, bool keep)
{
	slab->slab_list.next = NULL;
	release_all(cache, slab, keep);
}

/* Objects are constructed and linked by rising address. */
static void fill(struct kmem_cache *cache, struct page *slab)
{
	char *object = (char *)page_address(slab) + slub_of(cache)->red_left;
	unsigned int n = slab_objects(slab);

	if (is_debugged(cache))
		slub_debug_init_slab(cache, slab);
	slab->slab_state = head_of(object) | STATE_FROZEN;
	for (; n; n--, object += cache->size) {
		if (cache->ctor)
			cache->ctor(object);
		set_link(cache, object, n > 1 ? object + cache->size : NULL);
	}
}

static struct page *pages_for(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned int *order)
{
	struct slub *s = slub_of(cache);
	gfp_t light = (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL)) | __GFP_NORETRY | __GFP_NOWARN;
	struct page *pages;

	*order = s->order;
	if (s->order > s->min_order) {
		pages = slab_pages_alloc(cache, light, nid, s->order);
		if (pages)
			return pages;
	}
	*order = s->min_order;
	return slab_pages_alloc(cache, gfp, nid, s->min_order);
}

/* A slab of the caller's own, all its objects free; NULL: no memory. May sleep if @gfp says so:
 * then interrupts, off now, are meanwhile as @flags says. */
static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned long *flags)
{
	bool may_sleep = gfp & __GFP_DIRECT_RECLAIM;
	struct page *slab;
	unsigned int order;

	if (may_sleep)
		local_irq_restore(*flags);
	slab = pages_for(cache, gfp, nid, &order);
	if (slab) {
		struct kmem_cache_node *node = slab_node(cache, slab);
		unsigned int n = (PAGE_SIZE << order) / cache->size;

		for (unsigned int i = 0; i < 1U << order; i++)
			slab[i].slab_mem = slab;
		slab->aux = n | (unsigned long)order << AUX_ORDER;
		fill(cache, slab);
		atomic_inc(&node->nr_slabs);
		atomic_add(n, &node->nr_objects);
	}
	if (may_sleep)
		*flags = local_irq_save();
	return slab;
}

/* ---- a CPU's slabs: interrupts off ---------------------------------------------------------- */

static void activate(struct kmem_cache_cpu *c, struct page *slab)
{
	c->slab = slab;
	c->base = slab ? (unsigned long)page_address(slab) : 0;
	c->bytes = slab ? PAGE_SIZE << slab_order(slab) : 0;
}

/* This CPU is to have @slab, which is the caller's. Has it too many, the older half goes. */
static noinline void keep(struct kmem_cache *cache, struct page *slab)
{
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	unsigned int stay = slub_of(cache)->cpu_partial / 2;
	struct page *older;

	link_slab(&c->partial, slab);
	if (++c->nr_partial <= slub_of(cache)->cpu_partial)
		return;
	if (!stay) {
		older = c->partial;
		c->partial = NULL;
	} else {
		for (unsigned int i = 1; i < stay; i++)
			slab = next_slab(slab);
		older = next_slab(slab);
		slab->slab_list.next = NULL;
	}
	c->nr_partial = stay;
	release_all(cache, older, false);
}

/* The first slab of a node's list, or NULL. */
static struct page *claim_first(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct page *slab = NULL;

	if (list_empty(&node->partial))
		return NULL;
	lock_node(cache, node);
	if (!list_empty(&node->partial)) {
		slab = list_first_entry(&node->partial, struct page, slab_list);
		claim(cache, node, slab);
	}
	spin_unlock_raw(&node->list_lock);
	return slab;
}

static int next_node(int nid, unsigned int tried, gfp_t gfp)
{
	if (tried >= nr_nodes || (tried && (gfp & __GFP_THISNODE)))
		return -1;
	return (nid + tried) % nr_nodes;
}

/* Some slab with free objects, of the CPU's own or of a list; NULL: none. */
static struct page *find_slab(struct kmem_cache *cache, struct kmem_cache_cpu *c, gfp_t gfp)
{
	int here = cpu_node[smp_processor_id()], nid;
	struct page *slab = c->partial;

	if (slab) {
		c->partial = next_slab(slab);
		c->nr_partial--;
	}
	for (unsigned int tried = 0; !slab && (nid = next_node(here, tried, gfp)) >= 0; tried++)
		slab = claim_first(cache, &slub_of(cache)->node[nid]);
	return slab;
}

struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags)
{
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	struct page *slab;

	count(cache, SLOW_ALLOC);
	while (!c->freelist) {
		if (!c->slab)
			activate(c, find_slab(cache, c, gfp));
		if (c->slab) {
			c->freelist = take(cache, c->slab);
			if (!c->freelist)
				activate(c, NULL);
			continue;
		}
		slab = new_slab(cache, gfp, cpu_node[smp_processor_id()], flags);
		if (!slab)
			return NULL;
		c = this_cpu_ptr(slub_of(cache)->cpu_slab);
		if (c->slab)		/* somebody was faster */
			keep(cache, slab);
		else
			activate(c, slab);
	}
	return c;
}

/* ---- allocate one --------------------------------------------------------------------------- */

static void *first_of(struct kmem_cache *cache, struct kmem_cache_cpu *c)
{
	void *object = c->freelist;

	c->freelist = get_link(cache, object);
	return object;
}

/* One object of a slab on @node's list; NULL: none. Interrupts off. */
static void *single_of(struct kmem_cache *cache, struct kmem_cache_node *node, gfp_t gfp,
		       void *caller)
{
	void *object = NULL;

	lock_node(cache, node);
	while (!object && !list_empty(&node->partial)) {
		struct page *slab = list_first_entry(&node->partial, struct page, slab_list);

		claim(cache, node, slab);
		object = pop(cache, slab);
		if (is_debugged(cache) && !slub_debug_alloc(cache, slab, object, gfp, caller))
			object = NULL;	/* stays out */
		release(cache, node, slab, true);
	}
	spin_unlock_raw(&node->list_lock);
	return object;
}

/* One object past the CPU's own slabs, @nid's first. */
static void *alloc_single(struct kmem_cache *cache, gfp_t gfp, int nid, void *caller)
{
	unsigned long flags = local_irq_save();
	struct page *slab;
	void *object = NULL;
	int try;

	for (;;) {
		unsigned int tried = 0;

		while (!object && (try = next_node(nid, tried++, gfp)) >= 0)
			object = single_of(cache, &slub_of(cache)->node[try], gfp, caller);
		if (object)
			break;
		slab = new_slab(cache, gfp, nid, &flags);
		if (!slab)
			break;
		release_one(cache, slab, true);
	}
	local_irq_restore(flags);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, cache->object_size);
	return object;
}

static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, void *caller)
{
	struct kmem_cache_cpu *c;
	unsigned long flags;
	void *object = NULL;

	if (is_debugged(cache))
		return alloc_single(cache, gfp, cpu_node[smp_processor_id()], caller);
	flags = local_irq_save();
	c = slub_refill(cache, gfp, &flags);
	if (c)
		object = first_of(cache, c);
	local_irq_restore(flags);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, cache->object_size);
	return object;
}

__frameless void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	void *object = c->freelist;

	if (unlikely(!object)) {
		local_irq_restore(flags);
		return alloc_slow(cache, gfp, __builtin_return_address(0));
	}
	c->freelist = get_link(cache, object);
	local_irq_restore(flags);
	if (unlikely(gfp & __GFP_ZERO))
		return memset(object, 0, cache->object_size);
	return object;
}

/* One of this CPU's, if it has any that are of @nid. */
static void *alloc_here(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	void *object = NULL;

	if (!c->freelist && nid == (int)cpu_node[smp_processor_id()])
		c = slub_refill(cache, gfp, &flags);
	if (c && c->freelist && (int)node_of(c->slab) == nid)
		object = first_of(cache, c);
	local_irq_restore(flags);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, cache->object_size);
	return object;
}

void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	gfp_t there = (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL)) | __GFP_THISNODE | __GFP_NORETRY |
		      __GFP_NOWARN;
	void *caller = __builtin_return_address(0), *object = NULL;

	if (nid < 0 || nid >= (int)nr_nodes)
		return cache_alloc(cache, gfp);
	if (!is_debugged(cache))
		object = alloc_here(cache, gfp, nid);
	if (!object)
		object = alloc_single(cache, there, nid, caller);
	if (!object)
		object = alloc_single(cache, gfp, nid, caller);
	return object;
}

/* ---- free ----------------------------------------------------------------------------------- */

/* Under the lock of the slab's node. False: some CPU has the slab, and nothing was done. @dead is
 * set if the slab must be buried. */
static bool free_claimed(struct kmem_cache *cache, struct page *slab, void *first, void *last,
			 unsigned int n, bool *dead)
{
	struct kmem_cache_node *node = slab_node(cache, slab);

	if (!claim(cache, node, slab))
		return false;
	push(cache, slab, first, last, n);
	*dead = !release(cache, node, slab, false);
	return true;
}

static noinline void free_last(struct kmem_cache *cache, struct page *slab, void *first, void *last,
			       unsigned int n)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	enum pushed pushed = WOULD_BE_EMPTY;
	bool done = false, dead = false;

	while (!done && pushed == WOULD_BE_EMPTY) {
		lock_node(cache, node);
		done = free_claimed(cache, slab, first, last, n, &dead);
		spin_unlock_raw(&node->list_lock);
		if (!done)
			pushed = push(cache, slab, first, last, n);
	}
	if (dead)
		bury(cache, slab);
	if (pushed == CLAIMED)
		keep(cache, slab);
}

void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	unsigned long flags = local_irq_save();
	enum pushed pushed = push(cache, slab, first, last, n);

	count(cache, SLOW_FREE);
	if (unlikely(pushed == CLAIMED))
		keep(cache, slab);
	else if (unlikely(pushed == WOULD_BE_EMPTY))
		free_last(cache, slab, first, last, n);
	local_irq_restore(flags);
}

static noinline void free_debugged(struct kmem_cache *cache, struct page *slab, void *object,
				   void *caller)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	unsigned long flags = local_irq_save();
	bool dead = false;

	lock_node(cache, node);
	if (slub_debug_free(cache, slab, object, caller))
		free_claimed(cache, slab, object, object, 1, &dead);
	spin_unlock_raw(&node->list_lock);
	if (dead)
		bury(cache, slab);
	local_irq_restore(flags);
}

__frameless void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	if (unlikely(is_debugged(cache)))
		free_debugged(cache, page->slab_mem, object, __builtin_return_address(0));
	else
		slub_free_linked(cache, page->slab_mem, object, object, 1);
}

/* True if @object was of this CPU's active slab. */
static __always_inline bool free_here(struct kmem_cache *cache, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	bool here = (unsigned long)object - c->base < c->bytes;

	if (likely(here)) {
		set_link(cache, object, c->freelist);
		c->freelist = object;
	}
	local_irq_restore(flags);
	return here;
}

#ifndef CONFIG_KASAN		/* which has its own in front of the rest */
__frameless void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (unlikely(!free_here(cache, object)))
		kmem_cache_free_rest(cache, object);
}

__frameless void kfree(const void *object)
{
	struct page *page = slab_span_page(object);

	if (unlikely(!in_slab_span(object) || !(page->flags & BIT(PG_slab))))
		kfree_rest(object);
	else if (unlikely(!free_here(page->slab_cache, (void *)object)))
		cache_free(page->slab_cache, page, (void *)object);
}
#endif

/* ---- give back ------------------------------------------------------------------------------ */

void slub_flush_cpu(void *data)
{
	struct kmem_cache *cache = data;
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	struct page *list = c->partial;
	void *last = c->freelist, *next;
	unsigned int n = 1;

	if (last) {
		while ((next = get_link(cache, last))) {
			last = next;
			n++;
		}
		push(cache, c->slab, c->freelist, last, n);
	}
	if (c->slab)
		link_slab(&list, c->slab);
	activate(c, NULL);
	c->freelist = NULL;
	c->partial = NULL;
	c->nr_partial = 0;
	release_all(cache, list, true);
	local_irq_restore(flags);
}

/* Takes @slab, empty, off the list. */
static bool claim_empty(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	return !state_inuse(slab_state(slab)) && claim(cache, node, slab);
}

/* Buries a node's empty slabs; the others are put in order, the fullest first. How many pages. */
static int clear_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	unsigned long flags = local_irq_save();
	struct page *slab, *next, *other, *dead = NULL;
	LIST_HEAD(sorted);

	lock_node(cache, node);
	list_for_each_entry_safe(slab, next, &node->partial, slab_list) {
		if (claim_empty(cache, node, slab)) {
			link_slab(&dead, slab);
			continue;
		}
		list_for_each_entry(other, &sorted, slab_list)
			if (state_inuse(slab_state(other)) <= state_inuse(slab_state(slab)))
				break;
		list_move_tail(&slab->slab_list, &other->slab_list);
	}
	list_splice(&sorted, &node->partial);
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	return bury_all(cache, dead);
}

static int clear_nodes(struct kmem_cache *cache)
{
	int pages = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		pages += clear_node(cache, &slub_of(cache)->node[nid]);
	return pages;
}

int cache_shrink(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, slub_flush_cpu, cache);
	return clear_nodes(cache);
}

/* What other CPUs have stays: that would mean to wait for them. */
int cache_reap(struct kmem_cache *cache)
{
	slub_flush_cpu(cache);
	return clear_nodes(cache);
}
