/* swapon: use swap areas, or show which are in use, from /proc/swaps. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

static const char help[] =
	"usage: swapon [-s | --show] [-p PRIORITY] DEVICE...\n"
	"Use each DEVICE, which mkswap has prepared, for swapping. -p: areas with a higher priority\n"
	"(0 to 32767) are filled first. Without DEVICE, or with --show, print the areas in use; -s prints\n"
	"the kernel's own table.\n";

static FILE *open_table(void)
{
	FILE *file = fopen("/proc/swaps", "r");

	if (!file)
		err(1, "/proc/swaps");
	return file;
}

static void print_table(void)
{
	FILE *file = open_table();
	char line[256];

	while (fgets(line, sizeof(line), file))
		fputs(line, stdout);
	fclose(file);
}

/* KiB to "1.5M". */
static const char *human(unsigned long kib, char *text, size_t size)
{
	static const char units[] = "KMGT";
	unsigned long whole = kib, tenths = 0;
	unsigned int unit = 0;

	for (; whole >= 1024 && unit < 3; unit++) {
		tenths = (whole % 1024 * 10 + 512) / 1024;
		whole /= 1024;
	}
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (!kib)
		return "0B";
	if (tenths)
		snprintf(text, size, "%lu.%lu%c", whole, tenths, units[unit]);
	else
		snprintf(text, size, "%lu%c", whole, units[unit]);
	return text;
}

/* The next word of *rest, which blanks and tabs part; NULL: none. */
static char *next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t\n");
	while (word && !*word);
	return word;
}

static void show(void)
{
	FILE *file = open_table();
	char line[256], size_text[16], used_text[16];
	bool heading = false;

	while (fgets(line, sizeof(line), file)) {
		char *rest = line, *name = next_word(&rest), *type = next_word(&rest);
		char *size = next_word(&rest), *used = next_word(&rest), *prio = next_word(&rest);

		if (!prio || *name != '/')
			continue;
		if (!heading)
			printf("%-16s %-9s %6s %6s %4s\n", "NAME", "TYPE", "SIZE", "USED", "PRIO");
		heading = true;
		printf("%-16s %-9s %6s %6s %4s\n", name, type,
		       human(strtoul(size, NULL, 10), size_text, sizeof(size_text)),
		       human(strtoul(used, NULL, 10), used_text, sizeof(used_text)), prio);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	bool want_table = false, want_show = false;
	int status = 0, flags = 0, option;

	prog_init(argc, argv, help);
	for (int i = 1; i < argc; i++) {		/* the one long option */
		if (!strcmp(argv[i], "--show")) {
			want_show = true;
			memmove(argv + i, argv + i + 1, (size_t)(argc - i) * sizeof(*argv));
			argc--;
			i--;
		}
	}
	while ((option = getopt(argc, argv, "sp:")) != -1) {
		if (option == 's') {
			want_table = true;
		} else if (option == 'p') {
			long prio = number_arg(optarg, "priority");

			if (prio < 0 || prio > SWAP_FLAG_PRIO_MASK)
				errx(2, "bad priority: '%s'", optarg);
			flags = SWAP_FLAG_PREFER | (int)prio;
		} else {
			usage();
		}
	}
	for (int i = optind; i < argc; i++) {
		if (swapon(argv[i], flags) < 0) {
			warn("%s: swapon failed", argv[i]);
			status = 1;
		}
	}
	if (want_table)
		print_table();
	else if (want_show || optind == argc)
		show();
	return finish(status);
}
