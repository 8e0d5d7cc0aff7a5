/* Operations on the calling process. */
#ifndef _SYS_PRCTL_H
#define _SYS_PRCTL_H

#define PR_SET_PDEATHSIG	1
#define PR_GET_PDEATHSIG	2
#define PR_SET_NAME		15
#define PR_GET_NAME		16

/* The operation's result, or -1 with errno. */
int prctl(int operation, ...);

#endif
