/*
 * tail: the end of files. The last lines are kept in a ring as the input passes, so a pipe serves
 * as well as a file.
 */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: tail [-n [+]LINES | -LINES] [FILE...]\n"
	"Print the last LINES (10) of each FILE (standard input if none), or from line LINES on with +.\n";

static void from_line(FILE *file, long number)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	for (long at = 1; (n = getline(&line, &size, file)) > 0; at++)
		if (at >= number)
			fwrite(line, 1, (size_t)n, stdout);
	free(line);
}

struct line {
	char	*text;
	size_t	size;
	ssize_t	length;
};

static void last_lines(FILE *file, long count)
{
	struct line *ring;
	long next = 0, total = 0;

	if (count <= 0)
		return;
	ring = xmalloc((size_t)count * sizeof(*ring));
	memset(ring, 0, (size_t)count * sizeof(*ring));
	while ((ring[next].length = getline(&ring[next].text, &ring[next].size, file)) > 0) {
		next = (next + 1) % count;
		total++;
	}
	if (total > count)
		total = count;
	for (long i = 0; i < total; i++) {
		/* the slot at next holds the failed read only while the ring is not full */
		struct line *line = &ring[(next + count - total + i) % count];

		fwrite(line->text, 1, line->length > 0 ? (size_t)line->length : strlen(line->text),
		       stdout);
	}
	for (long i = 0; i < count; i++)
		free(ring[i].text);
	free(ring);
}

static int tail(FILE *file, const char *name, long lines, int from)
{
	if (from)
		from_line(file, lines);
	else
		last_lines(file, lines);
	if (ferror(file))
		warn("%s", name);
	return ferror(file);
}

int main(int argc, char **argv)
{
	int status = 0, option, many, from = 0;
	long lines = 10;

	prog_init(argc, argv, help);
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
		lines = number_arg(argv[1] + 1, "line count");
		optind = 2;
	}
	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n')
			usage();
		from = *optarg == '+';
		lines = number_arg(optarg + from, "line count");
	}
	if (optind == argc)
		status = tail(stdin, "standard input", lines, from);
	many = argc - optind > 1;
	for (int first = optind; optind < argc; optind++) {
		FILE *file = strcmp(argv[optind], "-") ? fopen(argv[optind], "r") : stdin;

		if (!file) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		if (many)
			printf("%s==> %s <==\n", optind > first ? "\n" : "", argv[optind]);
		status |= tail(file, argv[optind], lines, from);
		if (file != stdin)
			fclose(file);
	}
	return finish(status);
}
