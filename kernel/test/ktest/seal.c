/* See seal.h. */
#include "test/ktest/seal.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "lib/siphash.h"
#include "lib/string.h"
#include "mm/phys/memblock.h"
#include "mm/vm/vmalloc.h"

#define KEY_OFFSET	0x100000	/* from the end of the memory in use */

static phys_addr_t key_phys;

bool seal_init(void)
{
	char text[64];
	volatile u64 *key;
	unsigned long word[2];
	int len = cmdline_take_secret(text, sizeof(text));

	if (len != 32)
		return false;
	siphash_key(word, text);
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
