/* poweroff: ask init to end everybody, write everything back and switch the machine off. */
#include <err.h>
#include <prog.h>
#include <signal.h>
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
	if (kill(1, command == RB_POWER_OFF ? SIGRTMIN + 4 : SIGRTMIN + 5) == 0)
		sleep(10);		/* init ends us, too */
	sync();
	reboot(command);
	err(1, "reboot");
}
