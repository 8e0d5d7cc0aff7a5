/* echo: print the arguments. */
#include <prog.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: echo [-n] [WORD...]\n"
	"Print the WORDs, separated by spaces and followed by a newline (not with -n).\n";

int main(int argc, char **argv)
{
	int newline = 1, first = 1;

	prog_init(argc, argv, help);
	if (argc > 1 && !strcmp(argv[1], "-n")) {
		newline = 0;
		first = 2;
	}
	for (int i = first; i < argc; i++)
		printf("%s%s", i > first ? " " : "", argv[i]);
	if (newline)
		putchar('\n');
	return finish(0);
}
