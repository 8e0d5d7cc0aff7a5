/* See memory.h: processes to kill, time, and locks that sleep. */
#include "test/ktest/memory.h"
#include "base/panic.h"
#include "lib/string.h"
#include "mm/phys/vmstat.h"
#include "sched/mutex.h"
#include "sched/timer.h"

struct oom_task memory_tasks[MEMORY_TASKS];
unsigned int memory_kills, memory_marks, memory_reports, memory_kill_reports;
pid_t memory_killed;
void (*memory_sleep_hook)(void);
const struct oom_ops *oom_ops;
unsigned int sysctl_panic_on_oom;
static u64 now_ns;
static struct mutex *held;		/* a panic leaves it so */

static bool next_task(pid_t after, struct oom_task *task)
{
	const struct oom_task *best = NULL;

	memory_let_others_in();
	for (unsigned int i = 0; i < MEMORY_TASKS; i++) {
		const struct oom_task *t = &memory_tasks[i];

		if (t->pid > after && (!best || t->pid < best->pid))
			best = t;
	}
	if (best)
		*task = *best;
	return best != NULL;
}

static bool kill_task(pid_t pid)
{
	__atomic_fetch_add(&memory_kills, 1, __ATOMIC_RELAXED);
	memory_killed = pid;
	memory_let_others_in();
	for (unsigned int i = 0; i < MEMORY_TASKS; i++) {
		struct oom_task *t = &memory_tasks[i];

		if (t->pid != pid || !t->has_memory)
			continue;
		t->dying = t->oom_victim = true;
		t->victim_since_ns = now_ns;
		return true;
	}
	return false;
}

static void mark_current(void)
{
	memory_marks++;
	current_thread()->oom_victim = true;
}

void memory_tasks_init(void)
{
	static const struct oom_ops ops = { .next = next_task, .kill = kill_task, .mark_current = mark_current };

	oom_ops = &ops;
	if (held)
		held->owner = NULL;
	held = NULL;
	memset(memory_tasks, 0, sizeof(memory_tasks));
	memory_kills = memory_marks = memory_killed = memory_reports = memory_kill_reports = 0;
	memory_sleep_hook = NULL;
	sysctl_panic_on_oom = 0;
	now_ns = NSEC_PER_SEC;
	clear_bit(TIF_KILLED, &current_head()->flags);
	current_thread()->oom_victim = false;
}

void oom_report(gfp_t gfp, unsigned int order)
{
	(void)gfp;
	(void)order;
	memory_reports++;
}

void oom_report_kill(const struct oom_task *victim)
{
	(void)victim;
	memory_kill_reports++;
}

void memory_current_dies(bool dies)
{
	dies ? set_bit(TIF_KILLED, &current_head()->flags) : clear_bit(TIF_KILLED, &current_head()->flags);
}

u64 arch_clock_ns(void)
{
	return now_ns;
}

void sleep_ns(u64 ns)
{
	__atomic_fetch_add(&now_ns, ns, __ATOMIC_RELAXED);
	if (memory_sleep_hook)
		memory_sleep_hook();
	if (memory_smp())
		ktest_relax();
}

/* Another CPU may be quicker, or may come in when the lock has been released. */
bool mutex_trylock(struct mutex *lock)
{
	struct thread *nobody = NULL;

	memory_let_others_in();
	/* In memory_other_cpu() this thread plays another. */
	if (!__atomic_compare_exchange_n(&lock->owner, &nobody, current_thread(), false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	held = lock;
	return true;
}

void mutex_lock(struct mutex *lock)
{
	while (!mutex_trylock(lock)) {
		if (!memory_smp())
			panic("mutex is taken again by its holder");
		ktest_relax();
	}
}

void mutex_unlock(struct mutex *lock)
{
	if (lock->owner != current_thread())
		panic("mutex is released by somebody who does not hold it");
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELEASE);
	memory_let_others_in();
}

u64 ktime_get(void)
{
	return now_ns;
}
