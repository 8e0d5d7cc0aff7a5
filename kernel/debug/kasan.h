/*
 * KASAN=1: the address sanitizer of the kernel. See kasan.c for the idea; mm/vm/kasan_map.c gives the
 * shadow its memory, mm/slab/kasan_slab.c knows the objects.
 */
#pragma once

#include "lib/sanitize.h"
#include "lib/compiler.h"
#include "arch/thread_head.h"
#include "asm/current.h"

/* What a shadow byte says: 0 all eight bytes may be used, 1-7 the first so many, else none, because: */
#define KASAN_PAGE_FREE		0xff	/* page allocator: a free page */
#define KASAN_PAGE_REDZONE	0xfe	/* the end of a large kmalloc() */
#define KASAN_SLAB_REDZONE	0xfc	/* between objects, and behind what was asked for */
#define KASAN_SLAB_FREE		0xfb	/* a freed object */
#define KASAN_GLOBAL_REDZONE	0xf9	/* these are the compiler's */
#define KASAN_USE_AFTER_SCOPE	0xf8
#define KASAN_STACK_LEFT	0xf1
#define KASAN_STACK_MID		0xf2
#define KASAN_STACK_RIGHT	0xf3
#define KASAN_STACK_PARTIAL	0xf4

#define KASAN_GRANULE		8UL

#ifdef CONFIG_KASAN
/*
 * Marks [p, p + size) as not to be used; both multiples of 8. kasan_unpoison(): may be used, any size.
 * Any context.
 */
void kasan_poison(const void *p, size_t size, u8 value);
void kasan_unpoison(const void *p, size_t size);
u8 kasan_shadow_of(const void *p);
/*
 * Begins a report: "BUG: KASAN: what" and the call chain. False: none is wanted (another one runs, or
 * one was given already); then kasan_report_end() must not be called.
 */
bool kasan_report_begin(const char *what, unsigned long ip);
void kasan_report_end(const void *addr);
/* For the report: who owns @addr? Registered by mm/slab. */
extern void (*kasan_describe_hook)(const void *addr);

/* Between these two the current thread, on whatever CPU, is not checked: an allocator at work on free memory.
 * They nest. */
static inline void kasan_off(void)
{
	current_head()->kasan_off++;
}
static inline void kasan_on(void)
{
	current_head()->kasan_off--;
}
void kasan_early_init(void);		/* head.S: before the first line of C that is checked */
void kasan_map_shadow(void);		/* mm/vm: shadow for all RAM, in the tables to come */
void kasan_seal_shared(void);		/* mm/vm: the tables are in use */
void kasan_init(void);			/* checks begin; boot CPU */
/* The end of what vmalloc() ever mapped: above it there is no shadow. Set by mm/vm. */
extern unsigned long kasan_vmalloc_end;
/* Gives the vmalloc range its shadow, all usable; -1: no memory. vmap_lock not held. */
int kasan_vmalloc(unsigned long start, size_t size);
#else
/* Nothing is evaluated: where pages have no address, as in a lab's world, none is asked for. */
#define kasan_poison(p, size, value)	((void)sizeof(p), (void)(value))
#define kasan_unpoison(p, size)		((void)sizeof(p))
static inline void kasan_map_shadow(void) { }
static inline void kasan_seal_shared(void) { }
static inline void kasan_init(void) { }
static inline int kasan_vmalloc(unsigned long start, size_t size)
{
	(void)start; (void)size;
	return 0;
}
#endif
