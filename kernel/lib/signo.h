/* Signal numbers and fault codes, Linux's: known to the arch and to the fault handler, who raise them. */
#pragma once

#define SIGHUP	1
#define SIGINT	2
#define SIGQUIT	3
#define SIGILL	4
#define SIGTRAP	5
#define SIGABRT	6
#define SIGBUS	7
#define SIGFPE	8
#define SIGKILL	9
#define SIGUSR1	10
#define SIGSEGV	11
#define SIGUSR2	12
#define SIGPIPE	13
#define SIGALRM	14
#define SIGTERM	15
#define SIGCHLD	17
#define SIGCONT	18
#define SIGSTOP	19
#define SIGTSTP	20
#define SIGTTIN	21
#define SIGTTOU	22
#define SIGURG	23
#define SIGXCPU	24
#define SIGXFSZ	25
#define SIGWINCH 28
#define SIGSYS	31

#define SEGV_MAPERR	1	/* nothing mapped there */
#define SEGV_ACCERR	2	/* mapped, but not for this */
#define BUS_ADRALN	1
#define BUS_ADRERR	2	/* beyond the end of the file */
#define BUS_OBJERR	3	/* the device failed */
#define ILL_ILLOPC	1
#define TRAP_BRKPT	1
#define FPE_FLTDIV	3
