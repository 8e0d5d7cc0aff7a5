/*
 * Atomic operations of the code under test, seen one by one.
 *
 * A file can lock, and write what others read, in instructions of its own: no call tells the harness.
 * So where lab.toml says count_atomics the files under test are compiled for a machine that has no such
 * instructions, as far as the compiler knows: RISC-V without the A extension, ARMv8.0 with its atomics out
 * of line. All that reads, changes and writes in one step is then a call, under a name that the compilers
 * agree on, to a function of this file. It does what it was asked to, counts, and lets other CPUs in, before
 * and after, while several CPUs run a test: that is where races begin.
 *
 * What lies in this CPU's own data is not shared, and not counted. The host has none of this: threads
 * interleave there anyway, and nothing is counted.
 */
#include "test/ktest/ktest.h"
#include "base/percpu.h"

unsigned long ktest_atomics;

#ifndef CONFIG_ARCH_HOST

/* Else an operation is to cost little more than the instruction that it stands for. */
#define before() do {								\
	if (unlikely(ktest_interleaved))					\
		ktest_let_others_in();						\
	} while (0)
#define after(p) do {								\
	if (unlikely(ktest_interleaved))					\
		count(p);							\
	} while (0)

static noinline void count(const volatile void *p)
{
	unsigned long own = (unsigned long)p - current_head()->percpu_base;

	if (own < (unsigned long)__per_cpu_start || own >= (unsigned long)__per_cpu_end)
		__atomic_fetch_add(&ktest_atomics, 1, __ATOMIC_RELAXED);
	ktest_let_others_in();
}

/* A name of the compiler's, which C has no other way to give to a function. */
#define NAMED(type, name, ...)							\
type seen_##name(__VA_ARGS__) __asm__(#name);					\
type seen_##name(__VA_ARGS__)

/* The old value; whatever order was asked for, this is at least that. */
#define RMW(type, builtin, p, v) ({						\
	type _old;								\
	before();								\
	_old = builtin((volatile type *)(p), v, __ATOMIC_SEQ_CST);		\
	after(p);								\
	_old; })

#define CAS(type, p, expected, new) ({						\
	bool _done;								\
	before();								\
	_done = __atomic_compare_exchange_n((volatile type *)(p), expected, new, false,	\
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
	after(p);								\
	_done; })

/* ---- RISC-V: __atomic_fetch_add_8(p, value, order), and the older __sync_fetch_and_add_8(p, value) ---- */

#define OP(op, size, type)							\
NAMED(type, __atomic_fetch_##op##_##size, volatile void *p, type v, int order)	\
{										\
	(void)order;								\
	return RMW(type, __atomic_fetch_##op, p, v);				\
}										\
NAMED(type, __sync_fetch_and_##op##_##size, volatile void *p, type v)		\
{										\
	return RMW(type, __atomic_fetch_##op, p, v);				\
}										\
NAMED(type, __sync_##op##_and_fetch_##size, volatile void *p, type v)		\
{										\
	before();								\
	v = __atomic_##op##_fetch((volatile type *)p, v, __ATOMIC_SEQ_CST);	\
	after(p);								\
	return v;								\
}

#define SIZE(size, type)							\
OP(add, size, type)								\
OP(sub, size, type)								\
OP(and, size, type)								\
OP(or, size, type)								\
OP(xor, size, type)								\
OP(nand, size, type)								\
NAMED(type, __atomic_exchange_##size, volatile void *p, type v, int order)	\
{										\
	(void)order;								\
	return RMW(type, __atomic_exchange_n, p, v);				\
}										\
NAMED(bool, __atomic_compare_exchange_##size, volatile void *p, void *expected, type v,	\
      int good, int bad)							\
{										\
	(void)good, (void)bad;							\
	return CAS(type, p, (type *)expected, v);				\
}										\
NAMED(type, __sync_lock_test_and_set_##size, volatile void *p, type v)		\
{										\
	return RMW(type, __atomic_exchange_n, p, v);				\
}										\
NAMED(bool, __sync_bool_compare_and_swap_##size, volatile void *p, type old, type v)	\
{										\
	return CAS(type, p, &old, v);						\
}										\
NAMED(type, __sync_val_compare_and_swap_##size, volatile void *p, type old, type v)	\
{										\
	(void)CAS(type, p, &old, v);						\
	return old;								\
}										\
NAMED(type, __atomic_load_##size, const volatile void *p, int order)		\
{										\
	(void)order;								\
	return __atomic_load_n((const volatile type *)p, __ATOMIC_SEQ_CST);	\
}										\
NAMED(void, __atomic_store_##size, volatile void *p, type v, int order)		\
{										\
	(void)order;								\
	__atomic_store_n((volatile type *)p, v, __ATOMIC_SEQ_CST);		\
}

SIZE(1, u8)
SIZE(2, u16)
SIZE(4, u32)
SIZE(8, u64)

/* ---- ARM64: __aarch64_ldadd8_acq_rel(value, p) ------------------------------------------------------- */

#define LSE_ORDER(size, type, order)						\
NAMED(type, __aarch64_cas##size##_##order, type old, type v, volatile void *p)	\
{										\
	(void)CAS(type, p, &old, v);						\
	return old;								\
}										\
NAMED(type, __aarch64_swp##size##_##order, type v, volatile void *p)		\
{										\
	return RMW(type, __atomic_exchange_n, p, v);				\
}										\
NAMED(type, __aarch64_ldadd##size##_##order, type v, volatile void *p)		\
{										\
	return RMW(type, __atomic_fetch_add, p, v);				\
}										\
NAMED(type, __aarch64_ldclr##size##_##order, type v, volatile void *p)		\
{										\
	return RMW(type, __atomic_fetch_and, p, (type)~v);			\
}										\
NAMED(type, __aarch64_ldeor##size##_##order, type v, volatile void *p)		\
{										\
	return RMW(type, __atomic_fetch_xor, p, v);				\
}										\
NAMED(type, __aarch64_ldset##size##_##order, type v, volatile void *p)		\
{										\
	return RMW(type, __atomic_fetch_or, p, v);				\
}

#define LSE(size, type)								\
LSE_ORDER(size, type, relax)							\
LSE_ORDER(size, type, acq)							\
LSE_ORDER(size, type, rel)							\
LSE_ORDER(size, type, acq_rel)

LSE(1, u8)
LSE(2, u16)
LSE(4, u32)
LSE(8, u64)

#endif
