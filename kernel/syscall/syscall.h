/*
 * System calls: Linux's generic 64-bit numbers, arguments, structures, errno, on both machines.
 *
 * An entry gets its arguments as an array and returns a value or -errno. It does three things:
 * bring arguments in from user space, call the layer that knows, take results out. What a call
 * means is found there. To add one: write SYSCALL(name) in the file of its subject, add its line to
 * list.h.
 */
#pragma once

#include "proc/process.h"
#include "mm/vm/uaccess.h"

#define SYSCALL(name) long sys_##name(const unsigned long *a)

#define ENTRY(nr, name) SYSCALL(name);
#include "syscall/list.h"
#undef ENTRY

#define AT_FDCWD		-100
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_REMOVEDIR		0x200
#define AT_EACCESS		0x200
#define AT_SYMLINK_FOLLOW	0x400
#define AT_EMPTY_PATH		0x1000

/* A path from user space in a page of its own, or ERR_PTR(-EFAULT, -ENAMETOOLONG, -ENOMEM, and
 * -ENOENT for the empty one). putname() frees it; ERR_PTRs are fine. */
char *getname(const char *user_path);
void putname(char *name);
/* The directory where a relative @name starts: referenced, or ERR_PTR(-EBADF, -ENOTDIR). */
struct dentry *get_base(int dfd, const char *name);
/*
 * Relative sleeps across a signal without handler. The call returns restart_with_deadline(when),
 * runs again, and restarted_deadline(its new reckoning) gives it that time back. Current thread.
 */
u64 restarted_deadline(u64 fresh);
long restart_with_deadline(u64 deadline);
/* A timespec from user space as nanoseconds, or -EFAULT, -EINVAL through *err. NULL: ~0 (never). */
u64 get_timeout(const struct timespec *user, int *err);
