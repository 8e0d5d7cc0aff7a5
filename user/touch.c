/* touch: create files, or set their times to now. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: touch [-c] FILE...\n"
	"Set the times of each FILE to now; create it if it is missing (not with -c).\n";

int main(int argc, char **argv)
{
	bool create = true;
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "c")) != -1) {
		if (option != 'c')
			usage();
		create = false;
	}
	if (optind == argc)
		usage();
	for (; optind < argc; optind++) {
		int fd;

		if (utimensat(AT_FDCWD, argv[optind], NULL, 0) == 0)
			continue;
		if (errno == ENOENT && !create)
			continue;
		fd = errno == ENOENT ? open(argv[optind], O_WRONLY | O_CREAT, 0666) : -1;
		if (fd >= 0) {
			close(fd);
			continue;
		}
		warn("%s", argv[optind]);
		status = 1;
	}
	return status;
}
