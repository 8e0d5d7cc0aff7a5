/* The formatter behind the printf family; see printf.h. */
#include "printf.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

struct output {
	void	(*put)(void *context, const char *text, size_t length);
	void	*context;
	int	count;
};

struct spec {
	int	left, plus, space, alternate, zero;
	int	width;
	int	precision;		/* -1: none given */
	int	size;			/* log2 of the argument's bytes: 0, 1, 2 or 3 */
	char	conversion;
};

static void put(struct output *out, const char *text, size_t length)
{
	if (length)
		out->put(out->context, text, length);
	out->count += (int)length;
}

static void pad(struct output *out, char c, int count)
{
	char run[16];

	memset(run, c, sizeof(run));
	for (; count > 0; count -= (int)sizeof(run))
		put(out, run, count < (int)sizeof(run) ? (size_t)count : sizeof(run));
}

/* Prefix (sign or 0x), zeros, digits, and spaces on the proper side. */
static void put_number(struct output *out, const struct spec *spec, const char *prefix,
		       const char *digits, int length)
{
	int prefix_length = (int)strlen(prefix);
	int zeros = spec->precision > length ? spec->precision - length : 0;
	int spaces = spec->width - prefix_length - zeros - length;

	if (spec->zero && !spec->left && spec->precision < 0 && spaces > 0) {
		zeros += spaces;
		spaces = 0;
	}
	if (!spec->left)
		pad(out, ' ', spaces);
	put(out, prefix, (size_t)prefix_length);
	pad(out, '0', zeros);
	put(out, digits, (size_t)length);
	if (spec->left)
		pad(out, ' ', spaces);
}

static void format_unsigned(struct output *out, const struct spec *spec, unsigned long value,
			    const char *prefix)
{
	const char *alphabet = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = 10;
	char buf[24], *end = buf + sizeof(buf), *p = end;

	if (strchr("xXp", spec->conversion))
		base = 16;
	else if (spec->conversion == 'o')
		base = 8;
	if (spec->conversion == 'p' || (spec->alternate && base == 16 && value))
		prefix = spec->conversion == 'X' ? "0X" : "0x";
	for (; value; value /= base)
		*--p = alphabet[value % base];
	if (p == end && spec->precision != 0)
		*--p = '0';
	if (base == 8 && spec->alternate && (p == end || *p != '0'))
		*--p = '0';
	put_number(out, spec, prefix, p, (int)(end - p));
}

static void format_signed(struct output *out, const struct spec *spec, long value)
{
	const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	format_unsigned(out, spec, value < 0 ? -(unsigned long)value : (unsigned long)value,
			prefix);
}

static void format_string(struct output *out, const struct spec *spec, const char *s)
{
	size_t length;

	if (!s)
		s = "(null)";
	length = spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s);
	if (!spec->left)
		pad(out, ' ', spec->width - (int)length);
	put(out, s, length);
	if (spec->left)
		pad(out, ' ', spec->width - (int)length);
}

static long signed_of(long value, int size)
{
	return size == 0   ? (signed char)value
	       : size == 1 ? (short)value
	       : size == 2 ? (int)value
			   : value;
}

static unsigned long unsigned_of(unsigned long value, int size)
{
	return size == 3 ? value : value & ((1UL << (8 << size)) - 1);
}

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		switch (*p) {
		case '-': spec->left = 1; break;
		case '+': spec->plus = 1; break;
		case ' ': spec->space = 1; break;
		case '#': spec->alternate = 1; break;
		case '0': spec->zero = 1; break;
		default: return p;
		}
	}
}

static const char *parse_size(const char *p, struct spec *spec)
{
	spec->size = 2;
	for (;; p++) {
		switch (*p) {
		case 'h': spec->size--; break;
		case 'l': case 'z': case 'j': case 't': spec->size = 3; break;
		default: return p;
		}
	}
}

static const char *parse_count(const char *p, int *count)
{
	for (*count = 0; isdigit((unsigned char)*p); p++)
		if (*count < INT_MAX / 20)
			*count = *count * 10 + (*p - '0');
	return p;
}

/*
 * Arguments narrower than int arrive as int, and every integer register argument of these ABIs
 * travels in 64 bits, so an int is fetched as int and a long as long.
 */
#define FETCH(args, spec) ((spec)->size == 3 ? va_arg(*(args), long) : (long)va_arg(*(args), int))

struct arguments {
	va_list list;
};

/* Parse and print one conversion; p is behind the '%'. Returns the position after it. */
static const char *convert(struct output *out, const char *p, struct arguments *args)
{
	struct spec spec = { .precision = -1 };
	const char *start = p;
	char c;

	p = parse_flags(p, &spec);
	if (*p == '*') {
		spec.width = va_arg(args->list, int);
		if (spec.width < 0) {
			spec.left = 1;
			spec.width = -spec.width;
		}
		p++;
	} else {
		p = parse_count(p, &spec.width);
	}
	if (*p == '.') {
		if (*++p == '*') {
			spec.precision = va_arg(args->list, int);
			p++;
		} else {
			p = parse_count(p, &spec.precision);
		}
	}
	p = parse_size(p, &spec);
	spec.conversion = *p;
	switch (*p) {
	case 'd':
	case 'i':
		format_signed(out, &spec, signed_of(FETCH(&args->list, &spec), spec.size));
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		format_unsigned(out, &spec,
				unsigned_of((unsigned long)FETCH(&args->list, &spec), spec.size),
				"");
		break;
	case 'p':
		format_unsigned(out, &spec, (unsigned long)va_arg(args->list, void *), "0x");
		break;
	case 'c':
		c = (char)va_arg(args->list, int);
		if (!spec.left)
			pad(out, ' ', spec.width - 1);
		put(out, &c, 1);
		if (spec.left)
			pad(out, ' ', spec.width - 1);
		break;
	case 's':
		format_string(out, &spec, va_arg(args->list, const char *));
		break;
	case 'm':
		format_string(out, &spec, strerror(errno));
		break;
	case 'n':
		*va_arg(args->list, int *) = out->count;
		break;
	case '%':
		put(out, "%", 1);
		break;
	default:
		put(out, start - 1, (size_t)(p - start) + 1);
		return p;
	}
	return p + 1;
}

int __format(void (*putter)(void *context, const char *text, size_t length), void *context,
	     const char *format, va_list list)
{
	struct output out = { putter, context, 0 };
	struct arguments args;

	va_copy(args.list, list);
	while (*format) {
		size_t literal = (size_t)(strchrnul(format, '%') - format);

		put(&out, format, literal);
		format += literal;
		if (*format == '%')
			format = convert(&out, format + 1, &args);
	}
	va_end(args.list);
	return out.count;
}
