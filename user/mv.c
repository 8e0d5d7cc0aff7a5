/* mv: rename files. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: mv [-f] SOURCE... DEST\n"
	"Rename SOURCE to DEST, or move it into DEST if that is a directory. Within one file system only.\n";

int main(int argc, char **argv)
{
	int status = 0, option;
	const char *to;
	struct stat st;
	bool into;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "f")) != -1)
		if (option != 'f')
			usage();
	if (argc - optind < 2)
		usage();
	to = argv[argc - 1];
	into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
	if (!into && argc - optind > 2)
		errx(1, "%s: not a directory", to);
	for (; optind < argc - 1; optind++) {
		size_t length = strlen(argv[optind]);
		char *dest;

		while (length > 1 && argv[optind][length - 1] == '/')
			argv[optind][--length] = '\0';
		dest = into ? path_join(to, base_name(argv[optind])) : xstrdup(to);
		if (rename(argv[optind], dest) < 0) {
			warn("%s to %s", argv[optind], dest);
			status = 1;
		}
		free(dest);
	}
	return status;
}
