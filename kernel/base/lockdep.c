/*
 * Lock checking, DEBUG=1 only.
 *
 * The problem. A deadlock needs two CPUs in an unlucky moment, so a wrong lock order passes every
 * test for months. But the order itself is visible on one CPU, at leisure: whoever takes B while
 * holding A says "A before B". If anyone anywhere ever said "B before A", directly or through
 * others, the two can deadlock one day, and we can say so today.
 *
 * Locks are judged by class: all locks initialised at one place in the source. taken_under[a] is
 * the set of classes seen taken while a was held: the edges of a graph, which may have no cycle. A
 * new edge a -> b is added only after a search from b did not find a. Known edges, nearly all, cost
 * one bit test and no lock. Two locks of one class taken together are not judged (parent and child,
 * two run queues): the class does not say which comes first.
 *
 * Interrupts make a second kind of cycle: a class taken in an interrupt handler must never be held
 * with interrupts on, or the handler comes on top of the holder and spins for ever. Each class
 * remembers which of the two it has seen, and both together are a report.
 *
 * What is held: spinlocks belong to a CPU (their holder is not preemptible), mutexes to a thread.
 * Locks that are never reported on: class NULL (all-zero memory), and locks on a stack, whose class
 * object dies with the frame.
 *
 * The first report switches the checker off, since what follows is its consequence. After Linux's
 * lockdep by Ingo Molnar and Arjan van de Ven, which keeps more state and proves more.
 */
#include "base/spinlock.h"

#ifdef CONFIG_DEBUG

#include "base/lockdep.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "lib/bitmap.h"

#define MAX_CLASSES	256	/* id 0 means "not seen yet" */

#define CLASS_IN_IRQ	BIT(0)	/* was taken in an interrupt handler */
#define CLASS_IRQS_ON	BIT(1)	/* was taken with interrupts on */

static struct lock_class *classes[MAX_CLASSES];
static unsigned int nr_classes = 1;
static DECLARE_BITMAP(taken_under[MAX_CLASSES], MAX_CLASSES);
static int graph_locked;		/* a bare word: this code serves spinlocks */
static int enabled = 1;	/* not a bool: there is no exchange of bytes everywhere */

static DEFINE_PER_CPU(struct held_locks, held_spinlocks);
struct held_locks *(*lockdep_thread_hook)(void);

void lockdep_off(void)
{
	enabled = 0;
}

static unsigned long graph_lock(void)
{
	unsigned long flags = local_irq_save();

	while (xchg(&graph_locked, 1))
		cpu_relax();
	return flags;
}

static void graph_unlock(unsigned long flags)
{
	smp_store_release(&graph_locked, 0);
	local_irq_restore(flags);
}

static const char *class_name(const struct lock_class *class)
{
	return class && class->name ? class->name : "?";
}

/* Locks that are initialised at one place of the source, for good. */
static bool judged(const struct lock_class *class)
{
	return (char *)class >= _text && (char *)class < _end;
}

static void show_held(const char *whose, const struct held_locks *held)
{
	for (unsigned int i = 0; i < held->nr; i++)
		pr_err("  %s holds %s (%p), taken at %pS\n", whose,
		       class_name(held->lock[i].class), held->lock[i].lock,
		       (void *)held->lock[i].ip);
}

void lockdep_show_held(void)
{
	struct held_locks *mine = lockdep_thread_hook ? lockdep_thread_hook() : NULL;

	show_held("this CPU", this_cpu_ptr(&held_spinlocks));
	if (mine)
		show_held("this thread", mine);
}

/* True for the one report there is. */
static bool report_once(void)
{
	return xchg(&enabled, 0);
}

static void report(const char *what, const struct lock_class *a, const char *relation,
		   const struct lock_class *b)
{
	if (!report_once())
		return;
	pr_err("lockdep: %s: %s %s %s\n", what, class_name(a), relation, class_name(b));
	lockdep_show_held();
	dump_stack();
}

static void class_register(struct lock_class *class)
{
	unsigned long flags = graph_lock();

	if (!class->id && nr_classes < MAX_CLASSES) {
		classes[nr_classes] = class;
		smp_store_release(&class->id, nr_classes++);
	}
	graph_unlock(flags);
	if (!class->id && report_once())
		pr_err("lockdep: more than %d lock classes: checking ends\n", MAX_CLASSES - 1);
}

/* Is @to reachable from @from? Depth first over the edges; graph lock held. */
static bool reachable(u32 from, u32 to)
{
	static DECLARE_BITMAP(seen, MAX_CLASSES);
	static u8 todo[MAX_CLASSES];
	unsigned int n = 0;

	bitmap_zero(seen, MAX_CLASSES);
	__set_bit(from, seen);
	todo[n++] = from;
	while (n) {
		u32 at = todo[--n];
		unsigned long next;

		if (at == to)
			return true;
		for_each_set_bit(next, taken_under[at], MAX_CLASSES) {
			if (__test_and_set_bit(next, seen))
				continue;
			todo[n++] = next;
		}
	}
	return false;
}

/* @outer is held while @inner is being taken. */
static void check_order(struct lock_class *outer, struct lock_class *inner)
{
	unsigned long flags;
	bool circular;

	if (!judged(outer) || outer == inner || test_bit(inner->id, taken_under[outer->id]))
		return;
	flags = graph_lock();
	circular = reachable(inner->id, outer->id);
	if (!circular)
		__set_bit(inner->id, taken_under[outer->id]);
	graph_unlock(flags);
	if (circular)
		report("possible deadlock, wrong lock order", inner,
		       "is being taken, but elsewhere was held (or led) to take", outer);
}

static void check_orders(const struct held_locks *held, struct lock_class *class)
{
	for (unsigned int i = 0; i < held->nr && enabled; i++)
		check_order(held->lock[i].class, class);
}

static void check_irq_use(struct lock_class *class)
{
	u32 use = in_interrupt() ? CLASS_IN_IRQ : irqs_disabled() ? 0 : CLASS_IRQS_ON;

	if (!(use & ~READ_ONCE(class->flags)))
		return;
	__atomic_fetch_or(&class->flags, use, __ATOMIC_RELAXED);
	if ((class->flags & (CLASS_IN_IRQ | CLASS_IRQS_ON)) == (CLASS_IN_IRQ | CLASS_IRQS_ON))
		report("possible deadlock, not interrupt-safe", class,
		       use == CLASS_IN_IRQ ? "is taken in an interrupt, but elsewhere"
					   : "is taken by interrupt handlers, but here",
		       &(struct lock_class){ .name = "with interrupts on" });
}

static void push(struct held_locks *held, void *lock, struct lock_class *class, unsigned long ip)
{
	if (held->nr == MAX_HELD) {
		if (report_once())
			pr_err("lockdep: more than %d locks held: checking ends\n", MAX_HELD);
		return;
	}
	held->lock[held->nr++] = (struct held_lock){ lock, class, ip };
}

static bool pop(struct held_locks *held, void *lock)
{
	for (unsigned int i = held->nr; i-- > 0; ) {
		if (held->lock[i].lock != lock)
			continue;
		for (held->nr--; i < held->nr; i++)	/* seldom the newest only */
			held->lock[i] = held->lock[i + 1];
		return true;
	}
	return false;
}

/* Before the wait, so that a deadlock that is real is reported before it is one. */
void lockdep_check(struct lock_class *class)
{
	struct held_locks *mutexes = lockdep_thread_hook ? lockdep_thread_hook() : NULL;
	unsigned long flags;

	if (!READ_ONCE(enabled) || !judged(class))
		return;
	check_irq_use(class);
	flags = local_irq_save();
	if (!smp_load_acquire(&class->id))
		class_register(class);
	if (class->id && enabled) {
		check_orders(this_cpu_ptr(&held_spinlocks), class);
		if (mutexes && !in_interrupt())
			check_orders(mutexes, class);
	}
	local_irq_restore(flags);
}

/* A trylock comes here without a check: it cannot wait, but what is taken under it can. */
void lockdep_acquire(void *lock, struct lock_class *class, bool sleeping)
{
	struct held_locks *held;
	unsigned long flags;

	if (!READ_ONCE(enabled))
		return;
	flags = local_irq_save();
	if (judged(class) && !smp_load_acquire(&class->id))
		class_register(class);
	if (!sleeping)
		held = this_cpu_ptr(&held_spinlocks);
	else
		held = lockdep_thread_hook ? lockdep_thread_hook() : NULL;
	if (held)
		push(held, lock, class, (unsigned long)__builtin_return_address(0));
	local_irq_restore(flags);
}

void lockdep_release(void *lock, struct lock_class *class)
{
	struct held_locks *mutexes = lockdep_thread_hook ? lockdep_thread_hook() : NULL;
	unsigned long flags;
	bool found;

	if (!READ_ONCE(enabled))
		return;
	flags = local_irq_save();
	found = pop(this_cpu_ptr(&held_spinlocks), lock) || (mutexes && pop(mutexes, lock));
	local_irq_restore(flags);
	if (!found)
		report("release of a lock that is not held here", class, "at",
		       &(struct lock_class){ .name = "the top of this trace" });
}

void spin_lock_debug_before(spinlock_t *lock)
{
	if (READ_ONCE(lock->holder) == smp_processor_id() + 1)
		panic("recursive spin_lock of %s (%p), already held by this CPU",
		      class_name(lock->class), (void *)lock);
	lockdep_check(lock->class);
}

void might_sleep_check(const char *file, int line)
{
	static int reports;

	if (likely(can_sleep()) || !scheduler_running || panic_in_progress() || reports >= 3)
		return;
	reports++;
	pr_err("sleeping function called from an atomic context at %s:%d "
	       "(preempt_count %d, in_irq %u, interrupts %s)\n", file, line, preempt_count(),
	       current_head()->in_irq, irqs_disabled() ? "off" : "on");
	lockdep_show_held();
	dump_stack();
}

#endif /* CONFIG_DEBUG */
