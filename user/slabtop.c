/*
 * slabtop: the kernel's caches of small objects, the largest first, from /proc/slabinfo. On a
 * terminal it shows them anew every few seconds until q is pressed.
 */
#include <err.h>
#include <poll.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const char help[] =
	"usage: slabtop [-o] [-d SECONDS] [-s KEY]\n"
	"Show the kernel's caches of small objects. -o: once, all of them; -d: every so many seconds (3);\n"
	"-s: sort by a active objects, b objects per slab, c cache size, l slabs, n name, o objects\n"
	"(default), p pages per slab, s object size, u use. Press q to leave.\n";

struct cache {
	char		name[32];
	unsigned long	active, objects, size, per_slab, pages, active_slabs, slabs;
};

static struct cache *caches;
static unsigned int nr_caches, room;
static unsigned long page_kib;
static int key = 'o';

static unsigned long use_of(const struct cache *c)
{
	return c->objects ? 100 * c->active / c->objects : 0;
}

static unsigned long kib_of(const struct cache *c)
{
	return c->slabs * c->pages * page_kib;
}

/* NAME active objects size per_slab pages : tunables 0 0 0 : slabdata active_slabs slabs shared */
static bool parse(char *line, struct cache *c)
{
	unsigned long *field[] = {
		&c->active, &c->objects, &c->size, &c->per_slab, &c->pages,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, &c->active_slabs, &c->slabs,
	};
	char *word, *rest = line;

	word = strsep(&rest, " ");
	if (!word || *word == '#')
		return false;
	strlcpy(c->name, word, sizeof(c->name));
	for (size_t i = 0; i < sizeof(field) / sizeof(*field); i++) {
		do
			word = strsep(&rest, " \n");
		while (word && !*word);
		if (!word)
			return false;
		if (field[i])
			*field[i] = strtoul(word, NULL, 10);
	}
	return true;
}

static void read_caches(void)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[256];

	if (!file)
		err(1, "/proc/slabinfo");
	nr_caches = 0;
	while (fgets(line, sizeof(line), file)) {
		if (nr_caches == room) {
			room = room ? 2 * room : 64;
			caches = xrealloc(caches, room * sizeof(*caches));
		}
		if (strncmp(line, "slabinfo", 8) && parse(line, &caches[nr_caches]))
			nr_caches++;
	}
	fclose(file);
}

static unsigned long key_of(const struct cache *c)
{
	switch (key) {
	case 'a': return c->active;
	case 'b': return c->per_slab;
	case 'c': return kib_of(c);
	case 'l': return c->slabs;
	case 'p': return c->pages;
	case 's': return c->size;
	case 'u': return use_of(c);
	default:  return c->objects;
	}
}

static int compare(const void *one, const void *other)
{
	const struct cache *a = one, *b = other;
	unsigned long x = key_of(a), y = key_of(b);

	if (key == 'n' || x == y)
		return strcmp(a->name, b->name);
	return x < y ? 1 : -1;
}

/* "12.34K", in a static buffer that the next call but three overwrites. */
static const char *kib(unsigned long bytes)
{
	static char text[4][24];
	static unsigned int turn;
	char *buf = text[turn++ % 4];

	snprintf(buf, sizeof(text[0]), "%lu.%02luK", bytes / 1024, bytes % 1024 * 100 / 1024);
	return buf;
}

static void show_line(const char *what, const char *part, const char *whole, unsigned long percent)
{
	printf(" %-35s: %s / %s (%lu%%)\n", what, part, whole, percent);
}

static void show_counts(const char *what, unsigned long part, unsigned long whole)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%lu", part);
	snprintf(b, sizeof(b), "%lu", whole);
	show_line(what, a, b, whole ? 100 * part / whole : 0);
}

static void show_sums(void)
{
	unsigned long active = 0, objects = 0, active_slabs = 0, slabs = 0, used = 0;
	unsigned long active_bytes = 0, bytes = 0, least = ~0UL, most = 0;

	for (unsigned int i = 0; i < nr_caches; i++) {
		const struct cache *c = &caches[i];

		active += c->active;
		objects += c->objects;
		active_slabs += c->active_slabs;
		slabs += c->slabs;
		used += c->slabs != 0;
		active_bytes += c->active * c->size;
		bytes += c->objects * c->size;
		least = c->size < least ? c->size : least;
		most = c->size > most ? c->size : most;
	}
	show_counts("Active / Total Objects (% used)", active, objects);
	show_counts("Active / Total Slabs (% used)", active_slabs, slabs);
	show_counts("Active / Total Caches (% used)", used, nr_caches);
	show_line("Active / Total Size (% used)", kib(active_bytes), kib(bytes),
		  bytes ? 100 * active_bytes / bytes : 0);
	printf(" %-35s: %s / %s / %s\n\n", "Minimum / Average / Maximum Object",
	       kib(nr_caches ? least : 0), kib(objects ? bytes / objects : 0), kib(most));
}

static void show(unsigned int rows)
{
	read_caches();
	qsort(caches, nr_caches, sizeof(*caches), compare);
	show_sums();
	printf("%6s %6s %4s %8s %6s %8s %10s %s\n", "OBJS", "ACTIVE", "USE", "OBJ SIZE", "SLABS",
	       "OBJ/SLAB", "CACHE SIZE", "NAME");
	for (unsigned int i = 0; i < nr_caches && i < rows; i++) {
		const struct cache *c = &caches[i];

		printf("%6lu %6lu %3lu%% %8s %6lu %8lu %9luK %s\n", c->objects, c->active,
		       use_of(c), kib(c->size), c->slabs, c->per_slab, kib_of(c), c->name);
	}
}

static unsigned int terminal_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 8 ? size.ws_row - 8 : 16;
}

/* Waits for a key; true: q, or nobody is there any more. */
static bool wants_to_leave(long seconds)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	return poll(&in, 1, seconds * 1000) > 0 && (read(STDIN_FILENO, &c, 1) != 1 || c == 'q');
}

static void show_again_and_again(long seconds)
{
	struct termios old, raw;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;

	if (terminal) {
		raw = old;
		raw.c_lflag &= ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	do {
		printf("\033[H\033[J");
		show(terminal_rows());
		fflush(stdout);
	} while (!wants_to_leave(seconds));
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
}

int main(int argc, char **argv)
{
	bool once = !isatty(STDOUT_FILENO);
	long seconds = 3;
	int option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "od:s:")) != -1) {
		if (option == 'o')
			once = true;
		else if (option == 'd')
			seconds = number_arg(optarg, "seconds");
		else if (option == 's' && optarg[0] && !optarg[1] && strchr("abclnopsu", optarg[0]))
			key = optarg[0];
		else
			usage();
	}
	if (seconds < 1)
		usage();
	page_kib = getpagesize() / 1024;
	if (once)
		show(~0U);
	else
		show_again_and_again(seconds);
	return finish(0);
}
