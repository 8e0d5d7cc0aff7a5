/* The slow side of a spinlock: wait, and say so when the wait cannot be right. */
#include "base/spinlock.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "base/smp.h"

#define SPINS_PER_LOOK	(1U << 16)
#define STUCK_NS	10000000000UL

/*
 * Test before test-and-set: waiters read their own cached copy until the holder writes. The word
 * says nothing of an order among waiters; with short sections that has not been worth a queue.
 */
void spin_lock_slow(spinlock_t *lock)
{
	unsigned int spins = 0, me = smp_processor_id() + 1;
	u64 start = 0;

	if (READ_ONCE(lock->holder) == me)	/* only this CPU writes its own number */
		panic("spinlock %ps is taken again by its holder", (void *)lock);
	do {
		while (READ_ONCE(lock->locked)) {
			cpu_relax();
			if (++spins % SPINS_PER_LOOK)
				continue;
			if (panic_in_progress())
				smp_stop_self();	/* deaf to the IPI if interrupts are off */
			if (!start)
				start = arch_clock_ns();
			if (arch_clock_ns() - start < STUCK_NS)
				continue;
			pr_emerg("spinlock %p: CPU %u waits for 10 s, held by CPU %d\n",
				 (void *)lock, me - 1, (int)READ_ONCE(lock->holder) - 1);
			dump_stack();
			start = arch_clock_ns();
		}
	} while (!raw_spin_trylock(lock));
}
