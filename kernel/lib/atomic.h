/*
 * Atomic operations over the compiler's builtins: the same source on every architecture,
 * a single instruction (AMO, LSE) on each. All read-modify-writes are fully ordered unless
 * the name says _relaxed, _acquire or _release, as in Linux.
 */
#pragma once

#include "lib/compiler.h"

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

#define ATOMIC_INIT(i)	{ (i) }

#define atomic_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_set(v, i)	__atomic_store_n(&(v)->counter, (i), __ATOMIC_RELAXED)
#define atomic_set_release(v, i) __atomic_store_n(&(v)->counter, (i), __ATOMIC_RELEASE)
#define atomic_add_return(i, v)	__atomic_add_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_sub_return(i, v)	__atomic_sub_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_fetch_add(i, v)	__atomic_fetch_add(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_fetch_or(i, v)	__atomic_fetch_or(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(i, v)	__atomic_fetch_and(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_add(i, v)	((void)atomic_add_return(i, v))
#define atomic_sub(i, v)	((void)atomic_sub_return(i, v))
#define atomic_inc(v)		atomic_add(1, v)
#define atomic_dec(v)		atomic_sub(1, v)
#define atomic_inc_return(v)	atomic_add_return(1, v)
#define atomic_dec_return(v)	atomic_sub_return(1, v)
#define atomic_dec_and_test(v)	(atomic_sub_return(1, v) == 0)
#define atomic_xchg(v, n)	__atomic_exchange_n(&(v)->counter, (n), __ATOMIC_SEQ_CST)
/*
 * True and stored when *v was *old; else *old becomes what was seen. (The order on failure is as strong as
 * on success, because gcc 12 for RISC-V leaves out the release if it is weaker.)
 */
#define atomic_try_cmpxchg(v, old, n) __atomic_compare_exchange_n(&(v)->counter, (old), (n), \
	false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Takes a reference unless there is none left; true on success. */
#define atomic_inc_not_zero(v) ({					\
	__typeof__((v)->counter) _old = atomic_read(v);			\
	while (_old && !atomic_try_cmpxchg(v, &_old, _old + 1))		\
		;							\
	_old != 0; })

/* Bits in an unsigned long that several CPUs change. */
static inline void set_bit(unsigned long nr, unsigned long *word)
{
	__atomic_fetch_or(&word[nr / 64], 1UL << (nr % 64), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned long nr, unsigned long *word)
{
	__atomic_fetch_and(&word[nr / 64], ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST);
}

static inline bool test_bit(unsigned long nr, const unsigned long *word)
{
	return (__atomic_load_n(&word[nr / 64], __ATOMIC_RELAXED) >> (nr % 64)) & 1;
}

static inline bool test_and_set_bit(unsigned long nr, unsigned long *word)
{
	return (__atomic_fetch_or(&word[nr / 64], 1UL << (nr % 64), __ATOMIC_SEQ_CST)
		>> (nr % 64)) & 1;
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *word)
{
	return (__atomic_fetch_and(&word[nr / 64], ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST)
		>> (nr % 64)) & 1;
}

#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define xchg(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
/* Returns what *p held; stored @n only if that equals @old. */
#define cmpxchg(p, old, n) ({						\
	__typeof__(*(p)) _o = (old);					\
	__atomic_compare_exchange_n((p), &_o, (n), false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	_o; })
