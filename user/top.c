/*
 * top: the machine and its processes, those that use the CPU most first, from /proc. A process's share
 * of the CPU is what it used between two looks at it; of the first look, since it began. 100 % is one
 * CPU. A process may end between the directory and its files; then it is not shown.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <poll.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: top [-b] [-n COUNT] [-d SECONDS]\n"
	"Show the processes, the busiest first, anew every SECONDS (3). -b: as plain text, all of them;\n"
	"-n: so many times. Keys: M sort by memory, P by CPU, N by number, space now, q leave.\n";

/* Fields of stat after the name, counted from the state as 0. */
enum { STATE, UTIME = 11, STIME = 12, PRIORITY = 15, NICE = 16, START = 19, VSIZE = 20, RSS = 21, FIELDS };

struct process {
	int		pid;
	char		name[32];
	char		state;
	long		field[FIELDS];
	long		shared;			/* pages */
	unsigned long	tenths;			/* of a percent of a CPU */
};

struct snapshot {
	struct process	*list;
	size_t		count, room;
	unsigned long	ms;			/* since boot */
	unsigned long	cpu[8];			/* ticks: user nice system idle iowait irq softirq steal */
};

static struct snapshot new, old;
static unsigned long ticks, page_kib;
static int key = 'P';

/* ---- reading ------------------------------------------------------------------------------ */

static bool parse_stat(char *line, struct process *p)
{
	char *open = strchr(line, '('), *close = strrchr(line, ')'), *rest, *word;
	int i = 0;

	if (!open || !close || close < open)
		return false;
	memset(p, 0, sizeof(*p));
	p->pid = atoi(line);
	*close = '\0';
	strlcpy(p->name, open + 1, sizeof(p->name));
	rest = close + 1 + strspn(close + 1, " ");
	while (i < FIELDS && (word = strsep(&rest, " \n"))) {
		if (i == STATE)
			p->state = *word;
		else
			p->field[i] = strtol(word, NULL, 10);
		i++;
	}
	return i == FIELDS;
}

static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");
	bool ok;

	if (!file)
		return false;
	ok = fgets(line, size, file) != NULL;
	fclose(file);
	return ok;
}

static bool read_process(const char *pid, struct process *p)
{
	char path[64], line[1024], *rest = line;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (!read_line(path, line, sizeof(line)) || !parse_stat(line, p))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/statm", pid);
	if (read_line(path, line, sizeof(line)))		/* size, resident, shared */
		for (int i = 0; i < 3; i++)
			p->shared = strtol(rest, &rest, 10);
	return true;
}

static void read_processes(struct snapshot *s)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		err(1, "/proc");
	s->count = 0;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (s->count == s->room) {
			s->room = s->room ? s->room * 2 : 64;
			s->list = xrealloc(s->list, s->room * sizeof(*s->list));
		}
		if (read_process(entry->d_name, &s->list[s->count]))
			s->count++;
	}
	closedir(dir);
}

static void take_snapshot(struct snapshot *s)
{
	struct timespec ts;
	char line[256];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	s->ms = (unsigned long)(ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
	read_processes(s);
	if (read_line("/proc/stat", line, sizeof(line)) && !strncmp(line, "cpu ", 4)) {
		char *rest = line + 4;

		for (int i = 0; i < 8; i++)
			s->cpu[i] = strtoul(rest, &rest, 10);
	}
}

/* The process as it was in the last snapshot, or NULL: another may have had its number since. */
static const struct process *before(const struct process *p)
{
	for (size_t i = 0; i < old.count; i++)
		if (old.list[i].pid == p->pid && old.list[i].field[START] == p->field[START])
			return &old.list[i];
	return NULL;
}

static void find_shares(void)
{
	for (size_t i = 0; i < new.count; i++) {
		struct process *p = &new.list[i];
		const struct process *was = before(p);
		long used = p->field[UTIME] + p->field[STIME];
		unsigned long since = (unsigned long)p->field[START] * 1000 / ticks, ms;

		if (was) {
			used -= was->field[UTIME] + was->field[STIME];
			since = old.ms;
		}
		ms = new.ms > since ? new.ms - since : 1;
		p->tenths = used > 0 ? (unsigned long)used * 1000 / ticks * 1000 / ms : 0;
	}
}

static int compare(const void *one, const void *other)
{
	const struct process *a = one, *b = other;
	long x = 0, y = 0;

	if (key == 'P') {
		x = (long)a->tenths;
		y = (long)b->tenths;
	} else if (key == 'M') {
		x = a->field[RSS];
		y = b->field[RSS];
	}
	return x == y ? a->pid - b->pid : x < y ? 1 : -1;
}

/* ---- showing ------------------------------------------------------------------------------ */

static unsigned long meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static void show_load(void)
{
	char now[16], load[64] = "0.00 0.00 0.00";
	unsigned long minutes = new.ms / 60000;
	struct tm tm;
	time_t t;

	time(&t);
	strftime(now, sizeof(now), "%T", gmtime_r(&t, &tm));
	read_line("/proc/loadavg", load, sizeof(load));
	char *rest = load, *one = strsep(&rest, " "), *five = strsep(&rest, " "),
	     *fifteen = strsep(&rest, " ");

	printf("top - %s up ", now);
	if (minutes >= 24 * 60)
		printf("%lu days, ", minutes / (24 * 60));
	if (minutes >= 60)
		printf("%2lu:%02lu", minutes / 60 % 24, minutes % 60);
	else
		printf("%lu min", minutes);
	printf(",  0 users,  load average: %s, %s, %s\n", one, five ? five : "", fifteen ? fifteen : "");
}

static void show_tasks(void)
{
	unsigned int running = 0, stopped = 0, zombie = 0;

	for (size_t i = 0; i < new.count; i++) {
		running += new.list[i].state == 'R';
		stopped += new.list[i].state == 'T';
		zombie += new.list[i].state == 'Z';
	}
	printf("Tasks: %3lu total, %3u running, %3lu sleeping, %3u stopped, %3u zombie\n", new.count,
	       running, new.count - running - stopped - zombie, stopped, zombie);
}

static void show_cpu(void)
{
	static const struct {
		const char	*name;
		int		field;
	} order[] = { { "us", 0 }, { "sy", 2 }, { "ni", 1 }, { "id", 3 },
		      { "wa", 4 }, { "hi", 5 }, { "si", 6 }, { "st", 7 } };
	unsigned long used[8], sum = 0;

	for (int i = 0; i < 8; i++) {
		used[i] = new.cpu[i] > old.cpu[i] ? new.cpu[i] - old.cpu[i] : 0;
		sum += used[i];
	}
	printf("%%Cpu(s):");
	for (int i = 0; i < 8; i++) {
		unsigned long tenths = sum ? used[order[i].field] * 1000 / sum : 0;

		printf("%s%3lu.%lu %s", i ? "," : "", tenths / 10, tenths % 10, order[i].name);
	}
	putchar('\n');
}

/* KiB as MiB with one digit, in a static buffer that the next call but three overwrites. */
static const char *mib(unsigned long kib)
{
	static char text[4][24];
	static unsigned int turn;
	char *buf = text[turn++ % 4];

	snprintf(buf, sizeof(text[0]), "%lu.%lu", kib / 1024, kib % 1024 * 10 / 1024);
	return buf;
}

/* Returns the size of all memory, KiB. */
static unsigned long show_memory(void)
{
	static char text[4096];
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long total, unused, cached, swap, swap_free;

	if (!file)
		err(1, "/proc/meminfo");
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	total = meminfo(text, "MemTotal:");
	unused = meminfo(text, "MemFree:");
	cached = meminfo(text, "Buffers:") + meminfo(text, "\nCached:") + meminfo(text, "SReclaimable:");
	swap = meminfo(text, "SwapTotal:");
	swap_free = meminfo(text, "SwapFree:");
	printf("MiB Mem : %8s total, %8s free, %8s used, %8s buff/cache\n", mib(total), mib(unused),
	       mib(total > unused + cached ? total - unused - cached : 0), mib(cached));
	printf("MiB Swap: %8s total, %8s free, %8s used. %8s avail Mem\n", mib(swap), mib(swap_free),
	       mib(swap - swap_free), mib(meminfo(text, "MemAvailable:")));
	return total;
}

static void show_process(const struct process *p, unsigned long total)
{
	unsigned long rss = (unsigned long)p->field[RSS] * page_kib;
	unsigned long share = total ? rss * 1000 / total : 0;
	unsigned long centis = (unsigned long)(p->field[UTIME] + p->field[STIME]) * 100 / ticks;

	printf("%5d root     %3ld %3ld %7ld %6lu %6lu %c %3lu.%lu %3lu.%lu %3lu:%02lu.%02lu %s\n", p->pid,
	       p->field[PRIORITY], p->field[NICE], p->field[VSIZE] / 1024, rss,
	       (unsigned long)p->shared * page_kib, p->state, p->tenths / 10, p->tenths % 10,
	       share / 10, share % 10, centis / 6000, centis / 100 % 60, centis % 100, p->name);
}

static void show(unsigned int rows)
{
	struct snapshot swap = old;
	unsigned long total;

	old = new;
	new = swap;
	take_snapshot(&new);
	find_shares();
	qsort(new.list, new.count, sizeof(*new.list), compare);
	show_load();
	show_tasks();
	show_cpu();
	total = show_memory();
	puts("\n  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND");
	for (size_t i = 0; i < new.count && i < rows; i++)
		show_process(&new.list[i], total);
	fflush(stdout);
}

/* ---- the screen --------------------------------------------------------------------------- */

static unsigned int terminal_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 8 ? size.ws_row - 8U : 16;
}

/* Waits for a key; true: q, or nobody is there any more. */
static bool wants_to_leave(long seconds)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	if (poll(&in, 1, (int)(seconds * 1000)) <= 0)
		return false;
	if (read(STDIN_FILENO, &c, 1) != 1 || c == 'q')
		return true;
	if (c == 'M' || c == 'P' || c == 'N')
		key = c;
	return false;
}

static void show_screens(long count, long seconds)
{
	struct termios saved, raw;
	bool terminal = tcgetattr(STDIN_FILENO, &saved) == 0;

	if (terminal) {
		raw = saved;
		raw.c_lflag &= ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	do {
		printf("\033[H\033[J");
		show(terminal_rows());
	} while (--count && !wants_to_leave(seconds));
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

int main(int argc, char **argv)
{
	bool batch = !isatty(STDOUT_FILENO);
	long count = -1, seconds = 3;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "bn:d:")) != -1) {
		if (option == 'b')
			batch = true;
		else if (option == 'n')
			count = number_arg(optarg, "count");
		else if (option == 'd')
			seconds = number_arg(optarg, "seconds");
		else
			usage();
	}
	if (optind < argc || !count || seconds < 1)
		usage();
	ticks = getauxval(AT_CLKTCK);
	if (!ticks)
		ticks = 100;
	page_kib = (unsigned long)getpagesize() / 1024;
	if (!batch) {
		show_screens(count, seconds);
		return finish(0);
	}
	for (show(~0U); --count; show(~0U)) {
		sleep((unsigned int)seconds);
		putchar('\n');
	}
	return finish(0);
}
