/* Memory and strings against the host's C library, in buffers of exact size for ASan's sake. */
#include "test.h"

/* The host's functions, past rename.h. */
size_t host_strlen(const char *s) __asm__("strlen");
int host_memcmp(const void *a, const void *b, size_t n) __asm__("memcmp");
int host_strcmp(const char *a, const char *b) __asm__("strcmp");
int host_strncmp(const char *a, const char *b, size_t n) __asm__("strncmp");
int host_strcasecmp(const char *a, const char *b) __asm__("strcasecmp");
char *host_strchr(const char *s, int c) __asm__("strchr");
char *host_strrchr(const char *s, int c) __asm__("strrchr");
char *host_strstr(const char *a, const char *b) __asm__("strstr");
size_t host_strspn(const char *a, const char *b) __asm__("strspn");
size_t host_strcspn(const char *a, const char *b) __asm__("strcspn");
void *host_memchr(const void *s, int c, size_t n) __asm__("memchr");

#define ARENA 700

static void fill_random(struct prng *rng, u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = prng_next(rng);
}

/* One copy or fill within an arena; every byte of the arena is compared with a byte loop's work. */
static void test_memory(struct prng *rng)
{
	u8 *arena = malloc(ARENA), *model = malloc(ARENA);

	for (int round = 0; round < 20000; round++) {
		size_t n = prng_below(rng, prng_below(rng, 4) ? 40 : 300);
		size_t src = prng_below(rng, ARENA - n + 1), dst = prng_below(rng, ARENA - n + 1);
		bool overlap = dst < src + n && src < dst + n;
		u8 before[ARENA];

		fill_random(rng, arena, ARENA);
		for (size_t i = 0; i < ARENA; i++)
			model[i] = before[i] = arena[i];
		if (prng_below(rng, 3) == 0) {
			for (size_t i = 0; i < n; i++)
				model[dst + i] = 0xa5;
			EXPECT(memset(arena + dst, 0x1a5, n) == arena + dst);
		} else {
			for (size_t i = 0; i < n; i++)
				model[dst + i] = before[src + i];
			if (overlap || prng_below(rng, 2))
				EXPECT(memmove(arena + dst, arena + src, n) == arena + dst);
			else
				EXPECT(memcpy(arena + dst, arena + src, n) == arena + dst);
		}
		EXPECT_EQ(host_memcmp(arena, model, ARENA), 0);
	}
	free(arena);
	free(model);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_memcmp(struct prng *rng)
{
	for (int round = 0; round < 20000; round++) {
		size_t n = prng_below(rng, 100), skip = prng_below(rng, 9);
		u8 *a = malloc(n + skip), *b = malloc(n + skip);
		int c = prng_below(rng, 256);
		size_t odd;

		fill_random(rng, a, n + skip);
		for (size_t i = 0; i < n + skip; i++)
			b[i] = a[i];
		if (n && prng_below(rng, 4))
			b[skip + prng_below(rng, n)] ^= 1 << prng_below(rng, 8);
		EXPECT_EQ(sign(memcmp(a + skip, b + skip, n)),
			  sign(host_memcmp(a + skip, b + skip, n)));
		EXPECT(memchr(a + skip, c, n) == host_memchr(a + skip, c, n));

		memset(a, c, n + skip);
		EXPECT(!memchr_inv(a + skip, c, n));
		if (n) {
			odd = skip + prng_below(rng, n);
			a[odd] ^= 0x10;
			EXPECT(memchr_inv(a + skip, c, n) == a + odd);
		}
		free(a);
		free(b);
	}
}

static void test_pages(struct prng *rng)
{
	u64 *a = malloc(4096), *b = malloc(4096);

	fill_random(rng, (u8 *)a, 4096);
	copy_page(b, a);
	EXPECT_EQ(host_memcmp(a, b, 4096), 0);
	clear_page(a);
	EXPECT(!memchr_inv(a, 0, 4096));
	free(a);
	free(b);
}

/* A string in a buffer of its exact size, over a small alphabet so that matches happen. */
static char *random_string(struct prng *rng, size_t max)
{
	static const char alphabet[] = "aAbBc \xe9";
	size_t n = prng_below(rng, max);
	char *s = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		s[i] = alphabet[prng_below(rng, sizeof(alphabet) - 1)];
	s[n] = '\0';
	return s;
}

static void test_strings(struct prng *rng)
{
	for (int round = 0; round < 20000; round++) {
		char *a = random_string(rng, 12), *b = random_string(rng, 4);
		size_t n = prng_below(rng, 14), len = host_strlen(a);
		int c = prng_below(rng, 3) ? 'b' : '\0';

		EXPECT_EQ(strlen(a), len);
		EXPECT_EQ(strnlen(a, n), min(n, len));
		EXPECT_EQ(sign(strcmp(a, b)), sign(host_strcmp(a, b)));
		EXPECT_EQ(sign(strncmp(a, b, n)), sign(host_strncmp(a, b, n)));
		EXPECT_EQ(sign(strcasecmp(a, b)), sign(host_strcasecmp(a, b)));
		EXPECT(strchr(a, c) == host_strchr(a, c));
		EXPECT(strrchr(a, c) == host_strrchr(a, c));
		EXPECT(strstr(a, b) == host_strstr(a, b));
		EXPECT_EQ(strspn(a, b), host_strspn(a, b));
		EXPECT_EQ(strcspn(a, b), host_strcspn(a, b));
		EXPECT_EQ(strstarts(a, b), host_strstr(a, b) == a);
		free(a);
		free(b);
	}
}

static void test_strscpy(struct prng *rng)
{
	for (int round = 0; round < 5000; round++) {
		char *src = random_string(rng, 12);
		size_t size = prng_below(rng, 14), len = host_strlen(src);
		char *dst = malloc(size);
		ssize_t ret = strscpy(dst, src, size);

		EXPECT_EQ(ret, len < size ? (ssize_t)len : -E2BIG);
		if (size) {
			EXPECT_EQ(host_strlen(dst), min(len, size - 1));
			EXPECT_EQ(host_strncmp(dst, src, host_strlen(dst)), 0);
		}
		free(src);
		free(dst);
	}
	/* The source may be unterminated as long as it is not shorter than the buffer. */
	char raw[4] = { 'a', 'b', 'c', 'd' }, copy[4];

	EXPECT_EQ(strscpy(copy, raw, 4), -E2BIG);
	EXPECT_STR(copy, "abc");
}

static void test_split(struct prng *rng)
{
	char text[] = "a=1,,b", blanks[] = " \t x y \n", *rest = text;

	(void)rng;
	EXPECT_STR(strsep(&rest, "=,"), "a");
	EXPECT_STR(strsep(&rest, "=,"), "1");
	EXPECT_STR(strsep(&rest, "=,"), "");
	EXPECT_STR(strsep(&rest, "=,"), "b");
	EXPECT(!strsep(&rest, "=,"));
	EXPECT_STR(strim(blanks), "x y");
	EXPECT_STR(strchrnul("abc", 'x'), "");
	EXPECT_STR(strchrnul("abc", 'b'), "bc");
}

static void test_kstrto(struct prng *rng)
{
	static const struct {
		const char *text;
		unsigned int base;
		int signed_ret, unsigned_ret;
		long value;
	} cases[] = {
		{ "0", 0, 0, 0, 0 },
		{ "42\n", 10, 0, 0, 42 },
		{ "+7", 0, 0, 0, 7 },
		{ "-7", 0, 0, -EINVAL, -7 },
		{ "0x1F", 0, 0, 0, 31 },
		{ "0x1f", 16, 0, 0, 31 },
		{ "1f", 16, 0, 0, 31 },
		{ "0755", 0, 0, 0, 0755 },
		{ "0755", 10, 0, 0, 755 },
		{ "z", 36, 0, 0, 35 },
		{ "9223372036854775807", 0, 0, 0, INT64_MAX },
		{ "-9223372036854775808", 0, 0, -EINVAL, INT64_MIN },
		{ "9223372036854775808", 0, -ERANGE, 0, INT64_MIN },
		{ "18446744073709551615", 0, -ERANGE, 0, -1 },
		{ "18446744073709551616", 0, -ERANGE, -ERANGE, 0 },
		{ "99999999999999999999999", 0, -ERANGE, -ERANGE, 0 },
		{ "-9223372036854775809", 0, -ERANGE, -EINVAL, 0 },
		{ "", 0, -EINVAL, -EINVAL, 0 },
		{ "-", 0, -EINVAL, -EINVAL, 0 },
		{ "0x", 0, -EINVAL, -EINVAL, 0 },
		{ "08", 0, -EINVAL, -EINVAL, 0 },
		{ "12 ", 0, -EINVAL, -EINVAL, 0 },
		{ " 12", 0, -EINVAL, -EINVAL, 0 },
		{ "12\n\n", 0, -EINVAL, -EINVAL, 0 },
		{ "--1", 0, -EINVAL, -EINVAL, 0 },
		{ "12", 2, -EINVAL, -EINVAL, 0 },
		{ "1", 37, -EINVAL, -EINVAL, 0 },
	};

	(void)rng;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		long s = 12345;
		unsigned long u = 12345;

		EXPECT_EQ(kstrtol(cases[i].text, cases[i].base, &s), cases[i].signed_ret);
		EXPECT_EQ(s, cases[i].signed_ret ? 12345 : cases[i].value);
		EXPECT_EQ(kstrtoul(cases[i].text, cases[i].base, &u), cases[i].unsigned_ret);
		EXPECT_EQ(u, cases[i].unsigned_ret ? 12345 : cases[i].value);
	}
	int n = 5;
	unsigned int u = 5;
	bool flag = false;

	EXPECT_EQ(kstrtoint("2147483648", 0, &n), -ERANGE);
	EXPECT_EQ(kstrtoint("-2147483648", 0, &n), 0);
	EXPECT_EQ(n, INT32_MIN);
	EXPECT_EQ(kstrtouint("4294967296", 0, &u), -ERANGE);
	EXPECT_EQ(kstrtouint("4294967295", 0, &u), 0);
	EXPECT_EQ(u, UINT32_MAX);
	EXPECT_EQ(kstrtobool("On", &flag), 0);
	EXPECT(flag);
	EXPECT_EQ(kstrtobool("maybe", &flag), -EINVAL);
}

static void test_memparse(struct prng *rng)
{
	char *end;

	(void)rng;
	EXPECT_EQ(memparse("64M", NULL), 64 << 20);
	EXPECT_EQ(memparse("8g,", &end), 8L << 30);
	EXPECT_STR(end, ",");
	EXPECT_EQ(memparse("0x10k", NULL), 16 << 10);
	EXPECT_EQ(memparse("12", &end), 12);
	EXPECT_STR(end, "");
	EXPECT_EQ(memparse("x", &end), 0);
	EXPECT_STR(end, "x");
	EXPECT_EQ(memparse("99999999999G", NULL), ~0UL);
}

const struct test string_tests[] = {
	{ "memcpy, memmove and memset write their bytes and no others", test_memory },
	{ "memcmp, memchr and memchr_inv find the first difference", test_memcmp },
	{ "pages are cleared and copied whole", test_pages },
	{ "string functions agree with the host's C library", test_strings },
	{ "strscpy terminates, reports truncation and reads no further", test_strscpy },
	{ "strsep and strim cut where they should", test_split },
	{ "kstrto* accept numbers, refuse the rest, and leave the result alone", test_kstrto },
	{ "memparse understands sizes", test_memparse },
	{ 0 },
};
