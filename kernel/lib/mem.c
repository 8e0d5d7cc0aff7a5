/*
 * memcpy and its family, a 64-bit word at a time.
 *
 * The kernel's cost is counted in guest instructions, and after page clearing
 * these loops are where most of them go: the long ones move 64 bytes per turn.
 * All word accesses are aligned, because memory may still be mapped as device
 * memory when the first of these runs. When source and destination are not
 * aligned alike, each destination word is put together from two source words.
 *
 * This file must not be compiled into calls of itself, hence the pragma, which
 * stops gcc from recognising the loops (clang leaves them alone when
 * freestanding).
 */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#include "lib/sanitize.h"
#include "lib/string.h"

#define WORD sizeof(u64)
#define WORD_MASK (WORD - 1)
#define CHUNK (8 * WORD)

/* Shorter than this, aligning costs more than it saves. */
#define SHORT 16

typedef u64 __attribute__((may_alias)) word_t;

static __always_inline void copy_chunk(word_t *d, const word_t *s)
{
	u64 a = s[0], b = s[1], c = s[2], e = s[3];
	u64 f = s[4], g = s[5], h = s[6], i = s[7];

	d[0] = a;
	d[1] = b;
	d[2] = c;
	d[3] = e;
	d[4] = f;
	d[5] = g;
	d[6] = h;
	d[7] = i;
}

static __always_inline void fill_chunk(word_t *d, u64 word)
{
	d[0] = word;
	d[1] = word;
	d[2] = word;
	d[3] = word;
	d[4] = word;
	d[5] = word;
	d[6] = word;
	d[7] = word;
}

/*
 * Copy whole words from @s, misaligned, to @d, aligned, and return the bytes
 * left. Reads only words that hold at least one byte of the source, which is
 * within its bounds for the machine though not for a sanitizer.
 */
__attribute__((no_sanitize("address")))
static size_t copy_shifted(u8 *d, const u8 *s, size_t n)
{
	unsigned int shift = 8 * ((unsigned long)s & WORD_MASK);
	const word_t *from = (const word_t *)((unsigned long)s & ~WORD_MASK);
	word_t *to = (word_t *)d;
	u64 low = *from++;

	while (n >= WORD) {
		u64 high = *from++;

		*to++ = low >> shift | high << (64 - shift);
		low = high;
		n -= WORD;
	}
	return n;
}

/* Lowest address first: also right for overlapping areas when @d is below @s. */
static __always_inline void copy_forward(u8 *d, const u8 *s, size_t n)
{
	if (n >= SHORT) {
		size_t left;

		while ((unsigned long)d & WORD_MASK) {
			*d++ = *s++;
			n--;
		}
		if ((unsigned long)s & WORD_MASK) {
			left = copy_shifted(d, s, n);
			d += n - left;
			s += n - left;
			n = left;
		}
		for (; n >= CHUNK; d += CHUNK, s += CHUNK, n -= CHUNK)
			copy_chunk((word_t *)d, (const word_t *)s);
		for (; n >= WORD; d += WORD, s += WORD, n -= WORD)
			*(word_t *)d = *(const word_t *)s;
	}
	while (n--)
		*d++ = *s++;
}

static void copy_backward(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	if (n >= SHORT && !(((unsigned long)d ^ (unsigned long)s) & WORD_MASK)) {
		while ((unsigned long)d & WORD_MASK) {
			*--d = *--s;
			n--;
		}
		for (; n >= CHUNK; n -= CHUNK) {
			d -= CHUNK;
			s -= CHUNK;
			copy_chunk((word_t *)d, (const word_t *)s);
		}
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)d = *(const word_t *)s;
		}
	}
	while (n--)
		*--d = *--s;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	kasan_check_read(src, n);
	kasan_check_write(dst, n);
	copy_forward(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	kasan_check_read(src, n);
	kasan_check_write(dst, n);
	/* One comparison for both "below" and "no overlap": the difference wraps. */
	if ((unsigned long)dst - (unsigned long)src >= n)
		copy_forward(dst, src, n);
	else
		copy_backward(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 word = (u8)c * 0x0101010101010101UL;
	u8 *d = dst;

	kasan_check_write(dst, n);
	if (n >= SHORT) {
		while ((unsigned long)d & WORD_MASK) {
			*d++ = c;
			n--;
		}
		for (; n >= CHUNK; d += CHUNK, n -= CHUNK)
			fill_chunk((word_t *)d, word);
		for (; n >= WORD; d += WORD, n -= WORD)
			*(word_t *)d = word;
	}
	while (n--)
		*d++ = c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	kasan_check_read(a, n);
	kasan_check_read(b, n);
	/* Skip equal words; the bytes below find the difference within one. */
	if (!(((unsigned long)p | (unsigned long)q) & WORD_MASK))
		for (; n >= WORD; p += WORD, q += WORD, n -= WORD)
			if (*(const word_t *)p != *(const word_t *)q)
				break;
	for (; n; p++, q++, n--)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; p++, n--)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

void *memchr_inv(const void *s, int c, size_t n)
{
	u64 word = (u8)c * 0x0101010101010101UL;
	const u8 *p = s;

	for (; n && ((unsigned long)p & WORD_MASK); p++, n--)
		if (*p != (u8)c)
			return (void *)p;
	for (; n >= WORD; p += WORD, n -= WORD)
		if (*(const word_t *)p != word)
			break;
	for (; n; p++, n--)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

#define PAGE_BYTES 4096

void clear_page(void *page)
{
	word_t *d = page, *end = d + PAGE_BYTES / WORD;

	kasan_check_write(page, PAGE_BYTES);
	for (; d != end; d += CHUNK / WORD)
		fill_chunk(d, 0);
}

void copy_page(void *dst, const void *src)
{
	word_t *d = dst, *end = d + PAGE_BYTES / WORD;
	const word_t *s = src;

	kasan_check_read(src, PAGE_BYTES);
	kasan_check_write(dst, PAGE_BYTES);
	for (; d != end; d += CHUNK / WORD, s += CHUNK / WORD)
		copy_chunk(d, s);
}
