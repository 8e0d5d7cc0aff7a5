/*
 * The scheduler: who runs next, where, and how one thread becomes another.
 *
 * Each CPU has a run queue, a list in the order of arrival, under a lock taken with interrupts off.
 * The running thread is not in the list. Round robin: a thread runs until it sleeps, or until its
 * slice of 10 ms is over and another waits; then it goes to the end. A thread that wakes up cuts
 * the running one's slice to 1 ms: who only sleeps and wakes for a moment, for a disk or a pipe,
 * need not wait 10 ms each time for one who computes; and as it still queues at the end, nobody
 * starves.
 * There is no tick. The alarm of sched/timer.c is set to the end of the slice only while somebody
 * waits, so a CPU with one thread is left alone, and an idle one sleeps in arch_idle() until an
 * interrupt.
 *
 * Sleeping without losing a wake-up. The sleeper sets its state, then tests its condition, then
 * calls schedule(); the waker makes the condition true, then looks at the state; both with a full
 * barrier between. So one sees the other. A waker (under the sleeper's wake_lock: one at a time)
 * finds one of three situations:
 *
 *	on_rq		the sleeper has not left its queue yet: make it TASK_RUNNING, and schedule()
 *			will not take it off. Both decide under the queue's lock.
 *	on_cpu		it has left the queue, but its CPU still stands on its stack: wait. The CPU
 *			is between the two halves of a switch, interrupts off, and wants no lock
 *			that a waker holds, so this is short.
 *	neither		it is asleep: choose a CPU and queue it there.
 *
 * on_cpu is cleared by sched_finish_switch(), which the *next* thread calls on its own stack; from
 * that store on the old stack may be run elsewhere, or freed. A thread in a queue never has on_cpu
 * set: it is queued under the same lock that is only released after that store.
 *
 * Placement. A woken thread goes to its last CPU if that is idle, else to any idle CPU, else to the
 * one with the shortest queue. A CPU that runs dry takes a thread from the longest queue. idle_mask
 * holds the CPUs that are asleep or about to be; who queues for one takes its bit, so that two
 * wakers do not choose the same. A CPU enters itself before its last look at the other queues, and
 * a waker queues before its last look at the mask: one of them notices.
 *
 * Lock order: wake_lock, then one run queue. A second run queue is only ever tried.
 */
#include "sched/thread.h"
#include "arch/upcalls.h"
#include "base/panic.h"
#include "base/smp.h"
#include "lib/bitops.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sched/run.h"
#include "sched/timer.h"

#define SLICE_NS	(NSEC_PER_SEC / HZ)
#define WAKE_SLICE_NS	NSEC_PER_MSEC	/* left of a slice when a sleeper wakes up behind it */
#define RETRY_NS	NSEC_PER_MSEC	/* between reminders to a thread that cannot yet */

struct rq {
	spinlock_t lock;
	struct list_head queue;		/* runnable, not running, in order */
	unsigned int nr_queued;
	unsigned int nr_movable;	/* of these, free to run on any CPU: others may take them */
	struct thread *curr, *idle;
	struct thread *prev;		/* for sched_finish_switch */
	u64 nr_switches;
};

static DEFINE_PER_CPU(struct rq, rqs);
static unsigned long idle_mask;		/* CPUs that nobody has found work for */
extern struct thread init_thread;
extern char init_stack[];
bool scheduler_running;

static struct rq *this_rq(void)
{
	return this_cpu_ptr(&rqs);
}

static struct rq *cpu_rq(unsigned int cpu)
{
	return per_cpu_ptr(&rqs, cpu);
}

/* ---- time ------------------------------------------------------------------------------- */

static void account(struct thread *t, u64 now, bool user)
{
	u64 delta = now - t->last_switch_ns;

	if (user)
		t->utime_ns += delta;
	else
		t->stime_ns += delta;
	t->last_switch_ns = now;
}

void account_kernel_enter(void)
{
	struct thread *t = current_thread();
	unsigned long flags = local_irq_save();

	account(t, arch_clock_ns(), t->user);
	t->in_kernel = true;
	local_irq_restore(flags);
}

void account_kernel_exit(void)
{
	struct thread *t = current_thread();
	unsigned long flags = local_irq_save();

	account(t, arch_clock_ns(), false);
	t->in_kernel = false;
	local_irq_restore(flags);
}

void thread_cputime(const struct thread *t, u64 *utime_ns, u64 *stime_ns)
{
	u64 extra = 0;

	if (READ_ONCE(t->on_cpu)) {
		u64 since = READ_ONCE(t->last_switch_ns), now = arch_clock_ns();

		extra = now > since ? now - since : 0;
	}
	*utime_ns = t->utime_ns;
	*stime_ns = t->stime_ns;
	if (t->user && !t->in_kernel)
		*utime_ns += extra;
	else
		*stime_ns += extra;
}

u64 sched_slice_deadline(void)
{
	struct rq *rq = this_rq();

	return READ_ONCE(rq->nr_queued) && rq->curr != rq->idle ? rq->curr->slice_end_ns : ~0UL;
}

/*
 * The running thread is told to give way. If it cannot just then (the interrupt came between the
 * end of a critical section and the check behind it, or interrupts stay off), it is told again a
 * little later: an alarm left in the past would come before every next instruction.
 */
void sched_tick(void)
{
	u64 now = arch_clock_ns();

	if (now < sched_slice_deadline())
		return;
	set_bit(TIF_NEED_RESCHED, &current_head()->flags);
	current_thread()->slice_end_ns = now + RETRY_NS;
}

/* Another CPU queued something here, or wants this idle CPU to look around. In an interrupt. */
static void reschedule_interrupt(void)
{
	struct rq *rq = this_rq();

	if (rq->curr == rq->idle)
		set_bit(TIF_NEED_RESCHED, &current_head()->flags);
	sched_tick();
	timer_program();
}

/* ---- queues ----------------------------------------------------------------------------- */

static void enqueue(struct rq *rq, struct thread *t)
{
	t->movable = (t->cpus_allowed & cpu_online_mask) == cpu_online_mask;
	list_add_tail(&t->run_node, &rq->queue);
	WRITE_ONCE(rq->nr_queued, rq->nr_queued + 1);
	WRITE_ONCE(rq->nr_movable, rq->nr_movable + t->movable);
}

static void dequeue(struct rq *rq, struct thread *t)
{
	list_del_init(&t->run_node);
	WRITE_ONCE(rq->nr_queued, rq->nr_queued - 1);
	WRITE_ONCE(rq->nr_movable, rq->nr_movable - t->movable);
}

static unsigned int rq_load(const struct rq *rq)
{
	return READ_ONCE(rq->nr_queued) + (READ_ONCE(rq->curr) != rq->idle);
}

/* Takes one CPU of @mask out of idle_mask, @first if possible; NR_CPUS if none is idle. */
static unsigned int claim_idle_cpu(unsigned long mask, unsigned int first)
{
	unsigned long idle;

	if ((mask & BIT(first)) && test_and_clear_bit(first, &idle_mask))
		return first;
	while ((idle = READ_ONCE(idle_mask) & mask) != 0) {
		unsigned int cpu = __ffs(idle);

		if (test_and_clear_bit(cpu, &idle_mask))
			return cpu;
	}
	return NR_CPUS;
}

static unsigned int select_cpu(struct thread *t)
{
	unsigned long mask = READ_ONCE(cpu_online_mask) & READ_ONCE(t->cpus_allowed);
	unsigned int cpu, best = t->head.cpu;

	if (!mask)
		mask = READ_ONCE(cpu_online_mask);
	cpu = claim_idle_cpu(mask, best);
	if (cpu < NR_CPUS)
		return cpu;
	if (!(mask & BIT(best)))
		best = __ffs(mask);
	for_each_online_cpu(cpu)
		if ((mask & BIT(cpu)) && rq_load(cpu_rq(cpu)) < rq_load(cpu_rq(best)))
			best = cpu;
	return best;
}

/* True if the slice of the thread that runs on @rq was cut: a sleeper waits for its end. */
static bool cut_slice(struct rq *rq)
{
	u64 end = arch_clock_ns() + WAKE_SLICE_NS;

	if (READ_ONCE(rq->curr->slice_end_ns) <= end + WAKE_SLICE_NS)	/* not worth an alarm */
		return false;
	WRITE_ONCE(rq->curr->slice_end_ns, end);
	return true;
}

/* @rq just got one more thread: its CPU must hear of it if it sleeps or its alarm is too late. */
static void notify(unsigned int cpu, struct rq *rq)
{
	bool idle = rq->curr == rq->idle;
	bool late = !idle && (cut_slice(rq) || rq->nr_queued == 1);

	if (cpu != smp_processor_id()) {
		if (idle || late)
			arch_send_ipi(BIT(cpu), IPI_RESCHEDULE);
	} else if (idle) {
		set_bit(TIF_NEED_RESCHED, &rq->curr->head.flags);
	} else if (late) {
		timer_program();
	}
}

/* A thread waits in a queue: a CPU that went idle meanwhile may come for it. */
static void invite_idle_cpu(const struct thread *t, unsigned int busy_cpu)
{
	unsigned int cpu;

	smp_mb();	/* queued before the look at idle_mask */
	if (!READ_ONCE(idle_mask))
		return;
	cpu = claim_idle_cpu(READ_ONCE(t->cpus_allowed) & ~BIT(busy_cpu), busy_cpu);
	if (cpu < NR_CPUS)
		arch_send_ipi(BIT(cpu), IPI_RESCHEDULE);
}

/* Is @t still on a queue? Then it runs on. Under its wake_lock; interrupts off. */
static bool wake_queued(struct thread *t)
{
	struct rq *rq;
	bool queued;

	for (;;) {
		unsigned int cpu = READ_ONCE(t->head.cpu);

		rq = cpu_rq(cpu);
		spin_lock(&rq->lock);
		if (t->head.cpu == cpu)
			break;
		spin_unlock(&rq->lock);	/* it was taken to another CPU meanwhile */
	}
	queued = t->on_rq;
	if (queued)
		WRITE_ONCE(t->state, TASK_RUNNING);
	spin_unlock(&rq->lock);
	return queued;
}

static void wake_asleep(struct thread *t)
{
	unsigned int cpu;
	struct rq *rq;
	bool must_wait;

	while (__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE))
		cpu_relax();
	cpu = select_cpu(t);
	rq = cpu_rq(cpu);
	spin_lock(&rq->lock);
	t->head.cpu = cpu;
	t->on_rq = 1;
	WRITE_ONCE(t->state, TASK_RUNNING);
	enqueue(rq, t);
	must_wait = rq->curr != rq->idle || rq->nr_queued > 1;
	notify(cpu, rq);
	if (must_wait)
		invite_idle_cpu(t, cpu);
	spin_unlock(&rq->lock);
}

bool wake_up_thread(struct thread *t, unsigned int mask)
{
	unsigned long flags;
	bool woken = false;

	spin_lock_irqsave(&t->wake_lock, flags);
	smp_mb();	/* the caller's condition before the look at the state */
	if (BIT(READ_ONCE(t->state)) & mask) {
		woken = true;
		if (!READ_ONCE(t->on_rq) || !wake_queued(t))
			wake_asleep(t);
	}
	spin_unlock_irqrestore(&t->wake_lock, flags);
	return woken;
}

/* ---- choosing --------------------------------------------------------------------------- */

static struct thread *first_movable(struct rq *rq)
{
	struct thread *t;

	list_for_each_entry(t, &rq->queue, run_node)
		if (t->movable)
			return t;
	return NULL;
}

/* This CPU has run dry: the first of the longest other queue, or NULL. Own queue's lock held. */
static struct thread *steal(unsigned int me)
{
	struct thread *t = NULL;
	unsigned int cpu, victim = NR_CPUS, most = 0;

	for_each_online_cpu(cpu) {
		unsigned int n = READ_ONCE(cpu_rq(cpu)->nr_movable);

		if (cpu != me && n > most) {
			most = n;
			victim = cpu;
		}
	}
	if (victim == NR_CPUS || !spin_trylock(&cpu_rq(victim)->lock))
		return NULL;
	t = first_movable(cpu_rq(victim));
	if (t) {
		dequeue(cpu_rq(victim), t);
		t->head.cpu = me;
	}
	spin_unlock(&cpu_rq(victim)->lock);
	return t;
}

static struct thread *pick_next(struct rq *rq, struct thread *prev)
{
	unsigned int cpu = smp_processor_id();
	struct thread *t;

	if (!list_empty(&rq->queue)) {
		t = list_first_entry(&rq->queue, struct thread, run_node);
		dequeue(rq, t);
		return t;
	}
	if (prev->on_rq && prev != rq->idle)
		return prev;
	t = steal(cpu);
	return t ? t : rq->idle;
}

/* ---- switching -------------------------------------------------------------------------- */

static void switch_mm(struct mm_context *prev, struct mm_context *next, unsigned int cpu)
{
	if (prev == next)
		return;
	if (next)
		set_bit(cpu, &next->cpumask);	/* before a translation can be loaded */
	arch_switch_mm(next);
	if (prev)
		clear_bit(cpu, &prev->cpumask);
}

void sched_switch_mm(struct mm *mm, struct mm_context *ctx)
{
	struct thread *t = current_thread();
	unsigned long flags = local_irq_save();
	struct mm_context *old = t->mmctx;

	t->mm = mm;
	t->mmctx = ctx;
	switch_mm(old, ctx, smp_processor_id());
	local_irq_restore(flags);
}

void sched_finish_switch(void)
{
	struct rq *rq = this_rq();
	struct thread *prev = rq->prev;
	bool dead = prev->state == TASK_DEAD;	/* not read after the next line: prev may run */

	__atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
	spin_unlock(&rq->lock);
	if (dead)
		sched_bury(prev);
}

static void context_switch(struct rq *rq, struct thread *prev, struct thread *next)
{
	unsigned int cpu = smp_processor_id();

	rq->prev = prev;
	rq->nr_switches++;
	next->on_cpu = 1;
	next->head.percpu_base = per_cpu_offset[cpu];
	switch_mm(prev->mmctx, next->mmctx, cpu);
	arch_switch_to(&prev->head, &next->head);
	sched_finish_switch();	/* perhaps on another CPU than above */
}

static bool sleep_is_pointless(struct thread *t)
{
	unsigned long flags = READ_ONCE(t->head.flags);

	if (t->state == TASK_INTERRUPTIBLE)
		return flags & (BIT(TIF_SIGPENDING) | BIT(TIF_KILLED));
	return t->state == TASK_KILLABLE && (flags & BIT(TIF_KILLED));
}

/* @preempt: the thread did not ask; it stays runnable in whatever state it is. Interrupts off. */
static void __schedule(bool preempt)
{
	struct thread *prev = current_thread(), *next;
	struct rq *rq = this_rq();
	u64 now = arch_clock_ns();

	spin_lock(&rq->lock);
	clear_bit(TIF_NEED_RESCHED, &prev->head.flags);
	if (!preempt && prev->state != TASK_RUNNING && prev != rq->idle) {
		if (sleep_is_pointless(prev))
			prev->state = TASK_RUNNING;
		else
			prev->on_rq = 0;
	}
	account(prev, now, prev->user && !prev->in_kernel);
	next = pick_next(rq, prev);
	next->slice_end_ns = now + SLICE_NS;
	if (next != prev) {
		next->last_switch_ns = now;
		if (prev->on_rq) {
			prev->nivcsw++;
			if (prev != rq->idle)
				enqueue(rq, prev);
		} else {
			prev->nvcsw++;
		}
		rq->curr = next;
		timer_program();
		context_switch(rq, prev, next);
	} else {
		timer_program();
		spin_unlock(&rq->lock);
	}
}

void schedule(void)
{
	unsigned long flags = local_irq_save();

	if (unlikely(preempt_count() != 0 || in_interrupt()))
		panic("scheduling while atomic: preempt_count %d, in_irq %u", preempt_count(),
		      current_head()->in_irq);
	do
		__schedule(false);
	while (test_bit(TIF_NEED_RESCHED, &current_head()->flags));
	local_irq_restore(flags);
}

void sched_yield(void)
{
	schedule();
}

void preempt_schedule(void)
{
	unsigned long flags;

	if (preempt_count() != 0 || in_interrupt() || irqs_disabled() || !scheduler_running)
		return;
	flags = local_irq_save();
	do
		__schedule(true);
	while (test_bit(TIF_NEED_RESCHED, &current_head()->flags));
	local_irq_restore(flags);
}

void preempt_irq(void)
{
	if (!test_bit(TIF_NEED_RESCHED, &current_head()->flags) || preempt_count() != 0 ||
	    in_interrupt() || !scheduler_running)
		return;
	__schedule(true);
}

void thread_exit(void)
{
	struct thread *t = current_thread();

	local_irq_disable();
	spin_lock(&t->wake_lock);	/* a waker that saw us asleep is done */
	WRITE_ONCE(t->state, TASK_DEAD);
	spin_unlock_raw(&t->wake_lock);
	preempt_enable_no_resched();
#ifdef CONFIG_DEBUG
	if (t->held.nr) {
		lockdep_show_held();
		panic("thread %s ends with a mutex held", t->comm);
	}
#endif
	__schedule(false);
	panic("a dead thread runs");
}

/* ---- idle ------------------------------------------------------------------------------- */

static bool work_elsewhere(void)
{
	unsigned int cpu, me = smp_processor_id();

	for_each_online_cpu(cpu)
		if (cpu != me && READ_ONCE(cpu_rq(cpu)->nr_movable))
			return true;
	return false;
}

void cpu_idle_loop(void)
{
	unsigned int cpu = smp_processor_id();

	scheduler_running = true;
	for (;;) {
		local_irq_disable();
		set_bit(cpu, &idle_mask);
		smp_mb();	/* in the mask before the last look: see invite_idle_cpu() */
		if (!test_bit(TIF_NEED_RESCHED, &current_head()->flags) && !work_elsewhere())
			arch_idle();
		else
			cpu_relax();	/* perhaps for who holds the queue that steal() wants */
		clear_bit(cpu, &idle_mask);
		local_irq_enable();
		schedule();
	}
}

/* ---- facts ------------------------------------------------------------------------------ */

unsigned int sched_nr_running(void)
{
	unsigned int cpu, n = 0;

	for_each_online_cpu(cpu)
		n += rq_load(cpu_rq(cpu));
	return n;
}

u64 sched_idle_ns(unsigned int cpu)
{
	u64 user, sys;

	thread_cputime(cpu_rq(cpu)->idle, &user, &sys);
	return sys;
}

u64 sched_nr_switches(unsigned int cpu)
{
	return READ_ONCE(cpu_rq(cpu)->nr_switches);
}

bool sched_is_running(const struct thread *t)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (READ_ONCE(cpu_rq(cpu)->curr) == t)
			return true;
	return false;
}

/* ---- start ------------------------------------------------------------------------------ */

static void *describe_current(char *buf, size_t size)
{
	struct thread *t = current_thread();

	snprintf(buf, size, "tid %d comm %s", t->tid, t->comm);
	return t->stack;
}

#ifdef CONFIG_DEBUG
static struct held_locks *current_held(void)
{
	return &current_thread()->held;
}
#endif

static void idle_init(unsigned int cpu, struct thread *idle)
{
	idle->head.cpu = cpu;
	idle->head.percpu_base = per_cpu_offset[cpu];
	idle->state = TASK_RUNNING;
	idle->on_cpu = idle->on_rq = 1;
	idle->cpus_allowed = BIT(cpu);
	idle->pf_flags = PF_KTHREAD;
	idle->last_switch_ns = arch_clock_ns();
	snprintf(idle->comm, sizeof(idle->comm), "idle/%u", cpu);
}

static void rq_init(unsigned int cpu, struct thread *idle)
{
	struct rq *rq = cpu_rq(cpu);

	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->queue);
	rq->curr = rq->idle = idle;
	idle_init(cpu, idle);
}

void sched_init(void)
{
	init_thread.stack = init_stack;
	spin_lock_init(&init_thread.wake_lock);
	rq_init(0, &init_thread);
	panic_thread_hook = describe_current;
	smp_reschedule_hook = reschedule_interrupt;
#ifdef CONFIG_DEBUG
	lockdep_thread_hook = current_held;
#endif
}

static DEFINE_PER_CPU(struct thread, idle_threads);

static void idle_thread(void *unused)
{
	(void)unused;
	cpu_idle_loop();
}

struct thread *sched_init_cpu(unsigned int cpu, void *stack)
{
	struct thread *idle = per_cpu_ptr(&idle_threads, cpu);

	thread_init(idle, "idle", stack, idle_thread, NULL);
	idle->head.preempt_count = 0;	/* it starts in secondary_start(), not in a switch */
	rq_init(cpu, idle);
	return idle;
}

/*
 * The boot thread hands CPU 0 to an idle thread like those of the other CPUs, for its own stack
 * lies within the image, where no unmapped page guards it.
 */
void sched_start(void *stack)
{
	struct thread *idle = per_cpu_ptr(&idle_threads, 0);
	struct rq *rq = this_rq();

	local_irq_disable();
	thread_init(idle, "idle", stack, idle_thread, NULL);
	idle_init(0, idle);
	set_bit(TIF_NEED_RESCHED, &idle->head.flags);	/* there are threads in the queue */
	spin_lock(&rq->lock);
	rq->curr = rq->idle = idle;
	rq->prev = &init_thread;
	arch_switch_to(&init_thread.head, &idle->head);
	panic("the boot thread runs again");
}
