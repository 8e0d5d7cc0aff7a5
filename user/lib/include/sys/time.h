/* Time of day. */
#ifndef _SYS_TIME_H
#define _SYS_TIME_H

#include <sys/types.h>

struct timeval {
	time_t		tv_sec;
	suseconds_t	tv_usec;
};

struct timezone {
	int tz_minuteswest;
	int tz_dsttime;
};

/* As in POSIX: 0, or -1 with errno; zone may be NULL. */
int gettimeofday(struct timeval *tv, void *zone);

#endif
