/* date: the time, UTC. */
#include <prog.h>
#include <stdio.h>
#include <time.h>

static const char help[] =
	"usage: date [+FORMAT]\n"
	"Print the time (UTC), as strftime's FORMAT says.\n";

int main(int argc, char **argv)
{
	const char *format = "%a %b %e %T UTC %Y";
	char text[256];
	struct tm tm;
	time_t now;

	prog_init(argc, argv, help);
	if (argc > 2 || (argc == 2 && argv[1][0] != '+'))
		usage();
	if (argc == 2)
		format = argv[1] + 1;
	if (format[0] == '%' && format[1] == 's' && !format[2]) {
		printf("%ld\n", time(NULL));
		return finish(0);
	}
	time(&now);
	strftime(text, sizeof(text), format, gmtime_r(&now, &tm));
	puts(text);
	return finish(0);
}
