/* seq: a sequence of numbers. */
#include <prog.h>
#include <stdio.h>
#include <err.h>

static const char help[] =
	"usage: seq [FIRST [STEP]] LAST\n"
	"Print the whole numbers from FIRST (1) to LAST, STEP (1) apart, one to a line.\n";

int main(int argc, char **argv)
{
	long first = 1, step = 1, last;

	prog_init(argc, argv, help);
	if (argc < 2 || argc > 4)
		usage();
	last = number_arg(argv[argc - 1], "number");
	if (argc > 2)
		first = number_arg(argv[1], "number");
	if (argc > 3)
		step = number_arg(argv[2], "number");
	if (!step)
		errx(2, "the step must not be 0");
	for (long n = first; step > 0 ? n <= last : n >= last;) {
		printf("%ld\n", n);
		if (__builtin_add_overflow(n, step, &n))
			break;
	}
	return finish(0);
}
