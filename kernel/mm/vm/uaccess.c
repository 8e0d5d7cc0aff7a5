/*
 * Strings and vectors in user memory, on top of the arch's raw copies.
 */
#include "mm/vm/uaccess.h"
#include "lib/string.h"

#define STRING_CHUNK	128UL	/* most strings are short */

/*
 * Copies in aligned chunks up to the NUL: a string may end just before an unmapped page, so a fault
 * in a later page is no fault of the string.
 */
long strncpy_from_user(char *to, const char *from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		unsigned long addr = (unsigned long)from + done;
		size_t n = min(size - done, STRING_CHUNK - (addr & (STRING_CHUNK - 1)));
		char *nul;

		if (copy_from_user(to + done, (const void *)addr, n))
			return -EFAULT;
		nul = memchr(to + done, 0, n);
		if (nul)
			return nul - to;
		done += n;
	}
	return -ENAMETOOLONG;
}

size_t strnlen_user(const char *s, size_t max)
{
	char chunk[64];
	size_t done = 0;

	while (done <= max) {
		unsigned long addr = (unsigned long)s + done;
		size_t n = min(sizeof(chunk), (size_t)(PAGE_SIZE - (addr & (PAGE_SIZE - 1))));
		char *nul;

		if (copy_from_user(chunk, (const void *)addr, n))
			return 0;
		nul = memchr(chunk, 0, n);
		if (nul)
			return done + (nul - chunk) + 1;
		done += n;
	}
	return max + 1;
}

int fault_in_readable(const void *addr, size_t n)
{
	unsigned long at = (unsigned long)addr, end = at + n;
	char byte;

	if (!access_ok(addr, n))
		return -EFAULT;
	for (; at < end; at = (at & PAGE_MASK) + PAGE_SIZE)
		if (copy_from_user(&byte, (void *)at, 1))
			return -EFAULT;
	return 0;
}

void iov_iter_init_one(struct iov_iter *it, struct iovec *iov, bool user, bool to_iter, void *buf,
		       size_t n)
{
	iov->iov_base = buf;
	iov->iov_len = n;
	*it = (struct iov_iter){ .user = user, .to_iter = to_iter, .iov = iov, .nr_segs = 1,
				 .count = n };
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	n = min(n, it->count);
	it->count -= n;
	it->iov_offset += n;
	while (it->nr_segs && it->iov_offset >= it->iov->iov_len) {
		it->iov_offset -= it->iov->iov_len;
		it->iov++;
		it->nr_segs--;
	}
}

void iov_iter_revert(struct iov_iter *it, size_t n)
{
	it->count += n;
	while (n > it->iov_offset) {
		n -= it->iov_offset;
		it->iov--;
		it->nr_segs++;
		it->iov_offset = it->iov->iov_len;
	}
	it->iov_offset -= n;
}

enum iter_move { ITER_OUT, ITER_IN, ITER_ZERO };

/* Bytes of one segment's piece that were moved. */
static size_t move_piece(struct iov_iter *it, void *at, void *kernel, size_t n, enum iter_move how)
{
	if (!it->user) {
		if (how == ITER_OUT)
			memcpy(at, kernel, n);
		else if (how == ITER_IN)
			memcpy(kernel, at, n);
		else
			memset(at, 0, n);
		return n;
	}
	if (!access_ok(at, n))
		return 0;
	if (how == ITER_OUT)
		return n - arch_copy_to_user(at, kernel, n);
	if (how == ITER_IN)
		return n - arch_copy_from_user(kernel, at, n);
	return n - arch_clear_user(at, n);
}

static size_t iter_move(struct iov_iter *it, void *kernel, size_t n, enum iter_move how)
{
	size_t done = 0;

	n = min(n, it->count);
	while (done < n) {
		size_t piece = min(n - done, it->iov->iov_len - it->iov_offset);
		size_t moved = 0;

		if (piece)
			moved = move_piece(it, (char *)it->iov->iov_base + it->iov_offset,
					   (char *)kernel + done, piece, how);
		iov_iter_advance(it, moved);
		if (piece == 0)		/* an empty segment in front */
			iov_iter_advance(it, 0);
		done += moved;
		if (moved < piece)
			break;
	}
	return done;
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it)
{
	return iter_move(it, (void *)from, n, ITER_OUT);
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *it)
{
	return iter_move(it, to, n, ITER_IN);
}

size_t zero_iter(size_t n, struct iov_iter *it)
{
	return iter_move(it, NULL, n, ITER_ZERO);
}

int iov_iter_fault_in_readable(struct iov_iter *it, size_t n)
{
	char *from;

	if (!it->user || !it->count)
		return 0;
	iov_iter_advance(it, 0);	/* past empty segments */
	n = min(min(n, it->count), it->iov->iov_len - it->iov_offset);
	from = (char *)it->iov->iov_base + it->iov_offset;
	if (fault_in_readable(from, 1))
		return -EFAULT;
	(void)fault_in_readable(from, n);	/* as far as it goes */
	return 0;
}
