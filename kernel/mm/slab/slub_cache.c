/*
 * SLUB: many objects at once; caches from their beginning to their end, and what can be asked about
 * them. How SLUB works is in slub.c.
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "base/random.h"
#include "lib/errno.h"
#include "lib/string.h"

/* A CPU's share of all caches lies together: two caches never cost it more than their own lines. */
#define SLUB_MAX_CACHES	256
static DEFINE_PER_CPU(struct kmem_cache_cpu [SLUB_MAX_CACHES], cpu_slabs);
static unsigned long slots_used[SLUB_MAX_CACHES / 64];
static DEFINE_SPINLOCK(slots_lock);

const bool cache_merge_default = true;

/* ---- many at once ------------------------------------------------------------------------- */

int cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objects)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
	void *list = c->freelist;
	size_t i;

	for (i = 0; i < n; i++) {
		if (unlikely(!list)) {
			c->freelist = NULL;
			if (is_debugged(cache))
				break;
			c = slub_refill(cache, gfp, &flags);
			if (!c)
				break;
			list = c->freelist;
		}
		objects[i] = list;
		list = get_link(cache, list);
	}
	if (c)
		c->freelist = list;
	local_irq_restore(flags);
	if (is_debugged(cache))
		while (i < n && (objects[i] = cache_alloc(cache, gfp & ~__GFP_ZERO)))
			i++;
	if (unlikely(i < n)) {
		cache_free_bulk(cache, i, objects);
		return 0;
	}
	if (unlikely(gfp & __GFP_ZERO))
		for (i = 0; i < n; i++)
			memset(objects[i], 0, cache->object_size);
	return n;
}

/* Links and frees those of objects[0 … n-1] that are, one after the other, in @page's slab. */
static size_t free_run(struct kmem_cache *cache, struct page *page, size_t n, void **objects)
{
	struct page *slab = page->slab_mem;
	unsigned long base = (unsigned long)page_address(slab);
	unsigned long bytes = PAGE_SIZE << slab_order(slab);
	void *last = objects[0], *first = last;
	size_t i;

	for (i = 1; i < n && (unsigned long)objects[i] - base < bytes; i++) {
		set_link(cache, objects[i], first);
		first = objects[i];
	}
	slub_free_linked(cache, slab, first, last, i);
	return i;
}

void cache_free_bulk(struct kmem_cache *cache, size_t n, void **objects)
{
	size_t i = 0;

	while (i < n) {
		unsigned long flags = local_irq_save();
		struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(cache)->cpu_slab);
		unsigned long base = c->base, bytes = c->bytes;
		void *list = c->freelist;
		struct page *page;

		for (; i < n && (unsigned long)objects[i] - base < bytes; i++) {
			set_link(cache, objects[i], list);
			list = objects[i];
		}
		c->freelist = list;
		local_irq_restore(flags);
		if (i == n)
			return;
		page = object_page(objects[i]);
		if (unlikely(!page || !page_is_of_cache(page, cache)) || is_debugged(cache))
			kmem_cache_free(cache, objects[i++]);
		else
			i += free_run(cache, page, n - i, objects + i);
	}
}

/* ---- a cache's beginning and end ---------------------------------------------------------- */

static int take_slot(struct slub *s)
{
	unsigned long flags;
	int err = -ENOSPC;

	spin_lock_irqsave(&slots_lock, flags);
	for (unsigned int slot = 0; slot < SLUB_MAX_CACHES && err; slot++) {
		if (slots_used[slot / 64] & BIT(slot % 64))
			continue;
		slots_used[slot / 64] |= BIT(slot % 64);
		s->cpu_slab = &cpu_slabs[slot];
		err = 0;
	}
	spin_unlock_irqrestore(&slots_lock, flags);
	for (unsigned int cpu = 0; !err && cpu < nr_cpus; cpu++)
		memset(per_cpu_ptr(s->cpu_slab, cpu), 0, sizeof(*s->cpu_slab));
	return err;
}

static void return_slot(struct slub *s)
{
	unsigned int slot = s->cpu_slab - cpu_slabs;
	unsigned long flags;

	spin_lock_irqsave(&slots_lock, flags);
	slots_used[slot / 64] &= ~BIT(slot % 64);
	spin_unlock_irqrestore(&slots_lock, flags);
}

#define SLUB_MIN_OBJECTS 8

/*
 * The smallest order that leaves little over and holds enough objects that the slow path is rare:
 * at first a sixteenth is little and 8 are enough, then less is asked for.
 */
static unsigned int best_order(size_t size, unsigned int min_order)
{
	for (unsigned int objects = SLUB_MIN_OBJECTS; objects; objects /= 2)
		for (unsigned int fraction = 16; fraction >= 4; fraction /= 2)
			for (unsigned int order = min_order; order <= SLUB_MAX_ORDER; order++) {
				size_t bytes = PAGE_SIZE << order;

				if (bytes / size >= objects && bytes % size <= bytes / fraction)
					return order;
			}
	return min_order;
}

int cache_setup(struct kmem_cache *cache)
{
	struct slub *s = slub_of(cache);
	unsigned int slab_size;

	cache->flags |= slub_debug_flags(cache->name);
	slub_layout(cache);
	while ((1UL << PAGE_SHIFT << s->min_order) < cache->size)
		s->min_order++;
	if (s->min_order > SLUB_MAX_ORDER)
		return -EINVAL;
	s->order = best_order(cache->size, s->min_order);
	slab_size = PAGE_SIZE << s->order;
	s->min_partial = clamp(ilog2(cache->size) / 2, 5, 10);
	s->cpu_partial = clamp(0x10000U / slab_size, 2U, 16U);
	s->random = random_u64();
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		spin_lock_init(&s->node[nid].list_lock);
		INIT_LIST_HEAD(&s->node[nid].partial);
	}
	return take_slot(s);
}

int cache_setup_late(struct kmem_cache *cache)
{
	(void)cache;
	return 0;
}

int cache_release(struct kmem_cache *cache)
{
	struct slub *s = slub_of(cache);

	cache_shrink(cache);
	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		if (atomic_read(&s->node[nid].nr_slabs))
			return -EBUSY;
	return_slot(s);
	return 0;
}

/* ---- questions ---------------------------------------------------------------------------- */

struct count_arg {
	struct kmem_cache *cache;
	atomic_long_t spare;
};

/* Runs on each CPU: objects that are free, in its slabs. */
static void count_cpu(void *data)
{
	struct count_arg *arg = data;
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *c = this_cpu_ptr(slub_of(arg->cache)->cpu_slab);
	long spare = 0;

	for (void *object = c->freelist; object; object = get_link(arg->cache, object))
		spare++;
	if (c->slab)
		spare += slab_objects(c->slab) - state_inuse(slab_state(c->slab));
	for (struct page *slab = c->partial; slab; slab = (struct page *)slab->slab_list.next)
		spare += slab_objects(slab) - state_inuse(slab_state(slab));
	local_irq_restore(flags);
	atomic_add(spare, &arg->spare);
}

void cache_stats(struct kmem_cache *cache, struct slab_stats *stats)
{
	struct count_arg arg = { .cache = cache };
	struct slub *s = slub_of(cache);
	long spare;

	*stats = (struct slab_stats){
		.objects_per_slab = (PAGE_SIZE << s->order) / cache->size,
		.pages_per_slab = 1U << s->order,
	};
	smp_call(cpu_online_mask, count_cpu, &arg);
	spare = atomic_read(&arg.spare);
	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		struct kmem_cache_node *node = &s->node[nid];
		unsigned long flags = local_irq_save();
		struct page *slab;

		spin_lock_raw(&node->list_lock);
		list_for_each_entry(slab, &node->partial, slab_list)
			spare += slab_objects(slab) - state_inuse(slab_state(slab));
		spin_unlock_raw(&node->list_lock);
		local_irq_restore(flags);
		stats->total_slabs += atomic_read(&node->nr_slabs);
		stats->total_objects += atomic_read(&node->nr_objects);
	}
	/* The parts were counted one after the other. */
	stats->active_objects = max((long)stats->total_objects - spare, 0L);
	stats->active_slabs = stats->total_slabs;
}

int cache_tune(struct kmem_cache *cache, const char *key, unsigned long value)
{
	if (value > 1000)
		return -EINVAL;
	if (!strcmp(key, "min_partial"))
		slub_of(cache)->min_partial = value;
	else if (!strcmp(key, "cpu_partial"))
		slub_of(cache)->cpu_partial = value;
	else
		return -ENOENT;
	return 0;
}

size_t cache_usable_size(const struct kmem_cache *cache, const struct page *page,
			 const void *object)
{
	(void)page;
	(void)object;
	return cache->object_size;
}
