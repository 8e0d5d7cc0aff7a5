/* System calls on time, and on what the system has and uses. */
#include "syscall/syscall.h"
#include "lib/string.h"
#include "mm/phys/vmstat.h"
#include "mm/vm/swapmap.h"

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	3
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_REALTIME_COARSE	5
#define CLOCK_MONOTONIC_COARSE	6
#define CLOCK_BOOTTIME		7
#define TIMER_ABSTIME		1

static struct timespec to_timespec(u64 ns)
{
	return (struct timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

u64 get_timeout(const struct timespec *user, int *err)
{
	struct timespec ts;

	if (!user)
		return ~0UL;
	if (get_user(ts, user)) {
		*err = -EFAULT;
		return 0;
	}
	if (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC) {
		*err = -EINVAL;
		return 0;
	}
	/* Centuries are forever. */
	if ((u64)ts.tv_sec > ~0UL / NSEC_PER_SEC / 4)
		return ~0UL;
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void process_times(u64 *utime, u64 *stime)
{
	struct process *p = current_process();
	struct task *t;
	u64 u, s;

	spin_lock_irq(&p->sig_lock);
	*utime = p->utime_ns;
	*stime = p->stime_ns;
	list_for_each_entry(t, &p->threads, group_node) {
		thread_cputime(&t->thread, &u, &s);
		*utime += u;
		*stime += s;
	}
	spin_unlock_irq(&p->sig_lock);
}

/* ~0: no such clock. */
static u64 read_clock(unsigned long id)
{
	u64 utime, stime;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return ktime_get_real();
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return ktime_get();
	case CLOCK_PROCESS_CPUTIME_ID:
		process_times(&utime, &stime);
		return utime + stime;
	case CLOCK_THREAD_CPUTIME_ID:
		thread_cputime(current_thread(), &utime, &stime);
		return utime + stime;
	default:
		return ~0UL;
	}
}

SYSCALL(clock_gettime)
{
	u64 now = read_clock(a[0]);

	return now == ~0UL ? -EINVAL : put_user(to_timespec(now), (struct timespec *)a[1]);
}

SYSCALL(clock_getres)
{
	if (read_clock(a[0]) == ~0UL)
		return -EINVAL;
	return a[1] ? put_user(to_timespec(1), (struct timespec *)a[1]) : 0;
}

SYSCALL(clock_settime)
{
	int err = 0;
	u64 ns = get_timeout((const struct timespec *)a[1], &err);

	if (a[0] != CLOCK_REALTIME)
		return -EINVAL;
	if (!a[1] || err)
		return a[1] ? err : -EFAULT;
	ktime_set_real(ns);
	return 0;
}

u64 restarted_deadline(u64 fresh)
{
	struct task *t = current_task();
	u64 deadline = t->restart_deadline ? t->restart_deadline : fresh;

	t->restart_deadline = 0;
	return deadline;
}

long restart_with_deadline(u64 deadline)
{
	current_task()->restart_deadline = deadline;
	return -ERESTARTNOHAND;
}

/* Sleeps until the point on CLOCK_MONOTONIC: 0, or -ERESTARTNOHAND, with the rest in @urem. */
static long sleep_until(u64 deadline, struct timespec *urem)
{
	struct thread *t = current_thread();
	bool late = false;
	u64 now;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (late || signal_pending(t))
			break;
		late = !schedule_until(deadline);
	}
	set_current_state(TASK_RUNNING);
	now = ktime_get();
	if (late || now >= deadline)
		return 0;
	if (urem && put_user(to_timespec(deadline - now), urem))
		return -EFAULT;
	return -ERESTARTNOHAND;
}

static long sleep_for(u64 ns, struct timespec *urem)
{
	u64 deadline = restarted_deadline(ns == ~0UL ? ns : ktime_get() + ns);
	long ret = sleep_until(deadline, urem);

	return ret == -ERESTARTNOHAND ? restart_with_deadline(deadline) : ret;
}

SYSCALL(nanosleep)
{
	int err = a[0] ? 0 : -EFAULT;
	u64 ns = get_timeout((const struct timespec *)a[0], &err);

	return err ? err : sleep_for(ns, (struct timespec *)a[1]);
}

SYSCALL(clock_nanosleep)
{
	int err = a[2] ? 0 : -EFAULT;
	u64 ns = get_timeout((const struct timespec *)a[2], &err), now = read_clock(a[0]);

	if (now == ~0UL || a[0] == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (err)
		return err;
	if (!(a[1] & TIMER_ABSTIME))
		return sleep_for(ns, (struct timespec *)a[3]);
	if (ns == ~0UL)
		return sleep_until(ns, NULL);
	return ns <= now ? 0 : sleep_until(ktime_get() + (ns - now), NULL);
}

#define ITIMER_REAL	0

struct user_itimer {
	struct timeval interval, value;
};

static struct timeval to_timeval(u64 ns)
{
	ns += 999;		/* what is left is never said to be nothing */
	return (struct timeval){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000 };
}

static int put_itimer(const struct itimer *it, struct user_itimer *user)
{
	struct user_itimer out = { to_timeval(it->interval_ns), to_timeval(it->value_ns) };

	return copy_to_user(user, &out, sizeof(out));
}

/* False: not a time. Centuries are forever, which is no alarm. */
static bool valid_timeval(const struct timeval *tv, u64 *ns)
{
	if (tv->tv_sec < 0 || (u64)tv->tv_usec >= 1000000)
		return false;
	*ns = (u64)tv->tv_sec > ~0UL / NSEC_PER_SEC / 4 ? 0 :
	      tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * 1000;
	return true;
}

SYSCALL(getitimer)
{
	struct itimer it;

	if ((int)a[0] != ITIMER_REAL)
		return -EINVAL;
	get_itimer(&it);
	return put_itimer(&it, (struct user_itimer *)a[1]);
}

SYSCALL(setitimer)
{
	struct user_itimer user = { 0 };
	struct itimer new, old;

	if ((int)a[0] != ITIMER_REAL)
		return -EINVAL;
	if (a[1] && copy_from_user(&user, (void *)a[1], sizeof(user)))
		return -EFAULT;
	if (!valid_timeval(&user.interval, &new.interval_ns) ||
	    !valid_timeval(&user.value, &new.value_ns))
		return -EINVAL;
	get_itimer(&old);
	set_itimer(&new);
	return a[2] ? put_itimer(&old, (struct user_itimer *)a[2]) : 0;
}

SYSCALL(gettimeofday)
{
	u64 now = ktime_get_real();
	struct timeval tv = { now / NSEC_PER_SEC, now % NSEC_PER_SEC / 1000 };
	u64 zone = 0;

	if (a[0] && put_user(tv, (struct timeval *)a[0]))
		return -EFAULT;
	return a[1] ? put_user(zone, (u64 *)a[1]) : 0;
}

SYSCALL(times)
{
	struct process *p = current_process();
	u64 t[4];

	process_times(&t[0], &t[1]);
	t[2] = p->cutime_ns;
	t[3] = p->cstime_ns;
	for (unsigned int i = 0; i < 4; i++)
		t[i] /= 10000000;
	if (a[0] && copy_to_user((void *)a[0], t, sizeof(t)))
		return -EFAULT;
	return ktime_get() / 10000000;
}

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	-1
#define RUSAGE_THREAD	1

SYSCALL(getrusage)
{
	struct process *p = current_process();
	s64 usage[18] = { 0 };
	u64 utime = p->cutime_ns, stime = p->cstime_ns;

	if ((int)a[0] == RUSAGE_SELF)
		process_times(&utime, &stime);
	else if ((int)a[0] == RUSAGE_THREAD)
		thread_cputime(current_thread(), &utime, &stime);
	else if ((int)a[0] != RUSAGE_CHILDREN)
		return -EINVAL;
	usage[0] = utime / NSEC_PER_SEC;
	usage[1] = utime % NSEC_PER_SEC / 1000;
	usage[2] = stime / NSEC_PER_SEC;
	usage[3] = stime % NSEC_PER_SEC / 1000;
	return copy_to_user((void *)a[1], usage, sizeof(usage));
}

struct sysinfo {
	s64 uptime;
	u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
};
BUILD_BUG_ON(sizeof(struct sysinfo) != 112);

SYSCALL(sysinfo)
{
	struct sysinfo info;
	unsigned long load[3];
	struct process *p;

	memset(&info, 0, sizeof(info));
	info.uptime = ktime_get() / NSEC_PER_SEC;
	sched_loadavg(load);
	for (unsigned int i = 0; i < 3; i++)
		info.loads[i] = load[i] << 5;	/* 11 fraction bits to 16 */
	info.totalram = totalram_pages() * PAGE_SIZE;
	info.freeram = nr_free_pages() * PAGE_SIZE;
	info.sharedram = vm_stat_read(NR_SHMEM) * PAGE_SIZE;
	info.totalswap = total_swap_pages() * PAGE_SIZE;
	info.freeswap = nr_swap_pages() * PAGE_SIZE;
	info.mem_unit = 1;
	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all)
		info.procs++;
	spin_unlock_irq(&tasklist_lock);
	return copy_to_user((void *)a[0], &info, sizeof(info));
}
