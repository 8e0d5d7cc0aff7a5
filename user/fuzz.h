/* What the two halves of fuzz share: fuzz.c looks after the workers, fuzz_calls.c makes the calls.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <sys/types.h>

#define PAGE   4096UL
#define ARENA  32 /* pages of each worker's playground */
#define LOG_FD 90 /* where -v writes; no call gets this descriptor */

extern unsigned long seed;
extern int verbose, known_only;
extern char *arena;	/* the playground of the calling worker */
extern char *directory; /* the scratch directory, by its full name */
extern pid_t me;	/* its pid, the only process that signals may go to */

/* Makes call number c, which may end or damage the process in any way. */
void make_call(unsigned long c);

#endif
