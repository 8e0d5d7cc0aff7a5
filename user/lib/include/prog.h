/*
 * What every program here does alike: --help, usage errors, and noticing that its output could not
 * be written.
 */
#ifndef _PROG_H
#define _PROG_H

/* The program's name, the last component of argv[0]. */
extern const char *progname;

/* Call first: remembers the usage text (complete lines) and answers --help with it and status 0. */
void prog_init(int argc, char **argv, const char *usage_text);

/* Print the usage text on stderr and exit with status 2. */
_Noreturn void usage(void);

/*
 * Flush stdout; the exit status to return from main: status, or 1 with a message if the flush
 * failed.
 */
int finish(int status);

/*
 * Parse the whole of text as a decimal number, optionally followed by k, m or g (or K, M, G); exits with 2 if it
 * is not one.
 */
long number_arg(const char *text, const char *what);

/* Join a directory and a name into a fresh string; exits with 1 if there is no memory. */
char *path_join(const char *dir, const char *name);

/* The last component of path, after its last slash; points into path. */
const char *base_name(const char *path);

/* malloc and friends that end the program with a message instead of returning NULL. */
void *xmalloc(unsigned long size);
void *xrealloc(void *ptr, unsigned long size);
char *xstrdup(const char *s);

#endif
