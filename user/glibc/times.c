/* Clocks, calendar arithmetic, sleeping, getrandom, uname and the limits a program asks for. */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double now(clockid_t clock)
{
	struct timespec ts;

	check(clock_gettime(clock, &ts) == 0, "clock %d", clock);
	check(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000, "nanoseconds %ld", ts.tv_nsec);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void clocks(void)
{
	struct timespec nap = {0, 30000000};
	double before = now(CLOCK_MONOTONIC), after;
	struct timeval tv;

	check(nanosleep(&nap, NULL) == 0, "nanosleep");
	after = now(CLOCK_MONOTONIC);
	check(after - before >= 0.03, "slept %f s instead of 0.03", after - before);
	check(usleep(1000) == 0, "usleep");
	check(gettimeofday(&tv, NULL) == 0, "gettimeofday");
	check(llabs((long long)tv.tv_sec - time(NULL)) <= 2, "time and gettimeofday disagree");
	check(now(CLOCK_PROCESS_CPUTIME_ID) >= 0 && clock() != (clock_t)-1, "no CPU time");
	nap.tv_nsec = 1000000000;
	check(nanosleep(&nap, NULL) < 0 && errno == EINVAL, "slept for 1000000000 ns");
	before = now(CLOCK_MONOTONIC);
	check(poll(NULL, 0, 20) == 0, "poll");
	after = now(CLOCK_MONOTONIC);
	check(after - before >= 0.02, "poll waited %f s instead of 0.02", after - before);
}

static void calendar(void)
{
	time_t t = 951782400; /* 29 February 2000 */
	struct tm tm;
	char text[64];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %a %j", &tm);
	check(!strcmp(text, "2000-02-29 00:00:00 Tue 060"), "strftime gave '%s'", text);
	check(timegm(&tm) == t, "timegm gave %ld", (long)timegm(&tm));
	check(localtime_r(&t, &tm) != NULL, "localtime_r");
}

static void system_facts(void)
{
	unsigned char a[64], b[64];
	struct utsname uts;
	struct sysinfo info;
	struct rlimit limit;
	cpu_set_t cpus;

	check(getrandom(a, sizeof(a), 0) == sizeof(a) && getrandom(b, sizeof(b), 0) == sizeof(b),
	      "getrandom");
	check(memcmp(a, b, sizeof(a)), "getrandom repeated itself");
	check(uname(&uts) == 0 && uts.sysname[0] && uts.machine[0], "uname");
	check(sysinfo(&info) == 0 && info.totalram > 0 && info.freeram <= info.totalram, "sysinfo");
	check(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 65536, "stack limit");
	check(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 16, "file limit");
	check(sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) >= 1, "affinity");
	check(get_nprocs() >= 1, "no processor");
	check(sched_yield() == 0 && getpagesize() == 4096, "yield");
}

int main(void)
{
	clocks();
	calendar();
	system_facts();
	return done("times");
}
