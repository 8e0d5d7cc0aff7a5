/* sync: write everything back to disk. */
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <unistd.h>

static const char help[] =
	"usage: sync [FILE...]\n"
	"Write everything that is still in memory only to the disk, or just each FILE.\n";

int main(int argc, char **argv)
{
	int status = 0;

	prog_init(argc, argv, help);
	if (argc == 1)
		sync();
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0 || fsync(fd) < 0) {
			warn("%s", argv[i]);
			status = 1;
		}
		if (fd >= 0)
			close(fd);
	}
	return status;
}
