/* Runs all tests: phys-test SEED [DTB...]. The last line counts. */
#include "test.h"

void exit(int status) __noreturn;
void *fopen(const char *path, const char *mode);
size_t fread(void *buf, size_t size, size_t n, void *file);
int fclose(void *file);
int fflush(void *file);
unsigned long strtoul(const char *s, char **end, int base);

struct blob blobs[16];
int blob_count;
bool test_failed, panic_expected;
void *panic_frame[5];

static char log_lines[64][160];
static unsigned int log_used;

void expect_eq(long actual, long expected, const char *what, const char *file, int line)
{
	if (actual == expected)
		return;
	if (!test_failed)
		printf("# %s:%d: %s is %ld (0x%lx), expected %ld (0x%lx)\n", file, line, what,
		       actual, actual, expected, expected);
	test_failed = true;
}

static void log_line(const char *line)
{
	unsigned int slot = __atomic_fetch_add(&log_used, 1, __ATOMIC_RELAXED);

	if (slot < ARRAY_SIZE(log_lines))
		snprintf(log_lines[slot], sizeof(log_lines[slot]), "%s", line);
}

void log_forget(void)
{
	log_used = 0;
	memset(log_lines, 0, sizeof(log_lines));
}

unsigned int log_count(const char *what)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(log_lines); i++)
		n += strstr(log_lines[i], what) != NULL;
	return n;
}

static void idle(unsigned int cpu)
{
	(void)cpu;
}

void reset_memory(phys_addr_t max_phys)
{
	host_run_cpus(4, idle);			/* the machine has four, whatever the last test did */
	memset(&memblock.memory.regions, 0, sizeof(memblock.memory.regions));
	memset(&memblock.reserved.regions, 0, sizeof(memblock.reserved.regions));
	memblock.memory.cnt = memblock.reserved.cnt = 0;
	memblock.current_limit = HOST_MAX_PHYS;
	memset(node_data, 0, sizeof(node_data));
	memset(section_map, 0, sizeof(section_map));
	memset(vmemmap, 0x5a, max_phys / PAGE_SIZE * sizeof(struct page));
	nr_nodes = 1;
}

static void on_panic(const char *message)
{
	if (panic_expected)
		__builtin_longjmp(panic_frame, 1);
	printf("# panic: %s\n", message);
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
	const struct test *suites[] = { memblock_tests, init_tests, alloc_tests, buddy_tests, tree_tests };
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	int good = 0, bad = 0;

	for (int i = 2; i < argc; i++)
		load_blob(argv[i]);
	host_init();
	host_log_hook = log_line;
	host_panic_hook = on_panic;
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++) {
		for (const struct test *test = suites[s]; test->name; test++) {
			struct prng rng;

			prng_seed(&rng, seed);
			test_failed = false;
			log_forget();
			fflush(NULL);
			test->run(&rng);
			test_failed ? bad++ : good++;
			printf("%s %d - %s\n", test_failed ? "not ok" : "ok", good + bad,
			       test->name);
		}
	}
	if (bad)
		printf("# replay with: tests/phys/run.sh %lu\n", seed);
	printf("%d passed, %d failed\n", good, bad);
	return bad != 0;
}
