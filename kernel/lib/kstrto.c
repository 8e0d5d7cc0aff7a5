/* Numbers out of strings, refusing what is not one. */
#include "lib/errno.h"
#include "lib/string.h"

/* The value of digit @c, or a number larger than any base. */
static unsigned int digit(char c)
{
	if (isdigit(c))
		return c - '0';
	if (isalpha(c))
		return tolower(c) - 'a' + 10;
	return 255;
}

/* Step over a 0x or 0 prefix and settle the base; a bare "0x" is the number 0 and an x. */
static const char *skip_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && tolower(s[1]) == 'x' && digit(s[2]) < 16;

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

/*
 * Read digits into *@res; returns the first byte that is none, or @s itself. An
 * overflow sets *@overflow and reads on.
 */
static const char *parse_digits(const char *s, unsigned int base, u64 *res, bool *overflow)
{
	u64 value = 0;

	*overflow = false;
	for (; digit(*s) < base; s++) {
		if (value > (~0UL - digit(*s)) / base)
			*overflow = true;
		value = value * base + digit(*s);
	}
	*res = value;
	return s;
}

/* The magnitude of the whole string @s, which carries no sign any more. */
static int parse_whole(const char *s, unsigned int base, u64 *res)
{
	const char *end;
	bool overflow;
	u64 value;

	if (base == 1 || base > 36)
		return -EINVAL;
	s = skip_prefix(s, &base);
	end = parse_digits(s, base, &value, &overflow);
	if (end == s)
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	if (overflow)
		return -ERANGE;
	*res = value;
	return 0;
}

/* A number of either sign within @min..@max. */
static int parse_signed(const char *s, unsigned int base, s64 min, s64 max, s64 *res)
{
	bool negative = *s == '-';
	u64 value;
	int err;

	if (*s == '-' || *s == '+')
		s++;
	err = parse_whole(s, base, &value);
	if (err)
		return err;
	if (value > (negative ? 0 - (u64)min : (u64)max))
		return -ERANGE;
	*res = negative ? 0 - value : value;
	return 0;
}

static int parse_unsigned(const char *s, unsigned int base, u64 max, u64 *res)
{
	u64 value;
	int err;

	if (*s == '+')
		s++;
	err = parse_whole(s, base, &value);
	if (err)
		return err;
	if (value > max)
		return -ERANGE;
	*res = value;
	return 0;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	u64 value;
	int err = parse_unsigned(s, base, ~0UL, &value);

	if (!err)
		*res = value;
	return err;
}

int kstrtoll(const char *s, unsigned int base, long long *res)
{
	s64 value;
	int err = parse_signed(s, base, INT64_MIN, INT64_MAX, &value);

	if (!err)
		*res = value;
	return err;
}

int kstrtoul(const char *s, unsigned int base, unsigned long *res)
{
	return parse_unsigned(s, base, ~0UL, res);
}

int kstrtol(const char *s, unsigned int base, long *res)
{
	return parse_signed(s, base, INT64_MIN, INT64_MAX, res);
}

int kstrtouint(const char *s, unsigned int base, unsigned int *res)
{
	u64 value;
	int err = parse_unsigned(s, base, UINT32_MAX, &value);

	if (!err)
		*res = value;
	return err;
}

int kstrtoint(const char *s, unsigned int base, int *res)
{
	s64 value;
	int err = parse_signed(s, base, INT32_MIN, INT32_MAX, &value);

	if (!err)
		*res = value;
	return err;
}

int kstrtobool(const char *s, bool *res)
{
	static const char *const yes[] = { "y", "yes", "1", "on" };
	static const char *const no[] = { "n", "no", "0", "off" };

	for (unsigned int i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcasecmp(s, yes[i])) {
			*res = true;
			return 0;
		}
		if (!strcasecmp(s, no[i])) {
			*res = false;
			return 0;
		}
	}
	return -EINVAL;
}

u64 memparse(const char *s, char **end)
{
	static const char suffixes[] = "kmgt";
	unsigned int base = 0, shift = 0;
	const char *digits = skip_prefix(s, &base), *p, *suffix;
	bool overflow;
	u64 value;

	p = parse_digits(digits, base, &value, &overflow);
	if (p == digits) {
		p = s;
	} else if (*p) {
		suffix = strchr(suffixes, tolower(*p));
		if (suffix) {
			shift = 10 * (suffix - suffixes + 1);
			p++;
		}
	}
	if (end)
		*end = (char *)p;
	if (overflow || value > ~0UL >> shift)
		return ~0UL;
	return value << shift;
}
