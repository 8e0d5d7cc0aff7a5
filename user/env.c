/* env: show the environment, or run a command with a changed one. */
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: env [-i] [-u NAME] [NAME=VALUE...] [COMMAND [ARG...]]\n"
	"Run COMMAND with the environment changed (-i: emptied first, -u: without NAME), or print it.\n";

int main(int argc, char **argv)
{
	int option, status;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "+iu:")) != -1) {
		if (option == 'i')
			clearenv();
		else if (option == 'u')
			unsetenv(optarg);
		else
			usage();
	}
	for (; optind < argc && strchr(argv[optind], '='); optind++)
		putenv(argv[optind]);
	if (optind < argc) {
		execvp(argv[optind], argv + optind);
		status = errno == ENOENT ? 127 : 126;
		err(status, "%s", argv[optind]);
	}
	for (char **entry = environ; *entry; entry++)
		puts(*entry);
	return finish(0);
}
