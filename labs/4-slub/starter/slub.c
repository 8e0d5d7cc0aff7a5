/*
 * SLUB: slabs without queues. The theory and the task are in the lab's README.md; the data are in
 * mm/slab/slub.h, what each function owes stands in mm/slab/backend.h and slab.h.
 *
 * Who may change what, in short:
 *
 *	c->freelist, slab, base, bytes, partial, nr_partial	their CPU, interrupts off; no lock, no atomics
 *	slab_state	anybody, with change_state(): the whole word, by compare-and-swap
 *	slab_list	of a slab that is not frozen: who holds its node's list_lock; slab_list.next of
 *			a frozen one: its CPU
 */
#include "mm/slab/slub.h"
#include "base/irq.h"
#include "base/panic.h"
#include "lib/string.h"

#define NOT_WRITTEN()	panic("lab 4: SLUB is not written yet (%s)", __func__)

/* ---- given: use them, or write your own ---------------------------------------------------- */

/* True if the word was @*old and is @new now, of a new generation; else @*old is what it is. */
static __always_inline __maybe_unused bool change_state(struct kmem_cache *cache, struct page *slab,
							u64 *old, u64 new)
{
	count(cache, STATE_CHANGE);
	if (likely(__atomic_compare_exchange_n(&slab->slab_state, old, new + GENERATION_ONE, false,
					       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
		return true;
	count(cache, STATE_MISS);
	return false;
}

/* Interrupts off. */
static __maybe_unused void lock_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	count(cache, LIST_LOCK);
	spin_lock_raw(&node->list_lock);
}

/* Slabs that are linked by slab_list.next: each frozen, the caller's own, on no list. */
static __maybe_unused struct page *next_slab(const struct page *slab)
{
	return (struct page *)slab->slab_list.next;
}

static __maybe_unused void link_slab(struct page **list, struct page *slab)
{
	slab->slab_list.next = (struct list_head *)*list;
	*list = slab;
}

/* The node to try after @tried others, @nid first; negative: none is left. */
static __maybe_unused int next_node(int nid, unsigned int tried, gfp_t gfp)
{
	if (tried >= nr_nodes || (tried && (gfp & __GFP_THISNODE)))
		return -1;
	nid += tried;
	return nid < (int)nr_nodes ? nid : nid - (int)nr_nodes;
}

/* ---- allocate ------------------------------------------------------------------------------ */

void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	(void)cache, (void)gfp;
	NOT_WRITTEN();
}

/* @nid negative or no node: anywhere. */
void *cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	(void)cache, (void)gfp, (void)nid;
	NOT_WRITTEN();
}

/* Interrupts off, which were as @flags says: this CPU's slabs with a filled freelist, or NULL, no memory.
 * Interrupts are on in between if @flags and @gfp let them. The bulk operations call it, too. */
struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags)
{
	(void)cache, (void)gfp, (void)flags;
	NOT_WRITTEN();
}

/* ---- free ---------------------------------------------------------------------------------- */

void cache_free(struct kmem_cache *cache, struct page *page, void *object)
{
	(void)cache, (void)page, (void)object;
	NOT_WRITTEN();
}

#ifndef CONFIG_KASAN		/* which has both of these in kasan_slab.c, in front of the rest */
/* kmem_cache_free_rest() knows what to do with an object that is not on the fast path. */
void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	(void)cache, (void)object;
	NOT_WRITTEN();
}

/* kfree_rest() likewise. */
void kfree(const void *object)
{
	(void)object;
	NOT_WRITTEN();
}
#endif

/* @n objects of one slab, linked from @first to @last. Any context. */
void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n)
{
	(void)cache, (void)slab, (void)first, (void)last, (void)n;
	NOT_WRITTEN();
}

/* ---- give back ----------------------------------------------------------------------------- */

/* Runs on the CPU that is to give its slabs of cache @data back to their nodes. */
void slub_flush_cpu(void *data)
{
	(void)data;
	NOT_WRITTEN();
}

int cache_shrink(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}

int cache_reap(struct kmem_cache *cache)
{
	(void)cache;
	NOT_WRITTEN();
}
