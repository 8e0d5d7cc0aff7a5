/*
 * memhog: use memory, to see what the machine does when there is not enough.
 *
 * It maps one piece of anonymous memory and writes all of it, pass after pass. With -v each word of it
 * is a number that only this page of this pass has, and the next pass reads it before it writes: so a page
 * that came back from swap with another's contents, or an older one of its own, is found.
 */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
	"usage: memhog [-v] [-r PASSES] [-h SECONDS] SIZE[k|m|g]\n"
	"Map SIZE bytes of memory and write to all of them, PASSES times (1). -v: check before each pass\n"
	"and at the end that what the last one wrote is there. -h: keep the memory for so long.\n";

#define PAGE	4096UL
#define WORDS	(PAGE / sizeof(uint64_t))
#define DOT	(10UL << 20)		/* bytes for each dot of progress */

/* What the word holds after @passes passes: fresh memory is zero. */
static uint64_t value_of(unsigned long page, unsigned long passes, unsigned long word)
{
	uint64_t x = page * 0x9e3779b97f4a7c15ULL + passes * 0xbf58476d1ce4e5b9ULL + word;

	if (!passes)
		return 0;
	x ^= x >> 31;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 29;
}

static void check_page(const uint64_t *at, unsigned long page, unsigned long passes)
{
	for (unsigned long i = 0; i < WORDS; i++)
		if (at[i] != value_of(page, passes, i))
			errx(1, "after pass %lu: page %lu, byte %lu: %#lx instead of %#lx", passes,
			     page, i * sizeof(*at), at[i], value_of(page, passes, i));
}

static void write_page(uint64_t *at, unsigned long page, unsigned long passes)
{
	for (unsigned long i = 0; i < WORDS; i++)
		at[i] = value_of(page, passes, i);
}

static void one_pass(char *memory, unsigned long size, unsigned long pass, bool verify)
{
	for (unsigned long at = 0; at < size; at += PAGE) {
		if (at % DOT == 0) {
			putchar('.');
			fflush(stdout);
		}
		if (verify) {
			check_page((uint64_t *)(memory + at), at / PAGE, pass);
			write_page((uint64_t *)(memory + at), at / PAGE, pass + 1);
		} else {
			memset(memory + at, 0xff, size - at < PAGE ? size - at : PAGE);
		}
	}
	putchar('\n');
}

static void check_all(const char *memory, unsigned long size, unsigned long passes)
{
	for (unsigned long at = 0; at < size; at += PAGE)
		check_page((const uint64_t *)(memory + at), at / PAGE, passes);
	printf("memhog: %lu pages verified\n", size / PAGE);
}

int main(int argc, char **argv)
{
	long size, passes = 1, hold = 0;
	bool verify = false;
	char *memory;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "vr:h:")) != -1) {
		if (option == 'v')
			verify = true;
		else if (option == 'r')
			passes = number_arg(optarg, "passes");
		else if (option == 'h')
			hold = number_arg(optarg, "seconds");
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
	size = number_arg(argv[optind], "size");
	if (size <= 0 || passes < 1 || hold < 0)
		usage();
	if (verify)
		size = (long)(((unsigned long)size + PAGE - 1) & ~(PAGE - 1));
	memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "%s", argv[optind]);
	for (long pass = 0; pass < passes; pass++)
		one_pass(memory, (unsigned long)size, (unsigned long)pass, verify);
	if (hold)
		sleep((unsigned int)hold);
	if (verify)
		check_all(memory, (unsigned long)size, (unsigned long)passes);
	return finish(0);
}
