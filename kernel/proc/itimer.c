/*
 * The process's real-time alarm: setitimer(ITIMER_REAL), alarm(). One timer in struct process,
 * whose function sends SIGALRM from the timer interrupt. The last live thread disarms it for good.
 */
#include "proc/internal.h"

#define SHORTEST_NS	NSEC_PER_MSEC	/* between two: a program must not live in interrupts */

static void alarm(struct timer *timer)
{
	struct process *p = container_of(timer, struct process, alarm);
	u64 interval = READ_ONCE(p->alarm_interval_ns), now = ktime_get();

	send_signal_process(p, SIGALRM, NULL);
	if (interval)
		timer_start(timer, max(timer->expires_ns + interval, now + SHORTEST_NS));
}

void itimer_init(struct process *p)
{
	timer_init(&p->alarm, alarm);
}

void itimer_cancel(struct process *p)
{
	WRITE_ONCE(p->alarm_interval_ns, 0);
	timer_cancel(&p->alarm);
}

void get_itimer(struct itimer *out)
{
	struct process *p = current_process();
	u64 now = ktime_get(), expires = p->alarm.expires_ns;

	out->interval_ns = READ_ONCE(p->alarm_interval_ns);
	out->value_ns = 0;
	if (READ_ONCE(p->alarm.cpu) != NR_CPUS)
		out->value_ns = expires > now ? expires - now : 1;
}

void set_itimer(const struct itimer *new)
{
	struct process *p = current_process();

	itimer_cancel(p);
	if (!new->value_ns)
		return;
	WRITE_ONCE(p->alarm_interval_ns, new->interval_ns);
	timer_start(&p->alarm, ktime_get() + new->value_ns);
}
