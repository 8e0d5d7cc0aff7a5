/*
 * getopt as POSIX has it, except that options may also follow operands, as people are used to
 * ("ls dir -l"): operands are moved behind the options as the scan proceeds. A leading '+' in the
 * option string keeps to POSIX and stops at the first operand.
 */
#include <stdio.h>
#include <prog.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static const char *cluster;	/* the rest of "-abc" */

static int complain(const char *problem)
{
	if (opterr)
		fprintf(stderr, "%s: %s -- '%c'\n", progname, problem, optopt);
	return '?';
}

/*
 * Bring the next option in front of the operands that precede it. Returns where the word after it
 * stands, or 0 if there is no further option.
 */
static int next_option(int argc, char **argv, int stop_at_operand)
{
	int at = optind;
	char *option;

	while (at < argc && (argv[at][0] != '-' || !argv[at][1])) {
		if (stop_at_operand)
			return 0;
		at++;
	}
	if (at >= argc)
		return 0;
	option = argv[at];
	memmove(argv + optind + 1, argv + optind, (size_t)(at - optind) * sizeof(*argv));
	argv[optind++] = option;
	return strcmp(option, "--") ? at + 1 : 0;
}

/*
 * The argument of an option that stands apart: the word after the cluster, taken out of the
 * operands.
 */
static char *separate_argument(int argc, char **argv, int where)
{
	char *word;

	if (where >= argc)
		return NULL;
	word = argv[where];
	memmove(argv + optind + 1, argv + optind, (size_t)(where - optind) * sizeof(*argv));
	argv[optind++] = word;
	return word;
}

int getopt(int argc, char *const argv_const[], const char *options)
{
	static int after;		/* where the word after the current cluster stands */
	char **argv = (char **)argv_const;
	int posix = *options == '+';
	const char *spec;

	if (!cluster || !*cluster) {
		after = next_option(argc, argv, posix);
		if (!after)
			return -1;
		cluster = argv[optind - 1] + 1;
	}
	optopt = (unsigned char)*cluster++;
	spec = optopt == ':' ? NULL : strchr(options + posix, optopt);
	if (!spec)
		return complain("unknown option");
	if (spec[1] != ':')
		return optopt;
	optarg = *cluster ? (char *)cluster : separate_argument(argc, argv, after);
	cluster = NULL;
	return optarg ? optopt : complain("option needs an argument");
}
