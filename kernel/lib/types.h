/* The basic types. Bottom of the house: includes nothing of ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef long ssize_t;
typedef s64 loff_t;
typedef unsigned long pgoff_t;		/* index of a page in a file or mapping */
typedef unsigned long phys_addr_t;	/* physical address, bytes */
typedef unsigned long pfn_t;		/* physical address / PAGE_SIZE */
typedef unsigned int gfp_t;		/* allocation flags, mm/phys/gfp.h */
typedef int pid_t;
typedef unsigned int umode_t;
typedef u32 dev_t;
typedef u64 ino_t;
typedef s64 time64_t;

/* Linux's structures shared with user space. */
struct timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

struct timeval {
	s64 tv_sec;
	s64 tv_usec;
};
