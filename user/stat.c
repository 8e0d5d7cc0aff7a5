/* stat: everything the system knows about a file. */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: stat [-L] FILE...\n"
	"Print the status of each FILE; -L of what a symbolic link points to.\n";

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "regular file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "symbolic link";
	case S_IFCHR: return "character device";
	case S_IFBLK: return "block device";
	case S_IFIFO: return "pipe";
	case S_IFSOCK: return "socket";
	default: return "unknown";
	}
}

static void print_time(const char *label, const struct timespec *ts)
{
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%F %T", gmtime_r(&ts->tv_sec, &tm));
	printf("%s: %s.%09ld\n", label, text, ts->tv_nsec);
}

int main(int argc, char **argv)
{
	int status = 0, option, follow = 0;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "L")) != -1) {
		if (option != 'L')
			usage();
		follow = 1;
	}
	if (optind == argc)
		usage();
	for (; optind < argc; optind++) {
		struct stat st;

		if ((follow ? stat : lstat)(argv[optind], &st) < 0) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		printf("  File: %s\n  Size: %-10ld Blocks: %-8ld IO Block: %-6d %s\n", argv[optind],
		       st.st_size, st.st_blocks, st.st_blksize, type_name(st.st_mode));
		printf("Device: %u,%u Inode: %-10lu Links: %u", major(st.st_dev), minor(st.st_dev),
		       st.st_ino, st.st_nlink);
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			printf(" Device type: %u,%u", major(st.st_rdev), minor(st.st_rdev));
		printf("\nAccess: %04o Uid: %u Gid: %u\n", st.st_mode & 07777, st.st_uid,
		       st.st_gid);
		print_time("Access", &st.st_atim);
		print_time("Modify", &st.st_mtim);
		print_time("Change", &st.st_ctim);
	}
	return finish(status);
}
