/* hexdump: bytes in hexadecimal and as characters. */
#include <ctype.h>
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: hexdump [-C] [-v] [-s SKIP] [-n BYTES] [FILE...]\n"
	"Print the bytes of the FILEs (standard input if none), sixteen to a line, equal lines once (not\n"
	"with -v). -C is accepted: the format is always that one.\n";

static bool opt_verbose;
static long skip, left = -1;

static unsigned char line[16], previous[16];
static size_t filled;
static unsigned long offset;
static bool have_previous, starred;

static void print_line(void)
{
	if (!opt_verbose && filled == 16 && have_previous && !memcmp(line, previous, 16)) {
		if (!starred)
			puts("*");
		starred = true;
	} else {
		starred = false;
		printf("%08lx ", offset);
		for (size_t i = 0; i < 16; i++) {
			if (i % 8 == 0)
				putchar(' ');
			if (i < filled)
				printf("%02x ", line[i]);
			else
				printf("   ");
		}
		printf(" |");
		for (size_t i = 0; i < filled; i++)
			putchar(isprint(line[i]) ? line[i] : '.');
		puts("|");
	}
	memcpy(previous, line, 16);
	have_previous = true;
	offset += filled;
	filled = 0;
}

static int dump(FILE *file, const char *name)
{
	int c = 0;

	while (left != 0 && (c = getc(file)) != EOF) {
		if (skip > 0) {
			skip--;
			offset++;
			continue;
		}
		line[filled++] = (unsigned char)c;
		if (filled == 16)
			print_line();
		if (left > 0)
			left--;
	}
	if (ferror(file))
		warn("%s", name);
	return ferror(file);
}

int main(int argc, char **argv)
{
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "Cvs:n:")) != -1) {
		if (option == 'v')
			opt_verbose = true;
		else if (option == 's')
			skip = number_arg(optarg, "offset");
		else if (option == 'n')
			left = number_arg(optarg, "byte count");
		else if (option != 'C')
			usage();
	}
	if (optind == argc)
		status = dump(stdin, "standard input");
	for (; optind < argc; optind++) {
		FILE *file = fopen(argv[optind], "r");

		if (!file) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		status |= dump(file, argv[optind]);
		fclose(file);
	}
	if (filled)
		print_line();
	if (offset)
		printf("%08lx\n", offset);
	return finish(status);
}
