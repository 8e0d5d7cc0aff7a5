/* dd: copy blocks. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc,fsync] [status=none]\n"
	"Copy count blocks of bs bytes (512) from if to of, skipping input and seeking output blocks first.\n"
	"Numbers may end in k, M or G.\n";

static const char *input, *output;
static long block_size = 512, block_count = -1, skip, seek;
static bool notrunc, do_fsync, quiet;

static void parse_conv(char *words)
{
	char *word;

	while ((word = strsep(&words, ","))) {
		if (!strcmp(word, "notrunc"))
			notrunc = true;
		else if (!strcmp(word, "fsync"))
			do_fsync = true;
		else
			errx(2, "unknown conversion: '%s'", word);
	}
}

static void parse(char *arg)
{
	static const struct {
		const char	*name;
		long		*number;
		const char	**text;
	} operands[] = {
		{ "if", NULL, &input },		{ "of", NULL, &output },
		{ "bs", &block_size, NULL },	{ "count", &block_count, NULL },
		{ "skip", &skip, NULL },	{ "seek", &seek, NULL },
	};
	char *equals = strchr(arg, '=');

	if (!equals)
		usage();
	*equals = '\0';
	for (size_t i = 0; i < sizeof(operands) / sizeof(*operands); i++) {
		if (strcmp(arg, operands[i].name))
			continue;
		if (operands[i].text)
			*operands[i].text = equals + 1;
		else
			*operands[i].number = number_arg(equals + 1, arg);
		return;
	}
	if (!strcmp(arg, "conv"))
		parse_conv(equals + 1);
	else if (!strcmp(arg, "status"))
		quiet = !strcmp(equals + 1, "none");
	else
		errx(2, "unknown operand: '%s'", arg);
}

/* Up to one block; short only at the end of the input, so that blocks of a pipe are whole too. */
static ssize_t read_block(int fd, char *buf)
{
	ssize_t total = 0;

	while (total < block_size) {
		ssize_t n = read(fd, buf + total, (size_t)(block_size - total));

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		total += n;
	}
	return total;
}

static void skip_input(int fd, char *buf)
{
	if (!skip || lseek(fd, skip * block_size, SEEK_CUR) >= 0)
		return;
	for (long i = 0; i < skip; i++)
		if (read_block(fd, buf) <= 0)
			return;
}

int main(int argc, char **argv)
{
	unsigned long whole = 0, partial = 0, bytes = 0;
	struct timespec start, end;
	int in = STDIN_FILENO, out = STDOUT_FILENO;
	ssize_t n = 0;
	char *buf;
	long ms;

	prog_init(argc, argv, help);
	for (int i = 1; i < argc; i++)
		parse(argv[i]);
	if (block_size <= 0)
		errx(2, "bad bs");
	buf = xmalloc((size_t)block_size);
	if (input && (in = open(input, O_RDONLY)) < 0)
		err(1, "%s", input);
	if (output &&
	    (out = open(output, O_WRONLY | O_CREAT | (notrunc || seek ? 0 : O_TRUNC), 0666)) < 0)
		err(1, "%s", output);
	if (seek && !notrunc && output && ftruncate(out, seek * block_size) < 0 && errno != EINVAL)
		err(1, "%s", output);
	if (seek && lseek(out, seek * block_size, SEEK_SET) < 0)
		err(1, "%s: seek", output ? output : "standard output");
	clock_gettime(CLOCK_MONOTONIC, &start);
	skip_input(in, buf);
	while (block_count < 0 || (long)(whole + partial) < block_count) {
		n = read_block(in, buf);
		if (n <= 0)
			break;
		for (ssize_t done = 0, m; done < n; done += m)
			if ((m = write(out, buf + done, (size_t)(n - done))) < 0)
				err(1, "%s", output ? output : "standard output");
		bytes += (unsigned long)n;
		if (n == block_size)
			whole++;
		else
			partial++;
	}
	if (n < 0)
		err(1, "%s", input ? input : "standard input");
	if (do_fsync && fsync(out) < 0)
		err(1, "%s: fsync", output ? output : "standard output");
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	if (!quiet)
		fprintf(stderr, "%lu+%lu records\n%lu bytes copied, %ld.%03ld s\n", whole, partial,
			bytes, ms / 1000, ms % 1000);
	return 0;
}
