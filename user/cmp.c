/* cmp: compare two files byte by byte. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: cmp [-s] FILE1 FILE2\n"
	"Status 0 if the files are equal, 1 with the first difference printed (not with -s), 2 on trouble.\n";

static FILE *open_input(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;

	if (!file)
		err(2, "%s", name);
	return file;
}

int main(int argc, char **argv)
{
	unsigned long at = 1, line = 1;
	bool silent = false;
	FILE *a, *b;
	int option, x, y;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "s")) != -1) {
		if (option != 's')
			usage();
		silent = true;
	}
	if (argc - optind != 2)
		usage();
	a = open_input(argv[optind]);
	b = open_input(argv[optind + 1]);
	while ((x = getc(a)) == (y = getc(b)) && x != EOF) {
		at++;
		line += x == '\n';
	}
	if (ferror(a))
		err(2, "%s", argv[optind]);
	if (ferror(b))
		err(2, "%s", argv[optind + 1]);
	if (x == y)
		return 0;
	if (!silent && (x == EOF || y == EOF))
		warnx("EOF on %s after byte %lu", argv[optind + (y == EOF)], at - 1);
	else if (!silent)
		printf("%s %s differ: byte %lu, line %lu\n", argv[optind], argv[optind + 1], at,
		       line);
	return finish(1);
}
