/* ln: make links. */
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: ln [-sf] TARGET... LINK\n"
	"Make LINK (or a name inside it, if it is a directory) another name of TARGET; -s a symbolic link;\n"
	"-f replace what is there.\n";

int main(int argc, char **argv)
{
	bool symbolic = false, force = false, into;
	int status = 0, option;
	const char *to;
	struct stat st;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "sf")) != -1) {
		if (option == 's')
			symbolic = true;
		else if (option == 'f')
			force = true;
		else
			usage();
	}
	if (argc - optind < 2)
		usage();
	to = argv[argc - 1];
	into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
	if (!into && argc - optind > 2)
		errx(1, "%s: not a directory", to);
	for (; optind < argc - 1; optind++) {
		const char *from = argv[optind];
		char *path = into ? path_join(to, base_name(from)) : xstrdup(to);

		if (force && unlink(path) < 0 && errno != ENOENT) {
			warn("%s", path);
			status = 1;
		} else if ((symbolic ? symlink : link)(from, path) < 0) {
			warn("%s", path);
			status = 1;
		}
		free(path);
	}
	return status;
}
