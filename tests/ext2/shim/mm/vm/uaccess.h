/* Copies between kernel memory only. */
#pragma once
#include "lib/compiler.h"
struct iovec {
	void *iov_base;
	size_t iov_len;
};
struct iov_iter {
	char *at;
	size_t count;
};
void iov_iter_init_one(struct iov_iter *it, struct iovec *iov, bool user, bool to_iter, void *buf,
		       size_t n);
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *it);
#define iov_iter_revert(it, n) ((it)->at -= (n), (it)->count += (n))
#define iov_iter_fault_in_readable(it, n) 0
#define pagefault_disable() ((void)0)
#define pagefault_enable() ((void)0)
