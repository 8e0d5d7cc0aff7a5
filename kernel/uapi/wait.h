/* wait4 options, Linux's. */
#pragma once

#define WNOHANG		1
#define WUNTRACED	2
#define WCONTINUED	8
#define WNOTHREAD	0x20000000
#define WALL		0x40000000
#define WCLONE		0x80000000
