/* snprintf against the host's, over generated formats. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#include "test.h"

int host_snprintf(char *buf, size_t size, const char *fmt, ...) __asm__("snprintf");
int our_snprintf(char *buf, size_t size, const char *fmt, ...) __asm__("lib_snprintf");

/* "%", flags, width, precision; what both understand the same way. */
static char *random_spec(struct prng *rng, char *p)
{
	static const char flags[] = "-+ 0#";

	*p++ = '%';
	for (int i = 0; i < 5; i++)
		if (prng_below(rng, 4) == 0)
			*p++ = flags[i];
	if (prng_below(rng, 2))
		p += our_snprintf(p, 8, "%d", (int)(1 + prng_below(rng, 30)));
	if (prng_below(rng, 3) == 0)
		p += our_snprintf(p, 8, ".%d", (int)prng_below(rng, 25));
	return p;
}

static void compare(const char *fmt, u64 value, const char *text, int conversion)
{
	char ours[200], theirs[200];
	int a, b;

	if (conversion == 's') {
		a = our_snprintf(ours, sizeof(ours), fmt, text);
		b = host_snprintf(theirs, sizeof(theirs), fmt, text);
	} else {
		a = our_snprintf(ours, sizeof(ours), fmt, value);
		b = host_snprintf(theirs, sizeof(theirs), fmt, value);
	}
	EXPECT_EQ(a, b);
	EXPECT_STR(ours, theirs);
}

static void test_random(struct prng *rng)
{
	static const char *const sizes[] = { "", "h", "hh", "l", "ll", "z", "t", "j" };
	static const char conversions[] = "diuxXocs";
	static const char *const texts[] = { "", "a", "some text", "a rather long text of words" };

	for (int round = 0; round < 100000; round++) {
		char fmt[64] = "<", *p = random_spec(rng, fmt + 1);
		int conversion = conversions[prng_below(rng, sizeof(conversions) - 1)];
		u64 value = prng_next(rng) >> prng_below(rng, 64);

		if (prng_below(rng, 4) == 0)
			value = -value;
		if (conversion == 'c')
			value = 'a' + value % 26;
		else if (conversion != 's')
			p += our_snprintf(p, 4, "%s", sizes[prng_below(rng, ARRAY_SIZE(sizes))]);
		*p++ = conversion;
		*p++ = '>';
		*p = '\0';
		compare(fmt, value, texts[prng_below(rng, ARRAY_SIZE(texts))], conversion);
	}
}

static void test_stars(struct prng *rng)
{
	for (int round = 0; round < 2000; round++) {
		int width = (int)prng_below(rng, 40) - 20, precision = (int)prng_below(rng, 30) - 5;
		char ours[100], theirs[100];

		our_snprintf(ours, 100, "<%*.*x|%0*d|%.*s>", width, precision, 0xbeef, width, -5,
			     precision, "hello");
		host_snprintf(theirs, 100, "<%*.*x|%0*d|%.*s>", width, precision, 0xbeef, width, -5,
			      precision, "hello");
		EXPECT_STR(ours, theirs);
	}
}

static void test_truncation(struct prng *rng)
{
	(void)rng;
	for (size_t size = 0; size < 12; size++) {
		char *buf = malloc(size);

		EXPECT_EQ(our_snprintf(buf, size, "%d-%s", 123, "four"), 8);
		EXPECT_EQ(scnprintf(buf, size, "%d-%s", 123, "four"),
			  size == 0 ? 0 : (int)min(size - 1, 8UL));
		if (size)
			EXPECT_EQ(strncmp(buf, "123-four", min(size - 1, 8UL)), 0);
		free(buf);
	}
}

static const char *find_symbol(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	if (addr < 0x1000 || addr >= 0x1040)
		return NULL;
	*offset = addr - 0x1000;
	*size = 0x40;
	return "start_kernel";
}

static void test_symbols(struct prng *rng)
{
	char buf[100];

	(void)rng;
	format_symbol_hook = NULL;
	our_snprintf(buf, sizeof(buf), "%pS", (void *)0x1010UL);
	EXPECT_STR(buf, "0000000000001010");
	format_symbol_hook = find_symbol;
	our_snprintf(buf, sizeof(buf), "%pS|%ps|%p", (void *)0x1010UL, (void *)0x1010UL,
		     (void *)0x1010UL);
	EXPECT_STR(buf, "start_kernel+0x10/0x40|start_kernel|0000000000001010");
	our_snprintf(buf, sizeof(buf), "%-20pS|%20ps|", (void *)0x2000UL, (void *)0x103fUL);
	EXPECT_STR(buf, "0000000000002000    |        start_kernel|");
	format_symbol_hook = NULL;
}

static void test_odd(struct prng *rng)
{
	char buf[32];

	(void)rng;
	our_snprintf(buf, sizeof(buf), "%s|%%|%d", (char *)NULL, 7);
	EXPECT_STR(buf, "(null)|%|7");
	our_snprintf(buf, sizeof(buf), "a%q%");
	EXPECT_STR(buf, "a%q%");
	EXPECT_EQ(our_snprintf(buf, sizeof(buf), "%99999999999d", 1), 4096);
	EXPECT_EQ(strlen(buf), 31);
}

const struct test format_tests[] = {
	{ "100000 generated formats print as the host's C library prints them", test_random },
	{ "'*' takes width and precision from the arguments", test_stars },
	{ "truncated output is terminated and its full length told", test_truncation },
	{ "%pS names the symbol through the hook, and the address without it", test_symbols },
	{ "NULL strings, unknown conversions and mad widths do no harm", test_odd },
	{ 0 },
};
