/* mkdir: make directories. */
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: mkdir [-p] [-m MODE] DIRECTORY...\n"
	"Make each DIRECTORY; with -p its parents too, and it may exist already.\n";

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Make every directory on the way to path, and path. */
static int make_parents(char *path, mode_t mode)
{
	for (char *p = path + 1; ; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(path, c ? 0777 : mode) < 0 && !(errno == EEXIST && is_directory(path))) {
			warn("%s", path);
			return 1;
		}
		*p = c;
		if (!c)
			return 0;
	}
}

int main(int argc, char **argv)
{
	bool parents = false;
	mode_t mode = 0777;
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "pm:")) != -1) {
		if (option == 'p')
			parents = true;
		else if (option == 'm')
			mode = (mode_t)strtoul(optarg, NULL, 8);
		else
			usage();
	}
	if (optind == argc)
		usage();
	for (; optind < argc; optind++) {
		if (parents && *argv[optind]) {
			status |= make_parents(argv[optind], mode);
		} else if (mkdir(argv[optind], mode) < 0) {
			warn("%s", argv[optind]);
			status = 1;
		}
	}
	return status;
}
