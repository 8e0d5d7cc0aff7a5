/* free: how memory is used, from /proc/meminfo. */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static const char help[] =
	"usage: free [-b | -k | -m]\n"
	"Print total, used and free memory in KiB (bytes with -b, MiB with -m).\n";

/* kB; a line that the kernel does not have stays 0 */
static unsigned long total, unused, available, buffers, cached, reclaimable, shared;
static unsigned long swap_total, swap_free;

static const struct {
	const char	*name;
	unsigned long	*value;
} fields[] = {
	{"MemTotal", &total},  {"MemFree", &unused},	   {"MemAvailable", &available},
	{"Buffers", &buffers}, {"Cached", &cached},	   {"SReclaimable", &reclaimable},
	{"Shmem", &shared},    {"SwapTotal", &swap_total}, {"SwapFree", &swap_free},
};

static void read_meminfo(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];

	if (!file) {
		struct sysinfo info;

		if (sysinfo(&info) < 0)
			err(1, "/proc/meminfo");
		total = info.totalram * info.mem_unit / 1024;
		unused = info.freeram * info.mem_unit / 1024;
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			if (!strcmp(line, fields[i].name))
				*fields[i].value = strtoul(colon + 1, NULL, 10);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned long cache, used, multiply = 1, divide = 1;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "bkm")) != -1) {
		if (option == 'b')
			multiply = 1024;
		else if (option == 'm')
			divide = 1024;
		else if (option != 'k')
			usage();
	}
	read_meminfo();
	cache = buffers + cached + reclaimable;
	used = total > unused + cache ? total - unused - cache : 0;
	if (!available)
		available = unused + cache;
#define SHOW(n) ((n) * multiply / divide)
	printf("%15s %11s %11s %11s %11s %11s\n", "total", "used", "free", "shared", "buff/cache",
	       "available");
	printf("Mem: %10lu %11lu %11lu %11lu %11lu %11lu\n", SHOW(total), SHOW(used), SHOW(unused),
	       SHOW(shared), SHOW(cache), SHOW(available));
	printf("Swap:%10lu %11lu %11lu\n", SHOW(swap_total), SHOW(swap_total - swap_free),
	       SHOW(swap_free));
	return finish(0);
}
