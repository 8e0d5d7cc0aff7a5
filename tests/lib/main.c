/* Runs all tests: lib-test SEED [DTB...]. The last line counts. */
#include "test.h"

struct blob blobs[16];
int blob_count;

static bool failed;

void exit(int status) __noreturn;
void *fopen(const char *path, const char *mode);
size_t fread(void *buf, size_t size, size_t n, void *file);
int fclose(void *file);
int fflush(void *file);

void expect_eq(long actual, long expected, const char *what, const char *file, int line)
{
	if (actual == expected)
		return;
	if (!failed)
		printf("# %s:%d: %s is %ld (0x%lx), expected %ld (0x%lx)\n", file, line, what,
		       actual, actual, expected, expected);
	failed = true;
}

void expect_str(const char *actual, const char *expected, const char *what, const char *file,
		int line)
{
	if (actual && !strcmp(actual, expected))
		return;
	if (!failed)
		printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what,
		       actual ? actual : "(null)", expected);
	failed = true;
}

static void load_blob(const char *path)
{
	static u8 buffer[4 << 20];
	struct blob *blob = &blobs[blob_count];
	void *file = fopen(path, "r");

	if (!file || blob_count == ARRAY_SIZE(blobs)) {
		printf("# cannot read %s\n", path);
		exit(2);
	}
	blob->name = path;
	blob->size = fread(buffer, 1, sizeof(buffer), file);
	blob->data = malloc(blob->size);
	memcpy(blob->data, buffer, blob->size);
	fclose(file);
	blob_count++;
}

int main(int argc, char **argv)
{
	const struct test *suites[] = {
		list_tests, tree_tests, bit_tests, string_tests, format_tests, fdt_tests,
	};
	unsigned long seed = 1;
	int good = 0, bad = 0;

	if (argc > 1 && kstrtoul(argv[1], 0, &seed)) {
		printf("usage: lib-test SEED [DTB...]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		load_blob(argv[i]);
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++) {
		for (const struct test *test = suites[s]; test->name; test++) {
			struct prng rng;

			prng_seed(&rng, seed);
			failed = false;
			fflush(NULL);
			test->run(&rng);
			failed ? bad++ : good++;
			printf("%s %d - %s\n", failed ? "not ok" : "ok", good + bad, test->name);
		}
	}
	if (bad)
		printf("# replay with: tests/lib/run.sh %lu\n", seed);
	printf("%d passed, %d failed\n", good, bad);
	return bad != 0;
}
