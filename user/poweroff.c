/* poweroff: write everything back and switch the machine off. */
#include <err.h>
#include <prog.h>
#include <sys/reboot.h>
#include <unistd.h>

static const char help[] =
	"usage: poweroff [-r]\n"
	"Write everything back to disk and switch the machine off; -r restart it.\n";

int main(int argc, char **argv)
{
	int command = RB_POWER_OFF, option;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "r")) != -1) {
		if (option != 'r')
			usage();
		command = RB_AUTOBOOT;
	}
	if (optind != argc)
		usage();
	sync();
	reboot(command);
	err(1, "reboot");
}
