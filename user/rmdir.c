/* rmdir: remove empty directories. */
#include <err.h>
#include <prog.h>
#include <unistd.h>

static const char help[] =
	"usage: rmdir DIRECTORY...\n"
	"Remove each DIRECTORY, which must be empty.\n";

int main(int argc, char **argv)
{
	int status = 0;

	prog_init(argc, argv, help);
	if (getopt(argc, argv, "") != -1 || optind == argc)
		usage();
	for (; optind < argc; optind++)
		if (rmdir(argv[optind]) < 0) {
			warn("%s", argv[optind]);
			status = 1;
		}
	return status;
}
