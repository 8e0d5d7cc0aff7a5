/* See kernel.h. */
#include "kernel.h"
#include "sched/mutex.h"

void *panic_frame[5];
bool panic_expected;

static char log_lines[256][160];
static unsigned int log_used;

static void log_line(const char *line)
{
	unsigned int slot = __atomic_fetch_add(&log_used, 1, __ATOMIC_RELAXED);

	if (slot < ARRAY_SIZE(log_lines))
		snprintf(log_lines[slot], sizeof(log_lines[slot]), "%s", line);
}

void log_forget(void)
{
	log_used = 0;
	memset(log_lines, 0, sizeof(log_lines));
}

unsigned int log_count(const char *what)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(log_lines); i++)
		n += strstr(log_lines[i], what) != NULL;
	return n;
}

static void on_panic(const char *message)
{
	if (panic_expected)
		__builtin_longjmp(panic_frame, 1);
	printf("# panic: %s\n", message);
}

void kernel_init(void)
{
	host_init();
	host_log_hook = log_line;
	host_panic_hook = on_panic;
}

static void idle(unsigned int cpu)
{
	(void)cpu;
}

void kernel_cpus(unsigned int n)
{
	host_run_cpus(n, idle);
}

/* ---- mutexes: nobody sleeps ----------------------------------------------------------------- */

void mutex_lock(struct mutex *lock)
{
	while (!mutex_trylock(lock))
		;
}

bool mutex_trylock(struct mutex *lock)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&lock->owner, &none, current_thread(), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void mutex_unlock(struct mutex *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_SEQ_CST);
}
