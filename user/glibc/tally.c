/* Counts the lines "NAME STATUS" that run-all wrote, says how many programs passed and which did
 * not. */
#include "check.h"

int main(int argc, char **argv)
{
	FILE *f = fopen(argc > 1 ? argv[1] : "results", "r");
	int status, passed = 0, failed = 0;
	char name[64];

	if (!f) {
		perror("tally");
		return 1;
	}
	while (fscanf(f, "%63s %d", name, &status) == 2) {
		if (status == 0) {
			passed++;
		} else {
			failed++;
			printf("not ok %s: exit status %d\n", name, status);
		}
	}
	fclose(f);
	printf("glibc: %d passed, %d failed\n", passed, failed);
	return failed || !passed;
}
