/* true: succeed. */
#include <prog.h>

static const char help[] =
	"usage: true\n"
	"Succeed.\n";

int main(int argc, char **argv)
{
	prog_init(argc, argv, help);
	return 0;
}
