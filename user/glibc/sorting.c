/* qsort, bsearch, tsearch, getopt, strtol and regular expressions: pure library, large stack and
 * heap use. */
#include <ctype.h>
#include <getopt.h>
#include <regex.h>
#include <search.h>
#include <unistd.h>

#include "check.h"

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void sort(void)
{
	enum { N = 20000 };
	int *v = malloc(N * sizeof(*v)), key, *hit;
	unsigned int seed = 1;

	check(v, "malloc");
	for (int i = 0; i < N; i++)
		v[i] = rand_r(&seed);
	key = v[77];
	qsort(v, N, sizeof(*v), by_value);
	for (int i = 1; i < N; i++)
		check(v[i - 1] <= v[i], "out of order at %d", i);
	hit = bsearch(&key, v, N, sizeof(*v), by_value);
	check(hit && *hit == key, "bsearch missed %d", key);

	void *root = NULL;

	for (int i = 0; i < 500; i++)
		check(tsearch(&v[i], &root, by_value), "tsearch");
	check(tfind(&v[250], &root, by_value), "tfind");
	while (root)
		tdelete(*(int **)root, &root, by_value);
	free(v);
}

static void options(void)
{
	char *argv[] = {"prog", "-a", "-b", "value", "--long=7", "rest", NULL};
	static const struct option longs[] = {{"long", required_argument, NULL, 'l'}, {0}};
	int c, a = 0, l = 0;
	const char *b = "";

	while ((c = getopt_long(6, argv, "ab:", longs, NULL)) != -1) {
		if (c == 'a')
			a = 1;
		else if (c == 'b')
			b = optarg;
		else if (c == 'l')
			l = atoi(optarg);
		else
			check(0, "getopt gave %c", c);
	}
	check(a == 1 && !strcmp(b, "value") && l == 7 && optind == 5, "a %d b %s l %d", a, b, l);
}

static void text(void)
{
	char *end, words[] = "one two  three", *save, *word;
	regex_t re;
	regmatch_t match[2];
	int n = 0;

	check(strtol("-0x7fz", &end, 16) == -127 && *end == 'z', "strtol");
	check(strtoull("18446744073709551615", NULL, 10) == ~0ULL, "strtoull");
	errno = 0;
	check(strtol("99999999999999999999", NULL, 10) > 0 && errno == ERANGE, "no ERANGE");
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		n++;
	check(n == 3, "%d words", n);
	check(regcomp(&re, "s([0-9]+)t", REG_EXTENDED) == 0, "regcomp");
	check(regexec(&re, "tests12345ts", 2, match, 0) == 0 && match[1].rm_so == 5, "regexec");
	regfree(&re);
	check(isalpha('q') && !isdigit('q') && toupper('q') == 'Q', "ctype");
}

int main(void)
{
	sort();
	options();
	text();
	return done("sorting");
}
