/* Linux's generic 64-bit struct stat and struct statfs. */
#pragma once

#include "lib/compiler.h"

struct stat {
	u64 st_dev, st_ino;
	u32 st_mode, st_nlink, st_uid, st_gid;
	u64 st_rdev, __pad1;
	s64 st_size;
	s32 st_blksize, __pad2;
	s64 st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	u32 __unused[2];
};
BUILD_BUG_ON(sizeof(struct stat) != 128);

struct statfs {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	u64 f_fsid;
	s64 f_namelen, f_frsize, f_flags, f_spare[4];
};
BUILD_BUG_ON(sizeof(struct statfs) != 120);
