/* memblock from device trees: QEMU's own, and thousands of damaged ones. */
#include "test.h"

extern char boot_command_line[2048];

static phys_addr_t image_for(const struct blob *blob)
{
	return strstr(blob->name, "riscv") ? 0x80200000 : 0x40200000;
}

static void check_sane(void)
{
	const struct memblock_type *types[] = { &memblock.memory, &memblock.reserved };

	for (int t = 0; t < 2; t++)
		for (unsigned int i = 1; i < types[t]->cnt; i++)
			EXPECT(types[t]->regions[i - 1].base + types[t]->regions[i - 1].size <=
			       types[t]->regions[i].base);
	EXPECT(memblock_end_of_DRAM() <= MAX_PHYSMEM);
	EXPECT(memblock_is_memory(host_image_phys));
	EXPECT(memblock_is_reserved(host_image_phys));
	if (initrd_size)
		EXPECT(memblock_is_memory(initrd_start) &&
		       memblock_is_memory(initrd_start + initrd_size - 1));
}

static void read_tree(const struct blob *blob, const void *data)
{
	reset_memory(0);
	initrd_start = initrd_size = 0;
	host_image_phys = image_for(blob);
	host_fdt = data;
	memblock_init_fdt();
	check_sane();
}

static void test_trees(struct prng *rng)
{
	(void)rng;
	for (int i = 0; i < blob_count; i++) {
		boot_command_line[0] = 0;
		read_tree(&blobs[i], blobs[i].data);
		EXPECT_EQ(memblock_phys_mem_size() >> 20,
			  strstr(blobs[i].name, "numa") ? 256 : 128);
		if (strstr(blobs[i].name, "numa")) {
			EXPECT_EQ(memblock.memory.cnt, 2);
			EXPECT_EQ(memblock.memory.regions[1].nid, 1);
		}
		strscpy(boot_command_line, "mem=67108864", sizeof(boot_command_line));
		read_tree(&blobs[i], blobs[i].data);
		EXPECT_EQ(memblock_phys_mem_size() >> 20, 64);
		strscpy(boot_command_line, "mem=8192", sizeof(boot_command_line));
		read_tree(&blobs[i], blobs[i].data);
		EXPECT(memblock_phys_mem_size() >= 128UL << 20);
		boot_command_line[0] = 0;
	}
}

static void test_damaged(struct prng *rng)
{
	for (int i = 0; i < blob_count; i++) {
		/* A copy of exactly its used size, so that a read behind it is noticed. */
		const u8 *be = blobs[i].data;
		u32 size = be[4] << 24 | be[5] << 16 | be[6] << 8 | be[7];

		for (int round = 0; round < 400 && !test_failed(); round++) {
			u8 *copy = malloc(size);

			memcpy(copy, blobs[i].data, size);
			for (int n = 1 + prng_below(rng, 8); n > 0; n--)
				copy[40 + prng_below(rng, size - 40)] = prng_next(rng);
			(void)PANICS(read_tree(&blobs[i], copy));
			free(copy);
		}
	}
}

const struct test tree_tests[] = {
	{ "memblock_fdt: QEMU's trees and mem=", test_trees },
	{ "memblock_fdt: a damaged tree gives sane memory or a panic with words", test_damaged },
	{ NULL, NULL },
};
