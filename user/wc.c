/* wc: count lines, words and bytes. */
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: wc [-lwc] [FILE...]\n"
	"Count the lines, words and bytes of each FILE (standard input if none).\n";

struct counts {
	unsigned long lines, words, bytes;
};

static bool opt_lines, opt_words, opt_bytes;

static void print(const struct counts *counts, const char *name)
{
	bool many = opt_lines + opt_words + opt_bytes > 1;
	const char *gap = "";

	if (opt_lines)
		gap = (printf("%s%*lu", gap, many ? 7 : 0, counts->lines), " ");
	if (opt_words)
		gap = (printf("%s%*lu", gap, many ? 7 : 0, counts->words), " ");
	if (opt_bytes)
		printf("%s%*lu", gap, many ? 7 : 0, counts->bytes);
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

static int count(int fd, const char *name, struct counts *counts)
{
	static char buf[16384];
	bool in_word = false;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		counts->bytes += (unsigned long)n;
		for (ssize_t i = 0; i < n; i++) {
			bool space = isspace((unsigned char)buf[i]);

			counts->lines += buf[i] == '\n';
			counts->words += !space && !in_word;
			in_word = !space;
		}
	}
	if (n < 0)
		warn("%s", name);
	return n < 0;
}

int main(int argc, char **argv)
{
	struct counts total = { 0 };
	int status = 0, option, files;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "lwc")) != -1) {
		switch (option) {
		case 'l': opt_lines = true; break;
		case 'w': opt_words = true; break;
		case 'c': opt_bytes = true; break;
		default: usage();
		}
	}
	if (!opt_lines && !opt_words && !opt_bytes)
		opt_lines = opt_words = opt_bytes = true;
	files = argc - optind;
	if (!files) {
		status = count(STDIN_FILENO, "standard input", &total);
		print(&total, NULL);
	}
	for (; optind < argc; optind++) {
		struct counts counts = { 0 };
		int fd = strcmp(argv[optind], "-") ? open(argv[optind], O_RDONLY) : STDIN_FILENO;

		if (fd < 0) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		status |= count(fd, argv[optind], &counts);
		if (fd != STDIN_FILENO)
			close(fd);
		print(&counts, argv[optind]);
		total.lines += counts.lines;
		total.words += counts.words;
		total.bytes += counts.bytes;
	}
	if (files > 1)
		print(&total, "total");
	return finish(status);
}
