/* head: the beginning of files. */
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: head [-n LINES | -c BYTES | -LINES] [FILE...]\n"
	"Print the first LINES (10) or BYTES of each FILE (standard input if none).\n";

static void head_lines(FILE *file, long lines)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while (lines-- > 0 && (n = getline(&line, &size, file)) > 0)
		fwrite(line, 1, (size_t)n, stdout);
	free(line);
}

static void head_bytes(FILE *file, long bytes)
{
	int c;

	while (bytes-- > 0 && (c = getc(file)) != EOF)
		putchar(c);
}

static int head(FILE *file, const char *name, long lines, long bytes)
{
	if (bytes >= 0)
		head_bytes(file, bytes);
	else
		head_lines(file, lines);
	if (ferror(file))
		warn("%s", name);
	return ferror(file);
}

int main(int argc, char **argv)
{
	long lines = 10, bytes = -1;
	int status = 0, option, many;

	prog_init(argc, argv, help);
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
		lines = number_arg(argv[1] + 1, "line count");
		optind = 2;
	}
	while ((option = getopt(argc, argv, "n:c:")) != -1) {
		if (option == 'n')
			lines = number_arg(optarg, "line count");
		else if (option == 'c')
			bytes = number_arg(optarg, "byte count");
		else
			usage();
	}
	if (optind == argc)
		status = head(stdin, "standard input", lines, bytes);
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
		status |= head(file, argv[optind], lines, bytes);
		if (file != stdin)
			fclose(file);
	}
	return finish(status);
}
