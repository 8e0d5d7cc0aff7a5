/*
 * Shell patterns: '*' backtracks to its last occurrence only, which is enough and never
 * exponential.
 */
#include <fnmatch.h>
#include <stddef.h>

/*
 * Match c against the set at p (behind '['). Returns the position behind ']', or NULL if
 * unterminated.
 */
static const char *match_set(const char *p, unsigned char c, int *matched)
{
	int negate = *p == '!' || *p == '^', found = 0;
	const char *first;

	p += negate;
	first = p;
	for (; *p && (*p != ']' || p == first); p++) {
		unsigned char low, high;

		if (*p == '\\' && p[1])
			p++;
		low = high = (unsigned char)*p;
		if (p[1] == '-' && p[2] && p[2] != ']') {
			p += 2;
			if (*p == '\\' && p[1])
				p++;
			high = (unsigned char)*p;
		}
		if (low <= c && c <= high)
			found = 1;
	}
	*matched = found != negate;
	return *p ? p + 1 : NULL;
}

/* Match one character of s against one element of the pattern; the rest of the pattern, or NULL. */
static const char *match_one(const char *p, char c)
{
	const char *rest;
	int matched;

	if (!c)
		return NULL;
	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		rest = match_set(p + 1, (unsigned char)c, &matched);
		if (rest)
			return matched ? rest : NULL;
	}
	if (*p == '\\' && p[1])
		p++;
	return *p == c ? p + 1 : NULL;
}

int fnmatch(const char *pattern, const char *string, int flags)
{
	const char *star = NULL, *star_string = NULL;

	(void)flags;
	for (;;) {
		const char *rest;

		if (*pattern == '*') {
			star = ++pattern;
			star_string = string;
			continue;
		}
		if (!*pattern && !*string)
			return 0;
		rest = *pattern ? match_one(pattern, *string) : NULL;
		if (rest) {
			pattern = rest;
			string++;
			continue;
		}
		if (!star || !*star_string)
			return FNM_NOMATCH;
		pattern = star;
		string = ++star_string;
	}
}
