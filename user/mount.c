/* mount: show what is mounted. */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: mount\n"
	"Print the mounted file systems, from /proc/mounts.\n";

int main(int argc, char **argv)
{
	char line[512];
	FILE *file;

	prog_init(argc, argv, help);
	if (argc > 1)
		usage();
	file = fopen("/proc/mounts", "r");
	if (!file)
		err(1, "/proc/mounts");
	while (fgets(line, sizeof(line), file)) {
		char *rest = line;
		char *device = strsep(&rest, " "), *where = strsep(&rest, " ");
		char *type = strsep(&rest, " "), *options = strsep(&rest, " ");

		if (options)
			printf("%s on %s type %s (%s)\n", device, where, type, options);
	}
	return finish(0);
}
