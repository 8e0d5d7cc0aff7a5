/*
 * The load average: an exponentially decaying mean of the number of runnable threads, sampled every
 * 5 seconds, in fixed point with 11 bits of fraction. The weights are exp(-5 s / 1, 5, 15 min).
 */
#include "base/initcall.h"
#include "sched/thread.h"
#include "sched/timer.h"

#define FSHIFT		11
#define FIXED_1		(1UL << FSHIFT)
#define SAMPLE_NS	(5 * NSEC_PER_SEC)

static const unsigned long weight[3] = { 1884, 2014, 2037 };
static unsigned long load[3];
static struct timer load_timer;

static void load_sample(struct timer *timer)
{
	unsigned long active = sched_nr_running() << FSHIFT;

	for (int i = 0; i < 3; i++)
		load[i] = (load[i] * weight[i] + active * (FIXED_1 - weight[i])) >> FSHIFT;
	timer_start(timer, timer->expires_ns + SAMPLE_NS);
}

void sched_loadavg(unsigned long avg[3])
{
	for (int i = 0; i < 3; i++)
		avg[i] = READ_ONCE(load[i]);
}

static int loadavg_init(void)
{
	timer_init(&load_timer, load_sample);
	timer_start(&load_timer, ktime_get() + SAMPLE_NS);
	return 0;
}
core_initcall(loadavg_init);
