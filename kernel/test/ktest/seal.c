/* See seal.h. */
#include "test/ktest/seal.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "lib/string.h"
#include "mm/phys/memblock.h"
#include "mm/vm/vmalloc.h"

#define KEY_OFFSET	0x100000	/* from the end of the memory in use */

struct sip {
	u64 v0, v1, v2, v3;
};

static phys_addr_t key_phys;

static inline u64 rotl(u64 x, int n)
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

static u64 siphash(u64 k0, u64 k1, const char *text, size_t len)
{
	struct sip s = { k0 ^ 0x736f6d6570736575UL, k1 ^ 0x646f72616e646f6dUL,
			 k0 ^ 0x6c7967656e657261UL, k1 ^ 0x7465646279746573UL };

	for (size_t at = 0; at <= len; at += 8) {
		u64 word = len - at < 8 ? (u64)len << 56 : 0;

		for (size_t i = 0; i < 8 && at + i < len; i++)
			word |= (u64)(u8)text[at + i] << (8 * i);
		s.v3 ^= word;
		sip_rounds(&s, 2);
		s.v0 ^= word;
	}
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* No branch depends on the digit. */
static u64 hex_digit(char c)
{
	return (c & 15) + 9 * (c >> 6 & 1);
}

bool seal_init(void)
{
	char text[64];
	volatile u64 *key;
	u64 word[2] = { 0, 0 };
	int len = cmdline_take_secret(text, sizeof(text));

	if (len != 32)
		return false;
	for (int i = 0; i < 32; i++)
		word[i / 16] = word[i / 16] << 4 | hex_digit(text[i]);
	key = ioremap(memblock_end_of_DRAM() + KEY_OFFSET, PAGE_SIZE);
	if (!key)
		return false;
	key[0] = word[0];
	key[1] = word[1];
	iounmap((void *)key);
	memset(text, 0, sizeof(text));
	memset(word, 0, sizeof(word));
	barrier();
	key_phys = memblock_end_of_DRAM() + KEY_OFFSET;
	return true;
}

u64 seal(const char *text)
{
	volatile u64 *key = key_phys ? ioremap(key_phys, PAGE_SIZE) : NULL;
	u64 mac;

	if (!key)
		return 0;
	mac = siphash(key[0], key[1], text, strlen(text));
	iounmap((void *)key);
	return mac;
}
