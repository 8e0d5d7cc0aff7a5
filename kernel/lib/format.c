/* printf into a buffer: one pass over the format, one state per conversion. */
#include "lib/format.h"
#include "lib/string.h"

format_symbol_fn format_symbol_hook;

/* Where text goes: counts everything, stores what fits before @end. */
struct out {
	char *pos;
	char *end;
	size_t len;
};

enum spec_flags {
	LEFT = 1 << 0,		/* - */
	PLUS = 1 << 1,		/* + */
	SPACE = 1 << 2,
	ALT = 1 << 3,		/* # */
	ZERO = 1 << 4,
	UPPER = 1 << 5,		/* X */
	SIGNED = 1 << 6,
};

struct spec {
	unsigned int flags;
	int width;
	int precision;		/* -1: none given */
	int size;		/* of the integer argument, in bytes */
};

/* Wider than any line; keeps a mad width from taking minutes. */
#define MAX_WIDTH 4096

static inline void put(struct out *out, char c)
{
	if (out->pos < out->end)
		*out->pos++ = c;
	out->len++;
}

static void pad(struct out *out, char c, int n)
{
	while (n-- > 0)
		put(out, c);
}

/* Text of @len bytes in a field; numbers come here with their digits ready. */
static void put_field(struct out *out, const struct spec *spec, const char *s, int len)
{
	if (!(spec->flags & LEFT))
		pad(out, ' ', spec->width - len);
	for (int i = 0; i < len; i++)
		put(out, s[i]);
	if (spec->flags & LEFT)
		pad(out, ' ', spec->width - len);
}

static void put_string(struct out *out, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	put_field(out, spec, s, strnlen(s, spec->precision < 0 ? INT32_MAX : spec->precision));
}

/* The sign or base that goes before the digits; returns its length, 0..2. */
static int number_prefix(char *prefix, unsigned int flags, bool negative, unsigned int base,
			 u64 value)
{
	if (negative)
		prefix[0] = '-';
	else if ((flags & SIGNED) && (flags & PLUS))
		prefix[0] = '+';
	else if ((flags & SIGNED) && (flags & SPACE))
		prefix[0] = ' ';
	else if ((flags & ALT) && base == 16 && value) {
		prefix[0] = '0';
		prefix[1] = flags & UPPER ? 'X' : 'x';
		return 2;
	} else {
		return 0;
	}
	return 1;
}

static void put_number(struct out *out, const struct spec *spec, u64 value, unsigned int base)
{
	const char *digits = spec->flags & UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24], prefix[2], *end = text + sizeof(text), *p = end;
	bool negative = (spec->flags & SIGNED) && (s64)value < 0;
	u64 rest = negative ? 0 - value : value;
	int prefix_len, len, zeros;

	if (base == 10) {
		for (; rest; rest /= 10)
			*--p = digits[rest % 10];
	} else {
		unsigned int shift = base == 16 ? 4 : 3;

		for (; rest; rest >>= shift)
			*--p = digits[rest & (base - 1)];
	}
	if (!value && spec->precision != 0)
		*--p = '0';
	if ((spec->flags & ALT) && base == 8 && (p == end || *p != '0'))
		*--p = '0';
	len = end - p;
	prefix_len = number_prefix(prefix, spec->flags, negative, base, value);

	zeros = spec->precision - len;
	if (spec->precision < 0 && (spec->flags & (ZERO | LEFT)) == ZERO)
		zeros = spec->width - len - prefix_len;
	if (zeros < 0)
		zeros = 0;

	if (!(spec->flags & LEFT))
		pad(out, ' ', spec->width - prefix_len - zeros - len);
	for (int i = 0; i < prefix_len; i++)
		put(out, prefix[i]);
	pad(out, '0', zeros);
	for (int i = 0; i < len; i++)
		put(out, p[i]);
	if (spec->flags & LEFT)
		pad(out, ' ', spec->width - prefix_len - zeros - len);
}

static void put_pointer(struct out *out, const struct spec *spec, const void *ptr)
{
	struct spec hex = { .flags = spec->flags & LEFT, .width = spec->width, .precision = 16 };

	put_number(out, &hex, (unsigned long)ptr, 16);
}

/* symbol+0x12/0x345; @where false leaves the numbers out. */
static void put_symbol(struct out *out, const struct spec *spec, const void *ptr, bool where)
{
	unsigned long offset = 0, size = 0;
	const char *name = NULL;
	char text[160];

	if (format_symbol_hook)
		name = format_symbol_hook((unsigned long)ptr, &offset, &size);
	if (!name) {
		put_pointer(out, spec, ptr);
		return;
	}
	if (where && size)
		scnprintf(text, sizeof(text), "%.120s+0x%lx/0x%lx", name, offset, size);
	else if (where)
		scnprintf(text, sizeof(text), "%.120s+0x%lx", name, offset);
	else
		scnprintf(text, sizeof(text), "%.120s", name);
	put_string(out, spec, text);
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	for (;; fmt++) {
		switch (*fmt) {
		case '-':
			spec->flags |= LEFT;
			break;
		case '+':
			spec->flags |= PLUS;
			break;
		case ' ':
			spec->flags |= SPACE;
			break;
		case '#':
			spec->flags |= ALT;
			break;
		case '0':
			spec->flags |= ZERO;
			break;
		default:
			return fmt;
		}
	}
}

static const char *parse_decimal(const char *fmt, int *res)
{
	int value = 0;

	for (; isdigit(*fmt); fmt++)
		if (value < MAX_WIDTH)
			value = 10 * value + *fmt - '0';
	*res = value < MAX_WIDTH ? value : MAX_WIDTH;
	return fmt;
}

static const char *parse_size(const char *fmt, struct spec *spec)
{
	spec->size = sizeof(int);
	switch (*fmt) {
	case 'h':
		spec->size = fmt[1] == 'h' ? sizeof(char) : sizeof(short);
		return fmt + (fmt[1] == 'h' ? 2 : 1);
	case 'l':
		spec->size = sizeof(long);
		return fmt + (fmt[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		spec->size = sizeof(long);
		return fmt + 1;
	}
	return fmt;
}

/* An integer as it was passed, cut to its size and extended to 64 bits again. */
static u64 narrow(u64 value, const struct spec *spec)
{
	unsigned int unused = 64 - 8 * spec->size;

	value <<= unused;
	return spec->flags & SIGNED ? (u64)((s64)value >> unused) : value >> unused;
}

/* va_list may be an array type, which cannot be passed by reference: hence the wrapper. */
struct args {
	va_list list;
};

static u64 integer_arg(struct args *args, const struct spec *spec)
{
	if (spec->size == sizeof(long))
		return va_arg(args->list, u64);
	return narrow(va_arg(args->list, unsigned int), spec);
}

/* Width and precision, each a number or '*'. */
static const char *parse_field(const char *fmt, struct spec *spec, struct args *args)
{
	if (*fmt == '*') {
		spec->width = va_arg(args->list, int);
		fmt++;
		if (spec->width < 0) {
			spec->flags |= LEFT;
			spec->width = spec->width < -MAX_WIDTH ? MAX_WIDTH : -spec->width;
		}
		spec->width = min(spec->width, MAX_WIDTH);
	} else {
		fmt = parse_decimal(fmt, &spec->width);
	}
	if (*fmt != '.')
		return fmt;
	fmt++;
	if (*fmt == '*') {
		spec->precision = va_arg(args->list, int);
		spec->precision = spec->precision < 0 ? -1 : min(spec->precision, MAX_WIDTH);
		return fmt + 1;
	}
	return parse_decimal(fmt, &spec->precision);
}

/* %p, %pS and %ps; @fmt points at the p. Returns the last byte used. */
static const char *convert_pointer(struct out *out, const char *fmt, const struct spec *spec,
				   const void *ptr)
{
	if (fmt[1] == 'S' || fmt[1] == 's') {
		put_symbol(out, spec, ptr, fmt[1] == 'S');
		return fmt + 1;
	}
	put_pointer(out, spec, ptr);
	return fmt;
}

/* One conversion; @fmt points behind the '%'. Returns what follows it. */
static const char *convert(struct out *out, const char *fmt, struct args *args)
{
	struct spec spec = { .precision = -1 };
	const char *start = fmt;
	char c;

	fmt = parse_flags(fmt, &spec);
	fmt = parse_field(fmt, &spec, args);
	fmt = parse_size(fmt, &spec);
	switch (*fmt) {
	case 'd':
	case 'i':
		spec.flags |= SIGNED;
		put_number(out, &spec, integer_arg(args, &spec), 10);
		break;
	case 'u':
		put_number(out, &spec, integer_arg(args, &spec), 10);
		break;
	case 'X':
		spec.flags |= UPPER;
		/* fall through */
	case 'x':
		put_number(out, &spec, integer_arg(args, &spec), 16);
		break;
	case 'o':
		put_number(out, &spec, integer_arg(args, &spec), 8);
		break;
	case 'c':
		c = va_arg(args->list, int);
		put_field(out, &spec, &c, 1);
		break;
	case 's':
		put_string(out, &spec, va_arg(args->list, const char *));
		break;
	case 'p':
		fmt = convert_pointer(out, fmt, &spec, va_arg(args->list, void *));
		break;
	case '%':
		put(out, '%');
		break;
	default:
		put(out, '%');
		return start;
	}
	return fmt + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list list)
{
	struct out out = { .pos = buf, .end = size ? buf + size - 1 : buf };
	struct args args;

	va_copy(args.list, list);
	while (*fmt) {
		if (*fmt == '%')
			fmt = convert(&out, fmt + 1, &args);
		else
			put(&out, *fmt++);
	}
	va_end(args.list);
	if (size)
		*out.pos = '\0';
	return out.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buf, size, fmt, args);

	if (!size)
		return 0;
	return (size_t)len < size ? len : (int)(size - 1);
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
