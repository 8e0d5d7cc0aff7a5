/* Numbers, sorting, the environment. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

/* numbers */

static int digit_value(int c)
{
	if (isdigit(c))
		return c - '0';
	return isalpha(c) ? tolower(c) - 'a' + 10 : 99;
}

/*
 * The common half of the strto* family: the magnitude of the number at s, with *negative telling
 * its sign and *overflow whether it exceeds 64 bits. *end is s itself if there is no number.
 */
static unsigned long parse(const char *s, char **end, int base, int *negative, int *overflow)
{
	const char *p = s;
	unsigned long value = 0;
	int any = 0;

	*negative = *overflow = 0;
	while (isspace((unsigned char)*p))
		p++;
	if (*p == '+' || *p == '-')
		*negative = *p++ == '-';
	if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 32) == 'x' &&
	    isxdigit((unsigned char)p[2])) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	for (; digit_value((unsigned char)*p) < base; p++, any = 1)
		if (__builtin_mul_overflow(value, (unsigned long)base, &value) ||
		    __builtin_add_overflow(value, (unsigned long)digit_value((unsigned char)*p),
					   &value))
			*overflow = 1;
	if (end)
		*end = (char *)(any ? p : s);
	return value;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
	int negative, overflow;
	unsigned long value = parse(s, end, base, &negative, &overflow);

	if (overflow) {
		errno = ERANGE;
		return ULONG_MAX;
	}
	return negative ? -value : value;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
	int negative, overflow;
	unsigned long value = parse(s, end, base, &negative, &overflow);

	if (overflow || value > (unsigned long)LONG_MAX + (unsigned long)negative) {
		errno = ERANGE;
		return negative ? LONG_MIN : LONG_MAX;
	}
	return (long)(negative ? -value : value);
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
	return strtol(s, end, base);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base)
{
	return strtoul(s, end, base);
}

long atol(const char *s)	{ return strtol(s, NULL, 10); }
int atoi(const char *s)		{ return (int)strtol(s, NULL, 10); }

static unsigned int random_state = 1;

int rand_r(unsigned int *seed)
{
	unsigned long x = *seed * 6364136223846793005UL + 1442695040888963407UL;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9UL;
	*seed = (unsigned int)(x >> 32);
	return (int)(*seed >> 1);
}

int rand(void)			{ return rand_r(&random_state); }
void srand(unsigned int seed)	{ random_state = seed; }

/* sorting: heap sort, in place, without recursion, never quadratic */

static void swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

static void sift_down(char *base, size_t root, size_t count, size_t size,
		      int (*compare)(const void *, const void *))
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count &&
		    compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		swap(base + root * size, base + child * size, size);
	}
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t root = count / 2; root-- > 0;)
		sift_down(base, root, count, size, compare);
	for (size_t last = count; last-- > 1;) {
		swap(base, (char *)base + last * size, size);
		sift_down(base, 0, last, size, compare);
	}
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
	      int (*compare)(const void *, const void *))
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		const char *at = (const char *)base + middle * size;
		int order = compare(key, at);

		if (order == 0)
			return (void *)at;
		if (order < 0)
			count = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* environment: the first change moves the kernel's array to the heap, so that it can grow */

static char **owned_environ;

static char **find_variable(const char *name, size_t length)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
			return entry;
	return NULL;
}

char *getenv(const char *name)
{
	size_t length = strlen(name);
	char **entry = find_variable(name, length);

	return entry ? *entry + length + 1 : NULL;
}

/* Put an assignment into the array; its string is not copied. */
int putenv(char *assignment)
{
	size_t length = strcspn(assignment, "="), count = 0;
	char **entry, **grown;

	entry = find_variable(assignment, length);
	if (entry) {
		*entry = assignment;
		return 0;
	}
	while (environ && environ[count])
		count++;
	grown = realloc(environ == owned_environ ? owned_environ : NULL,
			(count + 2) * sizeof(*grown));
	if (!grown)
		return -1;
	if (environ && environ != owned_environ)
		memcpy(grown, environ, count * sizeof(*grown));
	grown[count] = assignment;
	grown[count + 1] = NULL;
	environ = owned_environ = grown;
	return 0;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t length = strlen(name);
	char *assignment;

	if (!length || strchr(name, '=')) {
		errno = EINVAL;
		return -1;
	}
	if (!overwrite && getenv(name))
		return 0;
	assignment = malloc(length + strlen(value) + 2);
	if (!assignment)
		return -1;
	stpcpy(stpcpy(stpcpy(assignment, name), "="), value);
	return putenv(assignment);
}

int unsetenv(const char *name)
{
	char **entry = find_variable(name, strlen(name));

	if (!*name || strchr(name, '=')) {
		errno = EINVAL;
		return -1;
	}
	for (; entry && *entry; entry++)
		entry[0] = entry[1];
	return 0;
}

int clearenv(void)
{
	if (environ)
		environ[0] = NULL;
	return 0;
}

int system(const char *command)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	return status;
}

int mkstemp(char *template)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	size_t length = strlen(template);
	char *x = template + length - 6;

	if (length < 6 || strcmp(x, "XXXXXX")) {
		errno = EINVAL;
		return -1;
	}
	for (int attempt = 0; attempt < 100; attempt++) {
		unsigned char bytes[6];
		int fd;

		if (getrandom(bytes, sizeof(bytes), 0) < 0)
			return -1;
		for (int i = 0; i < 6; i++)
			x[i] = letters[bytes[i] % 32];
		fd = open(template, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}
