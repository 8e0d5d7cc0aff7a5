/*
 * Memory, strings, and numbers out of strings. Names and behaviour are C's and
 * Linux's. None of these may be used on user memory: see mm/vm's user access.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

/* mem.c: memory. memcpy's areas must not overlap; memmove's may. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

/* The first byte of @s that is not @c, or NULL: who trod on this poison? */
void *memchr_inv(const void *s, int c, size_t n);

/* One 4096-byte page, aligned to at least 8 bytes. */
void clear_page(void *page);
void copy_page(void *dst, const void *src);

/* string.c: strings. */
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);

/* Length of the part of @s made only of (strspn), or free of (strcspn), the bytes in @set. */
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);

/*
 * Copy @src to @dst of @size bytes, always terminated when @size > 0. Returns
 * the length copied, or -E2BIG when @src did not fit (or @size is 0). Reads no
 * byte of @src beyond the first @size.
 */
ssize_t strscpy(char *dst, const char *src, size_t size);

/*
 * Cut the next token off *@s: terminates it at the first byte in @delims, moves
 * *@s behind it (NULL at the end) and returns the token, which may be empty.
 * Returns NULL when *@s is NULL.
 */
char *strsep(char **s, const char *delims);

/* First non-blank byte of @s. */
char *skip_spaces(const char *s);

/* Cut blanks off both ends of @s, in place; returns the new start. */
char *strim(char *s);

static inline bool strstarts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

/*
 * kstrto.c: the whole of @s as a number, with an optional sign, and a trailing
 * newline allowed. @base 0 understands 0x and 0 prefixes. 0 and *@res set, or
 * -EINVAL for anything that is not a number, -ERANGE for one too large; *@res
 * is untouched on failure.
 */
int kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int kstrtoll(const char *s, unsigned int base, long long *res);
int kstrtoul(const char *s, unsigned int base, unsigned long *res);
int kstrtol(const char *s, unsigned int base, long *res);
int kstrtouint(const char *s, unsigned int base, unsigned int *res);
int kstrtoint(const char *s, unsigned int base, int *res);
/* y, yes, 1, on or n, no, 0, off, in either case; 0 or -EINVAL. */
int kstrtobool(const char *s, bool *res);

/*
 * A number with an optional K, M, G or T suffix, as in MEM=64M. *@end (if not
 * NULL) is set behind what was understood; @s itself when nothing was. Too large
 * a number gives 2^64 - 1.
 */
u64 memparse(const char *s, char **end);

static inline bool isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool isupper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool islower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool isalpha(int c)
{
	return isupper(c) || islower(c);
}

static inline bool isalnum(int c)
{
	return isalpha(c) || isdigit(c);
}

static inline bool isprint(int c)
{
	return c >= ' ' && c <= '~';
}

static inline int tolower(int c)
{
	return isupper(c) ? c + ('a' - 'A') : c;
}

static inline int toupper(int c)
{
	return islower(c) ? c - ('a' - 'A') : c;
}
