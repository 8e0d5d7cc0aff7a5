/* ls: list files. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: ls [-1aAdFilRrSt] [FILE...]\n"
	"List each FILE, and the contents of each directory.\n"
	"  -1 one to a line   -a with names that begin with a dot   -A the same without . and ..\n"
	"  -d directories themselves   -F mark the type   -i inode numbers   -l details\n"
	"  -R subdirectories too   -r reverse   -S by size   -t by time\n";

struct entry {
	char		*name;
	char		*target;		/* of a symbolic link, with -l */
	struct stat	st;
};

struct entries {
	struct entry	*item;
	size_t		count, room;
};

static bool opt_all, opt_almost, opt_dir, opt_mark, opt_inode, opt_long, opt_recursive, opt_reverse;
static bool opt_one, opt_size, opt_time;
static int status;

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	long order = 0;

	if (opt_size)
		order = y->st.st_size - x->st.st_size;
	else if (opt_time)
		order = y->st.st_mtime - x->st.st_mtime;
	if (!order)
		order = strcmp(x->name, y->name);
	if (opt_reverse)
		order = -order;
	return order < 0 ? -1 : order > 0;
}

/* Add what lies at path under the given name; false if it cannot be examined. */
static bool add(struct entries *entries, const char *name, const char *path, bool follow)
{
	struct entry *entry;
	char target[4096];
	ssize_t length;

	if (entries->count == entries->room) {
		entries->room = entries->room ? entries->room * 2 : 32;
		entries->item = xrealloc(entries->item, entries->room * sizeof(*entries->item));
	}
	entry = &entries->item[entries->count];
	if ((!follow || stat(path, &entry->st) < 0) && lstat(path, &entry->st) < 0) {
		warn("%s", path);
		status = 1;
		return false;
	}
	entry->name = xstrdup(name);
	entry->target = NULL;
	if (opt_long && S_ISLNK(entry->st.st_mode)) {
		length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		entry->target = xstrdup(target);
	}
	entries->count++;
	return true;
}

static void free_entries(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->item[i].name);
		free(entries->item[i].target);
	}
	free(entries->item);
}

static void mode_string(mode_t mode, char out[11])
{
	static const char types[16] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	out[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++)
		out[i + 1] = mode & (0400 >> i) ? bits[i] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
}

static const char *mark(mode_t mode)
{
	if (!opt_mark)
		return "";
	return S_ISDIR(mode)	? "/"
	       : S_ISLNK(mode)	? "@"
	       : S_ISFIFO(mode) ? "|"
	       : mode & 0111	? "*"
				: "";
}

struct widths {
	int inode, links, size;
};

static void widen(int *width, unsigned long value)
{
	int digits = snprintf(NULL, 0, "%lu", value);

	if (digits > *width)
		*width = digits;
}

static void print_long(const struct entry *entry, const struct widths *widths)
{
	const struct stat *st = &entry->st;
	char mode[11], size[24], when[20];
	struct tm tm;

	mode_string(st->st_mode, mode);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		snprintf(size, sizeof(size), "%u,%u", major(st->st_rdev), minor(st->st_rdev));
	else
		snprintf(size, sizeof(size), "%ld", st->st_size);
	strftime(when, sizeof(when), "%F %H:%M", gmtime_r(&st->st_mtime, &tm));
	printf("%s %*u %u %u %*s %s %s%s", mode, widths->links, st->st_nlink, st->st_uid,
	       st->st_gid, widths->size, size, when, entry->name,
	       entry->target ? "" : mark(st->st_mode));
	if (entry->target)
		printf(" -> %s", entry->target);
}

static void print_columns(const struct entries *entries, const struct widths *widths)
{
	struct winsize window = { .ws_col = 80 };
	size_t widest = 0, columns, rows;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
	for (size_t i = 0; i < entries->count; i++)
		if (strlen(entries->item[i].name) > widest)
			widest = strlen(entries->item[i].name);
	widest += 2 + opt_mark + (opt_inode ? (size_t)widths->inode + 1 : 0);
	columns = (window.ws_col ? window.ws_col : 80) / widest;
	if (!columns)
		columns = 1;
	rows = (entries->count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < entries->count; i += rows) {
			const struct entry *entry = &entries->item[i];
			int used = 0;

			if (opt_inode)
				used = printf("%*lu ", widths->inode, entry->st.st_ino);
			used += printf("%s%s", entry->name, mark(entry->st.st_mode));
			if (i + rows < entries->count)
				printf("%*s", (int)widest - used, "");
		}
		putchar('\n');
	}
}

static void print(struct entries *entries)
{
	struct widths widths = { 0 };

	qsort(entries->item, entries->count, sizeof(*entries->item), compare);
	for (size_t i = 0; i < entries->count; i++) {
		widen(&widths.inode, entries->item[i].st.st_ino);
		widen(&widths.links, entries->item[i].st.st_nlink);
		widen(&widths.size, (unsigned long)entries->item[i].st.st_size);
	}
	if (!opt_long && !opt_one && isatty(STDOUT_FILENO)) {
		print_columns(entries, &widths);
		return;
	}
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->item[i];

		if (opt_inode)
			printf("%*lu ", widths.inode, entry->st.st_ino);
		if (opt_long)
			print_long(entry, &widths);
		else
			printf("%s%s", entry->name, mark(entry->st.st_mode));
		putchar('\n');
	}
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void list_directory(const char *path, bool title, bool *first)
{
	struct entries entries = { 0 };
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir) {
		warn("%s", path);
		status = 1;
		return;
	}
	if (title)
		printf("%s%s:\n", *first ? "" : "\n", path);
	*first = false;
	while (errno = 0, (entry = readdir(dir))) {
		char *full;

		if (entry->d_name[0] == '.' && !opt_all && !(opt_almost && !is_dots(entry->d_name)))
			continue;
		full = path_join(path, entry->d_name);
		add(&entries, entry->d_name, full, false);
		free(full);
	}
	if (errno) {
		warn("%s", path);
		status = 1;
	}
	closedir(dir);
	print(&entries);
	for (size_t i = 0; opt_recursive && i < entries.count; i++) {
		char *full;

		if (!S_ISDIR(entries.item[i].st.st_mode) || is_dots(entries.item[i].name))
			continue;
		full = path_join(path, entries.item[i].name);
		list_directory(full, true, first);
		free(full);
	}
	free_entries(&entries);
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "1aAdFilRrSt")) != -1) {
		switch (option) {
		case '1': opt_one = true; break;
		case 'a': opt_all = true; break;
		case 'A': opt_almost = true; break;
		case 'd': opt_dir = true; break;
		case 'F': opt_mark = true; break;
		case 'i': opt_inode = true; break;
		case 'l': opt_long = true; break;
		case 'R': opt_recursive = true; break;
		case 'r': opt_reverse = true; break;
		case 'S': opt_size = true; break;
		case 't': opt_time = true; break;
		default: usage();
		}
	}
}

int main(int argc, char **argv)
{
	struct entries files = { 0 }, dirs = { 0 };
	bool first = true, many;

	prog_init(argc, argv, help);
	parse_options(argc, argv);
	if (optind == argc)
		argv[--optind] = ".";
	many = argc - optind > 1 || opt_recursive;
	for (; optind < argc; optind++) {
		struct stat st;
		bool is_dir = !opt_dir && stat(argv[optind], &st) == 0 && S_ISDIR(st.st_mode);

		add(is_dir ? &dirs : &files, argv[optind], argv[optind], is_dir);
	}
	if (files.count) {
		print(&files);
		first = false;
	}
	qsort(dirs.item, dirs.count, sizeof(*dirs.item), compare);
	for (size_t i = 0; i < dirs.count; i++)
		list_directory(dirs.item[i].name, many, &first);
	return finish(status);
}
