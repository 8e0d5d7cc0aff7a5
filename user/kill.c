/* kill: send a signal. */
#include <ctype.h>
#include <err.h>
#include <prog.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: kill [-SIGNAL | -s SIGNAL] PID...   or   kill -l\n"
	"Send SIGNAL (a name or number; TERM) to each process, or to the process group -PID.\n";

static int signal_number(const char *text)
{
	if (isdigit((unsigned char)*text)) {
		long number = number_arg(text, "signal");

		if (number >= NSIG)
			errx(2, "bad signal: '%s'", text);
		return (int)number;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (int sig = 1; sigabbrev_np(sig); sig++)
		if (!strcasecmp(text, sigabbrev_np(sig)))
			return sig;
	errx(2, "unknown signal: '%s'", text);
}

int main(int argc, char **argv)
{
	int sig = SIGTERM, first = 1, status = 0;

	prog_init(argc, argv, help);
	if (argc > 1 && !strcmp(argv[1], "-l")) {
		for (sig = 1; sigabbrev_np(sig); sig++)
			printf("%2d %s\n", sig, sigabbrev_np(sig));
		return finish(0);
	}
	if (argc > 2 && !strcmp(argv[1], "-s")) {
		sig = signal_number(argv[2]);
		first = 3;
	} else if (argc > 1 && argv[1][0] == '-' && argv[1][1] && strcmp(argv[1], "--")) {
		sig = signal_number(argv[1] + 1);
		first = 2;
	}
	if (first < argc && !strcmp(argv[first], "--"))
		first++;
	if (first >= argc)
		usage();
	for (; first < argc; first++)
		if (kill((pid_t)number_arg(argv[first], "process id"), sig) < 0) {
			warn("%s", argv[first]);
			status = 1;
		}
	return status;
}
