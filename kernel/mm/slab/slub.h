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
#define STATE_HEAD	0x000000000000ffffUL	/* first free object: its place | 1; 0: none */
#define STATE_INUSE	0x000000007fff0000UL	/* objects that are not on the slab's list */
#define STATE_FROZEN	0x0000000080000000UL	/* some CPU's own */
#define STATE_GENERATION 0xffffffff00000000UL	/* raised by each change */
#define INUSE_ONE	0x0000000000010000UL
#define GENERATION_ONE	0x0000000100000000UL

/*
 * A slab is at most 8 pages, and aligned to its size: all its objects lie in one aligned window of
 * 32 KiB. So the low 15 bits of its address are an object's index in the slab, without a division,
 * and with the address of any other of the slab's objects they give its address.
 */
#define SLUB_MAX_ORDER	3
#define SLUB_WINDOW	((unsigned long)PAGE_SIZE << SLUB_MAX_ORDER)

static __always_inline bool is_frozen(u64 state)
{
	return (s32)state < 0;		/* STATE_FROZEN, tested cheaply */
}

static __always_inline unsigned int state_inuse(u64 state)
{
	return (state & STATE_INUSE) / INUSE_ONE;
}

/* The first free object of the slab in which @near lies, or NULL. */
static __always_inline void *state_head(u64 state, const void *near)
{
	if (!(state & STATE_HEAD))
		return NULL;
	return (void *)(((unsigned long)near & ~(SLUB_WINDOW - 1)) + (state & STATE_HEAD) - 1);
}

static __always_inline u64 head_of(const void *object)
{
	return ((unsigned long)object & (SLUB_WINDOW - 1)) | 1;
}

static __always_inline u64 slab_state(const struct page *slab)
{
	return __atomic_load_n(&slab->slab_state, __ATOMIC_ACQUIRE);
}

/* ---- a cache ------------------------------------------------------------------------------ */

/* With SLUB_STATS=1 each CPU counts, for each cache, what is not on the fast path. */
enum slub_stat {
	SLOW_ALLOC, SLOW_FREE,
	LIST_LOCK,			/* list locks taken */
	STATE_CHANGE,			/* atomic writes to a state word */
	STATE_MISS,			/* of those, the ones that somebody came before */
	NR_SLUB_STATS
};

/* What a CPU has of a cache. Only that CPU touches it, with interrupts off. */
struct kmem_cache_cpu {
	void *freelist;			/* the object it hands out next; NULL: none */
	struct page *slab;		/* the active slab; NULL: there is none */
	unsigned long base, bytes;	/* where its objects are; 0, 0 without one */
	struct page *partial;		/* more slabs of its own, linked by slab_list.next */
	unsigned int nr_partial;
#ifdef CONFIG_SLUB_STATS
	unsigned long stat[NR_SLUB_STATS];
#endif
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

/* For the compiler's sake: one known distance from the cache to each field. */
struct slub_cache {
	char head[offsetof(struct kmem_cache, private)];
	struct slub slub;
};
#define slub_of(cache)	(&((struct slub_cache *)(cache))->slub)

static __always_inline bool is_debugged(const struct kmem_cache *cache)
{
	return cache->flags & SLUB_DEBUG_FLAGS;
}

#ifdef CONFIG_SLUB_STATS
/* One may be lost when the thread is moved. */
#define count(cache, what) (this_cpu_ptr(slub_of(cache)->cpu_slab)->stat[what]++)
#else
#define count(cache, what) ((void)(cache))
#endif

/* ---- a slab ------------------------------------------------------------------------------- */

/*
 * Each page of a slab has slab_mem = the slab's first page. That one has beside it slab_state,
 * slab_list, and aux = number of objects | order << AUX_ORDER.
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
	unsigned long at = (unsigned long)object - (unsigned long)page_address(slab) -
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

/* ---- slub.c: beside what backend.h asks for ----------------------------------------------- */

/* Interrupts off, which were as @flags says: a filled c->freelist of whatever CPU this is now, or
 * NULL, no memory. Interrupts are on in between if @flags and @gfp let them. */
struct kmem_cache_cpu *slub_refill(struct kmem_cache *cache, gfp_t gfp, unsigned long *flags);
/* Frees @n objects of one slab, linked from @first to @last. Any context. */
void slub_free_linked(struct kmem_cache *cache, struct page *slab, void *first, void *last,
		      unsigned int n);
/* Runs on the CPU that is to give its slabs of cache @data back to their nodes. */
void slub_flush_cpu(void *data);

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
