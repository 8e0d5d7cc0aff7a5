/* File-system statistics. */
#ifndef _SYS_STATFS_H
#define _SYS_STATFS_H

#include <sys/types.h>

struct statfs {
	long		f_type;
	long		f_bsize;
	unsigned long	f_blocks;
	unsigned long	f_bfree;
	unsigned long	f_bavail;
	unsigned long	f_files;
	unsigned long	f_ffree;
	int		f_fsid[2];
	long		f_namelen;
	long		f_frsize;
	long		f_flags;
	long		f_spare[4];
};

/* As on Linux: 0, or -1 with errno. */
int statfs(const char *path, struct statfs *st);
int fstatfs(int fd, struct statfs *st);

#endif
