/* sleep: wait. */
#include <ctype.h>
#include <err.h>
#include <prog.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: sleep SECONDS\n"
	"Do nothing for SECONDS, which may have a fraction.\n";

int main(int argc, char **argv)
{
	struct timespec ts = { 0 };
	const char *p;

	prog_init(argc, argv, help);
	if (argc != 2)
		usage();
	for (p = argv[1]; isdigit((unsigned char)*p); p++)
		ts.tv_sec = ts.tv_sec * 10 + (*p - '0');
	if (*p == '.') {
		long unit = 100000000;

		for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
			ts.tv_nsec += unit * (*p - '0');
	}
	if (*p || p == argv[1])
		errx(2, "bad number of seconds: '%s'", argv[1]);
	if (nanosleep(&ts, NULL) < 0)
		err(1, "nanosleep");
	return 0;
}
