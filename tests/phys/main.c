/* Runs all tests: phys-test SEED [DTB...]. The last line counts. */
#include "test.h"

void reset_memory(phys_addr_t max_phys)
{
	kernel_cpus(4);				/* the machine has four, whatever the last test did */
	memset(&memblock.memory.regions, 0, sizeof(memblock.memory.regions));
	memset(&memblock.reserved.regions, 0, sizeof(memblock.reserved.regions));
	memblock.memory.cnt = memblock.reserved.cnt = 0;
	memblock.current_limit = HOST_MAX_PHYS;
	memset(node_data, 0, sizeof(node_data));
	memset(section_map, 0, sizeof(section_map));
	memset(vmemmap, 0x5a, max_phys / PAGE_SIZE * sizeof(struct page));
	nr_nodes = 1;
}

int main(int argc, char **argv)
{
	const struct test *suites[] = { memblock_tests, init_tests, alloc_tests, buddy_tests, tree_tests };
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;

	for (int i = 2; i < argc; i++)
		load_blob(argv[i]);
	kernel_init();
	return run_suites(suites, ARRAY_SIZE(suites), seed, log_forget, "tests/phys/run.sh");
}
