/* swapoff: bring everything back from swap areas into memory, and use them no more. */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

static const char help[] =
	"usage: swapoff DEVICE... | swapoff -a\n"
	"Stop swapping to each DEVICE; what lies there is brought back first. -a: to all.\n";

static int stop(const char *device)
{
	if (swapoff(device) == 0)
		return 0;
	warn("%s: swapoff failed", device);
	return 1;
}

/* The names first, for the table changes with each that goes. */
static int stop_all(void)
{
	char names[8][64], line[256];
	FILE *file = fopen("/proc/swaps", "r");
	int status = 0, n = 0;

	if (!file)
		err(1, "/proc/swaps");
	while (n < 8 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\n")] = '\0';
		if (line[0] == '/')
			strlcpy(names[n++], line, sizeof(names[0]));
	}
	fclose(file);
	for (int i = 0; i < n; i++)
		status |= stop(names[i]);
	return status;
}

int main(int argc, char **argv)
{
	bool all = false;
	int status = 0, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "a")) != -1) {
		if (option != 'a')
			usage();
		all = true;
	}
	if (!all && optind == argc)
		usage();
	if (all)
		status = stop_all();
	for (int i = optind; i < argc; i++)
		status |= stop(argv[i]);
	return finish(status);
}
