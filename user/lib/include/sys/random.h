/* Random bytes from the kernel. */
#ifndef _SYS_RANDOM_H
#define _SYS_RANDOM_H

#include <sys/types.h>

#define GRND_NONBLOCK	1
#define GRND_RANDOM	2

/* Bytes stored, or -1 with errno. */
ssize_t getrandom(void *buf, size_t size, unsigned int flags);

#endif
