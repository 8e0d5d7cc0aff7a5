/* Terminated strings. Plain byte loops: the strings of a kernel are short. */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")	/* as in mem.c */
#endif

#include "lib/errno.h"
#include "lib/string.h"

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return p - s;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--)
		if (!*a || *a != *b)
			return (u8)*a - (u8)*b;
	return 0;
}

int strncasecmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--) {
		int x = tolower((u8)*a), y = tolower((u8)*b);

		if (!x || x != y)
			return x - y;
	}
	return 0;
}

int strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, (size_t)-1);
}

char *strchrnul(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)s;
}

char *strchr(const char *s, int c)
{
	s = strchrnul(s, c);
	return *s == (char)c ? (char *)s : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (;; s++) {
		if (!strncmp(s, what, n))
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !strchr(set, s[n]))
		n++;
	return n;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t n;

	for (n = 0; n < size; n++) {
		dst[n] = src[n];
		if (!src[n])
			return n;
	}
	if (size)
		dst[size - 1] = '\0';
	return -E2BIG;
}

char *strsep(char **s, const char *delims)
{
	char *token = *s, *end;

	if (!token)
		return NULL;
	end = token + strcspn(token, delims);
	*s = *end ? end + 1 : NULL;
	*end = '\0';
	return token;
}

char *skip_spaces(const char *s)
{
	while (isspace((u8)*s))
		s++;
	return (char *)s;
}

char *strim(char *s)
{
	size_t n;

	s = skip_spaces(s);
	n = strlen(s);
	while (n && isspace((u8)s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}
