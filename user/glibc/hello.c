/* printf, argv and environ: what every program needs before it does anything else. */
#include <sys/auxv.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

int main(int argc, char **argv)
{
	char line[128];

	check(argc >= 1 && argv[0] && argv[0][0], "argc is %d", argc);
	check(argv[argc] == NULL, "argv is not ended by NULL");
	check(environ != NULL, "no environment");

	check(setenv("GLIBC_TEST", "a value with blanks", 1) == 0, "setenv failed");
	check(!strcmp(getenv("GLIBC_TEST"), "a value with blanks"), "getenv gave something else");
	check(unsetenv("GLIBC_TEST") == 0 && !getenv("GLIBC_TEST"), "unsetenv left it there");

	snprintf(line, sizeof(line), "%5d|%-5s|%05.2f|%#lx|%c|%%", 42, "ab", 3.14159, 0xbeefUL,
		 'z');
	check(!strcmp(line, "   42|ab   |03.14|0xbeef|z|%"), "snprintf wrote '%s'", line);

	check(getauxval(AT_PAGESZ) == 4096, "AT_PAGESZ is %lu", getauxval(AT_PAGESZ));
	check(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 0, "no program headers in auxv");
	check(getauxval(AT_RANDOM) != 0, "no AT_RANDOM");
	check(sysconf(_SC_PAGESIZE) == 4096, "page size is %ld", sysconf(_SC_PAGESIZE));
	check(getpid() > 0 && getppid() >= 0, "pid %d", getpid());
	return done("hello");
}
