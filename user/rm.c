/* rm: remove files. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: rm [-fr] FILE...\n"
	"Remove each FILE; -r directories with all they contain; -f no complaint about a missing one.\n";

static bool opt_recursive, opt_force;

static int remove_path(const char *path);

/*
 * Empty a directory. Removing an entry may move the others, so the scan starts again until one pass
 * finds nothing, or only things that cannot be removed.
 */
static int empty_directory(const char *path)
{
	struct dirent *entry;
	int status, removed;
	DIR *dir = opendir(path);

	if (!dir) {
		warn("%s", path);
		return 1;
	}
	do {
		status = removed = 0;
		rewinddir(dir);
		while ((entry = readdir(dir))) {
			char *full;

			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			full = path_join(path, entry->d_name);
			if (remove_path(full))
				status = 1;
			else
				removed++;
			free(full);
		}
	} while (removed && !status);
	closedir(dir);
	return status;
}

static int remove_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (opt_force && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		warn("%s", path);
		return 1;
	}
	if (S_ISDIR(st.st_mode)) {
		if (!opt_recursive) {
			warnx("%s: Is a directory", path);
			return 1;
		}
		if (empty_directory(path))
			return 1;
		if (rmdir(path) == 0)
			return 0;
	} else if (unlink(path) == 0) {
		return 0;
	}
	warn("%s", path);
	return 1;
}

int main(int argc, char **argv)
{
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "frR")) != -1) {
		if (option == 'f')
			opt_force = true;
		else if (option == 'r' || option == 'R')
			opt_recursive = true;
		else
			usage();
	}
	if (optind == argc && !opt_force)
		usage();
	for (; optind < argc; optind++) {
		const char *name = base_name(argv[optind]);

		if (!strcmp(name, ".") || !strcmp(name, "..")) {
			warnx("%s: refusing to remove . or ..", argv[optind]);
			status = 1;
			continue;
		}
		status |= remove_path(argv[optind]);
	}
	return status;
}
