/* /proc/sys: numbers that can be read and set. */
#pragma once

#include "lib/compiler.h"

struct sysctl {
	const char *path;		/* below /proc */
	unsigned int *value;
	unsigned int min, max;		/* what may be set: else -EINVAL */
	void (*changed)(void);		/* the value is new; NULL: nobody need know. May sleep */
};

/* Makes files of @n entries, which must stay. Boot. */
void sysctl_register(struct sysctl *table, unsigned int n);
