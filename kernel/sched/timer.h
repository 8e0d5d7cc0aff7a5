/* Timers: a function called once, at or after a point of time, from the timer interrupt. */
#pragma once

#include "arch/arch.h"
#include "base/spinlock.h"
#include "lib/rbtree.h"

#define NSEC_PER_SEC	1000000000UL
#define NSEC_PER_MSEC	1000000UL
#define HZ		100		/* slices a second of a CPU that several threads share */

struct timer {
	struct rb_node node;
	u64 expires_ns;
	void (*fn)(struct timer *timer);	/* interrupts off; may re-arm, may not sleep */
	unsigned int cpu;			/* whose queue; NR_CPUS: not armed */
	unsigned int last_cpu;			/* whose queue it was on last */
	spinlock_t lock;			/* among those who start and cancel it */
};

void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
/* Arms (or moves) the timer on this CPU. Any context. */
void timer_start(struct timer *timer, u64 expires_ns);
/* Disarms; on return fn is not running (not from fn itself, nor holding a lock fn takes). True if
 * it was armed. */
bool timer_cancel(struct timer *timer);

/* schedule() with an alarm: false if @deadline_ns (arch_clock_ns, ~0: never) passed. */
bool schedule_until(u64 deadline_ns);
/* Sleeps at least @ns; uninterruptible. */
void sleep_ns(u64 ns);
#define msleep(ms) sleep_ns((u64)(ms) * NSEC_PER_MSEC)

void timer_program(void);		/* sets this CPU's alarm; interrupts off */
u64 ktime_get(void);			/* = arch_clock_ns(): CLOCK_MONOTONIC and BOOTTIME */
u64 ktime_get_real(void);		/* CLOCK_REALTIME; starts in 2026 if there is no RTC */
void ktime_set_real(u64 ns);
