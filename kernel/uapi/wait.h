/* wait4 and waitid options, Linux's. */
#pragma once

#define WNOHANG		1
#define WUNTRACED	2
#define WSTOPPED	WUNTRACED
#define WEXITED		4
#define WCONTINUED	8
#define WNOWAIT		0x01000000
#define WNOTHREAD	0x20000000
#define WALL		0x40000000
#define WCLONE		0x80000000

#define P_ALL		0
#define P_PID		1
#define P_PGID		2
