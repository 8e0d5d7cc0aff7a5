/* See test.h. */
#include "test.h"

void exit(int status) __noreturn;
void *fopen(const char *path, const char *mode);
size_t fread(void *buf, size_t size, size_t n, void *file);
int fclose(void *file);
int fflush(void *file);

struct blob blobs[16];
int blob_count;

static bool failed;

bool test_failed(void)
{
	return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

/* Is it the first difference? */
static bool fail(void)
{
	return !__atomic_exchange_n(&failed, true, __ATOMIC_SEQ_CST);
}

void expect_eq(long actual, long expected, const char *what, const char *file, int line)
{
	if (actual != expected && fail())
		printf("# %s:%d: %s is %ld (0x%lx), expected %ld (0x%lx)\n", file, line, what,
		       actual, actual, expected, expected);
}

void expect_str(const char *actual, const char *expected, const char *what, const char *file,
		int line)
{
	if ((!actual || strcmp(actual, expected)) && fail())
		printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what,
		       actual ? actual : "(null)", expected);
}

void load_blob(const char *path)
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

static void run(const struct test *test, unsigned long seed, void (*before)(void))
{
	struct prng rng;

	prng_seed(&rng, seed);
	failed = false;
	if (before)
		before();
	fflush(NULL);
	test->run(&rng);
}

int run_suites(const struct test *const *suites, unsigned int n, unsigned long seed,
	       void (*before)(void), const char *script)
{
	int good = 0, bad = 0;

	for (unsigned int s = 0; s < n; s++) {
		for (const struct test *test = suites[s]; test && test->name; test++) {
			run(test, seed, before);
			failed ? bad++ : good++;
			printf("%s %d - %s\n", failed ? "not ok" : "ok", good + bad, test->name);
		}
	}
	if (bad)
		printf("# replay with: %s %lu\n", script, seed);
	printf("%d passed, %d failed\n", good, bad);
	return bad != 0;
}
