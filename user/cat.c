/* cat: concatenate files to standard output. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: cat [FILE...]\n"
	"Copy each FILE (standard input if none, or if it is -) to standard output.\n";

static void write_all(const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, data, length);

		if (n < 0)
			err(1, "write error");
		data += n;
		length -= (size_t)n;
	}
}

static int cat(int fd, const char *name)
{
	static char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		write_all(buf, (size_t)n);
	if (n < 0)
		warn("%s", name);
	return n < 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	prog_init(argc, argv, help);
	if (getopt(argc, argv, "") != -1)
		usage();
	if (optind == argc)
		return cat(STDIN_FILENO, "standard input");
	for (; optind < argc; optind++) {
		const char *name = argv[optind];
		int fd = strcmp(name, "-") ? open(name, O_RDONLY) : STDIN_FILENO;

		if (fd < 0) {
			warn("%s", name);
			status = 1;
			continue;
		}
		status |= cat(fd, name);
		if (fd != STDIN_FILENO)
			close(fd);
	}
	return status;
}
