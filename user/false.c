/* false: fail. */
#include <prog.h>

static const char help[] =
	"usage: false\n"
	"Fail.\n";

int main(int argc, char **argv)
{
	prog_init(argc, argv, help);
	return 1;
}
