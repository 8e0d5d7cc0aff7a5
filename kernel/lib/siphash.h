/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a code for a text that only who has the key can make. No branch
 * depends on the key. For the kernel and for user programs alike, so it includes nothing.
 */
#pragma once

struct siphash {
	unsigned long v0, v1, v2, v3;
};

static inline unsigned long siphash_rotl(unsigned long x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void siphash_rounds(struct siphash *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = siphash_rotl(s->v1, 13) ^ s->v0;
		s->v0 = siphash_rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = siphash_rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = siphash_rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = siphash_rotl(s->v1, 17) ^ s->v2;
		s->v2 = siphash_rotl(s->v2, 32);
	}
}

/* The code of @len bytes at @text under the key @k0, @k1. */
static inline unsigned long siphash(unsigned long k0, unsigned long k1, const char *text,
				    unsigned long len)
{
	struct siphash s = { k0 ^ 0x736f6d6570736575UL, k1 ^ 0x646f72616e646f6dUL,
			     k0 ^ 0x6c7967656e657261UL, k1 ^ 0x7465646279746573UL };

	for (unsigned long at = 0; at <= len; at += 8) {
		unsigned long word = len - at < 8 ? len << 56 : 0;

		for (unsigned long i = 0; i < 8 && at + i < len; i++)
			word |= (unsigned long)(unsigned char)text[at + i] << (8 * i);
		s.v3 ^= word;
		siphash_rounds(&s, 2);
		s.v0 ^= word;
	}
	s.v2 ^= 0xff;
	siphash_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* A key of 32 hexadecimal digits, high one first. No branch depends on a digit. */
static inline void siphash_key(unsigned long key[2], const char *digits)
{
	key[0] = key[1] = 0;
	for (int i = 0; i < 32; i++)
		key[i / 16] = key[i / 16] << 4 | ((digits[i] & 15) + 9 * (digits[i] >> 6 & 1));
}
