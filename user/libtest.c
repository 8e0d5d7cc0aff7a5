/*
 * libtest: checks of the C library that no other program makes: formatting, conversion, memory,
 * sorting, streams, options, jumps, threads. Ends with "N passed, N failed".
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <prog.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: libtest\n"
	"Check the C library. Writes a scratch file in the working directory.\n";

static int passed, failed;

#define CHECK(condition) check(condition, #condition, __LINE__)

static void check(bool ok, const char *what, int line)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("libtest: line %d: %s\n", line, what);
}

#define PRINTS(want, ...) prints(__LINE__, want, __VA_ARGS__)

static __attribute__((format(printf, 3, 4))) void prints(int line, const char *want,
							 const char *format, ...)
{
	char got[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(got, sizeof(got), format, args);
	va_end(args);
	if (!strcmp(got, want) && n == (int)strlen(want)) {
		passed++;
		return;
	}
	failed++;
	printf("libtest: line %d: \"%s\" gave \"%s\" (%d), not \"%s\"\n", line, format, got, n,
	       want);
}

static void test_printf(void)
{
	char buf[4];

	PRINTS("a % z", "a %% %c", 'z');
	PRINTS("-5 +5  5", "%d %+d % d", -5, 5, 5);
	PRINTS("[   42][42   ][00042][  042]", "[%5d][%-5d][%05d][%5.3d]", 42, 42, 42, 42);
	PRINTS("[  -42][-0042]", "[%5d][%05d]", -42, -42);
	PRINTS("ff FF 0xff 0 377 0377", "%x %X %#x %#x %o %#o", 255, 255, 255, 0, 255, 255);
	PRINTS("-9223372036854775808 18446744073709551615", "%ld %lu", LONG_MIN, ULONG_MAX);
	PRINTS("-2147483648 4294967295", "%d %u", INT_MIN, UINT_MAX);
	PRINTS("-1 255 -1 65535", "%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255,
	       (short)-1, (unsigned short)65535);
	PRINTS("[abc][  abc][abc  ][ab]", "[%s][%5s][%-5s][%.2s]", "abc", "abc", "abc", "abc");
	PRINTS("[   ab][x    ][42]", "[%*.*s][%*c][%zu]", 5, 2, "abc", -5, 'x', (size_t)42);
	PRINTS("[]", "[%.0d]", 0);
	PRINTS("0x1234 0x0", "%p %p", (void *)0x1234, NULL);
	errno = ENOENT;
	PRINTS("No such file or directory", "%m");
	CHECK(snprintf(buf, sizeof(buf), "%s", "abcdef") == 6 && !strcmp(buf, "abc"));
	CHECK(snprintf(NULL, 0, "%d", 1234) == 4);
}

static void test_numbers(void)
{
	char *end;

	CHECK(strtol("  -12x", &end, 10) == -12 && *end == 'x');
	CHECK(strtol("0x1F", NULL, 0) == 31 && strtol("017", NULL, 0) == 15 &&
	      strtol("z", NULL, 36) == 35);
	CHECK(strtoul("ffffffffffffffff", NULL, 16) == ULONG_MAX);
	errno = 0;
	CHECK(strtol("9223372036854775808", NULL, 10) == LONG_MAX && errno == ERANGE);
	errno = 0;
	CHECK(strtol("-9223372036854775808", NULL, 10) == LONG_MIN && errno == 0);
	CHECK(strtol("abc", &end, 10) == 0 && *end == 'a');
	CHECK(strtol("0xg", &end, 16) == 0 && *end == 'x');
	CHECK(atoi("42") == 42);
}

static void test_strings(void)
{
	char buf[32], *save, *rest = buf;

	for (size_t offset = 0; offset < 8; offset++) {
		char from[64], to[64];

		for (size_t i = 0; i < sizeof(from); i++)
			from[i] = (char)i;
		memset(to, 0x55, sizeof(to));
		memcpy(to + 3, from + offset, 40);
		CHECK(!memcmp(to + 3, from + offset, 40) && to[2] == 0x55 && to[43] == 0x55);
		memmove(from + offset + 1, from + offset, 30);
		CHECK(from[offset + 1] == (char)offset && from[offset + 30] == (char)(offset + 29));
		memset(to + offset, 7, 19);
		CHECK(to[offset] == 7 && to[offset + 18] == 7 && to[offset + 19] != 7);
	}
	CHECK(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && !strcmp("", "") &&
	      strcmp("a\x80", "a") > 0);
	CHECK(!strncmp("abc", "abd", 2) && !strcasecmp("AbC", "aBc"));
	CHECK(strchr("abc", 'c') && !strchr("abc", 'd') && *strchr("abc", 0) == 0);
	CHECK(!strcmp(strrchr("a/b/c", '/'), "/c") && !strcmp(strstr("hello", "ll"), "llo") &&
	      !strstr("a", "ab"));
	CHECK(strspn("aab", "a") == 2 && strcspn("aab", "b") == 2 && strnlen("abc", 2) == 2);
	strcpy(buf, ",a,,b,");
	CHECK(!strcmp(strtok_r(buf, ",", &save), "a") && !strcmp(strtok_r(NULL, ",", &save), "b") &&
	      !strtok_r(NULL, ",", &save));
	strcpy(buf, "a::b");
	CHECK(!strcmp(strsep(&rest, ":"), "a") && !strcmp(strsep(&rest, ":"), "") &&
	      !strcmp(strsep(&rest, ":"), "b") && !strsep(&rest, ":"));
	CHECK(strlcpy(buf, "abcdef", 4) == 6 && !strcmp(buf, "abc") &&
	      strlcat(buf, "xyz", 6) == 6 && !strcmp(buf, "abcxy"));
	CHECK(!strcmp(strerror(EPERM), "Operation not permitted") &&
	      strstr(strerror(9999), "9999"));
	CHECK(fnmatch("*.c", "a.c", 0) == 0 && fnmatch("a*b*c", "axxbyybc", 0) == 0 &&
	      fnmatch("[!a-c]", "b", 0));
	CHECK(fnmatch("\\*", "*", 0) == 0 && fnmatch("\\*", "a", 0) && fnmatch("?", "", 0) &&
	      fnmatch("[]]", "]", 0) == 0);
	CHECK(isalpha('x') && !isalpha('1') && isspace('\t') && toupper('q') == 'Q');
}

static void test_malloc(void)
{
	enum { COUNT = 200 };
	unsigned char *blocks[COUNT] = { 0 };
	size_t sizes[COUNT] = { 0 };
	unsigned int seed = 1;
	bool intact = true;

	for (int round = 0; round < 4000; round++) {
		size_t i = (size_t)rand_r(&seed) % COUNT, size = (size_t)rand_r(&seed) % 3000;

		for (size_t at = 0; at < sizes[i]; at++)
			intact = intact && blocks[i][at] == (unsigned char)i;
		if (round % 3 == 0)
			size *= 50;
		blocks[i] = realloc(blocks[i], size);
		intact = intact && blocks[i] && (uintptr_t)blocks[i] % 16 == 0;
		sizes[i] = size;
		memset(blocks[i], (int)i, size);
	}
	for (int i = 0; i < COUNT; i++)
		free(blocks[i]);
	CHECK(intact);
	errno = 0;
	CHECK(!malloc(SIZE_MAX) && errno == ENOMEM && !calloc(SIZE_MAX / 2, 3));
	blocks[0] = calloc(100, 7);
	CHECK(blocks[0] && !blocks[0][0] && !blocks[0][699]);
	free(blocks[0]);
	free(NULL);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void test_sorting(void)
{
	int numbers[500], key = 0;
	unsigned int seed = 7;
	bool ordered = true;

	for (int count = 0; count < 500; count += 83) {
		for (int i = 0; i < count; i++)
			numbers[i] = rand_r(&seed) % 100;
		qsort(numbers, (size_t)count, sizeof(int), compare_ints);
		for (int i = 1; i < count; i++)
			ordered = ordered && numbers[i - 1] <= numbers[i];
	}
	CHECK(ordered);
	for (int i = 0; i < 500; i++)
		numbers[i] = 2 * i;
	key = 246;
	CHECK(bsearch(&key, numbers, 500, sizeof(int), compare_ints) == numbers + 123);
	key = 247;
	CHECK(!bsearch(&key, numbers, 500, sizeof(int), compare_ints));
}

static void test_environment(void)
{
	CHECK(setenv("LIBTEST", "1", 1) == 0 && !strcmp(getenv("LIBTEST"), "1"));
	CHECK(setenv("LIBTEST", "2", 0) == 0 && !strcmp(getenv("LIBTEST"), "1"));
	CHECK(setenv("LIBTEST", "3", 1) == 0 && !strcmp(getenv("LIBTEST"), "3"));
	CHECK(unsetenv("LIBTEST") == 0 && !getenv("LIBTEST"));
	CHECK(setenv("A=B", "1", 1) < 0 && errno == EINVAL);
	CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(9999) == 0);
}

static void test_streams(void)
{
	static const char name[] = "libtest.tmp";
	char buf[32], *line = NULL;
	size_t size = 0;
	bool good = true;
	FILE *file = fopen(name, "w+");

	CHECK(file != NULL);
	if (!file)
		return;
	for (int i = 0; i < 5000; i++)
		fprintf(file, "line %d\n", i);
	CHECK(fseek(file, 0, SEEK_SET) == 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(buf, sizeof(buf), "line %d\n", i);
		good = good && getline(&line, &size, file) > 0 && !strcmp(line, buf);
	}
	CHECK(good && getline(&line, &size, file) == -1 && feof(file) && !ferror(file));
	rewind(file);
	CHECK(fgets(buf, 4, file) && !strcmp(buf, "lin") && ftell(file) == 3);
	CHECK(getc(file) == 'e' && ungetc('E', file) == 'E' && getc(file) == 'E');
	CHECK(fputs("XX", file) == 0 && fseek(file, 0, SEEK_SET) == 0 &&
	      fread(buf, 1, 6, file) == 6 && !memcmp(buf, "lineXX", 6));
	CHECK(fclose(file) == 0);
	file = fopen(name, "a");
	CHECK(file && fputs("end", file) == 0 && fclose(file) == 0);
	file = fopen(name, "r");
	CHECK(file && fseek(file, -3, SEEK_END) == 0 && fgets(buf, sizeof(buf), file) &&
	      !strcmp(buf, "end"));
	CHECK(fputc('x', file) == EOF && ferror(file));
	fclose(file);
	free(line);
	CHECK(remove(name) == 0 && !fopen(name, "r") && errno == ENOENT);
}

static void test_options(void)
{
	char *argv[] = { "x", "op1", "-ab", "value", "op2", "-cjoined", "--", "-z", NULL };

	optind = 1;
	CHECK(getopt(8, argv, "ab:c:") == 'a');
	CHECK(getopt(8, argv, "ab:c:") == 'b' && !strcmp(optarg, "value"));
	CHECK(getopt(8, argv, "ab:c:") == 'c' && !strcmp(optarg, "joined"));
	CHECK(getopt(8, argv, "ab:c:") == -1);
	CHECK(optind == 5 && !strcmp(argv[5], "op1") && !strcmp(argv[6], "op2") &&
	      !strcmp(argv[7], "-z"));
}

static sigjmp_buf jump;
static volatile int handled;
static void *volatile fault_address;
static volatile int *volatile nowhere = (volatile int *)16;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled = sig;
	fault_address = info->si_addr;
	siglongjmp(jump, 5);
}

static void on_signal(int sig)
{
	handled = sig;
}

static void test_signals(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old;
	sigset_t set, before;
	int value;

	CHECK(sigaction(SIGSEGV, &act, &old) == 0 && old.sa_handler == SIG_DFL);
	sigprocmask(SIG_SETMASK, NULL, &before);
	value = sigsetjmp(jump, 1);
	if (value == 0)
		*nowhere = 1;
	CHECK(value == 5 && handled == SIGSEGV && fault_address == (void *)16);
	sigprocmask(SIG_SETMASK, NULL, &set);
	CHECK(set == before);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	CHECK(handled != SIGUSR1 && sigpending(&before) == 0 && sigismember(&before, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(handled == SIGUSR1);
}

static int counter;
static lock_t counter_lock;

static int count_up(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		lock_acquire(&counter_lock);
		counter++;
		lock_release(&counter_lock);
		if (i % 100 == 0)
			free(malloc((size_t)i));
	}
	return *(int *)arg;
}

static void test_threads(void)
{
	enum { THREADS = 4, STACK = 65536 };
	int args[THREADS];
	char *stacks = mmap(NULL, THREADS * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(stacks != MAP_FAILED);
	for (int i = 0; i < THREADS; i++) {
		args[i] = i * 11;
		CHECK(thread_create(count_up, &args[i], stacks + (i + 1) * STACK) > 0);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(thread_join(stacks + (i + 1) * STACK) == i * 11);
	CHECK(counter == THREADS * 20000);
	munmap(stacks, THREADS * STACK);
}

static void test_processes(void)
{
	char buf[64], cwd[PATH_MAX];
	int fds[2], status;
	struct tm tm;
	time_t t = 951782400;		/* 2000-02-29 */
	ssize_t n;
	pid_t pid;
	DIR *dir;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execlp("echo", "echo", "from", "child", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	n = read(fds[0], buf, sizeof(buf));
	CHECK(n == 11 && !memcmp(buf, "from child\n", 11));
	close(fds[0]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK(execlp("no-such-program", "x", (char *)NULL) == -1 && errno == ENOENT);
	CHECK(getcwd(cwd, sizeof(cwd)) && cwd[0] == '/' && !getcwd(cwd, 1) && errno == ERANGE);
	dir = opendir("/");
	CHECK(dir && readdir(dir) && closedir(dir) == 0 && !opendir("/nosuch"));
	gmtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%F %T %a %j", &tm);
	CHECK(!strcmp(buf, "2000-02-29 00:00:00 Tue 060"));
	t = -1;
	strftime(buf, sizeof(buf), "%F %T %b", gmtime_r(&t, &tm));
	CHECK(!strcmp(buf, "1969-12-31 23:59:59 Dec"));
}

int main(int argc, char **argv)
{
	prog_init(argc, argv, help);
	test_printf();
	test_numbers();
	test_strings();
	test_malloc();
	test_sorting();
	test_environment();
	test_streams();
	test_options();
	test_signals();
	test_threads();
	test_processes();
	printf("%d passed, %d failed\n", passed, failed);
	return finish(failed != 0);
}
