/*
 * SLUB, another right design: slabs are born active, and full ones are adopted.
 *
 * Here a CPU's active slab is where it frees as well as where it allocates. Three things differ:
 *
 *	birth		a new slab is active at once, with all its objects in c->freelist: no swap
 *	adoption	a CPU that has nothing left makes the first full slab to which it frees an
 *			object its active one. The swap sets "frozen" and that is all: the object
 *			goes from its user to c->freelist, and is in use as before. What the CPU
 *			frees to this slab from then on is on the fast path, too
 *	the fullest	of a CPU's slabs, and of some on the node's list, the fullest is the next:
 *			what is nearly empty gets time to become quite empty
 *
 * The objects of a new slab are linked in no order that a neighbour's owner could guess: from
 * anywhere, in strides that have no divisor in common with their number.
 *
 * All changes of a slab on a node's list, but for pushes, are made under the lock of the node. So
 * are pops of one object; a slab leaves the list before the pop that makes it full.
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "lib/string.h"

#define LOOK_AT	8	/* slabs at the front of a node's list, to find the fullest */

static bool change(struct kmem_cache *cache, struct page *slab, u64 *old, u64 new)
{
	count(cache, STATE_CHANGE);
	if (likely(__atomic_compare_exchange_n(&slab->slab_state, old, new + GENERATION_ONE, false,
					       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
		return true;
	count(cache, STATE_MISS);
	return false;
}

static unsigned int used(const struct page *slab)
{
	return state_inuse(slab_state(slab));
}

static bool is_full(u64 state)
{
	return !(state & (STATE_FROZEN | STATE_HEAD));
}

static bool is_listed(u64 state)
{
	return !is_frozen(state) && !is_full(state);
}

static struct page **next_of(struct page *slab)
{
	return (struct page **)&slab->slab_list.next;
}

static struct kmem_cache_cpu *this_cpus(struct kmem_cache *cache)
{
	return this_cpu_ptr(slub_of(cache)->cpu_slab);
}

/* The word after a push of @n objects; the link of the last one is set. */
static u64 pushed(struct kmem_cache *cache, u64 old, void *first, void *last, unsigned int n)
{
	set_link(cache, last, state_head(old, last));
	return ((old & ~STATE_HEAD) | head_of(first)) - n * INUSE_ONE;
}

/* ---- a node's list: under its lock, interrupts off ------------------------------------------ */

static void lock_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	count(cache, LIST_LOCK);
	spin_lock_raw(&node->list_lock);
}

static void unlock_node(struct kmem_cache_node *node)
{
	spin_unlock_raw(&node->list_lock);
}

/* Those of which nothing is in use wait at the end. */
static void enlist(struct kmem_cache_node *node, struct page *slab, u64 state)
{
	if (state_inuse(state))
		list_add(&slab->slab_list, &node->partial);
	else
		list_add_tail(&slab->slab_list, &node->partial);
	node->nr_partial++;
}

static void unlist(struct kmem_cache_node *node, struct page *slab)
{
	list_del(&slab->slab_list);
	node->nr_partial--;
}

static struct page *fullest_listed(struct kmem_cache_node *node)
{
	struct page *slab, *best = NULL;
	unsigned int looked_at = 0;

	list_for_each_entry(slab, &node->partial, slab_list) {
		if (!best || used(slab) > used(best))
			best = slab;
		if (++looked_at == LOOK_AT)
			break;
	}
	return best;
}

/* One object of a slab on the list. With its last one it must be off the list, before it is full:
 * then anybody may have it. */
static void *pop(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	u64 old = slab_state(slab), new;

	for (;;) {
		void *object = state_head(old, page_address(slab));
		void *rest = get_link(cache, object);

		new = (old & ~STATE_HEAD) + INUSE_ONE;
		if (rest)
			new |= head_of(rest);
		else
			unlist(node, slab);
		if (change(cache, slab, &old, new))
			return object;
		if (!rest)
			enlist(node, slab, old);
	}
}

/* The slab, some CPU's until now, is nobody's. @n objects of its freelist go back with it. False:
 * it is empty, the node has enough, and it stays the caller's to give back; not with @keep. */
static bool retire(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		   void *first, void *last, unsigned int n, bool keep)
{
	u64 old = slab_state(slab), new;

	do {
		if (state_inuse(old) == n && !keep &&
		    node->nr_partial >= slub_of(cache)->min_partial)
			return false;
		new = (n ? pushed(cache, old, first, last, n) : old) & ~STATE_FROZEN;
	} while (!change(cache, slab, &old, new));
	if (new & STATE_HEAD)
		enlist(node, slab, new);
	return true;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static int give_back(struct kmem_cache *cache, struct page *slab)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	unsigned int order = slab_order(slab);

	atomic_dec(&node->nr_slabs);
	atomic_sub(slab_objects(slab), &node->nr_objects);
	slab_pages_free(cache, slab, order);
	return 1 << order;
}

static unsigned int common_divisor(unsigned int a, unsigned int b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* Returns the first object of all, constructed and linked. */
static void *link_objects(struct kmem_cache *cache, struct page *slab)
{
	char *base = (char *)page_address(slab) + slub_of(cache)->red_left;
	unsigned long random = slub_of(cache)->random ^ ((unsigned long)base >> PAGE_SHIFT) * 40503;
	unsigned int n = slab_objects(slab), at = random % n, stride = random / n % n;
	void *first = base + at * cache->size;

	while (common_divisor(n, stride) != 1)
		stride = (stride + 1) % n;
	for (unsigned int i = 1; i <= n; i++) {
		char *object = base + at * cache->size;

		at = (at + stride) % n;
		if (cache->ctor)
			cache->ctor(object);
		set_link(cache, object, i < n ? base + at * cache->size : NULL);
	}
	return first;
}

static struct page *get_pages(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	gfp_t try = (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL)) | __GFP_NORETRY | __GFP_NOWARN;
	unsigned int order = slub_of(cache)->order, least = slub_of(cache)->min_order;
	struct page *slab = order > least ? slab_pages_alloc(cache, try, nid, order) : NULL;

	if (!slab) {
		order = least;
		slab = slab_pages_alloc(cache, gfp, nid, order);
	}
	if (slab)
		slab->aux = (PAGE_SIZE << order) / cache->size | (u64)order << AUX_ORDER;
	return slab;
}

/* A frozen slab that is the caller's, nothing of it in use. Interrupts, off now, are meanwhile as
 * @flags says if @gfp lets us sleep. NULL: no memory. */
static struct page *make_slab(struct kmem_cache *cache, gfp_t gfp, int nid, unsigned long *flags)
{
	struct page *slab;

	if (gfp & __GFP_DIRECT_RECLAIM)
		local_irq_restore(*flags);
	slab = get_pages(cache, gfp, nid);
	if (slab) {
		for (struct page *page = slab; page < slab + (1UL << slab_order(slab)); page++)
			page->slab_mem = slab;
		if (is_debugged(cache))
			slub_debug_init_slab(cache, slab);
		slab->slab_state = head_of(link_objects(cache, slab)) | STATE_FROZEN;
		atomic_inc(&slab_node(cache, slab)->nr_slabs);
		atomic_add(slab_objects(slab), &slab_node(cache, slab)->nr_objects);
	}
	if (gfp & __GFP_DIRECT_RECLAIM)
		*flags = local_irq_save();
	return slab;
}

/* ---- what a CPU has: interrupts off --------------------------------------------------------- */

/* @list: frozen slabs, nobody else's; none of their objects is in any freelist. */
static void retire_all(struct kmem_cache *cache, struct page *list, bool keep)
{
	struct page *slab;

	while ((slab = list)) {
		struct kmem_cache_node *node = slab_node(cache, slab);
		struct page *empty = NULL;

		lock_node(cache, node);
		while (slab && slab_node(cache, slab) == node) {
			list = *next_of(slab);
			if (!retire(cache, node, slab, NULL, NULL, 0, keep)) {
				*next_of(slab) = empty;
				empty = slab;
			}
			slab = list;
		}
		unlock_node(node);
		while (empty) {
			slab = empty;
			empty = *next_of(slab);
			give_back(cache, slab);
		}
	}
}

static void activate(struct kmem_cache_cpu *c, struct page *slab, void *freelist)
{
	c->slab = slab;
	c->base = (unsigned long)page_address(slab);
	c->bytes = PAGE_SIZE << slab_order(slab);
	c->freelist = freelist;
}

static void forget_active(struct kmem_cache_cpu *c)
{
	c->slab = NULL;
	c->base = c->bytes = 0;
	c->freelist = NULL;
}

/* One more partial slab. Are these too many then the older half goes. */
static void shelve(struct kmem_cache *cache, struct page *slab)
{
	struct kmem_cache_cpu *c = this_cpus(cache);
	unsigned int max = slub_of(cache)->cpu_partial;
	struct page **cut = &c->partial, *older;

	*next_of(slab) = c->partial;
	c->partial = slab;
	if (++c->nr_partial <= max)
		return;
	for (unsigned int i = 0; i < max / 2; i++)
		cut = next_of(*cut);
	older = *cut;
	*cut = NULL;
	c->nr_partial = max / 2;
	retire_all(cache, older, false);
}

static struct page *fullest_shelved(struct kmem_cache_cpu *c)
{
	struct page **best = &c->partial, *slab;

	for (struct page **link = best; *link; link = next_of(*link))
		if (used(*link) > used(*best))
			best = link;
	slab = *best;
	if (slab) {
		*best = *next_of(slab);
		c->nr_partial--;
	}
	return slab;
}

/* All that others freed to the slab that is, or is to be, active. False: nothing. Then it is full,
 * and has been left by the same swap. */
static bool fetch(struct kmem_cache *cache, struct kmem_cache_cpu *c, struct page *slab)
{
	u64 old = slab_state(slab), all = slab_objects(slab) * INUSE_ONE, new;

	do {
		new = old & STATE_HEAD ? (old & ~(STATE_HEAD | STATE_INUSE)) | all :
		      old & ~STATE_FROZEN;
	} while (!change(cache, slab, &old, new));
	if (old & STATE_HEAD)
		activate(c, slab, state_head(old, page_address(slab)));
	else
		forget_active(c);
	return old & STATE_HEAD;
}

/* ---- allocate ------------------------------------------------------------------------------- */

/* The node to try after @tried others, @nid first; negative: none is left. */
static int next_node(int nid, unsigned int tried, gfp_t gfp)
{
	if (tried >= nr_nodes || (tried && (gfp & __GFP_THISNODE)))
		return -1;
	return (nid + tried) % nr_nodes;
}

/* Makes a slab of a node's list this CPU's. */
static bool fetch_listed(struct kmem_cache *cache, struct kmem_cache_cpu *c, gfp_t gfp)
{
	int here = cpu_node[smp_processor_id()], nid;

	for (unsigned int tried = 0; (nid = next_node(here, tried, gfp)) >= 0; tried++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[nid];
		struct page *slab;
		u64 old;

		lock_node(cache, node);
		slab = fullest_listed(node);
		if (slab) {
			unlist(node, slab);
			old = slab_state(slab);
			while (!change(cache, slab, &old, old | STATE_FROZEN))
				;
		}
		unlock_node(node);
		if (slab)
			return fetch(cache, c, slab);
	}
	return false;
}

static bool fetch_any(struct kmem_cache *cache, struct kmem_cache_cpu *c, gfp_t gfp)
{
	struct page *slab;

	if (c->slab && fetch(cache, c, c->slab))
		return true;
	slab = fullest_shelved(c);
	return slab ? fetch(cache, c, slab) : fetch_listed(cache, c, gfp);
}

struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags)
{
	struct kmem_cache_cpu *c = this_cpus(cache);
	struct page *slab;
	void *first;

	count(cache, SLOW_ALLOC);
	if (c->freelist || fetch_any(cache, c, gfp))
		return c;
	slab = make_slab(cache, gfp, cpu_node[smp_processor_id()], flags);
	if (!slab)
		return NULL;
	c = this_cpus(cache);
	if (c->slab && (c->freelist || fetch(cache, c, c->slab))) {
		shelve(cache, slab);		/* somebody was faster */
		return c;
	}
	first = state_head(slab->slab_state, page_address(slab));
	slab->slab_state = STATE_FROZEN | slab_objects(slab) * INUSE_ONE;
	activate(c, slab, first);
	return c;
}

static void *cleared(struct kmem_cache *cache, gfp_t gfp, void *object)
{
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, cache->object_size);
	return object;
}

static void *first_of(struct kmem_cache *cache, struct kmem_cache_cpu *c)
{
	void *object = c->freelist;

	c->freelist = get_link(cache, object);
	return object;
}

static void *pop_of_node(struct kmem_cache *cache, struct kmem_cache_node *node, gfp_t gfp,
			 void *caller)
{
	void *object = NULL;

	lock_node(cache, node);
	while (!object && !list_empty(&node->partial)) {
		struct page *slab = fullest_listed(node);

		object = pop(cache, node, slab);
		if (is_debugged(cache) && !slub_debug_alloc(cache, slab, object, gfp, caller))
			object = NULL;	/* it is out of the list, and stays so */
	}
	unlock_node(node);
	return object;
}

/* One object, of no slab of a CPU. */
static void *alloc_single(struct kmem_cache *cache, gfp_t gfp, int nid, void *caller)
{
	unsigned long flags = local_irq_save();
	struct page *slab;
	void *object = NULL;

	do {
		unsigned int tried = 0;
		int try;

		while (!object && (try = next_node(nid, tried++, gfp)) >= 0)
			object = pop_of_node(cache, &slub_of(cache)->node[try], gfp, caller);
		slab = object ? NULL : make_slab(cache, gfp, nid, &flags);
		if (slab) {
			*next_of(slab) = NULL;
			retire_all(cache, slab, true);
		}
	} while (slab);
	local_irq_restore(flags);
	return cleared(cache, gfp, object);
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
	return cleared(cache, gfp, object);
}

__frameless void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpus(cache);
	void *object = c->freelist;

	if (likely(object))
		c->freelist = get_link(cache, object);
	local_irq_restore(flags);
	if (unlikely(!object))
		return alloc_slow(cache, gfp, __builtin_return_address(0));
	return unlikely(gfp & __GFP_ZERO) ? memset(object, 0, cache->object_size) : object;
}

/* An object of this CPU's active slab, if that is one of @nid. */
static void *alloc_active(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpus(cache);
	void *object = NULL;

	if (!c->freelist && nid == (int)cpu_node[smp_processor_id()])
		c = slub_refill(cache, gfp, &flags);
	if (c && c->freelist && slab_node(cache, c->slab) == &slub_of(cache)->node[nid])
		object = first_of(cache, c);
	local_irq_restore(flags);
	return cleared(cache, gfp, object);
}

/* First without any effort, but of this node. */
void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	gfp_t try = (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL)) | __GFP_NORETRY | __GFP_NOWARN;
	void *caller = __builtin_return_address(0), *object = NULL;

	if (nid < 0 || nid >= (int)nr_nodes)
		return cache_alloc(cache, gfp);
	if (!is_debugged(cache))
		object = alloc_active(cache, gfp, nid);
	if (!object)
		object = alloc_single(cache, try | __GFP_THISNODE, nid, caller);
	return object ? object : alloc_single(cache, gfp, nid, caller);
}

/* ---- free ----------------------------------------------------------------------------------- */

/* The slab was full, as @old says. Has this CPU nothing left, the slab becomes its active one.
 * False: it has something, or the word has changed: @old is what it is now. */
static bool adopt(struct kmem_cache *cache, struct page *slab, u64 *old, void *first, void *last)
{
	struct kmem_cache_cpu *c = this_cpus(cache);

	if (c->freelist || (c->slab && fetch(cache, c, c->slab)) ||
	    !change(cache, slab, old, *old | STATE_FROZEN))
		return false;
	set_link(cache, last, NULL);
	activate(c, slab, first);
	return true;
}

/* All that is in use of the slab are these @n objects; it is on its node's list. False: not any
 * more. What is true under the lock stays so: nobody else has an object to push. */
static bool free_last(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	bool still, empty = false;
	u64 old;

	lock_node(cache, node);
	old = slab_state(slab);
	still = is_listed(old) && state_inuse(old) == n &&
		change(cache, slab, &old, pushed(cache, old, first, last, n));
	if (still) {
		unlist(node, slab);
		empty = node->nr_partial >= slub_of(cache)->min_partial;
		if (!empty)
			enlist(node, slab, 0);
	}
	unlock_node(node);
	if (empty)
		give_back(cache, slab);
	return still;
}

/* False: nothing was done, since the slab, on its node's list, would be empty. */
static bool free_some(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	u64 old = slab_state(slab), new;
	bool full;

	do {
		if (is_full(old) && adopt(cache, slab, &old, first, last))
			return true;
		if (is_listed(old) && state_inuse(old) == n)
			return false;
		full = is_full(old);
		new = pushed(cache, old, first, last, n) | (full ? STATE_FROZEN : 0);
	} while (!change(cache, slab, &old, new));
	if (full)
		shelve(cache, slab);
	return true;
}

void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	unsigned long flags = local_irq_save();

	count(cache, SLOW_FREE);
	while (!free_some(cache, slab, first, last, n) && !free_last(cache, slab, first, last, n))
		;
	local_irq_restore(flags);
}

static noinline void free_debugged(struct kmem_cache *cache, struct page *slab, void *object,
				   void *caller)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	unsigned long flags = local_irq_save();
	bool empty = false;

	lock_node(cache, node);
	if (slub_debug_free(cache, slab, object, caller)) {
		u64 old = slab_state(slab);

		/* Nobody changes it without the lock. */
		change(cache, slab, &old, pushed(cache, old, object, object, 1));
		if (old & STATE_HEAD)
			unlist(node, slab);
		empty = state_inuse(old) == 1 && node->nr_partial >= slub_of(cache)->min_partial;
		if (!empty)
			enlist(node, slab, old - INUSE_ONE);
	}
	unlock_node(node);
	if (empty)
		give_back(cache, slab);
	local_irq_restore(flags);
}

__frameless void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	if (unlikely(is_debugged(cache)))
		free_debugged(cache, page->slab_mem, object, __builtin_return_address(0));
	else
		slub_free_linked(cache, page->slab_mem, object, object, 1);
}

static __always_inline bool free_to_active(struct kmem_cache *cache, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpus(cache);
	bool done = false;

	if (likely((unsigned long)object - c->base < c->bytes)) {
		set_link(cache, object, c->freelist);
		c->freelist = object;
		done = true;
	}
	local_irq_restore(flags);
	return done;
}

#ifndef CONFIG_KASAN		/* which has its own in front of the rest */
__frameless void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (unlikely(!free_to_active(cache, object)))
		kmem_cache_free_rest(cache, object);
}

__frameless void kfree(const void *object)
{
	struct page *page = slab_span_page(object);

	if (unlikely(!in_slab_span(object) || !(page->flags & BIT(PG_slab)) ||
		     !free_to_active(page->slab_cache, (void *)object)))
		kfree_rest(object);
}
#endif

/* ---- give back ------------------------------------------------------------------------------ */

static void retire_active(struct kmem_cache *cache, struct kmem_cache_cpu *c)
{
	struct kmem_cache_node *node = slab_node(cache, c->slab);
	void *last = NULL;
	unsigned int n = 0;

	for (void *object = c->freelist; object; object = get_link(cache, object)) {
		last = object;
		n++;
	}
	lock_node(cache, node);
	retire(cache, node, c->slab, c->freelist, last, n, true);
	unlock_node(node);
	forget_active(c);
}

void slub_flush_cpu(void *data)
{
	struct kmem_cache *cache = data;
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpus(cache);
	struct page *shelved = c->partial;

	if (c->slab)
		retire_active(cache, c);
	c->partial = NULL;
	c->nr_partial = 0;
	retire_all(cache, shelved, true);
	local_irq_restore(flags);
}

/* By counting, since the lock is held: @row[i] has those of which i sixteenths are in use. */
#define ROWS	17
static void sort(struct kmem_cache_node *node)
{
	struct list_head row[ROWS];
	struct page *slab, *next;

	for (unsigned int i = 0; i < ROWS; i++)
		INIT_LIST_HEAD(&row[i]);
	list_for_each_entry_safe(slab, next, &node->partial, slab_list)
		list_move(&slab->slab_list, &row[used(slab) * (ROWS - 1) / slab_objects(slab)]);
	for (unsigned int i = 0; i < ROWS; i++)
		list_splice(&row[i], &node->partial);
}

static int give_back_empty(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	unsigned long flags = local_irq_save();
	struct page *slab, *next;
	LIST_HEAD(empty);
	int pages = 0;

	lock_node(cache, node);
	list_for_each_entry_safe(slab, next, &node->partial, slab_list) {
		u64 old = slab_state(slab);

		if (state_inuse(old) || !change(cache, slab, &old, old | STATE_FROZEN))
			continue;
		unlist(node, slab);
		list_add(&slab->slab_list, &empty);
	}
	sort(node);
	unlock_node(node);
	local_irq_restore(flags);
	list_for_each_entry_safe(slab, next, &empty, slab_list)
		pages += give_back(cache, slab);
	return pages;
}

int cache_reap(struct kmem_cache *cache)
{
	int pages = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		pages += give_back_empty(cache, &slub_of(cache)->node[nid]);
	return pages;
}

int cache_shrink(struct kmem_cache *cache)
{
	smp_call(cpu_online_mask, slub_flush_cpu, cache);
	return cache_reap(cache);
}
