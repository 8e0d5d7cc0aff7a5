/* The kernel's command line: words separated by blanks, "key" or "key=value". */
#pragma once

#include "lib/types.h"

extern char boot_command_line[4096];
/* From the device tree's /chosen/bootargs; the first call in start_kernel that may use them. */
void cmdline_init(void);
/* Value of the last "key=value": copied into @buf, truncated; its length, or -1 when absent.
 * A bare "key" yields the empty string. */
int cmdline_get(const char *key, char *buf, size_t size);
bool cmdline_has(const char *key);
long cmdline_long(const char *key, long fallback);	/* base 0, suffixes K M G */
/*
 * The value of "secret=", which is known to nobody else: cmdline_init() blanks it in the command line
 * and in the device tree. The first call gets it (its length), later ones -1.
 */
int cmdline_take_secret(char *buf, size_t size);
