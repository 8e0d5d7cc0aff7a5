/* Shell patterns. */
#ifndef _FNMATCH_H
#define _FNMATCH_H

#define FNM_NOMATCH	1

/*
 * Whether string matches pattern (*, ?, [set], [!set], \ quotes): 0 if so, else FNM_NOMATCH. flags
 * must be 0.
 */
int fnmatch(const char *pattern, const char *string, int flags);

#endif
