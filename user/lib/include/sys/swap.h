/* Swap areas. */
#ifndef _SYS_SWAP_H
#define _SYS_SWAP_H

#define SWAP_FLAG_PREFER	0x8000	/* the low bits are the area's priority */
#define SWAP_FLAG_PRIO_MASK	0x7fff

/* 0, or -1 with errno. */
int swapon(const char *path, int flags);
int swapoff(const char *path);

#endif
