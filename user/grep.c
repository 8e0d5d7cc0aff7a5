/*
 * grep: lines that match a basic regular expression.
 *
 * The matcher walks pattern and text together and backtracks at '*', longest first. There are no
 * groups, so nothing has to be remembered and the pattern is used as written, without compilation.
 */
#include <ctype.h>
#include <err.h>
#include <prog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: grep [-cFHhilnqvx] PATTERN [FILE...]   or   grep [...] -e PATTERN [FILE...]\n"
	"Print the lines of each FILE (standard input if none) that match PATTERN: . any character, [set],\n"
	"[^set], x* any number of x, \\+ \\? one or more, at most one, ^ beginning, $ end, \\x x itself.\n"
	"  -c count only   -F no special characters   -H -h with, without file names   -i ignore case\n"
	"  -l names only   -n line numbers   -q nothing, only the status   -v lines that do not match\n"
	"  -x whole lines only\n"
	"Status 0 if a line was selected, 1 if not, 2 on trouble.\n";

static bool opt_count, opt_fixed, opt_ignore, opt_list, opt_number, opt_quiet, opt_invert,
	opt_exact;
static int opt_names = -1;
static const char *pattern;

static bool same(char a, char b)
{
	if (opt_ignore)
		return tolower((unsigned char)a) == tolower((unsigned char)b);
	return a == b;
}

static bool in_class(const char *name, size_t length, char c)
{
	static const struct {
		const char *name;
		int (*test)(int);
	} classes[] = {
		{"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum}, {"space", isspace},
		{"upper", isupper}, {"lower", islower}, {"punct", ispunct}, {"xdigit", isxdigit},
		{"blank", isblank}, {"print", isprint},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (strlen(classes[i].name) == length && !strncmp(name, classes[i].name, length))
			return classes[i].test((unsigned char)c);
	return false;
}

/* Behind the ']' of the set at p (which is behind '['). */
static const char *set_end(const char *p)
{
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	for (; *p && *p != ']'; p++)
		if (p[0] == '[' && p[1] == ':' && strstr(p, ":]"))
			p = strstr(p, ":]") + 1;
	if (!*p)
		errx(2, "unmatched [ in '%s'", pattern);
	return p + 1;
}

static bool in_range(char low, char high, char c)
{
	return (unsigned char)low <= (unsigned char)c && (unsigned char)c <= (unsigned char)high;
}

static bool in_set(const char *p, const char *end, char c)
{
	bool negate = *p == '^', found = false;

	for (p += negate; p < end - 1; p++) {
		if (p[0] == '[' && p[1] == ':' && strstr(p, ":]")) {
			const char *close = strstr(p, ":]");

			found |= in_class(p + 2, (size_t)(close - p - 2), c);
			p = close + 1;
		} else if (p[1] == '-' && p + 2 < end - 1) {
			found |= in_range(p[0], p[2], c) ||
				 (opt_ignore &&
				  (in_range(p[0], p[2], (char)tolower((unsigned char)c)) ||
				   in_range(p[0], p[2], (char)toupper((unsigned char)c))));
			p += 2;
		} else {
			found |= same(*p, c);
		}
	}
	return found != negate;
}

/* Behind the one-character element at p. */
static const char *element_end(const char *p)
{
	if (*p == '\\' && p[1])
		return p + 2;
	return *p == '[' ? set_end(p + 1) : p + 1;
}

static bool match_element(const char *p, const char *end, char c)
{
	if (!c)
		return false;
	if (*p == '.')
		return true;
	if (*p == '[')
		return in_set(p + 1, end, c);
	return same(*p == '\\' && p[1] ? p[1] : *p, c);
}

/* Does the pattern from p match a beginning of s (all of it with -x)? */
static bool match_here(const char *p, const char *s)
{
	while (*p) {
		const char *end, *rest;
		long least = 1, most = 1, count = 0;

		if (*p == '$' && !p[1])
			return !*s;
		end = rest = element_end(p);
		if (*end == '*') {
			least = 0;
			most = -1;
			rest = end + 1;
		} else if (end[0] == '\\' && (end[1] == '+' || end[1] == '?')) {
			least = end[1] == '+';
			most = end[1] == '+' ? -1 : 1;
			rest = end + 2;
		}
		while (count != most && match_element(p, end, s[count]))
			count++;
		if (least != most) {
			for (; count >= least; count--)
				if (match_here(rest, s + count))
					return true;
			return false;
		}
		if (!count)
			return false;
		s++;
		p = end;
	}
	return !opt_exact || !*s;
}

static bool match_fixed(const char *s)
{
	size_t length = strlen(pattern);

	if (opt_exact)
		return strlen(s) == length && !(opt_ignore ? strcasecmp : strcmp)(s, pattern);
	for (;; s++) {
		if (!(opt_ignore ? strncasecmp : strncmp)(s, pattern, length))
			return true;
		if (!*s)
			return false;
	}
}

static bool match(const char *s)
{
	if (opt_fixed)
		return match_fixed(s);
	if (*pattern == '^')
		return match_here(pattern + 1, s);
	do {
		if (match_here(pattern, s))
			return true;
	} while (!opt_exact && *s++);
	return false;
}

/* The number of lines selected in file; printed as the options say. */
static unsigned long grep(FILE *file, const char *name)
{
	unsigned long selected = 0, number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, file)) > 0) {
		number++;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (match(line) == opt_invert)
			continue;
		selected++;
		if (opt_quiet || opt_list)
			break;
		if (opt_count)
			continue;
		if (opt_names)
			printf("%s:", name);
		if (opt_number)
			printf("%lu:", number);
		puts(line);
	}
	free(line);
	if (opt_list && selected && !opt_quiet)
		puts(name);
	else if (opt_count && !opt_quiet)
		printf("%s%s%lu\n", opt_names ? name : "", opt_names ? ":" : "", selected);
	return selected;
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "ce:FHhilnqvx")) != -1) {
		switch (option) {
		case 'c': opt_count = true; break;
		case 'e': pattern = optarg; break;
		case 'F': opt_fixed = true; break;
		case 'H': opt_names = 1; break;
		case 'h': opt_names = 0; break;
		case 'i': opt_ignore = true; break;
		case 'l': opt_list = true; break;
		case 'n': opt_number = true; break;
		case 'q': opt_quiet = true; break;
		case 'v': opt_invert = true; break;
		case 'x': opt_exact = true; break;
		default: usage();
		}
	}
	if (!pattern && optind < argc)
		pattern = argv[optind++];
	if (!pattern)
		usage();
	for (const char *p = pattern; !opt_fixed && *p;)
		p = element_end(p);		/* complains about an open set */
}

int main(int argc, char **argv)
{
	unsigned long selected = 0;
	bool trouble = false;

	prog_init(argc, argv, help);
	parse_options(argc, argv);
	if (opt_names < 0)
		opt_names = argc - optind > 1;
	if (optind == argc)
		selected = grep(stdin, "(standard input)");
	for (; optind < argc; optind++) {
		FILE *file = strcmp(argv[optind], "-") ? fopen(argv[optind], "r") : stdin;

		if (!file) {
			warn("%s", argv[optind]);
			trouble = true;
			continue;
		}
		selected += grep(file, argv[optind]);
		if (ferror(file)) {
			warn("%s", argv[optind]);
			trouble = true;
		}
		if (file != stdin)
			fclose(file);
	}
	if (opt_quiet && selected)
		return 0;
	return finish(trouble ? 2 : selected ? 0 : 1);
}
