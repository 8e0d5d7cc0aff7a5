/* Runs all tests: lib-test SEED [DTB...]. The last line counts. */
#include "test.h"

int main(int argc, char **argv)
{
	const struct test *suites[] = {
		list_tests, tree_tests, bit_tests, string_tests, format_tests, fdt_tests,
	};
	unsigned long seed = 1;

	if (argc > 1 && kstrtoul(argv[1], 0, &seed)) {
		printf("usage: lib-test SEED [DTB...]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		load_blob(argv[i]);
	return run_suites(suites, ARRAY_SIZE(suites), seed, NULL, "tests/lib/run.sh");
}
