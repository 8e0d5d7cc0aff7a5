/*
 * Promises of memory. A private writable mapping, or shared anonymous memory, may need a page (or a slot of swap)
 * for each page of its size; files can always be read again. /proc/sys/vm/overcommit_memory says how many such
 * promises may be made:
 *
 *	0	any, but none that is larger than all of memory and swap by itself
 *	1	any
 *	2	so many that all of them can be kept: no more than the limit together
 *
 * A vma whose pages were counted has VM_ACCOUNT, and keeps it: what was written stays when the vma becomes
 * read-only. The count is kept where vmas come, go and change their bounds (vma.c), so it cannot miss one; the
 * question is asked before, without a lock. Two that ask at the same moment may both be answered yes.
 */
#pragma once

#include "lib/types.h"

#define OVERCOMMIT_GUESS	0
#define OVERCOMMIT_ALWAYS	1
#define OVERCOMMIT_NEVER	2

extern unsigned int overcommit_memory;	/* one of these */
extern unsigned int overcommit_ratio;	/* percent of memory, for the limit */

/* Pages that may be promised with OVERCOMMIT_NEVER: that share of memory, and all of swap. */
unsigned long vm_commit_limit(void);
/* Pages that are promised. */
unsigned long vm_committed(void);
/* May so many more be? Any context. */
bool vm_may_commit(unsigned long pages);
/* They are; or, below 0, are no longer. Any context. */
void vm_commit(long pages);
