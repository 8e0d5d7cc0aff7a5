/*
 * Timers, and the one hardware alarm that each CPU has.
 *
 * A CPU's timers are a red-black tree by expiry. Only the CPU itself inserts into its tree; any CPU
 * may take a timer out. The alarm is set to the earlier of the first timer and the end of the
 * running thread's slice, and to never if there is neither. first_ns caches the tree's first expiry
 * so that setting the alarm, at every switch, takes no lock. A remote cancel may leave it early:
 * then the interrupt finds nothing to do and sets it right.
 *
 * Locks: timer->lock, among those who start and cancel one timer; then base->lock, for the tree.
 * Expiry holds base->lock only, never during fn. timer->cpu changes under the lock of the base it
 * names. timer_cancel() must not return while fn runs, so the base shows what it is running; it
 * shows that before the timer looks disarmed.
 */
#include "sched/timer.h"
#include "arch/upcalls.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "sched/wait.h"

struct timer_base {
	spinlock_t lock;
	struct rb_root tree;
	u64 first_ns;			/* 0: no timer was ever here */
	u64 alarm_ns;			/* what the hardware was told; 0: nothing yet */
	struct timer *running;		/* whose fn is being called */
};

static DEFINE_PER_CPU(struct timer_base, bases);

/* CLOCK_REALTIME minus CLOCK_MONOTONIC. Before anyone knows better it is 2026. */
static u64 real_offset_ns = 1767225600UL * NSEC_PER_SEC;

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	timer->fn = fn;
	timer->cpu = NR_CPUS;
	timer->last_cpu = 0;
	spin_lock_init(&timer->lock);
}

void timer_program(void)
{
	struct timer_base *base = this_cpu_ptr(&bases);
	u64 first = READ_ONCE(base->first_ns), slice = sched_slice_deadline();
	u64 alarm = min(first ? first : ~0UL, slice);

	if (alarm == base->alarm_ns)
		return;
	base->alarm_ns = alarm;
	arch_timer_set(alarm);
}

static void update_first(struct timer_base *base)
{
	struct rb_node *node = rb_first(&base->tree);

	WRITE_ONCE(base->first_ns, node ? rb_entry(node, struct timer, node)->expires_ns : ~0UL);
}

static void insert(struct timer_base *base, struct timer *timer)
{
	struct rb_node **link = &base->tree.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = timer->expires_ns < rb_entry(parent, struct timer, node)->expires_ns ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&timer->node, parent, link);
	rb_insert_color(&timer->node, &base->tree);
	update_first(base);
}

/* Takes an armed timer out of its tree; false if it is not armed (any more). timer->lock held. */
static bool detach(struct timer *timer)
{
	unsigned int cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
	struct timer_base *base;
	bool armed;

	if (cpu == NR_CPUS)
		return false;
	base = per_cpu_ptr(&bases, cpu);
	spin_lock(&base->lock);
	armed = timer->cpu == cpu;	/* else it expired just now */
	if (armed) {
		rb_erase(&timer->node, &base->tree);
		timer->cpu = NR_CPUS;
		update_first(base);
	}
	spin_unlock(&base->lock);
	return armed;
}

void timer_start(struct timer *timer, u64 expires_ns)
{
	struct timer_base *base;
	unsigned long flags;

	spin_lock_irqsave(&timer->lock, flags);
	detach(timer);
	base = this_cpu_ptr(&bases);
	spin_lock(&base->lock);
	timer->expires_ns = max(expires_ns, 1UL);
	timer->cpu = timer->last_cpu = smp_processor_id();
	insert(base, timer);
	spin_unlock(&base->lock);
	timer_program();
	spin_unlock_irqrestore(&timer->lock, flags);
}

bool timer_cancel(struct timer *timer)
{
	unsigned long flags;
	bool armed, was_armed = false;
	unsigned int last;

	do {
		spin_lock_irqsave(&timer->lock, flags);
		armed = detach(timer);
		last = timer->last_cpu;
		spin_unlock_irqrestore(&timer->lock, flags);
		was_armed |= armed;
		while (smp_load_acquire(&per_cpu(bases, last).running) == timer)
			cpu_relax();
	} while (READ_ONCE(timer->cpu) != NR_CPUS);	/* fn armed it again meanwhile */
	return was_armed;
}

/* The first timer that is due, now disarmed and shown as running; NULL: none. */
static struct timer *take_expired(struct timer_base *base)
{
	struct rb_node *node;
	struct timer *timer = NULL;

	spin_lock(&base->lock);
	node = rb_first(&base->tree);
	if (node && rb_entry(node, struct timer, node)->expires_ns <= arch_clock_ns()) {
		timer = rb_entry(node, struct timer, node);
		rb_erase(node, &base->tree);
		update_first(base);
		WRITE_ONCE(base->running, timer);
		smp_store_release(&timer->cpu, NR_CPUS);
	}
	spin_unlock(&base->lock);
	return timer;
}

void timer_interrupt(void)
{
	struct timer_base *base = this_cpu_ptr(&bases);
	struct timer *timer;

	while ((timer = take_expired(base)) != NULL) {
		timer->fn(timer);	/* may be the last use of *timer */
		smp_store_release(&base->running, NULL);
	}
	sched_tick();
	base->alarm_ns = 0;	/* the alarm is spent */
	timer_program();
}

/* ---- sleeping with an alarm --------------------------------------------------------------- */

struct sleeper {
	struct timer timer;
	struct thread *thread;
};

static void wake_sleeper(struct timer *timer)
{
	wake_up_process(container_of(timer, struct sleeper, timer)->thread);
}

bool schedule_until(u64 deadline_ns)
{
	struct sleeper sleeper = { .thread = current_thread() };

	if (deadline_ns == ~0UL) {
		schedule();
		return true;
	}
	if (arch_clock_ns() >= deadline_ns) {
		WRITE_ONCE(current_thread()->state, TASK_RUNNING);
		return false;
	}
	timer_init(&sleeper.timer, wake_sleeper);
	timer_start(&sleeper.timer, deadline_ns);
	schedule();
	timer_cancel(&sleeper.timer);
	return arch_clock_ns() < deadline_ns;
}

void sleep_ns(u64 ns)
{
	u64 deadline = arch_clock_ns() + ns;

	might_sleep();
	do
		set_current_state(TASK_UNINTERRUPTIBLE);
	while (schedule_until(deadline));
}

/* ---- clocks ------------------------------------------------------------------------------- */

u64 ktime_get(void)
{
	return arch_clock_ns();
}

u64 ktime_get_real(void)
{
	return arch_clock_ns() + READ_ONCE(real_offset_ns);
}

void ktime_set_real(u64 ns)
{
	WRITE_ONCE(real_offset_ns, ns - arch_clock_ns());
}
