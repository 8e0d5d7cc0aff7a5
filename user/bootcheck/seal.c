/*
 * Lines that carry a code: SipHash-2-4 (Aumasson and Bernstein) of their text, under a key that the
 * grader made for this one boot and put into the file KEY. A line without the right code counts for
 * nothing, so it does not help to print one that looks alike.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootcheck.h"

#define KEY	"/key"
#define MARK	"strata boot key "	/* then 32 hexadecimal digits */

static uint64_t key[2];
static bool have_key;

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_rounds(struct sip *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static uint64_t siphash(const char *text, size_t len)
{
	struct sip s = { key[0] ^ 0x736f6d6570736575UL, key[1] ^ 0x646f72616e646f6dUL,
			 key[0] ^ 0x6c7967656e657261UL, key[1] ^ 0x7465646279746573UL };

	for (size_t at = 0; at <= len; at += 8) {
		uint64_t word = len - at < 8 ? (uint64_t)len << 56 : 0;

		for (size_t i = 0; i < 8 && at + i < len; i++)
			word |= (uint64_t)(unsigned char)text[at + i] << (8 * i);
		s.v3 ^= word;
		sip_rounds(&s, 2);
		s.v0 ^= word;
	}
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* No branch depends on the digit: the run is the same under every key. */
static uint64_t hex_digit(char c)
{
	return (c & 15) + 9 * (c >> 6 & 1);
}

bool seal_init(void)
{
	char text[64];
	int fd = open(KEY, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	const char *digits = text + strlen(MARK);

	if (fd >= 0)
		close(fd);
	if (len < (ssize_t)strlen(MARK) + 32 || memcmp(text, MARK, strlen(MARK)))
		return false;
	for (int i = 0; i < 32; i++)
		key[i / 16] = key[i / 16] << 4 | hex_digit(digits[i]);
	memset(text, 0, sizeof(text));
	return have_key = true;
}

void say_sealed(const char *format, ...)
{
	static const char hex[] = "0123456789abcdef";
	char line[128];
	va_list args;
	uint64_t code;
	int len;

	va_start(args, format);
	len = vsnprintf(line, 101, format, args);
	va_end(args);
	len = len > 100 ? 100 : len;
	if (have_key) {
		code = siphash(line, len);
		memcpy(line + len, " mac=", 5);
		len += 5;
		for (int shift = 60; shift >= 0; shift -= 4)
			line[len++] = hex[code >> shift & 15];
	}
	line[len++] = '\n';
	write(STDOUT_FILENO, line, len);
}

void say(const char *format, ...)
{
	char line[128] = "#   ";
	va_list args;
	int len;

	va_start(args, format);
	len = 4 + vsnprintf(line + 4, sizeof(line) - 5, format, args);
	va_end(args);
	len = len > (int)sizeof(line) - 2 ? (int)sizeof(line) - 2 : len;
	line[len++] = '\n';
	write(STDOUT_FILENO, line, len);
}
