/*
 * ps: the processes, from /proc/PID/stat. A process may end between the directory and its file;
 * then it is simply not listed.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const char help[] =
	"usage: ps [-aefx]\n"
	"List all processes: id, parent, group, state, threads, virtual and resident memory in KiB, CPU time,\n"
	"name. The options are accepted and change nothing.\n";

/* Fields of stat after the name, counted from the state as 0 (Linux's field 3). */
enum {
	STATE,
	PPID,
	PGRP,
	SESSION,
	UTIME = 11,
	STIME = 12,
	THREADS = 17,
	VSIZE = 20,
	RSS = 21,
	FIELDS
};

struct process {
	int	pid;
	char	name[32];
	char	state;
	long	field[FIELDS];		/* what a kernel leaves out is 0 */
};

static bool parse_stat(char *line, struct process *process)
{
	char *open = strchr(line, '('), *close = strrchr(line, ')'), *rest, *word;
	int i = 0;

	if (!open || !close || close < open)
		return false;
	memset(process, 0, sizeof(*process));
	process->pid = atoi(line);
	*close = '\0';
	strlcpy(process->name, open + 1, sizeof(process->name));
	rest = close + 1 + strspn(close + 1, " ");
	while (i < FIELDS && (word = strsep(&rest, " \n"))) {
		if (i == STATE)
			process->state = *word;
		else
			process->field[i] = strtol(word, NULL, 10);
		i++;
	}
	return i > PPID;
}

static bool read_process(const char *pid, struct process *process)
{
	char path[64], line[1024];
	bool ok = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		ok = parse_stat(line, process);
	fclose(file);
	return ok;
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct process *)a)->pid - ((const struct process *)b)->pid;
}

static void print(const struct process *p, long ticks)
{
	long centis = (p->field[UTIME] + p->field[STIME]) * 100 / ticks;

	printf("%5d %5ld %5ld %c %4ld %8ld %7ld %3ld:%02ld.%02ld %s\n", p->pid, p->field[PPID],
	       p->field[PGRP], p->state ? p->state : '?', p->field[THREADS] ? p->field[THREADS] : 1,
	       p->field[VSIZE] / 1024, p->field[RSS] * getpagesize() / 1024,
	       centis / 6000, centis / 100 % 60, centis % 100, p->name);
}

int main(int argc, char **argv)
{
	struct process *list = NULL;
	size_t count = 0, room = 0;
	struct dirent *entry;
	long ticks;
	int option;
	DIR *dir;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "aefx")) != -1)
		if (option == '?')
			usage();
	dir = opendir("/proc");
	if (!dir)
		err(1, "/proc");
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (count == room) {
			room = room ? room * 2 : 64;
			list = xrealloc(list, room * sizeof(*list));
		}
		if (read_process(entry->d_name, &list[count]))
			count++;
	}
	closedir(dir);
	ticks = (long)getauxval(AT_CLKTCK);
	qsort(list, count, sizeof(*list), by_pid);
	puts("  PID  PPID  PGRP S THRD      VSZ     RSS      TIME COMMAND");
	for (size_t i = 0; i < count; i++)
		print(&list[i], ticks > 0 ? ticks : 100);
	return finish(0);
}
