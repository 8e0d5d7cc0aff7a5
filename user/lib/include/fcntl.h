/* Opening files. */
#ifndef _FCNTL_H
#define _FCNTL_H

#include <sys/types.h>
#include <bits/arch.h>

#define O_RDONLY	00
#define O_WRONLY	01
#define O_RDWR		02
#define O_ACCMODE	03
#define O_CREAT		0100
#define O_EXCL		0200
#define O_NOCTTY	0400
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DSYNC		010000
#define O_SYNC		04010000
#define O_CLOEXEC	02000000
#define O_PATH		010000000
#define O_DIRECTORY	__O_DIRECTORY
#define O_NOFOLLOW	__O_NOFOLLOW
#define O_DIRECT	__O_DIRECT
#define O_LARGEFILE	__O_LARGEFILE

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_REMOVEDIR		0x200
#define AT_EACCESS		0x200
#define AT_SYMLINK_FOLLOW	0x400
#define AT_EMPTY_PATH		0x1000

#define RENAME_NOREPLACE	1
#define RENAME_EXCHANGE		2

#define POSIX_FADV_NORMAL	0
#define POSIX_FADV_DONTNEED	4

/* As in POSIX: a descriptor (fcntl: the command's result), or -1 with errno. */
int open(const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...);
int creat(const char *path, mode_t mode);
int fcntl(int fd, int command, ...);
/* Returns the error number itself. */
int posix_fadvise(int fd, off_t offset, off_t length, int advice);

#endif
