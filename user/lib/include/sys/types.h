/* The system's basic types, as the generic 64-bit ABI lays them out. */
#ifndef _SYS_TYPES_H
#define _SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long		ssize_t;
typedef long		off_t;
typedef int		pid_t;
typedef unsigned int	uid_t;
typedef unsigned int	gid_t;
typedef unsigned int	mode_t;
typedef unsigned int	nlink_t;
typedef unsigned long	ino_t;
typedef unsigned long	dev_t;
typedef int		blksize_t;
typedef long		blkcnt_t;
typedef long		time_t;
typedef long		suseconds_t;
typedef int		clockid_t;

/* A device number as the kernel packs it into st_rdev. */
#define major(dev)	((unsigned int)(((dev) >> 8) & 0xfff))
#define minor(dev)	((unsigned int)(((dev) & 0xff) | (((dev) >> 12) & 0xfff00)))

#endif
