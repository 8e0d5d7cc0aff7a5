/*
 * Spinlocks. They know their holder; with DEBUG=1 a recursive take, a release by another CPU, a
 * wrong order (base/lockdep.c: the order is learnt as classes are taken one inside another) or an
 * irq-unsafe use are reported with both names and a backtrace, before they hang.
 *
 * spin_lock() disables preemption. A lock that an interrupt handler takes must be taken with
 * spin_lock_irqsave() everywhere else.
 */
#pragma once

#include "base/preempt.h"
#include "asm/barrier.h"
#include "lib/atomic.h"

struct lock_class;		/* one per initialisation site, base/lockdep.h */

typedef struct spinlock {
	u32 locked;
	u32 holder;		/* CPU + 1, 0: free */
#ifdef CONFIG_DEBUG
	struct lock_class *class;
#endif
} spinlock_t;

#ifdef CONFIG_DEBUG
struct lock_class {
	const char *name;
	u32 id;			/* 0: not seen yet */
	u32 flags;
};
void lockdep_check(struct lock_class *class);	/* about to take one: order, interrupts */
void lockdep_acquire(void *lock, struct lock_class *class, bool sleeping);	/* taken */
void lockdep_release(void *lock, struct lock_class *class);
void spin_lock_debug_before(spinlock_t *lock);	/* recursion; lockdep_check */
#define SPIN_LOCK_UNLOCKED(n) { 0, 0, &(struct lock_class){ .name = n } }
#define spin_lock_init(l) do { static struct lock_class _c = { .name = #l }; \
	(l)->locked = 0; (l)->holder = 0; (l)->class = &_c; } while (0)
#else
#define SPIN_LOCK_UNLOCKED(n) { 0, 0 }
#define spin_lock_init(l) do { (l)->locked = 0; (l)->holder = 0; } while (0)
#endif

/* A lock at file scope, ready for use. */
#define DEFINE_SPINLOCK(x) spinlock_t x = SPIN_LOCK_UNLOCKED(#x)

#ifdef CONFIG_WORLD
void ktest_sched_point(void);			/* test/ktest */
#endif

void spin_lock_slow(spinlock_t *lock);		/* contended: spin; long waits are reported */

static __always_inline bool raw_spin_trylock(spinlock_t *lock)
{
	return __atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) == 0;
}

static __always_inline void spin_lock_taken(spinlock_t *lock)
{
	lock->holder = current_head()->cpu + 1;
#ifdef CONFIG_DEBUG
	lockdep_acquire(lock, lock->class, false);
#endif
}

/* Interrupts are off, and stay so until spin_unlock_raw(): that is as good as no preemption. */
static __always_inline void spin_lock_raw(spinlock_t *lock)
{
#ifdef CONFIG_DEBUG
	spin_lock_debug_before(lock);
#endif
	if (unlikely(!raw_spin_trylock(lock)))
		spin_lock_slow(lock);
	spin_lock_taken(lock);
}

static __always_inline void spin_lock(spinlock_t *lock)
{
	preempt_disable();
	spin_lock_raw(lock);
}

/* True if taken. */
static __always_inline bool spin_trylock(spinlock_t *lock)
{
	preempt_disable();
	if (!raw_spin_trylock(lock)) {
		preempt_enable();
		return false;
	}
	spin_lock_taken(lock);
	return true;
}

static __always_inline void spin_unlock_raw(spinlock_t *lock)
{
#ifdef CONFIG_DEBUG
	lockdep_release(lock, lock->class);
#endif
	lock->holder = 0;
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
#ifdef CONFIG_WORLD
	ktest_sched_point();	/* code under test: here another CPU may come in, so let it */
#endif
}

static __always_inline void spin_unlock(spinlock_t *lock)
{
	spin_unlock_raw(lock);
	preempt_enable();
}

#define spin_lock_irqsave(lock, flags) do { (flags) = local_irq_save(); spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) do { spin_unlock_raw(lock); \
	local_irq_restore(flags); preempt_enable(); } while (0)
#define spin_lock_irq(lock)	do { local_irq_disable(); spin_lock(lock); } while (0)
#define spin_unlock_irq(lock)	do { spin_unlock_raw(lock); local_irq_enable(); \
	preempt_enable(); } while (0)

/* Does this CPU hold it? For assertions. */
static inline bool spin_is_held(const spinlock_t *lock)
{
	return READ_ONCE(lock->holder) == current_head()->cpu + 1;
}
#define assert_spin_held(lock) BUG_ON(!spin_is_held(lock))
