/*
 * User memory. Every pointer from user space goes through these; they check the range, fault pages
 * in, and recover. May sleep unless pagefault_disabled. Never with mmap_lock or a spinlock held.
 */
#pragma once

#include "arch/arch.h"
#include "asm/current.h"
#include "lib/errno.h"
#include "lib/sanitize.h"

/* Lies [addr, addr+n) in user space? */
static inline bool access_ok(const void *addr, size_t n)
{
	return n <= task_size && (unsigned long)addr <= task_size - n;
}

/* 0, or -EFAULT (then an unknown part was done). */
static inline int copy_from_user(void *to, const void *from, size_t n)
{
	kasan_check_write(to, n);
	return access_ok(from, n) && arch_copy_from_user(to, from, n) == 0 ? 0 : -EFAULT;
}
static inline int copy_to_user(void *to, const void *from, size_t n)
{
	kasan_check_read(from, n);
	return access_ok(to, n) && arch_copy_to_user(to, from, n) == 0 ? 0 : -EFAULT;
}
static inline int clear_user(void *to, size_t n)
{
	return access_ok(to, n) && arch_clear_user(to, n) == 0 ? 0 : -EFAULT;
}
#define get_user(x, uptr) copy_from_user(&(x), (uptr), sizeof(x))
#define put_user(x, uptr) ({ __typeof__(*(uptr)) _v = (x); copy_to_user((uptr), &_v, sizeof(_v)); })

/* Copies a NUL-terminated string of at most @size bytes with its NUL: length without it, -EFAULT,
 * or -ENAMETOOLONG when no NUL fits. uaccess.c */
long strncpy_from_user(char *to, const char *from, size_t size);
/* Length of a user string with its NUL, at most @max; 0 on a fault, > max when longer. */
size_t strnlen_user(const char *s, size_t max);
/* Reads a byte of each page of a user range, so that a following pagefault_disabled copy likely
 * works: 0 or -EFAULT. */
int fault_in_readable(const void *addr, size_t n);

static inline void pagefault_disable(void) { current_head()->pagefault_disabled++; barrier(); }
static inline void pagefault_enable(void) { barrier(); current_head()->pagefault_disabled--; }

/* Bytes to and from another process's memory, for /proc/<pid>/cmdline: how many were done. */
struct mm;
size_t access_process_vm(struct mm *mm, unsigned long addr, void *buf, size_t n, bool write);

/* A range to copy from or to: user or kernel memory, used by read and write paths. */
struct iov_iter {
	bool user;
	bool to_iter;			/* true: data flows into the iterator (a read) */
	const struct iovec *iov;	/* kernel copy of the vector */
	unsigned int nr_segs;
	size_t iov_offset, count;	/* bytes left */
};
struct iovec {
	void *iov_base;
	size_t iov_len;
};
/* One segment; @iov is caller's storage. */
void iov_iter_init_one(struct iov_iter *it, struct iovec *iov, bool user, bool to_iter, void *buf,
		       size_t n);
/* Copy and advance: bytes done; fewer than n only at a fault or the end. */
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *it);
size_t zero_iter(size_t n, struct iov_iter *it);
void iov_iter_advance(struct iov_iter *it, size_t n);
void iov_iter_revert(struct iov_iter *it, size_t n);	/* within the same call's progress */
/* Faults in the first n bytes of a source: 0 or -EFAULT when nothing of it is readable. */
int iov_iter_fault_in_readable(struct iov_iter *it, size_t n);
