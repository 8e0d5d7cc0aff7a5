/*
 * vmstat: what the machine does: processes, memory, swap, input and output, and CPU time, from
 * /proc/meminfo, /proc/vmstat and /proc/stat, in the format of procps. The first line is the average
 * since boot, each further one what happened since the line before.
 */
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: vmstat [-s] [DELAY [COUNT]]\n"
	"Print a line about processes, memory (KiB), swap and blocks (KiB/s), interrupts and context\n"
	"switches per second and CPU time in percent; every DELAY seconds, COUNT times or for ever.\n"
	"-s: print each counter on a line of its own.\n";

#define HEADING_EVERY	20

/* What the kernel does not have stays 0. */
static struct sample {
	/* /proc/meminfo, kB */
	unsigned long total, unused, buffers, cached, reclaimable, active, inactive;
	unsigned long swap_total, swap_free, swap_cached;
	/* /proc/vmstat: in and out in KiB, swapping in pages */
	unsigned long pgpgin, pgpgout, pswpin, pswpout;
	/* /proc/stat */
	unsigned long cpu[8];		/* user nice system idle iowait irq softirq steal, ticks */
	unsigned long intr, ctxt, btime, forks, running, blocked;
} now, last;

struct field {
	const char	*name;
	unsigned long	*value;
};

static const struct field meminfo[] = {
	{ "MemTotal:", &now.total },	   { "MemFree:", &now.unused },
	{ "Buffers:", &now.buffers },	   { "Cached:", &now.cached },
	{ "SReclaimable:", &now.reclaimable }, { "Active:", &now.active },
	{ "Inactive:", &now.inactive },	   { "SwapTotal:", &now.swap_total },
	{ "SwapFree:", &now.swap_free },   { "SwapCached:", &now.swap_cached },
	{ NULL, NULL },
};
static const struct field vmstat[] = {
	{ "pgpgin", &now.pgpgin },   { "pgpgout", &now.pgpgout },
	{ "pswpin", &now.pswpin },   { "pswpout", &now.pswpout },
	{ NULL, NULL },
};
static const struct field stat[] = {
	{ "intr", &now.intr },	     { "ctxt", &now.ctxt },
	{ "btime", &now.btime },     { "processes", &now.forks },
	{ "procs_running", &now.running }, { "procs_blocked", &now.blocked },
	{ NULL, NULL },
};

static void parse_cpu(char *rest)
{
	for (int i = 0; i < 8; i++)
		now.cpu[i] = strtoul(rest, &rest, 10);
}

static void read_fields(const char *path, const struct field *fields)
{
	FILE *file = fopen(path, "r");
	char line[512];

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		char *rest = line, *name = strsep(&rest, " ");

		if (!rest)
			continue;
		if (!strcmp(name, "cpu"))
			parse_cpu(rest);
		for (const struct field *f = fields; f->name; f++)
			if (!strcmp(name, f->name))
				*f->value = strtoul(rest, NULL, 10);
	}
	fclose(file);
}

static void sample(void)
{
	read_fields("/proc/meminfo", meminfo);
	read_fields("/proc/vmstat", vmstat);
	read_fields("/proc/stat", stat);
}

static unsigned long cache(void)
{
	return now.cached + now.reclaimable;
}

static unsigned long used(void)
{
	unsigned long rest = now.unused + now.buffers + cache();

	return now.total > rest ? now.total - rest : 0;
}

static void show_sums(void)
{
	const struct {
		unsigned long	value;
		const char	*what;
	} lines[] = {
		{ now.total, "K total memory" },
		{ used(), "K used memory" },
		{ now.active, "K active memory" },
		{ now.inactive, "K inactive memory" },
		{ now.unused, "K free memory" },
		{ now.buffers, "K buffer memory" },
		{ cache(), "K swap cache" },		/* procps's words: the page cache */
		{ now.swap_total, "K total swap" },
		{ now.swap_total - now.swap_free, "K used swap" },
		{ now.swap_free, "K free swap" },
		{ now.cpu[0], "non-nice user cpu ticks" },
		{ now.cpu[1], "nice user cpu ticks" },
		{ now.cpu[2], "system cpu ticks" },
		{ now.cpu[3], "idle cpu ticks" },
		{ now.cpu[4], "IO-wait cpu ticks" },
		{ now.cpu[5], "IRQ cpu ticks" },
		{ now.cpu[6], "softirq cpu ticks" },
		{ now.cpu[7], "stolen cpu ticks" },
		{ now.pgpgin, "pages paged in" },
		{ now.pgpgout, "pages paged out" },
		{ now.pswpin, "pages swapped in" },
		{ now.pswpout, "pages swapped out" },
		{ now.intr, "interrupts" },
		{ now.ctxt, "CPU context switches" },
		{ now.btime, "boot time" },
		{ now.forks, "forks" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		printf("%13lu %s\n", lines[i].value, lines[i].what);
}

static void show_heading(void)
{
	puts("procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----");
	puts(" r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st");
}

/* Each second, of @ms milliseconds, rounded. */
static unsigned long rate(unsigned long to, unsigned long from, unsigned long ms)
{
	return to > from && ms ? ((to - from) * 1000 + ms / 2) / ms : 0;
}

static void show_line(unsigned long ms)
{
	unsigned long cpu[8], sum = 0, page_kib = (unsigned long)getpagesize() / 1024;

	for (int i = 0; i < 8; i++) {
		cpu[i] = now.cpu[i] > last.cpu[i] ? now.cpu[i] - last.cpu[i] : 0;
		sum += cpu[i];
	}
	if (!sum)
		sum = cpu[3] = 1;
#define PERCENT(ticks) ((100 * (ticks) + sum / 2) / sum)
	printf("%2lu %2lu %6lu %6lu %6lu %6lu %4lu %4lu %5lu %5lu %4lu %4lu %2lu %2lu %2lu %2lu %2lu\n",
	       now.running, now.blocked, now.swap_total - now.swap_free, now.unused, now.buffers,
	       cache(), page_kib * rate(now.pswpin, last.pswpin, ms),
	       page_kib * rate(now.pswpout, last.pswpout, ms), rate(now.pgpgin, last.pgpgin, ms),
	       rate(now.pgpgout, last.pgpgout, ms), rate(now.intr, last.intr, ms),
	       rate(now.ctxt, last.ctxt, ms), PERCENT(cpu[0] + cpu[1]),
	       PERCENT(cpu[2] + cpu[5] + cpu[6]), PERCENT(cpu[3]), PERCENT(cpu[4]), PERCENT(cpu[7]));
	fflush(stdout);
}

static unsigned long monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long)(ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int main(int argc, char **argv)
{
	unsigned long then = 0, at;		/* the clock begins at boot, as the counters do */
	long delay = 0, count = 1;
	bool sums = false;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "s")) != -1) {
		if (option != 's')
			usage();
		sums = true;
	}
	if (argc - optind > 2)
		usage();
	if (optind < argc) {
		delay = number_arg(argv[optind], "delay");
		count = optind + 1 < argc ? number_arg(argv[optind + 1], "count") : -1;
		if (delay < 1 || !count)
			usage();
	}
	if (sums) {
		sample();
		show_sums();
		return finish(0);
	}
	for (long i = 0; count < 0 || i < count; i++) {
		if (i)
			sleep((unsigned int)delay);
		sample();
		at = monotonic_ms();
		if (i % HEADING_EVERY == 0)
			show_heading();
		show_line(at - then);
		last = now;
		then = at;
	}
	return finish(0);
}
