/* pwd: the working directory. */
#include <err.h>
#include <limits.h>
#include <prog.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
	"usage: pwd\n"
	"Print the working directory.\n";

int main(int argc, char **argv)
{
	char cwd[PATH_MAX];

	prog_init(argc, argv, help);
	if (argc > 1)
		usage();
	if (!getcwd(cwd, sizeof(cwd)))
		err(1, "getcwd");
	puts(cwd);
	return finish(0);
}
