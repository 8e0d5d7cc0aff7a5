/* uptime: how long the system has been running. */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

static const char help[] =
	"usage: uptime\n"
	"Print the time, how long the system has been up, and its load if the kernel knows it.\n";

static long uptime_seconds(void)
{
	FILE *file = fopen("/proc/uptime", "r");
	struct sysinfo info;
	char line[64];

	if (file && fgets(line, sizeof(line), file)) {
		fclose(file);
		return strtol(line, NULL, 10);
	}
	if (sysinfo(&info) < 0)
		err(1, "/proc/uptime");
	return info.uptime;
}

int main(int argc, char **argv)
{
	long seconds, days;
	char now[16], load[64];
	FILE *file;
	struct tm tm;
	time_t t;

	prog_init(argc, argv, help);
	if (argc > 1)
		usage();
	seconds = uptime_seconds();
	days = seconds / 86400;
	time(&t);
	strftime(now, sizeof(now), "%T", gmtime_r(&t, &tm));
	printf("%s up ", now);
	if (days)
		printf("%ld day%s, ", days, days == 1 ? "" : "s");
	printf("%02ld:%02ld:%02ld", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
	file = fopen("/proc/loadavg", "r");
	if (file && fgets(load, sizeof(load), file)) {
		char *rest = load;
		char *one = strsep(&rest, " "), *five = strsep(&rest, " "),
		     *fifteen = strsep(&rest, " ");

		if (fifteen)
			printf(", load average: %s, %s, %s", one, five, fifteen);
	}
	putchar('\n');
	return finish(0);
}
