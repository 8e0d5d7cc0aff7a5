/* tee: copy standard input to standard output and to files. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <unistd.h>

static const char help[] =
	"usage: tee [-a] [FILE...]\n"
	"Copy standard input to standard output and to each FILE (-a: append).\n";

static int write_all(int fd, const char *data, ssize_t length, const char *name)
{
	while (length > 0) {
		ssize_t n = write(fd, data, (size_t)length);

		if (n < 0) {
			warn("%s", name);
			return 1;
		}
		data += n;
		length -= n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char buf[16384];
	int flags = O_TRUNC, status = 0, option;
	int *fds;
	ssize_t n;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "a")) != -1) {
		if (option != 'a')
			usage();
		flags = O_APPEND;
	}
	fds = xmalloc(sizeof(*fds) * (size_t)argc);
	for (int i = optind; i < argc; i++) {
		fds[i] = open(argv[i], O_WRONLY | O_CREAT | flags, 0666);
		if (fds[i] < 0) {
			warn("%s", argv[i]);
			status = 1;
		}
	}
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		status |= write_all(STDOUT_FILENO, buf, n, "standard output");
		for (int i = optind; i < argc; i++)
			if (fds[i] >= 0 && write_all(fds[i], buf, n, argv[i])) {
				status = 1;
				close(fds[i]);
				fds[i] = -1;
			}
	}
	if (n < 0)
		err(1, "standard input");
	return status;
}
