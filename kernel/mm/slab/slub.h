/* SLUB's inside: between slub.c and slub_debug.c, and for tests that watch it at work. */
#pragma once

#include "mm/slab/backend.h"
#include "base/percpu.h"
#include "lib/bitops.h"

/* Debug options, a cache's own or from slub_debug= on the command line (letter in brackets). */
#define SLAB_CONSISTENCY_CHECKS	BIT(16)	/* [F] is what is freed an object, and in use? */
#define SLAB_RED_ZONE		BIT(17)	/* [Z] filled zones before and behind each object */
#define SLAB_POISON		BIT(18)	/* [P] free objects are filled, and looked at when used */
#define SLAB_STORE_USER		BIT(19)	/* [U] who allocated and who freed it last */
#define SLUB_DEBUG_FLAGS	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | \
				 SLAB_STORE_USER)

/* ---- the state word ----------------------------------------------------------------------- */

/* page->slab_state of a slab's first page; slub.c tells who may change what. */
#define STATE_HEAD	0x000000000000ffffUL	/* first free object: (offset in slab) / 8 + 1, 0: none */
#define STATE_INUSE	0x00000000ffff0000UL	/* objects that are not on the slab's list */
#define STATE_FROZEN	0x0000000100000000UL	/* some CPU's own */
#define STATE_GENERATION 0xfffffffe00000000UL	/* raised by each change */
#define INUSE_ONE	0x0000000000010000UL
#define GENERATION_ONE	0x0000000200000000UL

static __always_inline unsigned int state_inuse(u64 state)
{
	return (state & STATE_INUSE) / INUSE_ONE;
}

static __always_inline void *state_head(u64 state, const void *base)
{
	return state & STATE_HEAD ? (char *)base - 8 + (state & STATE_HEAD) * 8 : NULL;
}

static __always_inline u64 head_of(const void *object, const void *base)
{
	return object ? ((unsigned long)object - (unsigned long)base) / 8 + 1 : 0;
}

static __always_inline u64 slab_state(const struct page *slab)
{
	return __atomic_load_n(&slab->slab_state, __ATOMIC_ACQUIRE);
}

/* ---- a cache ------------------------------------------------------------------------------ */

/* What a CPU has of a cache. Only that CPU touches it, with interrupts off. */
struct kmem_cache_cpu {
	void *freelist;			/* the object it hands out next; NULL: none */
	void *base;			/* first byte of the active slab; NULL: there is none */
	unsigned long bytes;		/* its length, 0 without one */
	struct page *partial;		/* more slabs of its own, linked by slab_list.next */
	unsigned int nr_partial;
	/* Statistics, of the slow paths: whole counts for who measures. */
	unsigned int slow_allocs, slow_frees;
	unsigned int locks;		/* list locks taken */
	unsigned int shared_writes;	/* atomic changes of a state word */
	unsigned int misses;		/* of those, the ones that had to be tried again */
} __aligned(64);

struct kmem_cache_node {
	spinlock_t list_lock;		/* irq-safe */
	struct list_head partial;	/* slabs that are nobody's and have free objects */
	unsigned long nr_partial;
	atomic_long_t nr_slabs, nr_objects;	/* all of the node's, free objects included */
};

/* cache->private */
struct slub {
	struct kmem_cache_cpu *cpu_slab;	/* a per-CPU variable */
	unsigned int offset;		/* of the link in a free object */
	unsigned int inuse;		/* end of the object and its right red zone */
	unsigned int red_left;		/* bytes in front of the object */
	unsigned int track;		/* offset of two struct tracks from the object */
	unsigned int order, min_order;	/* of slabs: when there is memory, and when it is short */
	unsigned int min_partial;	/* slabs that a node keeps even if they are empty */
	unsigned int cpu_partial;	/* slabs that a CPU keeps beside its active one */
	unsigned long random;		/* hardening */
	struct kmem_cache_node node[MAX_NUMNODES];
};
BUILD_BUG_ON(sizeof(struct slub) > KMEM_CACHE_PRIVATE);

static __always_inline struct slub *slub_of(struct kmem_cache *cache)
{
	return (struct slub *)cache->private;
}

static __always_inline bool is_debugged(const struct kmem_cache *cache)
{
	return cache->flags & SLUB_DEBUG_FLAGS;
}

/* ---- a slab ------------------------------------------------------------------------------- */

/*
 * Each page of a slab has slab_mem = the slab's first byte. The first one has beside that
 * slab_state, slab_list, and aux = number of objects | order << AUX_ORDER.
 */
#define AUX_ORDER	16

static inline unsigned int slab_objects(const struct page *slab)
{
	return slab->aux & (BIT(AUX_ORDER) - 1);
}

static inline unsigned int slab_order(const struct page *slab)
{
	return slab->aux >> AUX_ORDER;
}

static inline struct kmem_cache_node *slab_node(struct kmem_cache *cache, const struct page *slab)
{
	return &slub_of(cache)->node[slab->flags >> PAGE_NODE_SHIFT];
}

/* Is @object where an object of @slab begins? */
static inline bool is_object(struct kmem_cache *cache, const struct page *slab, const void *object)
{
	unsigned long at = (unsigned long)object - (unsigned long)slab->slab_mem -
			   slub_of(cache)->red_left;

	return at / cache->size < slab_objects(slab) && at % cache->size == 0;
}

/*
 * The link to the next free object lies in the free object. With CONFIG_SLUB_HARDENED it is mixed
 * with a number of the cache's and the place where it lies, so that one who can write into a free
 * object, but knows neither, cannot make the next allocation return an address of his choice.
 */
static __always_inline void *mix_link(struct kmem_cache *cache, void *next, void **place)
{
#ifdef CONFIG_SLUB_HARDENED
	return (void *)((unsigned long)next ^ slub_of(cache)->random ^
			__builtin_bswap64((unsigned long)place));
#else
	(void)cache;
	(void)place;
	return next;
#endif
}

static __always_inline void *get_link(struct kmem_cache *cache, void *object)
{
	void **place = (void **)((char *)object + slub_of(cache)->offset);

	return mix_link(cache, *place, place);
}

static __always_inline void set_link(struct kmem_cache *cache, void *object, void *next)
{
	void **place = (void **)((char *)object + slub_of(cache)->offset);

	*place = mix_link(cache, next, place);
}

/* ---- slub_debug.c ------------------------------------------------------------------------- */

/* The options that slub_debug= gives to a cache called @name. */
slab_flags_t slub_debug_flags(const char *name);
/* How large an object is with what the options put around it; fills in the offsets. */
void slub_layout(struct kmem_cache *cache);
/* All objects of a new slab become free ones as the options want them. */
void slub_debug_init_slab(struct kmem_cache *cache, struct page *slab);
/* @object is taken from the list for @caller; false: it was reported, do not hand it out. */
bool slub_debug_alloc(struct kmem_cache *cache, struct page *slab, void *object, gfp_t gfp,
		      void *caller);
/* @caller frees @object; false: it was reported, leave it alone. Node's list_lock held. */
bool slub_debug_free(struct kmem_cache *cache, struct page *slab, void *object, void *caller);
