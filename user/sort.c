/* sort: order lines. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: sort [-nru] [FILE...]\n"
	"Print the lines of all FILEs (standard input if none) in order: -n by number, -r descending,\n"
	"-u equal ones once.\n";

static bool opt_number, opt_reverse, opt_unique;
static char **lines;
static size_t count, room;

static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	long order = 0;

	if (opt_number) {
		long m = strtol(x, NULL, 10), n = strtol(y, NULL, 10);

		order = (m > n) - (m < n);
	}
	if (!order && !(opt_number && opt_unique))
		order = strcmp(x, y);
	return (int)(opt_reverse ? -order : order);
}

static void read_lines(FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (count == room) {
			room = room ? room * 2 : 256;
			lines = xrealloc(lines, room * sizeof(*lines));
		}
		lines[count++] = xstrdup(line);
	}
	free(line);
}

int main(int argc, char **argv)
{
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "nru")) != -1) {
		if (option == 'n')
			opt_number = true;
		else if (option == 'r')
			opt_reverse = true;
		else if (option == 'u')
			opt_unique = true;
		else
			usage();
	}
	if (optind == argc)
		read_lines(stdin);
	for (; optind < argc; optind++) {
		FILE *file = fopen(argv[optind], "r");

		if (!file) {
			warn("%s", argv[optind]);
			status = 2;
			continue;
		}
		read_lines(file);
		if (ferror(file)) {
			warn("%s", argv[optind]);
			status = 2;
		}
		fclose(file);
	}
	qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++)
		if (!opt_unique || i == 0 || compare(&lines[i - 1], &lines[i]))
			puts(lines[i]);
	return finish(status);
}
