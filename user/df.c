/* df: how full the file systems are. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

static const char help[] =
	"usage: df [-i] [PATH...]\n"
	"Print size, use and free space, in KiB, of the file systems of PATH, or of all that have blocks;\n"
	"-i inodes instead.\n";

static bool opt_inodes;

static int show(const char *device, const char *path, bool skip_empty)
{
	unsigned long total, unused, available, unit;
	struct statfs st;
	char percent[16] = "-";

	if (statfs(path, &st) < 0) {
		warn("%s", path);
		return 1;
	}
	if (skip_empty && !st.f_blocks)
		return 0;
	unit = (unsigned long)(st.f_frsize > 0 ? st.f_frsize : st.f_bsize);
	total = opt_inodes ? st.f_files : st.f_blocks * unit / 1024;
	unused = opt_inodes ? st.f_ffree : st.f_bfree * unit / 1024;
	available = opt_inodes ? st.f_ffree : st.f_bavail * unit / 1024;
	if (total - unused + available)
		snprintf(percent, sizeof(percent), "%lu%%",
			 ((total - unused) * 100 + total - unused + available - 1) /
				 (total - unused + available));
	printf("%-15s %10lu %10lu %10lu %5s %s\n", device, total, total - unused, available,
	       percent, path);
	return 0;
}

int main(int argc, char **argv)
{
	char line[512];
	int status = 0, option;
	FILE *file;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "ik")) != -1) {
		if (option == 'i')
			opt_inodes = true;
		else if (option != 'k')
			usage();
	}
	printf("%-15s %10s %10s %10s %5s %s\n", "Filesystem", opt_inodes ? "Inodes" : "1K-blocks",
	       "Used", "Available", "Use%", opt_inodes || optind == argc ? "Mounted on" : "Path");
	for (int i = optind; i < argc; i++)
		status |= show("-", argv[i], false);
	if (optind < argc)
		return finish(status);
	file = fopen("/proc/mounts", "r");
	if (!file)
		return finish(show("-", "/", false));
	while (fgets(line, sizeof(line), file)) {
		char *rest = line;
		char *device = strsep(&rest, " "), *where = strsep(&rest, " ");

		if (where && rest)
			status |= show(device, where, true);
	}
	return finish(status);
}
