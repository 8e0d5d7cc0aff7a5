/* cp: copy files. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: cp [-rf] SOURCE... DEST\n"
	"Copy SOURCE to DEST, or into DEST if that is a directory; -r directories with all they contain.\n";

static bool opt_recursive;

static int copy(const char *from, const char *to, bool top);

static int fail(const char *path)
{
	warn("%s", path);
	return 1;
}

static int copy_data(int in, int out, const char *from, const char *to)
{
	static char buf[32768];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t m = write(out, buf + done, (size_t)(n - done));

			if (m < 0)
				return fail(to);
			done += m;
		}
	}
	return n < 0 ? fail(from) : 0;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY), out, status;

	if (in < 0)
		return fail(from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	if (out < 0) {
		status = fail(to);
	} else {
		status = copy_data(in, out, from, to);
		if (close(out) < 0)
			status = fail(to);
	}
	close(in);
	return status;
}

static int copy_directory(const char *from, const char *to, const struct stat *st)
{
	struct dirent *entry;
	struct stat target;
	int status = 0;
	DIR *dir;

	if (mkdir(to, (st->st_mode & 0777) | 0700) < 0 && errno != EEXIST)
		return fail(to);
	if (stat(to, &target) < 0 || !S_ISDIR(target.st_mode)) {
		warnx("%s: not a directory", to);
		return 1;
	}
	dir = opendir(from);
	if (!dir)
		return fail(from);
	while ((entry = readdir(dir))) {
		char *source, *dest;
		struct stat inner;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		source = path_join(from, entry->d_name);
		dest = path_join(to, entry->d_name);
		if (lstat(source, &inner) == 0 && inner.st_ino == target.st_ino &&
		    inner.st_dev == target.st_dev) {
			warnx("%s: cannot copy a directory into itself", from);
			status = 1;
		} else {
			status |= copy(source, dest, false);
		}
		free(source);
		free(dest);
	}
	closedir(dir);
	return status;
}

static int copy_link(const char *from, const char *to)
{
	char target[4096];
	ssize_t length = readlink(from, target, sizeof(target) - 1);

	if (length < 0)
		return fail(from);
	target[length] = '\0';
	return symlink(target, to) < 0 ? fail(to) : 0;
}

/* A link named on the command line is followed; one found on the way is copied as a link. */
static int copy(const char *from, const char *to, bool top)
{
	struct stat st, other;

	if ((top && !opt_recursive ? stat : lstat)(from, &st) < 0)
		return fail(from);
	if (stat(to, &other) == 0 && st.st_ino == other.st_ino && st.st_dev == other.st_dev) {
		warnx("%s and %s are the same file", from, to);
		return 1;
	}
	if (S_ISDIR(st.st_mode)) {
		if (opt_recursive)
			return copy_directory(from, to, &st);
		warnx("%s: is a directory (use -r)", from);
		return 1;
	}
	return S_ISLNK(st.st_mode) ? copy_link(from, to) : copy_file(from, to, st.st_mode);
}

int main(int argc, char **argv)
{
	int status = 0, option;
	const char *to;
	struct stat st;
	bool into;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "frR")) != -1) {
		if (option == 'r' || option == 'R')
			opt_recursive = true;
		else if (option != 'f')
			usage();
	}
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
		status |= copy(argv[optind], dest, true);
		free(dest);
	}
	return status;
}
