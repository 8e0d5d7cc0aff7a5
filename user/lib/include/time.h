/* Clocks and calendar (UTC only). */
#ifndef _TIME_H
#define _TIME_H

#include <sys/types.h>

struct timespec {
	time_t	tv_sec;
	long	tv_nsec;
};

struct tm {
	int tm_sec;
	int tm_min;
	int tm_hour;
	int tm_mday;
	int tm_mon;
	int tm_year;
	int tm_wday;
	int tm_yday;
	int tm_isdst;
};

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	3
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_REALTIME_COARSE	5
#define CLOCK_MONOTONIC_COARSE	6
#define CLOCK_BOOTTIME		7
#define TIMER_ABSTIME		1

/* As in POSIX: 0, or -1 with errno (clock_nanosleep returns the error number itself). */
int clock_gettime(clockid_t clock, struct timespec *ts);
int clock_getres(clockid_t clock, struct timespec *ts);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
		    struct timespec *left);
int nanosleep(const struct timespec *request, struct timespec *left);
time_t time(time_t *seconds);
struct tm *gmtime_r(const time_t *seconds, struct tm *tm);
/* Knows %a %b %d %e %F %H %j %m %M %n %S %T %y %Y %Z %%; returns 0 if the result does not fit. */
size_t strftime(char *buf, size_t size, const char *format, const struct tm *tm);

#endif
