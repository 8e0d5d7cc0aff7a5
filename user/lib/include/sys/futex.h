/* The futex system call's operations. */
#ifndef _SYS_FUTEX_H
#define _SYS_FUTEX_H

#include <time.h>

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_PRIVATE_FLAG	128
#define FUTEX_CLOCK_REALTIME	256

/*
 * futex_wait: 0 after a wake-up, -1 with EAGAIN (*word != value), EINTR or ETIMEDOUT; timeout is
 * relative, or NULL.
 */
int futex_wait(int *word, int value, const struct timespec *timeout);
/* The number of waiters woken, at most count. */
int futex_wake(int *word, int count);

#endif
