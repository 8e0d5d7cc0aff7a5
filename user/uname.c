/* uname: the system's name. */
#include <err.h>
#include <prog.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char help[] =
	"usage: uname [-asnrvm]\n"
	"Print the kernel's name (-s), host name (-n), release (-r), version (-v), machine (-m), all (-a).\n";

int main(int argc, char **argv)
{
	enum { SYSNAME = 1, NODENAME = 2, RELEASE = 4, VERSION = 8, MACHINE = 16, ALL = 31 };
	struct utsname name;
	int what = 0, option;
	const char *gap = "";

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "asnrvm")) != -1) {
		switch (option) {
		case 'a': what |= ALL; break;
		case 's': what |= SYSNAME; break;
		case 'n': what |= NODENAME; break;
		case 'r': what |= RELEASE; break;
		case 'v': what |= VERSION; break;
		case 'm': what |= MACHINE; break;
		default: usage();
		}
	}
	if (optind != argc)
		usage();
	if (uname(&name) < 0)
		err(1, "uname");
	for (int i = 0; i < 5; i++) {
		const char *parts[] = {name.sysname, name.nodename, name.release, name.version,
				       name.machine};

		if ((what ? what : SYSNAME) & (1 << i))
			gap = (printf("%s%s", gap, parts[i]), " ");
	}
	putchar('\n');
	return finish(0);
}
