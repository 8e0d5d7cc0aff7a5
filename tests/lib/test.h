/* The host tests of kernel/lib. */
#pragma once

#include "../hosted/test.h"

/* Each file's tests, ended by an empty entry. */
extern const struct test list_tests[], tree_tests[], bit_tests[], string_tests[], format_tests[],
	fdt_tests[];
