/*
 * SLUB: slabs without queues. [lab 4]
 *
 * SLAB keeps arrays of free objects for each CPU, arrays shared by CPUs, three lists of slabs for
 * each node, and in each slab a table of what is free. All of that must be sized, filled, drained
 * and aged, and it grows with the number of CPUs. Christoph Lameter's observation (SLUB, 2007) was
 * that a slab is a queue already: its free objects can hold the links themselves, and what else
 * must be known of it fits into the struct page that exists anyway. So SLUB gives each CPU slabs of
 * its own instead of copies of what is in slabs. What it removed, and what does the work now:
 *
 *	queues of objects	the free objects of the CPU's active slab, linked through themselves
 *	tables in the slab	one word in struct page; 512 objects of 8 bytes fill a page
 *	lists of full slabs	nothing: a full slab comes back by itself when an object is freed
 *	lists of free slabs	a few may stay among the partial ones; the others are given back
 *	reaping by a timer	nothing: what is not hoarded need not be aged
 *
 * The states of a slab
 *
 *	          a CPU takes it                      it has handed all objects out
 *	partial -----------------> active (frozen) ------------------------------> full
 *	  |  ^                           ^                                           |
 *	  |  |                           | the CPU needs the next one                |
 *	  |  |                           |                                           |
 *	  |  +-------------------- CPU partial (frozen) <----------------------------+
 *	  |    the CPU has too many                         its first object is freed
 *	  |
 *	  +--> page allocator: the last object is freed, and the node has partial slabs enough
 *
 *	active		c->slab, frozen. The CPU has moved all its free objects to c->freelist; what
 *			others free gathers in the slab's own list meanwhile
 *	CPU partial	on c->partial, frozen. Only this CPU takes from it
 *	partial		on its node's list, has free objects, not frozen
 *	full		on no list, has no free objects, not frozen
 *
 * Frozen means that some CPU owns the slab: who frees an object to it leaves its lists alone.
 *
 * Who may change what
 *
 * c->freelist, c->slab, c->partial: their CPU, interrupts off. No lock and no atomic operation, for
 * nobody else looks. This is the fast path, a pop or a push of a linked list. With interrupts off
 * nothing comes between its load and its store, and the thread cannot move to another CPU; before
 * and after it may, since nothing is remembered. The other way would be a restartable section: a
 * trap that interrupts it sends the thread back to its start. That saves the instructions that
 * switch interrupts off and on, three in an allocation and three in a free: a pair would cost 44 on
 * ARM64 and 48 on RISC-V instead of 50 and 54. But each interrupt would pay for the question where
 * it came from, and each machine would need the sections in assembly. Six instructions are not
 * worth a second way of being atomic.
 *
 * page->slab_state: anybody, by compare-and-swap of the whole word {head of the slab's list,
 * objects in use, frozen, generation}. An object that is pushed, and the count that says so, become
 * true at once. The link in a free object belongs to whoever put it there until the swap succeeds.
 *
 * slab_list of a slab that is not frozen: under node->list_lock. A slab becomes partial, or ceases
 * to be, only by who holds the lock while the word changes; so who has the lock and reads "not
 * frozen, has free objects" knows that the slab is on the list. Of a frozen slab it is the owner's.
 *
 * A free to a slab that is not this CPU's active one is one compare-and-swap, and no more unless
 * the slab changes its state by it:
 *
 *	it was full	the same swap freezes it, and the CPU that freed puts it on its own partial
 *			list, without a lock. Of two that free at once only one sees it full
 *	partial, and	then the lock comes first and the swap is made under it. Between a swap and
 *	empty now	a lock that came later another could take the slab, empty it and give it
 *			back; as long as our object is in use, the slab cannot go away
 *
 * Why a generation (ABA)
 *
 * A compare-and-swap says that a word is as it was, not that nothing happened. Let a CPU read head
 * = A, then the link in A, to B; let others take A and B and free A again. The head is A as before,
 * but the link that was read is history: B is in use, and would become the head of the free list.
 * Pushes do not mind (they link to A, whatever is behind it), and taking the whole list does not
 * either; pop_one() would, if the lock did not keep other takers away. Since each change raises the
 * generation, a word that is the same means that nothing happened, and nobody needs to prove which
 * case he is in. It has 32 bits: to be fooled one would have to be interrupted between a load and a
 * compare-and-swap for exactly 2^32 changes of one slab.
 *
 * Locks: list_lock is taken with interrupts off, and nothing is taken inside it: pages are
 * allocated and given back outside. A CPU's slabs are taken from it by asking it to give them
 * (smp_call).
 *
 * Debugged caches (slub_debug.c) have no CPU slabs: each operation takes list_lock, and looks.
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "lib/string.h"

/* ---- the state word ----------------------------------------------------------------------- */

/* True if the word was @*old and is @new now, of a new generation; else @*old is what it is.
 * Ordered both ways: who takes an object must see what was written by who freed it. */
static __always_inline bool change_state(struct kmem_cache *cache, struct page *slab, u64 *old,
					 u64 new)
{
	count(cache, STATE_CHANGE);
	if (likely(__atomic_compare_exchange_n(&slab->slab_state, old, new + GENERATION_ONE, false,
					       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
		return true;
	count(cache, STATE_MISS);
	return false;
}

/*
 * Takes all objects of the slab's list and makes or keeps the slab frozen; the caller owns it, or
 * holds the list_lock under which it can be had. NULL: there are none, the slab is full now, and
 * free.
 */
static void *take_all(struct kmem_cache *cache, struct page *slab)
{
	u64 all = slab_objects(slab) * INUSE_ONE | STATE_FROZEN, old = slab_state(slab), new;

	do {
		if (old & STATE_HEAD)
			new = (old & STATE_GENERATION) | all;
		else
			new = old & ~STATE_FROZEN;
	} while (!change_state(cache, slab, &old, new));
	return state_head(old, page_address(slab));
}

/* ---- the lists of partial slabs ----------------------------------------------------------- */

static void lock_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	count(cache, LIST_LOCK);
	spin_lock_raw(&node->list_lock);
}

static void add_partial(struct kmem_cache_node *node, struct page *slab)
{
	list_add_tail(&slab->slab_list, &node->partial);
	WRITE_ONCE(node->nr_partial, node->nr_partial + 1);
}

static void remove_partial(struct kmem_cache_node *node, struct page *slab)
{
	list_del(&slab->slab_list);
	WRITE_ONCE(node->nr_partial, node->nr_partial - 1);
}

/* Takes one object of a slab on its node's list, whose lock is held. With the last one the slab
 * leaves the list, and it does so first: who finds it full freezes it, and asks for no list. */
static void *pop_one(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	u64 old = slab_state(slab), new;
	void *object, *next;
	bool listed = true;

	do {
		object = state_head(old, page_address(slab));
		next = get_link(cache, object);
		if (listed && !next)
			remove_partial(node, slab);
		else if (!listed && next)	/* somebody has freed one meanwhile */
			add_partial(node, slab);
		listed = next;
		new = (old & ~STATE_HEAD) + INUSE_ONE;
		new |= next ? head_of(next) : 0;
	} while (!change_state(cache, slab, &old, new));
	return object;
}

/* Nobody knows the slab any more. */
static void discard_slab(struct kmem_cache *cache, struct page *slab)
{
	struct kmem_cache_node *node = slab_node(cache, slab);

	atomic_dec(&node->nr_slabs);
	atomic_sub(slab_objects(slab), &node->nr_objects);
	slab_pages_free(cache, slab, slab_order(slab));
}

/* Slabs that are linked by slab_list.next: each frozen, the caller's own, on no list. */
static struct page *next_slab(const struct page *slab)
{
	return (struct page *)slab->slab_list.next;
}

static void link_slab(struct page **list, struct page *slab)
{
	slab->slab_list.next = (struct list_head *)*list;
	*list = slab;
}

static unsigned int discard_slabs(struct kmem_cache *cache, struct page *list)
{
	unsigned int pages = 0;

	while (list) {
		struct page *next = next_slab(list);

		pages += 1U << slab_order(list);
		discard_slab(cache, list);
		list = next;
	}
	return pages;
}

/*
 * Gives up ownership of frozen slabs that have free objects: they go to their node's lists, or, if
 * empty and the node has enough, to the page allocator; not with @keep.
 */
static void unfreeze_slabs(struct kmem_cache *cache, struct page *list, bool keep)
{
	struct kmem_cache_node *node = NULL;
	struct page *empty = NULL, *next;
	unsigned long flags = local_irq_save();

	for (struct page *slab = list; slab; slab = next) {
		u64 old = slab_state(slab);

		next = next_slab(slab);
		if (node != slab_node(cache, slab)) {
			if (node)
				spin_unlock_raw(&node->list_lock);
			node = slab_node(cache, slab);
			lock_node(cache, node);
		}
		while (!change_state(cache, slab, &old, old & ~STATE_FROZEN))
			;
		if (!keep && state_inuse(old) == 0 &&
		    node->nr_partial >= slub_of(cache)->min_partial)
			link_slab(&empty, slab);
		else
			add_partial(node, slab);
	}
	if (node)
		spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	discard_slabs(cache, empty);
}

/* The older half of the CPU's partial slabs, cut off: the newer ones are warm. Interrupts off. */
static struct page *cut_partial(struct kmem_cache_cpu *c)
{
	struct page **link = &c->partial, *older;
	unsigned int keep = c->nr_partial / 2;

	for (unsigned int i = 0; i < keep; i++)
		link = (struct page **)&(*link)->slab_list.next;
	older = *link;
	*link = NULL;
	c->nr_partial = keep;
	return older;
}

/* A frozen slab of the caller's becomes one of this CPU's; if those are too many, some go. */
static void put_cpu_partial(struct kmem_cache *cache, struct page *slab)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	struct page *surplus = NULL;

	if (c->nr_partial >= slub_of(cache)->cpu_partial)
		surplus = cut_partial(c);
	link_slab(&c->partial, slab);
	c->nr_partial++;
	local_irq_restore(flags);
	if (surplus)
		unfreeze_slabs(cache, surplus, false);
}

/* ---- new slabs ---------------------------------------------------------------------------- */

/* A slab whose objects are all free, in rising order; frozen, and known to nobody. May sleep as
 * @gfp says. */
static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct slub *s = slub_of(cache);
	unsigned int order = s->order, objects;
	char *base, *object;
	struct page *slab;

	gfp &= ~__GFP_ZERO;
	/* Large blocks are worth a look, not an effort. */
	slab = slab_pages_alloc(cache, order == s->min_order ? gfp :
				(gfp | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC) &
				~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL), nid, order);
	if (unlikely(!slab && order > s->min_order)) {
		order = s->min_order;
		slab = slab_pages_alloc(cache, gfp, nid, order);
	}
	if (!slab)
		return NULL;
	base = page_address(slab);
	objects = (PAGE_SIZE << order) / cache->size;
	for (unsigned int i = 0; i < 1U << order; i++)
		slab[i].slab_mem = slab;
	slab->aux = objects | order << AUX_ORDER;
	if (is_debugged(cache))
		slub_debug_init_slab(cache, slab);
	object = base + s->red_left;
	slab->slab_state = head_of(object) | STATE_FROZEN;
	for (unsigned int i = 0; i < objects; i++, object += cache->size) {
		if (cache->ctor)
			cache->ctor(object);
		set_link(cache, object, i + 1 < objects ? object + cache->size : NULL);
	}
	atomic_inc(&slab_node(cache, slab)->nr_slabs);
	atomic_add(objects, &slab_node(cache, slab)->nr_objects);
	return slab;
}

/* ---- allocate ----------------------------------------------------------------------------- */

static void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, unsigned long flags);
static void *alloc_zeroed(struct kmem_cache *cache, gfp_t gfp);

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

static noinline void *alloc_zeroed(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = cache_alloc(cache, gfp & ~__GFP_ZERO);

	return object ? memset(object, 0, cache->object_size) : NULL;
}

/* The node to try after @tried others, @nid first; negative: none is left. */
static int next_node(int nid, unsigned int tried, gfp_t gfp)
{
	if (tried >= nr_nodes || (tried && (gfp & __GFP_THISNODE)))
		return -1;
	nid += tried;
	return nid < (int)nr_nodes ? nid : nid - (int)nr_nodes;
}

/* Interrupts off. All objects of a slab from the nodes' lists, now frozen: *@slab; or NULL. */
static void *take_partial(struct kmem_cache *cache, gfp_t gfp, int nid, struct page **slab)
{
	void *list = NULL;
	int n;

	for (unsigned int tried = 0; !list && (n = next_node(nid, tried, gfp)) >= 0; tried++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[n];

		if (!READ_ONCE(node->nr_partial))
			continue;
		lock_node(cache, node);
		if (!list_empty(&node->partial)) {
			*slab = list_first_entry(&node->partial, struct page, slab_list);
			remove_partial(node, *slab);
			list = take_all(cache, *slab);
		}
		spin_unlock_raw(&node->list_lock);
	}
	return list;
}

static void set_active(struct kmem_cache_cpu *c, struct page *slab)
{
	c->slab = slab;
	c->base = slab ? (unsigned long)page_address(slab) : 0;
	c->bytes = slab ? PAGE_SIZE << slab_order(slab) : 0;
}

/*
 * Interrupts off, c->freelist is empty. Objects from where they cost least: those that others freed
 * to the active slab, this CPU's other slabs, the node's list. NULL: from the page allocator only.
 */
static void *refill(struct kmem_cache *cache, struct kmem_cache_cpu *c, gfp_t gfp)
{
	struct page *slab = NULL;
	void *list = NULL;

	count(cache, SLOW_ALLOC);
	if (c->slab)
		list = take_all(cache, c->slab);
	if (list)
		return list;
	if (c->partial) {
		slab = c->partial;
		c->partial = next_slab(slab);
		c->nr_partial--;
		list = take_all(cache, slab);
	} else {
		list = take_partial(cache, gfp, cpu_node[smp_processor_id()], &slab);
	}
	set_active(c, list ? slab : NULL);
	return list;
}

struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags)
{
	for (;;) {
		struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
		struct page *slab;

		if (!c->freelist)	/* or an interrupt was here, or it is another CPU's */
			c->freelist = refill(cache, c, gfp);
		if (c->freelist)
			return c;
		local_irq_restore(*flags);
		slab = new_slab(cache, gfp, cpu_node[smp_processor_id()]);
		*flags = local_irq_save();
		if (!slab)
			return NULL;
		c = this_cpu_ptr(slub_of(cache)->cpu_slab);
		link_slab(&c->partial, slab);
		c->nr_partial++;
	}
}

static noinline void *alloc_one(struct kmem_cache *cache, gfp_t gfp, int nid, void *caller);

/* c->freelist was empty: rare as long as the slabs are large. Restores interrupts. */
static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, unsigned long flags)
{
	struct kmem_cache_cpu *c;
	void *object = NULL;

	if (unlikely(is_debugged(cache))) {
		int nid = cpu_node[smp_processor_id()];

		local_irq_restore(flags);
		return alloc_one(cache, gfp, nid, __builtin_return_address(0));
	}
	c = slub_refill(cache, gfp, &flags);
	if (c) {
		object = c->freelist;
		c->freelist = get_link(cache, object);
	}
	local_irq_restore(flags);
	return object;
}

/* One object of a slab on a node's list. Interrupts off. */
static void *take_one(struct kmem_cache *cache, gfp_t gfp, int nid, struct page **slab)
{
	void *object = NULL;
	int n;

	for (unsigned int tried = 0; !object && (n = next_node(nid, tried, gfp)) >= 0; tried++) {
		struct kmem_cache_node *node = &slub_of(cache)->node[n];

		lock_node(cache, node);
		if (!list_empty(&node->partial)) {
			*slab = list_first_entry(&node->partial, struct page, slab_list);
			object = pop_one(cache, node, *slab);
		}
		spin_unlock_raw(&node->list_lock);
	}
	return object;
}

/* The way past the CPU slabs: for another node, and for debugged caches, which have none. */
static noinline void *alloc_one(struct kmem_cache *cache, gfp_t gfp, int nid, void *caller)
{
	struct page *slab;
	void *object;

	/* Nodes that nobody prefers come after the page allocator. */
	while (true) {
		unsigned long flags = local_irq_save();

		object = take_one(cache, gfp | __GFP_THISNODE, nid, &slab);
		local_irq_restore(flags);
		if (!object) {
			slab = new_slab(cache, gfp, nid);
			if (slab) {
				slab->slab_list.next = NULL;
				unfreeze_slabs(cache, slab, true);
				nid = slab->flags >> PAGE_NODE_SHIFT;
				continue;
			}
			flags = local_irq_save();
			object = take_one(cache, gfp, nid, &slab);
			local_irq_restore(flags);
			if (!object)
				return NULL;
		}
		if (likely(!is_debugged(cache)) ||
		    slub_debug_alloc(cache, slab, object, gfp, caller))
			break;
	}
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
	return object;
}

/* The active slab may be one of another node: objects travel, and whoever frees the first one of a
 * full slab gets it. */
noinline void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	void *object = NULL;

	if (c->freelist && c->slab->flags >> PAGE_NODE_SHIFT == (unsigned long)nid) {
		object = c->freelist;
		c->freelist = get_link(cache, object);
	}
	local_irq_restore(flags);
	if (nid < 0 || (unsigned int)nid >= nr_nodes)
		return cache_alloc(cache, gfp);
	if (!object)
		return alloc_one(cache, gfp, nid, __builtin_return_address(0));
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->object_size);
	return object;
}

/* ---- free --------------------------------------------------------------------------------- */

static void free_slow(void *object, struct page *slab, struct kmem_cache *cache);

/* Interrupts off: @object is one of the active slab. */
static __always_inline void push(struct kmem_cache *cache, struct kmem_cache_cpu *c, void *object)
{
#ifdef CONFIG_SLUB_HARDENED
	if (unlikely(object == c->freelist)) {
		slab_bug(cache, object, "double free");
		return;
	}
#endif
	set_link(cache, object, c->freelist);
	c->freelist = object;
}

static __always_inline void free_fast(struct kmem_cache *cache, struct page *page, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);

	if (unlikely(c->slab != page->slab_mem)) {
		local_irq_restore(flags);
		free_slow(object, page->slab_mem, cache);
		return;
	}
	push(cache, c, object);
	local_irq_restore(flags);
}

__frameless void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	free_fast(cache, page, object);
}

#ifndef CONFIG_KASAN		/* which asks first: kasan_slab.c */
__frameless void kfree(const void *object)
{
	struct page *page = slab_span_page(object);

	if (in_slab_span(object) && likely(page->flags & BIT(PG_slab)))
		free_fast(page->slab_cache, page, (void *)object);
	else
		kfree_rest(object);
}

/* What lies in this cache's active slab is its object: no need to look at the page. */
__frameless void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);

	if (unlikely((unsigned long)object - c->base >= c->bytes)) {
		local_irq_restore(flags);
		kmem_cache_free_rest(cache, object);
		return;
	}
	push(cache, c, object);
	local_irq_restore(flags);
}
#endif

/*
 * The slab was full or will be empty, and is not frozen; or was not when the caller looked. @first
 * to @last are @n objects of it, linked.
 */
static noinline void free_with_change(struct kmem_cache *cache, struct page *slab, void *first,
				      void *last, unsigned int n)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	bool locked = false, discard = false;
	unsigned long flags = local_irq_save();
	u64 old = slab_state(slab), new;

	for (;;) {
		bool full = !(old & (STATE_FROZEN | STATE_HEAD));

		if (!is_frozen(old) && !full && state_inuse(old) == n && !locked) {
			lock_node(cache, node);
			locked = true;
			old = slab_state(slab);
			continue;
		}
		set_link(cache, last, state_head(old, last));
		new = (old & ~STATE_HEAD) - n * INUSE_ONE;
		new |= head_of(first);
		if (full)
			new |= STATE_FROZEN;
		if (change_state(cache, slab, &old, new))
			break;
	}
	if (locked) {
		discard = !is_frozen(new) && state_inuse(new) == 0 &&
			  node->nr_partial > slub_of(cache)->min_partial;
		if (discard)
			remove_partial(node, slab);
		spin_unlock_raw(&node->list_lock);
	}
	local_irq_restore(flags);
	if (discard)
		discard_slab(cache, slab);
	else if (!is_frozen(old) && is_frozen(new))
		put_cpu_partial(cache, slab);
}

/* @n linked objects of a slab that is not this CPU's active one, or was not a moment ago. */
static __always_inline void free_remote(struct kmem_cache *cache, struct page *slab, void *first,
					void *last, unsigned int n)
{
	u64 old = slab_state(slab), new;

	do {
		if (unlikely(!is_frozen(old) &&
			     (!(old & STATE_HEAD) || state_inuse(old) == n))) {
			free_with_change(cache, slab, first, last, n);
			return;
		}
		set_link(cache, last, state_head(old, last));
		new = (old & ~STATE_HEAD) - n * INUSE_ONE;
		new |= head_of(first);
	} while (!change_state(cache, slab, &old, new));
}

void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	free_remote(cache, slab, first, last, n);
}

/* A debugged cache's: looked at and put back under the lock. */
static noinline void free_one(struct kmem_cache *cache, struct page *slab, void *object,
			      void *caller)
{
	struct kmem_cache_node *node = slab_node(cache, slab);
	unsigned long flags = local_irq_save();
	bool good, discard = false;

	lock_node(cache, node);
	good = slub_debug_free(cache, slab, object, caller);
	if (good) {
		u64 old = slab_state(slab), new;

		set_link(cache, object, state_head(old, object));
		new = (old & ~STATE_HEAD) - INUSE_ONE;
		new |= head_of(object);
		while (!change_state(cache, slab, &old, new))
			;
		if (!(old & STATE_HEAD))
			add_partial(node, slab);
		discard = state_inuse(new) == 0 && node->nr_partial > slub_of(cache)->min_partial;
		if (discard)
			remove_partial(node, slab);
	}
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	if (discard)
		discard_slab(cache, slab);
}

static noinline void free_general(void *object, struct page *slab, struct kmem_cache *cache)
{
	if (unlikely(is_debugged(cache)))
		free_one(cache, slab, object, __builtin_return_address(0));
	else
		free_remote(cache, slab, object, object, 1);
}

/* To a slab that some CPU owns, and to which objects have been freed before: the head moves, one is
 * in use less. Nearly all frees that are not fast are of this kind. */
static __frameless noinline void free_slow(void *object, struct page *slab,
					   struct kmem_cache *cache)
{
	u64 old = __atomic_load_n(&slab->slab_state, __ATOMIC_RELAXED), new;
	void *head;

	count(cache, SLOW_FREE);
	do {
		if (unlikely(!is_frozen(old) || !(old & STATE_HEAD))) {
			free_general(object, slab, cache);
			return;
		}
		head = state_head(old, object);
		set_link(cache, object, head);
		new = old + ((unsigned long)object - (unsigned long)head) - INUSE_ONE;
	} while (!change_state(cache, slab, &old, new));
}

/* ---- taking a CPU's slabs from it --------------------------------------------------------- */

/* Interrupts off. The active slab stops being that: it is put back on the list if it has free
 * objects, else it is full and on its own. */
static void deactivate(struct kmem_cache *cache, struct kmem_cache_cpu *c, struct page **list)
{
	struct page *slab = c->slab;
	void *first = c->freelist, *last = NULL;
	unsigned int n = 0;
	u64 old;

	for (void *object = first; object; object = get_link(cache, object)) {
		last = object;
		n++;
	}
	c->freelist = NULL;
	set_active(c, NULL);
	if (n)
		free_remote(cache, slab, first, last, n);
	old = slab_state(slab);
	while (!(old & STATE_HEAD))
		if (change_state(cache, slab, &old, old & ~STATE_FROZEN))
			return;
	link_slab(list, slab);
}

void slub_flush_cpu(void *data)
{
	struct kmem_cache *cache = data;
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	struct page *list = c->partial;

	c->partial = NULL;
	c->nr_partial = 0;
	if (c->slab)
		deactivate(cache, c, &list);
	local_irq_restore(flags);
	unfreeze_slabs(cache, list, true);
}

#define SHRINK_BUCKETS	32

/*
 * Gives the empty slabs of a node back but for @keep, and sorts the others, fullest first: those
 * are used up soon, and the last ones have a chance to become empty. Pages given back.
 */
static unsigned int shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node,
				unsigned long keep)
{
	struct list_head sorted[SHRINK_BUCKETS];
	struct page *slab, *next, *empty = NULL;
	unsigned long flags = local_irq_save();

	for (unsigned int i = 0; i < SHRINK_BUCKETS; i++)
		INIT_LIST_HEAD(&sorted[i]);
	lock_node(cache, node);
	list_for_each_entry_safe(slab, next, &node->partial, slab_list) {
		unsigned int inuse = state_inuse(slab_state(slab));
		unsigned int spare = slab_objects(slab) - inuse;

		if (inuse == 0 && node->nr_partial > keep) {
			remove_partial(node, slab);
			link_slab(&empty, slab);
		} else {
			list_move_tail(&slab->slab_list, &sorted[min(spare, SHRINK_BUCKETS - 1U)]);
		}
	}
	for (unsigned int i = SHRINK_BUCKETS; i-- > 0; )
		list_splice_init(&sorted[i], &node->partial);
	spin_unlock_raw(&node->list_lock);
	local_irq_restore(flags);
	return discard_slabs(cache, empty);
}

int cache_shrink(struct kmem_cache *cache)
{
	int pages = 0;

	smp_call(cpu_online_mask, slub_flush_cpu, cache);
	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		pages += shrink_node(cache, &slub_of(cache)->node[nid], 0);
	return pages;
}

int cache_reap(struct kmem_cache *cache)
{
	int pages = 0;

	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		pages += shrink_node(cache, &slub_of(cache)->node[nid], 1);
	return pages;
}
